"""A session of Spark on this machine, for the tests that need one.

Its workers are this Python. It has no web page, and compiles little: tests are over before that
would pay.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.postgres import Server


def why_not() -> str | None:
    """Return why Spark cannot run here, or None if it can."""
    if find_spec("pyspark") is None or find_spec("pandas") is None:
        return "the extra `spark` is not installed"
    home = os.environ.get("JAVA_HOME")
    if not (home and Path(home, "bin", "java").exists()) and shutil.which("java") is None:
        return "Java is not installed"
    return None


def new_session() -> Any:
    """Return the session of this process, and start it if there is none."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    builder = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
    )
    return builder.getOrCreate()


def set_up_page(names: dict[str, Any]) -> None:
    """Give a page of the docs a session and the database that it writes to, or skip it."""
    missing = why_not() or postgres.why_not()
    if missing is not None:
        pytest.skip(f"not run on Spark: {missing}")
    server = Server()
    names["_server"], names["dsn"] = server, server.dsn
    new_session()  # the page takes the session that there is


def tear_down_page(names: dict[str, Any]) -> None:
    """Stop the database."""
    if "_server" in names:
        names["_server"].close()
