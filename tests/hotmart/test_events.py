"""Event names and statuses in every spelling, and what they mean."""

from typing import Any

import pytest

from listboss.hotmart import parse
from listboss.hotmart._events import EVENTS, documented_name


def _names(body: Any, **options: Any) -> list[str]:
    return [str(event.name) for event in parse(body, **options).events]


@pytest.mark.parametrize("name", EVENTS)
def test_documented_names_are_kept(name):
    """A documented name spells itself, with any separators and in any case."""
    spellings = (name, name.lower(), name.replace("_", "."), name.replace("_", " ").title())
    assert {name} == set(map(documented_name, spellings))


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("PURCHASE_CANCELLED", "PURCHASE_CANCELED"),
        ("PURCHASE_REFUSED", "PURCHASE_CANCELED"),
        ("PURCHASE_COMPLETED", "PURCHASE_COMPLETE"),
        ("PURCHASE_PROTESTED", "PURCHASE_PROTEST"),
        ("PURCHASE_DISPUTE", "PURCHASE_PROTEST"),
        ("PURCHASE_REFUND_REQUESTED", "PURCHASE_PROTEST"),
        ("PURCHASE_REFUND", "PURCHASE_REFUNDED"),
        ("PURCHASE_OVERDUE", "PURCHASE_DELAYED"),
        ("PURCHASE_PRINTED_BILLET", "PURCHASE_BILLET_PRINTED"),
        ("PURCHASE_ABANDONED_CART", "PURCHASE_OUT_OF_SHOPPING_CART"),
        ("CART_ABANDONED", "PURCHASE_OUT_OF_SHOPPING_CART"),
        ("SUBSCRIPTION_CANCELED", "SUBSCRIPTION_CANCELLATION"),
        ("subscription.cancelled", "SUBSCRIPTION_CANCELLATION"),
        ("approved", "PURCHASE_APPROVED"),
        ("CHARGEBACK", "PURCHASE_CHARGEBACK"),
    ],
)
def test_other_spellings(sale, spelling, name):
    """A name that is spelled differently gives the events of the documented one."""
    assert name == documented_name(spelling)
    assert _names({**sale, "event": spelling}) == _names({**sale, "event": name}) != []


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ("PURCHASE_WAITING_PAYMENT", ["purchase.waiting_payment"]),
        ("PURCHASE_PENDING", ["purchase.waiting_payment"]),
        ("PURCHASE_PARTIALLY_REFUNDED", ["purchase.partially_refunded"]),
        ("SUBSCRIPTION_EXPIRED", ["subscription.expired"]),
        ("SUBSCRIPTION_INACTIVE", ["subscription.inactive"]),
        ("SUBSCRIPTION_PAST_DUE", ["subscription.delayed"]),
        ("SUBSCRIPTION_STARTED", ["subscription.started"]),
        (
            "SUBSCRIPTION_CANCELED_BY_CLIENT",
            ["subscription.canceled", "subscription.canceled_by_customer"],
        ),
        ("SUBSCRIPTION_CANCELED_BY_ROBOT", ["subscription.canceled"]),
        ("SUBSCRIPTION_RENEWED", []),
        ("PURCHASE_RENEWED", []),
        ("PURCHASE", []),
        ("PLAN_APPROVED", []),
        ("?", []),
    ],
)
def test_statuses_as_names(sale, event, names):
    """A family and a status name an event where the status has one."""
    del sale["data"]["purchase"]["payment"]
    assert names == _names({**sale, "event": event})


def test_paypal_started(sale):
    """An order started with PayPal has its own event, and with other payments none."""
    sale["event"] = "PURCHASE_STARTED"
    assert _names(sale) == []
    sale["data"]["purchase"]["payment"]["type"] = "PAYPAL"
    assert _names(sale) == ["purchase.paypal_started"]


class TestPartialRefund:
    """A refund of a part is an event of its own."""

    @pytest.mark.parametrize("status", ["PARTIALLY_REFUNDED", "partially refunded"])
    def test_version_2(self, sale, status):
        """The purchase status of a refund says that it is a partial one."""
        sale["event"] = "PURCHASE_REFUNDED"
        sale["data"]["purchase"]["status"] = status
        (event,) = parse(sale).events
        assert event.name == "purchase.partially_refunded"
        assert event.facts["purchase_status"] == "PARTIALLY_REFUNDED"

    @pytest.mark.parametrize("event", ["PURCHASE_CHARGEBACK", "PURCHASE_APPROVED"])
    def test_other_events(self, sale, event):
        """Beside other events, the status is only a fact."""
        expected = _names({**sale, "event": event})
        sale["data"]["purchase"]["status"] = "PARTIALLY_REFUNDED"
        assert expected == _names({**sale, "event": event})

    @pytest.mark.parametrize("subscription", ["", "active", "canceled"])
    def test_version_1(self, form, subscription):
        """A partial refund ends no subscription."""
        body = {**form, "status": "partially_refunded", "subscription_status": subscription}
        assert _names(body) == ["purchase.partially_refunded"]


class TestWhoCanceled:
    """Of two statuses of a subscription, the one that says who canceled is used."""

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ("canceled", "Canceled by client", "CANCELLED_BY_CUSTOMER"),
            ("canceled", "Canceled by vendor", "CANCELLED_BY_SELLER"),
            ("canceled", "Canceled by admin", "CANCELLED_BY_ADMIN"),
            ("canceled_by_seller", "Canceled by client", "CANCELLED_BY_SELLER"),
            ("canceled", "Canceled", "CANCELED"),
            ("canceled", "Active", "CANCELED"),
            ("active", "Canceled by client", "ACTIVE"),
            ("", "Canceled by client", "CANCELLED_BY_CUSTOMER"),
            ("canceled", "", "CANCELED"),
        ],
    )
    def test_status(self, shape, form, first, second, expected):
        """It is the first status, unless only the second one names somebody."""
        body = shape("12-cancellation.json")
        body["data"]["subscription"]["status"], body["data"]["status"] = first, second
        assert expected == parse(body).events[0].facts["subscription_status"]
        fields = {"subscription_status": first, "signature_status": second, "status": "refunded"}
        assert expected == parse({**form, **fields}).events[0].facts["subscription_status"]

    def test_events(self, form):
        """There is also the event that says who canceled."""
        body = {
            **form,
            "callback_type": "2",
            "subscription_status": "canceled",
            "signature_status": "Canceled by vendor",
        }
        assert _names(body) == ["subscription.canceled", "subscription.canceled_by_seller"]

    def test_somebody_else(self, form):
        """A cancellation by somebody unknown is a cancellation."""
        body = {**form, "callback_type": "2", "subscription_status": "canceled by robot"}
        assert _names(body) == ["subscription.canceled"]
