"""Single values, both ways: texts, numbers, truth values, decimals and instants.

Nothing is converted: "1" is not 1, 1 is not true, null is not a text. In JSON a decimal is
`{"decimal": "49.90"}` and, where anything may stand, an instant is `{"instant": "...Z"}`; TOML
has both. What is written is canonical: equal values have equal texts.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import TypeVar, cast

from listboss.codec._document import checked_number
from listboss.codec._faults import fault, inside
from listboss.errors import CodecError
from listboss.rules._text import MAX_DECIMAL
from listboss.rules.event import FactValue

__all__ = [
    "DATE",
    "DECIMAL",
    "INSTANT",
    "an_object",
    "expect",
    "read_day",
    "read_instant",
    "read_scalar",
    "write_instant",
    "write_scalar",
    "wrong",
]

T = TypeVar("T")

DECIMAL = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
INSTANT = (
    DATE + r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_LOCAL = re.compile(DATE + r"[Tt ][0-9:.]+")
_LONGEST = 2 * MAX_DECIMAL

_SCALAR = 'a text, whole number, true or false, {"decimal": …} or {"instant": …}'

_KINDS: dict[type, str] = {
    type(None): "null",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    Decimal: "a decimal",
    datetime: "an instant",
    date: "a date",
    list: "a list",
    dict: "an object",
}


def wrong(value: object, meant: str, hint: str = "") -> CodecError:
    """Make the fault of a value of a wrong type; one that is a fault already stays it."""
    if isinstance(value, CodecError):
        return value
    given = _KINDS.get(type(value), "a time")
    return fault("wrong_type", f"{meant} is meant here, not {given}", hint)


def expect(value: object, kind: type[T], meant: str, hint: str = "") -> T:
    """Return a value that is of the type itself; everything else is a fault."""
    if type(value) is kind:
        return value
    raise wrong(value, meant, hint)


def an_object(value: object, meant: str = "an object") -> dict[str, object]:
    """Return an object with its keys."""
    return cast("dict[str, object]", expect(value, dict, meant))


def _read_decimal(value: object) -> Decimal:
    text = expect(value, str, "a decimal in quotes", 'write {"decimal": "49.90"}')
    if not re.fullmatch(DECIMAL, text) or len(text) > _LONGEST:
        raise fault("not_decimal", "this is no decimal")
    number = checked_number(Decimal(text))
    if isinstance(number, CodecError):
        raise number
    return number


def read_instant(value: object, _type: object = None) -> datetime:
    """Read a time with its zone, of TOML or as RFC 3339 writes it, into UTC."""
    if isinstance(value, datetime):
        return _in_utc(value)
    text = expect(value, str, "an instant")
    if _LOCAL.fullmatch(text):
        raise fault("no_time_zone", "the time has no time zone")
    if not re.fullmatch(INSTANT, text):
        raise fault("not_instant", "this is no instant")
    return _in_utc(_from_text(text))


def read_day(value: object, _type: object = None) -> datetime | date | None:
    """Read an instant, a date, or null."""
    if value is None or type(value) is date:
        return value
    if isinstance(value, str) and re.fullmatch(DATE, value):
        return _from_text(value).date()
    return read_instant(value)


def _from_text(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise fault("not_instant", "there is no such day") from None


def _in_utc(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise fault("no_time_zone", "the time has no time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise fault("not_instant", "the time lies outside the years 1 to 9999") from None


def read_scalar(value: object, _type: object = None) -> FactValue:
    """Read what a fact, a parameter or the value of a comparison may be."""
    match value:
        case str() | bool() | int() | Decimal():
            return value
        case datetime():
            return read_instant(value)
        case dict():
            return _read_tagged(cast("dict[str, object]", value))
        case _:
            raise wrong(value, _SCALAR)


def _read_tagged(value: dict[str, object]) -> FactValue:
    match list(value.items()):
        case [("decimal", text)]:
            with inside("decimal"):
                return _read_decimal(text)
        case [("instant", text)]:
            with inside("instant"):
                return read_instant(text)
        case _:
            raise wrong(value, _SCALAR)


def _decimal_text(value: Decimal) -> str:
    """Write a decimal without trailing zeros, since 49.90 equals 49.9."""
    if not value:
        return "0"
    exact = Context(prec=len(value.as_tuple().digits), Emax=MAX_EMAX, Emin=MIN_EMIN)
    short = value.normalize(exact)
    return f"{short:f}" if abs(short.adjusted()) <= MAX_DECIMAL else str(short)


def write_instant(value: datetime) -> str:
    """Write an instant in UTC.

    >>> from datetime import UTC, datetime
    >>> write_instant(datetime(2026, 5, 4, 12, tzinfo=UTC))
    '2026-05-04T12:00:00Z'
    """
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def write_scalar(value: FactValue) -> object:
    """Write what `read_scalar` reads."""
    match value:
        case Decimal():
            return {"decimal": _decimal_text(value)}
        case datetime():
            return {"instant": write_instant(value)}
        case _:
            return value
