"""Cells: the values of one fact, split so finely that no literal tells two of a cell apart.

A fact of words has a cell for each value that some literal mentions, and one for all
others. A fact with an order has a cell for each mentioned point and one for each gap
between two points. A literal then is a set of cells, kept as sorted, disjoint, half-open
intervals, so that a range costs as little as a point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, TypeAlias

import attrs

from listboss.engine.matching.normal_form import LISTS, ByFact, Literal
from listboss.rules._facts import language_range
from listboss.rules.catalogue import FactKind
from listboss.rules.condition import Operator

__all__ = ["ORDERED", "Constraint", "Domain", "Intervals", "domains_of"]

Intervals: TypeAlias = tuple[tuple[int, int], ...]
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
    mentions; `points` are these values, sorted.
    """

    __slots__ = (
        "_descendants",
        "count",
        "is_ordered",
        "kind",
        "known",
        "missing",
        "places",
        "points",
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
        self.points: Sequence[Any] = sorted(points)
        self.is_ordered = kind in ORDERED
        first, step = (1, 2) if self.is_ordered else (0, 1)
        self.known: dict[Any, int] = dict(zip(self.points, count(first, step), strict=False))
        self._descendants: dict[Any, list[int]] = {}
        if kind is FactKind.LANGUAGE:
            for tag, place in self.known.items():
                for prefix in language_range(tag):
                    self._descendants.setdefault(prefix, []).append(place)
        self.count = 2 * len(points) + 1 if self.is_ordered else len(points) + 1
        self.missing = self.count
        self.places = self.count + 2

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
