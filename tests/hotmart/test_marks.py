from typing import Any

import pytest

from listboss.hotmart import parse

TEST_BUYER = "testeComprador271101postman15@example.com"
NAME = "Produto test postback2"
AT = 1746000000123


def _purchase(event: str) -> dict[str, Any]:
    money = {"value": 1500, "currency_value": "BRL"}
    return {
        "id": f"test-{event}",
        "creation_date": AT,
        "event": event,
        "version": "2.0.0",
        "data": {
            "product": {
                "id": 0,
                "ucode": "fb056612-bcc6-4217-9e6d-2a5d1110ac2f",
                "name": f"{NAME} com ç e á",
                "has_co_production": False,
            },
            "affiliates": [{"affiliate_code": "Q58388177J", "name": "Affiliate name"}],
            "buyer": {
                "email": TEST_BUYER,
                "name": "Teste Comprador",
                "checkout_phone": "99999999900",
                "checkout_phone_code": "999999999",
            },
            "purchase": {
                "transaction": "HP16015479281022",
                "status": "APPROVED",
                "order_date": 1511783344000,
                "approved_date": 1511783346000,
                "price": money,
                "payment": {"type": "CREDIT_CARD", "installments_number": 12},
                "offer": {"code": "test"},
                "order_bump": {
                    "is_order_bump": True,
                    "parent_purchase_transaction": "HP02316330308193",
                },
                "event_tickets": {"amount": AT},
            },
            "subscription": {
                "status": "ACTIVE",
                "plan": {"id": 123, "name": "plano de teste"},
                "subscriber": {"code": "I9OT62C3"},
            },
        },
    }


def _envelope(event: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"test-{event}", "creation_date": AT, "event": event, "data": data}


PURCHASES = [
    "PURCHASE_APPROVED",
    "PURCHASE_COMPLETE",
    "PURCHASE_CANCELED",
    "PURCHASE_BILLET_PRINTED",
    "PURCHASE_PROTEST",
    "PURCHASE_REFUNDED",
    "PURCHASE_CHARGEBACK",
    "PURCHASE_EXPIRED",
    "PURCHASE_DELAYED",
]
PRODUCT, PERSON = {"id": 0, "name": NAME}, {"email": "teste@hotmart.com.br", "name": "Teste"}
SUBSCRIBER = {"code": "00000000", "email": "test@hotmart.com"}
BODIES = [
    *map(_purchase, PURCHASES),
    _envelope(
        "PURCHASE_OUT_OF_SHOPPING_CART",
        {"affiliate": False, "product": {"id": 123456, "name": NAME}, "buyer": PERSON},
    ),
    _envelope(
        "SUBSCRIPTION_CANCELLATION",
        {
            "product": {"id": 788921, "name": "Product name com ç e á"},
            "subscriber": {**SUBSCRIBER, "code": "0000aaaa"},
        },
    ),
    _envelope(
        "SWITCH_PLAN",
        {"subscription": {"subscriber_code": "9W2LNSG4", "product": PRODUCT, "user": PERSON}},
    ),
    _envelope(
        "UPDATE_SUBSCRIPTION_CHARGE_DATE",
        {"subscriber": SUBSCRIBER, "subscription": {"product": PRODUCT}},
    ),
    _envelope("CLUB_FIRST_ACCESS", {"product": PRODUCT, "user": PERSON}),
    _envelope("CLUB_MODULE_COMPLETED", {"product": {**PRODUCT, "id": "00000"}, "user": PERSON}),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["event"])
def test_test_button(body):
    """Each body of the test button gives events that are marked as a test."""
    parsed = parse(body)
    assert parsed.ignored is None
    assert parsed.is_test is True
    assert {event.is_test for event in parsed.events} == {True}


def test_contradictions_are_tolerated():
    """A test body with contradictory fields gives the event that it names."""
    (event,) = parse(_purchase("PURCHASE_EXPIRED")).events
    assert event.name == "purchase.expired"
    assert event.facts["is_order_bump"] is True


ONE_MARK = [
    ("product", "id", 0),
    ("product", "id", "00000"),
    ("product", "id", 123456),
    ("product", "id", 788921),
    ("product", "name", NAME),
    ("product", "name", "Product name com ç e á"),
    ("buyer", "email", "teste@hotmart.com.br"),
    ("buyer", "email", "test@hotmart.com"),
    ("purchase", "offer", {"code": "TEST"}),
    ("purchase", "order_date", 1511783344000),
    ("purchase", "approved_date", 1511783346000),
]


@pytest.mark.parametrize(("part", "key", "value"), ONE_MARK)
def test_one_likely_mark_is_not_a_test(sale, part, key, value):
    """One likely mark is not enough: a real sale may have it."""
    sale["data"][part][key] = value
    assert parse(sale).is_test is False


@pytest.mark.parametrize(("part", "key", "value"), ONE_MARK)
def test_two_likely_marks_are_a_test(sale, part, key, value):
    """Two likely marks make a test."""
    sale["data"]["subscription"]["subscriber"]["code"] = "I9OT62C3"
    assert parse(sale).is_test is False
    sale["data"][part][key] = value
    assert parse(sale).is_test is True


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("product", "ucode", "fb056612-bcc6-4217-9e6d-2a5d1110ac2f"),
        ("buyer", "email", TEST_BUYER),
        ("buyer", "email", TEST_BUYER.lower()),
        ("purchase", "transaction", "HP16015479281022"),
        ("purchase", "order_bump", {"parent_purchase_transaction": "HP02316330308193"}),
        ("producer", "name", " Producer Test Name "),
        ("purchase", "variants", {"sku": "HTM_SANDBOX-77"}),
        ("purchase", "variants", [{}, {"sku": "htm_sandbox"}]),
    ],
)
def test_one_certain_mark_is_a_test(sale, part, key, value):
    """One certain mark makes a test."""
    sale["data"][part][key] = value
    assert parse(sale).is_test is True


def test_ignored_test():
    """A test of an unknown event is ignored, and still marked as a test."""
    body = _purchase("ORDER_FULFILLMENT")
    parsed = parse(body)
    assert parsed.ignored is not None
    assert parsed.is_test is True


def test_version_1(form):
    """The marks also count in version 1.0.0."""
    assert parse({**form, "prod": "0", "email": TEST_BUYER}).is_test is True
    assert parse({**form, "producer_name": "Producer Test Name"}).is_test is True
    assert parse({**form, "prod": "00000", "off": "test"}).is_test is True


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("producer", "name", "Producer Test Name & Sons"),
        ("purchase", "variants", {"sku": "HTM_RED-14"}),
        ("purchase", "offer", {"code": "test1"}),
    ],
)
def test_similar_values_are_no_marks(sale, part, key, value):
    """A value that only contains a mark is not one."""
    sale["data"]["product"]["id"] = 0
    sale["data"][part][key] = value
    assert parse(sale).is_test is False
