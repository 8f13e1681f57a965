"""The strategies: registered, arbitrary without arguments, and fitting with them."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, get_args

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import listboss.testing
from listboss import (
    HOTMART,
    Action,
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Catalogue,
    Comparison,
    Condition,
    Contact,
    Event,
    MoveLead,
    Not,
    Place,
    Product,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
)
from listboss.errors import WebhookError
from listboss.hotmart import parse
from listboss.rules import Verb
from listboss.rules.condition import MAX_DEPTH, comparisons
from listboss.rules.finding import FindingCode
from listboss.testing import (
    actions,
    capabilities,
    catalogues,
    conditions,
    events,
    fact_values,
    pairs,
    payloads,
    rule_sets,
    segmentations,
)

NOUNS = [
    AddLead, AddTag, AllOf, AnyOf, Capabilities, Catalogue, Comparison, Contact, Event, MoveLead,
    Not, Place, Product, ProviderAction, RemoveLead, RemoveTag, RuleSet, Segmentation,
    SubscriptionPlan, Verb,
]  # fmt: skip
T = TypeVar("T")
some = settings(max_examples=50)


def examples(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """Collect `count` values of a strategy."""
    seen: list[T] = []

    @settings(max_examples=count, database=None, derandomize=True, phases=[Phase.generate])
    @given(strategy)
    def collect(value: T) -> None:
        seen.append(value)

    collect()
    return seen


def gives_events(body: dict[str, Any]) -> bool:
    """Return whether a webhook body has events."""
    try:
        return bool(parse(json.dumps(body)).events)
    except WebhookError:
        return False


class TestRegistered:
    """`st.from_type` knows every noun once `listboss.testing` is imported."""

    @pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
    def test_noun(self, noun):
        """The strategy generates values of exactly this class."""

        @some
        @given(st.from_type(noun))
        def check(value: Any) -> None:
            assert noun is type(value)

        check()

    @pytest.mark.parametrize("union", [Action, Condition])
    def test_union(self, union: Any) -> None:
        """A union generates values of each of its classes."""
        values: list[object] = examples(st.from_type(union), 200)
        assert set(get_args(union)) == {type(value) for value in values}

    def test_all(self):
        """`__all__` is sorted and names what exists."""
        assert sorted(listboss.testing.__all__) == listboss.testing.__all__
        assert all(hasattr(listboss.testing, name) for name in listboss.testing.__all__)


class TestArbitrary:
    """Without arguments, a strategy generates anything that can be constructed."""

    def test_flagged_rules(self):
        """Rule sets have findings of every code.

        The strategy has the odd values itself: Hypothesis also takes constants from the modules
        of a checkout, but not from those of an installed package.
        """
        seen = {f.code for rules in examples(rule_sets(), 600) for f in rules.findings}

        assert set(FindingCode) == seen

    def test_types_of_facts(self):
        """Facts have every type."""
        seen = {type(value) for value in examples(fact_values(), 200)}
        assert {str, int, bool, Decimal, datetime} == seen

    @some
    @given(conditions())
    def test_conditions_stay_within_limits(self, condition: Condition) -> None:
        """A generated condition can be combined without becoming too deep."""
        assert condition.depth < MAX_DEPTH
        assert isinstance(condition & condition, AllOf)

    @some
    @given(segmentations())
    def test_segmentations_are_values(self, rule: Segmentation) -> None:
        """Rules can be hashed."""
        assert hash(rule) == hash(rule)


class TestFitting:
    """With arguments, a strategy generates well-typed values."""

    @some
    @given(st.data())
    def test_conditions_of_a_catalogue(self, data: st.DataObject) -> None:
        """Conditions compare only facts of the catalogue."""
        catalogue = data.draw(catalogues())
        condition = data.draw(conditions(catalogue))
        for _, comparison in comparisons(condition):
            assert catalogue.fact(comparison.fact) is not None

    @some
    @given(conditions(HOTMART))
    def test_conditions_are_well_typed(self, condition: Condition) -> None:
        """Conditions have only operators and values that fit their facts."""
        rules = RuleSet(
            segmentations=[
                Segmentation(
                    "Rule",
                    product_id="1",
                    provider="mail",
                    event="purchase.approved",
                    actions=(),
                    condition=condition,
                )
            ]
        )
        codes = {finding.code for finding in rules.findings}
        assert codes <= {
            FindingCode.PRODUCT_UNKNOWN,
            FindingCode.PROVIDER_MISSING,
            FindingCode.ACTIONS_EMPTY,
            FindingCode.FACT_NOT_CARRIED,
            FindingCode.NEVER_HOLDS,
            FindingCode.GROUP_EMPTY,
            FindingCode.CURRENCY_MISSING,
        }

    @some
    @given(st.data())
    def test_actions_of_an_account(self, data: st.DataObject) -> None:
        """The account can do every action."""
        account = data.draw(st.just(Capabilities.everything()) | capabilities())
        if account.can(AddTag("vip")) or account.can(AddLead()):
            assert account.can(data.draw(actions(account)))

    @some
    @given(rule_sets(fitting=True), st.data())
    def test_events_of_rules(self, rules: RuleSet, data: st.DataObject) -> None:
        """Events are about products of the rule set."""
        assert rules.product(data.draw(events(rules)).product_id) is not None

    def test_events_of_no_products(self):
        """For a rule set without products, any event is generated."""
        assert all(isinstance(event, Event) for event in examples(events(RuleSet()), 10))

    def test_events_of_rules_hit_their_values(self):
        """Events often have the values that rules compare with."""
        rules = RuleSet(
            [Product("1", "Course")],
            [
                Segmentation(
                    "Rule",
                    product_id="1",
                    provider="mail",
                    event="purchase.approved",
                    actions=(),
                    condition=Comparison("offer", "in", ("rare-offer-code", "other")),
                )
            ],
        )
        offers = [event.facts.get("offer") for event in examples(events(rules), 100)]
        assert {"rare-offer-code", "other"} <= set(offers)

    @some
    @given(pairs())
    def test_pairs(self, pair: tuple[RuleSet, Event]) -> None:
        """A pair is a rule set and an event."""
        rules, event = pair
        assert isinstance(rules, RuleSet)
        assert isinstance(event, Event)


class TestPayloads:
    """Webhook bodies."""

    @given(payloads())
    def test_json(self, body: dict[str, Any]) -> None:
        """A body survives a round trip through JSON."""
        assert isinstance(json.loads(json.dumps(body)), dict)

    @given(payloads())
    def test_parse(self, body: dict[str, Any]) -> None:
        """Parsing a body raises only `WebhookError`."""
        try:
            parsed = parse(json.dumps(body))
        except WebhookError:
            return
        assert bool(parsed.events) is (parsed.ignored is None)

    def test_valid_ones(self):
        """Some bodies, of both versions, have events."""
        versions = {
            "data" in body
            for body in examples(payloads(), 500)
            if "data" in body or "prod" in body
            if gives_events(body)
        }
        assert {True, False} == versions
