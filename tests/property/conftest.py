"""Small worlds for every law: a rule set with events that meet its rules, many times over."""

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
    """Make `count` worlds from a seed: the rules, `events` events, and dice for what follows."""

    def worlds(seed: int, count: int, *, events: int = 10, size: int = 24) -> Iterator[World]:
        for n in range(count):
            dice = Random(f"{seed}/{n}")
            rules = random_rules(dice, size=size)
            yield rules, [random_event(dice, rules, id=f"e-{m}") for m in range(events)], dice

    return worlds


@pytest.fixture(scope="session")
def planned() -> Callable[[RuleSet, Event], Plan]:
    """Plan an event by a fresh engine, that has seen nothing else; tests count, too."""

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
    """Keep everything of a rule set but its segmentations."""
    return rules_with


def rules_with(rules: RuleSet, segmentations: object) -> RuleSet:
    """Give a rule set with other segmentations."""
    return RuleSet(
        rules.products,
        segmentations,  # type: ignore[arg-type] # any iterable of them
        providers=rules.providers,
        catalogue=rules.catalogue,
        capture_provider=rules.capture_provider,
    )


@pytest.fixture(scope="session")
def enabled() -> Callable[[RuleSet], RuleSet]:
    """Switch every rule on, flagged ones too: those never run all the same."""

    def enabled(rules: RuleSet) -> RuleSet:
        return rules_with(rules, [attrs.evolve(r, enabled=True) for r in rules.segmentations])

    return enabled


def looked_up(rules: RuleSet) -> Any:
    """Give what the reference reads of a rule set, each product reviewed once."""
    names = ("products", "segmentations", "providers", "catalogue", "capture_provider")
    read = {name: getattr(rules, name) for name in names}
    return SimpleNamespace(**read, findings_of=cache(rules.findings_of))


@pytest.fixture(scope="session")
def agree(worlds: Callable[..., Iterator[World]]) -> Callable[..., int]:
    """Ask engine and reference the same questions; give how many they were."""

    def agree(seed: int, pairs: int, *, events: int = 200, size: int = 24) -> int:
        asked = 0
        for rules, happened, _ in worlds(seed, -(-pairs // events), events=events, size=size):
            engine, known = Engine(rules), looked_up(rules)
            for event in happened:
                expected = reference.plan(known, event)
                actual = engine.plan(event)
                assert expected == actual, f"of {rules.segmentations} on {attrs.asdict(event)}"
                asked += 1
        return asked

    return agree
