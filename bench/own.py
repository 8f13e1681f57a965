"""What listboss is held to alone, at 100,000 rules: build, change, memory, flatness, dense results.

`python -m bench.own SECTION` prints one JSON object per figure; `python -m bench` runs every
section in a process of its own and shows them as a second table. Unless a line says
otherwise the garbage collector is on.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from time import perf_counter
from typing import Any, ParamSpec, TypeAlias, TypeVar

import attrs

from bench import listboss_adapter as adapter
from bench.cell import paired_rounds
from bench.listboss_event import event
from bench.workload import SHAPES, Action, Rule, WorkEvent, Workload, workload
from listboss import AddTag, Condition, Engine, Event, RuleSet, where

__all__ = ["SECTIONS", "main"]

P = ParamSpec("P")
T = TypeVar("T")
Line: TypeAlias = dict[str, Any]
LARGE = 100_000
PRODUCT, NAME = "p0", "purchase.approved"
FIRST_DOUBLING, DOUBLINGS = 10_000, 3
CHANGES = 1_000
BUILDS = 3
MATCH_SECONDS = 3.0
DISTINCT = 50_000
EVENTS = 20_000


def _line(what: str, value: str, **figures: float) -> Line:
    return {"what": what, "value": value, **figures}


@contextmanager
def _collector(on: bool) -> Iterator[None]:
    gc.collect()
    if not on:
        gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _seconds(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> tuple[float, T]:
    started = perf_counter()
    result = work(*given, **named)
    return perf_counter() - started, result


def _reviewed(rules: RuleSet) -> RuleSet:
    """Have the review done before a clock runs, and see that every rule may run."""
    assert not any(finding.severity == "error" for finding in rules.findings)
    return rules


def _match_us(engine: Engine, events: Sequence[Event], rounds: int = 5) -> float:
    """Give the median over rounds of the mean time per event, in µs."""

    def once() -> None:
        for each in events:
            engine.match(each)

    once()
    return statistics.median(_seconds(once)[0] for _ in range(rounds)) / len(events) * 1e6


# --- build -----------------------------------------------------------------------------------


def build() -> Iterator[Line]:
    """Rule set, review, engine and `warm()` beside the making of the `Segmentation` objects."""
    for shape in SHAPES:
        work = workload(shape, LARGE, count=1)
        for on in (False, True):
            rounds = [_built(work, collector=on) for _ in range(BUILDS)]
            made, engined, ratio = (statistics.median(part) for part in zip(*rounds, strict=True))
            yield _line(
                f"build {shape} {LARGE:,}, collector {'on' if on else 'off'}",
                f"segmentations {made:.2f} s, rule set + review + engine + warm {engined:.2f} s: "
                f"{ratio:.2f} x (medians of {BUILDS})",
                segmentations_s=made,
                engine_s=engined,
                ratio=ratio,
            )


def _built(work: Workload, *, collector: bool) -> tuple[float, float, float]:
    """Time one build between two makings of the segmentations."""
    with _collector(collector):
        before, source = _seconds(adapter.segmentations, work)
        reviewed, rules = _seconds(adapter.rule_set, source)
        engined, _engine = _seconds(adapter.engine_of, rules)
        after, _again = _seconds(adapter.segmentations, work)
    made = (before + after) / 2
    return made, reviewed + engined, (reviewed + engined) / made


# --- change ----------------------------------------------------------------------------------


def change() -> Iterator[Line]:
    """`with_rules` with one rule changed, a thousand in a row, then `warm()` to compact."""
    for shape in SHAPES:
        work = workload(shape, LARGE, count=200)
        rules = adapter.rule_set(adapter.segmentations(work))
        by_id = {rule.id: adapter.segmentation(rule) for rule in work.rules}
        engine = adapter.engine_of(rules)
        gc.collect()
        gc.freeze()  # as the docs advise for large engines; else a full collection falls on one
        events = [event(given) for given in work.events]
        replaced: list[float] = []
        changed: list[float] = []
        for number, rule_id in enumerate(random.Random(1).sample(sorted(by_id), CHANGES)):
            new = attrs.evolve(by_id[rule_id], actions=(AddTag(f"changed {number}"),))
            took, rules = _seconds(rules.replace, new)
            replaced.append(took * 1e3)
            took, engine = _seconds(engine.with_rules, rules)
            changed.append(took * 1e3)
        overlaid = _match_us(engine, events)
        compacted, _ = _seconds(engine.warm)
        fresh = Engine(rules)
        assert [fresh.plan(each) for each in events] == [engine.plan(each) for each in events]
        yield _line(
            f"one rule changed, {CHANGES:,} in a row, {shape} {LARGE:,}",
            f"with_rules median {statistics.median(changed):.2f} ms, most {max(changed):.1f} ms; "
            f"replace in the rule set median {statistics.median(replaced):.2f} ms",
            with_rules_ms=statistics.median(changed),
            with_rules_most_ms=max(changed),
            replace_ms=statistics.median(replaced),
        )
        yield _line(
            f"afterwards, {shape} {LARGE:,}",
            f"match {overlaid:.1f} µs before compaction, {_match_us(engine, events):.1f} µs after; "
            f"compaction in warm() {compacted * 1e3:.0f} ms",
            overlaid_us=overlaid,
            compaction_ms=compacted * 1e3,
        )


# --- memory ----------------------------------------------------------------------------------


def _traced(rules: RuleSet, events: Sequence[Event]) -> tuple[float, float]:
    """Give what the engine allocates beyond the rule set, in bytes: warm, and after the events."""
    _reviewed(rules)
    gc.collect()
    tracemalloc.start()
    engine = adapter.engine_of(rules)
    gc.collect()
    warm = tracemalloc.get_traced_memory()[0]
    for each in events:
        engine.match(each)
        engine.plan(each)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return warm, used


def _bytes_line(what: str, size: int, warm: float, used: float) -> Line:
    return _line(
        f"engine memory per rule, {what}",
        f"{warm / size:,.0f} bytes warm, {used / size:,.0f} after {EVENTS:,} events (tracemalloc)",
        warm_bytes=warm / size,
        used_bytes=used / size,
    )


def memory() -> Iterator[Line]:
    """What the engine holds beyond the rule set, also with many offer codes and prices."""
    for shape in SHAPES:
        for size in (1_000, 10_000, LARGE):
            work = workload(shape, size, count=EVENTS)
            rules = adapter.rule_set(adapter.segmentations(work))
            events = [event(given) for given in work.events]
            yield _bytes_line(f"{shape} {size:,}", size, *_traced(rules, events))
    for name in ("offers", "prices"):
        rules, events = _bucket(CONDITIONS[name], DISTINCT, EVENTS)
        what = f"{DISTINCT:,} distinct {name} in one bucket"
        yield _bytes_line(what, DISTINCT, *_traced(rules, events))


# --- flatness --------------------------------------------------------------------------------


def _price(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _offers(index: int) -> Condition:
    return where.offer == f"a{index}"


def _prices(index: int) -> Condition:
    return where.price == _price(2 * index)


def _ranges(index: int) -> Condition:
    return where.price.between(_price(2 * index), _price(2 * index + 5))


def _nested(index: int) -> Condition:
    inner = (where.offer == f"b{index}") | (where.price == _price(2 * index))
    return (where.offer == f"a{index}") | ((where.currency == "BRL") & inner)


CONDITIONS: Mapping[str, Callable[[int], Condition]] = {
    "offers": _offers,
    "prices": _prices,
    "ranges": _ranges,
    "nested": _nested,
}
"""The condition of the rule `index` of one bucket; an event meets a constant number of them."""


def _bucket(
    condition: Callable[[int], Condition], size: int, count: int
) -> tuple[RuleSet, list[Event]]:
    """Make `size` rules on one product and event, and events that meet a few of them."""
    made = [
        adapter.segmentation(
            Rule(f"r{index}", PRODUCT, NAME, (), Action("add", f"tag {index}")), condition(index)
        )
        for index in range(size)
    ]
    rules = adapter.rule_set((adapter.products((PRODUCT,)), tuple(made)))
    rng = random.Random(size)

    def facts() -> dict[str, str | int | Decimal]:
        return {
            "offer": f"{rng.choice('ab')}{rng.randrange(size)}",
            "price": _price(2 * rng.randrange(size)),
            "currency": rng.choice(("BRL", "USD")),
        }

    events = [event(WorkEvent(f"e{number}", NAME, PRODUCT, facts())) for number in range(count)]
    return _reviewed(rules), events


def _growth(values: Sequence[float]) -> tuple[float, float]:
    """Give the greatest growth per doubling and its geometric mean."""
    steps = [after / before for before, after in pairwise(values)]
    return max(steps), statistics.geometric_mean(steps)


def _doublings(what: str, condition: Callable[[int], Condition]) -> Iterator[Line]:
    times: list[float] = []
    builds: list[float] = []
    sizes: list[float] = []
    matches: list[float] = []
    for doubling in range(DOUBLINGS + 1):
        rules, events = _bucket(condition, FIRST_DOUBLING << doubling, EVENTS)
        with _collector(on=False):
            took, engine = _seconds(adapter.engine_of, rules)
        builds.append(took)
        times.append(paired_rounds(engine.match, events, MATCH_SECONDS)["times_json"])
        matches.append(statistics.fmean(len(engine.match(each)) for each in events[:2_000]))
        del engine
        sizes.append(_traced(rules, ())[0])
    span = f"{FIRST_DOUBLING:,} to {FIRST_DOUBLING << DOUBLINGS:,}"
    for name, values, unit in (
        ("match", times, "x json.loads beside it"),
        ("build, collector off", builds, "s"),
        ("memory", [size / 1e6 for size in sizes], "MB"),
    ):
        most, mean = _growth(values)
        shown = " / ".join(f"{value:.3g}" for value in values)
        yield _line(
            f"{what}, {span} rules in one bucket: {name}",
            f"{shown} {unit}; per doubling at most {most:.2f} x, mean {mean:.2f} x",
            most=most,
            mean=mean,
        )
    shown = " / ".join(f"{value:.2f}" for value in matches)
    yield _line(f"{what}: mean matches", shown, mean=matches[-1])


def flatness() -> Iterator[Line]:
    """Match time, build time and memory over three doublings while the number of matches stays."""
    yield from _doublings("distinct offers", _offers)
    yield from _doublings("narrow distinct ranges", _ranges)
    yield from _doublings("nested ORs of distinct values", _nested)


# --- dense -----------------------------------------------------------------------------------


def _alternating(index: int) -> Condition:
    return where.currency == ("BRL" if index % 2 else "USD")


def dense() -> Iterator[Line]:
    """Half of all rules match every event: reading out is linear in the matches."""
    for size in (50_000, 100_000, 200_000):
        rules, events = _bucket(_alternating, size, 20)
        engine = adapter.engine_of(rules)
        assert all(len(engine.match(each)) == size // 2 for each in events)
        took = _match_us(engine, events)
        yield _line(
            f"{size // 2:,} of {size:,} rules match",
            f"match {took / 1e3:.2f} ms, {took * 2e3 / size:.0f} ns a match",
            match_ms=took / 1e3,
            ns_per_match=took * 2e3 / size,
        )


SECTIONS: Mapping[str, Callable[[], Iterator[Line]]] = {
    section.__name__: section for section in (build, change, memory, flatness, dense)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one section."""
    parser = argparse.ArgumentParser(prog="bench.own")
    parser.add_argument("section", choices=list(SECTIONS))
    for line in SECTIONS[parser.parse_args(arguments).section]():
        print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
