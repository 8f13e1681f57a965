"""The nearest event on which a rule runs: confirmed, and with no needless difference."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import attrs
import pytest

from listboss import (
    HOTMART,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Contact,
    Engine,
    Event,
    MoveLead,
    Product,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    where,
)
from listboss.analysis import Nearest, analyse, explain, nearest
from listboss.analysis.nearest import MAX_WINNERS
from listboss.errors import UnknownIdError
from listboss.rules.event import OWN_FACTS
from listboss.testing import random_event, random_rules, reference

AT = datetime(2026, 5, 4, tzinfo=UTC)
APPROVED = date(2025, 1, 1)
PRODUCTS = [
    Product("42", "Course", approved_at=APPROVED),
    Product(
        "77",
        "Club",
        kind="subscription",
        plans=[SubscriptionPlan("10", "Monthly"), SubscriptionPlan("20", "Annual")],
        approved_at=APPROVED,
    ),
]


def rule(id: str, *actions, **changes) -> Segmentation:
    """Make an enabled rule of the course on its approval."""
    fields = {"product_id": "42", "provider": "mail", "event": "purchase.approved", "enabled": True}
    return Segmentation(id, id=id, actions=actions, **{**fields, **changes})


def engine(*rules: Segmentation, **changes) -> Engine:
    """Make an engine of the course and the club."""
    fields = {"providers": {"mail": Capabilities.everything()}, **changes}
    return Engine(RuleSet(PRODUCTS, rules, **fields))


def happens(name: str = "purchase.approved", **changes) -> Event:
    """Make an event: an approved purchase of the course by default."""
    fields = {"id": "e-1", "product_id": "42", "contact": Contact("ana@example.com")}
    return Event(name, occurred_at=AT, **{**fields, **changes})


def is_usable(rules: RuleSet, id: str) -> bool:
    """Whether a custom rule is enabled and has no error."""
    flagged = {f.segmentation_id for f in rules.findings if f.severity == "error"}
    return id in rules and rules.segmentation(id).enabled and id not in flagged


TAG = AddTag("x")


class TestDifferences:
    """What has to be different, in words and as values."""

    @pytest.mark.parametrize(
        ("changes", "event", "expected"),
        [
            ({}, {}, "as it is"),
            ({"condition": where.price >= 250}, {"facts": {"price": 120}}, "with `price == 250`"),
            (
                {"condition": where.coupon.is_missing()},
                {"facts": {"coupon": "a"}},
                "without `coupon`",
            ),
            (
                {"condition": (where.price >= 250) & (where.country == "BR")},
                {"facts": {"country": "BR"}},
                "with `price == 250`",
            ),
            (
                {"condition": (where.price >= 250) & where.offer.is_missing()},
                {"facts": {"offer": "a"}},
                "with `price == 250`, without `offer`",
            ),
            ({"event": "purchase.refunded"}, {}, "on `purchase.refunded`"),
            ({}, {"contact": None}, "with an e-mail address"),
            ({}, {"is_test": True}, "if it were not a test"),
            ({}, {"product_id": "77", "plan_id": "10"}, "on product `42`"),
            (
                {"product_id": "77", "plan_ids": ["20"], "condition": where.price > 9},
                {"product_id": "77", "plan_name": "Monthly"},
                "for plan `20`, with `price == 10`",
            ),
            (
                {"condition": where.transaction.is_missing()},
                {"transaction": "HP1"},
                "without `transaction`",
            ),
        ],
    )
    def test_each(self, changes, event, expected):
        """Only what the rule needs is different."""
        found = nearest(engine(rule("r", TAG, **changes)), happens(**event), "r")
        assert expected == str(found)

    def test_a_test_that_counts(self):
        """If tests are included, the event may stay one."""
        event = happens(is_test=True)
        found = nearest(engine(rule("r", TAG)), event, "r", include_tests=True)
        assert Nearest(event) == found

    def test_everything_else_stays(self):
        """Facts and fields that the rule does not need to be different stay the same."""
        event = happens(facts={"price": 120, "offer": "a"}, transaction="HP1")
        found = nearest(engine(rule("r", TAG, condition=where.price > 200)), event, "r")
        changed = {"price": Decimal(201)}
        assert Nearest(event.with_facts(price=Decimal(201)), changed) == found

    @pytest.mark.parametrize(
        ("row", "event", "expected"),
        [
            ("auto.purchase_approved", "purchase.approved", "as it is"),
            ("auto.waitlist", "purchase.refunded", "on `waitlist.joined`"),
            ("auto.subscription_canceled", "purchase.approved", "with `recurrence_number == 1`"),
        ],
    )
    def test_automatic(self, row, event, expected):
        """An automatic segmentation needs one of its events, or the first charge."""
        found = nearest(engine(capture_provider="mail"), happens(event), row)
        assert expected == str(found)


class TestNone:
    """Where no event would help, or none was found, there is none."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"enabled": False},
            {"provider": "gone"},
            {"condition": (where.price > 2) & (where.price < 1)},
        ],
    )
    def test_rules_that_never_run(self, changes):
        """A rule that is disabled or flagged runs on no event."""
        assert nearest(engine(rule("r", TAG, **changes)), happens(), "r") is None

    def test_without_capture(self):
        """Without automatic capture, an automatic segmentation never runs."""
        assert nearest(engine(), happens(), "auto.waitlist") is None

    def test_always_lost(self):
        """A rule that loses to one on every contact runs on no event."""
        rules = [rule("r", TAG), rule("s", RemoveTag("x"))]
        assert nearest(engine(*rules), happens(), "r") is None

    def test_lost_to_a_loser(self):
        """A rule that loses to an action that is dropped itself runs on no event."""
        rules = [
            rule("s", RemoveLead("B")),
            rule("t", MoveLead("B", source="A")),
            rule("r", MoveLead("C", source="A")),
        ]
        assert () == engine(*rules).explain(happens()).rules[-1].lost_to
        assert nearest(engine(*rules), happens(), "r") is None

    @pytest.mark.parametrize(("count", "is_found"), [(3, True), (MAX_WINNERS, False)])
    def test_winners_one_after_the_other(self, count, is_found):
        """Each event that avoids a winner has another one; after some of them, the search ends."""
        names = [fact.name for fact in HOTMART.facts_of("purchase.approved")][:count]
        winners = [
            rule(
                f"s{n}",
                RemoveTag("x"),
                condition=AllOf(
                    where[name].is_missing(), *(where[had].is_set() for had in names[:n])
                ),
            )
            for n, name in enumerate(names)
        ]
        found = nearest(engine(rule("r", TAG), *winners), happens(), "r")
        assert is_found == (found is not None)

    def test_too_complex(self):
        """For a condition of too many cases, nothing is guessed."""
        facts = [where[fact.name].is_set() for fact in HOTMART.facts_of("purchase.approved")]
        condition = AllOf(*(AnyOf(*pair) for pair in zip(facts[:28:2], facts[1:28:2], strict=True)))
        found = engine(rule("r", TAG, condition=condition))
        assert "too_complex" in {each.code for each in analyse(found.rules).findings}
        assert nearest(found, happens(), "r") is None

    def test_an_unknown_rule(self):
        """An unknown id is an error."""
        with pytest.raises(UnknownIdError):
            nearest(engine(), happens(), "r")


