"""Where a condition holds, exactly: a union of boxes over the cells of its facts.

A *box* has a set of cells for each fact that it restricts, and holds the events whose facts are
all in these cells. A `Space` has the cells of every fact that some conditions mention, so that
their boxes can be compared. A pattern of a text fact is a dimension of its own, with the two
cells *matches* and *differs*; events without a usable value differ.

INVARIANT: no box is empty (tests/analysis/test_regions). More work than a `Budget` allows raises
`TooComplexError`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, assert_never, cast

from listboss.errors import ConditionError
from listboss.rules._cells import PATTERNS, FactCells, Pattern, Requirements
from listboss.rules._facts import Facts
from listboss.rules._literal import Literal, literal
from listboss.rules.catalogue import Catalogue, FactType
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, comparisons
from listboss.rules.event import FactValue

__all__ = ["MAX_BOXES", "Box", "Budget", "Dimension", "Space", "TooComplexError", "are_disjoint"]

Dimension: TypeAlias = str | Pattern
Box: TypeAlias = Mapping[Dimension, int]
"""The cells of each restricted fact, as masks; facts that are not in it may have any value."""

MAX_BOXES = 4_096
"""The region of a condition has at most this many boxes, at any time while it is made."""
STEPS_PER_BOX = 16
"""Making a region may compare this many boxes for each one that it may have."""
MAX_ABSORBED = 64
"""Of up to this many boxes, those that are inside another one are left out."""
MATCHES, DIFFERS = 1, 2
"""The cells of a pattern."""
EVERYTHING: tuple[Box, ...] = ({},)


class TooComplexError(ConditionError):
    """A condition whose region takes more work than the limit allows."""

    code = "too_complex"


class Budget:
    """How many boxes a region may have, and how many may be compared to make it."""

    __slots__ = ("boxes", "steps")

    def __init__(self, boxes: int = MAX_BOXES, *, steps: int | None = None) -> None:
        self.boxes = boxes
        self.steps = boxes * STEPS_PER_BOX if steps is None else steps

    def spend(self, boxes: int, steps: int) -> None:
        """Account for a list of boxes, and for the steps that made it."""
        self.steps -= steps
        if boxes > self.boxes or self.steps < 0:
            raise TooComplexError(
                f"the condition is made of more than {self.boxes} cases",
                hint="split it over several segmentations",
            )


class Space:
    """The cells of all facts that some conditions mention."""

    __slots__ = ("_has_patterns", "catalogue", "facts")

    def __init__(self, catalogue: Catalogue, facts: Mapping[str, FactCells]) -> None:
        self.catalogue = catalogue
        self.facts = facts
        self._has_patterns = any(cells.has_patterns for cells in facts.values())

    @classmethod
    def of(cls, conditions: Iterable[Condition | None], catalogue: Catalogue) -> Space:
        """Return a space for conditions without error findings."""
        by_fact: dict[str, dict[tuple[object, ...], Literal]] = {}
        for condition in conditions:
            for _, comparison in comparisons(condition):
                one = literal(comparison, catalogue)
                by_fact.setdefault(one.fact, {})[one.operator, one.operand] = one
        return cls(
            catalogue,
            {name: _cells(name, catalogue, each.values()) for name, each in by_fact.items()},
        )

    def merged(self, other: Space) -> Space:
        """Return a space in which the boxes of both can be written."""
        facts = dict(self.facts)
        for name, theirs in other.facts.items():
            mine = facts.setdefault(name, theirs)
            if mine is not theirs:
                both = dict.fromkeys((*mine.literals, *theirs.literals))
                if len(both) > len(mine.literals):
                    facts[name] = _cells(name, self.catalogue, both)
        return Space(self.catalogue, facts)

    def translated(self, boxes: Iterable[Box], old: Space) -> tuple[Box, ...]:
        """Write boxes of a space that this one was merged from."""
        finer = {
            name: cells.partition.cells_of_finer(self.facts[name].partition)
            for name, cells in old.facts.items()
            if cells is not self.facts[name]
        }
        made: list[Box] = []
        for box in boxes:
            new = dict(box)
            for name in finer.keys() & box.keys():
                mask = box[name]
                bits = (1 << n for n, cell in enumerate(finer[name]) if mask >> cell & 1)
                new[name] = sum(bits) & self.facts[name].inhabited
            made.append(self._joint(new) or new)  # never None, since the box has events
        return tuple(made)

    # Boxes

    def full(self, dimension: Dimension) -> int:
        """Return all cells of a dimension."""
        if isinstance(dimension, str):
            return self.facts[dimension].inhabited
        return MATCHES | DIFFERS

    def box(self, one: Literal) -> Box | None:
        """Return where a literal holds; None if nowhere."""
        mask = self.facts[one.fact].mask(one)
        box: dict[Dimension, int] = {one.fact: mask}
        if one.operator in PATTERNS:
            box[one.fact, one.operator, one.operand] = DIFFERS if one.negated else MATCHES
        return self._joint(box) if mask else None

    def intersection(self, one: Box, other: Box) -> Box | None:
        """Return what is in both boxes; None if nothing is."""
        made = dict(one)
        for dimension, mask in other.items():
            both = mask & made.get(dimension, mask)
            if not both:
                return None
            made[dimension] = both
        return self._joint(made)

    def _joint(self, box: dict[Dimension, int]) -> Box | None:
        """Restrict text facts to the cells that have a value with the required patterns."""
        if self._has_patterns:
            for fact, requirements in _requirements(box).items():
                mask = box.get(fact, self.facts[fact].inhabited)
                mask &= self.facts[fact].allowed(requirements)
                if not mask:
                    return None
                box[fact] = mask
        return box

    def difference(self, box: Box, other: Box) -> Iterator[Box]:
        """Yield disjoint boxes of what is in the first box and not in the other.

        The two must not be disjoint by `are_disjoint`.
        """
        rest = dict(box)
        for dimension, mask in other.items():
            mine = rest.get(dimension)
            if mine is None:
                mine = self.full(dimension)
            if mine & ~mask:
                piece = self._joint({**rest, dimension: mine & ~mask})
                if piece is not None:
                    yield piece
            rest[dimension] = mine & mask

    def is_inside(self, box: Box, other: Box) -> bool:
        """Whether the first box is in the other one."""
        for dimension, mask in other.items():
            mine = box.get(dimension)
            if (self.full(dimension) if mine is None else mine) & ~mask:
                return False
        return True

    def minus(self, boxes: Iterable[Box], others: Iterable[Box], budget: Budget) -> list[Box]:
        """Return what is in one of the boxes and in none of the others."""
        left = list(boxes)
        for other in others:
            steps = len(left)
            rest: list[Box] = []
            for box in left:
                if are_disjoint(box, other):
                    rest.append(box)
                elif not self.is_inside(box, other):
                    rest += self.difference(box, other)
            left = rest
            budget.spend(len(left), steps)
            if not left:
                break
        return left

    def uncovered(self, boxes: Iterable[Box], others: Sequence[Box], budget: Budget) -> Box | None:
        """Return a box with events in one of the boxes and in none of the others, or None.

        It goes deep first: most of what is not covered at all is found at once.
        """
        stack = [(box, 0) for box in boxes]
        while stack:
            box, start = stack.pop()
            for n in range(start, len(others)):
                if are_disjoint(box, others[n]):
                    continue
                budget.spend(0, 1)
                if not self.is_inside(box, others[n]):
                    stack += [(piece, n + 1) for piece in self.difference(box, others[n])]
                break
            else:
                return box
        return None

    def product(self, ones: Sequence[Box], others: Sequence[Box], budget: Budget) -> list[Box]:
        """Return what is in one of the boxes and in one of the others."""
        independent = _facts(ones).isdisjoint(_facts(others))
        if independent:
            budget.spend(len(ones) * len(others), 0)
        made: list[Box] = []
        for one in ones:
            for other in others:
                both = None if are_disjoint(one, other) else self.intersection(one, other)
                if both is not None:
                    made.append(both)
            budget.spend(len(made), len(others))
        return made if independent else self.simplified(made, budget)

    def simplified(self, boxes: list[Box], budget: Budget) -> list[Box]:
        """Return fewer boxes with the same events: join neighbours, drop what is inside others."""
        if len(boxes) < 2:
            return boxes
        for dimension in dict.fromkeys(key for box in boxes for key in box):
            budget.spend(0, len(boxes))
            boxes = self._joined(boxes, dimension)
        if len(boxes) > MAX_ABSORBED:
            return boxes
        kept: list[Box] = []
        for n, box in enumerate(boxes):
            others = (*kept, *boxes[n + 1 :])
            if not any(self.is_inside(box, other) for other in others):
                kept.append(box)
        return kept

    def _joined(self, boxes: list[Box], dimension: Dimension) -> list[Box]:
        """Join boxes that differ in one dimension only."""
        full = self.full(dimension)
        masks: dict[frozenset[tuple[Dimension, int]], int] = {}
        for box in boxes:
            others = frozenset(item for item in box.items() if item[0] != dimension)
            masks[others] = masks.get(others, 0) | box.get(dimension, full)
        if len(masks) == len(boxes):
            return boxes
        return [
            dict(others) if mask == full else {**dict(others), dimension: mask}
            for others, mask in masks.items()
        ]

    def boxes(self, condition: Condition | None, budget: Budget) -> tuple[Box, ...]:
        """Return where a condition holds; None always holds."""
        if condition is None:
            return EVERYTHING
        return tuple(self._boxes(condition, budget, negated=False))

    def _boxes(self, condition: Condition, budget: Budget, *, negated: bool) -> list[Box]:
        match condition:
            case Comparison():
                box = self.box(literal(condition, self.catalogue, negated=negated))
                return [] if box is None else [box]
            case Not():
                return self._boxes(condition.condition, budget, negated=not negated)
            case AllOf() | AnyOf():
                parts = [self._boxes(c, budget, negated=negated) for c in condition.conditions]
                if isinstance(condition, AnyOf) is not negated:
                    found = [box for part in parts for box in part]
                    budget.spend(len(found), len(found))
                    return self.simplified(found, budget)
                found = list(EVERYTHING)
                for part in sorted(parts, key=len):
                    found = self.product(found, part, budget)
                return found
            case _:
                assert_never(condition)

    # Members

    def member(self, boxes: Iterable[Box]) -> dict[str, FactValue] | None:
        """Return the facts of one event, as few as possible; None if there are no boxes."""
        sized = [(sum(1 for _ in self._needed(box)), n, box) for n, box in enumerate(boxes)]
        if not sized:
            return None
        box = min(sized, key=lambda each: each[:2])[2]
        requirements = _requirements(box)
        samples = {
            name: cells.sample(cells.cell(box[name]), requirements.get(name, ()))
            for name, cells in ((name, self.facts[name]) for name in self._needed(box))
        }
        return {name: value for name, value in samples.items() if value is not None}

    def nearest(self, boxes: Iterable[Box], facts: Facts) -> dict[str, FactValue | None] | None:
        """Return the fewest facts to change, with new values, to be in one of the boxes.

        The value None says that the event must not have the fact. The result is None if there
        are no boxes. If several boxes need equally few changes, the first of them decides.
        """
        sized = [([*self._misfits(box, facts)], box) for box in boxes]
        if not sized:
            return None
        names, box = min(sized, key=lambda each: len(each[0]))
        requirements = _requirements(box)
        changed: dict[str, FactValue | None] = {}
        for name in names:
            cells = self.facts[name]
            cell = cells.nearest(box[name], facts.get(name))
            changed[name] = cells.sample(cell, requirements.get(name, ()))
        return changed

    def _misfits(self, box: Box, facts: Facts) -> Iterator[str]:
        """Yield the facts that keep an event out of a box, in the order of the catalogue."""
        requirements = _requirements(box)
        for fact in self.catalogue.facts:
            mask = box.get(fact.name)
            if mask is not None:
                cells, raw = self.facts[fact.name], facts.get(fact.name)
                if not cells.is_in(mask, requirements.get(fact.name, ()), raw):
                    yield fact.name

    def _needed(self, box: Box) -> Iterator[str]:
        """Yield the facts that an event in the box must have, in the order of the catalogue."""
        for fact in self.catalogue.facts:
            mask = box.get(fact.name)
            if mask is not None and not mask >> self.facts[fact.name].partition.missing & 1:
                yield fact.name


def _cells(name: str, catalogue: Catalogue, literals: Iterable[Literal]) -> FactCells:
    return FactCells(cast("FactType", catalogue.fact(name)), literals)  # a literal has read it


def _requirements(box: Box) -> dict[str, Requirements]:
    """Return the patterns of each fact that a box requires or rules out."""
    found: dict[str, dict[Pattern, bool]] = {}
    for dimension, mask in box.items():
        if not isinstance(dimension, str) and mask != MATCHES | DIFFERS:
            found.setdefault(dimension[0], {})[dimension] = mask == MATCHES
    return {fact: tuple(sorted(patterns.items())) for fact, patterns in found.items()}


def _facts(boxes: Iterable[Box]) -> set[str]:
    """Return the facts that some boxes restrict."""
    return {key if isinstance(key, str) else key[0] for box in boxes for key in box}


def are_disjoint(one: Box, other: Box) -> bool:
    """Whether some dimension has no cell in both boxes: a quick test before `intersection`.

    Boxes that pass it may have no event in common all the same, if text patterns exclude each
    other.
    """
    for dimension, mask in one.items():
        mine = other.get(dimension)
        if mine is not None and not mine & mask:
            return True
    return False
