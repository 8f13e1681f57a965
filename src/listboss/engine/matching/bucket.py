"""Buckets: the rules of one product, event and subscription plan, and how they are found.

A *scan bucket* evaluates its few rules one by one. An *indexed bucket* finds its rules with an
`Index`. When a rule of an indexed bucket changes, the index is kept: the old rule becomes a
*tombstone*, and the new one goes into a small bucket beside the index, a *delta*. A scan
bucket, or one with too many changes, is built again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Protocol, TypeAlias

import attrs

from listboss.engine.matching.formulas import Formulas, most_found
from listboss.engine.matching.index import Index, build
from listboss.engine.matching.normal_form import ALWAYS, NormalForm, by_fact, normal_form
from listboss.engine.matching.predicate import Recheck
from listboss.engine.matching.scan import make_scan_bucket
from listboss.engine.planning.compiled import CompiledAction, CompiledRule, position_of
from listboss.engine.planning.conflict import may_conflict
from listboss.plan import Idle
from listboss.rules._facts import Facts
from listboss.rules._literal import Conjunction
from listboss.rules._size import size_of
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import MAX_NODES, Condition

__all__ = [
    "Bucket",
    "IndexedBucket",
    "Positions",
    "changed",
    "compacted",
    "make_bucket",
    "shared_buckets",
    "shares_index",
]

Positions: TypeAlias = tuple[int, ...]
"""The positions of some rules, in the order declared."""

MAX_SCAN_BUCKET = 256
"""Up to this many rules need no index, if an event evaluates only some of them."""
MAX_EVALUATED = 8
"""On average, an event may evaluate this many rules of a scan bucket; an index takes some
microseconds. Measured: with many products, matching is 1.5 x faster."""
MAX_DELTA = 32
"""A delta has at most this many rules."""
MAX_ALONE, MAX_ALONE_IN_DELTA = 1_024, 64
"""Conditions of up to this size altogether are rechecked one by one, in a bucket and in each of its
deltas, and so is a 64th of all. Larger ones are evaluated together. Nothing is prepared for that if
no event can find so much. Measured: a plan of 2,000 ANDs of twenty ORs takes 24 x less time, and an
engine without preparation is built 1.7 x faster."""
TOGETHER_PER_ALONE = 64
"""To evaluate all together takes about as long as to evaluate a 64th of them one by one."""
MAX_CHANGES = 2_048
"""A bucket with more changes than this, or than it has rules, is built again."""


class Bucket(Protocol):
    """Rules that are found together.

    `automatic` actions are planned for every event of the bucket, whichever rules hold; `idle`
    is the reason that a plan without actions gives.
    """

    @property
    def automatic(self) -> tuple[CompiledAction, ...]:
        """The automatic actions of the bucket's events."""
        ...

    @property
    def idle(self) -> Idle:
        """The reason that a plan without actions gives."""
        ...

    @property
    def may_conflict(self) -> bool:
        """Whether two actions of the rules might contradict each other."""
        ...

    def match(self, facts: Facts) -> list[CompiledRule]:
        """Return the rules that hold, in any order."""
        ...

    def match_ids(self, facts: Facts) -> tuple[str, ...]:
        """Return the ids of the rules that hold, in the order declared."""
        ...

    def match_actions(self, facts: Facts) -> Sequence[CompiledAction]:
        """Return the actions of the rules that hold, as declared if they may conflict."""
        ...

    def rules(self) -> Sequence[CompiledRule]:
        """Return all rules, in the order declared."""
        ...


