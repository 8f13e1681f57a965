import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listboss.hotmart import parse
from listboss.hotmart._webhook import MAX_ID_LENGTH
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import EventType

NOON = datetime(2025, 4, 30, 12, tzinfo=UTC)


def _id(body: Any, **options: Any) -> str:
    return parse(body, **options).events[0].id


@pytest.mark.parametrize(
    ("given", "kept"),
    [("0b6c2f0e", "0b6c2f0e"), (" mock-1 ", "mock-1"), (7, "7"), ("x" * MAX_ID_LENGTH,) * 2],
)
def test_own_id(sale, given, kept):
    """A body's own id is kept in any format, and each event id ends with the event name."""
    ids = [event.id for event in parse({**sale, "id": given}).events]
    assert [f"{kept}:purchase.approved", f"{kept}:subscription.active"] == ids


@pytest.mark.parametrize(
    "given", [None, "", " ", [], {}, True, 1.5, "x" * (MAX_ID_LENGTH + 1)], ids=repr
)
def test_digest_without_a_usable_id(sale, given):
    """Without an id or with an odd one, the body gets the same digest."""
    del sale["id"]
    assert _id({**sale, "id": given}) == _id(sale)
    assert len(_id(sale)) == len("0" * 32 + ":purchase.approved")


def test_one_id_on_two_different_events(sale):
    """Two kinds of events with the same webhook id have different ids."""
    assert _id(sale) != _id({**sale, "event": "PURCHASE_REFUNDED"})


def test_digest_is_stable(form, sale):
    """These digests never change, because journals keep ids."""
    del sale["id"]
    assert _id(form) == "44438d19e91587691273e0446ef1d00f:purchase.approved"
    assert _id(sale) == "a7edb7ad2e494aefa2b33ab095dcf2b5:purchase.approved"


def test_digest_of_a_redelivery(form):
    """Key order, wrapper, token, catalogue and time of receipt do not change the digest."""
    again = {**dict(reversed(form.items())), "hottok": "another"}
    other = HOTMART.extended(events=[EventType("own.event", "Own")])
    assert _id(form) == _id(json.dumps({"body": again}), catalogue=other, received_at=NOON)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transaction", "HP9"),
        ("status", "completed"),
        ("subscription_status", "canceled"),
        ("confirmation_purchase_date", "2025-05-30T08:00:00Z"),
        ("purchase_date", "2025-05-30T08:00:00Z"),
        ("prod", "9"),
        ("email", "bruno@example.com"),
        ("email", ""),
        ("name_subscription_plan", "Mensal"),
        ("off", "other"),
        ("recurrency", "2"),
    ],
)
def test_digest_of_another_webhook(form, field, value):
    """Another value in an identifying field gives another id."""
    assert _id(form) != _id({**form, field: value})


@pytest.mark.parametrize("field", ["hottok", "doc", "address", "name", "price"])
def test_digest_leaves_out(form, field):
    """The digest does not include the token, the document, the address, or correctable fields."""
    assert _id(form) == _id({**form, field: "changed"})


def test_digest_by_day_without_a_date(shape):
    """A cart without a date is one event a day, by the day of receipt."""
    body = shape("17-cart.json")
    del body["creationDate"]
    same_day, next_day = NOON + timedelta(hours=3), NOON + timedelta(days=1)
    assert _id(body, received_at=NOON) == _id(body, received_at=same_day)
    assert _id(body, received_at=NOON) != _id(body, received_at=next_day)


@pytest.mark.parametrize("name", ["15-club-module-completed.json", "13-switch-plan.json"])
def test_digest_of_shapes_without_a_purchase(shape, name):
    """Another module or plan gives another id."""
    body, other = shape(name), shape(name)
    del body["id"], other["id"]
    other["data"] |= {"module": {"id": "other"}, "plans": []}
    assert _id(body) != _id(other)
