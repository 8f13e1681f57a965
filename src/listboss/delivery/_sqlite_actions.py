"""Events, actions, lanes and accounts of a journal file.

Rows that were read are remembered until the transaction ends: they are this connection's alone
for as long. Planned actions stay text until somebody reads them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial

from listboss.codec import dump_event, load_event
from listboss.codec._reading import read_own
from listboss.codec._writing import write
from listboss.delivery._rows import (
    AccountRow,
    ActionRow,
    EventRow,
    LaneRow,
)
from listboss.delivery._sqlite_schema import OPEN_STATUSES
from listboss.delivery._sqlite_values import (
    Part,
    compact_json,
    dump_action,
    optional_time,
    stamp_of_row,
    ticks_of,
    time_of,
    where_equal,
)
from listboss.delivery.life import Status
from listboss.plan import Idle, PlannedAction
from listboss.rules.action import Action
from listboss.rules.event import Event
from listboss.standing import (
    Effect,
    Grant,
)

__all__ = ["Actions"]

_CHUNK = 16
"""How many open actions of a lane are read at once: most turns need one or two."""


def _planned(text: str) -> PlannedAction:
    planned: PlannedAction = read_own(json.loads(text), PlannedAction)
    return planned


class Actions(Part):
    """Events and their actions, lanes and accounts.

    Within one transaction, each row is read once, and is one object for all callers.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._turn = 0
        self.begin()

    def begin(self) -> None:
        """Drop the rows of the transaction before."""
        self._events: dict[str, EventRow] = {}
        self._actions: dict[tuple[str, str, int], ActionRow] = {}
        self._of_event: dict[str, list[ActionRow]] = {}
        self._lanes: dict[int, LaneRow] = {}
        self._lane_ids: dict[tuple[str, str], int] = {}
        self._accounts: dict[str, AccountRow] = {}

    def event(self, event_id: str) -> EventRow | None:
        if event_id not in self._events:
            row = self._one("SELECT * FROM event WHERE id = ?", event_id)
            if row is None:
                return None
            self._events[event_id] = self._event(row)
        return self._events[event_id]

    def _event(self, row: sqlite3.Row) -> EventRow:
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
        self._events[row.id] = row
        stored = None if row.event is None else dump_event(row.event)
        self.execute(
            "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                stored,
            ),
        )

    def full_event(self, event_id: str) -> Event | None:
        row = self._one("SELECT event FROM event WHERE id = ?", event_id)
        return None if row is None or row["event"] is None else load_event(row["event"])

    def _action(self, row: sqlite3.Row) -> ActionRow:
        key = (row["event_id"], row["action_id"], row["generation"])
        if key not in self._actions:
            self._actions[key] = self._new_action(row)
        return self._actions[key]

    def _new_action(self, row: sqlite3.Row) -> ActionRow:
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
            source=partial(_planned, row["planned"]),
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
            sent=None if sent is None else read_own(json.loads(sent), Action),
        )

    def actions_of(self, event_id: str) -> list[ActionRow]:
        if event_id not in self._of_event:
            rows = self.execute("SELECT * FROM action WHERE event_id = ?", (event_id,)).fetchall()
            self._of_event[event_id] = list(map(self._action, rows))
        return sorted(self._of_event[event_id], key=lambda row: (row.generation, row.position))

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
        key = (row.event_id, row.action_id, row.generation)
        if key not in self._actions and row.event_id in self._of_event:
            self._of_event[row.event_id].append(row)
        self._actions[key] = row
        grant = row.grant
        about = [
            None if grant is None else [grant.product_id, grant.transaction, grant.subscriber_code],
            row.effects,
            row.repeatable,
            row.is_test,
            row.always,
            row.carries,
        ]
        self.execute(
            f"INSERT OR REPLACE INTO action VALUES ({', '.join('?' * 20)})",
            (
                row.event_id,
                row.action_id,
                row.generation,
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
                compact_json(about),
            ),
        )

    def put_action(self, row: ActionRow) -> None:
        self.execute(
            "UPDATE action SET lane = ?, position = ?, status = ?, attempts = ?, until = ?,"
            " hold_until = ?, waiting_since = ?, accepted_at = ?, detail = ?, decided_by = ?,"
            " sent = ? WHERE event_id = ? AND action_id = ? AND generation = ?",
            (
                row.lane,
                row.position,
                row.status,
                row.attempts,
                ticks_of(row.until),
                ticks_of(row.hold_until),
                ticks_of(row.waiting_since),
                ticks_of(row.accepted_at),
                row.detail,
                row.decided_by,
                None if row.sent is None else dump_action(row.sent),
                row.event_id,
                row.action_id,
                row.generation,
            ),
        )

    def open_actions(self, lane: int) -> Iterator[ActionRow]:
        position = -1
        while rows := self.execute(
            f"SELECT * FROM action WHERE lane = ? AND position > ? AND status IN ({OPEN_STATUSES})"
            " ORDER BY position LIMIT ?",
            (lane, position, _CHUNK),
        ).fetchall():
            for row in rows:
                position = row["position"]
                yield self._action(row)

    def stuck_actions(
        self, provider: str | None, product_id: str | None, statuses: Collection[Status], limit: int
    ) -> list[ActionRow]:
        wanted = ", ".join(f"'{Status(status)}'" for status in sorted(statuses))
        where, values = where_equal({"provider": provider, "product_id": product_id})
        rows = self.execute(
            f"SELECT * FROM action WHERE status IN ({wanted}){where}"
            " ORDER BY accepted_at, lane, position LIMIT ?",
            (*values, limit),
        ).fetchall()
        return [self._action(row) for row in rows]

    def _lane(self, row: sqlite3.Row) -> LaneRow:
        lane = self._lanes.get(row["id"])
        if lane is None:
            lane = self._lanes[row["id"]] = self._new_lane(row)
            self._lane_ids[lane.provider, lane.contact] = lane.id
        return lane

    def _new_lane(self, row: sqlite3.Row) -> LaneRow:
        return LaneRow(
            id=row["id"],
            provider=row["provider"],
            contact=row["contact"] or "",
            open=row["open"],
            position=row["position"],
            due=optional_time(row["due"]),
            worker=row["worker"],
        )

    def lane(self, provider: str, contact: str) -> LaneRow:
        if (provider, contact) in self._lane_ids:
            return self._lanes[self._lane_ids[provider, contact]]
        row = self._one("SELECT * FROM lane WHERE contact = ? AND provider = ?", contact, provider)
        if row is not None:
            return self._lane(row)
        number = self.execute(
            "INSERT INTO lane (provider, contact, open, position) VALUES (?, ?, 0, 0)",
            (provider, contact),
        ).lastrowid
        lane = LaneRow(id=number or 0, provider=provider, contact=contact)
        self._lanes[lane.id] = lane
        self._lane_ids[provider, contact] = lane.id
        return lane

    def lane_by_id(self, lane: int) -> LaneRow:
        if lane in self._lanes:
            return self._lanes[lane]
        return self._lane(self._one("SELECT * FROM lane WHERE id = ?", lane))

    def lanes_of(self, contact: str) -> list[LaneRow]:
        rows = self.execute("SELECT * FROM lane WHERE contact = ? ORDER BY provider", (contact,))
        return [self._lane(row) for row in rows.fetchall()]

    def lanes_of_workers(self, workers: Collection[str]) -> list[LaneRow]:
        marks = ", ".join("?" * len(workers))
        rows = self.execute(f"SELECT * FROM lane WHERE worker IN ({marks})", tuple(workers))
        return [self._lane(row) for row in rows.fetchall()]

    def workers(self) -> set[str]:
        rows = self.execute("SELECT DISTINCT worker FROM lane WHERE worker IS NOT NULL")
        return {row["worker"] for row in rows.fetchall()}

    def put_lane(self, row: LaneRow) -> None:
        self.execute(
            "UPDATE lane SET open = ?, position = ?, due = ?, worker = ? WHERE id = ?",
            (row.open, row.position, ticks_of(row.due), row.worker, row.id),
        )

    def _working(self) -> list[sqlite3.Row]:
        """Return each account with something due, when, and until when it is paused."""
        return self.execute(
            "WITH RECURSIVE name(provider) AS ("
            " SELECT min(provider) FROM lane WHERE due IS NOT NULL UNION ALL"
            " SELECT (SELECT min(provider) FROM lane WHERE due IS NOT NULL"
            " AND provider > name.provider) FROM name WHERE name.provider IS NOT NULL)"
            " SELECT name.provider, account.paused_until,"
            " (SELECT min(due) FROM lane WHERE lane.provider = name.provider"
            " AND due IS NOT NULL) AS due"
            " FROM name LEFT JOIN account ON account.name = name.provider"
            " WHERE name.provider IS NOT NULL"
        ).fetchall()

    def due_lanes(self, now: datetime, limit: int) -> list[LaneRow]:
        ticks = ticks_of(now) or 0
        names = [
            row["provider"]
            for row in self._working()
            if row["due"] <= ticks and (row["paused_until"] or 0) <= ticks
        ]
        self._turn += 1
        if not names:
            return []
        start = self._turn % len(names)
        share = -(-limit // len(names))
        found: list[LaneRow] = []
        for name in names[start:] + names[:start]:
            rows = self.execute(
                "SELECT * FROM lane WHERE provider = ? AND due <= ? ORDER BY due, id LIMIT ?",
                (name, ticks, min(share, limit - len(found))),
            ).fetchall()
            found += [self._lane(row) for row in rows]
        return found

    def next_due(self) -> datetime | None:
        due = [max(row["due"], row["paused_until"] or 0) for row in self._working()]
        return optional_time(min(due, default=None))

    def account(self, name: str) -> AccountRow:
        if name not in self._accounts:
            row = self._one("SELECT * FROM account WHERE name = ?", name)
            self._accounts[name] = AccountRow(name=name)
            if row is not None:
                self._accounts[name] = AccountRow(
                    name=name,
                    paused_until=optional_time(row["paused_until"]),
                    unanswered=row["unanswered"],
                )
        return self._accounts[name]

    def put_account(self, row: AccountRow) -> None:
        self.execute(
            "INSERT OR REPLACE INTO account VALUES (?, ?, ?)",
            (row.name, ticks_of(row.paused_until), row.unanswered),
        )
