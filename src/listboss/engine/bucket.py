"""The rules of one product, event and plan, and how they are found; changes beside it.

A few rules are asked, many are indexed. When one of many changes, the old rule is known to
be gone, the new one is found in a small bucket beside the index, and the index itself is
shared as it is. A small bucket, or one with too many changes, is made anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

import attrs

from listboss.engine.conflict import may_conflict
from listboss.engine.few import FewRules, few_rules
from listboss.engine.index import Index, build
from listboss.engine.literal import Conjunction, Facts, cover
from listboss.engine.plan import Idle
from listboss.engine.predicate import predicate
from listboss.engine.step import PreparedRule, Step, position_of
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import MAX_NODES

__all__ = ["Bucket", "ManyRules", "bucket_of", "changed", "compacted"]

FEW = 256
"""Up to so many rules may do without an index, if an event asks only some of them."""
MOST_ASKED = 8
"""How many rules an event may ask: an index has a fixed cost of some microseconds."""

CHUNK = 32
"""So many changed rules share a bucket beside the index."""
MOST_CHANGES = 2_048
"""A bucket with more changes than this is made anew, as is one with more changes than rules."""


@attrs.frozen(eq=False, weakref_slot=False)
class ManyRules:
    """Rules with an index; what changed since is beside it.

    `indexed` are its rules, as declared, and `gone` those of them that do not run any more;
    the buckets `beside` have those that came since. `repeats` says that the index may find
    a rule twice, `checks` that some rule of it has a check, `may_conflict` that steps may
    clash. `automatic` and `idle` as in `FewRules`.
    """

    indexed: tuple[PreparedRule, ...]
    index: Index
    repeats: bool
    checks: bool
    may_conflict: bool
    beside: tuple[Bucket, ...] = ()
    gone: frozenset[PreparedRule] = frozenset()
    automatic: tuple[Step, ...] = ()
    idle: Idle = Idle.NO_RULE

    def match(self, facts: Facts) -> list[PreparedRule]:
        """Return the rules that hold, in any order."""
        found: list[PreparedRule] = []
        self.index.match(facts, found)
        if self.repeats:
            found = [*dict.fromkeys(found)]
        if self.checks:
            found = [rule for rule in found if rule.check is None or rule.check(facts)]
        for bucket in self.beside:
            found += bucket.match(facts)
        if self.gone:
            found = [rule for rule in found if rule not in self.gone]
        return found

    def rules(self) -> list[PreparedRule]:
        """Return all rules, in the order declared."""
        beside = (rule for bucket in self.beside for rule in bucket.rules())
        living = [rule for rule in chain(self.indexed, beside) if rule not in self.gone]
        return sorted(living, key=position_of)

    def changed(
        self, gone: Collection[int], added: Sequence[PreparedRule], catalogue: Catalogue
    ) -> Bucket:
        """Return a bucket without the rules at some positions, and with others."""
        left = [[r for r in chunk.rules() if r.position not in gone] for chunk in self.beside]
        beside = [
            chunk if len(rules) == len(chunk.rules()) else bucket_of(rules, catalogue)
            for chunk, rules in zip(self.beside, left, strict=True)
            if rules
        ]
        pending = list(added)
        if beside and len(last := beside[-1].rules()) + len(pending) <= CHUNK:
            pending = [*last, *pending]
            beside.pop()
        parts = (pending[first : first + CHUNK] for first in range(0, len(pending), CHUNK))
        beside += [bucket_of(part, catalogue) for part in parts]
        new = attrs.evolve(
            self, beside=tuple(beside), gone=self.gone.union(self._at(gone)), may_conflict=True
        )
        most = min(len(self.indexed), MOST_CHANGES)
        if len(new.gone) > most or len(new.beside) * CHUNK > most:
            return bucket_of(new.rules(), catalogue)
        return new

    def _at(self, positions: Iterable[int]) -> Iterator[PreparedRule]:
        """Find the rules of the index at some positions."""
        for position in positions:
            number = bisect_left(self.indexed, position, key=position_of)
            if number < len(self.indexed) and self.indexed[number].position == position:
                yield self.indexed[number]

    def is_whole(self) -> bool:
        """Whether there are no changes beside the index."""
        return not (self.beside or self.gone)


Bucket: TypeAlias = FewRules | ManyRules


def bucket_of(rules: Iterable[PreparedRule], catalogue: Catalogue) -> Bucket:
    """Make a bucket of all these rules: the one place that decides whether it has an index."""
    rules = sorted(rules, key=position_of)
    if len(rules) <= FEW:
        # A condition that nothing meets has no conjunction: its rule is never found.
        prepared = [_prepared(rule, catalogue, most=1) for rule in rules]
        few, asked = few_rules((rule, each) for rule, found in prepared for each in found)
        if asked <= MOST_ASKED:
            return few
    prepared = [_prepared(rule, catalogue, most=MAX_NODES) for rule in rules]
    return ManyRules(
        indexed=tuple([rule for rule, _ in prepared]),
        index=build((rule, each) for rule, found in prepared for each in found),
        repeats=any(len(found) > 1 for _, found in prepared),
        checks=any(rule.check is not None for rule, _ in prepared),
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
