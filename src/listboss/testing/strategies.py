"""Hypothesis strategies for every kind of value: arbitrary values, or values that fit each other.

A strategy without arguments generates anything that can be constructed, including rules
that are flagged. With an argument (`events(rules)`, `conditions(catalogue)`,
`actions(capabilities)`) it generates mostly well-typed values, so that rules run and not
only their review is tested. `pairs()` generates a rule set and an event of one small world,
where many rules match, conflict or almost match. No strategy knows the right plan.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, cast

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from listboss.rules import (
    HOTMART,
    AddLead,
    AddTag,
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
    Place,
    Product,
    ProductKind,
    ProviderAction,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
)
from listboss.rules.condition import comparisons
from listboss.rules.event import CONTACT_FIELDS
from listboss.testing import _worlds
from listboss.testing._accounts import actions, capabilities
from listboss.testing._plain import DrawnDice, contacts, fact_values, facts, ids, lists, times

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


_FACTS = tuple(fact.name for fact in HOTMART.facts)


def _names(known: Iterable[str]) -> SearchStrategy[str]:
    """Generate one of the known names in half of the cases, else any id."""
    names = tuple(known)
    return st.one_of(st.sampled_from(names), st.sampled_from(names), ids()) if names else ids()


# Conditions


@st.composite
def _comparisons(draw: DrawFn, facts: Sequence[str] = _FACTS) -> Comparison:
    operator = draw(st.sampled_from(Operator))
    values: Any = fact_values()
    match operator:
        case Operator.IS_SET | Operator.IS_MISSING:
            values = st.none()
        case Operator.IN | Operator.NOT_IN:
            values = lists(values)
        case Operator.BETWEEN:
            values = st.tuples(values, values)
        case _:
            pass
    return Comparison(draw(_names(facts)), operator, draw(values))


def _combined(inner: SearchStrategy[Condition]) -> SearchStrategy[Condition]:
    several = lists(inner)
    return st.one_of(
        inner.map(Not),
        inner.map(lambda condition: ~condition),
        several.map(lambda parts: AllOf(*parts)),
        several.map(lambda parts: AnyOf(*parts)),
    )


@st.composite
def _fitting_conditions(draw: DrawFn, known: Sequence[FactType]) -> Condition:
    return _worlds.random_condition(DrawnDice(draw), known)


def conditions(catalogue: Catalogue | None = None) -> SearchStrategy[Condition]:
    """Generate conditions of every shape; with a `catalogue`, well-typed ones on its facts."""
    if catalogue is not None:
        return _fitting_conditions(catalogue.facts)
    return st.recursive(cast("SearchStrategy[Condition]", _comparisons()), _combined, max_leaves=12)


def conditions_of() -> dict[type[Any], SearchStrategy[Any]]:
    """Return a strategy for each kind of condition."""
    return {
        Comparison: _comparisons(),
        Not: conditions().map(Not),
        AllOf: lists(conditions()).map(lambda parts: AllOf(*parts)),
        AnyOf: lists(conditions()).map(lambda parts: AnyOf(*parts)),
    }


# Products and rules


def subscription_plans() -> SearchStrategy[SubscriptionPlan]:
    """Generate subscription plans."""
    return st.builds(SubscriptionPlan, ids(), ids(), also=lists(ids()))


def _have_unique_ids(plans: list[SubscriptionPlan]) -> bool:
    ids = [plan_id for plan in plans for plan_id in plan.ids]
    return len(ids) == len(set(ids))


@st.composite
def products(draw: DrawFn) -> Product:
    """Generate products of every kind, approved or not; subscriptions have up to three plans."""
    kind = draw(st.sampled_from(ProductKind))
    any_plans = lists(subscription_plans()).filter(_have_unique_ids)
    plans = st.sampled_from([_worlds.PLANS, _worlds.PLANS[:1]]) | any_plans
    return Product(
        draw(ids()),
        draw(ids()),
        kind=kind,
        plans=draw(plans) if kind is ProductKind.SUBSCRIPTION else (),
        approved_at=draw(st.none() | st.dates() | times()),
    )


def catalogues() -> SearchStrategy[Catalogue]:
    """Generate catalogues: the built-in one with up to three custom events and facts."""
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
            facts=lists(st.sampled_from(_FACTS)),
            carries_plan=st.booleans(),
        ),
        max_size=3,
        unique_by=lambda event: event.name,
    )
    extended: Callable[..., Catalogue] = HOTMART.extended
    return st.just(_worlds.CATALOGUE) | st.builds(extended, events=own_events, facts=own_facts)


def _segmentations(
    products: Sequence[Product], providers: Collection[str], catalogue: Catalogue
) -> SearchStrategy[Segmentation]:
    """Generate rules; about half of their names are those of the arguments."""
    plan_ids = [plan_id for product in products for plan in product.plans for plan_id in plan.ids]
    facts = tuple(fact.name for fact in catalogue.facts)
    return st.builds(
        Segmentation,
        ids(),
        id=ids().map(lambda name: f"rule-{name}"),
        product_id=_names(product.id for product in products),
        provider=_names(providers),
        event=_names(event.name for event in catalogue.events),
        actions=lists(actions()),
        condition=st.one_of(st.none(), _comparisons(facts), conditions()),
        plan_ids=lists(_names(plan_ids)),
        send=lists(_names(CONTACT_FIELDS + facts)),
        enabled=st.booleans(),
    )


def segmentations() -> SearchStrategy[Segmentation]:
    """Generate rules that can be constructed; many of them would be flagged."""
    return _segmentations((), (), HOTMART)


@st.composite
def _any_rule_sets(draw: DrawFn) -> RuleSet:
    names = st.text("ab1", min_size=1, max_size=2)
    known = draw(st.lists(products(), max_size=3, unique_by=lambda product: product.id))
    providers = draw(st.dictionaries(names, capabilities(), max_size=3))
    catalogue = draw(catalogues())
    rules = _segmentations(known, providers, catalogue)
    return RuleSet(
        known,
        draw(st.lists(rules, max_size=5, unique_by=lambda rule: rule.id)),
        providers=providers,
        catalogue=catalogue,
        capture_provider=draw(st.none() | _names(providers)),
    )


@st.composite
def _small_rule_sets(draw: DrawFn) -> RuleSet:
    return _worlds.random_rules(DrawnDice(draw), size=6)


_SUBSCRIBED = {"product_id": "1", "event": "subscription.active"}
_CODES = ("aB3", "Ab3")
_FAULTS: tuple[dict[str, Any], ...] = (
    {"product_id": "unknown"},
    {"provider": "unknown"},
    {"event": "unknown.event"},
    {**_SUBSCRIBED, "plan_ids": ()},
    {**_SUBSCRIBED, "plan_ids": ("unknown",)},
    {"actions": ()},
    {"actions": (AddTag(" "),)},
    {"actions": (AddTag("auto:vip"),)},
    {"provider": "few", "actions": (AddTag("unknown"), AddLead(Place(list="unknown")))},
    {"provider": "all", "actions": (ProviderAction(_worlds.ENROL.name),)},
    {"send": ("price", "unknown")},
    {"condition": Comparison("unknown", "is_set")},
    {"event": "waitlist.joined", "condition": Comparison("is_order_bump", "is_set")},
    {"condition": Comparison("grade", "eq", "Bronze")},
    {"condition": Comparison("grade", "gt", "Gold")},
    {"condition": Comparison("payment_method", "eq", "CREDITCARD")},
    {"condition": Comparison("score", "in", ("", "Gold"))},
)
"""Fields that make a rule of a small world faulty in ways that are rare by chance."""


@st.composite
def _faulty_rule_sets(draw: DrawFn) -> RuleSet:
    rules = draw(_small_rule_sets())
    fields = st.sampled_from(({}, *_FAULTS))
    for rule in rules.segmentations:
        rules = rules.replace(attrs.evolve(rule, **draw(fields)))
    if draw(st.integers(0, 9)) == 0:  # two rules on one product with codes that differ by case
        for rule, code in zip(rules.segmentations, _CODES, strict=False):
            condition = Comparison("offer", "eq", code)
            rules = rules.replace(attrs.evolve(rule, product_id="0", condition=condition))
    return rules


def rule_sets(*, fitting: bool = False) -> SearchStrategy[RuleSet]:
    """Generate rule sets of small worlds and, unless `fitting`, with faults and of any rules."""
    if fitting:
        return _small_rule_sets()
    return st.one_of(_small_rule_sets(), _faulty_rule_sets(), _any_rule_sets())


# Events


@st.composite
def _fitting_events(draw: DrawFn, rules: RuleSet) -> Event:
    dice = DrawnDice(draw)
    known_rules = [rule for rule in rules.segmentations if rules.product(rule.product_id)]
    if not known_rules or _worlds.once_in(dice, 8):
        product_id, name = dice.choice(rules.products).id, draw(st.sampled_from(EventName))
    else:
        rule = dice.choice(known_rules)
        product_id, name = rule.product_id, rule.event
    product = rules.product(product_id)
    plans = () if product is None else product.plans
    plan_ids = [plan_id for plan in plans for plan_id in plan.ids]
    carried = rules.catalogue.facts_of(name)
    return Event(
        name,
        id=draw(ids()),
        product_id=product_id,
        contact=draw(contacts()),
        occurred_at=draw(times()),
        plan_id=dice.choice([*plan_ids, None]),
        plan_name=dice.choice([*(plan.name for plan in plans), None]),
        facts={
            **_worlds.random_facts(dice, carried[: dice.randint(0, 12)]),
            **draw(_compared_facts(rules, product_id)),
        },
    )


def _compared_facts(rules: RuleSet, product_id: str) -> SearchStrategy[dict[str, FactValue]]:
    """Generate facts that the rules of a product name, with values that they compare with."""
    values: dict[str, list[FactValue]] = {}
    for rule in rules.rules_of(product_id):
        for _, comparison in comparisons(rule.condition):
            if comparison.value is not None:
                value = comparison.value
                values.setdefault(comparison.fact, []).extend(
                    value if isinstance(value, tuple) else (value,)
                )
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(options) for name, options in values.items() if options}
    )


def events(rules: RuleSet | None = None) -> SearchStrategy[Event]:
    """Generate events; with `rules`, events of their products that the rules often match."""
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
        subscriber_code=st.none() | ids(),
        facts=facts(),
        is_test=st.booleans(),
    )


@st.composite
def pairs(draw: DrawFn) -> tuple[RuleSet, Event]:
    """Generate a rule set and an event of the same small world."""
    dice = DrawnDice(draw)
    rules = _worlds.random_rules(dice, size=8)
    return rules, _worlds.random_event(dice, rules)
