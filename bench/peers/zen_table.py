"""zen-engine: one decision table that collects, compiled once and returned by a loader.

This is its fastest form, found by trial. The column that its index cannot serve (price)
comes first, empty cells are left out, and a comparison of small integers is a list of the
values that pass, because its index can serve lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import zen

from bench.peers import Match, Peer
from bench.workload import FACTS, INTEGERS, Rule, Scalar, Test, Workload, number

__all__ = ["PEER"]

COLUMNS = ("product_id", "event", *sorted(FACTS, key=lambda fact: fact != "price"))


def _text(value: Scalar) -> str:
    return json.dumps(number(value))


def _points(values: Iterable[int]) -> str:
    return ", ".join(map(str, values))


def _cell(test: Test) -> str:
    match test:
        case Test(fact, "gte", int(low)) if fact in INTEGERS:
            return _points(range(low, INTEGERS[fact] + 1))
        case Test(fact, "between", (int(low), int(high))) if fact in INTEGERS:
            return _points(range(low, high + 1))
        case Test(_, "in", tuple(values)):
            return ", ".join(map(_text, values))
        case Test(_, "between", (low, high)):
            return f"[{_text(low)}..{_text(high)}]"
        case Test(_, operator, value) if not isinstance(value, tuple):
            return _text(value) if operator == "eq" else f">= {_text(value)}"
    raise ValueError(test.operator)


def _row(rule: Rule) -> dict[str, str]:
    tested = {test.fact: _cell(test) for test in rule.tests}
    fixed = {"product_id": _text(rule.product_id), "event": _text(rule.event)}
    return {"_id": rule.id, **fixed, **tested, "id": _text(rule.id)}


def _source(work: Workload) -> str:
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "field": name} for name in COLUMNS],
        "outputs": [{"id": "id", "name": "id", "field": "id"}],
        "rules": list(map(_row, work.rules)),
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "table", "type": "decisionTableNode", "name": "table", "content": table},
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [
        {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def _build(source: str) -> Match:
    content = zen.ZenDecisionContent(source)
    evaluate = zen.ZenEngine({"loader": lambda _key: content}).evaluate
    evaluate("rules", {})  # compiles

    def match(event: dict[str, Any]) -> Any:
        return evaluate("rules", event)["result"]

    return match


def _ids(result: Any) -> set[str]:
    return {row["id"] for row in result}


PEER = Peer("dict", _source, _build, ids=_ids)
