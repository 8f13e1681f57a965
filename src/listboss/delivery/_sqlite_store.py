"""The rows of a journal in an SQLite database: the same look-ups, each answered by an index.

Personal data is in `event`, in `planned` of an action, and in the e-mail address and key of a
contact; `forget` removes all of it.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

import attrs

from listboss.delivery._rows import ActionRow
from listboss.delivery._sqlite_actions import Actions
from listboss.delivery._sqlite_history import History
from listboss.delivery._sqlite_lanes import Lanes
from listboss.delivery._sqlite_marks import Marks
from listboss.delivery._sqlite_values import mark_of_row, ticks_of, time_of
from listboss.rules._mapping import FrozenMap
from listboss.standing import Mark

__all__ = ["SqliteStore"]

MAX_ROWS = 20_000
"""How many rows are held in memory between transactions, about."""


class _Journal(NamedTuple):
    secret: bytes
    erasing: bool


class SqliteStore(Actions, Lanes, Marks, History):
    """See `Store`. The connection is the journal's, and so is the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._version: int | None = None
        self.clear()

    def begin(self) -> None:
        """Begin a transaction: what was read before counts unless another connection wrote."""
        self.new_lanes.clear()
        version: int = self.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version or self.size > MAX_ROWS:
            self.clear()
            self._version = version

    def clear(self) -> None:
        """Forget the rows that were read, and what was not written yet."""
        for part in (Actions, Lanes, Marks, History):
            part.clear(self)
        self._journal: _Journal | None = None

    def flush(self) -> None:
        """Write what has changed."""
        for part in (Actions, Lanes, Marks, History):
            part.flush(self)

    @property
    def size(self) -> int:
        """How many rows are held in memory."""
        size = len(self._events) + len(self._actions) + len(self._lanes)
        return size + len(self._marks) + len(self._targets) + len(self._fields)

    # The journal itself

    def _about(self) -> _Journal:
        if self._journal is None:
            secret, erasing = self._one("SELECT secret, erasing FROM journal")
            self._journal = _Journal(secret, bool(erasing))
        return self._journal

    def secret(self) -> bytes:
        """Return the key of this journal's hashes."""
        return self._about().secret

    def is_erasing(self) -> bool:
        """Whether bytes of a forgotten contact may be left in the write-ahead log."""
        return self._about().erasing

    def set_erasing(self, *, erasing: bool) -> None:
        self.execute("UPDATE journal SET erasing = ?", (erasing,))
        self._journal = None

    # Forget

    def latest(self) -> datetime:
        row = self._one(
            "SELECT max((SELECT coalesce(max(accepted_at), 0) FROM event),"
            " (SELECT coalesce(max(time), 0) FROM record))"
        )
        return time_of(row[0])

    def forgotten_at(self, digest: str) -> datetime | None:
        row = self._one("SELECT at FROM forgotten WHERE digest = ?", digest)
        return None if row is None else time_of(row["at"])

    def event_ids(self, contact: str) -> list[str]:
        rows = self.execute("SELECT id FROM event WHERE contact = ? ORDER BY id", (contact,))
        return [row["id"] for row in rows.fetchall()]

    def forget(self, contact: str, digest: str, now: datetime) -> int:
        self.set_erasing(erasing=True)
        self.execute(
            "INSERT INTO forgotten VALUES (?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET at = max(at, excluded.at)",
            (digest, ticks_of(now)),
        )
        for event_id in self.event_ids(contact):
            for row in self.actions_of(event_id):
                self._blank(row)
        self.flush()
        self.execute(
            "UPDATE event SET contact = NULL, email = NULL, event = NULL, forgotten = 1"
            " WHERE contact = ?",
            (contact,),
        )
        for lane in self.lanes_of(contact):
            for table in ("mark", "marked", "target", "field"):
                self.execute(f"DELETE FROM {table} WHERE lane = ?", (lane.id,))
        self.execute("UPDATE lane SET contact = NULL WHERE contact = ?", (contact,))
        for table in ("ending", "link"):
            self.execute(f"DELETE FROM {table} WHERE contact = ?", (contact,))
        count = self.execute(
            "UPDATE record SET contact = NULL, email = NULL, detail = '' WHERE contact = ?",
            (contact,),
        ).rowcount
        self.clear()
        return count

    def _blank(self, row: ActionRow) -> None:
        row.planned = attrs.evolve(row.planned, email="", data=FrozenMap())
        row.detail, row.grant = "", None
        self.add_action(row)

    # Retention

    def old_events(self, before: datetime, limit: int) -> list[str]:
        self.flush()
        rows = self.execute(
            "SELECT id FROM event WHERE look_at < ? ORDER BY look_at LIMIT ?",
            (ticks_of(before), limit),
        )
        return [row["id"] for row in rows.fetchall()]

    def has_old(self, before: datetime) -> bool:
        """Whether there is anything for `prune` to look at."""
        found = self._one(
            "SELECT EXISTS (SELECT 1 FROM event WHERE look_at < ?)"
            " OR EXISTS (SELECT 1 FROM record WHERE time < ?)",
            ticks_of(before),
            ticks_of(before),
        )
        return bool(found[0])

    def look_again(self, event_id: str, at: datetime) -> None:
        self.execute("UPDATE event SET look_at = ? WHERE id = ?", (ticks_of(at), event_id))

    def look_at_all(self, before: datetime) -> None:
        self.execute(
            "UPDATE event SET look_at = accepted_at"
            " WHERE accepted_at < ? AND look_at <> accepted_at",
            (ticks_of(before),),
        )

    def blank_event(self, event_id: str) -> None:
        self.execute("UPDATE event SET event = NULL WHERE id = ?", (event_id,))

    def drop_event(self, event_id: str) -> None:
        for row in self.actions_of(event_id):
            del self._actions[row.event_id, row.action_id, row.generation]
        self._of_event.pop(event_id, None)
        self._events.pop(event_id, None)
        self.execute("DELETE FROM action WHERE event_id = ?", (event_id,))
        self.execute("DELETE FROM event WHERE id = ?", (event_id,))

    def marks_of(self, event_id: str) -> list[tuple[int, Mark]]:
        self.flush()
        rows = self.execute("SELECT * FROM mark WHERE event_id = ?", (event_id,)).fetchall()
        found: list[tuple[int, Mark]] = []
        for row in rows:
            lane = self.lane_by_id(row["lane"])
            found.append((lane.id, mark_of_row(row, lane.provider)))
        return found

    def drop_records(self, before: datetime, limit: int) -> int:
        self.flush()
        return self.execute(
            "DELETE FROM record WHERE number IN"
            " (SELECT number FROM record WHERE time < ? ORDER BY time LIMIT ?)",
            (ticks_of(before), limit),
        ).rowcount
