"""`webhooks_to_batch`: bodies as `hotmart.parse` reads them, and a row for each that gives none."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import Engine, where
from listboss.errors import ConfigurationError, EventError, WebhookError
from listboss.hotmart import parse
from listboss.scale import batch_to_plans, event_schema, plan_batch, webhooks_to_batch
from listboss.testing import payloads
from tests.scale.worlds import NOON, large_orders, planned

SHAPES = sorted((Path(__file__).parents[1] / "hotmart" / "shapes").iterdir())
RULES = large_orders((where.price >= 1) | where.currency.is_set())
ENGINE = Engine(RULES)
APPROVED = {
    "id": "w-1",
    "event": "PURCHASE_APPROVED",
    "creation_date": 1_777_896_000_000,
    "data": {
        "product": {"id": 42},
        "buyer": {"email": "ana@example.com"},
        "purchase": {"transaction": "HP1", "price": {"value": 300, "currency_value": "BRL"}},
    },
}


def errors(batch: pa.RecordBatch) -> list[object]:
    """Why rows are not events."""
    return [*batch.column("error").to_pylist()]


def test_every_shape_of_webhook():
    """The events of a batch of bodies have the plans of the events that `parse` returns."""
    bodies = [path.read_bytes() for path in SHAPES]
    events = [event for body in bodies for event in parse(body, received_at=NOON).events]

    batch = webhooks_to_batch(pa.array(bodies), RULES, received_at=[NOON] * len(bodies))

    kept = batch.filter(pa.compute.is_null(batch.column("error")))
    assert len(events) == kept.num_rows
    assert planned(ENGINE, events) == [*batch_to_plans(plan_batch(ENGINE, kept))]
    ignored = [body for body in bodies if not parse(body, received_at=NOON).events]
    assert len(ignored) == batch.num_rows - len(events)


@given(st.lists(payloads() | st.binary(max_size=20), max_size=5))
def test_any_body_gives_a_row(given_bodies):
    """Whatever a body is, the batch is made: a row for each event, or one that says why not."""
    bodies = [each if isinstance(each, bytes) else json.dumps(each) for each in given_bodies]
    expected = 0
    for body in bodies:
        try:
            expected += max(1, len(parse(body).events))
        except WebhookError:
            expected += 1

    batch = webhooks_to_batch(bodies, RULES)

    assert expected == batch.num_rows
    assert batch.num_rows == len({*plan_batch(ENGINE, batch).column("row").to_pylist()})


def test_the_columns_are_those_of_events_and_the_error():
    """So that every engine knows the schema before it reads a body."""
    batch = webhooks_to_batch([], RULES)

    assert [*event_schema(RULES).names, "error"] == batch.schema.names


def test_why_a_body_gave_no_event():
    """A code, or the reason why it is ignored; never a part of the body."""
    bodies = [None, b"\xff", '{"event": "ORDER_FULFILLMENT"}', json.dumps(APPROVED)]

    batch = webhooks_to_batch(bodies, RULES)

    assert [
        "missing @ $.body",
        "invalid_webhook @ $.body",
        "unknown_event @ $.body",
        None,
    ] == errors(batch)


def test_plans_repeat_the_error():
    """A row that has an error is not planned, and the reason is not lost."""
    batch = webhooks_to_batch([b"{}", json.dumps(APPROVED)], RULES)

    plans = plan_batch(ENGINE, batch)

    assert ["no_event @ $.body", None] == plans.column("error").to_pylist()
    assert [None, "large-order"] == plans.column("target").to_pylist()


def test_a_fact_without_room_is_an_error_of_its_row():
    """A price that no column can hold does not fail the batch."""
    body = json.dumps(APPROVED).replace('"value": 300', '"value": 1.0000000000001')

    batch = webhooks_to_batch([body, json.dumps(APPROVED)], RULES)

    assert ["invalid_event @ $.facts.price", None] == errors(batch)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.string_view()])
def test_arrays_of_strings_and_bytes(kind):
    """Whatever the type of the column."""
    batch = webhooks_to_batch(pa.array([json.dumps(APPROVED), None], pa.string()).cast(kind), RULES)

    assert [None, "missing @ $.body"] == errors(batch)
    assert "w-1:purchase.approved" == batch.column("event_id")[0].as_py()


def test_the_time_of_a_body_without_a_date():
    """It is used as for `parse`."""
    body = json.dumps({key: APPROVED[key] for key in ("id", "event", "data")})
    times = pa.array([NOON, None], pa.timestamp("ns", tz="America/Sao_Paulo"))

    batch = webhooks_to_batch([body, body], RULES, received_at=times)

    assert [None, "no_time @ $.body"] == errors(batch)
    assert NOON == batch.column("occurred_at")[0].as_py()


@pytest.mark.parametrize("times", [[], [NOON, NOON]])
def test_another_number_of_times(times):
    """Each body has its time."""
    with pytest.raises(ConfigurationError, match="one time for each body") as caught:
        webhooks_to_batch([json.dumps(APPROVED)], RULES, received_at=times)
    assert "$.received_at" == caught.value.path


def test_a_time_without_a_zone():
    """It is not taken for one of this machine's zone."""
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(EventError) as caught:
        webhooks_to_batch([json.dumps(APPROVED)], RULES, received_at=[naive])
    assert "$.received_at" == caught.value.path
