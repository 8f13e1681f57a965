from typing import Any

import pytest

from listboss.hotmart import parse
from listboss.hotmart._events import ENDED, FAILED, PURCHASES


def _names(body: Any, **options: Any) -> list[str]:
    return [str(event.name) for event in parse(body, **options).events]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("approved", "purchase.approved"),
        ("APPROVED", "purchase.approved"),
        ("completed", "purchase.completed"),
        ("complete", "purchase.completed"),
        ("canceled", "purchase.canceled"),
        ("cancelled", "purchase.canceled"),
        ("blocked", "purchase.canceled"),
        ("refunded", "purchase.refunded"),
        ("dispute", "purchase.protested"),
        ("protested", "purchase.protested"),
        ("chargeback", "purchase.chargeback"),
        ("billet_printed", "purchase.waiting_payment"),
        ("printed_billet", "purchase.waiting_payment"),
        ("wayting_payment", "purchase.waiting_payment"),
        ("waiting_payment", "purchase.waiting_payment"),
        ("delayed", "purchase.delayed"),
        ("overdue", "purchase.delayed"),
        ("expired", "purchase.expired"),
    ],
)
def test_status(form, status, name):
    """The purchase status decides, in each of its spellings; a card sale is not a bank slip."""
    assert _names({**form, "status": status}) == [name]


@pytest.mark.parametrize("status", ["pending_analysis", "started", "under_analisys", "x"])
def test_unknown_status(form, status):
    """A status without an event is ignored, and its name is returned."""
    ignored = parse({**form, "status": status}).ignored
    assert ignored is not None
    assert (ignored.reason, ignored.event) == ("unknown_event", status)


@pytest.mark.parametrize("method", ["paypal", "PAYPAL_INTERNACIONAL"])
def test_paypal_started(form, method):
    """An order started with PayPal has its own event."""
    body = {**form, "status": "started", "payment_type": method}
    assert _names(body) == ["purchase.paypal_started"]


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("billet", "purchase.billet_printed"),
        ("", "purchase.billet_printed"),
        ("pix", "purchase.waiting_payment"),
    ],
)
def test_billet_or_pix(form, method, name):
    """Without a payment type it is a bank slip; PIX is not."""
    assert _names({**form, "status": "billet_printed", "payment_type": method}) == [name]
    assert _names(
        {**form, "status": "billet_printed", "payment_type": "pix"}, pix_as="club.progress"
    ) == ["club.progress"]


@pytest.mark.parametrize("kind", ["2", 2, " 2 "], ids=repr)
@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("canceled", ["subscription.canceled"]),
        (
            "canceled_by_seller",
            ["subscription.canceled", "subscription.canceled_by_seller"],
        ),
        ("inactive", ["subscription.inactive"]),
        ("expired", ["subscription.expired"]),
        ("active", ["subscription.canceled"]),
        ("", ["subscription.canceled"]),
    ],
)
def test_post_about_a_subscription(form, kind, status, names):
    """Callback type 2 is about the subscription, whatever the purchase status is."""
    assert names == _names({**form, "callback_type": kind, "subscription_status": status})


@pytest.mark.parametrize("field", ["subscription_status", "signature_status"])
@pytest.mark.parametrize("status", sorted(ENDED))
def test_subscription_status_alone(form, field, status):
    """Without a purchase status, the end of the subscription is the event."""
    assert _names({**form, "status": "", field: status.lower()}) == list(ENDED[status])


@pytest.mark.parametrize("status", ["", "active", "started"])
def test_neither_status(form, status):
    """Without a status that has an event, the body is ignored."""
    parsed = parse({**form, "status": "", "subscription_status": status})
    assert parsed.ignored is not None
    assert parsed.ignored.reason == ("unknown_event" if status else "no_event")


@pytest.mark.parametrize("purchase", sorted(PURCHASES))
@pytest.mark.parametrize("status", sorted(ENDED))
def test_ended_subscription_beside_a_purchase(form, purchase, status):
    """An ended subscription is a second event only beside a failed purchase."""
    names = _names({**form, "status": purchase, "subscription_status": status})
    assert names[1:] == (list(ENDED[status]) if purchase in FAILED else [])


@pytest.mark.parametrize(
    ("purchase", "status", "derived"),
    [
        ("approved", "active", ["subscription.active"]),
        ("delayed", "past_due", ["subscription.delayed"]),
        ("delayed", "overdue", ["subscription.delayed"]),
        ("delayed", "delayed", ["subscription.delayed"]),
        ("billet_printed", "started", ["subscription.started"]),
        ("approved", "started", []),
        ("refunded", "active", []),
        ("completed", "active", []),
        ("approved", "", []),
    ],
)
def test_derived(form, purchase, status, derived):
    """The same pairs of statuses as in version 2.0.0 give a second event."""
    assert _names({**form, "status": purchase, "subscription_status": status})[1:] == derived


@pytest.mark.parametrize(("recurrence", "count"), [("1", 2), ("2", 1), ("", 2)])
def test_only_a_first_charge_starts(form, recurrence, count):
    """A renewal that awaits payment does not start a subscription."""
    body = {
        **form,
        "status": "billet_printed",
        "subscription_status": "started",
        "recurrency": recurrence,
    }
    assert count == len(_names(body))


@pytest.mark.parametrize(
    "product",
    [
        {"productId": 7},
        {"product_id": "7"},
        {"prod": "7"},
        {"product": {"id": 7}},
    ],
    ids=repr,
)
def test_cart(product):
    """A body with a buyer object is an abandoned cart, with each spelling of the product id."""
    body = {"creation_date": 1746000000000, "buyerVO": {"email": "ana@example.com"}, **product}
    (event,) = parse(body).events
    assert (event.name, event.product_id) == ("purchase.cart_abandoned", "7")
    assert event.contact is not None
    assert event.contact.email == "ana@example.com"


def test_buyer_object_beside_a_status(form):
    """A body with a purchase status is not a cart, even with a buyer object."""
    assert _names({**form, "buyerVO": {}}) == ["purchase.approved"]


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ({"creation_date": "2025-04-01"}, 1),
        ({"cancellation_date": "2025-04-02"}, 2),
        ({}, 30),
        ({"confirmation_purchase_date": "", "purchase_date": "2025-04-04T10:00:00"}, 4),
    ],
    ids=repr,
)
def test_occurred_at(form, dates, day):
    """The time is the creation date, or else the date of the latest step of the sale."""
    assert day == parse({**form, **dates}).events[0].occurred_at.day
