"""How listboss reads names and texts: what equals what, and what is no usable text at all.

Tags, places, text facts and choices compare trimmed and case-folded, and are sent as
written. Every text must be one that can be stored and digested (no lone surrogate, no null
character); checked once, when a noun is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

import attrs

from listboss.errors import ArgumentTypeError, ListBossError

__all__ = [
    "MAX_DECIMAL",
    "MAX_INTEGER_BITS",
    "Validator",
    "check_bool",
    "check_id",
    "check_optional_id",
    "did_you_mean",
    "fold",
    "masked",
    "number_fault",
    "require_id",
    "require_member",
    "require_number",
    "require_text",
    "require_tuple",
    "text_fault",
]

E = TypeVar("E", bound=StrEnum)

MAX_GUESSED_LENGTH = 64
"""Longer words get no suggestion, which bounds the cost of looking for one."""
MAX_INTEGER_BITS = 128
MAX_DECIMAL = 128
"""Digits, and places of the exponent, of the longest decimal."""

Validator: TypeAlias = "Callable[[Any, attrs.Attribute[Any], Any], None]"


def fold(text: str) -> str:
    """Give the form in which two texts compare.

    >>> fold("  English-Speaking Buyers ")
    'english-speaking buyers'
    """
    folded = text.strip().casefold()
    return text if folded == text else folded  # no second copy of what is folded already


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a hint with the known word nearest to `word`, or an empty string.

    >>> did_you_mean("purchase.aproved", ["purchase.approved", "purchase.refunded"])
    'did you mean `purchase.approved`?'
    >>> did_you_mean("x", ["purchase.approved"])
    ''
    """
    if not isinstance(word, str) or len(word) > MAX_GUESSED_LENGTH:
        return ""
    spellings = {fold(each): each for each in known}
    nearest = get_close_matches(fold(word), spellings, n=1)
    return f"did you mean `{spellings[nearest[0]]}`?" if nearest else ""


def text_fault(text: str) -> tuple[str, str] | None:
    """Return a code and a message if the string cannot be stored and digested, else None."""
    if "\x00" in text:
        return "null_character", "the string contains a null character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "lone_surrogate", "the string contains half a character (a lone surrogate)"
    return None


def number_fault(value: int | Decimal) -> tuple[str, str] | None:
    """Return a code and a message if the number is not finite or is too large, else None."""
    if isinstance(value, int):
        if value.bit_length() > MAX_INTEGER_BITS:
            return "number_too_large", f"the number has more than {MAX_INTEGER_BITS} bits"
        return None
    if not value.is_finite():
        return "not_finite", "the number is not finite"
    if len(value.as_tuple().digits) > MAX_DECIMAL or abs(value.adjusted()) > MAX_DECIMAL:
        return "number_too_large", f"the number has more than {MAX_DECIMAL} digits or places"
    return None


def require_text(value: object, path: str, error: type[ListBossError]) -> str:
    """Return an encodable string as a plain one, else raise `error` or ArgumentTypeError.

    A subclass may be equal to what it likes, or have no hash; a member of an enum is its text.
    """
    if not isinstance(value, str):
        raise ArgumentTypeError("a text is meant here", path=path)
    if fault := text_fault(value):
        raise error(fault[1], path=path)
    return str.__str__(value)


def require_id(value: object, path: str, error: type[ListBossError]) -> str:
    """Return `value` if it is an encodable string that is not blank."""
    text = require_text(value, path, error)
    if not text.strip():
        raise error("an id or name is not blank", path=path)
    return text


def require_number(value: int | Decimal, path: str, error: type[ListBossError]) -> int | Decimal:
    """Return a finite number as a plain one; refuse what takes too long to be handled."""
    if fault := number_fault(value):
        raise error(fault[1], path=path)
    return int.__int__(value) if isinstance(value, int) else Decimal(value)


def check_id(error: type[ListBossError]) -> Validator:
    """Make an attrs validator: the field is an encodable text and not blank."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        require_id(value, f"$.{attribute.name}", error)

    return check


def check_optional_id(error: type[ListBossError]) -> Validator:
    """Make an attrs validator: the field is None, or as `check_id` says."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is not None:
            require_id(value, f"$.{attribute.name}", error)

    return check


def require_member(value: str, kinds: type[E], path: str, error: type[ListBossError]) -> E:
    """Return the member of an enumeration that `value` spells, else raise `error`."""
    try:
        return kinds(value)
    except ValueError:
        raise error(
            "there is no such word here", path=path, hint=f"one of {', '.join(kinds)}"
        ) from None


def check_bool(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validate an attrs field that is True or False, and nothing equal to these."""
    if not isinstance(value, bool):
        raise ArgumentTypeError("expected a boolean", path=f"$.{attribute.name}")


def masked(value: object) -> str:
    """Return the `repr` of a field that may hold personal data.

    >>> masked("ana@example.com"), masked(None)
    ('***', 'None')
    """
    return "None" if value is None else "***"


def require_tuple(value: Any, path: str, *single: type) -> tuple[Any, ...]:
    """Make a tuple of an iterable, or of one value of a `single` type; refuse a bare string.

    >>> require_tuple(["a", "b"], "$.plan_ids")
    ('a', 'b')
    >>> require_tuple("ab", "$.plan_ids")
    Traceback (most recent call last):
    listboss.errors.ArgumentTypeError: a tuple is meant here, not a bare text @ $.plan_ids (...)
    """
    if single and isinstance(value, single):
        return (value,)
    if isinstance(value, (str, bytes)):
        raise ArgumentTypeError(
            "a tuple is meant here, not a bare text", path=path, hint='write ("...",)'
        )
    try:
        return tuple(value)
    except TypeError:
        raise ArgumentTypeError("a tuple is meant here", path=path) from None
