"""The rows of a journal in PostgreSQL.

Several workers change them at the same time, so a transaction first locks what it is about:
the contacts of the events that it accepts, and the lanes of what it records, in one order. What
was read is forgotten when the transaction ends, but for the rows of lanes that nobody else has
changed since (`_postgres_kept`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from listboss.delivery._forgotten import forgotten_id
from listboss.delivery._lanes import in_turn
from listboss.delivery._postgres import Connection, key_of, statement
from listboss.delivery._postgres_bulk import array_of, bulk
from listboss.delivery._postgres_kept import KeepsLanes
from listboss.delivery._rows import LaneRow
from listboss.delivery._sql_lanes import account_of_row, is_working, working
from listboss.delivery._sql_values import Rows, ticks_of
from listboss.delivery.life import Attempt, Status

__all__ = ["PostgresStore"]

_NEW_LANES = 100
"""How many numbers of lanes are taken from the sequence at once."""
_WORKING = working("NOT id = ANY (?::bigint[])")
_NUMBER = "SELECT pg_current_xact_id_if_assigned()::text AS number"


class PostgresStore(KeepsLanes):
    """See `Store`. The connection is the journal's, and so is the transaction."""

    names_rule = "jsonb_exists(segmentation_ids::jsonb, ?)"

    def __init__(self, connection: Connection, schema: str) -> None:
        super().__init__()
        self._connection, self._schema = connection, schema
        self._number: str | None = None
        self._numbers: list[int] = []
        self.clear()

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows:
        """See `Part.execute`."""
        return self._connection.execute(statement(sql), values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """See `Part.execute_many`."""
        rows = [*rows]
        if len(rows) == 1:
            return self.execute(sql, rows[0])
        many = bulk(sql)
        return self.execute(many.sql, (many.value(rows),))

    def transaction_number(self) -> str | None:
        """Return the number of this transaction, or None if it changed nothing."""
        if self._number is None:
            self._number = self._one(_NUMBER)["number"]
        return self._number

    def clear(self) -> None:
        """See `SqlStore.clear`."""
        super().clear()
        self._locked_accounts: set[str] = set()
        self._number = None

    # Locks

    def _keys(self, kind: str, names: Iterable[str]) -> set[int]:
        return {key_of(self._schema, kind, name) for name in names}

    def lock(
        self,
        contacts: Collection[str] = (),
        event_ids: Collection[str] = (),
        attempts: Collection[Attempt] = (),
        *,
        worked_on: str | None = None,
    ) -> None:
        """See `Store.lock`: by contact and event first, then by lane; each in one order."""
        keys = sorted(self._keys("contact", contacts) | self._keys("event", event_ids))
        if keys:
            self.execute(
                "SELECT pg_advisory_xact_lock(key) FROM unnest(?::bigint[]) AS key",
                (array_of(keys),),
            )
        if not (contacts or attempts or worked_on):
            return
        known = {(id, *_key(each)[1:]) for each in attempts for id in self._ids_of(each)}
        ids = [*map(array_of, zip(*sorted(known), strict=True))] or ["{}", "{}", "{}"]
        rows = self.execute(
            "SELECT *, xmin AS version FROM lane WHERE contact = ANY (?::text[])"
            " OR contact = (SELECT contact FROM event WHERE id = ?)"
            " OR id IN (SELECT lane FROM action JOIN"
            " unnest(?::text[], ?::text[], ?::bigint[]) AS given (event_id, action_id, generation)"
            " USING (event_id, action_id, generation))"
            " ORDER BY id FOR UPDATE",
            (array_of(contacts), worked_on, *ids),
        )
        accounts = sorted({each.planned.provider for each in attempts})
        found = self.execute(
            "SELECT * FROM account WHERE name = ANY (?::text[])", (array_of(accounts),)
        )
        number = self.execute(_NUMBER)
        lanes = [self._locked_lane(row) for row in rows.fetchall()]
        known_accounts = {row["name"]: row for row in found.fetchall()}
        for name in accounts:
            self._hold_account(account_of_row(name, known_accounts.get(name)))
        self._number = number.fetchone()["number"]
        for contact in contacts:
            own = [lane for lane in lanes if lane.contact == contact]
            self._lanes_of[contact] = {lane.provider: lane for lane in own}
        self._read_ahead(lanes)

    def _ids_of(self, attempt: Attempt) -> set[str]:
        """Return the ids under which an event may be kept by now."""
        return {attempt.event_id, forgotten_id(self, attempt.event_id)}

    def lock_stuck(
        self, event_id: str | None, provider: str | None, statuses: Collection[Status]
    ) -> Collection[int]:
        """See `Store.lock_stuck`."""
        rows = self.execute(
            "SELECT id FROM lane WHERE id IN (SELECT lane FROM action"
            " WHERE status = ANY (?::text[]) AND coalesce(event_id = ?, TRUE)"
            " AND coalesce(action.provider = ?, TRUE)) ORDER BY id FOR UPDATE",
            ([*statuses], event_id, provider),
        )
        return {row["id"] for row in rows.fetchall()}

    # Lanes

    def _new_lane(self, provider: str, contact: str) -> int:
        if not self._numbers:
            rows = self.execute(
                "SELECT nextval(pg_get_serial_sequence('lane', 'id')) AS number"
                " FROM generate_series(1, ?)",
                (_NEW_LANES,),
            )
            self._numbers = [row["number"] for row in rows.fetchall()][::-1]
        number = self._numbers.pop()
        self._ahead.add(number)  # there is nothing to read yet
        self.execute(
            "INSERT INTO lane (id, provider, contact, open, position) VALUES (?, ?, ?, 0, 0)",
            (number, provider, contact),
        )
        return number

    def lanes_of_workers(self, workers: Collection[str]) -> list[LaneRow]:
        rows = self.execute(
            "SELECT * FROM lane WHERE worker = ANY (?::text[]) ORDER BY id FOR UPDATE",
            ([*workers],),
        )
        return [self._lane(row) for row in rows.fetchall()]

    def _with_due_lanes(self, now: datetime, ticks: int) -> list[str]:
        """See `Lanes._with_due_lanes`; lanes that have changed here are not written for it."""
        rows = self.execute(_WORKING, (array_of(self._changed_lanes),)).fetchall()
        due = {
            row["provider"]
            for row in rows
            if row["due"] is not None and row["due"] <= ticks and self._is_working(row, now)
        }
        own = {lane.provider for lane in self._changed_lanes.values() if _is_due(lane, ticks)}
        return sorted(due | {name for name in own if is_working(self.account(name), now)})

    def _due_in_turn(self, names: Sequence[str], ticks: int, limit: int) -> list[LaneRow]:
        """Claim lanes that nobody else is claiming; an account's share is free for the others."""
        found: dict[str, list[LaneRow]] = {name: [] for name in names}
        own = [lane for lane in self._changed_lanes.values() if _is_due(lane, ticks)]
        left, share = limit, -(-limit // len(names))
        while left > 0:
            taken = {lane.id for lanes in found.values() for lane in lanes}
            rows = self.execute(
                "SELECT lane.* FROM unnest(?::text[]) AS name (provider), LATERAL"
                " (SELECT *, xmin AS version FROM lane"
                " WHERE lane.provider = name.provider AND due <= ? AND NOT id = ANY (?::bigint[])"
                " ORDER BY due, id LIMIT ? FOR UPDATE SKIP LOCKED) AS lane",
                (array_of(names), ticks, array_of(taken | self._changed_lanes.keys()), share),
            ).fetchall()
            free = [lane for lane in own if lane.id not in taken]
            free += [self._locked_lane(row) for row in rows]
            for name in names:
                lanes = sorted((lane for lane in free if lane.provider == name), key=_by_due)
                found[name] += lanes[:share]
                left -= len(lanes[:share])
            full = [name for name in names if len(found[name]) >= share]
            if not 0 < len(full) < len(names):
                break
            names, share = full, left
        lanes = in_turn(found.values(), limit)
        self._read_ahead(lanes)
        return lanes

    def lock_accounts(self, names: Sequence[str]) -> None:
        """Lock accounts that are not locked yet, and read again what others changed of them.

        INVARIANT: a transaction locks accounts before it changes any, and those that have a rate
        all at once; so none waits for another that waits for it (test_postgres_accounts).
        """
        wanted = sorted({*names} - self._locked_accounts)
        if not wanted:
            return
        self._locked_accounts.update(wanted)
        self.execute(
            "INSERT INTO account (name, unanswered)"
            " SELECT name, 0 FROM unnest(?::text[]) AS name ORDER BY name ON CONFLICT DO NOTHING",
            (wanted,),
        )
        rows = self.execute(
            "SELECT * FROM account WHERE name = ANY (?::text[]) ORDER BY name FOR UPDATE", (wanted,)
        )
        for row in rows.fetchall():
            self._read_again(row["name"], row)

    # Retention

    def old_events(self, before: datetime, limit: int) -> list[str]:
        """Return old events whose contacts nobody else is working on."""
        self.flush()
        rows = self.execute(
            "SELECT id, contact FROM event WHERE look_at < ? ORDER BY look_at LIMIT ?"
            " FOR UPDATE SKIP LOCKED",
            (ticks_of(before), limit),
        ).fetchall()
        keys = {
            row["contact"]: key_of(self._schema, "contact", row["contact"] or "") for row in rows
        }
        locked = self.execute(
            "SELECT key FROM unnest(?::bigint[]) AS key WHERE pg_try_advisory_xact_lock(key)",
            ([*keys.values()],),
        ).fetchall()
        free = {row["key"] for row in locked}
        return [row["id"] for row in rows if keys[row["contact"]] in free]


def _is_due(lane: LaneRow, ticks: int) -> bool:
    due = ticks_of(lane.due)
    return due is not None and due <= ticks


def _by_due(lane: LaneRow) -> tuple[int, int]:
    return (ticks_of(lane.due) or 0, lane.id)


def _key(attempt: Attempt) -> tuple[str, str, int]:
    return (attempt.event_id, attempt.action_id, attempt.generation)
