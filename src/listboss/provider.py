"""The interface between listboss and an e-mail marketing provider, written by the host.

A `Provider` has capabilities and one method, `apply`, which returns one of a closed union of
six outcomes; an exception from `apply` counts as `Unknown`: sent, without an answer. Other
abilities (batches, a check, reading back, erasing) are optional methods. This module does no
I/O and decides nothing. `PlannedAction.id` is the idempotency key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

from listboss.errors import ActionError
from listboss.plan import PlannedAction
from listboss.rules._text import Validator, check_bool, require_member, wrong_type
from listboss.rules.action import Place
from listboss.rules.capabilities import (
    Capabilities as Capabilities,  # noqa: PLC0414 # re-exported for authors of providers
)
from listboss.rules.event import utc
from listboss.rules.ruleset import RuleSet

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
    "check_accounts",
]


def _check_type(kind: type, expected: str) -> Validator:
    def check(_value: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise wrong_type(expected, value, f"$.{attribute.name}")

    return check


def _occurred_at(value: datetime | None) -> datetime | None:
    return None if value is None else utc(value, "$.occurred_at")


def _deadline(value: datetime | None) -> datetime | None:
    return None if value is None else utc(value, "$.deadline")


@attrs.frozen
class Call:
    """How the executor carries out an action: the attempt, the deadline, and test or not.

    `attempt` counts from 1. After `deadline` (in UTC) the caller no longer waits for the
    answer; None means no deadline. `is_test` marks an integration test: it sends dummy data,
    and moving or removing a lead that the provider does not have fails. `key` is the
    idempotency key: a call that is repeated has the same one, every other call another one.
    `occurred_at` is when the event happened.

    >>> Call().attempt, Call().deadline
    (1, None)
    """

    attempt: int = attrs.field(default=1, validator=_check_type(int, "an integer"))
    deadline: datetime | None = attrs.field(default=None, converter=_deadline)
    is_test: bool = attrs.field(default=False, validator=check_bool)
    key: str = attrs.field(default="", validator=_check_type(str, "a string"))
    occurred_at: datetime | None = attrs.field(default=None, converter=_occurred_at)


class RefusedKind(StrEnum):
    """What the refusal is about, and so who can resolve it."""

    CONTACT = "contact"
    """This contact: an address that the provider rejects, a lead that is not at its place."""
    CONFIGURATION = "configuration"
    """The rule or the account: an unknown list, a tag that must not be used."""
    AUTHORISATION = "authorisation"
    """The token: expired, revoked, or without permission."""
    SUPPRESSED = "suppressed"
    """The contact unsubscribed, bounced or complained, and the provider blocks messages."""
    LIMIT = "limit"
    """The account has reached its limit."""


@attrs.frozen
class Applied:
    """The provider carried out the action."""


@attrs.frozen
class NoChange:
    """There was nothing to do: the contact was already in the wanted state."""


@attrs.frozen
class Accepted:
    """The provider will carry out the action later; `job` is its name for the job."""

    job: str = attrs.field(validator=_check_type(str, "a string"))


def _check_scope(_value: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in ("account", "contact"):
        raise ActionError("expected `account` or `contact`", path="$.scope")


@attrs.frozen
class Throttled:
    """The provider did nothing: too many calls. `retry_after` is how long to wait.

    `scope` says who has to wait: the whole `account`, or only this `contact`.

    >>> Throttled(timedelta(seconds=30)).retry_after.total_seconds()
    30.0
    """

    retry_after: timedelta = attrs.field(validator=_check_type(timedelta, "a duration"))
    scope: Literal["account", "contact"] = attrs.field(default="account", validator=_check_scope)


def _kind(value: RefusedKind | str) -> RefusedKind:
    return require_member(value, RefusedKind, "$.kind", ActionError)


@attrs.frozen
class Refused:
    """The provider did nothing, and the same call would be refused again.

    `reason` is kept in the history and shown to people: it must not contain personal data.

    >>> Refused("unknown list `Buyers`", "configuration").kind
    <RefusedKind.CONFIGURATION: 'configuration'>
    """

    reason: str = attrs.field(validator=_check_type(str, "a string"))
    kind: RefusedKind = attrs.field(converter=_kind)


@attrs.frozen
class Unknown:
    """The call was sent, but without a usable answer: the action may be done or not.

    `cause` is kept in the history: a word such as `timeout`, without personal data.
    """

    cause: str = attrs.field(validator=_check_type(str, "a string"))


Outcome: TypeAlias = Applied | NoChange | Accepted | Throttled | Refused | Unknown
"""Any answer of a provider."""


@runtime_checkable
class Provider(Protocol):
    """An account at an e-mail marketing provider, as the host reaches it.

    `capabilities` equals the account's capabilities in the rule set. `apply` carries out one
    action and returns the outcome; it may be called from several threads, and more than once
    with the same action `id`.

    >>> class Nowhere:
    ...     capabilities = Capabilities(add_tag="native")
    ...
    ...     def apply(self, action: PlannedAction, call: Call) -> Outcome:
    ...         return Refused("unknown account", "configuration")
    >>> isinstance(Nowhere(), Provider)
    True
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the account can do."""
        ...

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action and return the outcome."""
        ...


