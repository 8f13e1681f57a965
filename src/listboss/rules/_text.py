"""The canonical form of strings and numbers: how they compare, and what is refused.

Every value first becomes a plain one (a member of an enum its string, a subclass its value),
then it is checked: a string must be one that can be stored and hashed (no lone surrogate, no
null character). Tags, places, plan names, text facts and choices compare by
`fold` and are sent as written. Errors say what was expected and of what kind the value is,
never the value: it may be personal data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Any, TypeAlias, TypeVar, cast
from unicodedata import normalize

import attrs

from listboss.errors import ArgumentTypeError, ListBossError

__all__ = [
    "MAX_DECIMAL",
    "MAX_INTEGER_BITS",
    "MAX_LISTED",
    "Readable",
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
    "masked_address",
    "number_fault",
    "one_line",
    "quoted",
    "refuse_unordered",
    "require_duration",
    "require_id",
    "require_member",
    "require_number",
    "require_text",
    "require_tuple",
    "shortest",
    "suggestion",
    "text_fault",
    "unknown_word",
    "without_address",
    "wrong_type",
]

_BACK_TICK = r"\x60"
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

_SURROGATE = re.compile("[\ud800-\udfff]")
"""To search without encoding: a `UnicodeEncodeError` would show the string in a traceback."""

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
    (type, "a class"),
    ((set, frozenset), "a set"),
    ((list, tuple), "a list"),
)
_NOT_LISTS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((str, bytes), 'write ["..."], for a single value too'),
    ((set, frozenset), "a set has no order: write a list"),
    ((Mapping,), "write a list"),
)
"""What can be iterated over and is not a list, with what to do about it."""


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
    """Return the form in which two strings compare: trimmed, in NFC, case-folded.

    >>> fold("  English-Speaking Buyers ")
    'english-speaking buyers'
    >>> fold("JOSE\N{COMBINING ACUTE ACCENT}") == fold("Jos\N{LATIN SMALL LETTER E WITH ACUTE}")
    True
    """
    folded = text.strip()
    if folded.isascii():
        folded = folded.lower()
    else:
        while (again := normalize("NFC", folded).casefold()) != folded:
            folded = again
    return text if folded == text else folded  # no second copy of what is folded already


def one_line(text: str) -> str:
    r"""Return the text on one line, with everything visible: what is not printable is escaped.

    >>> one_line("a\nb\u202e")
    'a\\nb\\u202e'
    """
    if text.isprintable():
        return text
    escaped = (ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)
    return "".join(escaped)


def quoted(text: str) -> str:
    r"""Return the text of a user in back-ticks, on one line and without a back-tick inside.

    >>> quoted("Buyers"), quoted("a`\nb")
    ('`Buyers`', '`a\\x60\\nb`')
    """
    return f"`{one_line(text).replace('`', _BACK_TICK)}`"


class Readable:
    """A value whose `str()` is a sentence for people; `rules._wording` has all of them."""

    __slots__ = ()

    def __str__(self) -> str:
        from listboss.rules._wording import describe  # noqa: PLC0415 # it imports this module

        return describe(cast("Any", self))


def alternatives(words: Iterable[str]) -> str:
    """List words in back-ticks, with `or` before the last.

    >>> alternatives(["native", "emulated", "none"])
    '`native`, `emulated` or `none`'
    """
    *rest, last = map(quoted, words)
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
    return f"did you mean {quoted(spellings[nearest[0]])}?" if nearest else ""


def suggestion(word: object, known: Collection[str], advice: str = "") -> str:
    """Return a hint: the nearest known word, or else a short list of all, and the advice.

    >>> suggestion("mial", ["mail", "post"], "integrate it")
    'did you mean `mail`? otherwise, integrate it'
    >>> suggestion("letter", ["mail", "post"], "integrate it")
    'choose `mail` or `post`, or integrate it'
    """
    if nearest := did_you_mean(word, known):
        return f"{nearest} otherwise, {advice}" if advice else nearest
    if 0 < len(known) <= MAX_LISTED:
        return f"choose {alternatives(known)}" + (f", or {advice}" if advice else "")
    return advice


def text_fault(text: str) -> tuple[str, str] | None:
    """Return a code and a message if the string cannot be stored and hashed, else None."""
    if "\x00" in text:
        return "null_character", "the string contains a null character"
    if not text.isascii() and _SURROGATE.search(text):
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
    text = str.__str__(value)
    if fault := text_fault(text):
        raise error(fault[1], path=path, hint="remove the character, which cannot be stored")
    return text


def require_id(value: object, path: str, error: type[ListBossError]) -> str:
    """Return `value` if it is an encodable string that is not blank."""
    text = require_text(value, path, error)
    if not text.strip():
        raise error("expected an id or a name, got a blank string", path=path)
    return text


def require_number(value: int | Decimal, path: str, error: type[ListBossError]) -> int | Decimal:
    """Return a finite number of bounded size as a plain one, else raise `error`."""
    number = int.__int__(value) if isinstance(value, int) else Decimal(value)
    if fault := number_fault(number):
        raise error(fault[1], path=path)
    return number


def shortest(value: Decimal) -> Decimal:
    """Return the one form of all decimals that are equal: without trailing zeros, -0 as 0.

    >>> shortest(Decimal("49.90")), shortest(Decimal("1E+1")), shortest(Decimal("-0.00"))
    (Decimal('49.9'), Decimal('1E+1'), Decimal('0'))
    """
    if not value:
        return Decimal(0)
    exact = Context(prec=len(value.as_tuple().digits), Emax=MAX_EMAX, Emin=MIN_EMIN)
    return value.normalize(exact)


def _store(instance: object, attribute: attrs.Attribute[Any], plain: object, value: object) -> None:
    if plain is not value:
        object.__setattr__(instance, attribute.name, plain)


def check_id(error: type[ListBossError]) -> Validator:
    """Make an attrs validator: the field is an encodable string that is not blank.

    It also puts the plain string into the field, as `check_word` does.
    """

    def check(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if type(value) is str and value.isascii() and value.isprintable() and value[:1] > " ":
            return  # as for nearly every one, nothing is left to check
        _store(instance, attribute, require_id(value, f"$.{attribute.name}", error), value)

    return check


def check_optional_id(error: type[ListBossError]) -> Validator:
    """Make an attrs validator: the field is None or as `check_id` requires."""
    check = check_id(error)

    def check_optional(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is not None:
            check(instance, attribute, value)

    return check_optional


def unknown_word(
    value: object,
    words: Collection[str],
    path: str,
    error: type[ListBossError],
    code: str | None = None,
) -> ListBossError:
    """Return the error for a value that is not one of the words."""
    got = "another string" if isinstance(value, str) else kind_of(value)
    message = f"expected {alternatives(words)}, got {got}"
    return error(message, code=code, path=path, hint=did_you_mean(value, words))


def require_member(
    value: object,
    members: type[E],
    path: str,
    error: type[ListBossError],
    *,
    code: str | None = None,
) -> E:
    """Return the member of an enumeration that `value` names, else raise `error`."""
    word: object = str.__str__(value) if isinstance(value, str) else value
    try:
        return members(cast("str", word))
    except ValueError:
        raise unknown_word(word, [*members], path, error, code) from None


def check_word(error: type[ListBossError], *words: str) -> Validator:
    """Make an attrs validator: the field is one of the words."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        word = str.__str__(value) if isinstance(value, str) else value
        if word not in words:
            raise unknown_word(word, words, f"$.{attribute.name}", error)
        _store(instance, attribute, word, value)

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


