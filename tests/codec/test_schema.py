"""The JSON Schema of rule files accepts and refuses the same files as `load_rules`."""

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from listboss import HOTMART, Catalogue, EventType, FactType, RuleSet
from listboss.codec import dump_rules, load_rules, read_rules, rules_schema
from listboss.rules.action import ACTION_KINDS
from listboss.rules.condition import Operator
from listboss.rules.event import CONTACT_FIELDS
from listboss.testing import rule_sets

VALIDATOR = Draft202012Validator(rules_schema())
RULE = {
    "name": "Buyers",
    "product_id": "1001",
    "provider": "mail",
    "event": "purchase.approved",
    "actions": [{"add_tag": "buyer"}],
}


def rule(**changes: Any) -> dict[str, Any]:
    """A file with one rule and these changes."""
    return {"segmentations": [{**RULE, **changes}]}


def product(**changes: Any) -> dict[str, Any]:
    """A file with one product and these changes."""
    return {"products": [{"id": "1", "name": "Course", **changes}]}


def account(**changes: Any) -> dict[str, Any]:
    """A file with one account."""
    return {"providers": {"mail": changes}}


def when(**condition: Any) -> dict[str, Any]:
    """A file with one rule with that condition."""
    return rule(condition=condition)


def then(**action: Any) -> dict[str, Any]:
    """A file with one rule with that action."""
    return rule(actions=[action])


VALID: tuple[dict[str, Any], ...] = (
    {},
    {"version": 1, "capture_provider": None},
    product(),
    product(approved_at="2025-01-10"),
    product(approved_at="2025-01-10T00:00:00.5+01:00", plans=[]),
    product(kind="subscription", plans=[{"id": "1", "name": "A", "also": ["2"]}]),
    rule(),
    rule(id="r", condition=None, plan_ids=["10"], send=[], enabled=True, event="quiz.passed"),
    when(fact="a", eq={"decimal": "-1.5e+3"}),
    when(fact="a", ge={"instant": "2026-05-04T12:00:00Z"}),
    when(fact="a", between=[1, 2]),
    when(fact="a", is_set=True),
    when(all=[{"any": []}, {"not": {"fact": "a", "not_in": ["x", 1, True]}}]),
    then(add_lead=True),
    then(add_lead={"machine": "7"}),
    then(move_lead={"to": "A", "source": None, "if_absent": "skip"}),
    then(provider_action={"verb": "acme.a.b", "parameters": {"p": {"decimal": "1"}}}),
    account(),
    account(add_tag="emulated", tags=["a"], data="any", places=None, events=[], rate=1, batch=2),
    account(verbs=[{"name": "acme.a", "parameters": {"p": "text"}, "optional": ["p"]}]),
)

INVALID: tuple[Any, ...] = (
    [],
    None,
    "rules",
    {"version": 2},
    {"version": "1"},
    {"rules": []},
    {"__class__": 1},
    {"products": {}},
    {"providers": []},
    {"providers": {" ": {}}},
    {"capture_provider": ""},
    {"capture_provider": 7},
    product(id=1),
    product(id=" "),
    product(kind="Single"),
    product(kind="free", plans=[{"id": "1", "name": "A"}]),
    product(plans=[{"id": "1", "name": "A"}]),
    product(approved_at="yesterday"),
    product(approved_at="2025-01-10T00:00:00"),
    product(key=1),
    rule(name=None),
    rule(event=""),
    rule(enabled=1),
    rule(enabled="true"),
    rule(send="email"),
    rule(plan_ids=[10]),
    rule(plan_ids=[""]),
    rule(actions={"add_tag": "a"}),
    rule(conditions={}),
    when(),
    when(fact="a"),
    when(eq=1),
    when(fact="", eq=1),
    when(fact="a", like="b"),
    when(fact="a", ge=1, le=2),
    when(fact="a", eq=None),
    when(fact="a", eq=1.5),
    when(fact="a", eq=2**128),
    when(fact="a", eq=[1]),
    when(fact="a", eq={"decimal": "1,5"}),
    when(fact="a", eq={"decimal": 1}),
    when(fact="a", eq={"decimal": "1", "instant": "2026-05-04T12:00:00Z"}),
    when(fact="a", lt={"instant": "2026-05-04"}),
    when(fact="a", **{"in": "abc"}),
    when(fact="a", between=[1]),
    when(fact="a", between=[1, 2, 3]),
    when(fact="a", is_set=False),
    when(all={"fact": "a", "eq": 1}),
    when(all=[], any=[]),
    when(**{"not": []}),
    then(),
    then(add_tag=None),
    then(add_tag="a", remove_tag="b"),
    then(eval="1"),
    then(add_lead=False),
    then(add_lead={"machine": 7}),
    then(remove_lead=True),
    then(move_lead="A"),
    then(move_lead={"source": "A"}),
    then(move_lead={"to": "A", "if_absent": "maybe"}),
    then(provider_action={"verb": "acme"}),
    then(provider_action={"verb": ".a"}),
    then(provider_action={"verb": "acme.a", "parameters": {"p": None}}),
    account(add_tag="yes"),
    account(add_tag=True),
    account(idempotent=0),
    account(data="all"),
    account(tags=[1]),
    account(rate=0),
    account(batch=0),
    account(verbs=["acme.a"]),
    account(verbs=[{"name": "acme.a", "parameters": {"p": "number"}}]),
    account(_place_keys=[]),
    account(rate=2**128),
    account(verbs=[{"name": "a", "parameters": {" ": "text"}}]),
    rule(id="auto.mine"),
    rule(name="\x1c\u3000"),
    product(approved_at="2025-01-10\n"),
    when(fact="a", eq={"decimal": "0" * 260}),
    then(add_lead={"": "7"}),
    then(provider_action={"verb": "acme. "}),
    then(provider_action={"verb": " .enrol"}),
    then(provider_action={"verb": "acme.a", "parameters": {"": 1}}),
)


