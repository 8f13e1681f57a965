"""A small shop: what the tests of the analysis change, and the events they replay."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from listboss import AddTag, Capabilities, Contact, Event, Product, RuleSet, Segmentation

DAY = datetime(2026, 5, 4, 12, tzinfo=UTC)


def make_rule(id: str, *, event: str = "purchase.approved", **more: Any) -> Segmentation:
    """Make an enabled rule that adds a tag of its own name."""
    fields = {
        "product_id": "42",
        "provider": "mail",
        "event": event,
        "actions": AddTag(id),
        "enabled": True,
    }
    return Segmentation(id.title(), id=id, **{**fields, **more})


def make_rules(*segmentations: Segmentation, **more: Any) -> RuleSet:
    """Make the rule set of one course and one account."""
    course = Product("42", "Course", approved_at=date(2025, 1, 1))
    fields: dict[str, Any] = {"providers": {"mail": Capabilities.everything()}, **more}
    return RuleSet([course], segmentations, **fields)


@pytest.fixture
def rule() -> Callable[..., Segmentation]:
    """Make a rule."""
    return make_rule


@pytest.fixture
def rules() -> Callable[..., RuleSet]:
    """Make a rule set."""
    return make_rules


@pytest.fixture
def event() -> Callable[..., Event]:
    """Make an event of one contact, on a day."""

    def event(
        id: str, name: str = "purchase.approved", *, who: str = "ana", day: int = 0, **more: Any
    ) -> Event:
        return Event(
            name,
            id=id,
            **{
                "product_id": "42",
                "contact": Contact(f"{who}@example.com"),
                "occurred_at": DAY + timedelta(days=day),
                "transaction": f"P-{who}",
                **more,
            },
        )

    return event
