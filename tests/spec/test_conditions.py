"""Conditions: statements C1 to C3."""

import pytest

from listboss import AddTag, where
from listboss.rules import FindingCode

SMART = "smart_installment.status_changed"
CRITERIA = (
    ("payment_method", "Payment method", where.payment_method == "PIX", "PIX", "BILLET"),
    ("currency", "Purchase currency", where.currency == "BRL", "BRL", "USD"),
    ("language", "Buyer's language", where.language == "en", "en", "pt"),
    ("country", "Buyer's country", where.country == "BR", "BR", "PT"),
    ("offer", "Offer used", where.offer == "abc12345", "abc12345", "other"),
    ("installments", "Number of installments", where.installments >= 6, 6, 5),
    ("smart_payment_status", "Smart Payment status", where.smart_payment_status == "DELAYED",
     "DELAYED", "ACTIVE"),
)  # fmt: skip


def _event_of(fact):
    return SMART if fact == "smart_payment_status" else "purchase.approved"


class TestC1ConditionsRefine:
    """C1: Conditions refine which contacts a rule takes; which criteria exist depends on the
    event.
    """

    def test_refine(self, plan_actions, rule, make_event):
        """A rule runs for the contacts for whom the condition holds."""
        local = rule("r", AddTag("x"), condition=where.country == "BR")
        assert [[AddTag("x")], []] == [
            plan_actions(make_event(facts={"country": country}), local) for country in ("BR", "PT")
        ]

    @pytest.mark.parametrize(
        ("event", "fact", "offered"),
        [
            ("purchase.approved", "installments", True),
            ("purchase.cart_abandoned", "installments", False),
            ("purchase.cart_abandoned", "offer", True),
            ("club.progress", "percent", True),
            ("club.progress", "payment_method", False),
            (SMART, "smart_payment_status", True),
            ("purchase.approved", "smart_payment_status", False),
        ],
    )
    def test_by_event(self, rule_set, event, fact, offered):
        """Each event offers its own criteria."""
        assert offered == (fact in [row.name for row in rule_set().facts_for(event)])

    def test_flagged(self, rule_set, rule):
        """A rule is flagged if its event does not carry the fact of a criterion."""
        cart = rule(
            "r", AddTag("x"), event="purchase.cart_abandoned", condition=where.installments >= 2
        )
        assert [FindingCode.FACT_NOT_CARRIED] == [f.code for f in rule_set(cart).findings]


class TestC2Criteria:
    """C2: Criteria: payment method, purchase currency, buyer's language, buyer's country, offer
    used, number of installments, Smart Payment status.
    """

    @pytest.mark.parametrize("row", CRITERIA, ids=lambda row: row[0])
    def test_offered_under_its_name(self, rule_set, row):
        """An event offers each criterion, under its label."""
        fact, label, *_ = row
        assert label in [known.label for known in rule_set().facts_for(_event_of(fact))]

    @pytest.mark.parametrize("row", CRITERIA, ids=lambda row: row[0])
    def test_decides(self, plan_actions, rule_set, rule, make_event, row):
        """A rule with the criterion is not flagged, and runs only for contacts that match it."""
        fact, _, condition, matching, other = row
        refined = rule("r", AddTag("x"), event=_event_of(fact), condition=condition)
        taken = [
            plan_actions(make_event(_event_of(fact), facts=facts), refined)
            for facts in ({fact: matching}, {fact: other}, {})
        ]
        assert ((), [[AddTag("x")], [], []]) == (rule_set(refined).findings, taken)

    def test_combined(self, plan_actions, rule, make_event):
        """A rule can combine several criteria."""
        condition = (where.payment_method == "PIX") & (where.country == "BR")
        both = rule("r", AddTag("x"), condition=condition)
        facts = {"payment_method": "PIX", "country": "BR"}
        assert [[AddTag("x")], []] == [
            plan_actions(make_event(facts=known), both)
            for known in (facts, {**facts, "country": "PT"})
        ]


class TestC3ConditionsAreOptional:
    """C3: Conditions are optional; without one, the rule runs for every contact that triggers
    the event.
    """

    @pytest.mark.parametrize(
        "facts", [{}, {"country": "BR"}, {"country": "nowhere", "offer": 7}, {"own": True}]
    )
    def test_every_contact(self, plan_actions, rule, make_event, facts):
        """The rule runs with any facts, and without any."""
        assert [AddTag("x")] == plan_actions(make_event(facts=facts), rule("r", AddTag("x")))

    def test_no_finding(self, rule, rule_set):
        """A rule without a condition has no findings."""
        assert () == rule_set(rule("r", AddTag("x"))).findings
