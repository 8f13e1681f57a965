"""Findings about the shape of a condition: empty groups, and amounts without a currency."""

import itertools
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import (
    HOTMART,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Catalogue,
    Event,
    FactType,
    Not,
    Product,
    RuleSet,
    Segmentation,
    where,
)
from listboss.codec import load_rules
from listboss.errors import CatalogueError
from listboss.rules._groups import empty_groups
from listboss.testing import reference

EN, BR, PRICE = where.language == "en", where.country == "BR", where.price >= 300
BRL = where.currency == "BRL"
NEVER, GROUP, CURRENCY = "never_holds", "group_empty", "currency_missing"
NOBODY = "so the rule never runs"
EVERYBODY = "so the rule runs for every contact"
COURSE = Product("42", "Course", approved_at=date(2025, 1, 1))


def rule_set(condition, *, event="purchase.approved", catalogue=HOTMART):
    """A rule set with one rule on that condition."""
    rule = Segmentation(
        "rule",
        id="r",
        product_id="42",
        provider="mail",
        event=event,
        actions=AddTag("x"),
        condition=condition,
    )
    accounts = {"mail": Capabilities.everything()}
    return RuleSet([COURSE], [rule], providers=accounts, catalogue=catalogue)


def found(condition, **changes):
    """The code, path and message of each finding about a rule on that condition."""
    return [(f.code, f.path, f.message) for f in rule_set(condition, **changes).findings]


class TestEmptyGroups:
    """A group without conditions is reported, with what it does to the rule."""

    @pytest.mark.parametrize(
        ("condition", "code", "path", "message"),
        [
            (AllOf(), GROUP, "", f"the empty `all` always holds, {EVERYBODY}"),
            (AnyOf(), NEVER, "", f"the empty `any` never holds, {NOBODY}"),
            (Not(AllOf()), NEVER, ".not", f"the empty `all` below `not` never holds, {NOBODY}"),
            (Not(AnyOf()), GROUP, ".not", f"the empty `any` below `not` always holds, {EVERYBODY}"),
            (EN & AnyOf(), NEVER, ".all[1]", f"the empty `any` never holds, {NOBODY}"),
            (Not(EN) & AnyOf(), NEVER, ".all[1]", f"the empty `any` never holds, {NOBODY}"),
            (AnyOf() & EN & BR, NEVER, ".all[0]", f"the empty `any` never holds, {NOBODY}"),
            (EN | AllOf(), GROUP, ".any[1]", f"the empty `all` always holds, {EVERYBODY}"),
            (
                AllOf(EN, AllOf(AnyOf())),
                NEVER,
                ".all[1].all[0]",
                f"the empty `any` never holds, {NOBODY}",
            ),
            (
                EN & AllOf(),
                GROUP,
                ".all[1]",
                "the empty `all` always holds, so it has no effect",
            ),
            (EN | AnyOf(), GROUP, ".any[1]", "the empty `any` never holds, so it has no effect"),
            (
                AnyOf(BR, EN & AnyOf()),
                GROUP,
                ".any[1].all[1]",
                "the empty `any` never holds, nor does the group around it",
            ),
            (
                AllOf(BR, EN | AllOf()),
                GROUP,
                ".all[1].any[1]",
                "the empty `all` always holds, and so does the group around it",
            ),
            (
                Not(AllOf(EN, AllOf())),
                GROUP,
                ".not.all[1]",
                "the empty `all` below `not` never holds, so it has no effect",
            ),
        ],
    )
    def test_each(self, condition, code, path, message):
        """Alone, below `not`, and inside other groups."""
        assert [(code, f"$.condition{path}", message)] == found(condition)

    def test_several(self):
        """Each empty group has its own finding."""
        assert [
            (NEVER, "$.condition.all[0]", f"the empty `any` never holds, {NOBODY}"),
            (
                GROUP,
                "$.condition.all[2]",
                "the empty `all` always holds, so it has no effect",
            ),
        ] == found(AllOf(AnyOf(), EN, AllOf()))

    @pytest.mark.parametrize("condition", [None, EN, EN & BR, EN | BR, Not(EN & BR), AllOf(EN)])
    def test_none(self, condition):
        """A condition whose groups all have conditions has no such finding."""
        assert [] == found(condition)

    @pytest.mark.parametrize(
        ("written", "code"),
        [
            ({"all": []}, GROUP),
            ({"any": []}, NEVER),
            ({"all": [{"fact": "country", "eq": "BR"}, {"any": []}]}, NEVER),
        ],
    )
    def test_in_a_file(self, written, code):
        """A file can have an empty group; the rule set that is read from it has the finding."""
        rule = {"name": "r", "product_id": "1", "provider": "m", "event": "purchase.approved"}
        rules = load_rules({"segmentations": [{**rule, "actions": [], "condition": written}]})
        assert code in [finding.code for finding in rules.findings]

    def test_an_empty_list_in_python(self):
        """An empty list of conditions is an empty `all`."""
        assert [GROUP] == [code for code, _, _ in found([])]


NAMES = ("a", "b", "c")
HAPPENED = Event(
    "quiz.passed",
    id="e-1",
    product_id="42",
    contact=None,
    occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
)
CATALOGUE = Catalogue(facts=[FactType(name, "text") for name in NAMES])


