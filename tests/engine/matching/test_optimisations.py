"""Whatever makes the engine fast changes no plan: each optimisation off, the plans are equal."""

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from listboss import (
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    Product,
    RuleSet,
    Segmentation,
    where,
)
from listboss.engine import engine
from listboss.engine.matching import bitmap, bucket, encoder, index, normal_form, scan
from listboss.engine.matching.partition import ORDERED
from listboss.engine.planning import binding
from listboss.rules import segmentation
from listboss.testing import random_event, random_rules

NEVER, ALWAYS = 10**9, 0

SETTINGS: dict[str, list[tuple[Any, str, Any]]] = {
    "every rule asked by itself": [
        (index, "FEW", NEVER),
        (bucket, "FEW", NEVER),
        (bucket, "MOST_ASKED", NEVER),
        (scan, "MOST_UNFILED", NEVER),
    ],
    "every rule asked, or filed": [(bucket, "FEW", NEVER), (bucket, "MOST_ASKED", NEVER)],
    "few rules filed wherever they can be": [
        (scan, "FEWEST_FILED", 1),
        (scan, "MOST_UNFILED", ALWAYS),
    ],
    "no rule asked by itself": [
        (index, "FEW", ALWAYS),
        (bucket, "FEW", ALWAYS),
        (index, "FEW_OF_LEAF", ALWAYS),
    ],
    "nothing filed under a fact": [(index, "FEWEST_FILED", NEVER)],
    "filed wherever it can be": [(index, "FEWEST_FILED", 1), (index, "FEWEST_BINS", 1)],
    "filed under small bins": [(index, "FINEST_BIN", 2), (index, "FEWEST_FILED", 1)],
    "no shared header": [(bitmap, "NARROW", ALWAYS)],
    "every fact in the header": [(bitmap, "NARROW", NEVER)],
    "no machine words": [(bitmap, "WORD", ALWAYS), (index, "WORD", ALWAYS)],
    "hardly a whole mask": [(bitmap, "MOST_MASKS", 1), (bitmap, "NARROW", ALWAYS)],
    "bits byte by byte": [(bitmap, "FEW_BITS", -1)],
    "bits from the top": [(bitmap, "FEW_BITS", NEVER)],
    "no place remembered": [(encoder, "MOST_REMEMBERED", ALWAYS)],
    "no size spelled beforehand": [(segmentation, "SPELLED", 0)],
    "no data is the usual": [(binding, "SENT", None)],
    "every step sorted": [
        (binding, "_inserted", lambda steps, step: binding.settled([*steps, step])[0]),
    ],
    "no wide fact compared by place": [(bitmap, "_range", lambda *_asked: None)],
    "only large words": [(bitmap, "_word", lambda _size: "Q")],
    "no spelling is short": [(encoder, "LONGEST", -1)],
    "every number halved": [(encoder, "HALVED", ORDERED)],
    "every number read": [(encoder, "READ_ALREADY", {})],
    "no word shared": [(normal_form, "WORDS", frozenset())],
    "hardly a conjunction": [(normal_form, "MOST_CONJUNCTIONS", 1), (bucket, "MAX_NODES", 1)],
    "every list searched by halves": [(normal_form, "LONG", 0)],
    "conflicts always looked for": [
        (bucket, "may_conflict", lambda _steps: True),
        (scan, "may_conflict", lambda _steps: True),
    ],
    "nothing kept at hand": [(engine, "MOST_KEPT", ALWAYS)],
    "large products on their first event": [(engine, "LARGE", NEVER)],
}


def _crowded():
    """One product and event with rules that are filed, rules that are not, and no conflict."""
    kinds = [
        lambda n: where.offer == f"offer {n % 60}",
        lambda n: (where.offer == f"offer {n % 60}") & where.price.between(n, n + 300),
        lambda n: where.price.between(n, n + 2),
        lambda n: (where.price >= n) & (where.country == "BR"),
        lambda n: where.offer.is_in(f"offer {n % 60}", f"offer {n % 7}") & (where.country != "BR"),
        lambda n: (where.country == "PT") | (where.price < Decimal(n) / 7),
        lambda n: (where.offer == f"offer {n % 60}") & where.price.is_in(n, 500),
    ]
    rules = [
        Segmentation(
            f"r{n}",
            id=f"r{n}",
            product_id="42",
            provider="mail",
            event="purchase.approved",
            condition=kinds[n % len(kinds)](n),
            actions=AddTag(f"tag {n % 400}"),
            enabled=True,
        )
        for n in range(900)
    ]
    product = Product("42", "Course", approved_at=date(2025, 1, 1))
    return RuleSet([product], rules, providers={"mail": Capabilities.everything()})


def _crowding(random):
    facts = {
        "offer": random.choice(["Offer 3", 7, *(f"offer {n}" for n in range(60))]),
        "price": random.choice([True, Decimal(random.randrange(2_000)) / 2]),
        "country": random.choice(["BR", "pt", "AR", "?"]),
    }
    return Event(
        "purchase.approved",
        id=str(random.random()),
        product_id="42",
        contact=Contact("ana@example.com"),
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        facts={fact: raw for fact, raw in facts.items() if random.random() < 0.9},
    )


def _decided(rules, events):
    eng = Engine(rules)
    return [(eng.plan(event), eng.match(event)) for event in events]


@pytest.fixture(scope="module")
def world():
    """Rule sets with their events, and what an engine as it is decides."""
    random = Random(20)
    pairs = []
    for size in (12, 60, 400, 1_500):
        rules = random_rules(random, size=size)
        pairs.append((rules, [random_event(random, rules) for _ in range(60)]))
    pairs.append((_crowded(), [_crowding(random) for _ in range(60)]))
    return [(rules, events, _decided(rules, events)) for rules, events in pairs]


@pytest.mark.parametrize("name", SETTINGS)
def test_equal_plans(name, world, monkeypatch):
    """The plans do not depend on how the rules are found."""
    for module, constant, value in SETTINGS[name]:
        monkeypatch.setattr(module, constant, value)

    for rules, events, decided in world:
        assert decided == _decided(rules, events)


def test_the_world_says_something(world):
    """Most kinds of outcome occur in it, so that a difference would show."""
    plans = [plan for _, _, found in world for plan, _ in found]
    actions = sum(len(plan.actions) for plan in plans)

    assert (True, True, True) == (
        actions > 500,
        sum(1 for plan in plans if plan.conflicts) > 20,
        len({plan.idle for plan in plans}) > 3,
    )


def test_the_crowd_is_found_in_every_way(monkeypatch):
    """By masks of narrow facts and of wide ones, by places, in bins of one cell and of many."""
    seen: set[str] = set()

    def spy(self, *args):
        seen.update(
            name for name in ("_wide", "_ranges", "_asked", "_always") if getattr(self, name)
        )
        collect(self, *args)

    collect = bitmap.Masks.collect
    monkeypatch.setattr(bitmap.Masks, "collect", spy)
    rules = _crowded()
    eng = Engine(rules)
    random = Random(1)
    plans = list(eng.plan_many(_crowding(random) for _ in range(60)))
    found = eng._bucket(_crowding(random))

    assert {"_wide", "_ranges", "_asked", "_always"} == seen
    assert isinstance(found, bucket.ManyRules)
    assert {1, index.FINEST_BIN} == {size for _, _, size, _ in found.index._tables}
    assert (False, False) == (found.may_conflict, any(plan.conflicts for plan in plans))
