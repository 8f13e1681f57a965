"""What a journal keeps, row by row, and what a store of such rows can look up.

The rules of delivery are written once, over this protocol; a dictionary and a
database file are two stores. Every look-up here is one that an index answers: none scans
what is finished, and none grows with what a contact has bought.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import attrs

from listboss.delivery.life import Attempt, Status
from listboss.delivery.record import Record
from listboss.plan import Idle, PlannedAction
from listboss.rules._text import masked, masked_address
from listboss.rules.action import Action
from listboss.rules.event import Event
from listboss.standing import Effect, Ending, Grant, Mark, MarkIndex, Stamp, Target

__all__ = [
    "AccountRow",
    "ActionRow",
    "EventRow",
    "LaneRow",
    "Lazy",
    "OneAtATime",
    "RecordFilter",
    "Store",
    "TargetRow",
]


@attrs.define(kw_only=True)
class EventRow:
    """An accepted event; `contact` and `event` are None once the contact is forgotten.

    `event` is also None if it is too old, or was planned elsewhere.
    """

    id: str = attrs.field(repr=masked_address)
    name: str
    product_id: str = attrs.field(repr=masked_address)
    contact: str | None = attrs.field(repr=masked)
    email: str | None = attrs.field(repr=masked)
    subscription_plan: str | None = attrs.field(repr=masked_address)
    occurred_at: datetime
    accepted_at: datetime
    is_test: bool
    idle: Idle | None
    forgotten: bool = False
    event: Event | None = None


@attrs.define(kw_only=True)
class LaneRow:
    """One account and one contact. `open` counts actions that are not over and not stuck.

    `due` is when there is something to do, or when the lease of `worker` ends; None if there
    is nothing to do. `position` is that of the next action.
    """

    id: int
    provider: str
    contact: str = attrs.field(repr=masked)
    open: int = 0
    position: int = 0
    due: datetime | None = None
    worker: str | None = None


@attrs.define(kw_only=True)
class AccountRow:
    """An account: until when it is paused, and how many attempts in a row got no answer.

    `free_at` is when its rate allows the next action.
    """

    name: str
    paused_until: datetime | None = None
    unanswered: int = 0
    free_at: datetime | None = None


class Lazy(Protocol):
    """A planned action that is still text; it is read when it is needed."""

    def __call__(self) -> PlannedAction:
        """Return the planned action."""
        ...


@attrs.define(kw_only=True)
class ActionRow:
    """One action, or a single call that restores what it says later (`generation` above 1).

    `effects` are what it asserts and clears. `grant` is that of its event. `sent` is what was
    sent last. `always` says that it is sent whatever has happened since, and `carries` that
    the account takes a bare AddLead with its data.
    """

    event_id: str = attrs.field(repr=masked_address)
    action_id: str
    generation: int
    lane: int
    position: int
    product_id: str = attrs.field(repr=masked_address)
    source: PlannedAction | Lazy
    stamp: Stamp
    grant: Grant | None
    effects: tuple[Effect, ...]
    accepted_at: datetime
    repeatable: bool
    is_test: bool
    always: bool
    carries: bool
    status: Status = Status.PLANNED
    attempts: int = 0
    until: datetime | None = None
    hold_until: datetime | None = None
    waiting_since: datetime | None = None
    detail: str = ""
    decided_by: str | None = None
    sent: Action | None = None

    @property
    def planned(self) -> PlannedAction:
        """The planned action."""
        if not isinstance(self.source, PlannedAction):
            self.source = self.source()
        return self.source

    @planned.setter
    def planned(self, planned: PlannedAction) -> None:
        self.source = planned


@attrs.define(kw_only=True)
class TargetRow:
    """What was last sent for one tag or place of a lane, and whether it was confirmed.

    `spelled` is an action that names the target as people write it.
    """

    lane: int
    target: Target
    spelled: Action
    on: bool | None = None
    stamp: Stamp | None = None
    confirmed: bool = False


class RecordFilter(NamedTuple):
    """Which records of the history are wanted: those that fit everything that is not None."""

    product_id: str | None = None
    contact: str | None = None
    event_id: str | None = None
    segmentation_id: str | None = None
    provider: str | None = None
    status: str | None = None
    is_test: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


class OneAtATime:
    """A store whose journal has one transaction at a time: there is nothing to lock."""

    def lock(self, *_: object, **__: object) -> None:
        """See `Store.lock`."""

    def lock_stuck(self, *_: object, **__: object) -> None:
        """See `Store.lock_stuck`."""

    def lock_accounts(self, *_: object, **__: object) -> None:
        """See `Store.lock_accounts`."""


class Store(Protocol):
    """The rows of one journal. All calls of one journal method are one transaction."""

    # What a transaction is about to read and change

    def lock(
        self,
        contacts: Collection[str] = (),
        event_ids: Collection[str] = (),
        attempts: Collection[Attempt] = (),
        *,
        worked_on: str | None = None,
    ) -> None:
        """Keep others away from contacts, ids, and the lanes of attempts and of one event."""
        ...

    def lock_stuck(
        self, event_id: str | None, provider: str | None, statuses: Collection[Status]
    ) -> Collection[int] | None:
        """Keep others away from the lanes of actions with these statuses; None: from all.

        Another lane may get such an action at any time: it must not be changed.
        """
        ...

    # Events and actions

    def event(self, event_id: str) -> EventRow | None: ...
    def put_event(self, row: EventRow) -> None: ...
    def actions_of(self, event_id: str) -> list[ActionRow]: ...
    def action(self, event_id: str, action_id: str, generation: int) -> ActionRow | None: ...
    def add_action(self, row: ActionRow) -> None: ...
    def put_action(self, row: ActionRow) -> None: ...
    def full_event(self, event_id: str) -> Event | None: ...
    def open_actions(self, lane: int) -> Iterator[ActionRow]: ...
    def stuck_actions(
        self, provider: str | None, product_id: str | None, statuses: Collection[Status], limit: int
    ) -> list[ActionRow]: ...

    # Lanes and accounts

    def lane(self, provider: str, contact: str) -> LaneRow: ...
    def lane_by_id(self, lane: int) -> LaneRow: ...
    def lanes_of(self, contact: str) -> list[LaneRow]: ...
    def put_lane(self, row: LaneRow) -> None: ...
    def lanes_of_workers(self, workers: Collection[str]) -> list[LaneRow]: ...
    def due_lanes(self, now: datetime, limit: int) -> list[LaneRow]: ...
    def next_due(self) -> datetime | None: ...
    def account(self, name: str) -> AccountRow: ...
    def put_account(self, row: AccountRow) -> None: ...
    def lock_accounts(self, names: Sequence[str]) -> None: ...

    # What events say: marks, endings, links

    def add_mark(self, lane: int, mark: Mark) -> None: ...
    def drop_marks(self, lane: int, event_id: str) -> set[Target]: ...
    def cover(self, lane: int, mark: Mark) -> None: ...
    def drop_mark(self, lane: int, mark: Mark) -> None: ...
    def is_outlived(self, lane: int, mark: Mark, before: datetime) -> bool: ...
    def drop_outlived(self, lane: int, mark: Mark) -> set[str]: ...
    def marks_of(self, event_id: str) -> list[tuple[int, Mark]]: ...
    def marked_targets(self, lane: int, product_id: str | None) -> set[Target]: ...
    def index(self, lane: LaneRow, target: Target) -> MarkIndex: ...
    def add_ending(self, contact: str, ending: Ending) -> None: ...
    def drop_endings(self, contact: str, event_id: str) -> None: ...
    def add_link(
        self, contact: str, purchase: Grant, subscription: Grant, stamp: Stamp
    ) -> bool: ...
    def subscription_of(self, contact: str, purchase: Grant) -> Grant | None: ...
    def ended_after(self, contact: str, grant: Grant, stamp: Stamp) -> Stamp | None: ...

    # What was sent

    def target(self, lane: int, target: Target) -> TargetRow | None: ...
    def targets(self, lane: int) -> list[TargetRow]: ...
    def put_target(self, row: TargetRow) -> None: ...
    def field(self, lane: int, name: str) -> tuple[Stamp, str] | None: ...
    def put_field(self, lane: int, name: str, stamp: Stamp, digest: str) -> None: ...

    # The history

    def add_record(self, record: Record, contact: str | None) -> None: ...
    def records(self, wanted: RecordFilter, limit: int | None) -> list[Record]: ...
    def count(self, wanted: RecordFilter) -> int: ...
    def events(
        self,
        product_id: str | None,
        contact: str | None,
        since: datetime | None,
        until: datetime | None,
        after: tuple[datetime, str] | None,
    ) -> list[Event]:
        """Return a page of events, the first ones after a time and id; none if there are none."""
        ...

    # What is forgotten, and what is too old

    def secret(self) -> bytes: ...
    def latest(self) -> datetime: ...
    def forgotten_at(self, digest: str) -> datetime | None: ...
    def event_ids(self, contact: str) -> list[str]: ...
    def rename_event(self, event_id: str, new_id: str) -> None: ...
    def forget(self, contact: str, digest: str, now: datetime) -> int: ...
    def old_events(self, before: datetime, limit: int) -> list[str]: ...
    def look_again(self, event_id: str, at: datetime) -> None: ...
    def look_at_all(self, before: datetime) -> None: ...
    def blank_event(self, event_id: str) -> None: ...
    def drop_event(self, event_id: str) -> None: ...
    def drop_records(self, before: datetime, limit: int) -> int: ...
