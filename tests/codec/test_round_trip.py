"""`load(dump(x)) == x`, and equal values are written as equal bytes."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import (
    AddTag,
    Conflict,
    Contact,
    Engine,
    Event,
    EventName,
    Idle,
    Plan,
    PlannedAction,
    Product,
    ProviderAction,
    RuleSet,
    Segmentation,
    where,
)
from listboss.codec import dump_event, dump_plan, dump_rules, load_event, load_plan, load_rules
from listboss.plan import ConflictRule
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import FactValue
from listboss.testing import _worlds as worlds
from listboss.testing import actions, events, facts, rule_sets

AT = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def rule(name: str, product_id: str) -> Segmentation:
    """A rule without actions."""
    return Segmentation(
        name, product_id=product_id, provider="mail", event="purchase.approved", actions=()
    )


def planned() -> st.SearchStrategy[PlannedAction]:
    """Any planned action, even one that no engine would plan."""
    return st.builds(
        PlannedAction,
        provider=TEXTS,
        email=TEXTS,
        action=actions(),
        data=facts().map(FrozenMap),
        because=st.lists(TEXTS, max_size=3).map(tuple),
        automatic=st.booleans(),
        id=TEXTS,
    )


def plans() -> st.SearchStrategy[Plan]:
    """Any plan, even one that no engine would return."""
    conflict = st.builds(
        Conflict,
        provider=TEXTS,
        target=TEXTS,
        kept=actions(),
        dropped=actions(),
        rule=st.sampled_from(ConflictRule),
    )
    return st.builds(
        Plan,
        event_id=TEXTS,
        event_name=st.sampled_from(EventName) | TEXTS.filter(str.strip),
        product_id=TEXTS,
        occurred_at=st.just(AT),
        is_test=st.booleans(),
        actions=st.lists(planned(), max_size=3).map(tuple),
        conflicts=st.lists(conflict, max_size=2).map(tuple),
        idle=st.none() | st.sampled_from(Idle),
    )


@given(rule_sets())
def test_rules_round_trip(rules: RuleSet) -> None:
    """Rules that are written and read are equal, and are written as the same bytes again."""
    text = dump_rules(rules)
    read = load_rules(text, catalogue=rules.catalogue)

    assert (rules, text) == (read, dump_rules(read))


@given(events())
def test_events_round_trip(event: Event) -> None:
    """An event that is written and read is equal, and is written as the same bytes again."""
    text = dump_event(event)
    read = load_event(text)

    assert (event, text) == (read, dump_event(read))


@given(plans())
def test_plans_round_trip(plan: Plan) -> None:
    """A plan that is written and read is equal, and is written as the same bytes again."""
    text = dump_plan(plan)
    read = load_plan(text)

    assert (plan, text) == (read, dump_plan(read))


def test_stored_rules_and_events_give_the_same_plan(amount: Callable[..., int]) -> None:
    """A document loses nothing that a plan depends on, and no part of a plan."""
    for seed in range(amount(ci=2_000, soak=100_000)):
        dice = random.Random(seed)
        rules = worlds.random_rules(dice, size=8)
        event = worlds.random_event(dice, rules)
        plan = Engine(rules).plan(event)

        stored = load_rules(dump_rules(rules), catalogue=rules.catalogue)

        assert (seed, rules) == (seed, stored)
        assert (seed, plan) == (seed, load_plan(dump_plan(plan)))
        assert (seed, plan) == (seed, Engine(stored).plan(load_event(dump_event(event))))


def test_the_order_of_products_is_not_written() -> None:
    """Rule sets that differ only in the order of products are equal and have equal text."""
    products = [Product("2", "Club"), Product("1", "Course")]
    rules = [rule(name, product) for name, product in (("a", "2"), ("c", "1"), ("b", "1"))]
    one = RuleSet(products, rules)
    other = RuleSet(products[::-1], [*rules[1:], rules[0]])

    assert (True, dump_rules(one)) == (one == other, dump_rules(other))


def test_the_order_of_rules_within_a_product_is_written() -> None:
    """The first declared wins a conflict, so the order of a product's rules is kept."""
    rules = [rule(name, "1") for name in "cab"]

    read = load_rules(dump_rules(RuleSet((), rules)))

    assert ["c", "a", "b"] == [rule.name for rule in read.segmentations]


