"""Every known shape of a webhook, with its events."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from listboss.hotmart import parse
from listboss.rules.builtin import HOTMART
from listboss.rules.event import OWN_FACTS

SHAPES = Path(__file__).parent / "shapes"
AT = datetime(2025, 4, 30, 8, 0, 0, 123_000, tzinfo=UTC)

# file: event names, plan id, phone
PHONE, LOCAL = "5511999990000", "11999990000"
APPROVED, ACTIVE = "purchase.approved", "subscription.active"
PLAN = "123456"
EXPECTED: dict[str, tuple[list[str], str | None, str | None]] = {
    "00-hottok-and-data-first.json": ([APPROVED], None, PHONE),
    "00-json-in-form-field.form": ([APPROVED], None, PHONE),
    "00-wrapped-in-body.json": ([APPROVED], None, PHONE),
    "00-wrapped-in-list.json": ([APPROVED], None, PHONE),
    "01-every-field.json": ([APPROVED], None, PHONE),
    "02-approved-first.json": ([APPROVED, ACTIVE], PLAN, PHONE),
    "02-approved-renewal.json": ([APPROVED, ACTIVE], PLAN, PHONE),
    "02-approved-trial.json": ([APPROVED, ACTIVE], PLAN, PHONE),
    "02-approved-order-bump.json": ([APPROVED], None, PHONE),
    "03-complete.json": (["purchase.completed"], PLAN, PHONE),
    "04-canceled.json": (["purchase.canceled"], None, PHONE),
    "04-canceled-ticket.json": (["purchase.canceled"], None, None),
    "05-billet.json": (["purchase.billet_printed"], None, PHONE),
    "05-billet-started.json": (["purchase.billet_printed", "subscription.started"], PLAN, PHONE),
    "05-pix.json": (["purchase.waiting_payment"], None, PHONE),
    "05-pix-renewal.json": (["purchase.waiting_payment"], PLAN, PHONE),
    "06-protest.json": (["purchase.protested"], PLAN, PHONE),
    "07-refunded.json": (["purchase.refunded"], PLAN, PHONE),
    "08-chargeback.json": (["purchase.chargeback"], PLAN, PHONE),
    "09-expired.json": (["purchase.expired"], None, PHONE),
    "10-delayed-credit-card.json": (["purchase.delayed", "subscription.delayed"], PLAN, PHONE),
    "10-delayed-pix.json": (["purchase.delayed", "subscription.delayed"], PLAN, PHONE),
    "10-delayed-wallet.json": (["purchase.delayed", "subscription.delayed"], PLAN, PHONE),
    "11-cart.json": (["purchase.cart_abandoned"], None, LOCAL),
    "12-cancellation.json": (["subscription.canceled"], PLAN, None),
    "12-cancellation-with-phone.json": (["subscription.canceled"], PLAN, LOCAL),
    "13-switch-plan.json": (["subscription.plan_switched"], "2", None),
    "14-charge-date.json": (["subscription.charge_date_changed"], PLAN, None),
    "14-charge-date-camel-case.json": (["subscription.charge_date_changed"], PLAN, None),
    "15-club-first-access.json": (["club.first_access"], None, None),
    "15-club-module-completed.json": (["club.module_completed"], None, None),
    "16-order-fulfillment.json": ([], None, None),
    "17-approved.form": ([APPROVED], None, LOCAL),
    "17-approved-as-object.json": ([APPROVED], None, LOCAL),
    "17-approved-subscription.form": ([APPROVED, ACTIVE], None, LOCAL),
    "17-billet.form": (["purchase.billet_printed"], None, LOCAL),
    "17-billet-started.form": (["purchase.billet_printed", "subscription.started"], None, LOCAL),
    "17-blocked.form": (["purchase.canceled"], None, LOCAL),
    "17-canceled.form": (["purchase.canceled"], None, LOCAL),
    "17-cart.json": (["purchase.cart_abandoned"], None, LOCAL),
    "17-chargeback.form": (["purchase.chargeback"], None, LOCAL),
    "17-completed.form": (["purchase.completed"], None, LOCAL),
    "17-delayed.form": (["purchase.delayed", "subscription.delayed"], None, LOCAL),
    "17-dispute.form": (["purchase.protested"], None, LOCAL),
    "17-expired.form": (["purchase.expired"], None, LOCAL),
    "17-order-bump.form": ([APPROVED], None, LOCAL),
    "17-pending-analysis.form": ([], None, None),
    "17-refunded.form": (["purchase.refunded"], None, LOCAL),
    "17-subscription-canceled.form": (["subscription.canceled"], None, LOCAL),
    "17-subscription-expired.form": (["subscription.expired"], None, LOCAL),
    "17-subscription-inactive.form": (["subscription.inactive"], None, LOCAL),
    "17-waiting-payment.form": (["purchase.waiting_payment"], None, LOCAL),
    "17-year-2014.form": ([APPROVED], None, LOCAL),
}


def _at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


# file: every fact of its first event
FACTS: dict[str, dict[str, object]] = {
    "01-every-field.json": {
        "affiliate": "AFF123",
        "affiliate_name": "Afiliado",
        "approved_at": _at("2025-04-30T07:59:56"),
        "country": "BR",
        "coupon": "DIA DAS MÃES",
        "currency": "BRL",
        "full_price": Decimal(1194),
        "installments": 12,
        "is_anticipated": False,
        "is_funnel": False,
        "is_order_bump": False,
        "offer": "abcd1234",
        "offer_name": "Oferta",
        "original_price": Decimal(997),
        "ordered_at": _at("2025-04-30T07:59:55"),
        "payment_method": "CREDIT_CARD",
        "price": Decimal(997),
        "product_name": "Curso de Exemplo",
        "purchase_status": "APPROVED",
        "sck": 'HOTMART_PRODUCT_PAGE|ads[1] "x"',
        "src": "insta",
        "transaction": "HP0000000001",
        "warranty_until": _at("2025-05-07"),
        "xcod": "x-1",
    },
    "10-delayed-pix.json": {
        "country": "BR",
        "currency": "BRL",
        "full_price": Decimal(100),
        "installments": 1,
        "is_funnel": False,
        "is_order_bump": False,
        "next_charge_at": _at("2025-05-30T12:00:00"),
        "offer": "abcd1234DRP",
        "original_price": Decimal(100),
        "ordered_at": _at("2025-04-30T07:59:55"),
        "payment_method": "PIX",
        "pix_code": "00020126580014BR.GOV.BCB.PIX0136hp0000000001",
        "pix_expires_at": _at("2025-05-01T18:49:18"),
        "pix_qrcode": "https://pix.example.com/HP0000000001.png",
        "plan_id": "123456",
        "plan_name": "Plano Anual",
        "price": Decimal(100),
        "product_name": "Curso de Exemplo",
        "purchase_status": "DELAYED",
        "recurrence_number": 3,
        "subscriber_code": "ABCD1234",
        "subscription_status": "DELAYED",
        "transaction": "HP0000000001",
    },
    "11-cart.json": {
        "country": "BR",
        "from_affiliate": True,
        "offer": "abcd1234",
        "product_name": "Curso de Exemplo",
    },
    "12-cancellation.json": {
        "canceled_at": datetime(2025, 4, 30, 7, 59, 59, 912_000, tzinfo=UTC),
        "next_charge_at": _at("2025-05-29"),
        "plan_id": "123456",
        "plan_name": "Plano Anual",
        "price": Decimal("64.9"),
        "product_name": "Curso de Exemplo",
        "subscriber_code": "ABCD1234",
    },
    "13-switch-plan.json": {
        "offer": "abcd1234",
        "plan_id": "2",
        "plan_name": "Novo",
        "previous_plan_id": "1",
        "product_name": "Curso de Exemplo",
        "subscriber_code": "ABCD1234",
        "subscription_status": "ACTIVE",
    },
    "14-charge-date-camel-case.json": {
        "new_charge_day": 10,
        "next_charge_at": _at("2025-06-10T12:00:00"),
        "offer": "abcd1234",
        "old_charge_day": 7,
        "plan_id": "123456",
        "plan_name": "Plano Anual",
        "product_name": "Curso de Exemplo",
        "subscriber_code": "ABCD1234",
        "subscription_status": "ACTIVE",
    },
    "15-club-module-completed.json": {
        "module_id": "aB3dE5fG7h",
        "module_name": "Módulo 1",
        "product_name": "Curso de Exemplo",
    },
    "17-billet-started.form": {
        "country": "BR",
        "currency": "BRL",
        "full_price": Decimal("100.0"),
        "installments": 1,
        "is_order_bump": False,
        "next_charge_at": _at("2025-05-30T12:00:00"),
        "offer": "abcd1234",
        "ordered_at": _at("2025-04-30T07:59:56"),
        "original_price": Decimal("100.0"),
        "payment_method": "BILLET",
        "payment_mode": "ASSINATURA",
        "plan_name": "Plano Anual",
        "price": Decimal("100.0"),
        "product_name": "Curso de Exemplo",
        "purchase_status": "BILLET_PRINTED",
        "receiver_type": "SELLER",
        "recurrence_number": 1,
        "recurrence_period": 30,
        "subscriber_code": "ABCD1234",
        "subscription_status": "STARTED",
        "transaction": "HP0000000001",
    },
}


def test_every_shape_is_expected():
    """Every file in the folder has an expectation."""
    assert sorted(EXPECTED) == sorted(file.name for file in SHAPES.iterdir())


@pytest.mark.parametrize("name", EXPECTED)
def test_events_of_a_shape(name):
    """Each shape gives its events, with contact, product and plan."""
    names, plan_id, phone = EXPECTED[name]
    parsed = parse((SHAPES / name).read_bytes())
    assert names == [event.name for event in parsed.events]
    assert (parsed.ignored is None) is bool(names)
    assert parsed.is_test is False
    for event in parsed.events:
        assert event.contact is not None
        assert event.contact.email in {"ana@example.com", "gina@example.com"}
        assert phone == event.contact.phone
        assert (event.product_id, event.plan_id) == ("1234567", plan_id)
        assert event.id.endswith(f":{event.name}")
        assert event.occurred_at.date() == AT.date()


@pytest.mark.parametrize("name", FACTS)
def test_facts_of_a_shape(name):
    """The event has exactly these facts, with these types."""
    facts = parse((SHAPES / name).read_bytes()).events[0].facts
    assert FACTS[name] == dict(facts)


@pytest.mark.parametrize("name", EXPECTED)
def test_facts_are_those_the_type_carries(name):
    """An event has only facts that its type carries, and its own codes."""
    for event in parse((SHAPES / name).read_bytes()).events:
        others = event.facts.keys() - set(OWN_FACTS)
        assert all(HOTMART.carries(event.name, fact) for fact in others)


@pytest.mark.parametrize(
    ("name", "fact", "value"),
    [
        ("02-approved-renewal.json", "recurrence_number", 7),
        ("02-approved-trial.json", "price", Decimal(0)),
        ("02-approved-order-bump.json", "is_order_bump", True),
        ("02-approved-order-bump.json", "parent_transaction", "HP0000000000"),
        ("03-complete.json", "purchase_status", "COMPLETED"),
        ("04-canceled.json", "refusal_reason", "Saldo insuficiente"),
        ("05-billet.json", "billet_url", "https://billet.example.com/HP0000000001"),
        ("06-protest.json", "purchase_status", "DISPUTE"),
        ("07-refunded.json", "subscription_status", "ACTIVE"),
        ("17-approved.form", "price", Decimal("1500.0")),
        ("17-order-bump.form", "is_order_bump", True),
        ("17-delayed.form", "subscription_status", "DELAYED"),
        ("17-waiting-payment.form", "purchase_status", "WAITING_PAYMENT"),
    ],
)
def test_fact_that_differs_by_shape(name, fact, value):
    """The difference between two shapes of an event is a fact."""
    assert value == parse((SHAPES / name).read_bytes()).events[0].facts[fact]


def test_form_and_object_are_one():
    """The same fields give equal events as a form and as an object."""
    form, as_object = (
        parse((SHAPES / name).read_bytes())
        for name in ("17-approved.form", "17-approved-as-object.json")
    )
    assert form == as_object


def test_creation_date_to_the_millisecond():
    """The creation date keeps its milliseconds."""
    assert parse((SHAPES / "11-cart.json").read_bytes()).events[0].occurred_at == AT
