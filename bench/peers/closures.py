"""A plain loop over closures: the first version that one would write by hand.

Reads the same `Event` objects as listboss and compares product and event name before facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from bench.listboss_event import event
from bench.peers import Match, Peer, rules_of
from bench.workload import Operator, Rule, Test

__all__ = ["PEER"]

Check: TypeAlias = Callable[[Mapping[str, Any]], bool]


def _eq(fact: str, value: str | int | Decimal) -> Check:
    return lambda facts: facts[fact] == value


def _in(fact: str, values: tuple[str, ...]) -> Check:
    members = frozenset(values)
    return lambda facts: facts[fact] in members


def _gte(fact: str, low: int | Decimal) -> Check:
    return lambda facts: facts[fact] >= low


def _between(fact: str, ends: tuple[int | Decimal, int | Decimal]) -> Check:
    low, high = ends
    return lambda facts: low <= facts[fact] <= high


CHECKS: Mapping[Operator, Callable[[str, Any], Check]] = {
    "eq": _eq,
    "in": _in,
    "gte": _gte,
    "between": _between,
}


def _check(test: Test) -> Check:
    return CHECKS[test.operator](test.fact, test.value)


def _build(rules: Sequence[Rule]) -> Match:
    table = [(r.product_id, r.event, tuple(map(_check, r.tests)), r.id) for r in rules]

    def match(event: Any) -> list[str]:
        product, name, facts = event.product_id, event.name, event.facts
        found = []
        for product_id, event_name, checks, rule_id in table:
            if product_id == product and event_name == name:
                for check in checks:
                    if not check(facts):
                        break
                else:
                    found.append(rule_id)
        return found

    return match


PEER = Peer("Event", rules_of, _build, event)