def test_it_is_a_schema() -> None:
    """The schema is valid for draft 2020-12, and is plain JSON."""
    schema = rules_schema()
    Draft202012Validator.check_schema(schema)

    assert schema == json.loads(json.dumps(schema))


def test_a_caller_cannot_change_it() -> None:
    """Each call returns its own copy."""
    schema = rules_schema()
    schema["$defs"]["Segmentation"]["properties"]["name"]["type"] = "integer"
    schema["$defs"].clear()

    assert "string" == rules_schema()["$defs"]["Segmentation"]["properties"]["name"]["type"]


def test_it_is_made_from_the_tables() -> None:
    """The schema has every event, fact, operator and kind of action."""
    definitions = rules_schema()["$defs"]
    branches = [set(branch["properties"]) for branch in definitions["Condition"]["anyOf"]]
    facts = definitions["Condition"]["anyOf"][-1]["properties"]["fact"]["examples"]
    sent = definitions["Segmentation"]["properties"]["send"]["anyOf"][0]["items"]["examples"]

    assert [str(event.name) for event in HOTMART.events] == definitions["Segmentation"][
        "properties"
    ]["event"]["examples"]
    assert [fact.name for fact in HOTMART.facts] == facts
    assert [*CONTACT_FIELDS, *facts] == sent
    assert {"all", "any", "not", "fact", *Operator} == set().union(*branches)
    assert [[kind] for kind in ACTION_KINDS] == [
        list(branch["properties"]) for branch in definitions["Action"]["anyOf"]
    ]


def test_it_is_made_from_the_catalogue() -> None:
    """The schema has the events and facts of a host, and the facts that each operator fits."""
    catalogue = Catalogue(
        [EventType("quiz.passed", "Passed")],
        [FactType("score", "integer"), FactType("note", "text"), FactType("left", "boolean")],
    )
    definitions = rules_schema(catalogue)["$defs"]
    facts = {
        operator: branch["properties"]["fact"]["examples"]
        for branch in definitions["Condition"]["anyOf"]
        for operator in branch["properties"].keys() & {*Operator}
    }

    assert ["quiz.passed"] == definitions["Segmentation"]["properties"]["event"]["examples"]
    assert (["score", "note", "left"], ["score"], ["note"]) == (
        facts["eq"],
        facts["between"],
        facts["contains"],
    )


@pytest.mark.parametrize("content", VALID)
def test_both_accept_a_valid_file(content: dict[str, Any]) -> None:
    """A file that can be loaded is valid by the schema."""
    load_rules(json.dumps(content))

    assert [] == [error.message for error in VALIDATOR.iter_errors(content)]


@pytest.mark.parametrize("content", INVALID)
def test_both_refuse_an_invalid_file(content: Any) -> None:
    """A file that the schema refuses cannot be loaded, and the other way round."""
    try:
        refused = bool(read_rules(json.dumps(content)).errors)
    except ValueError:
        refused = True

    assert (True, False) == (refused, VALIDATOR.is_valid(content))


@given(rule_sets())
def test_dumped_rules_are_valid(rules: RuleSet) -> None:
    """Every rule set is written as a file that is valid by the schema."""
    assert [] == [error.message for error in VALIDATOR.iter_errors(json.loads(dump_rules(rules)))]
