"""An unknown word or a wrong boolean raises an error of the library's own tree."""

from enum import StrEnum
from functools import partial
from importlib import import_module
from typing import Any, Literal, get_args, get_origin

import attrs
import pytest

from listboss import (
    HOTMART,
    Capabilities,
    Catalogue,
    EventType,
    FactType,
    Finding,
    MoveLead,
    Product,
    Segmentation,
    rules,
    where,
)
from listboss.errors import (
    ActionError,
    ArgumentTypeError,
    CatalogueError,
    ConditionError,
    ListBossError,
    RuleError,
)
from listboss.rules import Comparison, FactKind, RuleSet, SubscriptionPlan, Verb
from listboss.rules.finding import severity_of

WORDS = {
    "kind of product": (RuleError, "$.kind", lambda: Product("p", "P", kind="zz")),
    "kind of fact": (CatalogueError, "$.kind", lambda: FactType("f", "zz")),
    "kinds of an event": (
        CatalogueError,
        "$.product_kinds",
        lambda: EventType("e", "E", product_kinds=["zz"]),
    ),
    "source of an event": (CatalogueError, "$.source", lambda: EventType("e", "E", source="zz")),
    "kind of a parameter": (ActionError, "$.parameters", lambda: Verb("a.b", {"x": "zz"})),
    "ability": (ActionError, "$.add_tag", lambda: Capabilities(add_tag="zz")),  # type: ignore[arg-type] # wrong on purpose
    "kind of an ability": (ActionError, "$.kind", lambda: Capabilities().ability("add_tags")),
    "if_absent": (ActionError, "$.if_absent", lambda: MoveLead("a", if_absent="zz")),  # type: ignore[arg-type] # wrong on purpose
    "operator": (ConditionError, "$.operator", lambda: Comparison("f", "zz", 1)),
    "product kind of a form": (CatalogueError, "$.kind", lambda: HOTMART.events_for("zz")),
    "code of a finding": (RuleError, "$.code", lambda: Finding("zz", "error", "wrong")),
    "severity": (RuleError, "$.severity", lambda: Finding("value_empty", "zz", "wrong")),
    "code of a severity": (RuleError, "$.code", lambda: severity_of("zz")),
}
UNORDERED = {
    "actions": lambda: _rule(actions={MoveLead("a")}),
    "condition": lambda: _rule(condition={where.a == 1, where.b == 2}),
    "plan_ids": lambda: _rule(plan_ids={"10", "20"}),
    "send": lambda: _rule(send=frozenset({"email"})),
    "also": lambda: SubscriptionPlan("10", "Monthly", also={"11"}),
    "plans": lambda: Product("1", "Club", kind="subscription", plans={SubscriptionPlan("1", "M")}),
    "products": lambda: RuleSet({Product("1", "Course")}),
    "segmentations": lambda: RuleSet([], {_rule()}),
    "facts": lambda: EventType("e", "E", facts={"a", "b"}),
    "events": lambda: HOTMART.extended(events={EventType("e", "E")}),
    "values": lambda: FactType("f", "choice", values={"a", "b"}),
    "tags": lambda: Capabilities(tags={"a", "b"}),
    "places": lambda: Capabilities(places={"a", "b"}),
    "optional": lambda: Verb("a.b", {"x": "text"}, optional={"x"}),
    "value": lambda: Comparison("f", "between", {1, 2}),
}
BOOLEANS = {
    "closed": lambda: FactType("f", FactKind.CHOICE, closed=1),  # type: ignore[arg-type] # wrong on purpose
    "on_any_event": lambda: FactType("f", FactKind.TEXT, on_any_event="no"),  # type: ignore[arg-type] # wrong on purpose
    "carries_plan": lambda: EventType("e", "E", carries_plan=1),  # type: ignore[arg-type] # wrong on purpose
    "one_place": lambda: Capabilities(one_place="no"),  # type: ignore[arg-type] # wrong on purpose
    "idempotent": lambda: Capabilities(idempotent=0),  # type: ignore[arg-type] # wrong on purpose
    "enabled": lambda: Segmentation(
        "n",
        product_id="p",
        provider="m",
        event="e",
        actions=(),
        enabled="yes",  # type: ignore[arg-type] # wrong on purpose
    ),
}


