"""Measure listboss alone: build, change, memory, growth and dense results, and replays of events.

`python -m bench.own SECTION` prints one JSON object per figure. `python -m bench` runs each
section in a separate process and shows the figures as a second table. The garbage collector
is on unless a line says otherwise.
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
from time import perf_counter, process_time
from typing import Any, ParamSpec, TypeAlias, TypeVar

import attrs

from bench import listboss_adapter as adapter
from bench.cell import paired_rounds
from bench.listboss_event import event
from bench.workload import SHAPES, Action, Rule, WorkEvent, Workload, workload
from listboss import AddTag, Condition, Engine, Event, RuleSet, where
from listboss.analysis import backtest

__all__ = ["SECTIONS", "main"]

P = ParamSpec("P")
T = TypeVar("T")
Line: TypeAlias = dict[str, Any]
SIZE = 100_000
PRODUCT, EVENT_NAME = "p0", "purchase.approved"
DOUBLING_START, DOUBLINGS = 10_000, 3
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


def _seconds(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[float, T]:
    started = perf_counter()
    result = work(*args, **kwargs)
    return perf_counter() - started, result


def _reviewed(rules: RuleSet) -> RuleSet:
    """Run the review before any time is measured, and check that every rule may run."""
    assert not any(finding.severity == "error" for finding in rules.findings)
    return rules


def _match_us(engine: Engine, events: Sequence[Event], rounds: int = 5) -> float:
    """Return the mean time per event in µs: the median over the rounds."""

    def once() -> None:
        for each in events:
            engine.match(each)

    once()
    return statistics.median(_seconds(once)[0] for _ in range(rounds)) / len(events) * 1e6


# --- build -----------------------------------------------------------------------------------


def build() -> Iterator[Line]:
    """Compare building (rule set, review, engine, `warm()`) with making the segmentations."""
    for shape in SHAPES:
        work = workload(shape, SIZE, count=1)
        for on in (False, True):
            rounds = [_built(work, collector=on) for _ in range(BUILDS)]
            source_s, engine_s, ratio = (
                statistics.median(part) for part in zip(*rounds, strict=True)
            )
            yield _line(
                f"build {shape} {SIZE:,}, collector {'on' if on else 'off'}",
                f"segmentations {source_s:.2f} s, rule set + review + engine + warm "
                f"{engine_s:.2f} s: {ratio:.2f} x (medians of {BUILDS})",
                segmentations_s=source_s,
                engine_s=engine_s,
                ratio=ratio,
            )


def _built(work: Workload, *, collector: bool) -> tuple[float, float, float]:
    """Time one build, and the making of the segmentations before and after it."""
    with _collector(collector):
        before, source = _seconds(adapter.segmentations, work)
        rule_set_s, rules = _seconds(adapter.rule_set, source)
        engine_s, _engine = _seconds(adapter.engine_of, rules)
        after, _source = _seconds(adapter.segmentations, work)
    source_s = (before + after) / 2
    build_s = rule_set_s + engine_s
    return source_s, build_s, build_s / source_s


# --- change ----------------------------------------------------------------------------------


def change() -> Iterator[Line]:
    """Change one rule with `with_rules`, a thousand times in a row, then compact with `warm()`."""
    for shape in SHAPES:
        work = workload(shape, SIZE, count=200)
        rules = adapter.rule_set(adapter.segmentations(work))
        by_id = {rule.id: adapter.segmentation(rule) for rule in work.rules}
        engine = adapter.engine_of(rules)
        gc.collect()
        gc.freeze()  # as the docs advise for large engines: no full collection hits a change
        events = [event(each) for each in work.events]
        replaced: list[float] = []
        changed: list[float] = []
        for number, rule_id in enumerate(random.Random(1).sample(sorted(by_id), CHANGES)):
            new = attrs.evolve(by_id[rule_id], actions=(AddTag(f"changed {number}"),))
            took, rules = _seconds(rules.replace, new)
            replaced.append(took * 1e3)
            took, engine = _seconds(engine.with_rules, rules)
            changed.append(took * 1e3)
        uncompacted = _match_us(engine, events)
        compacted, _ = _seconds(engine.warm)
        fresh = Engine(rules)
        assert [fresh.plan(each) for each in events] == [engine.plan(each) for each in events]
        yield _line(
            f"one rule changed, {CHANGES:,} in a row, {shape} {SIZE:,}",
            f"with_rules median {statistics.median(changed):.2f} ms, "
            f"maximum {max(changed):.1f} ms; "
            f"replace in the rule set median {statistics.median(replaced):.2f} ms",
            with_rules_ms=statistics.median(changed),
            with_rules_max_ms=max(changed),
            replace_ms=statistics.median(replaced),
        )
        yield _line(
            f"afterwards, {shape} {SIZE:,}",
            f"match {uncompacted:.1f} µs before compaction, "
            f"{_match_us(engine, events):.1f} µs after; "
            f"compaction in warm() {compacted * 1e3:.0f} ms",
            uncompacted_us=uncompacted,
            compaction_ms=compacted * 1e3,
        )


# --- memory ----------------------------------------------------------------------------------


def _traced(rules: RuleSet, events: Sequence[Event]) -> tuple[float, float]:
    """Return the bytes that the engine adds to the rule set: when warm, and after the events."""
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
    """Measure the memory that the engine adds to the rule set."""
    for shape in SHAPES:
        for size in (1_000, 10_000, SIZE):
            work = workload(shape, size, count=EVENTS)
            rules = adapter.rule_set(adapter.segmentations(work))
            events = [event(each) for each in work.events]
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
"""Make the condition of rule `index` in a bucket; an event meets a constant number of them."""


def _bucket(
    condition: Callable[[int], Condition], size: int, count: int
) -> tuple[RuleSet, list[Event]]:
    """Make `size` rules for one product and event, and events that match a few of them."""
    rules = [
        adapter.segmentation(
            Rule(f"r{index}", PRODUCT, EVENT_NAME, (), Action("add", f"tag {index}")),
            condition(index),
        )
        for index in range(size)
    ]
    rule_set = adapter.rule_set((adapter.products((PRODUCT,)), tuple(rules)))
    rng = random.Random(size)

    def facts() -> dict[str, str | int | Decimal]:
        return {
            "offer": f"{rng.choice('ab')}{rng.randrange(size)}",
            "price": _price(2 * rng.randrange(size)),
            "currency": rng.choice(("BRL", "USD")),
        }

    events = [
        event(WorkEvent(f"e{number}", EVENT_NAME, PRODUCT, facts())) for number in range(count)
    ]
    return _reviewed(rule_set), events


def _growth(values: Sequence[float]) -> tuple[float, float]:
    """Return the largest growth per doubling and the geometric mean of all."""
    steps = [after / before for before, after in pairwise(values)]
    return max(steps), statistics.geometric_mean(steps)


def _doublings(what: str, condition: Callable[[int], Condition]) -> Iterator[Line]:
    times: list[float] = []
    builds: list[float] = []
    sizes: list[float] = []
    matches: list[float] = []
    for doubling in range(DOUBLINGS + 1):
        rules, events = _bucket(condition, DOUBLING_START << doubling, EVENTS)
        with _collector(on=False):
            took, engine = _seconds(adapter.engine_of, rules)
        builds.append(took)
        times.append(paired_rounds(engine.match, events, MATCH_SECONDS)["times_json"])
        matches.append(statistics.fmean(len(engine.match(each)) for each in events[:2_000]))
        del engine
        sizes.append(_traced(rules, ())[0])
    span = f"{DOUBLING_START:,} to {DOUBLING_START << DOUBLINGS:,}"
    for name, values, unit in (
        ("match", times, "x json.loads"),
        ("build, collector off", builds, "s"),
        ("memory", [size / 1e6 for size in sizes], "MB"),
    ):
        largest, mean = _growth(values)
        shown = " / ".join(f"{value:.3g}" for value in values)
        yield _line(
            f"{what}, {span} rules in one bucket: {name}",
            f"{shown} {unit}; per doubling at most {largest:.2f} x, mean {mean:.2f} x",
            max=largest,
            mean=mean,
        )
    shown = " / ".join(f"{value:.2f}" for value in matches)
    yield _line(f"{what}: mean matches", shown, mean=matches[-1])


def flatness() -> Iterator[Line]:
    """Measure how time and memory grow when the rules double but the matches do not."""
    yield from _doublings("distinct offers", _offers)
    yield from _doublings("narrow distinct ranges", _ranges)
    yield from _doublings("nested ORs of distinct values", _nested)


# --- dense -----------------------------------------------------------------------------------


def _alternating(index: int) -> Condition:
    return where.currency == ("BRL" if index % 2 else "USD")


def dense() -> Iterator[Line]:
    """Match events that meet half of all rules: the cost is linear in the number of matches."""
    for size in (50_000, 100_000, 200_000):
        rules, events = _bucket(_alternating, size, 20)
        engine = adapter.engine_of(rules)
        assert all(len(engine.match(each)) == size // 2 for each in events)
        took = _match_us(engine, events)
        yield _line(
            f"{size // 2:,} of {size:,} rules match",
            f"match {took / 1e3:.2f} ms, {took * 2e3 / size:.0f} ns per match",
            match_ms=took / 1e3,
            ns_per_match=took * 2e3 / size,
        )


# --- replay ----------------------------------------------------------------------------------


class _Repeated:
    """Events over and over, so that there are many without the cost of making them."""

    def __init__(self, events: Sequence[Event], times: int) -> None:
        self._events, self._times = events, times

    def __iter__(self) -> Iterator[Event]:
        for _ in range(self._times):
            yield from self._events


def _planned(engine: Engine, events: _Repeated) -> int:
    return sum(1 for _ in engine.plan_many(events))


def _processor_seconds(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[float, T]:
    """Measure long work without the time of other processes."""
    started = process_time()
    result = work(*args, **kwargs)
    return process_time() - started, result


def replay() -> Iterator[Line]:
    """Backtest a million events by 1,000 rules of which one changed, against planning them."""
    for shape in SHAPES:
        work = workload(shape, 1_000)
        before = adapter.rule_set(adapter.segmentations(work))
        events = _Repeated([event(each) for each in work.events], 1_000_000 // EVENTS)
        rule = before.segmentations[0]
        after = before.replace(attrs.evolve(rule, actions=AddTag("changed")))
        engines = [adapter.engine_of(rules) for rules in (before, after)]
        plans = sum(_processor_seconds(_planned, engine, events)[0] for engine in engines)
        took, report = _processor_seconds(backtest, before, after, events)
        yield _line(
            f"{shape}: backtest of {report.events:,} events, {report.changed} contacts changed",
            f"{took:.1f} s, {plans / took:.1f} x as fast as planning for both",
            seconds=took,
            ratio=plans / took,
        )


SECTIONS: Mapping[str, Callable[[], Iterator[Line]]] = {
    section.__name__: section for section in (build, change, memory, flatness, dense, replay)
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
