"""How the value of a fact is read: one table from the kind of a fact to its reader.

A reader turns a raw value into the form in which it compares, or into None when the value
is of a wrong type. Nothing is coerced: "150" is not 150 and True is not 1; a decimal fact
alone accepts an int too. Blank text is no value at all. Both sides of a comparison, the
event's and the rule's, go through the same reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from listboss.rules.catalogue import FactKind
from listboss.rules.event import FactValue

__all__ = ["ORDERED_KINDS", "READERS", "Facts", "Reader", "is_present", "language_range"]

Facts: TypeAlias = Mapping[str, Any]
"""The raw facts of an event, by name."""
Reader: TypeAlias = Callable[[object], FactValue | None]

ORDERED_KINDS = frozenset({FactKind.INTEGER, FactKind.DECIMAL, FactKind.INSTANT})
"""The kinds of fact that `<`, `<=`, `>`, `>=` and `between` fit."""

SUBTAG_LENGTHS = (2, 8)
"""Of a BCP-47 language subtag; the subtags after it may be shorter."""
MOST_SUBTAGS = 16
"""A tag of more is of a wrong type; a rule on any of its prefixes would meet it."""


def is_present(raw: object) -> bool:
    """Whether a raw fact says anything: None and blank text do not."""
    return bool(raw.strip()) if isinstance(raw, str) else raw is not None


def _text(raw: object) -> str | None:
    return (raw.strip().casefold() or None) if isinstance(raw, str) else None  # `fold`, in place


def _code(length: int) -> Reader:
    def read(raw: object) -> str | None:
        if not isinstance(raw, str):
            return None
        code = raw if len(raw) == length and raw.isupper() else raw.strip().upper()
        return code if len(code) == length and code.isalpha() and code.isascii() else None

    return read


def _language(raw: object) -> str | None:
    if not isinstance(raw, str):
        return None
    if len(raw) == SUBTAG_LENGTHS[0] and raw.isascii() and raw.isalpha() and raw.islower():
        return raw  # the usual case
    tag = raw.strip().replace("_", "-").lower()
    first, *rest = tag.split("-", MOST_SUBTAGS - 1)
    well_formed = (
        tag.isascii()
        and first.isalpha()
        and SUBTAG_LENGTHS[0] <= len(first) <= SUBTAG_LENGTHS[1]
        and all(part.isalnum() and len(part) <= SUBTAG_LENGTHS[1] for part in rest)
    )
    return tag if well_formed else None


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
    FactKind.CHOICE: _text,
    FactKind.COUNTRY: _code(2),
    FactKind.CURRENCY: _code(3),
    FactKind.LANGUAGE: _language,
    FactKind.TEXT: _text,
    FactKind.INTEGER: _integer,
    FactKind.DECIMAL: _decimal,
    FactKind.BOOLEAN: _boolean,
    FactKind.INSTANT: _instant,
}


def language_range(tag: str) -> tuple[str, ...]:
    """List what a rule may say to meet a language tag: itself and its prefixes.

    >>> language_range("pt-br")
    ('pt-br', 'pt')
    """
    parts = tag.split("-")
    return tuple("-".join(parts[:n]) for n in range(len(parts), 0, -1))
