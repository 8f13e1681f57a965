"""The life of one plan's actions, without a clock, a provider or a store.

`Delivery` says what to attempt next and takes in how it went; whoever drives it brings the
time, calls the provider and keeps the journal. One constant table says which status follows
which; what is not in it is refused. It never attempts an action twice unless told to, and
keeps the order of the actions at each provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never

import attrs

from listboss.errors import ConfigurationError, UnknownIdError
from listboss.plan import Idle, PlannedAction
from listboss.provider import (
    Accepted,
    Applied,
    Call,
    NoChange,
    Outcome,
    Refused,
    Throttled,
    Unknown,
)
from listboss.rules._mapping import FrozenMap

__all__ = [
    "DONE",
    "TRANSITIONS",
    "Attempt",
    "Delivery",
    "DeliveryStatus",
    "Done",
    "Receipt",
    "Signal",
    "Status",
    "Step",
    "Wait",
]


class Status(StrEnum):
    """Where one action stands."""

    PLANNED = "planned"
    """Not attempted yet."""
    SENDING = "sending"
    """Being attempted; it was noted down before anything was sent."""
    WAITING = "waiting"
    """The provider asked to wait; due again at `until`."""
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """It was so already."""
    ACCEPTED = "accepted"
    """The provider took it as a job of its own."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Sent, and no answer."""


class Signal(StrEnum):
    """What the driver tells an action, beside the outcomes that providers report."""

    SEND = "send"
    AGAIN = "again"
    """The host asks for it anew, after a repair."""
    FORGET = "forget"
    """The contact is to be forgotten."""


# An action is planned, then being sent, then either over (applied, unchanged, accepted) or
# stuck (refused, unknown) or waiting. Two ways lead back: a provider's own waiting time that
# has passed, and a host that asks again after a repair. An action that is over never goes
# back: this is why a redelivered event does nothing twice. A forgotten action that was not
# sent is refused, for nobody knows any more whom it was about.
TRANSITIONS: Final[Mapping[Status, Mapping[Signal | type, Status]]] = MappingProxyType(
    {
        Status.PLANNED: {
            Signal.SEND: Status.SENDING,
            Signal.AGAIN: Status.PLANNED,
            Signal.FORGET: Status.REFUSED,
        },
        Status.WAITING: {
            Signal.SEND: Status.SENDING,
            Signal.AGAIN: Status.WAITING,
            Signal.FORGET: Status.REFUSED,
        },
        Status.SENDING: {
            Applied: Status.APPLIED,
            NoChange: Status.UNCHANGED,
            Accepted: Status.ACCEPTED,
            Throttled: Status.WAITING,
            Refused: Status.REFUSED,
            Unknown: Status.UNKNOWN,
        },
        Status.REFUSED: {Signal.AGAIN: Status.PLANNED},
        Status.UNKNOWN: {Signal.AGAIN: Status.PLANNED},
        Status.APPLIED: {},
        Status.UNCHANGED: {},
        Status.ACCEPTED: {},
    }
)
"""Which status follows which, by what the driver says or the provider answers."""

_OPEN = frozenset({Status.PLANNED, Status.SENDING, Status.WAITING})
_STUCK = frozenset({Status.REFUSED, Status.UNKNOWN})
_SHORTEST_WAIT = timedelta(seconds=1)  # so that "wait zero seconds" never becomes a busy loop
_LONGEST_WAIT = timedelta(days=30)  # so that a mistaken answer does not lose the action


@attrs.frozen
class Step:
    """One action of a delivery and where it stands.

    `attempts` counts what was sent, `until` is when a waiting one is due, `detail` is what
    the provider said about the latest attempt, without personal data.
    """

    action: PlannedAction
    status: Status = Status.PLANNED
    attempts: int = 0
    until: datetime | None = None
    detail: str = ""


@attrs.frozen
class Attempt:
    """Carry this action out now, and report its outcome."""

    action: PlannedAction
    call: Call


@attrs.frozen
class Wait:
    """Nothing can be done before `until`; None: someone else is at it just now."""

    until: datetime | None


class Done(Enum):
    """The type of `DONE`."""

    DONE = "done"


DONE: Final = Done.DONE
"""Nothing is left to do."""

NextStep: TypeAlias = Attempt | Wait | Done


class DeliveryStatus(StrEnum):
    """Where a whole delivery stands."""

    IDLE = "idle"
    """The plan has no actions."""
    PENDING = "pending"
    """Something is still to be attempted, now or later."""
    FAILED = "failed"
    """All was attempted; something was refused, or nobody knows how it went."""
    DONE = "done"


@attrs.frozen
class Receipt:
    """What became of an event: each action with its status, and when there is more to do.

    `next_at` is when the earliest waiting action is due, None if none waits. `idle` says
    why there are no actions.
    """

    event_id: str
    status: DeliveryStatus
    actions: tuple[Step, ...]
    next_at: datetime | None = None
    idle: Idle | None = None


