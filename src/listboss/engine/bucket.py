"""The rules of one product, event and plan, and how they are found; changes beside it.

A handful of rules is asked one by one. More of them are indexed: each rule has a slot, and
the index finds slots. A changed rule leaves its slot to a dead one, which never holds, and
takes a new one at the end: so the old index is shared as it is. New slots are indexed in
chunks. A small bucket, or one with too many changes, is made anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

import attrs

from listboss.engine.conflict import may_conflict
from listboss.engine.few import FewRules, PreparedRule, few_rules, position_of
from listboss.engine.index import Entry, Index, build
from listboss.engine.literal import Conjunction, Facts, cover
from listboss.engine.predicate import predicate
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import MAX_NODES

__all__ = ["Bucket", "ManyRules", "bucket_of", "changed", "compacted"]

FEW = 256
"""Up to so many rules may do without an index, if an event asks only some of them."""
MOST_ASKED = 8
"""How many rules an event may ask: an index has a fixed cost of some microseconds."""

CHUNK = 64
"""So many changed rules share an index; a bucket of no more rules is always made anew."""
MOST_CHUNKS = 32
"""A bucket with more changes than so many chunks hold is made anew."""


@attrs.frozen(eq=False, weakref_slot=False)
class ManyRules:
    """Rules in slots, and the indexes that find them: one shared, and chunks of changes.

    `shared` is how many slots the first index has. `repeats` says that an index may find a
    slot twice, `checks` that some slot has a check, `may_conflict` that steps may clash.
    """

    _slots: Sequence[PreparedRule]
    _indexes: tuple[Index, ...]
    _shared: int
    _repeats: bool
    _checks: bool
    may_conflict: bool

    def match(self, facts: Facts, *, in_order: bool) -> list[PreparedRule]:
        """Return the rules that hold; in the order declared, if that is asked for."""
        found: list[int] = []
        for index in self._indexes:
            index.match(facts, found)
        if self._repeats:
            found = [*set(found)]
        whole = len(self._indexes) == 1
        if in_order and whole:
            found.sort()
        slots = self._slots
        matched = [slots[number] for number in found]
        if self._checks:
            matched = [slot for slot in matched if slot.check is None or slot.check(facts)]
        if in_order and not whole:
            matched.sort(key=position_of)
        return matched

    def rules(self) -> list[PreparedRule]:
        """Return all rules, in the order declared."""
        return sorted(_living(self._slots), key=position_of)

    def changed(
        self, gone: Collection[int], added: Sequence[PreparedRule], catalogue: Catalogue
    ) -> Bucket:
        """Return a bucket without the rules at some positions, and with fresh ones."""
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
        return attrs.evolve(
            self, slots=slots, indexes=indexes, repeats=repeats, checks=True, may_conflict=True
        )

    def is_whole(self) -> bool:
        """Whether there are no changes beside the index."""
        return len(self.rules()) == len(self._slots) == self._shared

    def _numbers(self, positions: Collection[int]) -> list[int]:
        """Return the slots of the rules at some positions: those of the first index in order."""
        changed = range(self._shared, len(self._slots))
        found = [number for number in changed if self._slots[number].position in positions]
        for position in positions:
            number = bisect_left(self._slots, position, hi=self._shared, key=position_of)
            if number < self._shared and self._slots[number].position == position:
                found.append(number)
        return found


Bucket: TypeAlias = FewRules | ManyRules


def _never(_facts: Facts) -> bool:
    return False


def _living(slots: Iterable[PreparedRule]) -> list[PreparedRule]:
    return [slot for slot in slots if slot.check is not _never]


def bucket_of(rules: Iterable[PreparedRule], catalogue: Catalogue) -> Bucket:
    """Make a bucket of all these rules: the one place that decides whether it has an index."""
    rules = sorted(rules, key=position_of)
    if len(rules) <= FEW:
        # A condition that nothing meets has no conjunction: its rule is never found.
        prepared = [_prepared(rule, catalogue, most=1) for rule in rules]
        few, asked = few_rules((rule, each) for rule, found in prepared for each in found)
        if asked <= MOST_ASKED:
            return few
    slots: list[PreparedRule] = []
    index, repeats = _indexed(rules, catalogue, slots)
    return ManyRules(
        slots,
        (index,),
        shared=len(slots),
        repeats=repeats,
        checks=any(slot.check is not None for slot in slots),
        may_conflict=may_conflict(step for rule in rules for step in rule.steps),
    )


def changed(
    bucket: Bucket, gone: Collection[int], fresh: Sequence[PreparedRule], catalogue: Catalogue
) -> Bucket:
    """Return a bucket without the rules at some positions, and with fresh ones."""
    if isinstance(bucket, ManyRules):
        return bucket.changed(gone, fresh, catalogue)
    kept = [rule for rule in bucket.rules() if rule.position not in gone]
    return bucket_of([*kept, *fresh], catalogue)


def compacted(bucket: Bucket, catalogue: Catalogue) -> Bucket:
    """Return a bucket in one piece; itself if it has no changes beside its index."""
    if isinstance(bucket, FewRules) or bucket.is_whole():
        return bucket
    return bucket_of(bucket.rules(), catalogue)


def _prepared(
    rule: PreparedRule, catalogue: Catalogue, *, most: int
) -> tuple[PreparedRule, tuple[Conjunction, ...]]:
    """Return the rule with the conjunctions that find it; over `most`, its check does all."""
    condition = rule.rule.condition
    if condition is None:
        return rule, ((),)
    found = cover(condition, catalogue)
    conjunctions = found.conjunctions if len(found.conjunctions) <= most else ((),)
    exact = found.exact and conjunctions is found.conjunctions
    check = None if exact else rule.check or predicate(condition, catalogue)
    if check is not rule.check:
        rule = PreparedRule(rule.position, rule.id, rule.rule, rule.steps, check)
    return rule, conjunctions


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
