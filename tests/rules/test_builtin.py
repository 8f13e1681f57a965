"""The built-in catalogue row by row: labels, kinds of product, and that a rule on it runs."""

from datetime import UTC, date, datetime

import pytest

from listboss import (
    HOTMART,
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    EventName,
    Product,
    ProductKind,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
)

SOLD, SUBSCRIBED, SINGLE = "single subscription", "subscription", "single"
DELIVERED, WEBINAR = "single subscription free", "webinar"

# name: label, group, kinds of product, whether it carries the plan, source
ROWS = {
    "purchase.cart_abandoned": ("Cart abandonment", "Purchase status", SOLD, False, "webhook"),
    "purchase.billet_printed": ("Bank slip issued", "Purchase status", SOLD, True, "webhook"),
    "purchase.waiting_payment": ("Waiting for payment", "Purchase status", SOLD, True, "webhook"),
    "purchase.approved": ("Purchase approved", "Purchase status", SOLD, True, "webhook"),
    "purchase.completed": ("Purchase completed", "Purchase status", SOLD, True, "webhook"),
    "purchase.delayed": ("Purchase overdue", "Purchase status", SOLD, True, "webhook"),
    "purchase.canceled": ("Purchase canceled", "Purchase status", SOLD, True, "webhook"),
    "purchase.chargeback": ("Purchase in chargeback", "Purchase status", SOLD, True, "webhook"),
    "purchase.expired": ("Purchase expired", "Purchase status", SOLD, True, "webhook"),
    "purchase.paypal_started": ("Order started – PayPal", "Purchase status", SOLD, True, "host"),
    "purchase.protested": ("Purchase protested", "Purchase status", SOLD, True, "webhook"),
    "purchase.refunded": ("Purchase refunded", "Purchase status", SOLD, True, "webhook"),
    "purchase.partially_refunded": (
        "Purchase partly refunded", "Purchase status", SOLD, True, "extension",
    ),
    "access.file_downloaded": ("Downloaded file", "Access method", DELIVERED, False, "host"),
    "club.free_registration": (
        "Free registration at Hotmart Club", "Hotmart Club", DELIVERED, False, "host",
    ),
    "club.progress": (
        "Progress on percentage of course completion", "Hotmart Club", DELIVERED, False, "host",
    ),
    "club.inactive_7d": ("7 days without logging in", "Hotmart Club", DELIVERED, False, "host"),
    "club.inactive_15d": ("15 days without logging in", "Hotmart Club", DELIVERED, False, "host"),
    "club.inactive_30d": ("30 days without logging in", "Hotmart Club", DELIVERED, False, "host"),
    "club.first_access": (
        "First access to Hotmart Club", "Hotmart Club", DELIVERED, False, "extension",
    ),
    "club.module_completed": (
        "Module completed in Hotmart Club", "Hotmart Club", DELIVERED, False, "extension",
    ),
    "product.rated": ("Client rated the product", "Product rating", DELIVERED, False, "host"),
    "smart_installment.status_changed": (
        "Status change on smart installments", "Smart installments", SINGLE, False, "host",
    ),
    "subscription.started": ("Started", "Subscription status", SUBSCRIBED, True, "derived"),
    "subscription.active": ("Active", "Subscription status", SUBSCRIBED, True, "derived"),
    "subscription.delayed": ("Overdue", "Subscription status", SUBSCRIBED, True, "derived"),
    "subscription.canceled": ("Canceled", "Subscription status", SUBSCRIBED, True, "webhook"),
    "subscription.canceled_by_admin": (
        "Canceled by administrator", "Subscription status", SUBSCRIBED, True, "derived",
    ),
    "subscription.canceled_by_customer": (
        "Canceled by customer", "Subscription status", SUBSCRIBED, True, "derived",
    ),
    "subscription.canceled_by_seller": (
        "Canceled by seller", "Subscription status", SUBSCRIBED, True, "derived",
    ),
    "subscription.inactive": ("Inactive", "Subscription status", SUBSCRIBED, True, "host"),
    "subscription.expired": (
        "Past due (term over)", "Subscription status", SUBSCRIBED, True, "host",
    ),
    "subscription.plan_switched": (
        "Plan switched", "Subscription status", SUBSCRIBED, True, "extension",
    ),
    "subscription.charge_date_changed": (
        "Charge date changed", "Subscription status", SUBSCRIBED, True, "extension",
    ),
    "waitlist.joined": ("Joined the waiting list", "Availability", DELIVERED, False, "host"),
    "product.available": ("Product back on sale", "Availability", DELIVERED, False, "host"),
    "webinar.registered": (
        "Registered for the webinar", "Webinar", WEBINAR, False, "provisional",
    ),
    "webinar.attended": ("Attended the webinar", "Webinar", WEBINAR, False, "provisional"),
    "webinar.missed": ("Missed the webinar", "Webinar", WEBINAR, False, "provisional"),
    "webinar.ended": ("Webinar ended", "Webinar", WEBINAR, False, "provisional"),
}  # fmt: skip


