"""The rules of one product, event and plan, and how they are found; changes beside it.

A handful of rules is asked one by one. More of them are indexed: each rule has a slot, and
the index finds slots. A changed rule leaves its slot to a dead one, which never holds, and
takes a new one at the end: so the old index is shared as it is. New slots are indexed in
chunks. A small bucket, or one with too many changes, is made anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TypeAlias

import attrs

from listboss.engine.index import FEW, Entry, Index, build
from listboss.engine.literal import Conjunction, Facts, cover
from listboss.engine.predicate import Predicate, predicate
from listboss.engine.step import ADDS, MOVES, REMOVES, Step
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import MAX_NODES
from listboss.rules.segmentation import Segmentation

__all__ = ["Bucket", "FewRules", "ManyRules", "PreparedRule", "bucket_of"]

CHUNK = 64
"""So many changed rules share an index; a bucket of no more rules is always made anew."""
MOST_CHUNKS = 32
"""A bucket with more changes than so many chunks hold is made anew."""


@attrs.frozen(eq=False, weakref_slot=False)
class PreparedRule:
    """A rule that can run: its place among the rules of its product, and its actions.

    It holds if all of its literals do, and then its `check`, if there is one.
    """

    position: int
    rule: Segmentation
    steps: tuple[Step, ...]
    literals: Conjunction = ()
    check: Predicate | None = None


_position = attrgetter("position")


class FewRules:
    """A handful of rules, each asked by itself."""

    __slots__ = ("_rules", "may_conflict")

    def __init__(self, rules: Sequence[PreparedRule], catalogue: Catalogue) -> None:
        self._rules = tuple(_asked_alone(rules, catalogue))
        self.may_conflict = _may_conflict(rules)

    def match(self, facts: Facts, *, in_order: bool) -> list[PreparedRule]:  # noqa: ARG002 # they always are
        """Return the rules that hold, in the order declared."""
        get = facts.get
        matched: list[PreparedRule] = []
        for rule in self._rules:
            for fact, read, test, operand, _, _, _ in rule.literals:
                value = read(get(fact))
                if value is None or not test(value, operand):
                    break
            else:
                if rule.check is None or rule.check(facts):
                    matched.append(rule)
        return matched

    def rules(self) -> list[PreparedRule]:
        """Return all rules, in the order declared."""
        return list(self._rules)

    def changed(
        self, gone: Collection[int], fresh: Iterable[PreparedRule], catalogue: Catalogue
    ) -> Bucket:
        """Return a bucket without the rules at some positions, and with fresh ones."""
        kept = [rule for rule in self.rules() if rule.position not in gone]
        return bucket_of([*kept, *fresh], catalogue)

    def compacted(self, _catalogue: Catalogue) -> Bucket:
        """Return itself: it is in one piece."""
        return self


class ManyRules:
    """Rules in slots, and the indexes that find them: one shared, and chunks of changes."""

    __slots__ = ("_indexes", "_repeats", "_shared", "_slots", "may_conflict")

    def __init__(
        self,
        slots: Sequence[PreparedRule],
        indexes: tuple[Index, ...],
        *,
        shared: int,
        repeats: bool,
        may_conflict: bool,
    ) -> None:
        self._slots = slots
        self._indexes = indexes
        self._shared = shared  # how many slots the first index has
        self._repeats = repeats  # whether an index may find a slot twice
        self.may_conflict = may_conflict

    def match(self, facts: Facts, *, in_order: bool) -> list[PreparedRule]:
        """Return the rules that hold; in the order declared, if that is asked for."""
        found: list[int] = []
        for index in self._indexes:
            index.match(facts, found)
        if self._repeats:
            found = [*set(found)]
        slots = self._slots
        matched = [
            slot
            for slot in [slots[number] for number in found]
            if slot.check is None or slot.check(facts)
        ]
        if in_order:
            matched.sort(key=_position)
        return matched

    def rules(self) -> list[PreparedRule]:
        """Return all rules, in the order declared."""
        return sorted(_living(self._slots), key=_position)

    def changed(
        self, gone: Collection[int], fresh: Iterable[PreparedRule], catalogue: Catalogue
    ) -> Bucket:
        """Return a bucket without the rules at some positions, and with fresh ones."""
        added = list(fresh)
        slots = list(self._slots)
        for number in self._numbers(gone):
            slots[number] = attrs.evolve(slots[number], check=_never)
        overlaid = len(slots) - self._shared + len(added)
        if self._shared <= CHUNK or overlaid > CHUNK * MOST_CHUNKS:
            return bucket_of([*_living(slots), *added], catalogue)
        # Full chunks stay; the rules of the last one are indexed again with the new ones.
        full = (len(slots) - self._shared) // CHUNK
        start = self._shared + full * CHUNK
        pending = [*_living(slots[start:]), *added]
        slots, indexes, repeats = slots[:start], self._indexes[: 1 + full], self._repeats
        for first in range(0, len(pending), CHUNK):
            index, twice = _indexed(pending[first : first + CHUNK], catalogue, slots)
            indexes, repeats = (*indexes, index), repeats or twice
        return ManyRules(slots, indexes, shared=self._shared, repeats=repeats, may_conflict=True)

    def compacted(self, catalogue: Catalogue) -> Bucket:
        """Return a bucket in one piece; itself if it has no changes beside its index."""
        rules = self.rules()
        whole = len(rules) == len(self._slots) == self._shared
        return self if whole else bucket_of(rules, catalogue)

    def _numbers(self, positions: Collection[int]) -> list[int]:
        """Return the slots of the rules at some positions: those of the first index in order."""
        changed = range(self._shared, len(self._slots))
        found = [number for number in changed if self._slots[number].position in positions]
        for position in positions:
            number = bisect_left(self._slots, position, hi=self._shared, key=_position)
            if number < self._shared and self._slots[number].position == position:
                found.append(number)
        return found


Bucket: TypeAlias = FewRules | ManyRules


def _never(_facts: Facts) -> bool:
    return False


def _living(slots: Iterable[PreparedRule]) -> list[PreparedRule]:
    return [slot for slot in slots if slot.check is not _never]


def bucket_of(rules: Iterable[PreparedRule], catalogue: Catalogue) -> Bucket:
    """Make a bucket of all these rules."""
    rules = sorted(rules, key=_position)
    if len(rules) <= FEW:
        return FewRules(rules, catalogue)
    slots: list[PreparedRule] = []
    index, repeats = _indexed(rules, catalogue, slots)
    return ManyRules(
        slots, (index,), shared=len(slots), repeats=repeats, may_conflict=_may_conflict(rules)
    )


def _prepared(
    rule: PreparedRule, catalogue: Catalogue, *, most: int
) -> tuple[PreparedRule, tuple[Conjunction, ...]]:
    """Return the rule with the conjunctions that find it; over `most`, its check does all."""
    condition = rule.rule.condition
    if condition is None:
        return rule, ((),)
    found = cover(condition, catalogue)
    conjunctions = found.conjunctions if len(found.conjunctions) <= most else ((),)
    if found.exact and conjunctions is found.conjunctions:
        return rule, conjunctions
    return attrs.evolve(rule, check=predicate(condition, catalogue)), conjunctions


def _asked_alone(rules: Iterable[PreparedRule], catalogue: Catalogue) -> Iterator[PreparedRule]:
    """Give each rule its one conjunction; a rule that nothing meets has none and is left out."""
    for rule in rules:
        prepared, conjunctions = _prepared(rule, catalogue, most=1)
        for literals in conjunctions:
            yield attrs.evolve(prepared, literals=literals) if literals else prepared


def _indexed(
    rules: Iterable[PreparedRule], catalogue: Catalogue, slots: list[PreparedRule]
) -> tuple[Index, bool]:
    """Give each rule the next slot and index them; tell whether one may be found twice."""
    entries: list[Entry] = []
    repeats = False
    for rule in rules:
        prepared, conjunctions = _prepared(rule, catalogue, most=MAX_NODES)
        repeats = repeats or len(conjunctions) > 1
        entries.extend((len(slots), literals) for literals in conjunctions)
        slots.append(prepared)
    return build(entries), repeats


def _may_conflict(rules: Iterable[PreparedRule]) -> bool:
    """Whether two steps of the rules might contradict each other: rarely so."""
    roles: dict[tuple[str, ...], int] = {}
    for rule in rules:
        for step in rule.steps:
            if step.role & MOVES:
                return True
            if step.role:
                subject = step.subject
                roles[subject] = roles.get(subject, 0) | step.role
    return any(role == ADDS | REMOVES for role in roles.values())
