"""The adapter for listboss: translates the workload and calls the public API.

There are three peers over the same segmentations, which have one action each: matching
alone, the complete plan, and the plan with automatic capture. The `Segmentation` objects
are the source; `build` makes the rule set (with its review) and the engine, and warms it.
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
    """Make the segmentation of one rule; `condition` replaces the rule's own tests."""
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
    """Make the products of a workload, all of them approved."""
    return tuple(Product(id, f"product {id}", approved_at=APPROVED) for id in ids)


def segmentations(work: Workload) -> tuple[tuple[Product, ...], tuple[Segmentation, ...]]:
    """Make the products and segmentations of a workload."""
    return products(work.products), tuple(map(segmentation, work.rules))


def rule_set(
    source: tuple[tuple[Product, ...], tuple[Segmentation, ...]], *, capture: bool = False
) -> RuleSet:
    """Make the rule set, with a provider that supports everything."""
    return RuleSet(
        *source,
        providers={PROVIDER: Capabilities.everything()},
        capture_provider=PROVIDER if capture else None,
    )


def engine_of(rules: RuleSet) -> Engine:
    """Make the engine and compile every bucket; this includes the review of each rule."""
    return Engine(rules).warm()


def _match(source: Any) -> Match:
    return engine_of(rule_set(source)).match


def _plan(source: Any) -> Match:
    return engine_of(rule_set(source)).plan


def _plan_with_capture(source: Any) -> Match:
    return engine_of(rule_set(source, capture=True)).plan


def _rule_ids(plan: Plan) -> set[str]:
    reasons = {reason for action in plan.actions for reason in action.because}
    return {reason for reason in reasons if not reason.startswith("auto.")}


def _action_count(plan: Plan) -> int:
    return len(plan.actions)


MATCH = Peer("Event", segmentations, _match, event)
PLAN = Peer("Event", segmentations, _plan, event, _rule_ids, _action_count)
PLAN_WITH_CAPTURE = Peer(
    "Event",
    segmentations,
    _plan_with_capture,
    event,
    _rule_ids,
    _action_count,
)
