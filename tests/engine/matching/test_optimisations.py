"""No optimisation changes a plan: with each of them switched off, plans and matches are equal."""

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
    Plan,
    PlannedAction,
    Product,
    RuleSet,
    Segmentation,
    where,
)
from listboss.engine import engine
from listboss.engine.matching import bitmap, bucket, encoder, index, normal_form, router, scan
from listboss.engine.planning import binding
from listboss.plan import NO_CONTEXT
from listboss.rules import _literal, segmentation
from listboss.rules._facts import ORDERED_KINDS
from listboss.testing import random_event, random_rules

NEVER, ALWAYS = 10**9, 0


def _plain_bind(event, contact, actions, conflicts=(), context=NO_CONTEXT):
    """Bind without changing a class, and without sharing anything between actions."""
    planned = [
        PlannedAction(
            provider=each.provider,
            email=contact.email,
            action=each.action,
            data=binding.data_of(event, contact, [*each.send]),
            because=each.because,
            automatic=each.automatic,
            id=f"{segmentation.digest((event.id, each.provider, contact.key))}-{each.digest}",
        )
        for each in actions
    ]
    return _plain_plan(event, tuple(planned), conflicts, None, context)


def _plain_plan(event, actions, conflicts, idle, context):
    return Plan(
        event_id=event.id,
        event_name=event.name,
        product_id=event.product_id,
        occurred_at=event.occurred_at,
        is_test=event.is_test,
        actions=actions,
        conflicts=conflicts,
        idle=idle,
        context=context,
    )


SETTINGS: dict[str, list[tuple[Any, str, Any]]] = {
    "every rule scanned": [
        (index, "MAX_SCANNED", NEVER),
        (bucket, "MAX_SCAN_BUCKET", NEVER),
        (bucket, "MAX_EVALUATED", NEVER),
        (scan, "MAX_SCANNED", NEVER),
    ],
    "every rule scanned, or posted": [
        (bucket, "MAX_SCAN_BUCKET", NEVER),
        (bucket, "MAX_EVALUATED", NEVER),
    ],
    "posting lists wherever possible": [
        (scan, "MIN_POSTED", 1),
        (scan, "MAX_SCANNED", ALWAYS),
    ],
    "no rule scanned": [
        (index, "MAX_SCANNED", ALWAYS),
        (bucket, "MAX_SCAN_BUCKET", ALWAYS),
        (index, "MAX_SCANNED_IN_LEAF", ALWAYS),
    ],
    "no bins": [(index, "MIN_POSTED", NEVER)],
    "bins wherever possible": [(index, "MIN_POSTED", 1), (index, "MIN_BINS", 1)],
    "small bins": [(index, "FINEST_BIN", 2), (index, "MIN_POSTED", 1)],
    "no shared rows": [(encoder, "MAX_SHARED_CELLS", ALWAYS)],
    "every fact with shared rows": [(encoder, "MAX_SHARED_CELLS", NEVER)],
    "no machine words": [(bitmap, "WORD_BITS", ALWAYS), (index, "WORD_BITS", ALWAYS)],
    "only large words": [(bitmap, "_word_code", lambda _size: "Q")],
    "one whole bitmap for each fact of many cells": [
        (bitmap, "MAX_BITMAPS", 1),
        (encoder, "MAX_SHARED_CELLS", ALWAYS),
    ],
    "bits byte by byte": [(bitmap, "MAX_POPPED_BITS", -1), (bitmap, "MIN_DENSITY", ALWAYS)],
    "all bits at once": [(bitmap, "MAX_POPPED_BITS", -1), (bitmap, "MIN_DENSITY", NEVER)],
    "bits one by one": [(bitmap, "MAX_POPPED_BITS", NEVER)],
    "no cells compared in leaves": [(bitmap, "COMPARE_CELLS", False)],
    "one index for all plans": [(router, "MAX_PAIRS", -1), (router, "MAX_COPIES", ALWAYS)],
    "no spelling cached": [(encoder, "MAX_CACHED_SPELLINGS", ALWAYS)],
    "every spelling too long": [(encoder, "MAX_CACHED_LENGTH", -1)],
    "every number bisected": [(encoder, "BISECTED_KINDS", ORDERED_KINDS)],
    "no string shared": [(_literal, "SHARED_KINDS", frozenset())],
    "one conjunction for each rule": [
        (normal_form, "MAX_CONJUNCTIONS", 1),
        (normal_form, "MAX_OF_LOSSY_AND", 1),
        (bucket, "MAX_NODES", 1),
    ],
    "every recheck together": [(bucket, "MAX_ALONE", -1), (bucket, "MAX_SCAN_BUCKET", ALWAYS)],
    "every recheck alone": [(bucket, "MAX_ALONE", NEVER)],
    "every list bisected": [(_literal, "MAX_SCANNED_VALUES", 0)],
    "every plan searched for conflicts": [
        (bucket, "may_conflict", lambda _actions: True),
        (scan, "may_conflict", lambda _actions: True),
    ],
    "no size formatted beforehand": [(segmentation, "_SIZES", ())],
    "default fields like others": [(binding, "DEFAULT_SEND", None)],
    "no bucket cached": [(engine, "MAX_CACHED_BUCKETS", ALWAYS)],
    "values filled by their own classes": [
        (engine, "bind", _plain_bind),
        (engine, "make_plan", _plain_plan),
    ],
    "large products on their first event": [(engine, "MAX_LAZY_RULES", NEVER)],
}


