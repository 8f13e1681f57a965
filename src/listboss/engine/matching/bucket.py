"""The rules of one product, event and plan, and how they are found; changes beside it.

A few rules are asked, many are indexed. When one of many changes, the old rule is known to
be gone, the new one is found in a small bucket beside the index, and the index itself is
shared as it is. A small bucket, or one with too many changes, is made anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import TypeAlias

import attrs

from listboss.engine.matching.index import Index, build
from listboss.engine.matching.normal_form import Conjunction, Facts, cover
from listboss.engine.matching.predicate import Predicate, predicate
from listboss.engine.matching.scan import FewRules, few_rules
from listboss.engine.planning.compiled import PreparedRule, Step, position_of
from listboss.engine.planning.conflict import may_conflict
from listboss.plan import Idle
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

    `indexed` are its rules, as declared; the index finds their numbers, so that the rules
    themselves, far away in memory, need not be touched: `ids`, `steps` and `checks` are by number.
    `gone` are the numbers of those that do not run any more; the buckets `beside` have those
    that came since. `repeats` says that the index may find a rule twice, `may_conflict` that
    steps may clash, which is taken for granted after a change. `automatic` and `idle` as in
    `FewRules`.
    """

    indexed: tuple[PreparedRule, ...]
    ids: tuple[str, ...]
    steps: tuple[tuple[Step, ...], ...]
    checks: Mapping[int, Predicate]
    index: Index
    repeats: bool
    may_conflict: bool
    beside: tuple[Bucket, ...] = ()
    gone: frozenset[int] = frozenset()
    automatic: tuple[Step, ...] = ()
    idle: Idle = Idle.NO_RULE

    def _found(self, facts: Facts) -> list[int]:
        """Return the numbers of the indexed rules that hold, in any order."""
        found: list[int] = []
        self.index.match(facts, found)
        if self.repeats:
            found = [*set(found)]
        if self.gone:
            found = [n for n in found if n not in self.gone]
        if self.checks:
            checks = self.checks
            found = [n for n in found if (check := checks.get(n)) is None or check(facts)]
        return found

    def match(self, facts: Facts) -> list[PreparedRule]:
        """Return the rules that hold, in any order."""
        indexed = self.indexed
        found = [indexed[n] for n in self._found(facts)]
        for bucket in self.beside:
            found += bucket.match(facts)
        return found

    def match_ids(self, facts: Facts) -> tuple[str, ...]:
        """Return the ids of the rules that hold, as declared."""
        if self.beside:
            return tuple([rule.id for rule in sorted(self.match(facts), key=position_of)])
        numbers, ids = self._found(facts), self.ids
        if len(numbers) < 2:
            return (ids[numbers[0]],) if numbers else ()
        numbers.sort()
        found: tuple[str, ...] = itemgetter(*numbers)(ids)
        return found

    def match_steps(self, facts: Facts) -> list[Step]:
        """Return the steps of the rules that hold, as declared if they may conflict."""
        if self.beside:
            rules = sorted(self.match(facts), key=position_of)
            return [step for rule in rules for step in rule.steps]
        numbers, steps = self._found(facts), self.steps
        if self.may_conflict:
            numbers.sort()
        found: list[Step] = []
        for n in numbers:
            found += steps[n]
        return found

    def rules(self) -> list[PreparedRule]:
        """Return all rules, in the order declared."""
        beside = (rule for bucket in self.beside for rule in bucket.rules())
        living = (rule for n, rule in enumerate(self.indexed) if n not in self.gone)
        return sorted(chain(living, beside), key=position_of)

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

    def _at(self, positions: Iterable[int]) -> Iterator[int]:
        """Find the numbers of the rules at some positions."""
        for position in positions:
            number = bisect_left(self.indexed, position, key=position_of)
            if number < len(self.indexed) and self.indexed[number].position == position:
                yield number

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
        ids=tuple([rule.id for rule, _ in prepared]),
        steps=tuple([rule.steps for rule, _ in prepared]),
        checks={n: rule.check for n, (rule, _) in enumerate(prepared) if rule.check is not None},
        index=build((n, each) for n, (_, found) in enumerate(prepared) for each in found),
        repeats=any(len(found) > 1 for _, found in prepared),
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
