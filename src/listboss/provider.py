"""What a host writes to reach its e-mail marketing provider, and what it may answer.

A `Provider` has capabilities and one method, `apply`. Its answer is one of a closed union
of six; an exception out of `apply` counts as `Unknown`: sent, and no answer. What else a
provider can do (batches, a check, reading back, erasing) it offers by having the method.
This module does no I/O and decides nothing. `PlannedAction.id` is the idempotency key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, runtime_checkable

import attrs

from listboss.errors import ArgumentTypeError
from listboss.plan import PlannedAction
from listboss.rules.action import Place
from listboss.rules.capabilities import (
    Capabilities as Capabilities,  # noqa: PLC0414 # re-exported: who writes a provider looks here
)
from listboss.rules.event import utc

__all__ = [
    "Accepted",
    "Applied",
    "AsyncProvider",
    "BatchProvider",
    "Call",
    "Checks",
    "Eraser",
    "NoChange",
    "Outcome",
    "Provider",
    "ReadBack",
    "Refused",
    "RefusedKind",
    "Throttled",
    "Unknown",
]


def _is(kind: type, wanted: str) -> Any:
    def check(_value: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ArgumentTypeError(f"{wanted} is meant here", path=f"$.{attribute.name}")

    return check


def _deadline(value: datetime | None) -> datetime | None:
    return None if value is None else utc(value, "$.deadline")


@attrs.frozen
class Call:
    """How an action is being carried out, beside the action itself.

    `attempt` counts from 1. After `deadline` (in UTC) nobody waits for the answer any more;
    None sets no time. `is_test` marks an integration test: its data are dummies, sent to the
    provider all the same, and to move or remove a lead that is not there fails.

    >>> Call()
    Call(attempt=1, deadline=None, is_test=False)
    """

    attempt: int = attrs.field(default=1, validator=_is(int, "a whole number"))
    deadline: datetime | None = attrs.field(default=None, converter=_deadline)
    is_test: bool = attrs.field(default=False, validator=_is(bool, "a truth value"))


class RefusedKind(StrEnum):
    """What stands in the way, and so who can repair it."""

    CONTACT = "contact"
    """This contact: an address the provider rejects, a lead that is not where it should be."""
    CONFIGURATION = "configuration"
    """The rule or the account: an unknown list, a tag that may not be used."""
    AUTHORISATION = "authorisation"
    """The token: expired, revoked, or without the right."""
    SUPPRESSED = "suppressed"
    """The contact unsubscribed, bounced or complained; the provider protects them."""
    LIMIT = "limit"
    """The account is full."""


@attrs.frozen
class Applied:
    """The provider did it."""


@attrs.frozen
class NoChange:
    """It was so already, or there was nothing to do."""


@attrs.frozen
class Accepted:
    """The provider took it as a job and will do it later; `job` is its name for that."""

    job: str = attrs.field(validator=_is(str, "a text"))


@attrs.frozen
class Throttled:
    """Nothing was done: too many calls. `retry_after` is how long to wait.

    >>> Throttled(timedelta(seconds=30)).retry_after.total_seconds()
    30.0
    """

    retry_after: timedelta = attrs.field(validator=_is(timedelta, "a duration"))


@attrs.frozen
class Refused:
    """Nothing was done, and to repeat it as it is would not help.

    `reason` is kept in the history and shown to people: write no personal data into it.

    >>> Refused("there is no list `Buyers`", "configuration").kind
    <RefusedKind.CONFIGURATION: 'configuration'>
    """

    reason: str = attrs.field(validator=_is(str, "a text"))
    kind: RefusedKind = attrs.field(converter=RefusedKind)


@attrs.frozen
class Unknown:
    """It was sent and no usable answer came: it may be done or not.

    `cause` is kept in the history: a word such as `timeout`, without personal data.
    """

    cause: str = attrs.field(validator=_is(str, "a text"))


Outcome: TypeAlias = Applied | NoChange | Accepted | Throttled | Refused | Unknown
"""What a provider may answer."""


@runtime_checkable
class Provider(Protocol):
    """An account at an e-mail marketing provider, as the host reaches it.

    `capabilities` equals what the rule set says of the account. `apply` does one action and
    says how it went; it may be called from several threads, and again with an action whose
    `id` it has seen.

    >>> class Nowhere:
    ...     capabilities = Capabilities(add_tag="native")
    ...
    ...     def apply(self, action: PlannedAction, call: Call) -> Outcome:
    ...         return Refused("there is no such account", "configuration")
    >>> isinstance(Nowhere(), Provider)
    True
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the account can do."""
        ...

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action."""
        ...


@runtime_checkable
class AsyncProvider(Protocol):
    """The same, for a host that runs an event loop."""

    @property
    def capabilities(self) -> Capabilities:
        """What the account can do."""
        ...

    async def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action."""
        ...


@runtime_checkable
class BatchProvider(Protocol):
    """Optional: several actions in one call."""

    def apply_many(self, actions: Sequence[PlannedAction], call: Call) -> Sequence[Outcome]:
        """Carry the actions out; one outcome for each, in the same order."""
        ...


@runtime_checkable
class Checks(Protocol):
    """Optional: whether the account is still integrated."""

    def check(self) -> Refused | Unknown | None:
        """Return None if it is, else what stands in the way."""
        ...


@runtime_checkable
class ReadBack(Protocol):
    """Optional: what the provider holds of a contact, empty for an unknown one."""

    def tags(self, email: str, /) -> Collection[str]:
        """Return the contact's tags."""
        ...

    def places(self, email: str, /) -> Collection[Place]:
        """Return the places that the contact is at."""
        ...


@runtime_checkable
class Eraser(Protocol):
    """Optional: take a person out altogether, as the law may ask for."""

    def erase(self, email: str, /) -> bool:
        """Erase everything about the contact; return whether there was something."""
        ...
