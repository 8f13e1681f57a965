"""Tolerant readers of single values: what a field holds, or None if it holds nothing usable.

Each reader takes any object at all and never raises. None means absent, blank or odd, and
is left out by those who ask: a wrong value is never guessed at, and a missing one never
becomes "None", 0 or a false. Ids are texts, money is `Decimal`, instants are aware in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from typing_extensions import TypeIs

from listboss.rules._text import MAX_INTEGER_BITS

__all__ = [
    "MAX_COUNT",
    "boolean",
    "choice",
    "count",
    "country",
    "currency",
    "instant",
    "is_list",
    "is_mapping",
    "money",
    "text",
]

MAX_COUNT = 9_999
"""The highest installment, recurrence or day that is believed."""
MAX_CHOICE = 64
MAX_NUMBER = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From here on a number counts milliseconds: as seconds it would lie in the year 5138.
FIRST_MILLISECONDS = 10**11
MAX_WHOLE_FLOAT = 2.0**53

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_WORD = re.compile(r"[A-Z0-9_]+")


def is_mapping(value: object) -> TypeIs[Mapping[str, object]]:
    """Whether `value` is an object with fields."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeIs[list[object]]:
    """Whether `value` is a list."""
    return isinstance(value, list)


def text(value: object) -> str | None:
    """Read a text or an id, trimmed; whole numbers are ids too.

    >>> text(" 1001 "), text(1001), text(0), text(1001.0)
    ('1001', '1001', '0', '1001')
    >>> text(" "), text(None), text(True), text(1.5), text({})
    (None, None, None, None, None)
    """
    match value:
        case str():
            return _clean(value)
        case bool():
            return None
        case int() if value.bit_length() <= MAX_INTEGER_BITS:
            return str(value)
        case float() if value.is_integer() and abs(value) <= MAX_WHOLE_FLOAT:
            return str(int(value))
        case _:
            return None


def _clean(value: str) -> str | None:
    # Half characters cannot be encoded, and no database keeps a NUL in a text.
    return value.encode(errors="replace").decode().replace("\0", "").strip() or None


def choice(aliases: Mapping[str, str]) -> Callable[[object], str | None]:
    """Make a reader of words out of a set: upper case, one spelling for each.

    >>> status = choice({"CANCELLED": "CANCELED"})
    >>> status("Cancelled"), status("brand new"), status("?")
    ('CANCELED', 'BRAND_NEW', None)
    """

    def reader(value: object) -> str | None:
        word = (text(value) or "").upper().replace(" ", "_").replace("-", "_")
        if len(word) > MAX_CHOICE or not _WORD.fullmatch(word):
            return None
        return aliases.get(word, word)

    return reader


def country(value: object) -> str | None:
    """Read an ISO 3166-1 alpha-2 code; a country's name is not guessed at.

    >>> country("br"), country("Brasil"), country("")
    ('BR', None, None)
    """
    return _code(value, 2)


def currency(value: object) -> str | None:
    """Read an ISO 4217 code.

    >>> currency("brl"), currency("R$")
    ('BRL', None)
    """
    return _code(value, 3)


def _code(value: object, length: int) -> str | None:
    code = value.strip() if isinstance(value, str) else ""
    return code.upper() if len(code) == length and code.isascii() and code.isalpha() else None


def money(value: object) -> Decimal | None:
    """Read an amount; one with a comma is ambiguous and left out.

    >>> money(64.9), money("1500.0"), money(0)
    (Decimal('64.9'), Decimal('1500.0'), Decimal('0'))
    >>> money("49,90"), money(float("nan")), money(True)
    (None, None, None)
    """
    digits = str(value) if isinstance(value, (float, Decimal)) else text(value) or ""
    return Decimal(digits) if _NUMBER.fullmatch(digits) else None


def count(value: object) -> int | None:
    """Read a number that counts from 1: installments, recurrences, days of a month.

    >>> count(12), count("12"), count(0), count(1746000000123), count(1.5)
    (12, 12, None, None, None)
    """
    digits = text(value) or ""
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_NUMBER:
        return None
    number = int(digits)
    return number if 1 <= number <= MAX_COUNT else None


def boolean(value: object) -> bool | None:
    """Read a truth value, or its name as forms send it.

    >>> boolean(False), boolean("true"), boolean(1)
    (False, True, None)
    """
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def instant(value: object) -> datetime | None:
    """Read a point in time after 1970: milliseconds, seconds or ISO 8601, as number or text.

    A time without a zone is taken as UTC, a date as its midnight.

    >>> instant(1746000000123).isoformat()
    '2025-04-30T08:00:00.123000+00:00'
    >>> instant("1746000000") == instant("2025-04-30T08:00:00.000Z") == instant(1746000000)
    True
    >>> instant("2025-05-06").isoformat(), instant(-1), instant(True), instant("soon")
    ('2025-05-06T00:00:00+00:00', None, None, None)
    """
    try:
        moment = _moment(value)
        if moment is None:
            return None
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment > EPOCH else None


def _moment(value: object) -> datetime | None:
    match value:
        case bool():
            return None
        case int() | float():
            unit = "milliseconds" if value >= FIRST_MILLISECONDS else "seconds"
            return EPOCH + timedelta(**{unit: value})
        case str() if len(value) <= MAX_NUMBER:
            digits = value.strip()
            # Eight digits are a date such as 20250506, no second of the year 1970.
            is_number = digits.isascii() and digits.isdigit() and len(digits) != len("20250506")
            return _moment(int(digits)) if is_number else datetime.fromisoformat(digits)
        case _:
            return None
