"""The rows of a journal in an SQLite database: the same look-ups, each answered by an index.

Personal data is in `event`, in `planned` of an action, and in the e-mail address and key of a
contact; `forget` removes all of it.
"""

from __future__ import annotations

from datetime import datetime

from listboss.codec._writing import write
from listboss.delivery._sqlite_actions import Actions
from listboss.delivery._sqlite_history import History
from listboss.delivery._sqlite_marks import Marks
from listboss.delivery._sqlite_schema import OPEN_STATUSES, STUCK_STATUSES
from listboss.delivery._sqlite_values import (
    compact_json,
    ticks_of,
    time_of,
)
from listboss.plan import PlannedAction

__all__ = ["SqliteStore"]


class SqliteStore(Actions, Marks, History):
    """See `Store`. The connection is the journal's, and so is the transaction."""

    def begin(self) -> None:
        """Begin a transaction: nothing that was read before counts."""
        Actions.begin(self)
        History.begin(self)

    def secret(self) -> bytes:
        """Return the key of this journal's hashes."""
        found: bytes = self._one("SELECT secret FROM journal")[0]
        return found

    def latest(self) -> datetime:
        row = self._one(
            "SELECT max((SELECT coalesce(max(accepted_at), 0) FROM event),"
            " (SELECT coalesce(max(time), 0) FROM record))"
        )
        return time_of(row[0])

    def forgotten_at(self, digest: str) -> datetime | None:
        row = self._one("SELECT at FROM forgotten WHERE digest = ?", digest)
        return None if row is None else time_of(row["at"])

    def forget(self, contact: str, digest: str, now: datetime) -> int:
        self.execute(
            "INSERT INTO forgotten VALUES (?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET at = max(at, excluded.at)",
            (digest, ticks_of(now)),
        )
        ids = self.execute("SELECT id FROM event WHERE contact = ?", (contact,)).fetchall()
        for (event_id,) in ids:
            for row in self.actions_of(event_id):
                blank = PlannedAction(
                    row.planned.provider,
                    "",
                    row.planned.action,
                    type(row.planned.data)(),
                    row.planned.because,
                    row.planned.automatic,
                    row.planned.id,
                )
                self.execute(
                    "UPDATE action SET planned = ? WHERE event_id = ? AND action_id = ?"
                    " AND generation = ?",
                    (compact_json(write(blank)), row.event_id, row.action_id, row.generation),
                )
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
        return self.execute(
            "UPDATE record SET contact = NULL, email = NULL, detail = '' WHERE contact = ?",
            (contact,),
        ).rowcount

    def prune(self, before: datetime) -> int:
        ticks = ticks_of(before)
        self.execute("CREATE TEMP TABLE IF NOT EXISTS old (id TEXT PRIMARY KEY)")
        self.execute("DELETE FROM old")
        self.execute(
            "INSERT INTO old SELECT id FROM event WHERE accepted_at < ?"
            " AND NOT EXISTS (SELECT 1 FROM mark WHERE mark.event_id = event.id)"
            " AND NOT EXISTS (SELECT 1 FROM action WHERE action.event_id = event.id"
            f" AND status IN ({OPEN_STATUSES}, {STUCK_STATUSES}))",
            (ticks,),
        )
        self.execute("DELETE FROM action WHERE event_id IN (SELECT id FROM old)")
        count = self.execute("DELETE FROM event WHERE id IN (SELECT id FROM old)").rowcount
        return count + self.execute("DELETE FROM record WHERE time < ?", (ticks,)).rowcount
