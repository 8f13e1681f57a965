"""An unknown word or a wrong boolean raises an error of the library's own tree."""

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
