"""The rows of a journal in a database: the same look-ups, each answered by an index.

The statements are those that SQLite and PostgreSQL share; each of the two adds its connection.

Personal data is in `event`, in `planned` of an action, and in the e-mail address and key of a
contact; `forget` removes all of it.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from listboss.delivery._rows import ActionRow
from listboss.delivery._sql_actions import Actions
from listboss.delivery._sql_history import History
from listboss.delivery._sql_lanes import Lanes
from listboss.delivery._sql_marks import Marks
from listboss.delivery._sql_values import mark_of_row, ticks_of, time_of
from listboss.rules._mapping import FrozenMap
from listboss.standing import Mark

__all__ = ["SqlStore"]


class SqlStore(Actions, Lanes, Marks, History):
    """See `Store`. The connection is the journal's, and so is the transaction."""

    _secret: bytes | None = None

    def clear(self) -> None:
        """Forget the rows that were read, and what was not written yet."""
        for part in (Actions, Lanes, Marks, History):
            part.clear(self)

    def flush(self) -> None:
        """Write what has changed."""
        for part in (Actions, Lanes, Marks, History):
            part.flush(self)
        self._flush_accounts()

    # Forget

    def secret(self) -> bytes:
        """Return the key of this journal's hashes."""
        if self._secret is None:
            self._secret = bytes(self._one("SELECT secret FROM journal")["secret"])
        return self._secret

    def latest(self) -> datetime:
        row = self._one(
            "SELECT max(at) AS at FROM (SELECT max(accepted_at) AS at FROM event"
            " UNION ALL SELECT max(time) FROM record) AS times"
        )
        return time_of(row["at"] or 0)

    def forgotten_at(self, digest: str) -> datetime | None:
        row = self._one("SELECT at FROM forgotten WHERE digest = ?", digest)
        return None if row is None else time_of(row["at"])

    def event_ids(self, contact: str) -> list[str]:
        rows = self.execute("SELECT id FROM event WHERE contact = ? ORDER BY id", (contact,))
        return [row["id"] for row in rows.fetchall()]

    def rename_event(self, event_id: str, new_id: str) -> None:
        self.flush()
        self.execute("UPDATE event SET id = ? WHERE id = ?", (new_id, event_id))
        for table in ("action", "record"):
            statement = f"UPDATE {table} SET event_id = ? WHERE event_id = ?"
            self.execute(statement, (new_id, event_id))
        self.clear()

    def forget(self, contact: str, digest: str, now: datetime) -> int:
        self.execute(
            "INSERT INTO forgotten VALUES (?, ?) ON CONFLICT (digest) DO UPDATE"
            " SET at = excluded.at WHERE excluded.at > forgotten.at",
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
        about = self.execute(
            "UPDATE record SET contact = NULL, email = NULL, detail = '' WHERE contact = ?"
            " RETURNING number",
            (contact,),
        ).fetchall()
        self.clear()
        return len(about)

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
            " OR EXISTS (SELECT 1 FROM record WHERE time < ?) AS found",
            ticks_of(before),
            ticks_of(before),
        )
        return bool(found["found"])

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
        dropped = self.execute(
            "DELETE FROM record WHERE number IN"
            " (SELECT number FROM record WHERE time < ? ORDER BY time LIMIT ?) RETURNING number",
            (ticks_of(before), limit),
        ).fetchall()
        return len(dropped)
