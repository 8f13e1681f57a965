"""A few rules of one product, event and plan, found without masks: they are asked.

The first comparison of a rule stands in the rule itself. Where several rules turn on one
fact (an offer code, a price), they are filed under its cells, and an event asks only those
of its own cell.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from listboss.engine.matching.encoder import Door, door_of
from listboss.engine.matching.normal_form import (
    LISTS,
    ByFact,
    Conjunction,
    Facts,
    Literal,
    Test,
    by_fact,
    conjunction,
    hold,
    without,
)
from listboss.engine.matching.partition import Domain, domains_of
from listboss.engine.planning.compiled import PreparedRule, Step, position_of
from listboss.engine.planning.conflict import may_conflict
from listboss.plan import Idle
from listboss.rules._facts import Reader

__all__ = ["NOTHING", "FewRules", "few_rules"]

MOST_UNFILED = 4
"""So few rules are always asked by every event."""
FEWEST_FILED = 3
"""So many rules are worth a look into a table; asking one of them costs about as much."""
MOST_PLACES = 32
"""Under how many cells a rule may be filed; so tables grow with the rules, not their square."""


@attrs.frozen(eq=False, weakref_slot=False)
class _AskedRule(PreparedRule):
    """A rule with its literals: the first in pieces, then the others.

    `read` is None if there is no literal.
    """

    fact: str = ""
    read: Reader | None = None
    test: Test = operator.eq
    operand: Any = None
    rest: Conjunction = ()


def _asked(rule: PreparedRule, literals: Conjunction) -> _AskedRule:
    kept = (rule.position, rule.id, rule.rule, rule.steps, rule.check)
    if not literals:
        return _AskedRule(*kept)
    fact, read, test, operand, _, _, _ = literals[0]
    return _AskedRule(*kept, fact, read, test, operand, literals[1:])


_Rules: TypeAlias = tuple[_AskedRule, ...]
_Shelf: TypeAlias = tuple[str, Door, tuple[_Rules, ...]]
"""A fact, its door, and the rules by place."""


@attrs.frozen(eq=False, weakref_slot=False)
class FewRules:
    """Rules that are asked: some by every event, others by those of their cell of a fact.

    `automatic` are the steps of events that come here, whatever the rules; `idle` tells why
    there are no actions if nothing asks for any.
    """

    asked: Sequence[PreparedRule]
    always: _Rules
    shelves: tuple[_Shelf, ...]
    may_conflict: bool
    automatic: tuple[Step, ...] = ()
    idle: Idle = Idle.NO_RULE

    def match(self, facts: Facts) -> list[PreparedRule]:
        """Return the rules that hold, in any order."""
        get = facts.get
        rules: Sequence[_AskedRule] = self.always
        if self.shelves:
            rules = [*rules]
            for fact, door, filed in self.shelves:
                rules += filed[door(get(fact))]
        matched: list[PreparedRule] = []
        for rule in rules:
            if rule.read is not None:
                value = rule.read(get(rule.fact))
                if value is None or not rule.test(value, rule.operand):
                    continue
                if rule.rest and not hold(rule.rest, facts):
                    continue
            if rule.check is None or rule.check(facts):
                matched.append(rule)
        return matched

    def match_ids(self, facts: Facts) -> tuple[str, ...]:
        """Return the ids of the rules that hold, as declared."""
        matched = self.match(facts)
        if len(matched) > 1:
            matched.sort(key=position_of)
        return tuple([rule.id for rule in matched]) if matched else ()

    def match_steps(self, facts: Facts) -> Sequence[Step]:
        """Return the steps of the rules that hold, as declared if they may conflict."""
        matched = self.match(facts)
        if len(matched) < 2:
            return matched[0].steps if matched else ()
        if self.may_conflict:
            matched.sort(key=position_of)
        return [step for rule in matched for step in rule.steps]

    def rules(self) -> Sequence[PreparedRule]:
        """Return all rules, in the order declared."""
        return self.asked


NOTHING = {idle: FewRules((), (), (), may_conflict=False, idle=idle) for idle in Idle}
"""Buckets without rules, by the reason why there is nothing to do."""


def few_rules(rules: Iterable[tuple[PreparedRule, Conjunction]]) -> tuple[FewRules, float]:
    """File rules where that pays; also tell how many of them an event asks, more or less."""
    split = [(rule, by_fact(literals)) for rule, literals in rules]
    if len(split) <= MOST_UNFILED:
        asked = tuple([_asked(rule, conjunction(literals)) for rule, literals in split])
        return _few(asked, asked, ()), len(asked)
    short = [{f: x for f, x in literals.items() if not _is_long(x)} for _, literals in split]
    domains = domains_of(short)
    narrow = [_narrow(literals, domains) for literals in short]
    facts = _facts_to_file_under(narrow)
    every: list[_AskedRule] = []
    always: list[_AskedRule] = []
    tables: dict[str, list[list[_AskedRule]]] = {
        fact: [[] for _ in range(domains[fact].places)] for fact in facts
    }
    expected = 0.0
    for (rule, literals), places_of in zip(split, narrow, strict=True):
        fact = next((fact for fact in facts if fact in places_of), None)
        each = _asked(rule, conjunction(without(literals, fact)))
        every.append(each)
        if fact is None:
            always.append(each)
            continue
        expected += len(places_of[fact]) / domains[fact].places
        for place in places_of[fact]:
            tables[fact][place].append(each)
    shelves = tuple([(f, door_of(domains[f]), tuple(map(tuple, tables[f]))) for f in facts])
    return _few(every, tuple(always), shelves), expected + len(always)


def _few(asked: Sequence[_AskedRule], always: _Rules, shelves: tuple[_Shelf, ...]) -> FewRules:
    clash = may_conflict(step for rule in asked for step in rule.steps)
    return FewRules(tuple(asked), always, shelves, clash)


def _is_long(literals: Iterable[Literal]) -> bool:
    """Whether they list more values than a rule would be filed under."""
    return any(asked.operator in LISTS and len(asked.operand) > MOST_PLACES for asked in literals)


def _narrow(literals: ByFact, domains: Mapping[str, Domain]) -> dict[str, list[int]]:
    """Return the facts that few values meet, at most half of them, and the places of those."""
    found: dict[str, list[int]] = {}
    for fact, asked in literals.items():
        domain = domains[fact]
        spans = domain.spans(domain.constraint(asked))
        if sum(high - low for low, high in spans) <= min(MOST_PLACES, domain.places // 2):
            found[fact] = [place for span in spans for place in range(*span)]
    return found


def _facts_to_file_under(narrow: Sequence[Mapping[str, object]]) -> list[str]:
    """Choose facts, the one that most rules turn on first, while enough rules are left."""
    chosen: list[str] = []
    left = list(narrow)
    while votes := Counter(fact for facts in left for fact in facts):
        fact, count = votes.most_common(1)[0]
        if count < FEWEST_FILED:
            break
        chosen.append(fact)
        left = [facts for facts in left if fact not in facts]
    return chosen
