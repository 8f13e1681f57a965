"""A PostgreSQL server of its own for a test run, in a temporary folder, from the system's packages.

It listens on a socket in that folder only. The server refuses to run as root, so a test run as
root starts it as another user of the system.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

_FOLDERS = "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"
_USERS = "postgres", "nobody"


def server_folder() -> Path | None:
    """Return the folder with the newest `initdb` and `postgres`, or None."""
    found = [Path(each).resolve().parent for each in [shutil.which("initdb")] if each]
    for pattern in _FOLDERS:
        found += sorted(Path("/").glob(pattern[1:]), key=lambda path: path.parent.name)
    whole = [path for path in found if (path / "initdb").exists() and (path / "pg_ctl").exists()]
    return whole[-1] if whole else None


def why_not() -> str | None:
    """Return why no server can be started here, or None if one can."""
    if server_folder() is None:
        return "PostgreSQL is not installed (no initdb)"
    if os.name != "posix":
        return "no test starts a server on this system"
    if os.geteuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no other user"
    try:
        import psycopg  # noqa: F401 # whether it can be imported is the question
    except ImportError:
        return "psycopg is not installed"
    return None


def _user() -> str | None:
    import pwd  # not on Windows

    for name in _USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


class Server:
    """A running server; `dsn` is how to connect to it. `options` are more of its settings."""

    def __init__(self, *options: str) -> None:
        folder = server_folder()
        assert folder is not None, why_not()
        self._bin = folder
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": _user(), "extra_groups": []}
            shutil.chown(self._folder, _user() or 0)
        self._data = self._folder / "data"
        self._schemas = count(1)
        # Only a power cut needs `fsync`: what a killed process or server wrote, the system keeps.
        options = ("fsync=off", "shared_buffers=32MB", "max_connections=60", *options)
        self._options = " ".join(f"-c {option}" for option in options)
        # The order of text in the database is that of a language: the journal must not rely on it.
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "tests", "-E", "UTF8",
                  "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")  # fmt: skip
        self.start()
        self.dsn = f"host={self._folder} user=tests dbname=postgres"

    def _run(self, program, *arguments) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments], check=False, cwd=self._folder,
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            **self._as,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}"

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        options = f"-k {self._folder} -c listen_addresses= {self._options}"
        self._run("pg_ctl", "-D", self._data, "-w", "-s", "-l", self._folder / "log",
                  "-o", options, "start")  # fmt: skip

    def stop(self, how: str = "immediate") -> None:
        """Stop the server: `immediate` is a crash, `fast` ends all connections."""
        self._run("pg_ctl", "-D", self._data, "-w", "-s", "-m", how, "stop")

    def kill(self) -> None:
        """Kill the server's main process; its others end by themselves."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def new_schema(self) -> str:
        """Return the name of a schema with a journal's tables, which are empty."""
        from listboss.delivery import PostgresJournal

        schema = f"journal_{next(self._schemas)}"
        PostgresJournal.migrate(self.dsn, schema=schema)
        return schema

    def drop_schema(self, schema: str) -> None:
        """Drop a schema."""
        import psycopg

        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())

    def empty(self, schema: str) -> None:
        """Empty the tables of a journal."""
        import psycopg

        with psycopg.connect(self.dsn, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s"
                " AND tablename NOT IN ('journal', 'schema_version', 'server_run')",
                (schema,),
            ).fetchall()
            # Truncating every table takes longer than deleting the few rows of a test.
            script = "; ".join(f"DELETE FROM {schema}.{name}" for (name,) in rows)
            connection.execute(f"BEGIN; {script}; COMMIT".encode())

    def close(self) -> None:
        """Stop the server and remove its files."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
