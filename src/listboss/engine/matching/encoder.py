"""Doors: the way from the raw value of a fact to its place among the cells of a `Domain`.

Domains are there while rules are indexed, doors whenever an event comes. A door knows the
place of every value that a rule mentions, and remembers that of some other spellings; what
it does not know it finds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from listboss.engine.matching.partition import Domain
from listboss.rules._facts import READERS, is_present, language_range
from listboss.rules.catalogue import FactKind

__all__ = ["Door", "door_of"]

Door: TypeAlias = Callable[[Any], int]
"""Takes the raw value of an event, or None, to its place."""

MOST_REMEMBERED = 256
"""How many other spellings a fact remembers the place of; never more than twice its places."""
LONGEST = 64
"""Only spellings of so few characters: what an event says must not fill the memory."""
HALVED = frozenset({FactKind.DECIMAL, FactKind.INSTANT})
"""Kinds that are never looked up: to hash one takes longer than to halve some thousand points,
and a decimal fact takes whole numbers too, of which 1 equals True as a key."""
KEY_TYPES: Mapping[FactKind, type] = {FactKind.BOOLEAN: bool, FactKind.INTEGER: int}
"""The one type of value that is looked up, since 1, True and Decimal(1) are equal as keys. The
texts of an event are plain ones and equal nothing of another type."""
READ_ALREADY: Mapping[FactKind, type] = {FactKind.DECIMAL: Decimal, FactKind.INTEGER: int}
"""The one type of value that compares as it is: the numbers of an event are finite."""


class _Known(dict[Any, int]):
    """Places by raw value; others are found, and remembered within bounds.

    What finds them has no way back here: an engine goes when its last reference goes.
    """

    __slots__ = ("find", "most")

    find: Door
    most: int

    def __missing__(self, raw: Any) -> int:
        place = self.find(raw)
        if len(self) < self.most and (raw.__class__ is not str or len(raw) <= LONGEST):
            self[raw] = place
        return place


def door_of(domain: Domain, base: int = 0) -> Door:
    """Return the door of a domain; its places are counted from `base`."""
    if domain.kind in HALVED:
        return _halving(domain, base)
    known = _Known({value: base + place for value, place in domain.known.items()})
    known.most = len(known) + min(MOST_REMEMBERED, 2 * domain.places)
    find = _halving(domain, base) if domain.is_ordered else _naming(domain, base)
    known.find = find
    key_type = KEY_TYPES.get(domain.kind)
    if key_type is None:
        return known.__getitem__
    return lambda raw: known[raw] if raw.__class__ is key_type else find(raw)


def _halving(domain: Domain, base: int) -> Door:
    """Find a value among the points of a fact with an order, or between two of them."""
    read, missing = READERS[domain.kind], base + domain.missing
    points, count = domain.points, len(domain.points)
    exact = READ_ALREADY.get(domain.kind)

    def find(raw: Any) -> int:
        value = raw if raw.__class__ is exact else read(raw)
        if value is None:
            return missing + is_present(raw)
        place = bisect_left(points, value)
        return base + 2 * place + (place < count and points[place] == value)

    return find


def _naming(domain: Domain, base: int) -> Door:
    """Find a word as rules spell it; of a language, the longest prefix that they know."""
    read, missing, known = READERS[domain.kind], base + domain.missing, domain.known
    is_language, other = domain.kind is FactKind.LANGUAGE, domain.count - 1

    def find(raw: Any) -> int:
        value: Any = read(raw)
        if value is None:
            return missing + is_present(raw)
        if is_language:
            value = next((tag for tag in language_range(value) if tag in known), value)
        return base + known.get(value, other)

    return find
