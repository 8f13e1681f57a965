"""The life of an action: one constant table, and when to try again.

`TRANSITIONS` says which status follows which, by what the provider answers or what happens
to the action; whatever is not in it is refused. Every status that is not over has a way
out, by time or by the host. `RetryPolicy` turns an outcome into what becomes of the action.
No clock, provider or store: times are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final, assert_never

import attrs

from listboss.errors import ConfigurationError
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
from listboss.rules._text import masked_address, one_line, require_duration
from listboss.rules._wording import describe_event, in_words

__all__ = [
    "OPEN",
    "OVER",
    "STUCK",
    "TRANSITIONS",
    "ActionState",
    "Attempt",
    "DeliveryStatus",
    "Happening",
    "Receipt",
    "Result",
    "RetryPolicy",
    "Status",
    "detail_of",
    "moved",
]


class Status(StrEnum):
    """What has become of one action so far."""

    PLANNED = "planned"
    """Not sent yet."""
    SENDING = "sending"
    """Being sent; this was stored before anything was sent."""
    WAITING = "waiting"
    """Sent in vain; due again at `until`."""
    APPLIED = "applied"
    """The provider did it."""
    UNCHANGED = "unchanged"
    """The provider had nothing to do."""
    ACCEPTED = "accepted"
    """The provider took it as a job of its own."""
    SUPERSEDED = "superseded"
    """Not sent, since a newer event says otherwise, or the rules do not ask for it any more."""
    REFUSED = "refused"
    """The provider refuses it; not sent again until the host acts."""
    UNKNOWN = "unknown"
    """Sent, without an answer, and not safe to repeat; not sent again until the host acts."""
    DEAD = "dead"
    """Tried in vain for longer than the policy allows."""
    FORGOTTEN = "forgotten"
    """The contact was forgotten."""


class Happening(StrEnum):
    """What happens to an action besides the outcomes that providers report."""

    SEND = "send"
    """A worker is about to send it."""
    SKIP = "skip"
    """The provider has confirmed already what the action asks for (`assume_in_sync`)."""
    REPEAT = "repeat"
    """An outcome without an answer that is safe to repeat, or a worker that died."""
    EXPIRE = "expire"
    """The policy's age is over."""
    SUPERSEDE = "supersede"
    """A newer event says otherwise."""
    STAND_UP = "stand_up"
    """What the events say has changed, and asks for the action after all."""
    RETRY = "retry"
    """The host asks for it again."""
    FORGET = "forget"
    """The contact is forgotten."""


_OVER: dict[Happening | type, Status] = {}
_NOT_SENT: dict[Happening | type, Status] = {
    Happening.SEND: Status.SENDING,
    Happening.SKIP: Status.UNCHANGED,
    Happening.SUPERSEDE: Status.SUPERSEDED,
    Happening.RETRY: Status.PLANNED,
    Happening.FORGET: Status.FORGOTTEN,
}
_STUCK: dict[Happening | type, Status] = {
    Happening.RETRY: Status.PLANNED,
    Happening.SUPERSEDE: Status.SUPERSEDED,
    Happening.FORGET: Status.FORGOTTEN,
}

# An action is planned, then being sent. It is then over (applied, unchanged, accepted), or
# waits for its next attempt, or is stuck until the host acts (refused, unknown, dead). An
# action that is over never goes back: this is why a redelivered event does nothing twice.
# One that was superseded can come back, since a late event may change what the others say.
TRANSITIONS: Final[Mapping[Status, Mapping[Happening | type, Status]]] = MappingProxyType(
    {
        Status.PLANNED: _NOT_SENT,
        Status.WAITING: _NOT_SENT,
        Status.SENDING: {
            Applied: Status.APPLIED,
            NoChange: Status.UNCHANGED,
            Accepted: Status.ACCEPTED,
            Throttled: Status.WAITING,
            Refused: Status.REFUSED,
            Unknown: Status.UNKNOWN,
            Happening.REPEAT: Status.WAITING,
            Happening.EXPIRE: Status.DEAD,
        },
        Status.SUPERSEDED: {
            Happening.STAND_UP: Status.PLANNED,
            Happening.RETRY: Status.PLANNED,
            Happening.FORGET: Status.FORGOTTEN,
        },
        Status.REFUSED: _STUCK,
        Status.UNKNOWN: _STUCK,
        Status.DEAD: _STUCK,
        Status.APPLIED: _OVER,
        Status.UNCHANGED: _OVER,
        Status.ACCEPTED: _OVER,
        Status.FORGOTTEN: _OVER,
    }
)
"""Which status follows which, by what the provider answers or what happens to the action."""

