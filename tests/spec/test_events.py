"""Which events there are, and for which products: statements E1 to E6."""

import attrs
import pytest

from listboss import HOTMART, AddTag, Capabilities, Idle, ProductKind
from listboss.rules import FindingCode

OWN_EVENT = {
    "course": "smart_installment.status_changed",
    "club": "subscription.active",
    "free": "club.free_registration",
    "talk": "webinar.attended",
}


def _codes(rules):
    return [finding.code for finding in rules.findings]


class TestE1AvailableEvents:
    """E1: Which events are available depends on the product (its type) and on the integrations
    in use.
    """

    @pytest.mark.parametrize("product", OWN_EVENT)
    def test_on_the_product(self, rule_set, product):
        """Products, subscriptions, free ones and webinars have events of their own."""
        rules = rule_set()
        offered = {
            other: {event.name for event in rules.events_for(other, "mail")} for other in OWN_EVENT
        }
        assert OWN_EVENT[product] in offered[product]

    def test_on_the_integration(self, rule_set):
        """An account that takes certain events only is offered those."""
        rules = rule_set(providers={"mail": Capabilities(events=("purchase.refunded",))})
        assert ["purchase.refunded"] == [event.name for event in rules.events_for("course", "mail")]

    def test_without_integration_there_are_none(self, rule_set):
        """Where no provider is integrated, nothing is offered."""
        assert () == rule_set(providers={}).events_for("course", "mail")


class TestE2CompatibleEventsOnly:
    """E2: Only the events compatible with the chosen product are offered."""

    @pytest.mark.parametrize("product", OWN_EVENT)
    def test_offered(self, rule_set, product):
        """Each event that is offered is one for the kind of the product."""
        rules = rule_set()
        kind = rules.product(product).kind
        expected = tuple(event for event in HOTMART.events if kind in event.product_kinds)
        assert expected == rules.events_for(product, "mail")

    @pytest.mark.parametrize(
        ("product", "event"),
        [
            ("course", "subscription.active"),
            ("course", "webinar.attended"),
            ("free", "purchase.approved"),
            ("talk", "purchase.approved"),
            ("club", "smart_installment.status_changed"),
        ],
    )
    def test_others_are_flagged(self, rule_set, rule, product, event):
        """A segmentation on an event of another kind of product is flagged and does not run."""
        plans = ("10",) if event.startswith("subscription") and product == "club" else ()
        rules = rule_set(rule("r", AddTag("x"), product_id=product, event=event, plan_ids=plans))
        assert [FindingCode.EVENT_INCOMPATIBLE] == _codes(rules)


class TestE3EventGroups:
    """E3: Event groups: purchase status, Hotmart Club interactions, access method, subscription
    status, product rating, Smart Installments.
    """

    @pytest.mark.parametrize(
        ("group", "event"),
        [
            ("Purchase status", "purchase.approved"),
            ("Hotmart Club", "club.progress"),
            ("Access method", "access.file_downloaded"),
            ("Subscription status", "subscription.canceled_by_admin"),
            ("Product rating", "product.rated"),
            ("Smart installments", "smart_installment.status_changed"),
        ],
    )
    def test_each_group_has_events(self, group, event):
        """The built-in catalogue groups its events so."""
        assert event in [row.name for row in HOTMART.events if row.group == group]


class TestE4RecordedInteractions:
    """E4: Recorded interactions include purchases, access, and progress in content."""

    @pytest.mark.parametrize(
        "event",
        ["purchase.approved", "club.first_access", "club.progress", "club.module_completed"],
    )
    def test_recorded(self, host, happens, event):
        """The history tells of the interaction, and the contact is captured."""
        shop = host(capture_provider="mail")
        shop.handle(happens(event))
        assert ({event}, 1) == (
            {record.event_name for record in shop.journal.history("course")},
            len(shop.send.contacts()),
        )


class TestE5ProductOrWebinar:
    """E5: A segmentation may be for a product or for a webinar."""

    @pytest.mark.parametrize(
        ("product", "event"), [("course", "purchase.approved"), ("talk", "webinar.attended")]
    )
    def test_both_run(self, asks, rule, happens, product, event):
        """A segmentation of either runs on its event."""
        own = rule("r", AddTag("x"), product_id=product, event=event)
        assert [AddTag("x")] == asks(happens(event, product_id=product), own)

    def test_a_webinar_is_a_kind_of_product(self, rule_set):
        """The host says so of its product."""
        assert ProductKind.WEBINAR == rule_set().product("talk").kind


class TestE6OneForEachPlan:
    """E6: A subscription product needs a specific segmentation for each plan."""

    def _of_plan(self, rule, name, *plans, **changes):
        return rule(name, AddTag(name), product_id="club", plan_ids=plans, **changes)

    def test_without_a_plan_it_is_flagged(self, rule_set, rule):
        """A segmentation of a subscription that names no plan is not usable."""
        assert [FindingCode.PLAN_REQUIRED] == _codes(rule_set(self._of_plan(rule, "r")))

    def test_an_unknown_plan_is_flagged(self, rule_set, rule):
        """The plan has to be one of the product's."""
        assert [FindingCode.PLAN_UNKNOWN] == _codes(rule_set(self._of_plan(rule, "r", "30")))

    @pytest.mark.parametrize(
        ("plan", "expected"), [("10", ["monthly"]), ("20", ["annual"]), ("21", ["annual"])]
    )
    def test_the_matching_one_runs(self, asks, rule, happens, plan, expected):
        """Of two segmentations, the one of the subscriber's plan runs."""
        rules = self._of_plan(rule, "monthly", "10"), self._of_plan(rule, "annual", "20")
        actions = asks(happens(product_id="club", plan_id=plan), *rules)
        assert expected == [action.tag for action in actions]

    def test_events_that_name_no_plan(self, asks, rule_set, rule, happens):
        """An abandoned cart names no plan: its segmentation has none, and runs for all."""
        cart = self._of_plan(rule, "cart", event="purchase.cart_abandoned")
        event = happens("purchase.cart_abandoned", product_id="club")
        assert ([], [AddTag("cart")]) == (_codes(rule_set(cart)), asks(event, cart))

    def test_a_plan_that_nobody_knows_is_visible(self, host, rule, happens):
        """An event of a plan that the product does not list is told so, not lost in silence."""
        shop = host(self._of_plan(rule, "monthly", "10"))
        (receipt,) = shop.handle(happens(product_id="club", plan_id="99"))
        assert Idle.UNKNOWN_PLAN == receipt.idle

    def test_other_products_need_none(self, rule_set, rule):
        """A plan on another product is flagged."""
        single = attrs.evolve(self._of_plan(rule, "r", "10"), product_id="course")
        assert [FindingCode.PLAN_NOT_CARRIED] == _codes(rule_set(single))
