"""Events of small worlds as a batch can hold them, and the plans to compare with."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import pyarrow as pa

from listboss import AddTag, Contact, Engine, Event, Plan, Product, RuleSet, Segmentation, where
from listboss.rules import Capabilities, FactKind, FactType
from listboss.testing import random_event, random_rules

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TYPES: dict[FactKind, tuple[type, ...]] = {
    **dict.fromkeys(FactKind, (str,)),
    FactKind.INTEGER: (int,),
    FactKind.DECIMAL: (int, Decimal),
    FactKind.BOOLEAN: (bool,),
    FactKind.INSTANT: (datetime,),
}


def fits(fact: FactType | None, value: object) -> bool:
    """Whether a column of the fact can hold the value."""
    if fact is None:
        return False
    match value:
        case str():
            return str in TYPES[fact.kind] and bool(value.strip())
        case int() if type(value) is int:
            return int in TYPES[fact.kind] and -(2**63) <= value < 2**63
        case Decimal():
            places = -int(value.as_tuple().exponent)
            return Decimal in TYPES[fact.kind] and places <= 9 and value.adjusted() < 29
        case _:
            return type(value) in TYPES[fact.kind]


def fitting(event: Event, rules: RuleSet) -> Event:
    """The event without facts that no column can hold; what a decimal fact has is a decimal."""
    facts: dict[str, Any] = {}
    for name, value in event.facts.items():
        fact = rules.catalogue.fact(name)
        if name not in ("plan_id", "plan_name", "subscriber_code", "transaction") and fits(
            fact, value
        ):
            is_decimal = fact is not None and fact.kind is FactKind.DECIMAL
            facts[name] = Decimal(str(value)) if is_decimal else value
    return attrs.evolve(event, facts=facts)


def world(seed: int, size: int) -> tuple[RuleSet, list[Event]]:
    """A small world and its events."""
    dice = Random(seed)
    rules = random_rules(dice)
    events = [fitting(random_event(dice, rules, id=f"e-{n}"), rules) for n in range(size)]
    return rules, events


def planned(engine: Engine, events: Sequence[Event]) -> list[Plan]:
    """The plans of `Engine.plan`, without the conflicts, for which there are no columns."""
    return [attrs.evolve(engine.plan(event), conflicts=()) for event in events]


def large_orders(condition: Any = where.price >= 250) -> RuleSet:
    """One rule, which asks for a price or for another condition."""
    rule = Segmentation(
        "Large orders",
        id="large",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        condition=condition,
        actions=AddTag("large-order"),
        enabled=True,
    )
    return RuleSet(
        [Product("42", "Course", approved_at=date(2025, 1, 1))],
        [rule],
        providers={"mail": Capabilities.everything()},
    )


def order(n: int = 0, **fields: Any) -> Event:
    """An order that the rule matches."""
    given: dict[str, Any] = {
        "name": "purchase.approved",
        "id": f"e-{n}",
        "product_id": "42",
        "contact": Contact("ana@example.com", name="Ana"),
        "occurred_at": NOON,
        "transaction": f"HP{n}",
        "facts": {"price": Decimal("300.50")},
    }
    given |= fields
    return Event(given.pop("name"), **given)


def changed(batch: pa.RecordBatch, column: str, values: pa.Array) -> pa.RecordBatch:
    """The batch with other values in a column."""
    arrays = [
        values if name == column else array
        for name, array in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)
