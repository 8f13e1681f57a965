"""Matching: which rules of one product hold for one event.

Rules are filed by product, then by event name and, on a subscription, by plan: an event
only meets the rules of its own bucket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

from listboss.engine.predicate import Facts, Predicate, predicate
from listboss.engine.step import Step, steps_of
from listboss.rules.capabilities import Capabilities
from listboss.rules.catalogue import Catalogue, ProductKind
from listboss.rules.event import Event
from listboss.rules.review import Setting, is_flagged
from listboss.rules.segmentation import Product, Segmentation
from listboss.rules.text import fold

__all__ = ["Bucket", "PlanNames", "PreparedRule", "ProductIndex", "index_product", "plan_names"]

Key: TypeAlias = tuple[str, str | None]
"""Event name, and the id of the subscription plan where the event carries one."""


@attrs.frozen(eq=False)
class PreparedRule:
    """A rule that can run: its id, its test (None holds always), and its actions prepared."""

    id: str
    holds: Predicate | None
    steps: tuple[Step, ...]


@attrs.frozen(eq=False)
class Bucket:
    """The rules of one product, event and plan, in the order declared."""

    rules: tuple[PreparedRule, ...]

    def match(self, facts: Facts) -> Sequence[PreparedRule]:
        """Return the rules that hold, in the order declared."""
        return [rule for rule in self.rules if rule.holds is None or rule.holds(facts)]


@attrs.frozen(eq=False)
class PlanNames:
    """How an event names a subscription plan: by any of its ids, else by its name."""

    by_id: Mapping[str, str]
    by_name: Mapping[str, str]

    def resolve(self, event: Event) -> str | None:
        """Return the id of the plan that the event means, or None."""
        if event.plan_id is not None:
            return self.by_id.get(event.plan_id)
        return None if event.plan_name is None else self.by_name.get(fold(event.plan_name))


def plan_names(product: Product) -> PlanNames:
    """Collect the ids and the unambiguous names of a product's plans."""
    names = [fold(plan.name) for plan in product.plans]
    return PlanNames(
        {plan_id: plan.id for plan in product.plans for plan_id in plan.ids},
        {
            name: plan.id
            for name, plan in zip(names, product.plans, strict=True)
            if names.count(name) == 1
        },
    )


@attrs.frozen(eq=False)
class ProductIndex:
    """All buckets of one product; `plans` is None unless the product is a subscription."""

    product: Product
    plans: PlanNames | None
    buckets: Mapping[Key, Bucket]


def index_product(
    product: Product,
    rules: Sequence[Segmentation],
    providers: Mapping[str, Capabilities],
    catalogue: Catalogue,
) -> ProductIndex:
    """File the rules of a product that can run: enabled, and without an error finding."""
    subscription = product.kind is ProductKind.SUBSCRIPTION
    plans = plan_names(product) if subscription else None
    filed: dict[Key, list[PreparedRule]] = {}
    for rule in rules:
        capabilities = providers.get(rule.provider)
        if not rule.enabled or is_flagged(rule, Setting(product, capabilities, catalogue)):
            continue
        if capabilities is None:
            raise LookupError(rule.provider)
        test = None if rule.condition is None else predicate(rule.condition, catalogue)
        prepared = PreparedRule(rule.id, test, steps_of(rule, capabilities))
        for plan in _plans_of(rule, plans):
            filed.setdefault((rule.event, plan), []).append(prepared)
    return ProductIndex(product, plans, {key: Bucket(tuple(r)) for key, r in filed.items()})


def _plans_of(rule: Segmentation, plans: PlanNames | None) -> Sequence[str | None]:
    if plans is None or not rule.plan_ids:
        return (None,)
    return tuple(dict.fromkeys(plans.by_id[plan_id] for plan_id in rule.plan_ids))
