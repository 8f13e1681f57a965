"""The rows of a journal in dictionaries: gone with the process, and the model for the others.

Each look-up of `Store` has a dictionary or a sorted list of its own. Transactions are the
journal's lock: a method that fails leaves what it has written so far.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from heapq import heappop, heappush, nsmallest
from itertools import islice
from operator import attrgetter

import attrs

from listboss.delivery._lanes import in_turn
from listboss.delivery._memory_marks import MemoryMarks
from listboss.delivery._rate import is_full
from listboss.delivery._rows import (
    AccountRow,
    ActionRow,
    EventRow,
    LaneRow,
    OneAtATime,
    RecordFilter,
    TargetRow,
)
from listboss.delivery.life import OPEN, STUCK, Status
from listboss.delivery.record import Record
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import Event
from listboss.standing import Mark, Stamp, Target

__all__ = ["MemoryStore"]


class _OpenActions:
    """The open actions of one lane, by position, from which any may be taken."""

    def __init__(self) -> None:
        self._rows: dict[int, ActionRow] = {}
        self._positions: list[int] = []
        self._head = 0

    def put(self, row: ActionRow) -> None:
        if row.position not in self._rows:
            self._positions.append(row.position)
        self._rows[row.position] = row

    def drop(self, position: int) -> None:
        self._rows.pop(position, None)

    def __iter__(self) -> Iterator[ActionRow]:
        at = self._head
        while at < len(self._positions):
            row = self._rows.get(self._positions[at])
            if row is not None:
                yield row
            elif at == self._head:
                self._head += 1
            at += 1


class MemoryStore(OneAtATime, MemoryMarks):
    """See `Store`."""

    def __init__(self, secret: bytes) -> None:
        super().__init__()
        self._secret = secret
        self._events: dict[str, EventRow] = {}
        self._actions: dict[str, dict[tuple[str, int], ActionRow]] = {}
        self._open: dict[int, _OpenActions] = defaultdict(_OpenActions)
        self._positions: dict[tuple[str, str, int], int] = {}
        self._stuck: dict[tuple[str, str, int], ActionRow] = {}
        self._lanes: dict[int, LaneRow] = {}
        self._lane_ids: dict[tuple[str, str], int] = {}
        self._lanes_of: dict[str, list[int]] = defaultdict(list)
        self._due: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        self._due_of: dict[int, datetime] = {}
        self._accounts: dict[str, AccountRow] = {}
        self._turn = 0
        self._targets: dict[int, dict[Target, TargetRow]] = defaultdict(dict)
        self._fields: dict[tuple[int, str], tuple[Stamp, str]] = {}
        self._records: list[tuple[Record, str | None]] = []
        self._number = 0
        self._forgotten: dict[str, datetime] = {}
        self._look_at: dict[str, datetime] = {}
        self._looks: list[tuple[datetime, str]] = []

    def secret(self) -> bytes:
        return self._secret

    # Events and actions

    def event(self, event_id: str) -> EventRow | None:
        return self._events.get(event_id)

    def put_event(self, row: EventRow) -> None:
        self._events[row.id] = row
        self.look_again(row.id, row.accepted_at)

    def actions_of(self, event_id: str) -> list[ActionRow]:
        return list(self._actions.get(event_id, {}).values())

    def action(self, event_id: str, action_id: str, generation: int) -> ActionRow | None:
        return self._actions.get(event_id, {}).get((action_id, generation))

    def add_action(self, row: ActionRow) -> None:
        self.put_action(row)

    def full_event(self, event_id: str) -> Event | None:
        row = self._events.get(event_id)
        return None if row is None else row.event

    def put_action(self, row: ActionRow) -> None:
        key = (row.event_id, row.action_id, row.generation)
        self._actions.setdefault(row.event_id, {})[key[1:]] = row
        old = self._positions.get(key)
        if old is not None and (old != row.position or row.status not in OPEN):
            self._open[row.lane].drop(old)
            del self._positions[key]
        if row.status in OPEN:
            self._open[row.lane].put(row)
            self._positions[key] = row.position
        if row.status in STUCK:
            self._stuck[key] = row
        else:
            self._stuck.pop(key, None)

    def open_actions(self, lane: int) -> Iterator[ActionRow]:
        return iter(self._open[lane])

    def stuck_actions(
        self, provider: str | None, product_id: str | None, statuses: Collection[Status], limit: int
    ) -> list[ActionRow]:
        rows: Iterable[ActionRow] = self._stuck.values()
        if not STUCK.issuperset(statuses):
            rows = (row for rows in self._actions.values() for row in rows.values())
        found = (
            row
            for row in rows
            if row.status in statuses
            and provider in (None, row.planned.provider)
            and product_id in (None, row.product_id)
        )
        return nsmallest(limit, found, key=attrgetter("accepted_at", "lane", "position"))

    # Lanes and accounts

    def lane(self, provider: str, contact: str) -> LaneRow:
        number = self._lane_ids.get((provider, contact))
        if number is None:
            number = self._lane_ids[provider, contact] = len(self._lanes) + 1
            self._lanes[number] = LaneRow(id=number, provider=provider, contact=contact)
            self._lanes_of[contact].append(number)
        return self._lanes[number]

    def lane_by_id(self, lane: int) -> LaneRow:
        return self._lanes[lane]

    def lanes_of(self, contact: str) -> list[LaneRow]:
        numbers = self._lanes_of.get(contact, [])
        return sorted((self._lanes[number] for number in numbers), key=attrgetter("provider"))

    def lanes_of_workers(self, workers: Collection[str]) -> list[LaneRow]:
        return [lane for lane in self._lanes.values() if lane.worker in workers]

    def put_lane(self, row: LaneRow) -> None:
        old = self._due_of.pop(row.id, None)
        due = self._due[row.provider]
        if old is not None:
            del due[bisect_left(due, (old, row.id))]
        if row.due is not None:
            insort(due, (row.due, row.id))
            self._due_of[row.id] = row.due

    def due_lanes(self, now: datetime, limit: int) -> list[LaneRow]:
        names = sorted(
            name
            for name, due in self._due.items()
            if due and due[0][0] <= now and not self._is_paused(name, now)
        )
        self._turn += 1
        start = self._turn % len(names) if names else 0
        names = names[start:] + names[:start]
        return in_turn([self._due_at(name, now, limit) for name in names], limit)

    def _due_at(self, name: str, now: datetime, limit: int) -> list[LaneRow]:
        due = islice(self._due[name], limit)
        return [self._lanes[number] for at, number in due if at <= now]

    def _is_paused(self, name: str, now: datetime) -> bool:
        row = self.account(name)
        return is_full(row, now) or (row.paused_until is not None and row.paused_until > now)

    def next_due(self) -> datetime | None:
        found: list[datetime] = []
        for name, due in self._due.items():
            if due:
                row = self.account(name)
                times = (due[0][0], row.paused_until, row.free_at)
                found.append(max(at for at in times if at is not None))
        return min(found, default=None)

    def account(self, name: str) -> AccountRow:
        return self._accounts.setdefault(name, AccountRow(name=name))

    def put_account(self, row: AccountRow) -> None:
        self._accounts[row.name] = row

    # What was sent

    def target(self, lane: int, target: Target) -> TargetRow | None:
        return self._targets[lane].get(target)

    def targets(self, lane: int) -> list[TargetRow]:
        return list(self._targets[lane].values())

    def put_target(self, row: TargetRow) -> None:
        self._targets[row.lane][row.target] = row

    def field(self, lane: int, name: str) -> tuple[Stamp, str] | None:
        return self._fields.get((lane, name))

    def put_field(self, lane: int, name: str, stamp: Stamp, digest: str) -> None:
        self._fields[lane, name] = (stamp, digest)

    # The history

    def add_record(self, record: Record, contact: str | None) -> None:
        self._number += 1
        self._records.append((attrs.evolve(record, number=self._number), contact))

    def records(self, wanted: RecordFilter, limit: int | None) -> list[Record]:
        found = (each for each, key in reversed(self._records) if _fits(each, key, wanted))
        return list(islice(found, limit))[::-1]

    def count(self, wanted: RecordFilter) -> int:
        return sum(1 for record, key in self._records if _fits(record, key, wanted))

    def events(
        self,
        product_id: str | None,
        contact: str | None,
        since: datetime | None,
        until: datetime | None,
        after: tuple[datetime, str] | None,
    ) -> list[Event]:
        rows = [
            row
            for row in self._events.values()
            if product_id in (None, row.product_id)
            and contact in (None, row.contact)
            and (since is None or row.occurred_at >= since)
            and (until is None or row.occurred_at < until)
            and (after is None or (row.occurred_at, row.id) > after)
        ]
        rows.sort(key=lambda row: (row.occurred_at, row.id))
        return [row.event for row in rows if row.event is not None]

    # Forget

    def latest(self) -> datetime:
        times = [row.accepted_at for row in self._events.values()]
        times += [record.time for record, _ in self._records[-1:]]
        return max(times, default=datetime.min.replace(tzinfo=UTC))

    def forgotten_at(self, digest: str) -> datetime | None:
        return self._forgotten.get(digest)

    def forget(self, contact: str, digest: str, now: datetime) -> int:
        self._forgotten[digest] = max(now, self._forgotten.get(digest, now))
        for row in self._events.values():
            if row.contact == contact:
                row.contact = row.email = row.event = None
                row.forgotten = True
                for action in self._actions.get(row.id, {}).values():
                    action.planned = attrs.evolve(action.planned, email="", data=FrozenMap())
                    action.detail, action.grant = "", None
        lanes = self.lanes_of(contact)
        self.forget_marks(contact, [lane.id for lane in lanes])
        for lane in lanes:
            del self._lane_ids[lane.provider, lane.contact]
            lane.contact = ""
            self._targets.pop(lane.id, None)
        numbers = {lane.id for lane in lanes}
        self._fields = {key: v for key, v in self._fields.items() if key[0] not in numbers}
        self._lanes_of.pop(contact, None)
        about = [n for n, (_, key) in enumerate(self._records) if key == contact]
        for n in about:
            record = self._records[n][0].without_contact()
            self._records[n] = (attrs.evolve(record, detail=""), None)
        return len(about)

    def rename_event(self, event_id: str, new_id: str) -> None:
        row = self._events.pop(event_id)
        row.id = new_id
        self.put_event(row)
        self._look_at.pop(event_id)
        for action in self._actions.pop(event_id, {}).values():
            key = (event_id, action.action_id, action.generation)
            self._stuck.pop(key, None)
            if key in self._positions:
                self._open[action.lane].drop(self._positions.pop(key))
            action.event_id = new_id
            self.put_action(action)
        for n, (record, contact) in enumerate(self._records):
            if record.event_id == event_id:
                self._records[n] = (attrs.evolve(record, event_id=new_id), contact)

    def event_ids(self, contact: str) -> list[str]:
        return sorted(row.id for row in self._events.values() if row.contact == contact)

    # Retention

    def old_events(self, before: datetime, limit: int) -> list[str]:
        found: list[str] = []
        while self._looks and self._looks[0][0] < before and len(found) < limit:
            at, event_id = heappop(self._looks)
            if self._look_at.get(event_id) == at:
                del self._look_at[event_id]  # it may be in the heap twice
                found.append(event_id)
        return found

    def look_again(self, event_id: str, at: datetime) -> None:
        self._look_at[event_id] = at
        heappush(self._looks, (at, event_id))

    def look_at_all(self, before: datetime) -> None:
        for row in self._events.values():
            if row.accepted_at < before and self._look_at[row.id] != row.accepted_at:
                self.look_again(row.id, row.accepted_at)

    def blank_event(self, event_id: str) -> None:
        self._events[event_id].event = None

    def drop_event(self, event_id: str) -> None:
        del self._events[event_id]
        self._actions.pop(event_id, None)
        self._look_at.pop(event_id, None)

    def is_outlived(self, lane: int, mark: Mark, before: datetime) -> bool:
        return any(
            each.stamp > mark.stamp and self._is_settled(each.stamp.event_id, before)
            for each in self.marks_like(lane, mark)
        )

    def _is_settled(self, event_id: str, before: datetime) -> bool:
        unfinished = any(each.status in OPEN | STUCK for each in self.actions_of(event_id))
        return self._events[event_id].accepted_at < before and not unfinished

    def drop_records(self, before: datetime, limit: int) -> int:
        old = (n for n, (each, _) in enumerate(self._records) if each.time < before)
        numbers = {*islice(old, limit)}
        if numbers == {*range(len(numbers))}:  # as always, unless the clock went back
            del self._records[: len(numbers)]
        else:
            self._records = [pair for n, pair in enumerate(self._records) if n not in numbers]
        return len(numbers)


def _fits(record: Record, contact: str | None, wanted: RecordFilter) -> bool:
    equal: Mapping[str, object] = {
        "product_id": wanted.product_id,
        "event_id": wanted.event_id,
        "provider": wanted.provider,
        "status": wanted.status,
        "is_test": wanted.is_test,
    }
    return (
        all(value is None or getattr(record, name) == value for name, value in equal.items())
        and (wanted.segmentation_id is None or wanted.segmentation_id in record.segmentation_ids)
        and (wanted.since is None or record.time >= wanted.since)
        and (wanted.until is None or record.time < wanted.until)
        and (wanted.before is None or record.number < wanted.before)
        and wanted.contact in (None, contact)
    )