def _told(outcome: Outcome) -> str:
    """Put an outcome into the words of the history."""
    match outcome:
        case Applied() | NoChange():
            return ""
        case Accepted():
            return f"job {outcome.job}"
        case Throttled():
            return f"retry after {outcome.retry_after.total_seconds():g} s"
        case Refused():
            return f"{outcome.kind}: {outcome.reason}"
        case Unknown():
            return outcome.cause
        case _:
            assert_never(outcome)


def _moved(step: Step, by: Signal | type) -> Status:
    try:
        return TRANSITIONS[step.status][by]
    except KeyError:
        raise ConfigurationError(
            f"action `{step.action.id}` is {step.status} and expects no such report",
            code="unexpected_report",
            hint="report once, after `next` gave the action",
        ) from None


def _forgotten(step: Step) -> Step:
    action = attrs.evolve(step.action, email="", data=FrozenMap())
    if Signal.FORGET in TRANSITIONS[step.status]:
        return Step(action, _moved(step, Signal.FORGET), step.attempts, None, "forgotten")
    return attrs.evolve(step, action=action, detail="")


class Delivery:
    """The actions of one plan on their way; sans-I/O, driven by `next` and `report`.

    Not safe to share between threads: a journal guards it.

    >>> Delivery([]).next(datetime.max)
    <Done.DONE: 'done'>
    """

    __slots__ = ("_is_test", "_steps")

    def __init__(self, steps: Iterable[Step | PlannedAction], *, is_test: bool = False) -> None:
        given = (step if isinstance(step, Step) else Step(step) for step in steps)
        self._steps = {step.action.id: step for step in given}
        self._is_test = is_test

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every action and where it stands, in the order of the plan."""
        return tuple(self._steps.values())

    @property
    def status(self) -> DeliveryStatus:
        """Where the delivery as a whole stands."""
        statuses = {step.status for step in self._steps.values()}
        if not statuses:
            return DeliveryStatus.IDLE
        if statuses & _OPEN:
            return DeliveryStatus.PENDING
        return DeliveryStatus.FAILED if statuses & _STUCK else DeliveryStatus.DONE

    @property
    def next_at(self) -> datetime | None:
        """When the earliest waiting action is due, or None."""
        return min((step.until for step in self.steps if step.until is not None), default=None)

    def next(self, now: datetime) -> NextStep:
        """Say what to do at `now`; an attempt given out is noted as being sent.

        A provider where an action waits, or is being sent, holds back its later actions, so
        that they keep their order; other providers go on.
        """
        ready = self._ready(now)
        return self._send(ready) if isinstance(ready, Step) else ready

    def is_due(self, now: datetime) -> bool:
        """Whether `next` would give an attempt."""
        return isinstance(self._ready(now), Step)

    def _ready(self, now: datetime) -> Step | Wait | Done:
        held: set[str] = set()
        for step in self._steps.values():
            provider = step.action.provider
            if provider in held or step.status not in _OPEN:
                continue
            if step.status is Status.SENDING or (step.until is not None and step.until > now):
                held.add(provider)
                continue
            return step
        return Wait(self.next_at) if held else DONE

    def _send(self, step: Step) -> Attempt:
        attempt = step.attempts + 1
        status = _moved(step, Signal.SEND)
        self._steps[step.action.id] = Step(step.action, status, attempt)
        return Attempt(step.action, Call(attempt, None, self._is_test))

    def report(self, action_id: str, outcome: Outcome, now: datetime) -> Step:
        """Take in what the provider answered at `now`, and return the step as it is now."""
        step = self._steps.get(action_id)
        if step is None:
            raise UnknownIdError(f"the delivery has no action `{action_id}`")
        until = None
        if isinstance(outcome, Throttled):
            until = now + min(max(outcome.retry_after, _SHORTEST_WAIT), _LONGEST_WAIT)
        status = _moved(step, type(outcome))
        told = Step(step.action, status, step.attempts, until, _told(outcome))
        self._steps[action_id] = told
        return told

    def again(self, actions: Iterable[PlannedAction]) -> None:
        """Take a plan made anew after a repair: what is over stays so, the rest is due.

        Actions that the new plan no longer has are dropped, unless they are over or being
        sent; a waiting one keeps its time.
        """
        old = self._steps
        fresh: dict[str, Step] = {
            step.action.id: step
            for step in old.values()
            if Signal.AGAIN not in TRANSITIONS[step.status]
        }
        for action in actions:
            if action.id in fresh:
                continue
            step = old.get(action.id)
            status = Status.PLANNED if step is None else _moved(step, Signal.AGAIN)
            fresh[action.id] = (
                Step(action) if step is None else attrs.evolve(step, action=action, status=status)
            )
        self._steps = fresh

    def forget(self) -> None:
        """Erase whom the actions are about; those that were not sent never will be."""
        self._steps = {action_id: _forgotten(step) for action_id, step in self._steps.items()}
