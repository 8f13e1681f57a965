"""A word or a truth value that is none gives an error of the library's own tree."""

import pytest

from listboss import Capabilities, Catalogue, EventType, FactType, Product, Segmentation
from listboss.errors import ActionError, ArgumentTypeError, CatalogueError, RuleError
from listboss.rules import FactKind, Verb

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
}
TRUTHS = {
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


@pytest.mark.parametrize("name", WORDS)
def test_unknown_word(name):
    """It says where, and which words there are."""
    error, path, make = WORDS[name]
    with pytest.raises(error) as caught:
        make()
    assert (path, True) == (caught.value.path, caught.value.hint.startswith("one of "))


@pytest.mark.parametrize("name", TRUTHS)
def test_no_truth_value(name):
    """Nothing is coerced to True or False."""
    with pytest.raises(ArgumentTypeError) as caught:
        TRUTHS[name]()
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
def test_no_member(make):
    """A number among texts or places is refused."""
    with pytest.raises(ArgumentTypeError):
        make()
