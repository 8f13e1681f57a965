"""Checks of what a host passes to `Send`: each returns a plain value or raises a listboss error.

Reading an address does not require that it is valid: there is simply no such contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast, get_args

from listboss.errors import ArgumentTypeError, ConfigurationError, EventError
from listboss.plan import PlannedAction
from listboss.provider import Call
from listboss.rules._address import contact_key
from listboss.rules._text import require_member, require_text
from listboss.rules.action import Action
from listboss.send._lead import Origin

__all__ = [
    "MAX_INTEGER",
    "as_lead_limit",
    "as_origin",
    "as_tag",
    "require_action",
    "require_instance",
    "require_integer",
    "require_key",
]

T = TypeVar("T")

MAX_INTEGER = 2**63 - 1
"""Of SQLite."""
_ACTIONS: tuple[type, ...] = get_args(Action)


def require_instance(value: object, kind: type[T], expected: str, path: str) -> T:
    """Return the value if it is of that type; `expected` says so in words."""
    if not isinstance(value, kind):
        raise ArgumentTypeError(f"expected {expected}", path=path)
    return value


def require_integer(value: object, path: str, *, hint: str = "") -> int:
    """Return an integer as a plain one; a boolean is not an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError("expected an integer", path=path, hint=hint)
    return int.__int__(value)


def require_key(email: object) -> str:
    """Return the key of an address."""
    text = require_instance(email, str, "a string", "$.email")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise EventError(
            "the string contains half a character (a lone surrogate)", path="$.email"
        ) from None
    return contact_key(text)


def require_action(action: object, call: object) -> None:
    """Check an action and its call; the engine makes them right, a host may not."""
    planned = require_instance(action, PlannedAction, "a `PlannedAction`", "$.action")
    require_instance(planned.id, str, "a string", "$.action.id")
    if not isinstance(cast("object", planned.data), Mapping):
        raise ArgumentTypeError("expected a mapping", path="$.action.data")
    if not isinstance(planned.action, _ACTIONS):
        raise ArgumentTypeError("expected one of the six actions", path="$.action.action")
    require_instance(call, Call, "a `Call`", "$.call")


def as_lead_limit(value: object) -> int | None:
    """Return a lead limit, or None for no limit."""
    if value is None:
        return None
    limit = require_integer(value, "$.lead_limit", hint="None means no limit")
    if not 0 <= limit <= MAX_INTEGER:
        raise ConfigurationError(
            "expected a lead limit from 0 to 2**63 - 1",
            path="$.lead_limit",
            hint="None means no limit",
        )
    return limit


def as_tag(value: object) -> str | None:
    """Return a tag to look for, or None for any."""
    return None if value is None else require_text(value, "$.tag", ConfigurationError)


def as_origin(value: object) -> Origin | None:
    """Return an origin to look for, or None for any."""
    if value is None:
        return None
    text = require_text(value, "$.origin", ConfigurationError)
    return require_member(text, Origin, "$.origin", ConfigurationError)
