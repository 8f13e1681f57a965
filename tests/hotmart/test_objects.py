"""The objects of version 1.0.0: abandoned carts, cancellations and plan switches."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from listboss.errors import ArgumentTypeError, EventError
from listboss.hotmart import IgnoredReason, parse

NOON = datetime(2025, 5, 6, 12, tzinfo=UTC)
CART = {
    "affiliate": True,
    "hottok": "sample-hottok",
    "productName": "Pottery",
    "productId": 4711,
    "buyerVO": {"name": "Ana Souza", "email": "ana@example.com", "phone": "11999990000"},
    "subscriptionPlanId": 5,
}
CANCELLATION = {
    "hottok": "sample-hottok",
    "subscriptionId": 31,
    "subscriberCode": "S-31",
    "cancellationDate": 1746532800000,
    "dateNextCharge": 1749211200000,
    "userName": "Ana Souza",
    "userEmail": "ana@example.com",
    "actualRecurrenceValue": 19.5,
    "productName": "Pottery Club",
    "subscriptionPlanName": "Monthly",
}
SWITCH = {
    "hottok": "sample-hottok",
    "switchPlanDate": "2025-05-06T12:00:00Z",
    "subscription": {
        "product": {"id": 4712, "name": "Pottery Club"},
        "recurrenceNumber": 3,
        "status": "ACTIVE",
        "subscriber": {
            "code": "S-31",
            "user": {"name": "Ana Souza", "email": "ana@example.com"},
        },
        "plan": {"name": "Monthly", "recurrencyPeriod": 30},
    },
    "newSubscriptionPlan": {
        "name": "Yearly",
        "recurrencyPeriod": 360,
        "offer": {"key": "year0001"},
        "value": 180,
        "currencyCode": "EUR",
    },
    "previousSubscriptionPlan": {"name": "Monthly", "recurrencyPeriod": 30},
}
IDS = {"Pottery Club": "4712"}


def _names(body: Any, **options: Any) -> list[str]:
    return [str(event.name) for event in parse(body, **options).events]


class TestCancellation:
    """A cancellation is known by its date, and has the name of its product only."""

    def test_without_the_product_s_id(self):
        """Its event is named, and there is no product for it."""
        ignored = parse(CANCELLATION).ignored
        assert ignored is not None
        assert (ignored.reason, ignored.event) == (
            IgnoredReason.NO_PRODUCT,
            "subscription.canceled",
        )

    @pytest.mark.parametrize("encode", [dict, json.dumps])
    def test_with_the_host_s_ids(self, encode):
        """With an id for the name, it is an event with all its facts."""
        (event,) = parse(encode(CANCELLATION), product_ids=IDS).events
        assert (event.name, event.product_id) == ("subscription.canceled", "4712")
        assert (event.plan_id, event.plan_name) == (None, "Monthly")
        assert event.occurred_at == NOON
        assert event.contact is not None
        assert (event.contact.email, event.contact.name) == ("ana@example.com", "Ana Souza")
        assert dict(event.facts) == {
            "canceled_at": NOON,
            "next_charge_at": datetime(2025, 6, 6, 12, tzinfo=UTC),
            "plan_name": "Monthly",
            "price": Decimal("19.5"),
            "product_name": "Pottery Club",
            "subscriber_code": "S-31",
        }

    def test_without_an_address(self):
        """Without an address the event has no contact."""
        body = {key: value for key, value in CANCELLATION.items() if key != "userEmail"}
        assert parse(body, product_ids=IDS).events[0].contact is None

    @pytest.mark.parametrize("date", [None, "", "soon"], ids=repr)
    def test_without_a_date(self, date):
        """The key alone says what it is, and the time is that of receipt."""
        body = {**CANCELLATION, "cancellationDate": date}
        (event,) = parse(body, product_ids=IDS, received_at=NOON).events
        assert (event.name, event.occurred_at) == ("subscription.canceled", NOON)

    def test_who_canceled(self):
        """A status that names somebody gives their event as well."""
        body = {**CANCELLATION, "subscriptionStatus": "Canceled by client"}
        assert _names(body, product_ids=IDS) == [
            "subscription.canceled",
            "subscription.canceled_by_customer",
        ]

    @pytest.mark.parametrize("field", ["subscriberCode", "productName", "subscriptionPlanName"])
    def test_digest(self, field):
        """Another subscription, product or plan has another id; a redelivery has the same."""
        ids = {**IDS, "Other": "9"}
        first = parse(CANCELLATION, product_ids=ids).events[0].id
        again = parse({"body": CANCELLATION}, product_ids=ids, received_at=NOON).events[0].id
        other = parse({**CANCELLATION, field: "Other"}, product_ids=ids).events[0].id
        assert first == again != other


class TestSwitch:
    """A plan switch is known by its date or its new plan."""

    @pytest.mark.parametrize("without", [None, "switchPlanDate", "newSubscriptionPlan"])
    def test_event(self, without):
        """The event is about the new plan."""
        body = {key: value for key, value in SWITCH.items() if key != without}
        (event,) = parse(body, received_at=NOON).events
        assert (event.name, event.product_id) == ("subscription.plan_switched", "4712")
        assert event.occurred_at == NOON
        assert event.contact is not None
        assert event.contact.email == "ana@example.com"
        assert event.plan_name == ("Monthly" if without == "newSubscriptionPlan" else "Yearly")

    def test_facts(self):
        """The facts are those of the subscription and of its new plan."""
        assert dict(parse(SWITCH).events[0].facts) == {
            "currency": "EUR",
            "offer": "year0001",
            "plan_name": "Yearly",
            "price": Decimal(180),
            "product_name": "Pottery Club",
            "recurrence_number": 3,
            "recurrence_period": 360,
            "subscriber_code": "S-31",
            "subscription_status": "ACTIVE",
        }


class TestCart:
    """An abandoned cart is known by its buyer object."""

    @pytest.mark.parametrize("status", [None, "", "abandoned_cart", "new", "started"])
    def test_beside_a_status(self, status):
        """A status that is not a purchase's leaves it a cart."""
        (event,) = parse({**CART, "status": status}, received_at=NOON).events
        assert (event.name, event.product_id) == ("purchase.cart_abandoned", "4711")

    def test_beside_an_event_name(self):
        """An event name of another system leaves it a cart."""
        assert _names({**CART, "event": "CART"}, received_at=NOON) == ["purchase.cart_abandoned"]

    def test_by_its_status(self, form):
        """A form with the status of a cart is one, without a buyer object."""
        assert _names({**form, "status": "abandoned_cart"}) == ["purchase.cart_abandoned"]

    def test_facts(self):
        """Tracking codes and campaign are in the object itself."""
        tracking = {"src": "page", "sck": "s=news", "xcod": "x1", "utm_medium": "e-mail"}
        (event,) = parse({**CART, **tracking}, received_at=NOON).events
        assert dict(event.facts) == {
            **tracking,
            "from_affiliate": True,
            "product_name": "Pottery",
            "utm_source": "news",
        }
        assert (event.plan_id, event.plan_name) == (None, None)


