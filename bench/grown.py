"""Multiply the finished events of a journal file: a million of them take a minute, not hours.

Every row is copied under other ids, contacts and lanes, with the same values otherwise; the
result is what the journal would have written for as many contacts.

INVARIANT: the tables that are copied are all tables that grow with the events.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

__all__ = ["multiply"]

COPIED = ("event", "lane", "action", "mark", "marked", "target", "field", "record")
FEW = {"journal", "account", "forgotten", "ending", "link"}
"""Tables that do not grow with approvals that were carried out."""
IDS = {"event_id", "decided_by", "contact", "email"}


def multiply(path: Path, times: int) -> None:
    """Make as many copies of every event that there are `times` as many in the end."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    tables = {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not name.startswith("sqlite_")
    }
    assert tables == {*COPIED} | FEW, tables ^ ({*COPIED} | FEW)
    (lanes,) = connection.execute("SELECT max(id) FROM lane").fetchone()
    (actions,) = connection.execute("SELECT max(rowid) FROM action").fetchone()
    steps = {"lane": lanes, "action": actions}
    connection.execute("BEGIN")
    for table in COPIED:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = [_value(table, column, steps) for column in columns]
        connection.execute(
            f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ?)"
            f" INSERT INTO {table} SELECT {', '.join(values)} FROM copy CROSS JOIN {table} AS old",
            (times - 1,),
        )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("rb+") as file:  # else the first checkpoint that is measured flushes all of it
        os.fsync(file.fileno())


def _value(table: str, column: str, steps: dict[str, int]) -> str:
    if column in IDS or (table, column) == ("event", "id"):
        return f"old.{column} || '-' || n"
    if column == "number":
        return "NULL"
    if column == "lane" or (table, column) == ("lane", "id"):
        return f"old.{column} + n * {steps['lane']}"
    if (table, column) == ("action", "id"):
        return f"old.id + n * {steps['action']}"
    return f"old.{column}"
