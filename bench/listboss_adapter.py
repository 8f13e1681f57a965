"""listboss in the terms of the benchmark: the only module here that knows its API.

Matching alone, the complete plan, and the plan with automatic capture on are three peers
over the same segmentations, one action each. `build` is rule set (with its review), engine
and `warm()`; the `Segmentation` objects are the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bench.listboss_event import event
from bench.peers import Match, Peer
from bench.workload import Operator, Rule, Test, Workload
from listboss import (
    AddTag,
    AllOf,
    Capabilities,
    Condition,
    Engine,
    Plan,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
    where,
)

__all__ = [
    "MATCH",
    "PLAN",
    "PLAN_WITH_CAPTURE",
    "PROVIDER",
    "engine_of",
    "products",
    "rule_set",
    "segmentation",
    "segmentations",
]

PROVIDER = "crm"
APPROVED = datetime(2025, 1, 1, tzinfo=UTC)

COMPARE: Mapping[Operator, Callable[[Any, Any], Condition]] = {
    "eq": lambda fact, value: fact == value,
    "in": lambda fact, values: fact.is_in(*values),
    "gte": lambda fact, value: fact >= value,
    "between": lambda fact, ends: fact.between(*ends),
}


def _comparison(test: Test) -> Condition:
    return COMPARE[test.operator](where[test.fact], test.value)


def _condition(tests: tuple[Test, ...]) -> Condition | None:
    parts = tuple(map(_comparison, tests))
    if len(parts) < 2:
        return parts[0] if parts else None
    return AllOf(*parts)


def segmentation(rule: Rule, condition: Condition | None = None) -> Segmentation:
    """Put one rule into listboss' terms; `condition` replaces what its tests say."""
    tag = rule.action.tag
    return Segmentation(
        rule.id,
        id=rule.id,
        product_id=rule.product_id,
        provider=PROVIDER,
        event=rule.event,
        actions=AddTag(tag) if rule.action.kind == "add" else RemoveTag(tag),
        condition=_condition(rule.tests) if condition is None else condition,
        enabled=True,
    )


def products(ids: Iterable[str]) -> tuple[Product, ...]:
    """Make the approved products of a workload."""
    return tuple(Product(id, f"product {id}", approved_at=APPROVED) for id in ids)


def segmentations(work: Workload) -> tuple[tuple[Product, ...], tuple[Segmentation, ...]]:
    """Make the products and segmentations of a workload."""
    return products(work.products), tuple(map(segmentation, work.rules))


def rule_set(
    source: tuple[tuple[Product, ...], tuple[Segmentation, ...]], *, capture: bool = False
) -> RuleSet:
    """Make the rule set, at a provider that can do everything."""
    return RuleSet(
        *source,
        providers={PROVIDER: Capabilities.everything()},
        capture_provider=PROVIDER if capture else None,
    )


def engine_of(rules: RuleSet) -> Engine:
    """Make the engine with every bucket compiled; it reviews each rule as it takes it in."""
    return Engine(rules).warm()


def _match(source: Any) -> Match:
    return engine_of(rule_set(source)).match


def _plan(source: Any) -> Match:
    return engine_of(rule_set(source)).plan


def _plan_with_capture(source: Any) -> Match:
    return engine_of(rule_set(source, capture=True)).plan


def _asked(plan: Plan) -> set[str]:
    reasons = {reason for action in plan.actions for reason in action.because}
    return {reason for reason in reasons if not reason.startswith("auto.")}


def _actions(plan: Plan) -> int:
    return len(plan.actions)


MATCH = Peer("Python, index; matching alone", "Event", segmentations, _match, event)
PLAN = Peer("Python, index; complete plan", "Event", segmentations, _plan, event, _asked, _actions)
PLAN_WITH_CAPTURE = Peer(
    "Python, index; complete plan",
    "Event",
    segmentations,
    _plan_with_capture,
    event,
    _asked,
    _actions,
)