def shapes():
    """Conditions of which each part can hold or not, whatever the other parts do."""
    leaves = st.sampled_from([AllOf(), AnyOf(), None, None])
    parts = st.recursive(
        leaves,
        lambda inner: st.tuples(st.sampled_from([AllOf, AnyOf, Not]), st.lists(inner, max_size=3)),
        max_leaves=8,
    )
    return parts.map(lambda shape: _condition(shape, iter(NAMES)))


def _condition(shape, names):
    """Fill a shape: None becomes a test of a fact that no other part tests, while there are any."""
    if shape is None:
        name = next(names, None)
        return AllOf() if name is None else where[name].is_set()
    if not isinstance(shape, tuple):
        return shape
    kind, parts = shape
    made = [_condition(part, names) for part in parts]
    return Not(AllOf(*made)) if kind is Not else kind(*made)


@given(shapes())
def test_what_is_said_is_true(condition):
    """A rule that never runs, or always, is reported as such exactly if no facts make it differ."""
    codes = [
        (code, message.partition(", ")[2]) for code, message, _, _ in empty_groups(condition, "$")
    ]
    rules = RuleSet(catalogue=CATALOGUE)
    results = set()
    for size in range(len(NAMES) + 1):
        for facts in itertools.combinations(NAMES, size):
            event = HAPPENED.with_facts(dict.fromkeys(facts, "x"))
            results.add(reference.holds(condition, rules, event))
    assert (results == {False}) is ((NEVER, NOBODY) in codes)
    assert (results == {True}) is ((GROUP, EVERYBODY) in codes)


class TestAmounts:
    """An amount that is compared without a currency in the same conjunction is reported."""

    @pytest.mark.parametrize(
        ("condition", "paths"),
        [
            (PRICE, [""]),
            (PRICE & BR, [".all[0]"]),
            (PRICE | BRL, [".any[0]"]),
            (where.full_price < 10, [""]),
            (where.original_price.between(10, 20), [""]),
            (where.price.is_in(10, 20), [""]),
            (Not(PRICE), [".not"]),
            (Not(PRICE & BRL), [".not.all[0]"]),
            (Not(PRICE | BRL), []),
            (PRICE & BRL, []),
            (BRL & PRICE & (where.full_price < 10), []),
            (BRL & (PRICE | BR), []),
            (BRL & (BR & (PRICE | EN)), []),
            (PRICE & where.currency.is_in("BRL", "USD"), []),
            (PRICE & (where.currency != "JPY"), []),
            (PRICE & ((where.currency == "USD") | BRL), []),
            (PRICE & (BRL | BR), [".all[0]"]),
            (PRICE & Not(BRL & BR), [".all[0]"]),
            (PRICE & Not(BRL | BR), []),
            (PRICE & where.currency.is_set(), [".all[0]"]),
            ((PRICE & BRL) | (where.price >= 60), [".any[1]"]),
            ((PRICE & BRL) | ((where.currency == "USD") & (where.price >= 60)), []),
            (where.price.is_set(), []),
            (where.installments >= 6, []),
            (where.percent >= 50, []),
            (None, []),
        ],
    )
    def test_each(self, condition, paths):
        """Each comparison of an amount has its finding; presence is not a comparison."""
        event = "purchase.approved" if "percent" not in repr(condition) else "club.progress"
        assert [(CURRENCY, f"$.condition{path}") for path in paths] == [
            (code, path) for code, path, _ in found(condition, event=event)
        ]

    def test_what_to_do(self):
        """The hint names the currency that the event carries."""
        (finding,) = rule_set(PRICE).findings
        assert "compare `currency` too, in the same `all`" == finding.hint
        assert "`price` is compared without a currency, so any currency matches" == finding.message

    def test_an_event_without_a_currency(self):
        """Where the event has no currency, the hint says so."""
        club = Product("42", "Club", kind="subscription", approved_at=date(2025, 1, 1))
        rules = rule_set(PRICE, event="subscription.canceled").with_product(club)
        hints = [finding.hint for finding in rules.findings if finding.code == CURRENCY]
        assert [
            "`subscription.canceled` does not carry a currency: check that you sell in only one"
        ] == hints

    def test_own_facts(self):
        """A host marks its own amounts, and they can have a currency of their own."""
        own = HOTMART.extended(
            facts=[
                FactType("refund", "decimal", is_amount=True),
                FactType("refund_currency", "currency"),
                FactType("score", "decimal"),
            ]
        )
        refund = where.refund > 10
        assert [CURRENCY] == [code for code, _, _ in found(refund, catalogue=own)]
        assert [] == found(refund & (where.refund_currency == "BRL"), catalogue=own)
        assert [] == found(where.score > 10, catalogue=own)

    def test_not_carried(self):
        """An amount that the event does not carry is an error already, and is reported once."""
        codes = [code for code, _, _ in found(PRICE, event="purchase.cart_abandoned")]
        assert ["fact_not_carried"] == codes

    @pytest.mark.parametrize("kind", ["text", "boolean", "currency", "instant"])
    def test_not_an_amount(self, kind):
        """Only a decimal or an integer can be an amount."""
        with pytest.raises(CatalogueError) as caught:
            FactType("price", kind, is_amount=True)
        assert "$.is_amount" == caught.value.path

    @pytest.mark.parametrize("kind", ["decimal", "integer"])
    def test_an_amount(self, kind):
        """A decimal or an integer can."""
        assert FactType("price", kind, is_amount=True).is_amount
