"""The columns of events and of plans: their names and types.

A fact has a column only if the rules use it, of the type that the catalogue gives it. No name
has a dot, because Spark takes a dot for a field of a struct.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from listboss.errors import ConfigurationError
from listboss.rules._text import quoted, wrong_type
from listboss.rules.automatic import FIRST_CHARGE
from listboss.rules.catalogue import FactKind, FactType
from listboss.rules.condition import comparisons
from listboss.rules.event import OWN_FACTS
from listboss.rules.ruleset import RuleSet
from listboss.scale._arrow import CODE, INSTANT, TEXT, Schema, pa

__all__ = [
    "CONTACT_COLUMNS",
    "DECIMAL",
    "EVENT_COLUMNS",
    "FACT_TYPES",
    "PLAN_COLUMNS",
    "event_schema",
    "fact_columns",
    "plan_schema",
]

CONTACT_COLUMNS = {
    "full_name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
}
"""The columns of a contact beside `email`, and its fields. `name` is the name of the event."""

EVENT_COLUMNS = {
    "event_id": TEXT,
    "name": CODE,
    "product_id": CODE,
    "email": TEXT,
    **dict.fromkeys(CONTACT_COLUMNS, TEXT),
    "occurred_at": INSTANT,
    "plan_id": CODE,
    "plan_name": CODE,
    "transaction": TEXT,
    "subscriber_code": TEXT,
    "is_test": pa.bool_(),
}
"""The columns of every event, without its facts."""

PLAN_COLUMNS = {
    "event_id": TEXT,
    "event_name": CODE,
    "product_id": CODE,
    "occurred_at": INSTANT,
    "is_test": pa.bool_(),
    "subscription_plan": CODE,
    "transaction": TEXT,
    "subscriber_code": TEXT,
    "about": CODE,
    "ends": pa.bool_(),
    "rank": pa.int64(),
    "n": pa.int32(),
    "actions": pa.int32(),
    "action_id": TEXT,
    "provider": CODE,
    "account": CODE,
    "email": TEXT,
    "kind": CODE,
    "target": CODE,
    "parameters": CODE,
    "data": TEXT,
    "because": pa.list_(TEXT),
    "automatic": pa.bool_(),
    "idle": CODE,
    "row": pa.int64(),
    "error": CODE,
}

# 38 digits are the most that decimal128, Spark and DuckDB have; with 9 of them after the point,
# the type is the NUMERIC of warehouses: every amount of money fits, and most rates do.
DECIMAL = pa.decimal128(38, 9)
FACT_TYPES = {
    **dict.fromkeys(FactKind, CODE),
    FactKind.INTEGER: pa.int64(),
    FactKind.DECIMAL: DECIMAL,
    FactKind.BOOLEAN: pa.bool_(),
    FactKind.INSTANT: INSTANT,
}


def _used(rules: RuleSet) -> Iterator[str]:
    if rules.capture_provider is not None:
        yield FIRST_CHARGE.fact
    for rule in rules:
        yield from rule.send
        for _, comparison in comparisons(rule.condition):
            yield comparison.fact


def fact_columns(rules: RuleSet) -> dict[str, FactType]:
    """Return the facts that the rules use by column, sorted by fact; own fields are left out."""
    if not isinstance(cast("object", rules), RuleSet):
        raise wrong_type("a rule set", rules, "$.rules")
    named = {name: rules.catalogue.fact(name) for name in sorted({*_used(rules)} - {*OWN_FACTS})}
    columns: dict[str, FactType] = {}
    for name, fact in named.items():
        if fact is None:  # a rule on it does not run, or it is a field of the contact
            continue
        column = "fact__" + name.replace(".", "__")
        if column in columns:
            raise ConfigurationError(
                f"the facts {quoted(columns[column].name)} and {quoted(name)} have the same column",
                path="$.catalogue",
                hint=f"rename one of them: both have the column {quoted(column)}",
            )
        columns[column] = fact
    return columns


def event_schema(rules: RuleSet) -> Schema:
    """Return the columns of events as a `pyarrow.Schema`.

    After the fields of an event and its contact come the facts that a condition or `send` of
    any rule uses, each as `fact__NAME`, with `__` for a dot. The name of the contact is in
    `full_name`, since `name` is that of the event. Null means absent.

    >>> from listboss import Product, RuleSet, Segmentation, where
    >>> rule = Segmentation(
    ...     "Large",
    ...     product_id="42",
    ...     provider="mail",
    ...     event="purchase.approved",
    ...     condition=where.price >= 250,
    ...     actions=(),
    ... )
    >>> event_schema(RuleSet([Product("42", "Course")], [rule])).field("fact__price").type
    Decimal128Type(decimal128(38, 9))
    """
    facts = {column: FACT_TYPES[fact.kind] for column, fact in fact_columns(rules).items()}
    return pa.schema({**EVENT_COLUMNS, **facts})


def plan_schema() -> Schema:
    """Return the columns that `plan_batch` makes, as a `pyarrow.Schema`.

    >>> plan_schema().field("occurred_at").type
    TimestampType(timestamp[us, tz=UTC])
    """
    return pa.schema(PLAN_COLUMNS)