# name: what it is about, whether it ends that, rank; other events: about nothing, rank 0
STATES = {
    "purchase.delayed": ("subscription", False, 1),
    "purchase.canceled": ("purchase", True, 1),
    "purchase.expired": ("purchase", True, 1),
    "purchase.approved": (None, False, 2),
    "purchase.completed": (None, False, 3),
    "purchase.protested": ("purchase", False, 4),
    "purchase.partially_refunded": ("purchase", False, 4),
    "purchase.refunded": ("purchase", True, 5),
    "purchase.chargeback": ("purchase", True, 5),
    "subscription.delayed": ("subscription", False, 1),
    "subscription.active": (None, False, 2),
    "subscription.plan_switched": ("subscription", False, 0),
    "subscription.canceled": ("subscription", True, 5),
    "subscription.canceled_by_admin": ("subscription", True, 5),
    "subscription.canceled_by_customer": ("subscription", True, 5),
    "subscription.canceled_by_seller": ("subscription", True, 5),
    "subscription.inactive": ("subscription", True, 5),
    "subscription.expired": ("subscription", True, 5),
}


def product(kind: str) -> Product:
    """An approved product of that kind; a subscription has one plan."""
    plans = [SubscriptionPlan("10", "Monthly")] if kind == "subscription" else []
    return Product(
        "p", "Product", kind=ProductKind(kind), plans=plans, approved_at=date(2025, 1, 1)
    )


def rule_set(kind: str, name: str) -> RuleSet:
    """A rule set with one enabled rule on the event."""
    names_plan = kind == "subscription" and ROWS[name][3]
    rule = Segmentation(
        "Rule",
        id="rule",
        product_id="p",
        provider="mail",
        event=name,
        actions=AddTag("t"),
        plan_ids=["10"] if names_plan else [],
        enabled=True,
    )
    return RuleSet([product(kind)], [rule], providers={"mail": Capabilities.everything()})


def test_no_other_row():
    """This table, the catalogue and `EventName` have the same names."""
    assert list(ROWS) == [row.name for row in HOTMART.events]
    assert set(ROWS) == set(EventName)


@pytest.mark.parametrize("name", ROWS)
class TestEvent:
    """Each built-in event."""

    def test_row(self, name):
        """Label, group, kinds of product, plan and source are as listed."""
        row = HOTMART.event(name)
        assert row is not None
        kinds = " ".join(row.product_kinds)
        assert ROWS[name] == (row.label, row.group, kinds, row.carries_plan, row.source)

    def test_state(self, name):
        """What it is about, whether it ends that, and the rank are as listed."""
        row = HOTMART.event(name)
        assert row is not None
        assert STATES.get(name, (None, False, 0)) == (row.about, row.ends, row.rank)

    @pytest.mark.parametrize("kind", ProductKind)
    def test_runs_where_it_is_offered(self, name, kind):
        """A rule on it runs where the event is offered, and is flagged for other products."""
        rules = rule_set(kind, name)
        event = Event(
            name,
            id="e",
            product_id="p",
            contact=Contact("ana@example.com"),
            occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
            plan_id="10",
        )
        offered = kind in ROWS[name][2].split()
        assert offered == bool(Engine(rules).plan(event).actions)
        assert offered == (name in [row.name for row in rules.events_for("p", "mail")])
        codes = {str(finding.code) for finding in rules.findings}
        assert codes == (set() if offered else {"event_incompatible"})