@attrs.frozen(eq=False, weakref_slot=False)
class IndexedBucket:
    """Rules with an index, and what has changed since the index was made.

    `indexed` has the rules of the index, in the order declared. The index finds their numbers.
    `ids`, `actions` and `rechecks` are listed by number, so that an event need not read the
    rules, which are spread over memory. `sizes` are those of the conditions to be rechecked. If an
    event can find more than `alone` of them, `formulas` evaluates all together. `repeats` says that
    the index may find a rule twice. `tombstones` are the numbers of rules that have been removed;
    `deltas` have the rules that have been added. If other buckets share the index, `own` has a 1
    for each rule of this one.
    """

    indexed: tuple[CompiledRule, ...]
    ids: tuple[str, ...]
    actions: tuple[tuple[CompiledAction, ...], ...]
    rechecks: Mapping[int, Callable[[Facts], bool]]
    sizes: Mapping[int, int]
    alone: int
    formulas: Formulas | None
    index: Index
    repeats: bool
    may_conflict: bool
    deltas: tuple[Bucket, ...] = ()
    tombstones: frozenset[int] = frozenset()
    own: bytes = b""
    automatic: tuple[CompiledAction, ...] = ()
    idle: Idle = Idle.NO_RULE

    def _numbers(self, facts: Facts) -> list[int]:
        """Return the numbers of the indexed rules that hold, in any order."""
        found: list[int] = []
        self.index.match(facts, found)
        if self.repeats:
            found = [*set(found)]
        if self.own:
            own = self.own
            found = [n for n in found if own[n]]
        if self.tombstones:
            found = [n for n in found if n not in self.tombstones]
        return self._rechecked(found, facts) if self.rechecks else found

    def _rechecked(self, found: list[int], facts: Facts) -> list[int]:
        """Return the numbers of the rules whose whole condition holds."""
        rechecks = self.rechecks
        if self.formulas is not None:
            lossy = [n for n in found if n in rechecks]
            if sum([self.sizes[n] for n in lossy]) > self.alone:
                lossless = [n for n in found if n not in rechecks]
                return lossless + self.formulas.holding(lossy, facts)
        return [n for n in found if (check := rechecks.get(n)) is None or check(facts)]

    def match(self, facts: Facts) -> list[CompiledRule]:
        """Return the rules that hold, in any order."""
        indexed = self.indexed
        found = [indexed[n] for n in self._numbers(facts)]
        for bucket in self.deltas:
            found += bucket.match(facts)
        return found

    def match_ids(self, facts: Facts) -> tuple[str, ...]:
        """Return the ids of the rules that hold, in the order declared."""
        if self.deltas:
            return tuple([rule.id for rule in sorted(self.match(facts), key=position_of)])
        numbers, ids = self._numbers(facts), self.ids
        if len(numbers) < 2:
            return (ids[numbers[0]],) if numbers else ()
        numbers.sort()
        found: tuple[str, ...] = itemgetter(*numbers)(ids)
        return found

    def match_actions(self, facts: Facts) -> Sequence[CompiledAction]:
        """Return the actions of the rules that hold, as declared if they may conflict."""
        if self.deltas:
            rules = sorted(self.match(facts), key=position_of)
            return [action for rule in rules for action in rule.actions]
        numbers, actions = self._numbers(facts), self.actions
        if self.may_conflict:
            numbers.sort()
        found: list[CompiledAction] = []
        for n in numbers:
            found += actions[n]
        return found

    def rules(self) -> Sequence[CompiledRule]:
        """Return all rules, in the order declared."""
        deltas = (rule for bucket in self.deltas for rule in bucket.rules())
        living = (
            rule
            for n, rule in enumerate(self.indexed)
            if n not in self.tombstones and (not self.own or self.own[n])
        )
        return sorted(chain(living, deltas), key=position_of)

    def changed(
        self, removed: Collection[int], added: Sequence[CompiledRule], catalogue: Catalogue
    ) -> Bucket:
        """Return a bucket without the rules at `removed` positions, and with `added` ones."""
        left = [[r for r in delta.rules() if r.position not in removed] for delta in self.deltas]
        deltas = [
            delta if len(rules) == len(delta.rules()) else _delta(rules, catalogue)
            for delta, rules in zip(self.deltas, left, strict=True)
            if rules
        ]
        pending = list(added)
        if deltas and len(last := deltas[-1].rules()) + len(pending) <= MAX_DELTA:
            pending = [*last, *pending]
            deltas.pop()
        parts = (pending[first : first + MAX_DELTA] for first in range(0, len(pending), MAX_DELTA))
        deltas += [_delta(part, catalogue) for part in parts]
        tombstones = self.tombstones.union(self._numbers_at(removed))
        limit = min(len(self.indexed), MAX_CHANGES)
        new = attrs.evolve(
            self, deltas=tuple(deltas), tombstones=tombstones, may_conflict=True
        )  # an added rule may contradict an indexed one
        if len(tombstones) > limit or len(deltas) * MAX_DELTA > limit:
            return make_bucket(new.rules(), catalogue)
        return new

    def _numbers_at(self, positions: Iterable[int]) -> Iterator[int]:
        """Yield the numbers of the indexed rules at these positions."""
        for position in positions:
            number = bisect_left(self.indexed, position, key=position_of)
            if number < len(self.indexed) and self.indexed[number].position == position:
                yield number


def make_bucket(
    rules: Iterable[CompiledRule],
    catalogue: Catalogue,
    known: dict[int, NormalForm] | None = None,
    alone: int | None = None,
) -> Bucket:
    """Make a bucket of rules: the one place that decides whether it has an index.

    `known` keeps the normal forms of rules for several plans by position, for other buckets. By
    default, conditions of up to `MAX_ALONE` altogether are rechecked one by one.
    """
    alone = MAX_ALONE if alone is None else alone
    rules = sorted(rules, key=position_of)
    forms = [(rule, _normal_form(rule, catalogue, known)) for rule in rules]
    if len(rules) <= MAX_SCAN_BUCKET:
        # A condition that can never hold has no conjunctions, so its rule is left out.
        found = [_limited(rule, form, catalogue, limit=1) for rule, form in forms]
        if sum(map(size_of, _rechecked(rule for rule, _ in found).values())) <= alone:
            bucket, evaluated = make_scan_bucket(
                [(rule, by_fact(each)) for rule, conjunctions in found for each in conjunctions]
            )
            if evaluated <= MAX_EVALUATED:
                return bucket
    return _indexed(forms, catalogue, alone)


