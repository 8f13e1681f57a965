"""Rule files in JSON and TOML: the meaning of each part of the format."""

import copy
import gc
import json
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest

from listboss import (
    Action,
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Comparison,
    Condition,
    MoveLead,
    Not,
    Place,
    Product,
    ProductKind,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    where,
)
from listboss.codec import dump_rules, load_rules, read_rules
from listboss.errors import CodecError, CodecErrors
from listboss.rules.capabilities import Verb

RULE = {
    "name": "Buyers",
    "product_id": "1001",
    "provider": "mail",
    "event": "purchase.approved",
    "actions": [{"add_tag": "buyer"}],
}
TOML_RULE = """
[[segmentations]]
name = "Buyers"
product_id = "1001"
provider = "mail"
event = "purchase.approved"
actions = []
"""
AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


def only_rule(**changes: Any) -> Segmentation:
    """The rule that is read from a file with one rule and these changes."""
    return load_rules({"segmentations": [{**RULE, **changes}]}).segmentations[0]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"fact": "language", "eq": "en"}, where.language == "en"),
        ({"fact": "language", "ne": "en"}, where.language != "en"),
        ({"fact": "country", "in": ["BR", "PT"]}, where.country.is_in("BR", "PT")),
        ({"fact": "country", "not_in": []}, where.country.not_in()),
        ({"fact": "installments", "lt": 6}, where.installments < 6),
        ({"fact": "installments", "le": 6}, where.installments <= 6),
        ({"fact": "installments", "gt": 6}, where.installments > 6),
        ({"fact": "installments", "ge": 6}, where.installments >= 6),
        ({"fact": "rating", "between": [4, 5]}, where.rating.between(4, 5)),
        ({"fact": "coupon", "contains": "bf"}, where.coupon.contains("bf")),
        ({"fact": "offer", "starts_with": "bf"}, where.offer.starts_with("bf")),
        ({"fact": "coupon", "is_set": True}, where.coupon.is_set()),
        ({"fact": "coupon", "is_missing": True}, where.coupon.is_missing()),
        ({"fact": "is_order_bump", "eq": False}, Comparison("is_order_bump", "eq", value=False)),
        ({"fact": "price", "eq": {"decimal": "49.90"}}, where.price == Decimal("49.90")),
        ({"fact": "price", "eq": {"decimal": "-1e-3"}}, where.price == Decimal("-0.001")),
        ({"fact": "at", "lt": {"instant": "2026-05-04T09:00:00-03:00"}}, where.at < AT),
        ({"fact": "at", "lt": {"instant": "2026-05-04t12:00:00.000z"}}, where.at < AT),
        ({"all": []}, AllOf()),
        ({"any": [{"all": []}, {"fact": "a", "eq": 1}]}, AnyOf(AllOf(), where.a == 1)),
        ({"not": {"fact": "a", "eq": 1}}, Not(where.a == 1)),
        (None, None),
    ],
)  # fmt: skip
def test_conditions(written: Any, expected: Condition | None) -> None:
    """Each operator and combinator has its key."""
    assert expected == only_rule(condition=written).condition


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"add_tag": "vip"}, AddTag("vip")),
        ({"remove_tag": "vip"}, RemoveTag("vip")),
        ({"add_lead": True}, AddLead()),
        ({"add_lead": "Buyers"}, AddLead("Buyers")),
        ({"add_lead": {"machine": "7", "level": "1"}}, AddLead(Place(machine="7", level="1"))),
        ({"move_lead": {"to": "Customers"}}, MoveLead("Customers")),
        (
            {"move_lead": {"to": {"machine": "7"}, "source": "A", "if_absent": "skip"}},
            MoveLead(Place(machine="7"), "A", if_absent="skip"),
        ),
        ({"move_lead": {"to": "B", "source": None}}, MoveLead("B")),
        ({"remove_lead": "Buyers"}, RemoveLead("Buyers")),
        ({"provider_action": {"verb": "acme.ring"}}, ProviderAction("acme.ring")),
        (
            {
                "provider_action": {
                    "verb": "acme.enrol",
                    "parameters": {"fee": {"decimal": "1.5"}, "free": False, "__class__": "x"},
                }
            },
            ProviderAction("acme.enrol", {"fee": Decimal("1.5"), "free": False, "__class__": "x"}),
        ),
    ],
)
def test_actions(written: Any, expected: Action) -> None:
    """Each kind of action has its key; `true` is the provider's contact base."""
    assert (expected,) == only_rule(actions=[written]).actions


def test_a_rule_with_everything() -> None:
    """All fields of a segmentation are read."""
    rule = only_rule(id="b", plan_ids=["10", "20"], send=["email", "price"], enabled=True)

    assert Segmentation(
        "Buyers",
        id="b",
        product_id="1001",
        provider="mail",
        event="purchase.approved",
        actions=AddTag("buyer"),
        plan_ids=("10", "20"),
        send=("email", "price"),
        enabled=True,
    ) == rule  # fmt: skip


