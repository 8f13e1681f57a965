from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import (
    HOTMART,
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    FactType,
    Product,
    RuleSet,
    Segmentation,
)
from listboss.rules import FactKind
from listboss.rules._vocabulary import ACTORS, NORMAL_FORMS, normal_form
from listboss.rules.condition import Comparison
from listboss.testing import reference

SPELLINGS = {
    "CANCELED": ("canceled", "Cancelled", " CANCELLED "),
    "CANCELLED_BY_SELLER": ("CANCELED_BY_VENDOR", "cancelled by producer", "Canceled-by-Seller"),
    "CANCELLED_BY_CUSTOMER": ("CANCELED_BY_CUSTOMER", "Canceled by client", "cancelled by buyer"),
    "CANCELLED_BY_ADMIN": ("canceled by admin", "CANCELLED_BY_ADMINISTRATOR"),
    "DELAYED": ("overdue", "past due", "Past_Due", "delayed"),
    "COMPLETED": ("complete", "Completed"),
    "DISPUTE": ("protested", "PROTEST", "refund requested"),
    "BILLET_PRINTED": ("printed_billet", "Billet printed"),
    "WAITING_PAYMENT": ("wayting_payment", "awaiting payment", "pending"),
    "UNDER_ANALYSIS": ("under_analisys",),
    "PARTIALLY_REFUNDED": ("partially refunded", "partial-refund"),
    "BILLET": ("boleto",),
    "SELLER": ("vendor", "Producer"),
    "CANCELLED_BY_ROBOT": ("canceled by robot",),
    "SOMETHING_NEW": ("something new", "Something.New", "something__new"),
}
TERMS = [fact for fact in HOTMART.facts if fact.kind is FactKind.TERM]


@pytest.mark.parametrize(
    ("normal", "spelling"),
    [(normal, each) for normal, spellings in SPELLINGS.items() for each in (normal, *spellings)],
)
def test_spellings(normal, spelling):
    """Every spelling of a word has the same normal form."""
    assert normal == normal_form(spelling)


@pytest.mark.parametrize("text", ["", " ", "no, a sentence", "é", "x" * 65, "a/b", "\u212a"])
def test_not_a_word(text):
    """Other text has no normal form."""
    assert normal_form(text) is None


@given(st.text() | st.from_regex(r"[a-z _]{0,30}(canceled by)?[a-z _]{0,9}", fullmatch=True))
def test_stable(text):
    """A normal form is its own normal form."""
    normal = normal_form(text)
    assert normal is None or normal == normal_form(normal)


@pytest.mark.parametrize("table", [NORMAL_FORMS, ACTORS], ids=["words", "actors"])
def test_the_tables_are_consistent(table):
    """No normal form is listed as another spelling."""
    assert set() == set(table) & set(table.values())


@pytest.mark.parametrize("fact", TERMS, ids=lambda fact: fact.name)
def test_known_values_are_normal_forms(fact):
    """The catalogue lists its words in their normal forms."""
    assert list(fact.values) == [normal_form(word) for word in fact.values]


def _rules(fact, value, operator="eq", catalogue=HOTMART):
    return RuleSet(
        [Product("1", "Course", approved_at=date(2025, 1, 1))],
        [
            Segmentation(
                "rule",
                product_id="1",
                provider="mail",
                event="smart_installment.status_changed"
                if fact == "smart_payment_status"
                else "purchase.approved",
                condition=Comparison(fact, operator, value),
                actions=AddTag("x"),
                enabled=True,
            )
        ],
        providers={"mail": Capabilities.everything()},
        catalogue=catalogue,
    )


def _event(rules, **facts):
    return Event(
        rules.segmentations[0].event,
        id="e",
        product_id="1",
        contact=Contact("ana@example.com"),
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        facts=facts,
    )


def _runs(rules, event):
    plan = Engine(rules).plan(event)
    assert plan == reference.plan(rules, event)
    return any("x" == getattr(planned.action, "tag", "") for planned in plan.actions)


@pytest.mark.parametrize(
    ("fact", "in_rule", "in_event"),
    [
        ("subscription_status", "CANCELED_BY_VENDOR", "CANCELLED_BY_SELLER"),
        ("subscription_status", "CANCELLED_BY_SELLER", "Canceled by vendor"),
        ("subscription_status", "Overdue", "DELAYED"),
        ("purchase_status", "CANCELLED", "CANCELED"),
        ("purchase_status", "COMPLETE", "completed"),
        ("payment_method", "boleto", "BILLET"),
        ("receiver_type", "producer", "SELLER"),
        ("payment_mode", "unique_payment", "PAGAMENTO_UNICO"),
    ],
)
def test_a_rule_holds_in_any_spelling(fact, in_rule, in_event):
    """A rule and an event may spell the same word differently, alone or in a list."""
    for operator, value in [("eq", in_rule), ("in", (in_rule, in_rule.upper()))]:
        rules = _rules(fact, value, operator)
        assert () == rules.findings
        assert _runs(rules, _event(rules, **{fact: in_event}))
        assert not _runs(rules, _event(rules, **{fact: "ANOTHER"}))
    for operator, value in [("ne", in_rule), ("not_in", (in_rule,))]:
        rules = _rules(fact, value, operator)
        assert not _runs(rules, _event(rules, **{fact: in_event}))


def test_an_unknown_word():
    """A word that is not in the catalogue is unfamiliar, and has spellings all the same."""
    rules = _rules("purchase_status", "MY_WORD")
    assert ["value_unfamiliar"] == [finding.code for finding in rules.findings]
    assert _runs(rules, _event(rules, purchase_status="my word"))


def test_a_closed_fact_takes_every_spelling():
    """Another spelling of a listed word is not an unknown word."""
    assert () == _rules("smart_payment_status", "canceled by vendor").findings
    assert ["value_unknown"] == [
        finding.code for finding in _rules("smart_payment_status", "canceled by client").findings
    ]


def test_own_choices_are_compared_as_they_are():
    """A host's own words are only trimmed and case-folded, and stay different words."""
    own = HOTMART.extended(facts=[FactType("level", FactKind.CHOICE)])
    rules = _rules("level", "overdue", catalogue=own)
    assert _runs(rules, _event(rules, level=" Overdue "))
    assert not _runs(rules, _event(rules, level="delayed"))


def test_own_terms():
    """A host's own fact can have the spellings of the vocabulary, too."""
    own = HOTMART.extended(
        facts=[FactType("level", FactKind.TERM, values=("DELAYED",), closed=True)]
    )
    rules = _rules("level", "overdue", catalogue=own)
    assert () == rules.findings
    assert _runs(rules, _event(rules, level="past due"))