def _rule(**changes: Any) -> Segmentation:
    fields: dict[str, Any] = {
        "product_id": "1",
        "provider": "mail",
        "event": "purchase.approved",
        "actions": (),
    }
    return Segmentation("rule", **{**fields, **changes})


@pytest.mark.parametrize("name", WORDS)
def test_unknown_word(name):
    """The error has the path and the known words, and hides the value."""
    error, path, make = WORDS[name]
    with pytest.raises(error) as caught:
        make()
    message = caught.value.message
    assert (path, True) == (caught.value.path, message.startswith("expected `"))
    assert message.endswith(", got another string")


@pytest.mark.parametrize("name", BOOLEANS)
def test_not_a_boolean(name):
    """Nothing is converted to True or False."""
    with pytest.raises(ArgumentTypeError) as caught:
        BOOLEANS[name]()
    assert f"$.{name}" == caught.value.path


@pytest.mark.parametrize(
    "make",
    [
        lambda: Capabilities(places=[3]),  # type: ignore[list-item] # wrong on purpose
        lambda: EventType("e", "E", facts=[3]),  # type: ignore[list-item] # wrong on purpose
        lambda: FactType("f", FactKind.CHOICE, values=[3]),  # type: ignore[list-item] # wrong on purpose
        lambda: Catalogue([3]),  # type: ignore[list-item] # wrong on purpose
    ],
    ids=["places", "facts", "values", "events"],
)
def test_wrong_member(make):
    """A number in a list of strings or places is refused."""
    with pytest.raises(ArgumentTypeError):
        make()


@pytest.mark.parametrize("name", UNORDERED)
def test_a_set_where_order_counts(name):
    """A set is refused: its order, and so an equal rule or its text, may differ in each process."""
    with pytest.raises(ArgumentTypeError) as caught:
        UNORDERED[name]()
    error = caught.value
    assert (f"$.{name}", True) == (error.path, error.message.endswith(", got a set"))
    assert "a set has no order: write a list" == error.hint


def test_keys_in_their_order():
    """The keys and values of a dictionary have an order, unlike the dictionary as a whole."""
    by_id = {"20": _rule(), "10": _rule(id="other")}
    assert ("20", "10") == _rule(plan_ids=by_id.keys()).plan_ids
    assert tuple(by_id.values()) == RuleSet([], by_id.values()).segmentations
    with pytest.raises(ArgumentTypeError) as caught:
        _rule(plan_ids=by_id)
    assert "expected a list, got a mapping" == caught.value.message


MODULES = (
    "listboss.rules",
    "listboss.engine",
    "listboss.provider",
    "listboss.send",
    "listboss.hotmart",
)


def _enum_fields():
    """Every field of a public class that takes one of a few words, with that class.

    A class with an `__init__` of its own has rows in the tables above.
    """
    for module in map(import_module, MODULES):
        for cls in (getattr(module, name) for name in module.__all__):
            made_by_attrs = isinstance(cls, type) and attrs.has(cls)
            if made_by_attrs and "__attrs_init__" not in vars(cls):
                for field in attrs.fields(attrs.resolve_types(cls, localns=vars(rules))):
                    if field.init and field.type is not None and _takes_words(field.type):
                        yield pytest.param(cls, field, id=f"{cls.__name__}.{field.name}")


def _takes_words(kind):
    kinds = get_args(kind) if get_origin(kind) not in (None, Literal) else (kind,)
    if str in kinds:
        return False
    return any(
        get_origin(each) is Literal or (isinstance(each, type) and issubclass(each, StrEnum))
        for each in kinds
    )


@pytest.mark.parametrize(("cls", "field"), [*_enum_fields()])
def test_every_field_that_takes_words(cls, field):
    """Each of them converts or checks the word, and knows what is not one."""
    read = field.converter or partial(field.validator, None, field)
    with pytest.raises(ListBossError):
        read("zz")
