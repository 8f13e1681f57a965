"""The partition of a fact's values into cells: no literal distinguishes two values of a cell.

A fact of strings has a cell for each value that some literal mentions, and one for all other
values. An ordered fact has a cell for each mentioned value, a *point*, and one for each gap
before, between and after points, so that a range is one interval of cells:

    installments >= 6, between 2 and 5    points:      2      5      6
                                          cells:   0   1   2  3   4  5   6

Two more cells follow: no value, and a value of a wrong type. The cells where a literal holds
are kept as sorted, disjoint, half-open intervals.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count, zip_longest
from typing import Any, NamedTuple, TypeAlias

from listboss.rules._facts import ORDERED_KINDS, language_range
from listboss.rules._literal import EQUALITIES, LIST_OPERATORS, Literal, Test
from listboss.rules.catalogue import FactKind
from listboss.rules.condition import Operator

__all__ = ["EXCLUDING", "Constraint", "Intervals", "Partition", "partitions_of"]

Intervals: TypeAlias = tuple[tuple[int, int], ...]

EXCLUDING = frozenset({Operator.NE, Operator.NOT_IN})
"""Operators that hold in all cells but those of the values listed."""


class Constraint(NamedTuple):
    """The cells of one fact where all literals of a conjunction on it hold.

    `known` are cells of usable values; `missing` and `wrong` say whether the literals hold
    without a value, and on one of a wrong type.
    """

    known: Intervals
    missing: bool
    wrong: bool


class Partition:
    """The cells of one fact, made for a set of literals.

    `count` is the number of cells of usable values, `size` that of all cells. `missing` is
    the cell of events without a value, the next one that of values of a wrong type. `cells`
    maps each value that a literal mentions to its cell; `points` are these values, sorted.
    """

    __slots__ = (
        "_below",
        "_constraints",
        "cells",
        "count",
        "is_ordered",
        "kind",
        "missing",
        "points",
        "size",
    )

    def __init__(self, literals: Iterable[Literal]) -> None:
        points: set[Any] = set()
        kind = FactKind.TEXT
        for each in literals:
            kind, operand = each.kind, each.operand
            if each.operator in LIST_OPERATORS or each.operator is Operator.BETWEEN:
                points.update(operand)
            elif operand is not None:
                points.add(operand)
        self.kind = kind
        self.points: Sequence[Any] = sorted(points)
        self.is_ordered = kind in ORDERED_KINDS
        first, step = (1, 2) if self.is_ordered else (0, 1)
        self.cells: dict[Any, int] = dict(zip(self.points, count(first, step), strict=False))
        # By language tag: its cell and those of longer tags, which are sorted right behind it.
        self._below: dict[Any, tuple[int, int]] = {}
        if kind is FactKind.LANGUAGE:
            shorter: list[str] = []
            for tag, cell in self.cells.items():
                while shorter and not tag.startswith(f"{shorter[-1]}-"):
                    shorter.pop()
                shorter.append(tag)
                for prefix in shorter:
                    low, _ = self._below.get(prefix, (cell, cell))
                    self._below[prefix] = low, cell + 1
        # Of single literals, which may be in several conjunctions. Measured: engines of ANDs of
        # ORs are built up to 1.6 x faster.
        self._constraints: dict[tuple[Test, Any], Constraint] = {}
        self.count = 2 * len(points) + 1 if self.is_ordered else len(points) + 1
        self.missing = self.count
        self.size = self.count + 2

    def constraint(self, literals: Sequence[Literal]) -> Constraint:
        """Return where all these literals hold; the partition must be made for them."""
        if len(literals) > 1:
            return self._constraint(literals)
        one = literals[0]
        if one.operator in EQUALITIES:
            return Constraint(self._named(one), missing=False, wrong=False)
        key = one.test, one.operand
        if key not in self._constraints:
            self._constraints[key] = self._constraint(literals)
        return self._constraints[key]

    def _constraint(self, literals: Sequence[Literal]) -> Constraint:
        parts = [self._intervals(each) for each in literals if each.operator not in EXCLUDING]
        if excluded := [each for each in literals if each.operator in EXCLUDING]:
            cells = chain.from_iterable(map(self._named, excluded))
            parts.append(self._complement(_union(cells)))
        while len(parts) > 1:  # in pairs, so that each interval takes part few times
            pairs = zip_longest(parts[::2], parts[1::2])
            parts = [one if two is None else _intersection(one, two) for one, two in pairs]
        known = parts[0]
        operators = {each.operator for each in literals}
        return Constraint(
            known,
            missing=operators == {Operator.IS_MISSING},
            wrong=operators == {Operator.IS_SET},
        )

    def intervals(self, literals: Sequence[Literal]) -> Intervals:
        """Return all cells where these literals hold, with those for unusable values."""
        constraint = self.constraint(literals)
        found = constraint.known
        if constraint.missing:
            found = (*found, (self.missing, self.missing + 1))
        if constraint.wrong:
            found = (*found, (self.missing + 1, self.size))
        return found

    def cell_of(self, value: Any) -> int:
        """Return the cell of a value that has been read."""
        if self.is_ordered:
            index = bisect_left(self.points, value)
            return 2 * index + (index < len(self.points) and self.points[index] == value)
        if self._below:
            value = next((tag for tag in language_range(value) if tag in self.cells), value)
        return self.cells.get(value, self.count - 1)

    def cells_of_finer(self, finer: Partition) -> list[int]:
        """Return for each cell of a partition with all these points and more the one it is in."""
        if self.is_ordered:
            inside: list[int] = []
            for point in finer.points:
                cell = self.cell_of(point)
                inside += (cell - cell % 2, cell)
            known = [*inside, self.count - 1]
        else:
            known = [*map(self.cell_of, finer.points), self.count - 1]
        return [*known, self.missing, self.missing + 1]

    def _intervals(self, one: Literal) -> Intervals:
        match one.operator:
            case Operator.IS_SET:
                return ((0, self.count),)
            case Operator.IS_MISSING:
                return ()
            case Operator.EQ | Operator.IN:
                return self._named(one)
            case _:
                return self._range(one)

    def _named(self, one: Literal) -> Intervals:
        """Return the cells of the values that a literal lists."""
        values = one.operand if one.operator in LIST_OPERATORS else (one.operand,)
        if self._below:
            return _union(self._below[value] for value in values)
        if len(values) == 1:
            cell = self.cells[values[0]]
            return ((cell, cell + 1),)
        cells = sorted([self.cells[value] for value in values])
        return tuple([(cell, cell + 1) for cell in cells])

    def _range(self, one: Literal) -> Intervals:
        operator, operand = one.operator, one.operand
        if operator is Operator.BETWEEN:
            inside = ((self.cells[operand[0]], self.cells[operand[1]] + 1),)
            return self._complement(inside) if one.negated else inside
        point = self.cells[operand]
        bounds = {
            Operator.LT: (0, point),
            Operator.LE: (0, point + 1),
            Operator.GT: (point + 1, self.count),
            Operator.GE: (point, self.count),
        }
        return (bounds[operator],)

    def _complement(self, intervals: Intervals) -> Intervals:
        edges = [0, *(edge for interval in intervals for edge in interval), self.count]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple((low, high) for low, high in pairs if low < high)


def partitions_of(conjunctions: Iterable[Mapping[str, Sequence[Literal]]]) -> dict[str, Partition]:
    """Return the partition of each fact that one of the conjunctions mentions."""
    mentioned: dict[str, list[Literal]] = {}
    for literals in conjunctions:
        for fact, group in literals.items():
            mentioned.setdefault(fact, []).extend(group)
    return {fact: Partition(group) for fact, group in mentioned.items()}


def _union(intervals: Iterable[tuple[int, int]]) -> Intervals:
    found: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if found and low < found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def _intersection(one: Intervals, other: Intervals) -> Intervals:
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
