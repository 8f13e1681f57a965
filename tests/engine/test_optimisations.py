"""Whatever makes the engine fast changes no plan: each optimisation off, the plans are equal."""

from random import Random
from typing import Any

import pytest

from listboss import Engine
from listboss.engine import assemble, bucket, door, engine, few, index, literal, masks
from listboss.engine.cells import ORDERED
from listboss.rules import segmentation
from listboss.testing import random_event, random_rules

NEVER, ALWAYS = 10**9, 0

SETTINGS: dict[str, list[tuple[Any, str, Any]]] = {
    "every rule asked by itself": [
        (index, "FEW", NEVER),
        (bucket, "FEW", NEVER),
        (bucket, "MOST_ASKED", NEVER),
        (few, "MOST_UNFILED", NEVER),
    ],
    "every rule asked, or filed": [(bucket, "FEW", NEVER), (bucket, "MOST_ASKED", NEVER)],
    "few rules filed wherever they can be": [
        (few, "FEWEST_FILED", 1),
        (few, "MOST_UNFILED", ALWAYS),
    ],
    "no rule asked by itself": [
        (index, "FEW", ALWAYS),
        (bucket, "FEW", ALWAYS),
        (index, "FEW_OF_LEAF", ALWAYS),
    ],
    "nothing filed under a fact": [(index, "FEWEST_FILED", NEVER)],
    "filed wherever it can be": [(index, "FEWEST_FILED", 1), (index, "FEWEST_BINS", 1)],
    "filed under small bins": [(index, "FINEST_BIN", 2), (index, "FEWEST_FILED", 1)],
    "no shared header": [(masks, "NARROW", ALWAYS)],
    "every fact in the header": [(masks, "NARROW", NEVER)],
    "no machine words": [(masks, "WORD", ALWAYS), (index, "WORD", ALWAYS)],
    "hardly a whole mask": [(masks, "MOST_MASKS", 1), (masks, "NARROW", ALWAYS)],
    "bits byte by byte": [(masks, "FEW_BITS", -1)],
    "bits from the top": [(masks, "FEW_BITS", NEVER)],
    "no place remembered": [(door, "MOST_REMEMBERED", ALWAYS)],
    "no size spelled beforehand": [(segmentation, "SPELLED", 0)],
    "no data is the usual": [(assemble, "SENT", None)],
    "every step sorted": [
        (assemble, "_inserted", lambda steps, step: assemble.settled([*steps, step])[0]),
    ],
    "no filed fact compared by place": [(masks, "_range", lambda *_asked: ())],
    "only large words": [(masks, "_word", lambda _size: "Q")],
    "no spelling is short": [(door, "LONGEST", -1)],
    "every number halved": [(door, "NOT_LOOKED_UP", ORDERED)],
    "every number read": [(door, "READ_ALREADY", {})],
    "no word shared": [(literal, "WORDS", frozenset())],
    "hardly a conjunction": [(literal, "MOST_CONJUNCTIONS", 1), (bucket, "MAX_NODES", 1)],
    "every list searched by halves": [(literal, "LONG", 0)],
    "conflicts always looked for": [
        (bucket, "may_conflict", lambda _steps: True),
        (few, "may_conflict", lambda _steps: True),
    ],
    "nothing kept at hand": [(engine, "MOST_KEPT", ALWAYS)],
    "large products on their first event": [(engine, "LARGE", NEVER)],
}


@pytest.fixture(scope="module")
def world():
    """Rule sets with their events, and the plans of an engine as it is."""
    random = Random(20)
    pairs = []
    for size in (12, 60, 400, 1_500):
        rules = random_rules(random, size=size)
        events = [random_event(random, rules) for _ in range(60)]
        pairs.append((rules, events, list(Engine(rules).plan_many(events))))
    return pairs


@pytest.mark.parametrize("name", SETTINGS)
def test_equal_plans(name, world, monkeypatch):
    """The plans do not depend on how the rules are found."""
    for module, constant, value in SETTINGS[name]:
        monkeypatch.setattr(module, constant, value)

    for rules, events, plans in world:
        assert plans == list(Engine(rules).plan_many(events))


def test_the_world_says_something(world):
    """Most kinds of outcome occur in it, so that a difference would show."""
    plans = [plan for _, _, found in world for plan in found]
    actions = sum(len(plan.actions) for plan in plans)

    assert (True, True, True) == (
        actions > 500,
        sum(1 for plan in plans if plan.conflicts) > 20,
        len({plan.idle for plan in plans}) > 3,
    )
