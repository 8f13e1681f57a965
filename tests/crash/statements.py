"""A connection to SQLite that fails, or ends the process, at a given statement."""

import os
import signal
import sqlite3
from pathlib import Path


class Fuse:
    """Burns at a statement: it raises there, or kills the process."""

    def __init__(self, at: int | None = None, *, at_first: str = "", kills: bool = False) -> None:
        self.at, self.at_first = at, at_first
        self.kills = kills
        self.statements: list[str] = []

    def __call__(self, sql: str) -> None:
        """Count a statement."""
        self.statements.append(" ".join(sql.split()[:3]))
        is_first = bool(self.at_first) and sql.startswith(self.at_first)
        if is_first or len(self.statements) == self.at:
            self.at_first = ""
            if self.kills:
                os.kill(os.getpid(), signal.SIGKILL)
            raise sqlite3.OperationalError("the disk is gone")


class FusedConnection(sqlite3.Connection):
    """A connection whose statements burn down the fuse that is set."""

    fuse = Fuse()

    def execute(self, sql, *args):
        """Run one statement."""
        type(self).fuse(sql)
        return super().execute(sql, *args)

    def executemany(self, sql, *args):
        """Run one statement with many rows."""
        type(self).fuse(sql)
        return super().executemany(sql, *args)


def rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that the tables of a journal file have."""
    connection = sqlite3.connect(path)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in tables.fetchall()
            if not name.startswith("sqlite_")
        }
    finally:
        connection.close()
