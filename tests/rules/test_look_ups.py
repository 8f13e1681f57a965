"""Names that are looked up are strings: a number finds nothing, and is refused."""

from typing import Any

import pytest

from listboss import HOTMART, Capabilities, Engine, RuleSet
from listboss.errors import ArgumentTypeError, ListBossError
from listboss.rules import Verb

RULES = RuleSet()
ENGINE = Engine(RULES)
WRONG: Any = 42
LOOK_UPS = {
    "product": lambda: RULES.product(WRONG),
    "rules of": lambda: RULES.rules_of(WRONG),
    "dashboard": lambda: RULES.for_product(WRONG),
    "findings": lambda: RULES.findings_of(WRONG),
    "events for a product": lambda: RULES.events_for(WRONG, "mail"),
    "events for a provider": lambda: RULES.events_for("42", WRONG),
    "actions": lambda: RULES.actions_for(WRONG),
    "facts": lambda: RULES.facts_for(WRONG),
    "operators": lambda: RULES.operators_for(WRONG),
    "provider": lambda: RULES.without_provider(WRONG),
    "new provider": lambda: RULES.with_provider(WRONG, Capabilities()),
    "segmentation": lambda: RULES.segmentation(WRONG),
    "event of the catalogue": lambda: HOTMART.event(WRONG),
    "fact of the catalogue": lambda: HOTMART.fact(WRONG),
    "carried facts": lambda: HOTMART.carried(WRONG),
    "carries": lambda: HOTMART.carries(WRONG, "country"),
}
ARGUMENTS = {
    "providers": ("$.providers", lambda: RuleSet(providers=WRONG)),
    "empty providers": ("$.providers", lambda: RuleSet(providers="")),  # type: ignore[arg-type] # wrong on purpose
    "a set of providers": ("$.providers", lambda: RuleSet(providers={"mail"})),  # type: ignore[arg-type] # wrong on purpose
    "catalogue": ("$.catalogue", lambda: RuleSet(catalogue=WRONG)),
    "other rules": ("$.other", lambda: RULES.diff(WRONG)),
    "parameters": ("$.parameters", lambda: Verb("acme.enrol", WRONG)),
    "a list of parameters": ("$.parameters", lambda: Verb("acme.enrol", ["course"])),  # type: ignore[arg-type] # wrong on purpose
    "rules": ("$.rules", lambda: Engine(WRONG)),
    "new rules": ("$.rules", lambda: ENGINE.with_rules(WRONG)),
    "event": ("$.event", lambda: ENGINE.plan(WRONG)),
    "event to match": ("$.event", lambda: ENGINE.match(WRONG)),
    "event to explain": ("$.event", lambda: ENGINE.explain(WRONG)),
}


@pytest.mark.parametrize("name", LOOK_UPS)
def test_number_for_a_name(name):
    """A number, as of a database, is not taken for an unknown name."""
    with pytest.raises(ListBossError, match="expected a string, got an integer"):
        LOOK_UPS[name]()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_wrong_type(name):
    """What is not of the type is refused, with the path."""
    path, make = ARGUMENTS[name]
    with pytest.raises(ArgumentTypeError) as caught:
        make()
    assert path == caught.value.path
