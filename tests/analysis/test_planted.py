"""One fault in an otherwise right rule set gives one finding: exactly its code, and no other."""

from collections.abc import Callable

import pytest

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnalysisCode,
    Comparison,
    Engine,
    FindingCode,
    MoveLead,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    where,
)
from listboss.analysis import analyse
from tests.analysis.course import CATALOGUE, PRODUCTS, make_rule, make_rules

_C, _A = FindingCode, AnalysisCode
GOLD, SILVER = where.grade == "Gold", where.grade == "silver"
CARRIED = [Comparison(fact.name, "is_set") for fact in CATALOGUE.facts_of("purchase.approved")]
MANY_CASES = AllOf(*(one | other for one, other in zip(CARRIED[:13], CARRIED[13:26], strict=True)))
"""Thirteen pairs of alternatives, which are thousands of cases."""


def one(**changes: object) -> RuleSet:
    """Make a rule set with one rule."""
    return make_rules(make_rule("Buyers", **changes))


PLANTED: dict[FindingCode | AnalysisCode, Callable[[], RuleSet]] = {
    _C.PROVIDER_MISSING: lambda: one(provider="mial"),
    _C.PRODUCT_UNKNOWN: lambda: one(product_id="24"),
    _C.PRODUCT_NOT_APPROVED: lambda: one(product_id="43"),
    _C.EVENT_UNKNOWN: lambda: one(event="purchase.aproved"),
    _C.EVENT_INCOMPATIBLE: lambda: one(event="subscription.active"),
    _C.EVENT_UNSUPPORTED: lambda: one(provider="few", event="purchase.refunded", send=("email",)),
    _C.PLAN_REQUIRED: lambda: one(product_id="77"),
    _C.PLAN_UNKNOWN: lambda: one(product_id="77", plan_ids=("10", "30")),
    _C.PLAN_NOT_CARRIED: lambda: one(plan_ids=("10",)),
    _C.FACT_UNKNOWN: lambda: one(condition=where.instalments >= 6),
    _C.FACT_NOT_CARRIED: lambda: one(condition=where.rating == 5),
    _C.GROUP_EMPTY: lambda: one(condition=(where.country == "BR") & AllOf()),
    _C.CURRENCY_MISSING: lambda: one(condition=where.price >= 300),
    _C.OPERATOR_UNFIT: lambda: one(condition=where.country.starts_with("B")),
    _C.VALUE_UNFIT: lambda: one(condition=where.installments == "6"),
    _C.VALUE_UNKNOWN: lambda: one(condition=where.grade == "Platinum"),
    _C.VALUE_UNFAMILIAR: lambda: one(condition=where.payment_method == "CREDITCARD"),
    _C.VALUE_CASE: lambda: make_rules(
        make_rule("Spring", condition=where.offer == "aB3"),
        make_rule("Summer", condition=where.offer == "ab3", actions=AddLead("Summer")),
    ),
    _C.VALUE_EMPTY: lambda: one(condition=where.offer == " "),
    _C.NEVER_HOLDS: lambda: one(condition=(where.country == "BR") & (where.country == "PT")),
    _C.ACTIONS_EMPTY: lambda: one(actions=()),
    _C.ACTIONS_CONTRADICT: lambda: one(actions=(AddLead("Buyers"), RemoveLead("buyers"))),
    _C.RESERVED_TAG: lambda: one(actions=AddTag("auto:buyer")),
    _C.ACTION_UNSUPPORTED: lambda: one(provider="few", actions=RemoveTag("vip")),
    _C.ACTION_EMULATED: lambda: one(provider="few", actions=MoveLead("Buyers", source="Prospects")),
    _C.MOVE_WITHOUT_SOURCE: lambda: one(actions=MoveLead("Buyers")),
    _C.TAG_UNSUPPORTED: lambda: one(provider="few", actions=AddTag("vpi")),
    _C.PLACE_UNSUPPORTED: lambda: one(provider="few", actions=AddLead("Bayers")),
    _C.PARAMETERS_UNSUPPORTED: lambda: one(provider="few", actions=ProviderAction("acme.enrol")),
    _C.DATA_UNSUPPORTED: lambda: one(provider="few", send=("email", "last_name")),
    _C.DATA_UNKNOWN: lambda: one(send=("email", "surname")),
    _C.DATA_NOT_CARRIED: lambda: one(send=("email", "rating")),
    _C.NAME_DUPLICATE: lambda: make_rules(
        make_rule("Buyers"),
        make_rule("buyers ", event="purchase.completed", actions=AddLead("Done")),
    ),
    _C.BETA_CAPTURE: lambda: make_rules(products=PRODUCTS, capture_provider="mail"),
    _C.CAPTURE_PROVIDER_MISSING: lambda: make_rules(capture_provider="male"),
    _C.CAPTURE_LIMITED: lambda: make_rules(capture_provider="few"),
    _A.ALWAYS_HOLDS: lambda: one(condition=(where.installments < 6) | (where.installments > 3)),
    _A.REDUNDANT_PART: lambda: one(condition=(where.installments > 3) & (where.installments >= 6)),
    _A.DUPLICATE: lambda: make_rules(
        make_rule("Brazil", condition=where.country == "BR"),
        make_rule("Brazil again", condition=where.country.is_in("br"), actions=AddLead("buyers")),
    ),
    _A.SHADOWED: lambda: make_rules(
        make_rule("Brazil", condition=where.country == "BR"), make_rule("Buyers")
    ),
    _A.CONFLICT: lambda: make_rules(
        make_rule("Brazil", condition=where.country == "BR", actions=AddTag("vip")),
        make_rule("Few installments", condition=where.installments < 6, actions=RemoveTag("VIP")),
    ),
    _A.LOSES_TO_AUTOMATIC: lambda: make_rules(
        make_rule("Buyers", actions=AddLead()), capture_provider="mail"
    ),
    _A.NEVER_REMOVED: lambda: one(actions=AddTag("cart-abandoned")),
    _A.ONLY_REMOVED: lambda: one(actions=RemoveTag("cart-abandoned")),
    _A.NO_RULE_FOR_PLAN: lambda: one(product_id="77", plan_ids=("21",)),
    _A.GAP: lambda: make_rules(
        make_rule("Gold", condition=GOLD),
        make_rule("Silver", condition=SILVER, actions=AddLead("S")),
    ),
    _A.TOO_COMPLEX: lambda: one(condition=MANY_CASES),
}


