"""A rule set of a course and a club, of which one rule is flagged and two contradict each other."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Contact,
    Event,
    Finding,
    MoveLead,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
    Severity,
    SubscriptionPlan,
    where,
)
from listboss.diagram import page
from listboss.rules import AnalysisCode

APPROVED = date(2025, 1, 1)
COURSE = Product("42", "Photography", approved_at=APPROVED)
CLUB = Product(
    "77",
    "Reading club",
    kind="subscription",
    plans=[SubscriptionPlan("10", "Monthly"), SubscriptionPlan("20", "Annual")],
    approved_at=APPROVED,
)


@pytest.fixture(scope="session")
def rule() -> Callable[..., Segmentation]:
    """Make an enabled segmentation of the course on its approval."""

    def rule(id: str, *actions: Any, **changes: Any) -> Segmentation:
        fields: dict[str, Any] = {
            "name": id,
            "product_id": "42",
            "provider": "mail",
            "event": "purchase.approved",
            "enabled": True,
        }
        return Segmentation(id=id, actions=actions, **{**fields, **changes})

    return rule


@pytest.fixture(scope="session")
def rules(rule) -> RuleSet:
    """Four rules of two products, and automatic capture."""
    return RuleSet(
        [COURSE, CLUB],
        [
            rule("in", AddLead("Buyers"), AddTag("buyer"), condition=where.language == "en"),
            rule("out", RemoveTag("buyer"), condition=where.country == "BR"),
            rule("carts", AddTag("cart"), event="purchase.cart_abandoned", enabled=False),
            rule(
                "vip",
                MoveLead("VIP", source="Customers"),
                name="Ação VIP",
                product_id="77",
                provider="crm",
                plan_ids=["20", "30"],
                condition=(where.price >= 250) & where.installments.between(2, 6),
            ),
        ],
        providers={"mail": Capabilities.everything()},
        capture_provider="mail",
    )


@pytest.fixture(scope="session")
def conflict() -> Finding:
    """The finding that two rules contradict each other."""
    return Finding(
        AnalysisCode.CONFLICT,
        Severity.WARNING,
        "`in` adds the tag `buyer`, which `out` removes; the removal wins",
        segmentation_id="in",
        product_id="42",
        others=("out",),
        witness=Event(
            "purchase.approved",
            id="e",
            product_id="42",
            contact=Contact("contact@example.com"),
            occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
            facts={"language": "en", "price": 10},
        ),
    )


@pytest.fixture(scope="session")
def html(rules, conflict) -> str:
    """The page of the rule set with all of its findings."""
    return page(rules, (*rules.findings, conflict))
