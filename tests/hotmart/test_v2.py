from typing import Any

import pytest

from listboss.hotmart import parse
from listboss.hotmart._events import EVENTS
from listboss.rules.event import EventName


def _names(body: Any, **options: Any) -> list[str]:
    return [str(event.name) for event in parse(body, **options).events]


def _plan(body: Any) -> tuple[str | None, str | None, object]:
    (event,) = parse(body).events
    return event.plan_id, event.plan_name, event.facts.get("previous_plan_id")


@pytest.mark.parametrize("spelling", [str.lower, str.title, "  {}  ".format])
def test_event_in_another_spelling(sale, spelling):
    """Case and outer spaces of an event name do not matter."""
    sale["event"] = spelling(sale["event"])
    assert _names(sale) == ["purchase.approved", "subscription.active"]


@pytest.mark.parametrize(
    "status", ["APPROVED", "REFUNDED", "CANCELED", "BILLET_PRINTED", "", None, 7, []]
)
@pytest.mark.parametrize("event", [event for event in EVENTS if event.startswith("PURCHASE_")])
def test_event_wins_over_purchase_status(sale, event, status):
    """The purchase status never changes the event."""
    sale["event"] = event
    expected = _names(sale)
    sale["data"]["purchase"]["status"] = status
    assert expected == _names(sale)


@pytest.mark.parametrize(
    "event",
    [
        "PURCHASE_COMPLETE",
        "PURCHASE_CANCELED",
        "PURCHASE_PROTEST",
        "PURCHASE_REFUNDED",
        "PURCHASE_CHARGEBACK",
        "PURCHASE_EXPIRED",
        "PURCHASE_BILLET_PRINTED",
        "SWITCH_PLAN",
        "UPDATE_SUBSCRIPTION_CHARGE_DATE",
    ],
)
@pytest.mark.parametrize("status", ["ACTIVE", "DELAYED", "EXPIRED", "CANCELLED_BY_SELLER"])
def test_subscription_status_derives_nothing(sale, event, status):
    """Beside these events, the subscription status is only a fact."""
    sale["event"] = event
    sale["data"]["subscription"]["status"] = status
    assert len(_names(sale)) == 1


@pytest.mark.parametrize("status", ["active", "ACTIVE", " Active "])
def test_approved_with_an_active_subscription(sale, status):
    """The approval of an active subscription gives two events, in this order."""
    sale["data"]["subscription"]["status"] = status
    assert _names(sale) == ["purchase.approved", "subscription.active"]


@pytest.mark.parametrize("status", ["STARTED", "DELAYED", "OVERDUE", "", None])
def test_approved_with_another_subscription(sale, status):
    """An approval gives one event if the subscription is not active."""
    sale["data"]["subscription"]["status"] = status
    assert _names(sale) == ["purchase.approved"]


@pytest.mark.parametrize(
    ("subscription", "derived"),
    [
        ({"status": "DELAYED"}, True),
        ({"status": "ACTIVE"}, True),
        ({"plan": {"id": 1}}, True),
        ({"status": None, "plan": None}, False),
        ({}, False),
        (None, False),
        ([], False),
        ("ACTIVE", False),
    ],
    ids=repr,
)
def test_delayed_with_a_subscription(sale, subscription, derived):
    """An overdue purchase of a subscription also delays the subscription."""
    sale["event"] = "PURCHASE_DELAYED"
    sale["data"]["subscription"] = subscription
    assert ("subscription.delayed" in _names(sale)) is derived


@pytest.mark.parametrize(
    ("recurrence", "derived"), [(1, True), ("1", True), (None, True), (2, False)], ids=repr
)
@pytest.mark.parametrize("method", ["BILLET", "PIX"])
def test_started(sale, recurrence, derived, method):
    """A first charge that awaits payment starts the subscription; a renewal does not."""
    sale["event"] = "PURCHASE_BILLET_PRINTED"
    sale["data"]["subscription"]["status"] = "STARTED"
    sale["data"]["purchase"]["recurrence_number"] = recurrence
    sale["data"]["purchase"]["payment"]["type"] = method
    assert ("subscription.started" in _names(sale)) is derived


