"""The rows of a journal in an SQLite file.

What was read is held between transactions, as long as no other connection writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from listboss.delivery._lanes import in_turn
from listboss.delivery._rows import LaneRow, OneAtATime
from listboss.delivery._sql_marks import MAX_READ_AT_ONCE
from listboss.delivery._sql_store import SqlStore
from listboss.delivery._sql_values import Rows

__all__ = ["SqliteStore"]

MAX_ROWS = 20_000
"""How many rows are held in memory between transactions, about."""


class SqliteStore(OneAtATime, SqlStore):
    """See `Store`. The connection is the journal's, and so is the transaction."""

    names_rule = (
        "EXISTS (SELECT 1 FROM json_each(record.segmentation_ids) WHERE json_each.value = ?)"
    )

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection
        self._version: int | None = None
        self.clear()

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows:
        """See `Part.execute`."""
        return self._connection.execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """See `Part.execute_many`."""
        return self._connection.executemany(sql, rows)

    def begin(self) -> None:
        """Begin a transaction: what was read before counts unless another connection wrote."""
        version: int = self._one("PRAGMA data_version")["data_version"]
        if version != self._version or self.size > MAX_ROWS:
            self.clear()
            self._version = version

    def clear(self) -> None:
        """See `SqlStore.clear`."""
        super().clear()
        self._erasing: bool | None = None

    @property
    def size(self) -> int:
        """How many rows are held in memory."""
        size = len(self._events) + len(self._actions) + len(self._lanes)
        size += MAX_READ_AT_ONCE * len(self._indexes)
        return size + len(self._marks) + len(self._targets) + len(self._fields)

    def _new_lane(self, provider: str, contact: str) -> int:
        row = self._one(
            "INSERT INTO lane (provider, contact, open, position) VALUES (?, ?, 0, 0) RETURNING id",
            provider,
            contact,
        )
        number: int = row["id"]
        return number

    def _due_in_turn(self, names: Sequence[str], ticks: int, limit: int) -> list[LaneRow]:
        return in_turn([self._due_at(name, ticks, limit) for name in names], limit)

    def _due_at(self, provider: str, ticks: int, limit: int) -> list[LaneRow]:
        rows = self.execute(
            "SELECT * FROM lane WHERE provider = ? AND due <= ? ORDER BY due, id LIMIT ?",
            (provider, ticks, limit),
        ).fetchall()
        return [self._lane(row) for row in rows]

    def is_erasing(self) -> bool:
        """Whether bytes of a forgotten contact may be left in the write-ahead log."""
        if self._erasing is None:
            self._erasing = bool(self._one("SELECT erasing FROM journal")["erasing"])
        return self._erasing

    def set_erasing(self, *, erasing: bool) -> None:
        self.execute("UPDATE journal SET erasing = ?", (erasing,))
        self._erasing = None

    def forget(self, contact: str, digest: str, now: datetime) -> int:
        self.set_erasing(erasing=True)
        return super().forget(contact, digest, now)
