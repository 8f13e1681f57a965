"""Single segmentations, conditions and actions, as a host keeps them in a database."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from listboss import Action, Condition, Segmentation, where
from listboss.codec import (
    Limits,
    dump_action,
    dump_condition,
    dump_rules,
    dump_segmentation,
    load_action,
    load_condition,
    load_rules,
    load_segmentation,
)
from listboss.errors import CodecError, CodecErrors
from listboss.rules import RuleSet
from listboss.rules.condition import MAX_DEPTH, MAX_NODES, AnyOf, Not
from listboss.testing import actions, conditions, segmentations

RULE = {
    "name": "Buyers",
    "product_id": "1001",
    "provider": "mail",
    "event": "purchase.approved",
    "actions": [{"add_tag": "buyer"}],
}
LOADERS: tuple[Callable[..., Any], ...] = (load_segmentation, load_condition, load_action)


@given(segmentations())
def test_segmentations_round_trip(rule: Segmentation) -> None:
    """A segmentation that is written and read is equal, as is its text."""
    text = dump_segmentation(rule)

    assert (rule, text) == (load_segmentation(text), dump_segmentation(load_segmentation(text)))


@given(conditions())
def test_conditions_round_trip(condition: Condition) -> None:
    """A condition that is written and read is equal, as is its text."""
    text = dump_condition(condition)

    assert (condition, text) == (load_condition(text), dump_condition(load_condition(text)))


@given(actions())
def test_actions_round_trip(action: Action) -> None:
    """An action that is written and read is equal, as is its text."""
    text = dump_action(action)

    assert (action, text) == (load_action(text), dump_action(load_action(text)))


@given(segmentations())
def test_same_form_as_in_a_file(rule: Segmentation) -> None:
    """The document of a rule is what a rule file has, with the version of the format."""
    in_file = json.loads(dump_rules(RuleSet((), [rule])))["segmentations"][0]

    assert {**in_file, "version": 1} == json.loads(dump_segmentation(rule))


def test_rules_from_rows_and_from_a_file_are_equal() -> None:
    """A rule set of rows equals the one of a file."""
    rows = [json.dumps(RULE), json.dumps({**RULE, "id": "x", "enabled": True})]
    file = load_rules({"segmentations": [json.loads(row) for row in rows]})

    assert file == RuleSet(segmentations=map(load_segmentation, rows))


def test_an_id_that_a_rule_set_refuses() -> None:
    """A rule is read for itself; whether a rule set takes its id is not asked."""
    assert "auto.mine" == load_segmentation({**RULE, "id": "auto.mine"}).id


def test_the_largest_conditions() -> None:
    """The default limits are enough for the deepest and the widest condition."""
    deepest: Any = where.price == 1
    for _ in range(MAX_DEPTH):
        deepest = Not(deepest)
    widest = AnyOf(*[where.offer == str(n) for n in range(MAX_NODES - 1)])

    assert [deepest, widest] == [load_condition(dump_condition(c)) for c in (deepest, widest)]


@pytest.mark.parametrize(
    ("load", "source", "code", "path"),
    [
        (load_segmentation, {**RULE, "key": 1}, "unknown_key", "$.key"),
        (load_segmentation, {**RULE, "actions": [{"add_tag": 1}]}, "wrong_type",
         "$.actions[0].add_tag"),
        (load_condition, {"fact": "price", "ge": None}, "wrong_type", "$.ge"),
        (load_condition, {"all": [{"fact": " ", "eq": 1}]}, "invalid_condition", "$.all[0].fact"),
        (load_condition, {}, "one_key", "$"),
        (load_condition, None, "wrong_type", "$"),
        (load_action, {"add_lead": False}, "wrong_type", "$.add_lead"),
        (load_action, {"provider_action": {"verb": "enrol"}}, "invalid_action",
         "$.provider_action.verb"),
        (load_action, {"version": 2, "add_tag": "x"}, "unsupported_version", "$.version"),
        (load_action, "[]", "wrong_type", "$"),
    ],
)  # fmt: skip
def test_a_fault_has_a_code_and_a_path(
    load: Callable[[Any], Any], source: Any, code: str, path: str
) -> None:
    """The path of a fault starts at the document."""
    with pytest.raises(CodecError) as caught:
        load(source)

    assert (code, path) == (caught.value.code, caught.value.path)


def test_several_faults() -> None:
    """Several faults are raised together."""
    with pytest.raises(CodecErrors) as caught:
        load_segmentation({"name": 1})

    assert 5 == len(caught.value.exceptions)


@pytest.mark.parametrize("load", LOADERS)
def test_limits(load: Callable[..., Any]) -> None:
    """A document over a limit is not read."""
    with pytest.raises(CodecError) as caught:
        load("{" + " " * 10 + "}", limits=Limits(max_bytes=10))

    assert "too_many_bytes" == caught.value.code
