"""The life of one plan's actions, without a clock, a provider or a store.

`Delivery` says what to attempt next and records the outcome. Its driver brings the time,
calls the provider and keeps the journal. One constant table says which status follows which
and refuses every other transition. An action is attempted twice only if the host asks for it,
and the actions at each provider keep their order.
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
    "ActionState",
    "Attempt",
    "Delivery",
    "DeliveryStatus",
    "Done",
    "Receipt",
    "Signal",
    "Status",
    "Wait",
]


class Status(StrEnum):
    """The status of one action."""

    PLANNED = "planned"
    """Not attempted yet."""
    SENDING = "sending"
    """Being attempted; this is recorded before anything is sent."""
    WAITING = "waiting"
    """The provider asked to wait; the action is due again at `until`."""
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """There was nothing to change."""
    ACCEPTED = "accepted"
    """The provider queued it as a job."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Sent, without an answer."""


class Signal(StrEnum):
    """What a driver can do to an action, besides reporting the provider's outcome."""

    SEND = "send"
    REPLAN = "replan"
    """The host plans the event again, for example after a rule was fixed."""
    FORGET = "forget"
    """The host forgets the contact."""


# An action is planned, then sending, then over (applied, unchanged, accepted), stuck (refused,
# unknown) or waiting. It goes back when the provider's waiting time has passed or the host
# replans. An action that is over never goes back, so a redelivered event does nothing twice.
# A forgotten action that was not sent is refused: its address is gone.
TRANSITIONS: Final[Mapping[Status, Mapping[Signal | type, Status]]] = MappingProxyType(
    {
        Status.PLANNED: {
            Signal.SEND: Status.SENDING,
            Signal.REPLAN: Status.PLANNED,
            Signal.FORGET: Status.REFUSED,
        },
        Status.WAITING: {
            Signal.SEND: Status.SENDING,
            Signal.REPLAN: Status.WAITING,
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
        Status.REFUSED: {Signal.REPLAN: Status.PLANNED},
        Status.UNKNOWN: {Signal.REPLAN: Status.PLANNED},
        Status.APPLIED: {},
        Status.UNCHANGED: {},
        Status.ACCEPTED: {},
    }
)
"""The next status for each status and signal or outcome."""

_OPEN = frozenset({Status.PLANNED, Status.SENDING, Status.WAITING})
_STUCK = frozenset({Status.REFUSED, Status.UNKNOWN})
_MIN_WAIT = timedelta(seconds=1)  # a provider that says "zero seconds" must not cause a busy loop
_MAX_WAIT = timedelta(days=30)  # a mistaken answer must not lose the action


@attrs.frozen
class ActionState:
    """One action of a delivery and its status.

    `attempts` counts how often it was sent. `until` is when a waiting action is due. `detail`
    is the provider's answer to the latest attempt, without personal data.
    """

    planned: PlannedAction
    status: Status = Status.PLANNED
    attempts: int = 0
    until: datetime | None = None
    detail: str = ""


@attrs.frozen
class Attempt:
    """Carry this action out now, then report its outcome."""

    planned: PlannedAction
    call: Call


@attrs.frozen
class Wait:
    """Nothing is due before `until`; None means that an action is being sent right now."""

    until: datetime | None


class Done(Enum):
    """The type of `DONE`."""

    DONE = "done"


DONE: Final = Done.DONE
"""Nothing is left to do."""

NextStep: TypeAlias = Attempt | Wait | Done


class DeliveryStatus(StrEnum):
    """The status of a whole delivery."""

    IDLE = "idle"
    """The plan has no actions."""
    PENDING = "pending"
    """At least one action is still to be attempted, now or later."""
    FAILED = "failed"
    """Everything was attempted; at least one action is refused or unknown."""
    DONE = "done"


@attrs.frozen
class Receipt:
    """The result of an event: the state of each action, and when more is due.

    `next_at` is when the earliest waiting action is due, or None. `idle` is the reason if
    there are no actions.
    """

    event_id: str
    status: DeliveryStatus
    states: tuple[ActionState, ...]
    next_at: datetime | None = None
    idle: Idle | None = None


def _detail_of(outcome: Outcome) -> str:
    """Describe an outcome for the history."""
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


def _next_status(state: ActionState, by: Signal | type) -> Status:
    try:
        return TRANSITIONS[state.status][by]
    except KeyError:
        raise ConfigurationError(
            f"action `{state.planned.id}` has the status `{state.status}`, expected `sending`",
            code="unexpected_report",
            hint="report once, after `next` returned the action",
        ) from None


def _forgotten(state: ActionState) -> ActionState:
    planned = attrs.evolve(state.planned, email="", data=FrozenMap())
    if Signal.FORGET in TRANSITIONS[state.status]:
        status = _next_status(state, Signal.FORGET)
        return ActionState(planned, status, state.attempts, None, "forgotten")
    return attrs.evolve(state, planned=planned, detail="")


class Delivery:
    """The actions of one plan while they are carried out; sans-I/O, driven by `next` and `report`.

    Not thread-safe: the journal guards it.

    >>> Delivery([]).next(datetime.max)
    <Done.DONE: 'done'>
    """

    __slots__ = ("_is_test", "_states")

    def __init__(
        self, actions: Iterable[ActionState | PlannedAction], *, is_test: bool = False
    ) -> None:
        states = (each if isinstance(each, ActionState) else ActionState(each) for each in actions)
        self._states = {state.planned.id: state for state in states}
        self._is_test = is_test

    @property
    def states(self) -> tuple[ActionState, ...]:
        """The state of every action, in the order of the plan."""
        return tuple(self._states.values())

    @property
    def status(self) -> DeliveryStatus:
        """The status of the delivery as a whole."""
        statuses = {state.status for state in self._states.values()}
        if not statuses:
            return DeliveryStatus.IDLE
        if statuses & _OPEN:
            return DeliveryStatus.PENDING
        return DeliveryStatus.FAILED if statuses & _STUCK else DeliveryStatus.DONE

    @property
    def next_at(self) -> datetime | None:
        """When the earliest waiting action is due, or None."""
        return min((state.until for state in self.states if state.until is not None), default=None)

    def next(self, now: datetime) -> NextStep:
        """Return what to do at `now`; a returned attempt is marked as being sent.

        While an action waits or is being sent, later actions at the same provider wait too,
        so that they keep their order. Other providers go on.
        """
        ready = self._ready(now)
        return self._send(ready) if isinstance(ready, ActionState) else ready

    def is_due(self, now: datetime) -> bool:
        """Whether `next` would return an attempt."""
        return isinstance(self._ready(now), ActionState)

    def _ready(self, now: datetime) -> ActionState | Wait | Done:
        held: set[str] = set()
        for state in self._states.values():
            provider = state.planned.provider
            if provider in held or state.status not in _OPEN:
                continue
            if state.status is Status.SENDING or (state.until is not None and state.until > now):
                held.add(provider)
                continue
            return state
        return Wait(self.next_at) if held else DONE

    def _send(self, state: ActionState) -> Attempt:
        attempt = state.attempts + 1
        status = _next_status(state, Signal.SEND)
        self._states[state.planned.id] = ActionState(state.planned, status, attempt)
        return Attempt(state.planned, Call(attempt, None, self._is_test))

    def report(self, action_id: str, outcome: Outcome, now: datetime) -> ActionState:
        """Record the provider's answer at `now`; return the new state of the action."""
        state = self._states.get(action_id)
        if state is None:
            raise UnknownIdError(f"the delivery has no action `{action_id}`")
        until = None
        if isinstance(outcome, Throttled):
            until = now + min(max(outcome.retry_after, _MIN_WAIT), _MAX_WAIT)
        status = _next_status(state, type(outcome))
        reported = ActionState(state.planned, status, state.attempts, until, _detail_of(outcome))
        self._states[action_id] = reported
        return reported

    def replan(self, actions: Iterable[PlannedAction]) -> None:
        """Take a new plan of the event; actions that are over are not sent again.

        Actions missing from the new plan are dropped, unless they are over or being sent. A
        waiting action keeps its time.
        """
        old = self._states
        new: dict[str, ActionState] = {
            state.planned.id: state
            for state in old.values()
            if Signal.REPLAN not in TRANSITIONS[state.status]
        }
        for planned in actions:
            if planned.id in new:
                continue
            state = old.get(planned.id)
            if state is None:
                new[planned.id] = ActionState(planned)
            else:
                status = _next_status(state, Signal.REPLAN)
                new[planned.id] = attrs.evolve(state, planned=planned, status=status)
        self._states = new

    def forget(self) -> None:
        """Erase the contact from every action; actions that were not sent never will be."""
        self._states = {action_id: _forgotten(state) for action_id, state in self._states.items()}
