"""Rule sets for the analysis: some products and accounts, and rules that are right by default."""

from datetime import date
from typing import Any

from listboss import (
    HOTMART,
    AddLead,
    Capabilities,
    FactType,
    Product,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    Verb,
)

APPROVED = date(2025, 1, 1)
PRODUCTS = (
    Product("42", "Course", approved_at=APPROVED),
    Product("43", "Draft"),
    Product("44", "Lecture", kind="webinar", approved_at=APPROVED),
    Product("45", "Old course", approved_at=date(2024, 1, 1)),
    Product(
        "77",
        "Club",
        kind="subscription",
        plans=[SubscriptionPlan("10", "Monthly"), SubscriptionPlan("20", "Annual", also=["21"])],
        approved_at=APPROVED,
    ),
)
FEW = Capabilities(
    add_tag="native",
    add_lead="native",
    move_lead="emulated",
    tags=("vip",),
    places=("Buyers", "Prospects"),
    events=("purchase.approved",),
    verbs=(Verb("acme.enrol", {"course": "text"}),),
)
PROVIDERS = {"mail": Capabilities.everything(), "few": FEW}
CATALOGUE = HOTMART.extended(
    facts=[FactType("grade", "choice", values=("Gold", "Silver", "Bronze"), closed=True)]
)


def make_rule(name: str, **changes: Any) -> Segmentation:
    """Make an enabled rule that is right; its id is its name."""
    fields: dict[str, Any] = {
        "id": name,
        "product_id": "42",
        "provider": "mail",
        "event": "purchase.approved",
        "actions": AddLead("Buyers"),
        "enabled": True,
    }
    return Segmentation(name, **{**fields, **changes})


def make_rules(*rules: Segmentation, **changes: Any) -> RuleSet:
    """Make a rule set of the usual products and accounts."""
    known = [each for each in PRODUCTS if each.id != "45"]
    fields: dict[str, Any] = {"providers": PROVIDERS, "catalogue": CATALOGUE}
    return RuleSet(changes.pop("products", known), rules, **{**fields, **changes})