OPEN = frozenset({Status.PLANNED, Status.WAITING, Status.SENDING})
"""Something is still to be done, without the host."""
STUCK = frozenset({Status.REFUSED, Status.UNKNOWN, Status.DEAD})
"""Nothing more is done until the host acts."""
OVER = frozenset(status for status in Status if status not in OPEN | STUCK)
"""Nothing more is to be done."""


def moved(status: Status, by: Happening | type) -> Status:
    """Return the status that follows; raises `ConfigurationError` if none does."""
    try:
        return TRANSITIONS[status][by]
    except KeyError:
        name = by if isinstance(by, str) else by.__name__
        raise ConfigurationError(
            f"an action that is {status} cannot take `{name}`", code="unexpected_report"
        ) from None


@attrs.frozen
class ActionState:
    """One action of an event and what has become of it.

    `planned` is the planned action. `generation` is 1 for what the event's plan asked for; a
    higher one is a single call that brought a tag or place back into the right state later.
    `attempts` counts how often it was given out to be sent, `until` is when a waiting action
    is due, `detail` is what the provider said last, without personal data. `decided_by` is the
    id of the event that superseded the action.
    """

    planned: PlannedAction
    status: Status = Status.PLANNED
    attempts: int = 0
    until: datetime | None = None
    detail: str = ""
    generation: int = 1
    decided_by: str | None = None

    def __str__(self) -> str:
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        due = f", due at {self.until:%Y-%m-%d %H:%M}" if self.until else ""
        detail = f" ({one_line(self.detail)})" if self.detail else ""
        return f"{self.planned}: {in_words(self.status)}{tries}{due}{detail}"


class DeliveryStatus(StrEnum):
    """What has become of an event."""

    IDLE = "idle"
    """Its plan has no actions."""
    PENDING = "pending"
    """Something is still to be sent, now or later."""
    FAILED = "failed"
    """Everything was tried; something is refused, unknown or dead."""
    DONE = "done"
    """Everything is applied, or superseded."""
    CONFLICT = "conflict"
    """The id is that of another event: another name, product or contact. Nothing was planned."""
    FORGOTTEN = "forgotten"
    """The contact was forgotten after the event had happened. Nothing was planned."""


@attrs.frozen
class Receipt:
    """What has become of an event: each action with its status, and when there is more to do.

    `next_at` is when the earliest waiting action is due; None if nothing waits. `idle` says
    why there are no actions.
    """

    event_id: str = attrs.field(repr=masked_address)
    status: DeliveryStatus
    states: tuple[ActionState, ...] = ()
    next_at: datetime | None = None
    idle: Idle | None = None

    def __str__(self) -> str:
        idle = "" if self.idle is None else f" ({in_words(self.idle)})"
        first = f"{describe_event(self.event_id)}: {in_words(self.status)}{idle}"
        return "\n  ".join([first, *map(str, self.states)])


@attrs.frozen
class Attempt:
    """Send this action now, and report its outcome.

    `planned` is what to send: its `id` equals `call.key`. `event_id`, `action_id` and
    `generation` name the action in the journal. `accepted_at` is when it was planned,
    `waiting_since` when it began to wait, and `repeatable` says whether sending it twice is
    harmless.
    """

    planned: PlannedAction
    call: Call
    event_id: str = attrs.field(repr=masked_address)
    action_id: str
    generation: int
    accepted_at: datetime
    waiting_since: datetime | None = None
    repeatable: bool = True


