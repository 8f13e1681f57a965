"""The JSON Schema of rule files: a schema, and of the same mind as `load_rules`."""

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from listboss import HOTMART, RuleSet
from listboss.codec import dump_rules, load_rules, read_rules, rules_schema
from listboss.rules.action import ACTION_KINDS
from listboss.rules.condition import Operator
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
    """A file with one rule, changed."""
    return {"segmentations": [{**RULE, **changes}]}


def product(**changes: Any) -> dict[str, Any]:
    """A file with one product, changed."""
    return {"products": [{"id": "1", "name": "Course", **changes}]}


def account(**changes: Any) -> dict[str, Any]:
    """A file with one account."""
    return {"providers": {"mail": changes}}


def asks(**condition: Any) -> dict[str, Any]:
    """A file with one rule with that condition."""
    return rule(condition=condition)


def does(**action: Any) -> dict[str, Any]:
    """A file with one rule with that action."""
    return rule(actions=[action])


RIGHT: tuple[dict[str, Any], ...] = (
    {},
    {"version": 1, "capture_provider": None},
    product(),
    product(approved_at="2025-01-10"),
    product(approved_at="2025-01-10T00:00:00.5+01:00", plans=[]),
    product(kind="subscription", plans=[{"id": "1", "name": "A", "also": ["2"]}]),
    rule(),
    rule(id="r", condition=None, plan_ids=["10"], send=[], enabled=True, event="quiz.passed"),
    asks(fact="a", eq={"decimal": "-1.5e+3"}),
    asks(fact="a", ge={"instant": "2026-05-04T12:00:00Z"}),
    asks(fact="a", between=[1, 2]),
    asks(fact="a", is_set=True),
    asks(all=[{"any": []}, {"not": {"fact": "a", "not_in": ["x", 1, True]}}]),
    does(add_lead=True),
    does(add_lead={"machine": "7"}),
    does(move_lead={"to": "A", "source": None, "if_absent": "skip"}),
    does(provider_action={"verb": "acme.a.b", "parameters": {"p": {"decimal": "1"}}}),
    account(),
    account(add_tag="emulated", tags=["a"], data="any", places=None, events=[], rate=1, batch=2),
    account(verbs=[{"name": "acme.a", "parameters": {"p": "text"}, "optional": ["p"]}]),
)

WRONG: tuple[Any, ...] = (
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
    asks(),
    asks(fact="a"),
    asks(eq=1),
    asks(fact="", eq=1),
    asks(fact="a", like="b"),
    asks(fact="a", ge=1, le=2),
    asks(fact="a", eq=None),
    asks(fact="a", eq=1.5),
    asks(fact="a", eq=2**128),
    asks(fact="a", eq=[1]),
    asks(fact="a", eq={"decimal": "1,5"}),
    asks(fact="a", eq={"decimal": 1}),
    asks(fact="a", eq={"decimal": "1", "instant": "2026-05-04T12:00:00Z"}),
    asks(fact="a", lt={"instant": "2026-05-04"}),
    asks(fact="a", **{"in": "abc"}),
    asks(fact="a", between=[1]),
    asks(fact="a", between=[1, 2, 3]),
    asks(fact="a", is_set=False),
    asks(all={"fact": "a", "eq": 1}),
    asks(all=[], any=[]),
    asks(**{"not": []}),
    does(),
    does(add_tag=None),
    does(add_tag="a", remove_tag="b"),
    does(eval="1"),
    does(add_lead=False),
    does(add_lead={"machine": 7}),
    does(remove_lead=True),
    does(move_lead="A"),
    does(move_lead={"source": "A"}),
    does(move_lead={"to": "A", "if_absent": "maybe"}),
    does(provider_action={"verb": "acme"}),
    does(provider_action={"verb": ".a"}),
    does(provider_action={"verb": "acme.a", "parameters": {"p": None}}),
    account(add_tag="yes"),
    account(add_tag=True),
    account(idempotent=0),
    account(data="all"),
    account(tags=[1]),
    account(rate=0),
    account(batch=None),
    account(verbs=["acme.a"]),
    account(verbs=[{"name": "acme.a", "parameters": {"p": "number"}}]),
    account(_place_keys=[]),
)


def test_it_is_a_schema() -> None:
    """The schema is one of draft 2020-12, and is plain JSON."""
    schema = rules_schema()
    Draft202012Validator.check_schema(schema)

    assert schema == json.loads(json.dumps(schema))


def test_nobody_can_spoil_it() -> None:
    """Each call gives a schema of its own."""
    schema = rules_schema()
    schema["$defs"]["Segmentation"]["properties"]["name"]["type"] = "integer"
    schema["$defs"].clear()

    assert "string" == rules_schema()["$defs"]["Segmentation"]["properties"]["name"]["type"]


def test_it_is_made_of_the_tables() -> None:
    """Every event, fact, operator and kind of action that there is stands in the schema."""
    definitions = rules_schema()["$defs"]
    branches = [set(branch["properties"]) for branch in definitions["Condition"]["anyOf"]]
    comparison = definitions["Condition"]["anyOf"][-1]["properties"]["fact"]

    assert [str(event.name) for event in HOTMART.events] == definitions["Segmentation"][
        "properties"
    ]["event"]["examples"]
    assert [fact.name for fact in HOTMART.facts] == comparison["examples"]
    assert {"all", "any", "not", "fact", *Operator} == set().union(*branches)
    assert [[kind] for kind in ACTION_KINDS] == [
        list(branch["properties"]) for branch in definitions["Action"]["anyOf"]
    ]


@pytest.mark.parametrize("content", RIGHT)
def test_both_take_what_is_right(content: dict[str, Any]) -> None:
    """What can be loaded, the schema takes."""
    load_rules(json.dumps(content))

    assert [] == [error.message for error in VALIDATOR.iter_errors(content)]


@pytest.mark.parametrize("content", WRONG)
def test_both_refuse_what_is_wrong(content: Any) -> None:
    """What the schema refuses cannot be loaded, and the other way round."""
    try:
        refused = bool(read_rules(json.dumps(content)).errors)
    except ValueError:
        refused = True

    assert (True, False) == (refused, VALIDATOR.is_valid(content))


@given(rule_sets())
def test_it_takes_whatever_is_written(rules: RuleSet) -> None:
    """Every rule set that can be written is right by the schema."""
    assert [] == [error.message for error in VALIDATOR.iter_errors(json.loads(dump_rules(rules)))]