class TestConflicts:
    """A rule that loses a conflict needs an event on which the winner does not hold."""

    def test_the_winner_does_not_hold(self):
        """The facts are those of the rule and not those of the winner."""
        rules = [
            rule("r", TAG, condition=where.price > 10),
            rule("s", RemoveTag("x"), condition=where.country == "BR"),
        ]
        event = happens(facts={"price": 20, "country": "BR"})
        found = nearest(engine(*rules), event, "r")
        assert Nearest(event.with_facts(country="PT"), {"country": "PT"}) == found


class TestRandomWorlds:
    """Whatever the rules and the event, the reference agrees."""

    def test_confirmed(self, amount):
        """The rule runs on the event, which differs in nothing else; few rules have none."""
        seen: Counter[bool] = Counter()
        for seed in range(amount(ci=150, soak=10_000)):
            dice = Random(seed)
            rules = random_rules(dice, size=8)
            event = random_event(dice, rules)
            planner = Engine(rules)
            for outcome in explain(planner, event).rules:
                id = outcome.segmentation_id
                found = nearest(planner, event, id)
                seen[found is not None] += is_usable(rules, id)
                if found is None:
                    continue
                plan = reference.plan(rules, found.event)
                assert id in {reason for planned in plan.actions for reason in planned.because}
                own = {name: getattr(found.event, name) for name in (*found.fields, *OWN_FACTS)}
                assert found.event == attrs.evolve(event, facts=found.event.facts, **own)
        assert seen[False] < seen[True] / 20, seen

    def test_one_rule(self, amount):
        """A rule that is alone has an event unless it is flagged or can never hold."""
        for seed in range(amount(ci=300, soak=20_000)):
            dice = Random(seed)
            rules = random_rules(dice, size=4)
            event = random_event(dice, rules)
            for each in rules:
                alone = RuleSet(
                    rules.products,
                    [attrs.evolve(each, enabled=True)],
                    providers=rules.providers,
                    catalogue=rules.catalogue,
                )
                found = nearest(Engine(alone), event, each.id)
                assert is_usable(alone, each.id) == (found is not None), (seed, each)


class TestExplain:
    """`explain` adds to each outcome what the rule would need."""

    def test_needs(self):
        """Rules that run need nothing; the others say what would have to be different."""
        rules = [
            rule("runs", TAG),
            rule("price", TAG, condition=where.price >= 250),
            rule("off", TAG, enabled=False),
            rule("off elsewhere", TAG, enabled=False, event="purchase.refunded"),
            rule("flagged", TAG, provider="gone"),
            rule("lost", AddTag("y"), enabled=False),
            rule("removes", RemoveTag("y")),
        ]
        explanation = explain(engine(*rules), happens())
        assert [
            ("runs", ""),
            ("price", "with `price == 250`"),
            ("off", "once it is enabled"),
            ("off elsewhere", "once it is enabled, on `purchase.refunded`"),
            ("flagged", ""),
            ("lost", ""),
            ("removes", ""),
        ] == [(outcome.segmentation_id, outcome.needs) for outcome in explanation.rules]

    def test_no_value_of_the_event(self):
        """The text has what the rule compares with, and no value of the event."""
        event = happens(facts={"offer": "CANARY", "price": 7}, transaction="CANARY")
        condition = (where.offer == "o") & (where.transaction == "t")
        text = str(explain(engine(rule("r", TAG, condition=condition)), event))
        assert "CANARY" not in text
        assert "it would run with `offer == o` and `transaction == t`" in text
