"""Scan buckets: few rules, evaluated one by one.

An event evaluates all of them. If several rules depend on one fact (an offer code, a price),
it evaluates only those posted under its own cell of that fact, and those not posted at all.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs

from listboss.engine.matching.encoder import Encoder, encoder_of
from listboss.engine.matching.index import Access, post
from listboss.engine.matching.normal_form import ByFact, flat, without
from listboss.engine.planning.compiled import CompiledAction, CompiledRule, position_of
from listboss.engine.planning.conflict import may_conflict
from listboss.plan import Idle
from listboss.rules._facts import Facts, Reader
from listboss.rules._literal import LIST_OPERATORS, Conjunction, Literal, Test, hold
from listboss.rules._partition import Partition, partitions_of

__all__ = ["EMPTY_BUCKETS", "ScanBucket", "make_scan_bucket"]

MAX_SCANNED = 4
"""Up to this many rules are all evaluated for every event; with more, rules are posted."""
MIN_POSTED = 3
"""At least this many rules are posted under a fact: a look-up costs as much as evaluating one."""
MAX_CELLS = 32
"""A rule is posted under at most this many cells, so that memory grows with the rules alone."""


@attrs.frozen(eq=False, weakref_slot=False)
class _ScannedRule(CompiledRule):
    """A rule with its literals: the first one unpacked, the others in `rest`.

    `read` is None if there is no literal.
    """

    fact: str = ""
    read: Reader | None = None
    test: Test = operator.eq
    operand: Any = None
    rest: Conjunction = ()


def _scanned(rule: CompiledRule, literals: Conjunction) -> _ScannedRule:
    fields = (rule.position, rule.id, rule.rule, rule.actions, rule.recheck)
    if not literals:
        return _ScannedRule(*fields)
    fact, read, test, operand, _, _, _ = literals[0]
    return _ScannedRule(*fields, fact, read, test, operand, literals[1:])


_PostingLists: TypeAlias = tuple[str, Encoder, tuple[tuple[_ScannedRule, ...], ...]]
"""A fact, its encoder, and the rules to evaluate, by cell."""


@attrs.frozen(eq=False, weakref_slot=False)
class ScanBucket:
    """Few rules: an event evaluates those in `always` and those posted under its cells."""

    all_rules: Sequence[CompiledRule]
    always: tuple[_ScannedRule, ...]
    postings: tuple[_PostingLists, ...]
    may_conflict: bool
    automatic: tuple[CompiledAction, ...] = ()
    idle: Idle = Idle.NO_RULE

    def match(self, facts: Facts) -> list[CompiledRule]:
        """Return the rules that hold, in any order."""
        get = facts.get
        rules: Sequence[_ScannedRule] = self.always
        if self.postings:
            rules = [*rules]
            for fact, encode, lists in self.postings:
                rules += lists[encode(get(fact))]
        matched: list[CompiledRule] = []
        for rule in rules:
            if rule.read is not None:
                value = rule.read(get(rule.fact))
                if value is None or not rule.test(value, rule.operand):
                    continue
                if rule.rest and not hold(rule.rest, facts):
                    continue
            if rule.recheck is None or rule.recheck(facts):
                matched.append(rule)
        return matched

    def match_ids(self, facts: Facts) -> tuple[str, ...]:
        """Return the ids of the rules that hold, in the order declared."""
        matched = self.match(facts)
        if len(matched) > 1:
            matched.sort(key=position_of)
        return tuple([rule.id for rule in matched]) if matched else ()

    def match_actions(self, facts: Facts) -> Sequence[CompiledAction]:
        """Return the actions of the rules that hold, as declared if they may conflict."""
        matched = self.match(facts)
        if len(matched) < 2:
            return matched[0].actions if matched else ()
        if self.may_conflict:
            matched.sort(key=position_of)
        return [action for rule in matched for action in rule.actions]

    def rules(self) -> Sequence[CompiledRule]:
        """Return all rules, in the order declared."""
        return self.all_rules


EMPTY_BUCKETS = {idle: ScanBucket((), (), (), may_conflict=False, idle=idle) for idle in Idle}
"""Buckets without rules, by the reason that their plans give."""


def make_scan_bucket(rules: Sequence[tuple[CompiledRule, ByFact]]) -> tuple[ScanBucket, float]:
    """Make a scan bucket; also return how many rules an event evaluates on average."""
    if len(rules) <= MAX_SCANNED:
        scanned = tuple([_scanned(rule, flat(literals)) for rule, literals in rules])
        return _with_rules(scanned, scanned, ()), len(scanned)
    short = [(n, _short(literals)) for n, (_, literals) in enumerate(rules)]
    partitions = partitions_of(literals for _, literals in short)
    postings, rest = post(short, partitions, _choose_cells, MIN_POSTED)
    ready = {n: _scanned(rules[n][0], flat(rules[n][1])) for n, _ in rest}
    always = tuple([ready[n] for n in sorted(ready)])
    expected = float(len(always))
    lists: list[_PostingLists] = []
    for (fact, _), cells in postings.items():
        partition = partitions[fact]
        for n in {n for posted in cells.values() for n, _ in posted}:
            ready[n] = _scanned(rules[n][0], flat(without(rules[n][1], fact)))
        posted = [tuple([ready[n] for n, _ in cells.get(c, ())]) for c in range(partition.size)]
        expected += sum(map(len, posted)) / partition.size
        lists.append((fact, encoder_of(partition), tuple(posted)))
    return _with_rules([ready[n] for n in sorted(ready)], always, tuple(lists)), expected


def _with_rules(
    rules: Sequence[_ScannedRule],
    always: tuple[_ScannedRule, ...],
    postings: tuple[_PostingLists, ...],
) -> ScanBucket:
    clash = may_conflict(action for rule in rules for action in rule.actions)
    return ScanBucket(tuple(rules), always, postings, clash)


def _short(literals: ByFact) -> ByFact:
    """Leave out facts with long lists of values: no rule is posted under that many cells."""
    return {
        fact: group
        for fact, group in literals.items()
        if not any(x.operator in LIST_OPERATORS and len(x.operand) > MAX_CELLS for x in group)
    }


def _choose_cells(fact: str, partition: Partition, literals: Sequence[Literal]) -> Access | None:
    """Choose the cells where the literals hold, if they are few and at most half of all."""
    intervals = partition.intervals(literals)
    if sum(high - low for low, high in intervals) > min(MAX_CELLS, partition.count // 2):
        return None
    return Access(fact, 1, [cell for interval in intervals for cell in range(*interval)])