def _delta(rules: Iterable[CompiledRule], catalogue: Catalogue) -> Bucket:
    return make_bucket(rules, catalogue, alone=MAX_ALONE_IN_DELTA)


def shared_buckets(
    rules: Iterable[CompiledRule], subsets: Iterable[Positions], catalogue: Catalogue
) -> dict[Positions, Bucket]:
    """Make a bucket of each subset of some rules, all with one index."""
    rules = sorted(rules, key=position_of)
    forms = [(rule, _normal_form(rule, catalogue, None)) for rule in rules]
    whole = _indexed(forms, catalogue, MAX_ALONE)
    numbers = {rule.position: n for n, rule in enumerate(rules)}
    made: dict[Positions, Bucket] = {}
    for subset in subsets:
        own = bytearray(len(rules))
        for position in subset:
            own[numbers[position]] = 1
        made[subset] = attrs.evolve(whole, own=bytes(own))
    return made


def _indexed(
    forms: Sequence[tuple[CompiledRule, NormalForm]], catalogue: Catalogue, alone: int
) -> IndexedBucket:
    found = [_limited(rule, form, catalogue, limit=MAX_NODES) for rule, form in forms]
    rechecked = _rechecked(rule for rule, _ in found)
    sizes = {n: size_of(condition) for n, condition in rechecked.items()}
    entries = [(n, each) for n, (_, conjunctions) in enumerate(found) for each in conjunctions]
    size = sum(sizes.values())
    alone = max(alone, size // TOGETHER_PER_ALONE)
    together = size > alone and most_found(entries, sizes) > alone
    return IndexedBucket(
        indexed=tuple([rule for rule, _ in found]),
        ids=tuple([rule.id for rule, _ in found]),
        actions=tuple([rule.actions for rule, _ in found]),
        rechecks={n: rule.recheck for n, (rule, _) in enumerate(found) if rule.recheck},
        sizes=sizes,
        alone=alone,
        formulas=Formulas(rechecked, catalogue) if together else None,
        index=build(entries),
        repeats=any(len(conjunctions) > 1 for _, conjunctions in found),
        may_conflict=may_conflict(action for rule, _ in found for action in rule.actions),
    )


def changed(
    bucket: Bucket, removed: Collection[int], added: Sequence[CompiledRule], catalogue: Catalogue
) -> Bucket:
    """Return a bucket without the rules at `removed` positions, and with `added` ones."""
    if isinstance(bucket, IndexedBucket):
        return bucket.changed(removed, added, catalogue)
    kept = [rule for rule in bucket.rules() if rule.position not in removed]
    return make_bucket([*kept, *added], catalogue)


def shares_index(bucket: Bucket) -> bool:
    """Whether other buckets have the same index."""
    return isinstance(bucket, IndexedBucket) and bool(bucket.own)


def compacted(bucket: Bucket, catalogue: Catalogue) -> Bucket:
    """Return a bucket with all its changes in one index; the same one if there are none."""
    if isinstance(bucket, IndexedBucket) and (bucket.deltas or bucket.tombstones):
        return make_bucket(bucket.rules(), catalogue)
    return bucket


def _normal_form(
    rule: CompiledRule, catalogue: Catalogue, known: dict[int, NormalForm] | None
) -> NormalForm:
    condition = rule.rule.condition
    if condition is None:
        return ALWAYS
    if known is None or len(rule.rule.plan_ids) < 2:
        return normal_form(condition, catalogue)
    form = known.get(rule.position)
    if form is None:
        form = known[rule.position] = normal_form(condition, catalogue)
    return form


def _limited(
    rule: CompiledRule, form: NormalForm, catalogue: Catalogue, *, limit: int
) -> tuple[CompiledRule, tuple[Conjunction, ...]]:
    """Return the rule and its conjunctions; if there are more than `limit`, it is rechecked."""
    condition = rule.rule.condition
    conjunctions = form.conjunctions if len(form.conjunctions) <= limit else ((),)
    lossless = form.lossless and conjunctions is form.conjunctions
    recheck = None
    if condition is not None and not lossless:
        recheck = rule.recheck or Recheck(condition, catalogue)
    if recheck is not rule.recheck:
        rule = CompiledRule(rule.position, rule.id, rule.rule, rule.actions, recheck)
    return rule, conjunctions


def _rechecked(rules: Iterable[CompiledRule]) -> dict[int, Condition]:
    """Return the conditions to be rechecked, by the number of the rule."""
    conditions = ((n, rule.rule.condition) for n, rule in enumerate(rules) if rule.recheck)
    return {n: condition for n, condition in conditions if condition is not None}