@attrs.frozen
class Result:
    """What an attempt came to, for the journal to record.

    A waiting action is due at `until`, and holds back its lane until `hold_until` at most.
    `pause_until` pauses the whole account; `outage_until` does if too many attempts in a row
    got no answer. `sent` is False if the provider was not called.
    """

    attempt: Attempt
    status: Status
    detail: str = ""
    until: datetime | None = None
    hold_until: datetime | None = None
    pause_until: datetime | None = None
    outage_until: datetime | None = None
    sent: bool = True


def detail_of(outcome: Outcome) -> str:
    """Return what the history says of an outcome."""
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


_MIN_WAIT = timedelta(seconds=1)  # so that "wait zero seconds" never becomes a busy loop


def _fraction(_policy: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1:
        raise ConfigurationError(
            "expected a number from 0 up to, but not including, 1", path=f"$.{attribute.name}"
        )


def _factor(_policy: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 1 <= value <= 100:
        raise ConfigurationError("expected a number from 1 to 100", path=f"$.{attribute.name}")


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """When an action without an answer is sent again, and when to give up.

    The first retry comes after `first`, each next one after `factor` times as long, at most
    `longest`; `jitter` shortens a wait by up to that fraction, always the same for one action
    and attempt. After `max_age` since it was accepted, an action is dead, throttled or not. A
    waiting action holds back the later actions of its contact and account for `patience`.

    >>> RetryPolicy().delay("a-1", attempt=1) <= timedelta(seconds=10)
    True
    """

    first: timedelta = attrs.field(default=timedelta(seconds=10), validator=require_duration)
    factor: float = attrs.field(default=2.0, validator=_factor)
    longest: timedelta = attrs.field(default=timedelta(hours=1), validator=require_duration)
    max_age: timedelta = attrs.field(default=timedelta(days=3), validator=require_duration)
    patience: timedelta = attrs.field(default=timedelta(minutes=15), validator=require_duration)
    jitter: float = attrs.field(default=0.2, validator=_fraction)

    def delay(self, key: str, attempt: int) -> timedelta:
        """Return how long to wait after an attempt, counted from 1."""
        grown = self.first.total_seconds() * self.factor ** min(attempt - 1, 64)
        wait = min(grown, self.longest.total_seconds())
        seed = int.from_bytes(blake2b(f"{key}:{attempt}".encode(), digest_size=8).digest(), "big")
        return timedelta(seconds=wait * (1 - self.jitter * seed / 2**64))

    def settle(self, attempt: Attempt, outcome: Outcome, now: datetime) -> Result:
        """Return what becomes of an action whose attempt had this outcome."""
        detail = detail_of(outcome)
        match outcome:
            case Throttled():
                until = _later(now, max(outcome.retry_after, _MIN_WAIT))
                pause = until if outcome.scope == "account" else None
                return self._wait(attempt, Throttled, detail, until, now, pause=pause)
            case Unknown():
                until = _later(now, self.delay(attempt.call.key, attempt.call.attempt))
                outage = _later(now, self.delay(attempt.planned.provider, attempt.call.attempt))
                result = Result(attempt, moved(Status.SENDING, Unknown), detail)
                if attempt.repeatable:
                    result = self._wait(attempt, Happening.REPEAT, detail, until, now)
                return attrs.evolve(result, outage_until=outage)
            case _:
                return Result(attempt, moved(Status.SENDING, type(outcome)), detail)

    def _wait(
        self,
        attempt: Attempt,
        by: Happening | type,
        detail: str,
        until: datetime,
        now: datetime,
        *,
        pause: datetime | None = None,
    ) -> Result:
        if now - attempt.accepted_at >= self.max_age:
            dead = moved(Status.SENDING, Happening.EXPIRE)
            return Result(attempt, dead, detail, pause_until=pause)
        hold = _later(attempt.waiting_since or now, self.patience)
        return Result(attempt, moved(Status.SENDING, by), detail, until, hold, pause)


def _later(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return datetime.max.replace(tzinfo=at.tzinfo)