def _large_bucket():
    """Make rules of one product and event, in bins and in none, that never conflict."""
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


def _large_bucket_event(random):
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
    """Make rule sets with events, and what an engine with all optimisations decides."""
    random = Random(20)
    pairs = []
    for size in (12, 60, 400, 1_500):
        rules = random_rules(random, size=size)
        pairs.append((rules, [random_event(random, rules) for _ in range(60)]))
    pairs.append((_large_bucket(), [_large_bucket_event(random) for _ in range(60)]))
    return [(rules, events, _decided(rules, events)) for rules, events in pairs]


@pytest.mark.parametrize("name", SETTINGS)
def test_equal_plans(name, world, monkeypatch):
    """Plans do not depend on how the rules are found."""
    for module, constant, value in SETTINGS[name]:
        monkeypatch.setattr(module, constant, value)

    for rules, events, decided in world:
        assert decided == _decided(rules, events)


def test_the_world_has_most_kinds_of_outcome(world):
    """Most kinds of outcome occur in it, so that a difference would be noticed."""
    plans = [plan for _, _, found in world for plan, _ in found]
    actions = sum(len(plan.actions) for plan in plans)

    assert (True, True, True) == (
        actions > 500,
        sum(1 for plan in plans if plan.conflicts) > 20,
        len({plan.idle for plan in plans}) > 3,
    )


def test_the_large_bucket_is_matched_in_every_way(monkeypatch):
    """It uses bitmaps of few and of many cells, single tests, and bins of one and of many cells."""
    seen: set[str] = set()

    def spy(self, *args):
        seen.update(
            name for name in ("_wide", "_ranges", "_tested", "_always") if getattr(self, name)
        )
        collect(self, *args)

    collect = bitmap.BitmapIndex.collect
    monkeypatch.setattr(bitmap.BitmapIndex, "collect", spy)
    rules = _large_bucket()
    eng = Engine(rules)
    random = Random(1)
    plans = list(eng.plan_many(_large_bucket_event(random) for _ in range(60)))
    found = eng._bucket(_large_bucket_event(random))

    assert {"_wide", "_ranges", "_tested", "_always"} == seen
    assert isinstance(found, bucket.IndexedBucket)
    assert {1, index.FINEST_BIN} == {size for _, _, size, _ in found.index._tables}
    assert (False, False) == (found.may_conflict, any(plan.conflicts for plan in plans))