@pytest.mark.parametrize(
    ("payment", "name"),
    [
        ({"type": "BILLET"}, "purchase.billet_printed"),
        ({"type": "boleto"}, "purchase.billet_printed"),
        ({"type": "FINANCED_BILLET"}, "purchase.billet_printed"),
        ({"billet_url": "https://billet.example.com/1"}, "purchase.billet_printed"),
        ({"type": "PIX", "billet_url": "https://billet.example.com/1"}, "purchase.waiting_payment"),
        ({"type": "PIX"}, "purchase.waiting_payment"),
        ({"type": "CASH_PAYMENT"}, "purchase.waiting_payment"),
        ({"type": "NEW_METHOD"}, "purchase.waiting_payment"),
        ({"pix_code": "0002-sample"}, "purchase.waiting_payment"),
        ({"pix_expiration_date": 1746000000000}, "purchase.waiting_payment"),
        ({}, "purchase.billet_printed"),
        (None, "purchase.billet_printed"),
    ],
    ids=repr,
)
def test_billet_or_pix(shape, payment, name):
    """Bank slips have their own event; PIX and other deferred payments wait for payment."""
    body = shape("05-billet.json")
    body["data"]["purchase"]["payment"] = payment
    assert _names(body) == [name]


@pytest.mark.parametrize("name", [EventName.PURCHASE_BILLET_PRINTED, "purchase.paypal_started"])
def test_pix_as(shape, name):
    """`pix_as` changes the event of PIX, and not the event of a bank slip."""
    assert _names(shape("05-pix.json"), pix_as=name) == [name]
    assert _names(shape("05-billet.json"), pix_as="other") == ["purchase.billet_printed"]


@pytest.mark.parametrize("who", ["ADMIN", "CUSTOMER", "SELLER"])
@pytest.mark.parametrize("spelling", ["CANCELLED_BY_{}", "canceled_by_{}"])
@pytest.mark.parametrize("place", ["subscription", "data"])
def test_cancellation_that_says_who(shape, who, spelling, place):
    """A cancellation that says who canceled gives two events and the fact."""
    body = shape("12-cancellation.json")
    target = body["data"] if place == "data" else body["data"]["subscription"]
    target["status"] = spelling.format(who)
    events = parse(body).events
    assert [event.name for event in events] == [
        "subscription.canceled",
        f"subscription.canceled_by_{who.lower()}",
    ]
    assert {event.facts["subscription_status"] for event in events} == {f"CANCELLED_BY_{who}"}


@pytest.mark.parametrize(
    ("currents", "expected"),
    [
        ([True, False], ("1", "Plan 1", "2")),
        ([False, True], ("2", "Plan 2", "1")),
        (["true", "false"], ("1", "Plan 1", "2")),
        ([True, False, False], ("1", "Plan 1", None)),
        ([True, True], (None, None, None)),
        ([None, False], (None, None, "2")),
        ([], (None, None, None)),
    ],
    ids=repr,
)
def test_switched_plan(shape, currents, expected):
    """The plan is the only one marked as current; a doubtful list gives none."""
    body = shape("13-switch-plan.json")
    body["data"]["plans"] = [
        {"id": number, "name": f"Plan {number}", "current": current}
        for number, current in enumerate(currents, 1)
    ]
    assert expected == _plan(body)


@pytest.mark.parametrize("plans", [None, {}, "x", [None], [[]], [7, "x"]], ids=repr)
def test_no_list_of_plans(shape, plans):
    """If `plans` is not a list of plans, the event has no plan."""
    body = shape("13-switch-plan.json")
    body["data"]["plans"] = plans
    assert _plan(body) == (None, None, None)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"creation_date": 1746000000000}, "2025-04-30T08:00:00+00:00"),
        ({"creationDate": 1746000000000}, "2025-04-30T08:00:00+00:00"),
        (
            {"creation_date": 1746000001000, "creationDate": 1746000000000},
            "2025-04-30T08:00:01+00:00",
        ),
        ({"creation_date": "?", "creationDate": 1746000000000}, "2025-04-30T08:00:00+00:00"),
        ({}, "2025-04-30T07:58:22+00:00"),
        ({"creation_date": True}, "2025-04-30T07:58:22+00:00"),
    ],
    ids=repr,
)
def test_occurred_at(sale, dates, expected):
    """The time is the creation date in either spelling, or else the date of what happened."""
    del sale["creation_date"]
    assert {expected} == {e.occurred_at.isoformat() for e in parse({**sale, **dates}).events}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("12-cancellation.json", "2025-04-30T07:59:59.912000+00:00"),
        ("13-switch-plan.json", "2025-04-30T08:00:00+00:00"),
        ("05-pix.json", "2025-04-30T07:59:55+00:00"),
    ],
)
def test_occurred_at_of_other_shapes(shape, name, expected):
    """Without a creation date, each shape has a date of its own."""
    body = shape(name)
    del body["creation_date"]
    assert expected == parse(body).events[0].occurred_at.isoformat()
