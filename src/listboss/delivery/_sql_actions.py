"""Events and actions of a journal in a database.

Rows that were read are held until another connection writes, so that each is read once, and
is one object for all callers. Planned actions stay text until somebody reads them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import partial

import attrs

from listboss.codec import dump_event, load_event
from listboss.codec._writing import write
from listboss.delivery._rows import ActionRow, EventRow
from listboss.delivery._sql_schema import IS_OPEN, IS_STUCK, has_status
from listboss.delivery._sql_values import (
    Part,
    Row,
    compact_json,
    dump_action,
    load_action,
    load_planned,
    optional_time,
    stamp_of_row,
    ticks_of,
    time_of,
    upsert,
    where_equal,
)
from listboss.delivery.life import OPEN, STUCK, Status
from listboss.plan import Idle
from listboss.rules.event import Event
from listboss.standing import Effect, Grant

__all__ = ["CHUNK", "Actions", "key_of_row"]

CHUNK = 8
"""How many open actions of a lane are looked up at once: most turns need one or two."""
MAX_HELD = 64
"""How many open actions of a lane are held in memory; of a longer lane, those that are read."""
_Key = tuple[str, str, int]
_PUT_EVENT = upsert(
    "event",
    "id, name, product_id, contact, email, subscription_plan, occurred_at, accepted_at, is_test,"
    " idle, forgotten, look_at, event",
    "id",
)


def key_of_row(row: ActionRow) -> _Key:
    return (row.event_id, row.action_id, row.generation)


def _about(row: ActionRow) -> str:
    grant = row.grant
    codes = None if grant is None else [grant.product_id, grant.transaction, grant.subscriber_code]
    flags = (row.repeatable, row.is_test, row.always, row.carries)
    return compact_json([codes, row.effects, *flags])


class Actions(Part):
    """Events and their actions; an action that is changed several times is written once."""

    new_lanes: set[int]

    def clear(self) -> None:
        """Forget the rows that were read."""
        self._events: dict[str, EventRow | None] = {}
        self._actions: dict[_Key, ActionRow] = {}
        self._of_event: dict[str, list[ActionRow]] = {}
        self._open_rows: dict[int, list[ActionRow]] = {}
        self._added: dict[_Key, ActionRow] = {}
        self._changed: dict[_Key, ActionRow] = {}
        self._moved: dict[_Key, ActionRow] = {}
        self._unwritten: set[int] = set()

    def flush(self) -> None:
        """Write the actions that were added or have changed."""
        if self._added:
            self.execute_many(
                f"INSERT INTO action VALUES ({', '.join('?' * 20)})",
                [self._columns(row) for row in self._added.values()],
            )
            self._added.clear()
        if self._moved:
            self.execute_many(
                "UPDATE action SET lane = ?, position = ?, accepted_at = ?, planned = ?, about = ?"
                " WHERE event_id = ? AND action_id = ? AND generation = ?",
                [
                    (
                        row.lane,
                        row.position,
                        ticks_of(row.accepted_at),
                        compact_json(write(row.planned)),
                        _about(row),
                        *key,
                    )
                    for key, row in self._moved.items()
                ],
            )
            self._moved.clear()
        if self._changed:
            self.execute_many(
                "UPDATE action SET status = ?, attempts = ?, until = ?, hold_until = ?,"
                " waiting_since = ?, detail = ?, decided_by = ?, sent = ?"
                " WHERE event_id = ? AND action_id = ? AND generation = ?",
                [
                    (
                        row.status,
                        row.attempts,
                        ticks_of(row.until),
                        ticks_of(row.hold_until),
                        ticks_of(row.waiting_since),
                        row.detail,
                        row.decided_by,
                        None if row.sent is None else dump_action(row.sent),
                        *key,
                    )
                    for key, row in self._changed.items()
                ],
            )
            self._changed.clear()
        self._unwritten.clear()

    def event(self, event_id: str) -> EventRow | None:
        if event_id not in self._events:
            row = self._one("SELECT * FROM event WHERE id = ?", event_id)
            self._events[event_id] = None if row is None else self._event(row)
        return self._events[event_id]

    def _event(self, row: Row) -> EventRow:
        return EventRow(
            id=row["id"],
            name=row["name"],
            product_id=row["product_id"],
            contact=row["contact"],
            email=row["email"],
            subscription_plan=row["subscription_plan"],
            occurred_at=time_of(row["occurred_at"]),
            accepted_at=time_of(row["accepted_at"]),
            is_test=bool(row["is_test"]),
            idle=None if row["idle"] is None else Idle(row["idle"]),
            forgotten=bool(row["forgotten"]),
        )

    def put_event(self, row: EventRow) -> None:
        if row.id in self._events and self._events[row.id] is None:
            self._of_event[row.id] = []  # a new event has no actions: no need to look
        stored = None if row.event is None else dump_event(row.event)
        self._events[row.id] = attrs.evolve(row, event=None)
        self.execute(
            _PUT_EVENT,
            (
                row.id,
                row.name,
                row.product_id,
                row.contact,
                row.email,
                row.subscription_plan,
                ticks_of(row.occurred_at),
                ticks_of(row.accepted_at),
                row.is_test,
                row.idle,
                row.forgotten,
                ticks_of(row.accepted_at),
                stored,
            ),
        )

    def full_event(self, event_id: str) -> Event | None:
        row = self._one("SELECT event FROM event WHERE id = ?", event_id)
        return None if row is None or row["event"] is None else load_event(row["event"])

    def _action(self, row: Row) -> ActionRow:
        key: _Key = (row["event_id"], row["action_id"], row["generation"])
        if key not in self._actions:
            self._actions[key] = self._new_action(row)
        return self._actions[key]

    def _new_action(self, row: Row) -> ActionRow:
        about = json.loads(row["about"])
        grant, effects, repeatable, is_test, always, carries = about
        sent = row["sent"]
        return ActionRow(
            event_id=row["event_id"],
            action_id=row["action_id"],
            generation=row["generation"],
            lane=row["lane"],
            position=row["position"],
            product_id=row["product_id"],
            source=partial(load_planned, row["planned"]),
            stamp=stamp_of_row(row),
            grant=None if grant is None else Grant(*grant),
            effects=tuple([Effect(*each) for each in effects]),
            accepted_at=time_of(row["accepted_at"]),
            repeatable=repeatable,
            is_test=is_test,
            always=always,
            carries=carries,
            status=Status(row["status"]),
            attempts=row["attempts"],
            until=optional_time(row["until"]),
            hold_until=optional_time(row["hold_until"]),
            waiting_since=optional_time(row["waiting_since"]),
            detail=row["detail"],
            decided_by=row["decided_by"],
            sent=None if sent is None else load_action(sent),
        )

    def actions_of(self, event_id: str) -> list[ActionRow]:
        if event_id not in self._of_event:
            Actions.flush(self)
            rows = self.execute(
                "SELECT * FROM action WHERE event_id = ? ORDER BY rowid", (event_id,)
            ).fetchall()
            self._of_event[event_id] = list(map(self._action, rows))
        return [*self._of_event[event_id]]

    def action(self, event_id: str, action_id: str, generation: int) -> ActionRow | None:
        if (event_id, action_id, generation) in self._actions:
            return self._actions[event_id, action_id, generation]
        row = self._one(
            "SELECT * FROM action WHERE event_id = ? AND action_id = ? AND generation = ?",
            event_id,
            action_id,
            generation,
        )
        return None if row is None else self._action(row)

    def add_action(self, row: ActionRow) -> None:
        key = key_of_row(row)
        if key in self._actions:  # it was taken up again, and is at another place of its lane
            self._moved[key] = self._changed[key] = row
        else:
            self._actions[key] = self._added[key] = row
            if row.event_id in self._of_event:
                self._of_event[row.event_id].append(row)
        self._unwritten.add(row.lane)
        self._open(row)

    def _open(self, row: ActionRow) -> None:
        """Put a row at the end of the open ones of its lane, if these are held."""
        if row.lane in self.new_lanes:
            self._open_rows.setdefault(row.lane, [])
        held = self._open_rows.get(row.lane)
        if held is not None and len(held) < MAX_HELD:
            others = (each for each in held if each is not row and each.status in OPEN)
            self._open_rows[row.lane] = [*others, row]
        else:
            self._open_rows.pop(row.lane, None)
            self.new_lanes.discard(row.lane)

    def put_action(self, row: ActionRow) -> None:
        key = key_of_row(row)
        if key not in self._added:
            self._changed[key] = row

    def _columns(self, row: ActionRow) -> tuple[object, ...]:
        return (
            *key_of_row(row),
            row.lane,
            row.position,
            row.planned.provider,
            row.product_id,
            row.status,
            row.attempts,
            ticks_of(row.until),
            ticks_of(row.hold_until),
            ticks_of(row.waiting_since),
            ticks_of(row.accepted_at),
            row.detail,
            row.decided_by,
            ticks_of(row.stamp.occurred_at),
            row.stamp.rank,
            compact_json(write(row.planned)),
            None if row.sent is None else dump_action(row.sent),
            _about(row),
        )

    def open_actions(self, lane: int) -> Iterator[ActionRow]:
        position = -1
        while rows := self._open_after(lane, position):
            for row in rows:
                position = row.position
                if row.status in OPEN:
                    yield row

    def _open_after(self, lane: int, position: int) -> list[ActionRow]:
        """Return the next open actions of a lane; hold all of them if they are few."""
        held = self._open_rows.get(lane)
        if held is not None:
            return [row for row in held if row.position > position and row.status in OPEN]
        if lane in self._unwritten:  # what only changed is held, so its status is known
            Actions.flush(self)
        found = self.execute(
            "SELECT * FROM action WHERE lane = ?"
            f" AND position > ? AND {IS_OPEN} ORDER BY position LIMIT ?",
            (lane, position, CHUNK),
        ).fetchall()
        rows = [self._action(row) for row in found]
        if position < 0 and len(rows) < CHUNK:
            self._open_rows[lane] = [*rows]
        return rows

    def stuck_actions(
        self, provider: str | None, product_id: str | None, statuses: Collection[Status], limit: int
    ) -> list[ActionRow]:
        Actions.flush(self)
        where, values = where_equal({"provider": provider, "product_id": product_id})
        found: list[ActionRow] = []
        # Each part repeats the condition of a partial index, so that it can be used.
        for part, indexed in ((STUCK, IS_STUCK), (OPEN, IS_OPEN)):
            wanted = part & set(statuses)
            if wanted:
                rows = self.execute(
                    f"SELECT * FROM action WHERE {indexed} AND {has_status(wanted)}{where}"
                    f" ORDER BY accepted_at, lane, position LIMIT ?",
                    (*values, limit),
                )
                found += [self._action(row) for row in rows.fetchall()]
        return sorted(found, key=lambda row: (row.accepted_at, row.lane, row.position))[:limit]