class TestProductIds:
    """The host's ids are used for products that have only a name."""

    @pytest.mark.parametrize("name", ["Pottery Club", " pottery club ", "POTTERY CLUB"])
    def test_names_are_compared_like_text(self, name):
        """Case and outer spaces of a name do not matter."""
        (event,) = parse(CANCELLATION, product_ids={"Other": "1", name: "4712"}).events
        assert event.product_id == "4712"

    def test_an_id_in_the_body_takes_precedence(self):
        """The id in the body counts, and the ucode only if the name has no id."""
        named = {"Pottery": "1"}
        assert parse(CART, received_at=NOON, product_ids=named).events[0].product_id == "4711"
        body = {**CART, "productId": None, "productUcode": "u-1"}
        assert parse(body, received_at=NOON, product_ids=named).events[0].product_id == "1"
        assert parse(body, received_at=NOON).events[0].product_id == "u-1"

    def test_no_match(self):
        """A name that is not among them is ignored as before."""
        parsed = parse(CANCELLATION, product_ids={"Other": "1"})
        assert parsed.ignored is not None
        assert parsed.ignored.reason is IgnoredReason.NO_PRODUCT

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ([("Pottery", "1")], ArgumentTypeError),
            ("Pottery", ArgumentTypeError),
            ({"Pottery": 1}, ArgumentTypeError),
            ({1: "1"}, ArgumentTypeError),
            ({"Pottery": " "}, EventError),
            ({"": "1"}, EventError),
        ],
        ids=repr,
    )
    def test_wrong_argument(self, sale, given, error):
        """An argument of a wrong type is refused for every body."""
        with pytest.raises(error) as caught:
            parse(sale, product_ids=given)
        assert caught.value.path == "$.product_ids"
