"""Tests from examples, and the number of examples that Hypothesis tries.

Every Python block of README.md and docs/, and every doctest of a docstring, is a test (Sybil).
The examples of one document share names, so `--dist loadscope` in pyproject.toml keeps them on
one worker, in their order.
"""

import os
from doctest import ELLIPSIS
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sybil.document import PythonDocStringDocument
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.myst import PythonCodeBlockParser
from sybil.sybil import Sybil, SybilCollection

from tests import postgres, spark

HERE = Path(__file__).parent
ON_SPARK = "docs/howto/plan-with-spark.md"

_documents = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS)],
    path=str(HERE),
    # One pattern for each depth: before Python 3.13, `**` matches the same as `*`.
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    excludes=[ON_SPARK],
)
_on_spark = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS)],
    path=str(HERE),
    patterns=[ON_SPARK],
    setup=spark.set_up_page,
    teardown=spark.tear_down_page,
)
_docstrings = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS)],
    path=str(HERE),
    patterns=["src/*/*.py", "src/*/*/*.py", "src/*/*/*/*.py"],
    document_types={".py": PythonDocStringDocument},
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this machine cannot run: a skipped test is easily overlooked."""
    for name, missing in (("PostgreSQL", postgres.why_not()), ("Spark", spark.why_not())):
        if missing is not None:
            terminalreporter.write_line(f"not run: the tests on {name}: {missing}")


pytest_collect_file = SybilCollection([_documents, _on_spark, _docstrings]).pytest()

# No deadlines: a test that fails because the machine was busy says nothing about the code.
# `ci` is the default and tries the same examples each time; `soak` tries many new ones.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", _patient, max_examples=200, derandomize=True)
settings.register_profile("soak", _patient, max_examples=20_000, print_blob=True)
settings.register_profile("dev", _patient, max_examples=20)
settings.load_profile(os.environ.get("LISTBOSS_PROFILE", "ci"))
