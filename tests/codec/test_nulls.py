"""A null in an optional key means that the key is absent: forms write one for every empty field."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator

from listboss import (
    Capabilities,
    Contact,
    Event,
    MoveLead,
    Product,
    ProviderAction,
    Segmentation,
    SubscriptionPlan,
    Verb,
)
from listboss.codec import dump_rules, load_event, load_rules, read_rules, rules_schema
from listboss.codec._rules import TOP_LEVEL

RULE: dict[str, Any] = {
    "name": "Buyers",
    "product_id": "1",
    "provider": "mail",
    "event": "purchase.approved",
    "actions": [],
}
EVENT: dict[str, Any] = {
    "name": "purchase.approved",
    "id": "e-1",
    "product_id": "1",
    "contact": {"email": "ana@example.com"},
    "occurred_at": "2026-05-04T12:00:00Z",
}
NOUNS: dict[type[Any], dict[str, Any]] = {
    Product: {"id": "1", "name": "Course"},
    SubscriptionPlan: {"id": "10", "name": "Monthly"},
    Segmentation: RULE,
    Capabilities: {"add_tag": "native"},
    Verb: {"name": "acme.enrol"},
    MoveLead: {"to": "Buyers"},
    ProviderAction: {"verb": "acme.enrol"},
    Event: EVENT,
    Contact: EVENT["contact"],
}
"""What each noun of a document needs at least."""
FILES: Mapping[type[Any], Callable[[dict[str, Any]], dict[str, Any]]] = {
    Product: lambda noun: {"products": [noun]},
    SubscriptionPlan: lambda noun: {
        "products": [{"id": "1", "name": "Club", "kind": "subscription", "plans": [noun]}]
    },
    Segmentation: lambda noun: {"segmentations": [noun]},
    Capabilities: lambda noun: {"providers": {"mail": noun}},
    Verb: lambda noun: {"providers": {"mail": {"verbs": [noun]}}},
    MoveLead: lambda noun: {"segmentations": [{**RULE, "actions": [{"move_lead": noun}]}]},
    ProviderAction: lambda noun: {
        "segmentations": [{**RULE, "actions": [{"provider_action": noun}]}]
    },
}
"""A rule file with one such noun."""
VALIDATOR = Draft202012Validator(rules_schema())


def optional(*nouns: type[Any]) -> Iterator[Any]:
    """Each optional field of these nouns."""
    for noun in nouns:
        for field in attrs.fields(noun):
            if field.init and field.name not in NOUNS[noun] and field.default is not attrs.NOTHING:
                yield pytest.param(noun, field.name, id=f"{noun.__name__}.{field.name}")


@pytest.mark.parametrize(("noun", "key"), [*optional(*FILES)])
def test_each_optional_key_of_a_rule_file(noun: type[Any], key: str) -> None:
    """A file with null there is read as one without the key, and is valid by the schema."""
    file = FILES[noun]
    with_null = file({**NOUNS[noun], key: None})

    assert load_rules(file(NOUNS[noun])) == load_rules(with_null)
    assert [] == [error.message for error in VALIDATOR.iter_errors(with_null)]


@pytest.mark.parametrize("key", TOP_LEVEL)
def test_each_key_of_a_file(key: str) -> None:
    """A file with null for one of its parts is read as one without the part."""
    assert load_rules({}) == load_rules({key: None})
    assert VALIDATOR.is_valid({key: None})


@pytest.mark.parametrize(("noun", "key"), [*optional(Event)])
def test_each_optional_key_of_an_event(noun: type[Any], key: str) -> None:
    """An event with null there is read as one without the key."""
    assert load_event(EVENT) == load_event({**EVENT, key: None})


@pytest.mark.parametrize(("noun", "key"), [*optional(Contact)])
def test_each_optional_key_of_a_contact(noun: type[Any], key: str) -> None:
    """A contact with null there is read as one without the key."""
    contact = {**NOUNS[Contact], key: None}

    assert load_event(EVENT) == load_event({**EVENT, "contact": contact})


def test_every_key_at_once() -> None:
    """A form that writes every key, with null where nothing was typed, gives the same rule."""
    full = {field.name: None for field in attrs.fields(Segmentation)} | RULE

    assert dump_rules(load_rules({"segmentations": [RULE]})) == dump_rules(
        load_rules({"segmentations": [full]})
    )


@pytest.mark.parametrize("key", sorted(RULE))
def test_null_in_a_required_key(key: str) -> None:
    """A required key needs a value."""
    (error,) = read_rules({"segmentations": [{**RULE, key: None}]}).errors

    assert ("wrong_type", f"$.segmentations[0].{key}") == (error.code, error.path)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"send": ["email", None]}, "send[1]"),
        ({"condition": {"fact": "offer", "eq": None}}, "condition.eq"),
        ({"condition": {"all": [None]}}, "condition.all[0]"),
        ({"actions": [{"add_tag": None}]}, "actions[0].add_tag"),
        ({"actions": [{"add_lead": {"list": None}}]}, "actions[0].add_lead.list"),
    ],
)
def test_null_elsewhere(rule: dict[str, Any], path: str) -> None:
    """Null is not an item of a list, a value to compare with, a tag or a part of a place."""
    (error,) = read_rules({"segmentations": [{**RULE, **rule}]}).errors

    assert ("wrong_type", f"$.segmentations[0].{path}") == (error.code, error.path)
