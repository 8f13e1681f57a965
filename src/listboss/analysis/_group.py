"""The rules that can run, grouped by product and event, with the boxes where each of them holds.

Only rules of one group can meet in a plan. A group has one `Space`, so the boxes of its rules are
compared directly. A rule whose condition is too complex is in the group, but not among those that
are `compared`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property

import attrs

from listboss.engine.planning.compiled import CompiledAction, compile_actions
from listboss.rules._boxes import Box, Budget, Space, TooComplexError, are_disjoint
from listboss.rules.catalogue import ProductKind
from listboss.rules.event import Contact, Event, FactValue
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import Product, Segmentation

__all__ = ["Group", "Member", "groups_of", "overlap"]

ANY_PLAN = 1
"""The mask of a rule where the subscription plan does not matter."""
WITNESS_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
WITNESS_CONTACT = Contact("contact@example.com")


@attrs.frozen(eq=False, slots=False)
class Member:
    """A rule that can run: its actions, the subscription plans it is for, and its boxes.

    `plans` is a mask with a bit for each plan of the product. `boxes` is None if the condition
    is too complex, and empty if it can never hold.
    """

    rule: Segmentation
    actions: tuple[CompiledAction, ...]
    plans: int
    boxes: tuple[Box, ...] | None

    @property
    def id(self) -> str:
        """The id of the rule."""
        return self.rule.id

    @cached_property
    def asked(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        """What it asks for, and with which data."""
        return frozenset((action.order, action.send) for action in self.actions)

    def where(self) -> tuple[Box, ...]:
        """Return the boxes of a rule that is compared."""
        return self.boxes or ()


@attrs.frozen(eq=False)
class Group:
    """All rules that can run on one product and event, in the order declared.

    `flagged` are rules that would be among them if they had no errors.
    """

    product: Product
    event: str
    space: Space
    members: Sequence[Member]
    by_plan: bool
    flagged: Sequence[Segmentation]

    @property
    def compared(self) -> list[Member]:
        """The rules whose boxes are known, and that can hold."""
        return [each for each in self.members if each.boxes]

    def witness(self, plans: int, facts: dict[str, FactValue] | None) -> Event:
        """Make an event of one of these plans, with these facts."""
        plan_id = None
        if self.by_plan:
            plan_id = self.product.plans[(plans & -plans).bit_length() - 1].id
        return Event(
            self.event,
            id="witness",
            product_id=self.product.id,
            contact=WITNESS_CONTACT,
            occurred_at=WITNESS_AT,
            plan_id=plan_id,
            facts=facts or {},
        )

    def witness_of(self, member: Member) -> Event:
        """Make an event on which a rule runs."""
        return self.witness(member.plans, self.space.member(member.where()))


def overlap(one: Member, other: Member, space: Space, budget: Budget) -> bool:
    """Whether two rules hold on one event; raises `TooComplexError` if the budget is spent."""
    if not one.plans & other.plans:
        return False
    others = other.where()
    for box in one.where():
        budget.spend(0, len(others))
        for another in others:
            if not are_disjoint(box, another) and space.intersection(box, another) is not None:
                return True
    return False


def groups_of(rules: RuleSet, flagged: Collection[str | None]) -> Iterator[Group]:
    """Yield the groups of enabled rules that are not flagged."""
    for product in rules.products:
        by_event: dict[str, tuple[list[Segmentation], list[Segmentation]]] = {}
        for rule in rules.rules_of(product.id):
            if rule.enabled:
                by_event.setdefault(rule.event, ([], []))[rule.id in flagged].append(rule)
        for event, (usable, unusable) in by_event.items():
            if usable:
                yield _group(product, event, usable, unusable, rules)


def _group(
    product: Product,
    event: str,
    usable: list[Segmentation],
    unusable: list[Segmentation],
    rules: RuleSet,
) -> Group:
    event_type = rules.catalogue.event(event)
    by_plan = (
        product.kind is ProductKind.SUBSCRIPTION
        and event_type is not None
        and event_type.carries_plan
    )
    bits = {
        plan_id: 1 << n for n, plan in enumerate(product.plans) for plan_id in plan.ids if by_plan
    }
    space = Space.of((rule.condition for rule in usable), rules.catalogue)
    members: list[Member] = []
    for rule in usable:
        plans = ANY_PLAN
        if by_plan:
            plans = 0
            for plan_id in rule.plan_ids:
                plans |= bits[plan_id]
        actions = compile_actions(rule, rules.providers[rule.provider])
        members.append(Member(rule, actions, plans, _boxes(rule, space)))
    return Group(product, event, space, members, by_plan, unusable)


def _boxes(rule: Segmentation, space: Space) -> tuple[Box, ...] | None:
    try:
        return space.boxes(rule.condition, Budget())
    except TooComplexError:
        return None
