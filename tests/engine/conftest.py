"""Fixtures that make rules, engines and events: a course, a subscription and two accounts."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from listboss import (
    Action,
    Capabilities,
    Contact,
    Engine,
    Event,
    Product,
    ProductKind,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
APPROVED = date(2025, 1, 1)
COURSE = Product("42", "Course", approved_at=APPROVED)
CLUB = Product(
    "77",
    "Club",
    kind=ProductKind.SUBSCRIPTION,
    plans=[SubscriptionPlan("10", "Monthly"), SubscriptionPlan("20", "Annual", also=["21"])],
    approved_at=APPROVED,
)


@pytest.fixture(scope="session")
def happens() -> Callable[..., Event]:
    """Make an event: an approved purchase of the course by default."""

    def happens(name: str = "purchase.approved", **changes: Any) -> Event:
        fields: dict[str, Any] = {
            "id": "e-1",
            "product_id": "42",
            "contact": Contact("Ana@example.com", name="Ana", phone="5511"),
            "occurred_at": NOW,
        }
        return Event(name, **{**fields, **changes})

    return happens


@pytest.fixture(scope="session")
def rule() -> Callable[..., Segmentation]:
    """Make an enabled segmentation of the course on its approval."""

    def rule(id: str, *actions: Action, **changes: Any) -> Segmentation:
        fields: dict[str, Any] = {
            "id": id,
            "product_id": "42",
            "provider": "mail",
            "event": "purchase.approved",
            "actions": actions,
            "enabled": True,
        }
        return Segmentation(id, **{**fields, **changes})

    return rule


@pytest.fixture(scope="session")
def rule_set() -> Callable[..., RuleSet]:
    """Make a rule set over the course and the club, with the accounts `mail` and `post`."""

    def rule_set(*rules: Segmentation, **changes: Any) -> RuleSet:
        everything = Capabilities.everything()
        fields: dict[str, Any] = {
            "products": [COURSE, CLUB],
            "providers": {"mail": everything, "post": everything},
        }
        fields.update(changes)
        return RuleSet(fields.pop("products"), rules, **fields)

    return rule_set


@pytest.fixture(scope="session")
def engine(rule_set: Callable[..., RuleSet]) -> Callable[..., Engine]:
    """Make an engine of these rules, with the products and accounts of `rule_set`."""

    def engine(*rules: Segmentation, **changes: Any) -> Engine:
        return Engine(rule_set(*rules, **changes))

    return engine
