"""clipspy: each rule is a rule of CLIPS' Rete network.

Rules collect their ids in a global, which is faster than reading the agenda.
"""

from __future__ import annotations

from typing import Any

import clips

from bench.peers import Match, Peer
from bench.workload import CHOICES, Rule, Scalar, Test, WorkEvent, Workload, flat, number

__all__ = ["PEER"]

TEMPLATE = """(deftemplate event
  (slot product_id (type SYMBOL)) (slot event (type SYMBOL))
  (slot payment_method (type SYMBOL)) (slot currency (type SYMBOL)) (slot language (type SYMBOL))
  (slot country (type SYMBOL)) (slot offer (type SYMBOL))
  (slot installments (type INTEGER)) (slot recurrence_number (type INTEGER))
  (slot price (type FLOAT)))"""
SYMBOLS = ("product_id", "event", "offer", *CHOICES)


def _text(value: Scalar) -> str:
    return str(number(value))


def _slot(test: Test) -> str:
    match test:
        case Test(fact, "in", tuple(values)):
            return f"({fact} {'|'.join(map(_text, values))})"
        case Test(fact, "between", (low, high)):
            return f"({fact} ?{fact}&:(<= {_text(low)} ?{fact} {_text(high)}))"
        case Test(fact, operator, value) if not isinstance(value, tuple):
            if operator == "eq":
                return f"({fact} {_text(value)})"
            return f"({fact} ?{fact}&:(>= ?{fact} {_text(value)}))"
    raise ValueError(test.operator)


def _defrule(rule: Rule) -> str:
    slots = " ".join(map(_slot, rule.tests))
    pattern = f"(event (product_id {rule.product_id}) (event {rule.event}) {slots})"
    return f"(defrule {rule.id} {pattern} => (bind ?*found* (create$ ?*found* {rule.id})))"


def _source(work: Workload) -> list[str]:
    return [_defrule(rule) for rule in work.rules]


def _build(source: list[str]) -> Match:
    environment = clips.Environment()
    environment.build("(defglobal ?*found* = (create$))")
    environment.build(TEMPLATE)
    for text in source:
        environment.build(text)
    assert_fact = environment.find_template("event").assert_fact
    found = environment.find_global("found")

    def match(event: dict[str, Any]) -> Any:
        fact = assert_fact(**event)
        environment.run()
        fact.retract()
        result = found.value
        if result:
            found.value = ()
        return result

    return match


def _event(event: WorkEvent) -> dict[str, Any]:
    record: dict[str, Any] = flat(event)
    return record | {name: clips.Symbol(record[name]) for name in SYMBOLS}


PEER = Peer("dict", _source, _build, _event)
