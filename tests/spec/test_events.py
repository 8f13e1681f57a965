"""Events and products: statements E1 to E6."""

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
        """Each kind of product offers events of its own."""
        rules = rule_set()
        offered = {
            other: {event.name for event in rules.events_for(other, "mail")} for other in OWN_EVENT
        }
        assert OWN_EVENT[product] in offered[product]

    def test_on_the_integration(self, rule_set):
        """For an account that accepts only some events, only those are offered."""
        rules = rule_set(providers={"mail": Capabilities(events=("purchase.refunded",))})
        assert ["purchase.refunded"] == [event.name for event in rules.events_for("course", "mail")]

    def test_without_integration(self, rule_set):
        """If no provider is integrated, no event is offered."""
        assert () == rule_set(providers={}).events_for("course", "mail")


class TestE2CompatibleEventsOnly:
    """E2: Only the events compatible with the chosen product are offered."""

    @pytest.mark.parametrize("product", OWN_EVENT)
    def test_offered(self, rule_set, product):
        """Exactly the events for the kind of the product are offered."""
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
        """A segmentation with an event of another kind of product is flagged."""
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
        """The built-in catalogue has events in each group."""
        assert event in [row.name for row in HOTMART.events if row.group == group]


class TestE4RecordedInteractions:
    """E4: Recorded interactions include purchases, access, and progress in content."""

    @pytest.mark.parametrize(
        "event",
        ["purchase.approved", "club.first_access", "club.progress", "club.module_completed"],
    )
    def test_recorded(self, host, make_event, event):
        """The history has the interaction, and the contact is captured."""
        shop = host(capture_provider="mail")
        shop.handle(make_event(event))
        assert ({event}, 1) == (
            {record.event_name for record in shop.journal.history("course")},
            len(shop.send.contacts()),
        )


class TestE5ProductOrWebinar:
    """E5: A segmentation may be for a product or for a webinar."""

    @pytest.mark.parametrize(
        ("product", "event"), [("course", "purchase.approved"), ("talk", "webinar.attended")]
    )
    def test_both_run(self, plan_actions, rule, make_event, product, event):
        """A segmentation of either runs for its event."""
        own = rule("r", AddTag("x"), product_id=product, event=event)
        assert [AddTag("x")] == plan_actions(make_event(event, product_id=product), own)

    def test_a_webinar_is_a_kind_of_product(self, rule_set):
        """A webinar is a product of kind `webinar`."""
        assert ProductKind.WEBINAR == rule_set().product("talk").kind


class TestE6OneForEachPlan:
    """E6: A subscription product needs a specific segmentation for each plan."""

    def _of_plan(self, rule, name, *plans, **changes):
        return rule(name, AddTag(name), product_id="club", plan_ids=plans, **changes)

    def test_without_a_plan_it_is_flagged(self, rule_set, rule):
        """A segmentation of a subscription that names no plan is flagged."""
        assert [FindingCode.PLAN_REQUIRED] == _codes(rule_set(self._of_plan(rule, "r")))

    def test_an_unknown_plan_is_flagged(self, rule_set, rule):
        """A segmentation with a plan that the product does not have is flagged."""
        assert [FindingCode.PLAN_UNKNOWN] == _codes(rule_set(self._of_plan(rule, "r", "30")))

    @pytest.mark.parametrize(
        ("plan", "expected"), [("10", ["monthly"]), ("20", ["annual"]), ("21", ["annual"])]
    )
    def test_the_matching_one_runs(self, plan_actions, rule, make_event, plan, expected):
        """Of two segmentations, only the one for the subscriber's plan runs."""
        rules = self._of_plan(rule, "monthly", "10"), self._of_plan(rule, "annual", "20")
        actions = plan_actions(make_event(product_id="club", plan_id=plan), *rules)
        assert expected == [action.tag for action in actions]

    def test_events_without_a_plan(self, plan_actions, rule_set, rule, make_event):
        """An abandoned cart has no plan, so its segmentation names none and runs for every cart."""
        cart = self._of_plan(rule, "cart", event="purchase.cart_abandoned")
        event = make_event("purchase.cart_abandoned", product_id="club")
        assert ([], [AddTag("cart")]) == (_codes(rule_set(cart)), plan_actions(event, cart))

    def test_an_unknown_plan_of_an_event(self, host, rule, make_event):
        """If the product does not have the plan of an event, the receipt says so."""
        shop = host(self._of_plan(rule, "monthly", "10"))
        (receipt,) = shop.handle(make_event(product_id="club", plan_id="99"))
        assert Idle.UNKNOWN_PLAN == receipt.idle

    def test_other_products_have_no_plans(self, rule_set, rule):
        """A segmentation of another kind of product is flagged if it names a plan."""
        single = attrs.evolve(self._of_plan(rule, "r", "10"), product_id="course")
        assert [FindingCode.PLAN_NOT_CARRIED] == _codes(rule_set(single))
