"""How the value of a fact is read: one table from the kind of a fact to its reader.

A reader turns a raw value into the form in which it compares, or into None when the value
has the wrong type. Nothing is converted: "150" is not 150 and True is not 1; only a decimal
fact accepts an integer too. Blank text counts as missing, and a very long text has the wrong
type. Both sides of a comparison, the event's and the rule's, go through the same reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from listboss.rules._text import fold
from listboss.rules._vocabulary import normal_form
from listboss.rules.catalogue import FactKind
from listboss.rules.condition import Operator
from listboss.rules.event import FactValue

__all__ = [
    "EXPECTED_FORMS",
    "FITTING_KINDS",
    "LONG_TEXTS",
    "MAX_TEXT_LENGTH",
    "ORDERED_KINDS",
    "READERS",
    "Facts",
    "Reader",
    "TextCache",
    "code_reader",
    "is_present",
    "language_range",
    "operators_of",
]

Facts: TypeAlias = Mapping[str, Any]
"""The raw facts of an event, by name."""
Reader: TypeAlias = Callable[[object], FactValue | None]

ORDERED_KINDS = frozenset({FactKind.INTEGER, FactKind.DECIMAL, FactKind.INSTANT})
"""The kinds of fact that `<`, `<=`, `>`, `>=` and `between` fit."""
FITTING_KINDS: dict[Operator, frozenset[FactKind]] = {
    **dict.fromkeys((Operator.LT, Operator.LE, Operator.GT, Operator.GE), ORDERED_KINDS),
    Operator.BETWEEN: ORDERED_KINDS,
    Operator.CONTAINS: frozenset({FactKind.TEXT}),
    Operator.STARTS_WITH: frozenset({FactKind.TEXT, FactKind.IDENTIFIER}),
}
"""The kinds of fact that an operator fits; an operator that is not listed fits every kind."""

MAX_TEXT_LENGTH = 4_096
"""A longer string has the wrong type, in an event and in a rule, also if it only becomes longer by
folding. Real values are far shorter, and no sender can make the rules compare megabytes."""
MAX_UNCACHED_LENGTH, MAX_CACHED_TEXTS = 64, 64
"""Longer strings of an event are read once for all rules; at most this many are kept meanwhile."""
MAX_SUBTAGS = 16
"""A tag with more has the wrong type, which bounds how many prefixes a rule may name."""
_is_language_tag = re.compile(rf"[a-z]{{2,8}}(?:-[a-z0-9]{{1,8}}){{0,{MAX_SUBTAGS - 1}}}").fullmatch
"""Whether a string is a BCP-47 tag in lower case: a match or None."""


def operators_of(kind: FactKind) -> tuple[Operator, ...]:
    """Return the operators that fit a kind of fact, in the order of `Operator`.

    >>> [str(operator) for operator in operators_of(FactKind.BOOLEAN)]
    ['eq', 'ne', 'in', 'not_in', 'is_set', 'is_missing']
    """
    return tuple(each for each in Operator if kind in FITTING_KINDS.get(each, FactKind))


class TextCache(dict[tuple[Callable[[str], Any], str], Any]):
    """What functions make of the long strings of an event.

    It is cleared after the event, as they may be personal data. Threads may share it: what another
    thread clears is only made again.
    """

    __slots__ = ()

    def __missing__(self, key: tuple[Callable[[str], Any], str]) -> Any:
        if len(self) >= MAX_CACHED_TEXTS:
            self.clear()
        make, text = key
        made = self[key] = make(text)
        return made


LONG_TEXTS = TextCache()
"""By the function and the string. Without it, each comparison would read them again."""


def is_present(raw: object) -> bool:
    """Whether a raw fact has a value; None and blank text count as missing."""
    if not isinstance(raw, str):
        return raw is not None
    return _has_text(raw) if len(raw) <= MAX_UNCACHED_LENGTH else LONG_TEXTS[_has_text, raw]


def _has_text(raw: str) -> bool:
    return bool(raw[: MAX_TEXT_LENGTH + 1].strip())


def _reader(make: Callable[[str], str | None]) -> Reader:
    """Make a reader of strings that reads a long one once for each event."""

    def read(raw: object) -> str | None:
        if not isinstance(raw, str):
            return None
        if len(raw) <= MAX_UNCACHED_LENGTH:
            return make(raw)
        found: str | None = LONG_TEXTS[make, raw] if len(raw) <= MAX_TEXT_LENGTH else None
        return found

    return read


def _text(raw: str) -> str | None:
    text = fold(raw)
    return text if 0 < len(text) <= MAX_TEXT_LENGTH else None  # folding may triple the length


def _identifier(raw: str) -> str | None:
    return raw.strip() or None


def _term(raw: str) -> str | None:
    if form := normal_form(raw):
        return form
    text = _text(raw)  # which may be a word only now
    return None if text is None else normal_form(text) or text


def code_reader(length: int) -> Callable[[object], str | None]:
    """Make a reader of codes with that many letters, for countries and currencies."""

    def read(raw: object) -> str | None:
        if not isinstance(raw, str):
            return None
        code = raw
        if len(raw) != length:
            code = raw.strip() if len(raw) <= MAX_TEXT_LENGTH else ""
        return code.upper() if len(code) == length and code.isascii() and code.isalpha() else None

    return read


def _language(raw: str) -> str | None:
    if _is_language_tag(raw):
        return raw
    tag = raw.strip()
    if tag.isascii():  # `lower` would make a `k` of the Kelvin sign
        tag = tag.replace("_", "-").lower()
    return tag if _is_language_tag(tag) else None


def _integer(raw: object) -> int | None:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _decimal(raw: object) -> Decimal | int | None:
    if isinstance(raw, Decimal):
        return raw if raw.is_finite() else None
    return _integer(raw)


def _boolean(raw: object) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _instant(raw: object) -> datetime | None:
    if not isinstance(raw, datetime) or raw.utcoffset() is None:
        return None
    return raw.astimezone(UTC)


READERS: dict[FactKind, Reader] = {
    FactKind.CHOICE: _reader(_text),
    FactKind.TERM: _reader(_term),
    FactKind.COUNTRY: _reader(code_reader(2)),
    FactKind.CURRENCY: _reader(code_reader(3)),
    FactKind.LANGUAGE: _reader(_language),
    FactKind.TEXT: _reader(_text),
    FactKind.IDENTIFIER: _reader(_identifier),
    FactKind.INTEGER: _integer,
    FactKind.DECIMAL: _decimal,
    FactKind.BOOLEAN: _boolean,
    FactKind.INSTANT: _instant,
}


EXPECTED_FORMS: dict[FactKind, str] = {
    FactKind.CHOICE: "a string",
    FactKind.TERM: "a string",
    FactKind.COUNTRY: "two letters, such as BR",
    FactKind.CURRENCY: "three letters, such as BRL",
    FactKind.LANGUAGE: "a tag such as en or pt-BR",
    FactKind.TEXT: "a string",
    FactKind.IDENTIFIER: "a string",
    FactKind.INTEGER: "an integer",
    FactKind.DECIMAL: "a decimal or an integer",
    FactKind.BOOLEAN: "a boolean",
    FactKind.INSTANT: "a date and time with a time zone",
}
"""What a value of each kind looks like, for messages."""


def language_range(tag: str) -> tuple[str, ...]:
    """List the values of a rule that match a language tag: the tag and its prefixes.

    >>> language_range("pt-br")
    ('pt-br', 'pt')
    """
    parts = tag.split("-")
    return tuple("-".join(parts[:n]) for n in range(len(parts), 0, -1))
