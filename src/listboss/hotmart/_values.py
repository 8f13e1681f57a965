"""Tolerant readers of single values: each returns the value, or None if it is not usable.

A reader takes any object and never raises. None means absent, blank or odd, and such a
value becomes no fact: nothing is guessed, and a missing value never becomes "None", 0 or
False. Ids are strings, money is `Decimal`, dates and times are aware and in UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from typing_extensions import TypeIs

from listboss.rules._facts import code_reader
from listboss.rules._text import MAX_INTEGER_BITS
from listboss.rules._vocabulary import normal_form

__all__ = [
    "MAX_COUNT",
    "boolean",
    "count",
    "country",
    "currency",
    "instant",
    "is_list",
    "is_mapping",
    "money",
    "term",
    "text",
    "text_or_json",
]

MAX_COUNT = 9_999
"""A higher number of installments, recurrences or days counts as absent."""
MAX_NUMBER = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Numbers from here on are milliseconds; in seconds this one is in the year 5138.
FIRST_MILLISECONDS = 10**11
END_MILLISECONDS = 10**14
"""Numbers from here on are in the year 5138 or later, and perhaps beyond the last one."""
MAX_WHOLE_FLOAT = 2.0**53

_NO_MAPPINGS = frozenset({type(None), str, int, float, bool, list})
"""What else JSON has: to ask whether one is a mapping takes ten times as long."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
# A time whose offset is followed by a Z, or has lost its plus sign in a form.
_OFFSET_AND_Z = re.compile(r"(.+:\d\d(?:\.\d+)?) *Z? *([+-]?)(\d\d:?\d\d) *Z?", re.ASCII)

country = code_reader(2)
"""Read an ISO 3166-1 alpha-2 code; a country's name counts as absent."""
currency = code_reader(3)
"""Read an ISO 4217 code."""


def is_mapping(value: object) -> TypeIs[Mapping[str, object]]:
    """Whether `value` is an object with fields."""
    kind = type(value)
    return kind is dict or (kind not in _NO_MAPPINGS and isinstance(value, Mapping))


def is_list(value: object) -> TypeIs[list[object]]:
    """Whether `value` is a list."""
    return isinstance(value, list)


def text(value: object) -> str | None:
    """Read a string or an id, trimmed; an integer is an id too.

    >>> text(" 1001 "), text(1001), text(0), text(1001.0)
    ('1001', '1001', '0', '1001')
    >>> text(" "), text(None), text(True), text(1.5), text({})
    (None, None, None, None, None)
    """
    if isinstance(value, str):
        return (value.strip() or None) if value.isascii() and "\0" not in value else _clean(value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_WHOLE_FLOAT:
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return str(value) if value.bit_length() <= MAX_INTEGER_BITS else None


def _clean(value: str) -> str | None:
    # Lone surrogates cannot be encoded, and databases refuse null characters.
    return value.encode(errors="replace").decode().replace("\0", "").strip() or None


def text_or_json(value: object) -> str | None:
    """Read a string or an id, or an object as its JSON text.

    >>> text_or_json({"ad": "9"}), text_or_json(" x9 "), text_or_json({})
    ('{"ad": "9"}', 'x9', None)
    """
    if not is_mapping(value) or not value:
        return text(value)
    try:
        return _clean(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):  # an object that did not come from JSON
        return None


def term(value: object) -> str | None:
    """Read a status, or another word that Hotmart uses, in its normal form.

    >>> term("Canceled by client"), term("brand new"), term("?")
    ('CANCELLED_BY_CUSTOMER', 'BRAND_NEW', None)
    """
    return normal_form(text(value) or "")


def money(value: object) -> Decimal | None:
    """Read an amount; one with a comma is ambiguous and counts as absent.

    >>> money(64.9), money("1500.0"), money(0)
    (Decimal('64.9'), Decimal('1500.0'), Decimal('0'))
    >>> money("49,90"), money(float("nan")), money(True)
    (None, None, None)
    """
    digits = str(value) if isinstance(value, (float, Decimal)) else text(value) or ""
    return Decimal(digits) if _NUMBER.fullmatch(digits) else None


def count(value: object) -> int | None:
    """Read an integer from 1 up: installments, recurrences, days of a month.

    >>> count(12), count("12"), count(0), count(1746000000123), count(1.5)
    (12, 12, None, None, None)
    """
    digits = text(value) or ""
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_NUMBER:
        return None
    number = int(digits)
    return number if 1 <= number <= MAX_COUNT else None


def boolean(value: object) -> bool | None:
    """Read a boolean, or its name as forms send it.

    >>> boolean(False), boolean("true"), boolean(1)
    (False, True, None)
    """
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def instant(value: object) -> datetime | None:
    """Read a date and time after 1970: ISO 8601, or a number of seconds or milliseconds.

    Without a time zone it is UTC, and a date without a time is midnight.

    >>> instant(1746000000123).isoformat()
    '2025-04-30T08:00:00.123000+00:00'
    >>> instant("1746000000") == instant("2025-04-30T08:00:00.000Z") == instant(1746000000)
    True
    >>> instant("2025-04-30T05:00:00 -03:00Z") == instant(1746000000)
    True
    >>> instant("2025-05-06").isoformat(), instant(-1), instant(True), instant("soon")
    ('2025-05-06T00:00:00+00:00', None, None, None)
    """
    if type(value) is int and FIRST_MILLISECONDS <= value < END_MILLISECONDS:
        return EPOCH + timedelta(0, 0, 0, value)  # the common case
    try:
        moment = _moment(value)
        if moment is None:
            return None
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment > EPOCH else None


def _moment(value: object) -> datetime | None:
    if isinstance(value, str) and len(value) <= MAX_NUMBER:
        digits = value.strip()
        # Eight digits are a date such as 20250506, not a second of the year 1970.
        if not (digits.isascii() and digits.isdigit()) or len(digits) == len("20250506"):
            found = _OFFSET_AND_Z.fullmatch(digits)
            iso = f"{found[1]}{found[2] or '+'}{found[3]}" if found else digits
            return datetime.fromisoformat(iso)
        value = int(digits)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    in_seconds = value < FIRST_MILLISECONDS
    return EPOCH + (timedelta(0, value) if in_seconds else timedelta(milliseconds=value))
