"""One engine shared by eight threads makes the same plans as an engine in one thread."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from random import Random

import pytest

from listboss import Engine, Event, Plan
from listboss.engine import engine as module
from listboss.testing import random_event, random_rules

THREADS, EVENTS = 8, 300
PLANS = {"ci": 4_800, "soak": 400_000}


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Let the interpreter switch threads every microsecond."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def _digest(plans: list[Plan]) -> str:
    text = "\n".join(
        f"{plan.event_id} {plan.idle} {plan.conflicts!r} "
        + " ".join(f"{a.id} {a.because} {dict(a.data)}" for a in plan.actions)
        for plan in plans
    )
    return blake2b(text.encode()).hexdigest()


def _planned(engine: Engine, events: list[Event], rounds: int, seed: int) -> tuple[str, int]:
    """Plan all events `rounds` times, in a shuffled order; return a digest and count changes."""
    order = list(range(len(events)))
    Random(seed).shuffle(order)
    plans = [engine.plan(event) for event in events]
    first = [[action.id for action in plan.actions] for plan in plans]
    changes = 0
    for _ in range(rounds - 1):
        for n in order:
            plans[n] = plan = engine.plan(events[n])
            changes += [action.id for action in plan.actions] != first[n]
    return _digest(plans), changes


@pytest.mark.usefixtures("frequent_switches")
def test_eight_threads(monkeypatch, amount):
    """Threads share cold indexes, and a cache that is emptied every few events."""
    monkeypatch.setattr(module, "MAX_CACHED_BUCKETS", 20)
    random = Random(8)
    rules = random_rules(random, size=600)
    events = [random_event(random, rules) for _ in range(EVENTS)]
    expected = _digest([Engine(rules).plan(event) for event in events])
    shared = Engine(rules)
    rounds = amount(**PLANS) // (THREADS * EVENTS)

    # A tracer, such as the one of coverage, would make each switch a hundred times slower.
    with ThreadPoolExecutor(THREADS, initializer=partial(sys.settrace, None)) as pool:
        found = set(pool.map(lambda seed: _planned(shared, events, rounds, seed), range(THREADS)))

    assert {(expected, 0)} == found
