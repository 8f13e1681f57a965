"""durable-rules: each rule is a rule of its Rete network.

The event is asserted as a fact and then retracted, because the first rule that matches a
posted event consumes it. The background timers of the host are stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from durable.engine import Host, MessageNotHandledException

from bench.peers import Match, Peer
from bench.workload import Operator, Rule, Test, Workload, number

__all__ = ["PEER"]


def _any(fact: str, values: Any) -> list[dict[str, Any]]:
    return [{"$or": [{fact: number(value)} for value in values]}]


def _between(fact: str, ends: Any) -> list[dict[str, Any]]:
    low, high = map(number, ends)
    return [{"$gte": {fact: low}}, {"$lte": {fact: high}}]


FORMS: Mapping[Operator, Callable[[str, Any], list[dict[str, Any]]]] = {
    "eq": lambda fact, value: [{fact: number(value)}],
    "in": _any,
    "gte": lambda fact, value: [{"$gte": {fact: number(value)}}],
    "between": _between,
}


def _parts(test: Test) -> list[dict[str, Any]]:
    return FORMS[test.operator](test.fact, test.value)


def _condition(rule: Rule) -> dict[str, Any]:
    parts = [{"product_id": rule.product_id}, {"event": rule.event}]
    return {"$and": parts + [part for test in rule.tests for part in _parts(test)]}


def _source(work: Workload) -> dict[str, dict[str, Any]]:
    return {rule.id: {"all": [{"m": _condition(rule)}]} for rule in work.rules}


def _build(source: dict[str, dict[str, Any]]) -> Match:
    found: list[str] = []

    def run(rule_id: str) -> Callable[[Any], None]:
        return lambda _closure: found.append(rule_id)

    rules = {rule_id: {**rule, "run": run(rule_id)} for rule_id, rule in source.items()}
    host = Host({"rules": rules})
    for timer in (host._d_timer, host._t_timer):
        timer.cancel()
    numbers = count()

    def match(event: dict[str, Any]) -> list[str]:
        found.clear()
        fact = {"id": next(numbers), "sid": 0, **event}
        try:
            host.assert_fact("rules", fact)
        except MessageNotHandledException:
            return []
        host.retract_fact("rules", fact)
        return found.copy()

    return match


PEER = Peer("dict", _source, _build)
