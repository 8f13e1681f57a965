"""Fixtures for the laws: many small worlds, each a rule set and events that match its rules."""

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any, TypeAlias

import attrs
import pytest

from listboss import Engine, Event, Plan, RuleSet
from listboss.testing import random_event, random_rules, reference

World: TypeAlias = tuple[RuleSet, list[Event], Random]


@pytest.fixture(scope="session")
def worlds() -> Callable[..., Iterator[World]]:
    """Make `count` worlds from a seed: rules, `events` events, and dice for further choices."""

    def worlds(seed: int, count: int, *, events: int = 10, size: int = 24) -> Iterator[World]:
        for n in range(count):
            dice = Random(f"{seed}/{n}")
            rules = random_rules(dice, size=size)
            yield rules, [random_event(dice, rules, id=f"e-{m}") for m in range(events)], dice

    return worlds


@pytest.fixture(scope="session")
def planned() -> Callable[[RuleSet, Event], Plan]:
    """Plan an event with a new engine; test events count."""

    def planned(rules: RuleSet, event: Event) -> Plan:
        return Engine(rules).plan(event, include_tests=True)

    return planned


@pytest.fixture(scope="session")
def reordered() -> Callable[[RuleSet, Random], RuleSet]:
    """Declare the same rules in another order."""

    def reordered(rules: RuleSet, dice: Random) -> RuleSet:
        shuffled = list(rules.segmentations)
        dice.shuffle(shuffled)
        return rules_with(rules, shuffled)

    return reordered


@pytest.fixture(scope="session")
def with_rules() -> Callable[..., RuleSet]:
    """Replace the segmentations of a rule set."""
    return rules_with


def rules_with(rules: RuleSet, segmentations: object) -> RuleSet:
    """Return a rule set with other segmentations and everything else the same."""
    return RuleSet(
        rules.products,
        segmentations,  # type: ignore[arg-type] # any iterable of them
        providers=rules.providers,
        catalogue=rules.catalogue,
        capture_provider=rules.capture_provider,
    )


@pytest.fixture(scope="session")
def enabled() -> Callable[[RuleSet], RuleSet]:
    """Enable every rule, even the flagged ones, which still never run."""

    def enabled(rules: RuleSet) -> RuleSet:
        return rules_with(rules, [attrs.evolve(r, enabled=True) for r in rules.segmentations])

    return enabled


def reviewed_once(rules: RuleSet) -> Any:
    """Return what the reference reads from a rule set, with the findings cached."""
    names = ("products", "segmentations", "providers", "catalogue", "capture_provider")
    fields = {name: getattr(rules, name) for name in names}
    return SimpleNamespace(**fields, findings_of=cache(rules.findings_of))


@pytest.fixture(scope="session")
def agree(worlds: Callable[..., Iterator[World]]) -> Callable[..., int]:
    """Compare the plans of engine and reference, and return how many were compared."""

    def agree(seed: int, pairs: int, *, events: int = 200, size: int = 24) -> int:
        compared = 0
        for rules, happened, _ in worlds(seed, -(-pairs // events), events=events, size=size):
            engine, cached = Engine(rules), reviewed_once(rules)
            for event in happened:
                expected = reference.plan(cached, event)
                actual = engine.plan(event)
                assert expected == actual, f"{rules.segmentations} on {attrs.asdict(event)}"
                compared += 1
        return compared

    return agree
