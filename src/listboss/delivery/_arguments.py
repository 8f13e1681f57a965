"""Checks of what a host passes to a journal or an executor.

A filter that no record can ever meet, such as an unknown status, would answer that there is
nothing; it raises an error of listboss instead. Each check returns a plain value. Reading an
address does not require that it is valid: there is simply no such contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar, cast

from listboss.delivery._rows import RecordFilter
from listboss.delivery.life import DeliveryStatus, Status
from listboss.errors import ConfigurationError
from listboss.rules._address import contact_key
from listboss.rules._text import require_member, require_text, unknown_word, wrong_type
from listboss.rules.capabilities import Capabilities
from listboss.rules.event import Contact, utc

__all__ = [
    "as_action_status",
    "as_count",
    "as_flag",
    "as_moment",
    "as_status",
    "as_text",
    "key_of",
    "record_filter",
    "require_count",
    "require_event_id",
    "require_instance",
    "require_lease",
    "require_method",
    "require_providers",
]

T = TypeVar("T")


def as_text(value: object, path: str) -> str | None:
    """Return a string to look for, or None for any."""
    return None if value is None else require_text(value, path, ConfigurationError)


def require_event_id(value: object) -> str:
    """Return the id of an event."""
    return require_text(value, "$.event_id", ConfigurationError)


def key_of(contact: Contact | str) -> str:
    """Return the key of a contact, given as such or by its address."""
    if isinstance(contact, Contact):
        return contact.key
    if not isinstance(cast("object", contact), str):
        raise wrong_type("a contact or an e-mail address", contact, "$.contact")
    return contact_key(require_text(contact, "$.contact", ConfigurationError))


def as_moment(value: datetime | None, path: str) -> datetime | None:
    """Return a time in UTC, or None for any; it needs a time zone."""
    return None if value is None else utc(value, path, ConfigurationError)


def as_count(value: object, path: str) -> int | None:
    """Return a number of things, or None for any."""
    return None if value is None else require_count(value, path)


def require_count(value: object, path: str, *, least: int = 0) -> int:
    """Return a number of things."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type("an integer", value, path)
    if value < least:
        raise ConfigurationError(f"expected an integer of at least {least}", path=path)
    return value


def as_flag(value: object, path: str) -> bool:
    """Return True or False; nothing is converted."""
    if not isinstance(value, bool):
        raise wrong_type("a boolean", value, path)
    return value


_STATUSES = [str(each) for each in dict.fromkeys((*Status, *DeliveryStatus))]


def as_action_status(value: object) -> Status | None:
    """Return the status of an action to look for, or None for any."""
    if value is None:
        return None
    return require_member(value, Status, "$.status", ConfigurationError)


def as_status(value: object) -> str | None:
    """Return a status of the history, of an action or of an event, or None for any."""
    if value is None:
        return None
    if value not in _STATUSES:
        raise unknown_word(value, _STATUSES, "$.status", ConfigurationError)
    return str(value)


def record_filter(
    product_id: str | None,
    contact: Contact | str | None,
    *,
    event_id: str | None,
    segmentation_id: str | None,
    provider: str | None,
    status: str | None,
    is_test: bool | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None = None,
) -> RecordFilter:
    """Return which records are wanted."""
    return RecordFilter(
        as_text(product_id, "$.product_id"),
        None if contact is None else key_of(contact),
        as_text(event_id, "$.event_id"),
        as_text(segmentation_id, "$.segmentation_id"),
        as_text(provider, "$.provider"),
        as_status(status),
        None if is_test is None else as_flag(is_test, "$.is_test"),
        as_moment(since, "$.since"),
        as_moment(until, "$.until"),
        as_count(before, "$.before"),
    )


def require_instance(value: object, kind: type[T], expected: str, path: str, hint: str = "") -> T:
    """Return the value if it is of that type; `expected` says so in words."""
    if not isinstance(value, kind):
        raise wrong_type(expected, value, path, hint)
    return value


def require_method(value: object, method: str, expected: str, path: str) -> None:
    """Check that an object of the host's has a method that listboss will call."""
    if not callable(getattr(value, method, None)):
        raise wrong_type(expected, value, path, f"it has no method `{method}`")


def require_providers(value: object) -> None:
    """Check that providers come by name."""
    if not isinstance(value, Mapping):
        raise wrong_type("a mapping", value, "$.providers", "map each name to its provider")
    for name, provider in cast("Mapping[object, object]", value).items():
        path = f"$.providers.{name}"
        if isinstance(provider, type):
            raise wrong_type("a provider", provider, path, "pass an object of the class")
        require_method(provider, "apply", "a provider", path)
        if not isinstance(getattr(provider, "capabilities", None), Capabilities):
            hint = "give it an attribute `capabilities` with its `Capabilities`"
            raise wrong_type("a provider", provider, path, hint)


def require_lease(value: object) -> None:
    """Check the duration for which a worker takes actions."""
    if not isinstance(value, timedelta):
        hint = "pass a `timedelta`, such as `timedelta(seconds=60)`"
        raise wrong_type("a duration", value, "$.lease", hint)
    if value <= timedelta(0):
        raise ConfigurationError("expected a positive duration", path="$.lease")
