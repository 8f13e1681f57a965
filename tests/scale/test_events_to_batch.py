"""`events_to_batch`: what a column can hold, and what it refuses."""

from decimal import Decimal
from typing import Any

import pytest

from listboss import where
from listboss.errors import ArgumentTypeError, EventError, ListBossError
from listboss.scale import event_schema, events_to_batch
from tests.scale.worlds import NOON, large_orders, order

RULES = large_orders((where.price >= 250) & (where.country == "BR") & (where.installments > 1))


def fault_of(*events: Any) -> ListBossError:
    """The error of writing these events."""
    with pytest.raises(ListBossError) as caught:
        events_to_batch(events, RULES)
    return caught.value


def test_a_batch_has_the_schema_of_the_rules():
    """Whatever the events have."""
    assert event_schema(RULES) == events_to_batch([order(contact=None, facts={})], RULES).schema


def test_no_events_make_an_empty_batch():
    """It has the columns."""
    batch = events_to_batch([], RULES)

    assert (0, event_schema(RULES)) == (batch.num_rows, batch.schema)


def test_values_are_those_of_the_event():
    """A fact that the event lacks is null, and so is a blank one."""
    event = order(plan_id="p-1", subscriber_code="S1", facts={"price": 300, "country": " "})

    (row,) = events_to_batch([event], RULES).to_pylist()

    assert {
        "event_id": "e-0",
        "name": "purchase.approved",
        "product_id": "42",
        "email": "ana@example.com",
        "full_name": "Ana",
        "first_name": None,
        "last_name": None,
        "phone": None,
        "occurred_at": NOON,
        "plan_id": "p-1",
        "plan_name": None,
        "transaction": "HP0",
        "subscriber_code": "S1",
        "is_test": False,
        "fact__country": None,
        "fact__installments": None,
        "fact__price": Decimal(300),
    } == row


def test_facts_that_rules_do_not_use_may_be_anything():
    """They are left out."""
    event = order(facts={"language": 5})

    assert "fact__language" not in events_to_batch([event], RULES).schema.names


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"price": "300"}, "expected a decimal or an integer, got a string"),
        ({"country": 55}, "expected a string, got an integer"),
        ({"installments": True}, "expected an integer, got a boolean"),
        ({"installments": NOON}, "expected an integer, got a date and time"),
    ],
)
def test_a_fact_of_another_kind_is_refused(facts, expected):
    """The path has the number of the event and the fact."""
    fault = fault_of(order(), order(facts=facts))

    assert (ArgumentTypeError, f"$.events[1].facts.{next(iter(facts))}", expected) == (
        type(fault),
        fault.path,
        fault.message,
    )


@pytest.mark.parametrize("price", ["1E+29", "-1E+29", "0.0000000001", "1.0000000001"])
def test_a_decimal_that_does_not_fit_is_refused(price):
    """No digit is dropped in silence."""
    fault = fault_of(order(facts={"price": Decimal(price)}))

    assert (EventError, "$.events[0].facts.price") == (type(fault), fault.path)


@pytest.mark.parametrize("price", ["99999999999999999999999999999.999999999", "0.000000001", "-0"])
def test_a_decimal_that_fits_is_kept(price):
    """38 digits, 9 of them after the point."""
    batch = events_to_batch([order(facts={"price": Decimal(price)})], RULES)

    assert [Decimal(price)] == batch.column("fact__price").to_pylist()


@pytest.mark.parametrize(
    ("number", "is_kept"), [(2**63 - 1, True), (-(2**63), True), (2**63, False)]
)
def test_integers_have_64_bits(number, is_kept):
    """A longer one is refused."""
    event = order(facts={"installments": number})

    if is_kept:
        batch = events_to_batch([event], RULES)
        assert [number] == batch.column("fact__installments").to_pylist()
    else:
        assert "the number has more than 64 bits" == fault_of(event).message


@pytest.mark.parametrize("name", ["plan_id", "plan_name", "subscriber_code", "transaction"])
def test_a_fact_that_differs_from_its_field_is_refused(name):
    """A batch has one column for both."""
    fields: dict[str, Any] = {name: "a", "facts": {name: "b"}}
    fault = fault_of(order(**fields))

    assert (f"$.events[0].facts.{name}", "the fact differs from the field of the event") == (
        fault.path,
        fault.message,
    )


def test_a_blank_fact_beside_its_field_is_missing():
    """As for the engine."""
    event = order(transaction=None, facts={"transaction": " "})

    assert [None] == events_to_batch([event], RULES).column("transaction").to_pylist()


def test_something_else_than_events_is_refused():
    """The path has its number; a set is refused as a whole, because it has no order."""
    assert "$.events[1]" == fault_of(order(), {}).path
    with pytest.raises(ArgumentTypeError, match="a set has no order"):
        events_to_batch({1}, RULES)  # type: ignore[arg-type] # on purpose


def test_an_iterator_is_read_once():
    """Events may come from a generator."""
    events: Any = (order(n) for n in range(3))

    assert ["e-0", "e-1", "e-2"] == events_to_batch(events, RULES).column("event_id").to_pylist()
