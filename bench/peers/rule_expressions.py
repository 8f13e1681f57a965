"""rule-engine: one parsed expression per rule, over plain records."""

from __future__ import annotations

import json
from typing import Any

import rule_engine

from bench.peers import Match, Peer
from bench.workload import Rule, Scalar, Test, Workload, number

__all__ = ["PEER"]


def _text(value: Scalar) -> str:
    return json.dumps(number(value))


def _part(test: Test) -> str:
    match test:
        case Test(fact, "in", tuple(values)):
            return f"{fact} in [{', '.join(map(_text, values))}]"
        case Test(fact, "between", (low, high)):
            return f"{fact} >= {_text(low)} and {fact} <= {_text(high)}"
        case Test(fact, operator, value) if not isinstance(value, tuple):
            return f"{fact} {'==' if operator == 'eq' else '>='} {_text(value)}"
    raise ValueError(test.operator)


def _expression(rule: Rule) -> str:
    fixed = [f'product_id == "{rule.product_id}"', f'event == "{rule.event}"']
    return " and ".join([*fixed, *map(_part, rule.tests)])


def _source(work: Workload) -> list[tuple[str, str]]:
    return [(rule.id, _expression(rule)) for rule in work.rules]


def _build(source: list[tuple[str, str]]) -> Match:
    context = rule_engine.Context(resolver=rule_engine.resolve_item)
    rules = [(rule_id, rule_engine.Rule(text, context=context).matches) for rule_id, text in source]

    def match(event: dict[str, Any]) -> list[str]:
        return [rule_id for rule_id, matches in rules if matches(event)]

    return match


PEER = Peer("dict", _source, _build)
