"""How listboss compares names and strings, and what it refuses as one.

Tags, places, text facts and choices compare trimmed and case-folded, and are sent as
written. Every string must be one that can be stored and digested (no lone surrogate, no null
character); this is checked once, when a noun is made. What these functions raise says what
was expected and of what kind the value is, never the value: it may be personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import attrs

from listboss.errors import ArgumentTypeError, ListBossError

__all__ = [
    "MAX_DECIMAL",
    "MAX_INTEGER_BITS",
    "Validator",
    "alternatives",
    "check_bool",
    "check_id",
    "check_optional_id",
    "check_word",
    "did_you_mean",
    "fold",
    "kind_of",
    "masked",
    "number_fault",
    "require_duration",
    "require_id",
    "require_member",
    "require_number",
    "require_text",
    "require_tuple",
    "suggestion",
    "text_fault",
    "wrong_type",
]

E = TypeVar("E", bound=StrEnum)

MAX_GUESSED_LENGTH = 64
"""Longer words get no suggestion, which bounds the cost of looking for one."""
MAX_COMPARED = 1_000
"""At most this many known words are compared with an unknown one."""
MAX_LISTED = 10
"""At most this many known words are listed where none is near."""
MAX_INTEGER_BITS = 128
MAX_DECIMAL = 128
"""Digits, and places of the exponent, of the longest decimal."""

Validator: TypeAlias = "Callable[[Any, attrs.Attribute[Any], Any], None]"

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "a string"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    (Decimal, "a decimal"),
    (datetime, "a date and time"),
    (date, "a date"),
    (bytes, "bytes"),
    (Mapping, "a mapping"),
    ((list, tuple, set, frozenset), "a list"),
)


def kind_of(value: object) -> str:
    """Name the kind of a value in a user's words.

    >>> kind_of("BR"), kind_of(True), kind_of(None)
    ('a string', 'a boolean', 'None')
    """
    if value is None:
        return "None"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "something else")


def wrong_type(expected: str, value: object, path: str, hint: str = "") -> ArgumentTypeError:
    """Return the error for a value of the wrong type."""
    return ArgumentTypeError(f"expected {expected}, got {kind_of(value)}", path=path, hint=hint)


def fold(text: str) -> str:
    """Return the form in which two strings compare.

    >>> fold("  English-Speaking Buyers ")
    'english-speaking buyers'
    """
    folded = text.strip().casefold()
    return text if folded == text else folded  # no second copy of what is folded already


def alternatives(words: Iterable[str]) -> str:
    """List words in back-ticks, with `or` before the last.

    >>> alternatives(["native", "emulated", "none"])
    '`native`, `emulated` or `none`'
    """
    *rest, last = (f"`{word}`" for word in words)
    return f"{', '.join(rest)} or {last}" if rest else last


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a hint with the known word nearest to `word`, or an empty string.

    >>> did_you_mean("purchase.aproved", ["purchase.approved", "purchase.refunded"])
    'did you mean `purchase.approved`?'
    >>> did_you_mean("x", ["purchase.approved"])
    ''
    """
    if not isinstance(word, str) or len(word) > MAX_GUESSED_LENGTH:
        return ""
    spellings = {fold(each): each for each in islice(known, MAX_COMPARED)}
    nearest = get_close_matches(fold(word), spellings, n=1)
    return f"did you mean `{spellings[nearest[0]]}`?" if nearest else ""


def suggestion(word: object, known: Collection[str], advice: str = "") -> str:
    """Return a hint: the nearest known word, or else a short list of all, and the advice.

    >>> suggestion("mial", ["mail", "post"], "integrate it")
    'did you mean `mail`? otherwise, integrate it'
    >>> suggestion("letter", ["mail", "post"], "integrate it")
    'choose `mail` or `post`, or integrate it'
    """
    nearest = did_you_mean(word, known)
    if nearest:
        return f"{nearest} otherwise, {advice}" if advice else nearest
    if 0 < len(known) <= MAX_LISTED:
        return f"choose {alternatives(known)}" + (f", or {advice}" if advice else "")
    return advice


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

    A subclass may define its own equality or hash; a member of an enum becomes its string.
    """
    if not isinstance(value, str):
        raise wrong_type("a string", value, path)
    if fault := text_fault(value):
        raise error(fault[1], path=path, hint="remove the character, which cannot be stored")
    return str.__str__(value)


def require_id(value: object, path: str, error: type[ListBossError]) -> str:
    """Return `value` if it is an encodable string that is not blank."""
    text = require_text(value, path, error)
    if not text.strip():
        raise error("expected an id or a name, got a blank string", path=path)
    return text


def require_number(value: int | Decimal, path: str, error: type[ListBossError]) -> int | Decimal:
    """Return a finite number of bounded size as a plain one, else raise `error`."""
    if fault := number_fault(value):
        raise error(fault[1], path=path)
    return int.__int__(value) if isinstance(value, int) else Decimal(value)


def check_id(error: type[ListBossError]) -> Validator:
    """Make an attrs validator: the field is an encodable string that is not blank."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        require_id(value, f"$.{attribute.name}", error)

    return check


def check_optional_id(error: type[ListBossError]) -> Validator:
    """Make an attrs validator: the field is None or as `check_id` requires."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is not None:
            require_id(value, f"$.{attribute.name}", error)

    return check


def _unknown_word(
    value: object, words: Collection[str], path: str, error: type[ListBossError], code: str | None
) -> ListBossError:
    got = "another string" if isinstance(value, str) else kind_of(value)
    message = f"expected {alternatives(words)}, got {got}"
    return error(message, code=code, path=path, hint=did_you_mean(value, words))


def require_member(
    value: str,
    members: type[E],
    path: str,
    error: type[ListBossError],
    *,
    code: str | None = None,
) -> E:
    """Return the member of an enumeration that `value` names, else raise `error`."""
    try:
        return members(value)
    except ValueError:
        raise _unknown_word(value, [*members], path, error, code) from None


def check_word(error: type[ListBossError], *words: str) -> Validator:
    """Make an attrs validator: the field is one of the words."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, str) or value not in words:
            raise _unknown_word(value, words, f"$.{attribute.name}", error, None)

    return check


def check_bool(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validate an attrs field that is True or False; 1 and 0 are refused."""
    if not isinstance(value, bool):
        raise wrong_type("a boolean", value, f"$.{attribute.name}")


def require_duration(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validate an attrs field that is a duration of more than zero."""
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise ArgumentTypeError("expected a duration above zero", path=f"$.{attribute.name}")


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
    listboss.errors.ArgumentTypeError: expected a list, got a string @ $.plan_ids (...)
    """
    if single and isinstance(value, single):
        return (value,)
    if isinstance(value, (str, bytes)):
        raise wrong_type("a list", value, path, hint='write ["..."], for a single value too')
    try:
        return tuple(value)
    except TypeError:
        raise wrong_type("a list", value, path) from None
