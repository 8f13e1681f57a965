"""Hypothesis strategies for every noun: arbitrary ones, and ones that fit each other.

A strategy without arguments gives whatever can be constructed, flagged and odd values
among them; one that is told what to fit (`events(rules)`, `conditions(catalogue)`,
`actions(capabilities)`) gives mostly well-typed values, so that more than the review is
tested. `pairs()` gives a rule set and an event of one small world, where most rules run,
collide or nearly match. Nothing here knows what the right answer is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from listboss.rules import (
    HOTMART,
    AllOf,
    AnyOf,
    Catalogue,
    Comparison,
    Condition,
    Event,
    EventName,
    EventType,
    FactKind,
    FactType,
    FactValue,
    Not,
    Operator,
    Product,
    ProductKind,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
)
from listboss.rules.condition import comparisons
from listboss.testing import _worlds as worlds
from listboss.testing._accounts import actions, capabilities
from listboss.testing._plain import Drawn, contacts, fact_values, facts, few, ids, times

__all__ = [
    "catalogues",
    "conditions",
    "conditions_of",
    "events",
    "pairs",
    "products",
    "rule_sets",
    "segmentations",
    "subscription_plans",
]


# Conditions


@st.composite
def _comparisons(draw: DrawFn) -> Comparison:
    names = st.sampled_from([fact.name for fact in HOTMART.facts]) | ids()
    operator = draw(st.sampled_from(Operator))
    values: Any = fact_values()
    match operator:
        case Operator.IS_SET | Operator.IS_MISSING:
            values = st.none()
        case Operator.IN | Operator.NOT_IN:
            values = few(values)
        case Operator.BETWEEN:
            values = st.tuples(values, values)
        case _:
            pass
    return Comparison(draw(names), operator, draw(values))


def _combined(inner: SearchStrategy[Condition]) -> SearchStrategy[Condition]:
    several = few(inner)
    return st.one_of(
        inner.map(Not),
        inner.map(lambda condition: ~condition),
        several.map(lambda parts: AllOf(*parts)),
        several.map(lambda parts: AnyOf(*parts)),
    )


@st.composite
def _fitting_conditions(draw: DrawFn, known: Sequence[FactType]) -> Condition:
    return worlds.random_condition(Drawn(draw), known)


def conditions(catalogue: Catalogue | None = None) -> SearchStrategy[Condition]:
    """Give conditions of every shape; with a `catalogue`, of its facts and values that fit."""
    if catalogue is not None:
        return _fitting_conditions(catalogue.facts)
    return st.recursive(cast("SearchStrategy[Condition]", _comparisons()), _combined, max_leaves=12)


def conditions_of() -> dict[type[Any], SearchStrategy[Any]]:
    """Give a strategy for each kind of condition."""
    return {
        Comparison: _comparisons(),
        Not: conditions().map(Not),
        AllOf: few(conditions()).map(lambda parts: AllOf(*parts)),
        AnyOf: few(conditions()).map(lambda parts: AnyOf(*parts)),
    }


# Products and rules


def subscription_plans() -> SearchStrategy[SubscriptionPlan]:
    """Give single plans."""
    return st.builds(SubscriptionPlan, ids(), ids(), also=few(ids()))


def _apart(plans: list[SubscriptionPlan]) -> bool:
    ids = [plan_id for plan in plans for plan_id in plan.ids]
    return len(ids) == len(set(ids))


@st.composite
def products(draw: DrawFn) -> Product:
    """Give products of every kind, approved or not, subscriptions with up to three plans."""
    kind = draw(st.sampled_from(ProductKind))
    plans = st.sampled_from([worlds.PLANS, worlds.PLANS[:1]]) | few(subscription_plans()).filter(
        _apart
    )
    return Product(
        draw(ids()),
        draw(ids()),
        kind=kind,
        plans=draw(plans) if kind is ProductKind.SUBSCRIPTION else (),
        approved_at=draw(st.none() | st.dates() | times()),
    )


def catalogues() -> SearchStrategy[Catalogue]:
    """Give the built-in catalogue, extended by up to three own events and facts."""
    own_facts = st.lists(
        st.builds(
            FactType, ids().map(lambda name: f"own.{name}"), st.sampled_from(FactKind), label=ids()
        ),
        max_size=3,
        unique_by=lambda fact: fact.name,
    )
    own_events = st.lists(
        st.builds(
            EventType,
            ids().map(lambda name: f"own.{name}"),
            ids(),
            product_kinds=st.lists(st.sampled_from(ProductKind), unique=True),
            facts=few(st.sampled_from([fact.name for fact in HOTMART.facts])),
            carries_plan=st.booleans(),
        ),
        max_size=3,
        unique_by=lambda event: event.name,
    )
    extended: Callable[..., Catalogue] = HOTMART.extended
    return st.just(worlds.CATALOGUE) | st.builds(extended, events=own_events, facts=own_facts)


def segmentations() -> SearchStrategy[Segmentation]:
    """Give rules that can be written; whether they can be used is for the review to say."""
    return st.builds(
        Segmentation,
        ids(),
        id=ids().map(lambda name: f"rule-{name}"),
        product_id=ids(),
        provider=ids(),
        event=st.sampled_from(EventName) | ids(),
        actions=few(actions()),
        condition=st.none() | conditions(),
        plan_ids=few(ids()),
        send=few(st.sampled_from(["email", "name", "offer", "price"]) | ids()),
        enabled=st.booleans(),
    )


@st.composite
def _worlds(draw: DrawFn) -> RuleSet:
    return worlds.random_rules(Drawn(draw), size=6)


def rule_sets(*, fitting: bool = False) -> SearchStrategy[RuleSet]:
    """Give rule sets: small worlds, and unless `fitting` also any rules on any products."""
    if fitting:
        return _worlds()
    names = st.text("ab1", min_size=1, max_size=2)
    return _worlds() | st.builds(
        RuleSet,
        st.lists(products(), max_size=3, unique_by=lambda product: product.id),
        st.lists(segmentations(), max_size=5, unique_by=lambda rule: rule.id),
        providers=st.dictionaries(names, capabilities(), max_size=3),
        catalogue=catalogues(),
        capture_provider=st.none() | names,
    )


# Events


@st.composite
def _fitting_events(draw: DrawFn, rules: RuleSet) -> Event:
    dice = Drawn(draw)
    asked = [rule for rule in rules.segmentations if rules.product(rule.product_id)]
    if not asked or worlds.once_in(dice, 8):
        product_id, name = dice.choice(rules.products).id, draw(st.sampled_from(EventName))
    else:
        rule = dice.choice(asked)
        product_id, name = rule.product_id, rule.event
    product = rules.product(product_id)
    plans = () if product is None else product.plans
    plan_ids = [plan_id for plan in plans for plan_id in plan.ids]
    known = rules.catalogue.facts_of(name)
    return Event(
        name,
        id=draw(ids()),
        product_id=product_id,
        contact=draw(contacts()),
        occurred_at=draw(times()),
        plan_id=dice.choice([*plan_ids, None]),
        plan_name=dice.choice([*(plan.name for plan in plans), None]),
        facts={
            **worlds.random_facts(dice, known[: dice.randint(0, 12)]),
            **draw(_compared(rules, product_id)),
        },
    )


def _compared(rules: RuleSet, product_id: str) -> SearchStrategy[dict[str, FactValue]]:
    """Give values that the rules of a product compare with, for some of the facts they name."""
    values: dict[str, list[FactValue]] = {}
    for rule in rules.rules_of(product_id):
        for _, comparison in comparisons(rule.condition):
            if comparison.value is not None:
                value = comparison.value
                values.setdefault(comparison.fact, []).extend(
                    value if isinstance(value, tuple) else (value,)
                )
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(given) for name, given in values.items() if given}
    )


def events(rules: RuleSet | None = None) -> SearchStrategy[Event]:
    """Give events; with `rules`, of their products, mostly such as they are about."""
    if rules is not None and rules.products:
        return _fitting_events(rules)
    return st.builds(
        Event,
        st.sampled_from(EventName) | ids(),
        id=ids(),
        product_id=ids(),
        contact=st.none() | contacts(),
        occurred_at=times(),
        plan_id=st.none() | ids(),
        plan_name=st.none() | ids(),
        transaction=st.none() | ids(),
        facts=facts(),
        is_test=st.booleans(),
    )


@st.composite
def pairs(draw: DrawFn) -> tuple[RuleSet, Event]:
    """Give a rule set and an event of the same small world."""
    dice = Drawn(draw)
    rules = worlds.random_rules(dice, size=8)
    return rules, worlds.random_event(dice, rules)