@pytest.mark.parametrize("code", [*FindingCode, *AnalysisCode])
def test_exactly_its_code(code):
    """The planted fault is found, and nothing else is."""
    report = analyse(PLANTED[code]())

    assert {code} == {finding.code for finding in report.findings}


@pytest.mark.parametrize("code", AnalysisCode)
def test_every_finding_of_the_analysis_is_explained(code):
    """It has a sentence, a hint and an id, and a witness unless it could not be decided."""
    (finding,) = analyse(PLANTED[code]()).findings

    assert finding.message
    assert finding.message[0].islower() or finding.message[0] == "`"
    assert finding.hint
    assert finding.segmentation_id or finding.product_id
    assert (code == AnalysisCode.TOO_COMPLEX) is (finding.witness is None)


MESSAGES = {
    _A.ALWAYS_HOLDS: "the condition holds whatever the value of `installments` is",
    _A.REDUNDANT_PART: "the part `installments > 3` changes nothing: "
    "the rule runs on the same events without it",
    _A.DUPLICATE: "the rule does the same as `Brazil`, on the same events",
    _A.SHADOWED: "wherever the rule runs, all that it does is already asked for by `Buyers`",
    _A.CONFLICT: "one event can run `Few installments` (remove tag `VIP`) and `Brazil` "
    "(add tag `vip`): the removal wins",
    _A.LOSES_TO_AUTOMATIC: "automatic capture does everything that this rule does, "
    "on every event where it runs",
    _A.NEVER_REMOVED: "no rule removes the tag `cart-abandoned` from contacts at `mail`",
    _A.ONLY_REMOVED: "no rule adds the tag `cart-abandoned` to contacts at `mail`, "
    "and this one removes it",
    _A.NO_RULE_FOR_PLAN: "no rule for `purchase.approved` is for the plan `Monthly`; "
    "other plans have one",
    _A.GAP: "none of `Gold` and `Silver` runs if `grade` is `Bronze`",
    _A.TOO_COMPLEX: "the rule was not analysed completely: its condition has too many cases",
}


@pytest.mark.parametrize("code", AnalysisCode)
def test_messages(code):
    """The sentences, as people read them."""
    (finding,) = analyse(PLANTED[code]()).findings

    assert MESSAGES[code] == finding.message


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        (_A.ALWAYS_HOLDS, {"installments": 2}),
        (_A.REDUNDANT_PART, {"installments": 6}),
        (_A.DUPLICATE, {"country": "BR"}),
        (_A.SHADOWED, {"country": "BR"}),
        (_A.CONFLICT, {"country": "BR", "installments": 5}),
        (_A.LOSES_TO_AUTOMATIC, {}),
        (_A.GAP, {"grade": "Bronze"}),
    ],
)
def test_witnesses(code, facts):
    """The witness has only the facts that are needed, and a made-up contact."""
    (finding,) = analyse(PLANTED[code]()).findings
    event = finding.witness
    assert event is not None

    assert facts == dict(event.facts)
    assert "contact@example.com" == (event.contact and event.contact.email)


def test_a_conflict_is_in_the_plan_of_its_witness():
    """The engine reports the conflict that the analysis predicts."""
    rules = PLANTED[_A.CONFLICT]()
    (finding,) = analyse(rules).findings
    assert finding.witness is not None
    (conflict,) = Engine(rules).plan(finding.witness).conflicts

    assert ("Brazil", ("Few installments",)) == (finding.segmentation_id, finding.others)
    assert (RemoveTag("VIP"), AddTag("vip")) == (conflict.kept, conflict.dropped)


def test_a_plan_without_a_rule_is_named_in_the_witness():
    """The witness is an event of that plan, for which no rule holds."""
    rules = PLANTED[_A.NO_RULE_FOR_PLAN]()
    (finding,) = analyse(rules).findings
    assert finding.witness is not None

    assert ("10", ()) == (finding.witness.plan_id, Engine(rules).match(finding.witness))


def test_undecided_rules_are_listed():
    """A rule that is too complex is in the report's list."""
    assert ("Buyers",) == analyse(PLANTED[_A.TOO_COMPLEX]()).undecided
