"""datalogic-py (JSON-Logic), in two forms.

Either each rule is compiled to a program and one call evaluates all of them, or all rules are
merged into one program.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import datalogic_py

from bench.peers import Match, Peer
from bench.workload import Operator, Rule, Workload, number

__all__ = ["ONE_PROGRAM", "RULE_BY_RULE"]

FORMS: Mapping[Operator, Callable[[Any, Any], dict[str, Any]]] = {
    "eq": lambda var, value: {"==": [var, number(value)]},
    "in": lambda var, values: {"in": [var, list(map(number, values))]},
    "gte": lambda var, value: {">=": [var, number(value)]},
    "between": lambda var, ends: {"<=": [number(ends[0]), var, number(ends[1])]},
}


def _logic(rule: Rule) -> dict[str, Any]:
    fixed = (("product_id", rule.product_id), ("event", rule.event))
    parts = [{"==": [{"var": name}, value]} for name, value in fixed]
    parts += [FORMS[test.operator]({"var": test.fact}, test.value) for test in rule.tests]
    return {"and": parts}


def _each(work: Workload) -> list[tuple[str, str]]:
    return [(rule.id, json.dumps(_logic(rule))) for rule in work.rules]


def _build_each(source: list[tuple[str, str]]) -> Match:
    engine = datalogic_py.Engine()
    ids = [rule_id for rule_id, _text in source]
    rules = [engine.compile(text) for _rule_id, text in source]
    evaluate = engine.session().evaluate_many

    def match(event: dict[str, Any]) -> list[str]:
        answers = evaluate(rules, datalogic_py.DataHandle(event))
        return [rule_id for rule_id, answer in zip(ids, answers, strict=True) if answer == "true"]

    return match


def _merged(work: Workload) -> str:
    return json.dumps({"merge": [{"if": [_logic(rule), rule.id, []]} for rule in work.rules]})


def _build_merged(source: str) -> Match:
    engine = datalogic_py.Engine()
    program = engine.compile(source)
    evaluate = engine.session().evaluate_data

    def match(event: dict[str, Any]) -> Any:
        return evaluate(program, datalogic_py.DataHandle(event))

    return match


RULE_BY_RULE = Peer("dict", _each, _build_each)
ONE_PROGRAM = Peer("dict", _merged, _build_merged)
