"""Cells: the values of one fact, split so finely that no literal tells two of a cell apart.

A fact of words has a cell for each value that some literal mentions, and one for all
others. A fact with an order has a cell for each mentioned point and one for each gap
between two points. A literal then is a set of cells, kept as sorted, disjoint, half-open
intervals, so that a range costs as little as a point.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from types import NoneType
from typing import Any, TypeAlias

import attrs

from listboss.engine.literal import LISTS, ByFact, Literal
from listboss.rules.catalogue import FactKind
from listboss.rules.condition import Operator
from listboss.rules.facts import READERS, is_present, language_range

__all__ = ["ORDERED", "Constraint", "Domain", "Door", "Intervals", "domains_of"]

Intervals: TypeAlias = tuple[tuple[int, int], ...]
Door: TypeAlias = tuple[str, type, dict[Any, int], Callable[[Any], int]]
"""A fact; its exact type, the places it knows, and how others are found.

In a hurry one asks without a call: a value of the exact type that is known has its place there."""

MOST_REMEMBERED = 256
"""How many other spellings a fact remembers the place of; never more than twice its places."""
LONGEST = 64
"""Only spellings of so few characters: what an event says must not fill the memory."""
_EXACT_TYPES: dict[FactKind, type] = {
    FactKind.BOOLEAN: bool,
    FactKind.INTEGER: int,
    FactKind.DECIMAL: NoneType,
    FactKind.INSTANT: NoneType,
}
"""Of which values the place is looked up; to hash a decimal or a time is slower than halving."""
ORDERED = frozenset({FactKind.INTEGER, FactKind.DECIMAL, FactKind.INSTANT})


@attrs.frozen
class Constraint:
    """Where all literals of one conjunction on one fact hold: known cells, and no value."""

    known: Intervals
    missing: bool
    wrong: bool


class Domain:
    """The cells of one fact, as a set of literals needs them.

    `count` is the number of cells of known values. Two more places follow them: `missing`,
    and that of a value of a wrong type. `known` has the place of each value that a literal
    mentions, and of some other spellings; those in a hurry ask it first, but only for a value
    whose type is `exact_type`, since `True` and `1` are equal as keys.
    """

    __slots__ = (
        "_descendants",
        "_most_known",
        "_ordered",
        "_points",
        "_read",
        "count",
        "exact_type",
        "kind",
        "known",
        "missing",
        "places",
    )

    def __init__(self, literals: Iterable[Literal]) -> None:
        points: set[Any] = set()
        kind = FactKind.TEXT
        for asked in literals:
            kind, operand = asked.kind, asked.operand
            if asked.operator in LISTS or asked.operator is Operator.BETWEEN:
                points.update(operand)
            elif operand is not None:
                points.add(operand)
        self.kind = kind
        self._points: Sequence[Any] = sorted(points)
        self._ordered = kind in ORDERED
        first, step = (1, 2) if self._ordered else (0, 1)
        self.known: dict[Any, int] = dict(zip(self._points, count(first, step), strict=False))
        self._descendants: dict[Any, list[int]] = {}
        if kind is FactKind.LANGUAGE:
            for tag, place in self.known.items():
                for prefix in language_range(tag):
                    self._descendants.setdefault(prefix, []).append(place)
        self.count = 2 * len(points) + 1 if self._ordered else len(points) + 1
        self.missing = self.count
        self.places = self.count + 2
        self._read = READERS[kind]
        self.exact_type = _EXACT_TYPES.get(kind, str)
        self._most_known = len(points) + min(MOST_REMEMBERED, 2 * self.places)

    def place(self, raw: Any) -> int:
        """Return the place of a raw value, or of None."""
        value = self._read(raw)
        if value is None:
            return self.missing + 1 if is_present(raw) else self.missing
        known = self.known
        if self._ordered:
            points = self._points
            place = bisect_left(points, value)
            place += place + (place < len(points) and points[place] == value)
        else:
            if self.kind is FactKind.LANGUAGE:
                value = next((tag for tag in language_range(str(value)) if tag in known), value)
            place = known.get(value, self.count - 1)
        if (
            len(known) < self._most_known
            and type(raw) is self.exact_type
            and not (isinstance(raw, str) and len(raw) > LONGEST)
        ):
            known[raw] = place
        return place

    def door(self, fact: str) -> Door:
        """Return the fact, and what it takes to find a raw value's place in a hurry."""
        return (fact, self.exact_type, self.known, self.place)

    def constraint(self, literals: Sequence[Literal]) -> Constraint:
        """Return where all of the literals hold; each must be among those of the domain."""
        known = self._intervals(literals[0])
        for asked in literals[1:]:
            known = _both(known, self._intervals(asked))
        operators = {asked.operator for asked in literals}
        return Constraint(
            known,
            missing=operators == {Operator.IS_MISSING},
            wrong=operators == {Operator.IS_SET},
        )

    def spans(self, constraint: Constraint) -> Intervals:
        """Return the places, those of no value included, where a constraint holds."""
        spans = constraint.known
        if constraint.missing:
            spans = (*spans, (self.missing, self.missing + 1))
        if constraint.wrong:
            spans = (*spans, (self.missing + 1, self.places))
        return spans

    def _intervals(self, asked: Literal) -> Intervals:
        match asked.operator:
            case Operator.IS_SET:
                return ((0, self.count),)
            case Operator.IS_MISSING:
                return ()
            case Operator.EQ:
                return self._points_at((asked.operand,))
            case Operator.IN:
                return self._points_at(asked.operand)
            case Operator.NE:
                return self._others(self._points_at((asked.operand,)))
            case Operator.NOT_IN:
                return self._others(self._points_at(asked.operand))
            case _:
                return self._range(asked)

    def _points_at(self, values: Iterable[Any]) -> Intervals:
        if self._descendants:
            cells = list({cell for value in values for cell in self._descendants[value]})
        else:
            cells = [self.known[value] for value in values]
        cells.sort()
        return tuple([(cell, cell + 1) for cell in cells])

    def _range(self, asked: Literal) -> Intervals:
        operator, operand = asked.operator, asked.operand
        if operator is Operator.BETWEEN:
            inside = ((self.known[operand[0]], self.known[operand[1]] + 1),)
            return self._others(inside) if asked.negated else inside
        point = self.known[operand]
        bounds = {
            Operator.LT: (0, point),
            Operator.LE: (0, point + 1),
            Operator.GT: (point + 1, self.count),
            Operator.GE: (point, self.count),
        }
        return (bounds[operator],)

    def _others(self, intervals: Intervals) -> Intervals:
        edges = [0, *(edge for interval in intervals for edge in interval), self.count]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple((low, high) for low, high in pairs if low < high)


def domains_of(entries: Iterable[ByFact]) -> dict[str, Domain]:
    """Return the domain of each fact that one of the entries mentions."""
    mentioned: ByFact = {}
    for literals in entries:
        for fact, asked in literals.items():
            mentioned.setdefault(fact, []).extend(asked)
    return {fact: Domain(asked) for fact, asked in mentioned.items()}


def _both(one: Intervals, other: Intervals) -> Intervals:
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(one) and j < len(other):
        low, high = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if low < high:
            found.append((low, high))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)
