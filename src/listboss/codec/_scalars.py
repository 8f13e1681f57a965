"""Read and write single values: strings, numbers, booleans, decimals, dates and times.

Nothing is converted: "1" is not 1, 1 is not true, null is not a string. JSON writes a decimal
as `{"decimal": "49.90"}` and, where any type is allowed, a date and time as
`{"instant": "...Z"}`; TOML has both. Output is canonical: equal values give equal text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar, cast

from listboss.codec._document import checked_number
from listboss.codec._faults import HINTS, fault, inside, wrong_type
from listboss.errors import CodecError
from listboss.rules._text import MAX_DECIMAL, shortest
from listboss.rules.event import FactValue

__all__ = [
    "DATE",
    "DECIMAL",
    "INSTANT",
    "MAX_DECIMAL_TEXT",
    "PLAIN",
    "SCALAR",
    "read_day",
    "read_instant",
    "read_scalar",
    "require_object",
    "require_type",
    "write_instant",
    "write_scalar",
]

T = TypeVar("T")

DECIMAL = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
INSTANT = (
    DATE + r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_IS_DECIMAL, _IS_DATE, _IS_INSTANT = (
    re.compile(pattern).fullmatch for pattern in (DECIMAL, DATE, INSTANT)
)
_LOCAL = re.compile(DATE + r"[Tt ][0-9:.]+")
MAX_DECIMAL_TEXT = 2 * MAX_DECIMAL + len("-0.")
"""The length of the longest decimal that is written."""

PLAIN = frozenset({str, int, bool, Decimal})
"""The types of the values that are read as they are."""
SCALAR = "a string, an integer, a boolean, a decimal or a date and time"
_TAGGED = 'write a decimal as {"decimal": "49.90"}, a time as {"instant": "2026-05-04T12:00:00Z"}'
_MOMENT = "a date and time with a time zone"
_DAY_HINT = 'use the form "2025-03-01" or "2025-03-01T12:00:00Z"'


def require_type(value: object, kind: type[T], expected: str, hint: str = "") -> T:
    """Return a value whose type is exactly `kind`; everything else is a fault."""
    if type(value) is kind:
        return value
    raise wrong_type(value, expected, hint)


def require_object(value: object, expected: str = "an object", hint: str = "") -> dict[str, object]:
    """Return an object with its keys."""
    return cast("dict[str, object]", require_type(value, dict, expected, hint))


def _read_decimal(value: object) -> Decimal:
    text = require_type(value, str, "a decimal in quotes", HINTS["not_decimal"])
    if len(text) > MAX_DECIMAL_TEXT or not _IS_DECIMAL(text):
        raise fault("not_decimal", "invalid decimal")
    if len(text) <= MAX_DECIMAL and "e" not in text and "E" not in text:
        return Decimal(text)  # which cannot be too large
    number = checked_number(Decimal(text))
    if isinstance(number, CodecError):
        raise number
    return number


def read_instant(value: object, _type: object = None) -> datetime:
    """Read a date and time with its zone, from TOML or an RFC 3339 string, into UTC."""
    return _read_moment(value, _MOMENT, HINTS["not_instant"])


def read_day(value: object, _type: object = None) -> datetime | date:
    """Read a date, or a date and time with its zone."""
    if type(value) is date:
        return value
    if isinstance(value, str) and _IS_DATE(value):
        return _parse(value).date()
    return _read_moment(value, f"a date, or {_MOMENT}", _DAY_HINT)


def _read_moment(value: object, expected: str, hint: str) -> datetime:
    if isinstance(value, datetime):
        return _in_utc(value)
    text = require_type(value, str, expected, hint)
    if _IS_INSTANT(text):
        return _in_utc(_parse(text))
    if _LOCAL.fullmatch(text):
        raise fault("no_time_zone", "the time has no time zone")
    raise fault("not_instant", f"expected {expected}", hint)


def _parse(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise fault("not_instant", "the date is not in the calendar", "check the day") from None


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise fault("no_time_zone", "the time has no time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise fault("not_instant", "the time is outside the years 1 to 9999") from None


def read_scalar(value: object, _type: object = None) -> FactValue:
    """Read a value of any type that a fact, a parameter or a comparison can have."""
    if type(value) in PLAIN:
        return cast("FactValue", value)
    fields = cast("dict[str, object]", value) if value.__class__ is dict else {}
    for tag, text in fields.items() if len(fields) == 1 else ():
        if tag in _TAGS:
            with inside(tag):
                return _TAGS[tag](text)
    if isinstance(value, datetime):
        return read_instant(value)
    zone = "add a time and a time zone: 2026-05-04T00:00:00Z"
    raise wrong_type(value, SCALAR, zone if isinstance(value, date) else _TAGGED)


_TAGS: dict[str, Callable[..., FactValue]] = {"decimal": _read_decimal, "instant": read_instant}


def _decimal_text(value: Decimal) -> str:
    """Write a decimal without trailing zeros, since 49.90 equals 49.9.

    An integer part of more than 128 digits is written with an exponent: as digits, it could
    not be read again.
    """
    short = shortest(value)
    return f"{short:f}" if short.adjusted() < MAX_DECIMAL else str(short)


def write_instant(value: datetime) -> str:
    """Write a date and time in UTC.

    >>> from datetime import UTC, datetime
    >>> write_instant(datetime(2026, 5, 4, 12, tzinfo=UTC))
    '2026-05-04T12:00:00Z'
    """
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def write_scalar(value: FactValue) -> object:
    """Write a value as `read_scalar` reads it."""
    match value:
        case Decimal():
            return {"decimal": _decimal_text(value)}
        case datetime():
            return {"instant": write_instant(value)}
        case _:
            return value
