"""business-rules: JSON conditions over a class of typed variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from business_rules import run_all
from business_rules.actions import BaseActions, rule_action
from business_rules.fields import FIELD_TEXT
from business_rules.variables import BaseVariables, numeric_rule_variable, string_rule_variable

from bench.peers import Match, Peer
from bench.workload import CHOICES, INTEGERS, Operator, Rule, WorkEvent, Workload

__all__ = ["PEER"]


class _Facts(BaseVariables):  # type: ignore[misc]  # business-rules has no types
    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record


def _variable(name: str) -> Callable[[_Facts], Any]:
    def read(facts: _Facts) -> Any:
        return facts.record[name]

    read.__name__ = name
    return read


for _name in ("product_id", "event", "offer", *CHOICES):
    setattr(_Facts, _name, string_rule_variable()(_variable(_name)))
for _name in ("price", *INTEGERS):
    setattr(_Facts, _name, numeric_rule_variable()(_variable(_name)))


class _Found(BaseActions):  # type: ignore[misc]  # business-rules has no types
    def __init__(self) -> None:
        self.ids: list[str] = []

    @rule_action(params={"rule_id": FIELD_TEXT})  # type: ignore[untyped-decorator]  # as above
    def add(self, rule_id: str) -> None:
        self.ids.append(rule_id)


def _compare(fact: str, operator: str, value: Any) -> dict[str, Any]:
    return {"name": fact, "operator": operator, "value": value}


FORMS: Mapping[Operator, Callable[[str, Any], list[dict[str, Any]]]] = {
    "eq": lambda fact, value: [_compare(fact, "equal_to", value)],
    "in": lambda fact, values: [{"any": [_compare(fact, "equal_to", value) for value in values]}],
    "gte": lambda fact, value: [_compare(fact, "greater_than_or_equal_to", value)],
    "between": lambda fact, ends: [
        _compare(fact, "greater_than_or_equal_to", ends[0]),
        _compare(fact, "less_than_or_equal_to", ends[1]),
    ],
}


def _rule(rule: Rule) -> dict[str, Any]:
    parts = [
        _compare("product_id", "equal_to", rule.product_id),
        _compare("event", "equal_to", rule.event),
    ]
    for test in rule.tests:
        parts += FORMS[test.operator](test.fact, test.value)
    return {
        "conditions": {"all": parts},
        "actions": [{"name": "add", "params": {"rule_id": rule.id}}],
    }


def _source(work: Workload) -> list[dict[str, Any]]:
    return [_rule(rule) for rule in work.rules]


def _build(source: list[dict[str, Any]]) -> Match:
    def match(event: dict[str, Any]) -> list[str]:
        found = _Found()
        run_all(source, _Facts(event), found)
        return found.ids

    return match


def _event(event: WorkEvent) -> dict[str, str | int | Decimal]:
    return {"product_id": event.product_id, "event": event.name, **event.facts}


PEER = Peer("dict", _source, _build, _event)
