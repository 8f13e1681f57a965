"""The rules of one product, filed by event and plan: an event only meets its own bucket.

Only rules that can run are filed: enabled ones without an error finding. `updated` turns
the index of one rule set into that of the next, and touches only the buckets of the rules
that changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import attrs

from listboss.engine.matching.bucket import Bucket, bucket_of, changed, compacted
from listboss.engine.matching.scan import NOTHING
from listboss.engine.planning.compiled import PreparedRule, steps_of
from listboss.plan import Idle
from listboss.rules._text import fold
from listboss.rules.catalogue import Catalogue, ProductKind
from listboss.rules.event import Event
from listboss.rules.review import is_flagged
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import Product, Segmentation

__all__ = ["Key", "PlanNames", "ProductIndex", "index_product", "plan_names", "updated"]

Key: TypeAlias = str | tuple[str, str]
"""The event's name; with the id of the subscription plan where the event carries one."""


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
    """All buckets of one product.

    `plans` is None unless the product is a subscription. `rules` are those that the index
    was made of, `positions` their places: a rule keeps its place for as long as it lives.
    """

    product: Product
    plans: PlanNames | None
    rules: tuple[Segmentation, ...]
    positions: Sequence[int]
    buckets: Mapping[Key, Bucket]

    def key(self, event: Event) -> Key | None:
        """Return the bucket of an event that carries a plan; None if the product lacks it."""
        plan = None if self.plans is None else self.plans.resolve(event)
        return None if plan is None else (event.name, plan)

    def bucket(self, key: Key | None) -> Bucket:
        """Return the rules of a bucket; there may be none."""
        if key is None:
            return NOTHING[Idle.UNKNOWN_PLAN]
        return self.buckets.get(key, NOTHING[Idle.NO_RULE])

    def compacted(self, catalogue: Catalogue) -> ProductIndex:
        """Return the index with every bucket in one piece."""
        return attrs.evolve(
            self,
            buckets={key: compacted(bucket, catalogue) for key, bucket in self.buckets.items()},
        )


_Filed: TypeAlias = dict[Key, list[PreparedRule]]


def _file(
    rules: Iterable[tuple[int, Segmentation]], plans: PlanNames | None, rule_set: RuleSet
) -> _Filed:
    filed: _Filed = {}
    for position, rule in rules:
        capabilities = rule_set.providers.get(rule.provider)
        if (
            capabilities is None
            or not rule.enabled
            or is_flagged(rule, rule_set.review_context(rule))
        ):
            continue
        prepared = PreparedRule(position, rule.id, rule, steps_of(rule, capabilities))
        for key in _keys(rule, plans):
            filed.setdefault(key, []).append(prepared)
    return filed


def _keys(rule: Segmentation, plans: PlanNames | None) -> Sequence[Key]:
    if plans is None or not rule.plan_ids:
        return (rule.event,)
    found = dict.fromkeys(plans.by_id.get(plan_id) for plan_id in rule.plan_ids)
    return [(rule.event, plan) for plan in found if plan is not None]


def index_product(product: Product, rule_set: RuleSet) -> ProductIndex:
    """File the rules of a product that can run."""
    rules = rule_set.rules_of(product.id)
    plans = plan_names(product) if product.kind is ProductKind.SUBSCRIPTION else None
    filed = _file(enumerate(rules), plans, rule_set)
    buckets = {key: bucket_of(found, rule_set.catalogue) for key, found in filed.items()}
    return ProductIndex(product, plans, rules, range(len(rules)), buckets)


def updated(index: ProductIndex, rule_set: RuleSet) -> ProductIndex:
    """Return the index for the product's rules in another rule set.

    Product, providers and catalogue must be the same; what did not change is shared.
    """
    old, new, positions = index.rules, rule_set.rules_of(index.product.id), index.positions
    if old is new:
        return index
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    gone, fresh = old[start : len(old) - end], new[start : len(new) - end]
    places = [*positions[start : len(old) - end]]
    if len(fresh) > len(places):
        if end:
            return index_product(index.product, rule_set)  # no room between two places
        last = positions[-1] + 1 if positions else 0
        places += range(last, last + len(fresh) - len(places))
    pairs = zip(places, gone, fresh, strict=False)
    same = {place for place, before, after in pairs if before is after}
    removed = {place for place in places[: len(gone)] if place not in same}
    added = [(p, rule) for p, rule in zip(places, fresh, strict=False) if p not in same]
    filed = _file(added, index.plans, rule_set)
    touched = {key for rule in gone for key in _keys(rule, index.plans)} | filed.keys()
    buckets = dict(index.buckets)
    for key in touched:
        bucket = buckets.get(key)
        found = filed.get(key, [])
        if bucket is not None:
            buckets[key] = changed(bucket, removed, found, rule_set.catalogue)
        elif found:
            buckets[key] = bucket_of(found, rule_set.catalogue)
    if len(old) != len(new):
        positions = [*positions[:start], *places[: len(fresh)], *positions[len(old) - end :]]
    return attrs.evolve(index, rules=new, positions=positions, buckets=buckets)


def _common(one: Sequence[Segmentation], other: Sequence[Segmentation]) -> int:
    """Count the leading rules that are equal: by halves, since slices compare very fast."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