@runtime_checkable
class AsyncProvider(Protocol):
    """A `Provider` for a host that runs an event loop."""

    @property
    def capabilities(self) -> Capabilities:
        """What the account can do."""
        ...

    async def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action and return the outcome."""
        ...


@runtime_checkable
class BatchProvider(Protocol):
    """Optional: several actions in one call."""

    def apply_many(self, actions: Sequence[PlannedAction], call: Call) -> Sequence[Outcome]:
        """Carry out the actions and return one outcome for each, in the same order.

        There are at most as many as the account's `batch`, each for another contact.
        """
        ...


@runtime_checkable
class Checks(Protocol):
    """Optional: check whether the account is still integrated."""

    def check(self) -> Refused | Unknown | None:
        """Return None if it is, else the reason why it cannot be used."""
        ...


@runtime_checkable
class ReadBack(Protocol):
    """Optional: read what the provider stores about a contact; nothing for an unknown one."""

    def tags(self, email: str, /) -> Collection[str]:
        """Return the contact's tags."""
        ...

    def places(self, email: str, /) -> Collection[Place]:
        """Return the places where the contact is."""
        ...


@runtime_checkable
class Eraser(Protocol):
    """Optional: erase a person completely, as the law may require."""

    def erase(self, email: str, /) -> bool:
        """Erase everything about the contact; return whether there was anything."""
        ...


def check_accounts(rules: RuleSet, providers: Mapping[str, Provider | AsyncProvider]) -> RuleSet:
    """Return the rule set with the accounts as they are now; `findings_diff` says what changes.

    An account whose `check` returns `Refused` is left out, so its rules are flagged. The others
    get the capabilities that their providers have now. An account about which nothing could be
    found out (`Unknown`, or an exception) stays as it was.

    >>> class Nowhere:
    ...     capabilities = Capabilities(add_tag="native")
    ...
    ...     def apply(self, action: PlannedAction, call: Call) -> Outcome:
    ...         return Refused("unknown account", "configuration")
    ...
    ...     def check(self) -> Refused:
    ...         return Refused("the token has expired", "authorisation")
    >>> rules = RuleSet(providers={"mail": Capabilities.everything()})
    >>> list(check_accounts(rules, {"mail": Nowhere()}).providers)
    []
    """
    for name, provider in providers.items():
        answer = _answer(provider)
        if answer is None:
            rules = rules.with_provider(name, provider.capabilities)
        elif isinstance(answer, Refused) and name in rules.providers:
            rules = rules.without_provider(name)
    return rules


def _answer(provider: Provider | AsyncProvider) -> Refused | Unknown | None:
    if not isinstance(provider, Checks):
        return None
    try:
        return provider.check()
    except Exception as error:  # whatever a host's own code raises
        return Unknown(type(error).__name__)