def test_a_rule_without_an_id_gets_the_default_id() -> None:
    """The id is the same as the default of `Segmentation`."""
    made = Segmentation(
        "Buyers", product_id="1001", provider="mail", event="purchase.approved", actions=()
    )

    assert made.id == only_rule().id


def test_an_event_of_a_host_stays_a_string() -> None:
    """An event name that is not built in is not an error: the host has the catalogue."""
    assert "quiz.passed" == only_rule(event="quiz.passed").event


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2025-03-01", datetime(2025, 3, 1, tzinfo=UTC)),
        ("2025-03-01T10:00:00+02:00", datetime(2025, 3, 1, 8, tzinfo=UTC)),
        (None, None),
    ],
)
def test_products(written: str | None, expected: datetime | None) -> None:
    """A product is approved on a day, at a date and time, or not yet."""
    club = {
        "id": "2002",
        "name": "Club",
        "kind": "subscription",
        "approved_at": written,
        "plans": [{"id": "10", "name": "Monthly"}, {"id": "20", "name": "A", "also": ["21"]}],
    }
    rules = load_rules({"products": [club]})

    plans = (SubscriptionPlan("10", "Monthly"), SubscriptionPlan("20", "A", also=["21"]))
    assert (
        Product("2002", "Club", kind=ProductKind.SUBSCRIPTION, plans=plans, approved_at=expected),
    ) == rules.products


def test_accounts() -> None:
    """All fields of an account are read; `"any"` is read as None."""
    account = {
        "add_tag": "native",
        "move_lead": "emulated",
        "remove_lead": "none",
        "idempotent": True,
        "places": ["Buyers", {"machine": "7"}],
        "tags": None,
        "one_place": True,
        "data": "any",
        "verbs": [{"name": "acme.enrol", "parameters": {"course": "text"}, "optional": ["course"]}],
        "events": ["purchase.approved"],
        "rate": 60,
        "batch": 50,
    }

    assert {
        "mail": Capabilities(
            add_tag="native",
            move_lead="emulated",
            idempotent=True,
            places=("Buyers", Place(machine="7")),
            one_place=True,
            data=None,
            verbs=(Verb("acme.enrol", {"course": "text"}, optional=("course",)),),
            events=("purchase.approved",),
            rate=60,
            batch=50,
        )
    } == load_rules({"providers": {"mail": account}}).providers


def test_an_account_without_limits_round_trips() -> None:
    """An account that takes any data is written with a word that TOML also has."""
    rules = RuleSet(providers={"mail": Capabilities.everything()})

    assert '"data": "any"' in dump_rules(rules)
    assert rules == load_rules(dump_rules(rules))


def test_accounts_of_the_host_come_first() -> None:
    """`providers` adds to the accounts of the file and replaces one of the same name."""
    source = {"providers": {"mail": {"add_tag": "native"}, "other": {}}}
    connected = {"mail": Capabilities.everything(), "third": Capabilities()}

    rules = load_rules(source, providers=connected)

    assert {**connected, "other": Capabilities()} == rules.providers


def test_a_file_has_no_catalogue() -> None:
    """The catalogue of the rule set is the one that the host passes."""
    own = RuleSet().catalogue.extended()

    assert own is load_rules({}, catalogue=own).catalogue


def test_every_key_is_optional() -> None:
    """An empty object is an empty rule set."""
    assert RuleSet() == load_rules("{}") == load_rules(b"{}") == load_rules({"version": 1})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{fact = "price", ge = 49.90}', where.price >= Decimal("49.90")),
        ('{fact = "price", ge = 1_000.5e-1}', where.price >= Decimal("100.05")),
        ('{fact = "price", ge = {decimal = "49.90"}}', where.price >= Decimal("49.90")),
        ('{fact = "installments", ge = 0x10}', where.installments >= 16),
        ('{fact = "ordered_at", lt = 2026-05-04T09:00:00-03:00}', where.ordered_at < AT),
        ('{not = {any = [{fact = "a", is_set = true}]}}', Not(AnyOf(where.a.is_set()))),
    ],
)
def test_toml(written: str, expected: Condition) -> None:
    """TOML has its own decimals, dates and times; a decimal stays exact."""
    rule = load_rules(f"{TOML_RULE}condition = {written}", format="toml").segmentations[0]

    assert (expected, str(getattr(expected, "value", None))) == (
        rule.condition,
        str(getattr(rule.condition, "value", None)),
    )


