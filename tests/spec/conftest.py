"""A small host: four products, a mail account, and everything that carries out a plan."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest

from listboss import (
    Action,
    Capabilities,
    Contact,
    Engine,
    Event,
    Plan,
    Product,
    ProductKind,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
)
from listboss.delivery import Executor, MemoryJournal, Receipt
from listboss.send import Send

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
APPROVED = date(2025, 1, 1)
PRODUCTS = (
    Product("course", "Course", approved_at=APPROVED),
    Product(
        "club",
        "Club",
        kind=ProductKind.SUBSCRIPTION,
        plans=[SubscriptionPlan("10", "Monthly"), SubscriptionPlan("20", "Annual", also=["21"])],
        approved_at=APPROVED,
    ),
    Product("free", "First steps", kind=ProductKind.FREE, approved_at=APPROVED),
    Product("talk", "Talk", kind=ProductKind.WEBINAR, approved_at=APPROVED),
)


@attrs.define
class Host:
    """The embedded provider as the account `mail`, a journal, an executor, and a clock to set."""

    send: Send
    journal: MemoryJournal
    executor: Executor
    now: datetime

    def handle(self, *events: Event) -> list[Receipt]:
        """Handle the events with the executor, in order."""
        return [self.executor.handle(event) for event in events]


@pytest.fixture(scope="session")
def make_event() -> Callable[..., Event]:
    """Make an event: by default, Ana's purchase of the course is approved."""

    def make_event(name: str = "purchase.approved", **changes: Any) -> Event:
        fields: dict[str, Any] = {
            "id": f"e-{name}",
            "product_id": "course",
            "contact": Contact("ana@example.com", name="Ana"),
            "occurred_at": NOW,
        }
        return Event(name, **{**fields, **changes})

    return make_event


@pytest.fixture(scope="session")
def rule() -> Callable[..., Segmentation]:
    """Make an enabled segmentation: by default, for approved purchases of the course."""

    def rule(name: str, *actions: Action, **changes: Any) -> Segmentation:
        fields: dict[str, Any] = {
            "id": name,
            "product_id": "course",
            "provider": "mail",
            "event": "purchase.approved",
            "actions": actions,
            "enabled": True,
        }
        return Segmentation(name, **{**fields, **changes})

    return rule


@pytest.fixture(scope="session")
def rule_set() -> Callable[..., RuleSet]:
    """Make a rule set: by default, with the four products and the account `mail`."""

    def rule_set(*rules: Segmentation, **changes: Any) -> RuleSet:
        fields: dict[str, Any] = {
            "products": PRODUCTS,
            "providers": {"mail": Capabilities.everything()},
        }
        fields.update(changes)
        return RuleSet(fields.pop("products"), rules, **fields)

    return rule_set


@pytest.fixture(scope="session")
def plan_actions(rule_set: Callable[..., RuleSet]) -> Callable[..., list[Action]]:
    """Plan an event with some rules and return the actions of the plan."""

    def plan_actions(event: Event, *rules: Segmentation, **changes: Any) -> list[Action]:
        plan: Plan = Engine(rule_set(*rules, **changes)).plan(event)
        return [planned.action for planned in plan.actions]

    return plan_actions


@pytest.fixture
def host(rule_set: Callable[..., RuleSet]) -> Iterator[Callable[..., Host]]:
    """Make hosts with some rules, and close their stores after the test."""
    stores: list[Send] = []

    def host(*rules: Segmentation, lead_limit: int | None = None, **changes: Any) -> Host:
        made: list[Host] = []
        send = Send(":memory:", lead_limit=lead_limit, clock=lambda: made[0].now if made else NOW)
        stores.append(send)
        engine = Engine(rule_set(*rules, **{"providers": {"mail": send.capabilities}, **changes}))
        journal = MemoryJournal(keep=None)
        executor = Executor(
            engine, {"mail": send}, journal, clock=lambda: made[0].now if made else NOW
        )
        made.append(Host(send, journal, executor, NOW))
        return made[0]

    yield host
    for store in stores:
        store.close()