def without_address(text: str) -> str:
    """Return an id as messages show it: masked if it may contain an e-mail address."""
    return "***" if "@" in text else text


def masked_address(value: object) -> str:
    """Return the `repr` of an id, masked if it may contain an e-mail address.

    >>> masked_address("e-1"), masked_address("quiz:7:ana@example.com")
    ("'e-1'", '***')
    """
    return "***" if isinstance(value, str) and "@" in value else repr(value)


def refuse_unordered(value: object, path: str, expected: str = "a list") -> None:
    """Refuse what can be iterated over, and is not a list."""
    for kinds, hint in _NOT_LISTS:
        if isinstance(value, kinds):
            raise wrong_type(expected, value, path, hint)


def require_tuple(
    value: Any, path: str, *single: type, expected: str = "a list"
) -> tuple[Any, ...]:
    """Make a tuple of an iterable, or of one value of a `single` type; refuse a bare string.

    A set is refused, since its order can differ in every process; so is a mapping.

    >>> require_tuple(["a", "b"], "$.plan_ids")
    ('a', 'b')
    >>> require_tuple("ab", "$.plan_ids")
    Traceback (most recent call last):
    listboss.errors.ArgumentTypeError: expected a list, got a string @ $.plan_ids (...)
    """
    if single and isinstance(value, single):
        return (value,)
    refuse_unordered(value, path, expected)
    try:
        return tuple(value)
    except TypeError:
        raise wrong_type(expected, value, path) from None