@pytest.mark.parametrize(
    ("spelling", "written"),
    [
        ("49.90", "49.9"),
        ("49.9", "49.9"),
        ("100", "100"),
        ("1E+2", "100"),
        ("-0.000", "0"),
        ("0E+20", "0"),
        ("0.00010", "0.0001"),
        ("-1.50E-3", "-0.0015"),
        ("1" * 40 + ".50", "1" * 40 + ".5"),
        ("1E+127", "1" + "0" * 127),
        ("1E+128", "1E+128"),
        ("-1.50E+128", "-1.5E+128"),
        ("1" * 128 + "E-255", "0." + "0" * 127 + "1" * 128),
    ],
)
def test_equal_decimals_have_equal_text(spelling: str, written: str) -> None:
    """A decimal is written exactly, and trailing zeros do not change its text."""
    event = Event("e", id="1", product_id="1", contact=None, occurred_at=AT).with_facts(
        price=Decimal(spelling)
    )

    assert {"decimal": written} == json.loads(dump_event(event))["facts"]["price"]


def test_dates_and_times_are_written_in_utc() -> None:
    """The zone of a date and time does not change its text."""
    there = AT.astimezone(timezone(-timedelta(hours=3)))
    event = Event("e", id="1", product_id="1", contact=None, occurred_at=there)
    content = json.loads(dump_event(event.with_facts(ordered_at=there)))

    assert "2026-05-04T12:30:00Z" == content["occurred_at"]
    assert {"instant": "2026-05-04T12:30:00Z"} == content["facts"]["ordered_at"]


def test_an_event_is_written_without_its_empty_fields() -> None:
    """Empty fields are left out, except `contact`, which is null if there is none."""
    event = Event("waitlist.joined", id="e-1", product_id="1", contact=None, occurred_at=AT)

    assert (
        '{"contact":null,"id":"e-1","name":"waitlist.joined",'
        '"occurred_at":"2026-05-04T12:30:00Z","product_id":"1","version":1}'
    ) == dump_event(event)


def test_a_contact_is_written_without_its_empty_fields() -> None:
    """Neither the empty fields of a contact nor its key are written."""
    contact = Contact("Ana@example.com", phone="5511999990000")
    event = Event("waitlist.joined", id="e-1", product_id="1", contact=contact, occurred_at=AT)

    assert {"email": "Ana@example.com", "phone": "5511999990000"} == json.loads(dump_event(event))[
        "contact"
    ]


def test_letters_outside_ascii_are_not_escaped() -> None:
    """A tag with accents is readable in a file."""
    rule = Segmentation(
        "Português", product_id="1", provider="m", event="purchase.approved", actions=AddTag("vovô")
    )

    assert '"add_tag": "vovô"' in dump_rules(RuleSet((), [rule]))


def test_values_of_different_types_stay_different() -> None:
    """True, 1, "1" and the decimal 1 are four values before and after a round trip."""
    values: tuple[FactValue, ...] = (True, 1, "1", Decimal(1))
    rule = Segmentation(
        "Four",
        product_id="1",
        provider="m",
        event="purchase.approved",
        condition=where.offer.is_in(*values),
        actions=ProviderAction("acme.enrol", {f"p{n}": value for n, value in enumerate(values)}),
    )
    read = load_rules(dump_rules(RuleSet((), [rule]))).segmentations[0]

    assert rule == read
    assert read != attrs.evolve(rule, condition=where.offer.is_in(1, 1, "1", 1))