@pytest.mark.parametrize(
    "text",
    [
        '# [[[[ "\n' * 100,
        'capture_provider = "[[[[{{{{ \\" # "\n' + "# [" * 200,
        "capture_provider = '[[[\\'\n",
        'capture_provider = """[[[\n"" [[["""\n',
        "capture_provider = '''[[[\n'' [[['''\n",
    ],
)
def test_brackets_in_strings_and_comments_do_not_nest(text: str) -> None:
    """Only brackets of the TOML syntax count as nesting."""
    assert RuleSet().products == load_rules(text, format="toml").products


def test_commas_in_strings_are_not_values() -> None:
    """A string full of commas and brackets is one value."""
    text = '{"capture_provider": "%s"}' % (",[{" * 200_000)

    assert ",[{" * 200_000 == load_rules(text).capture_provider


def test_valid_items_are_read_in_spite_of_faults() -> None:
    """A wrong rule, product or account does not affect the valid ones."""
    loaded = read_rules(
        {
            "nonsense": 1,
            "products": [{"id": "1", "name": "Course"}, {"id": 2}, {"id": "1", "name": "Again"}],
            "segmentations": [{**RULE, "event": 7}, RULE, {**RULE, "id": "auto.x"}, RULE],
            "providers": {"mail": {}, "odd one": {"rate": 1.5}},
            "capture_provider": "",
        }
    )

    assert ["Course"] == [product.name for product in loaded.rules.products]
    assert ["Buyers"] == [rule.name for rule in loaded.rules.segmentations]
    assert {"mail": Capabilities()} == loaded.rules.providers
    assert [
        ("unknown_key", "$.nonsense"),
        ("wrong_type", "$.products[1].id"),
        ("missing_key", "$.products[1].name"),
        ("duplicate_id", "$.products[2].id"),
        ("wrong_type", "$.segmentations[0].event"),
        ("automatic_segmentation", "$.segmentations[2].id"),
        ("duplicate_id", "$.segmentations[3].id"),
        ("float", '$.providers["odd one"].rate'),
        ("blank", "$.capture_provider"),
    ] == [(error.code, error.path) for error in loaded.errors]


def test_several_faults_are_raised_as_a_group() -> None:
    """A group has all faults, and is caught like one of them."""
    with pytest.raises(CodecError) as caught:
        load_rules({"products": [{"id": 1, "nam": "Course"}]})

    faults = cast("list[CodecError]", getattr(caught.value, "exceptions", []))
    assert isinstance(caught.value, CodecErrors)
    assert [
        ("wrong_type", "$.products[0].id"),
        ("missing_key", "$.products[0].name"),
        ("unknown_key", "$.products[0].nam"),
    ] == [(error.code, error.path) for error in faults]


def test_a_single_fault_is_raised_alone() -> None:
    """One fault is not a group."""
    with pytest.raises(CodecError) as caught:
        load_rules({"products": 1})

    assert (CodecError, "$.products") == (type(caught.value), caught.value.path)


def test_a_duplicate_key_affects_its_own_item_only() -> None:
    """An object with a duplicate key is a fault, and the next item is still read."""
    loaded = read_rules(
        '{"products": [{"id": "1", "id": "2", "name": "A"}, {"id": "3", "name": "B"}]}'
    )

    assert ["3"] == [product.id for product in loaded.rules.products]
    assert [("duplicate_key", "$.products[0]")] == [(e.code, e.path) for e in loaded.errors]


def test_memory_while_a_file_is_read() -> None:
    """What has been read leaves the parsed document, so the file is not in memory twice."""
    condition = {"all": [{"fact": "offer", "eq": "a"}, {"fact": "price", "between": [1, 5]}]}
    rules = [{**RULE, "id": f"r{n}", "name": f"{n}", "condition": condition} for n in range(1_000)]
    text = json.dumps({"segmentations": rules})
    load_rules(text)
    gc.collect()
    tracemalloc.start()
    loaded = load_rules(text)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(loaded) == len(rules)
    assert peak < 2.2 * kept


def test_the_mapping_of_a_host_stays() -> None:
    """A mapping that is passed in is not changed."""
    document = {"products": [{"id": "1", "name": "Course"}], "segmentations": [RULE]}
    before = copy.deepcopy(document)
    assert load_rules(document) == load_rules(document)
    assert before == document


class _Amount(Decimal):
    pass


def test_numbers_of_a_subclass() -> None:
    """A decimal of a subclass is read as a plain one, alone and in a list."""
    alone = only_rule(condition={"fact": "price", "eq": _Amount("1.5")}).condition
    listed = only_rule(condition={"fact": "price", "in": [_Amount(2), 3]}).condition
    assert (where.price == Decimal("1.5"), where.price.is_in(Decimal(2), 3)) == (alone, listed)
    assert [[Decimal], [Decimal, int]] == [
        [type(value) for value in (each.value if isinstance(each.value, tuple) else (each.value,))]
        for each in (alone, listed)
        if isinstance(each, Comparison)
    ]
