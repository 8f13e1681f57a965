"""Measure one engine on one workload, in a separate process, for `bench.run`.

An alarm of the operating system ends the process when a build or an event takes too long,
even inside C code. One JSON object is printed per stage, so the parent still learns how far
the process got.

INVARIANT: no time is printed for an engine whose matches differ from the expected ones.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pickle
import signal
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.peers import Match, Peer, load
from bench.webhook import BODY
from bench.workload import WorkEvent, Workload, expected, sample

__all__ = ["agree", "main", "paired_rounds", "resident_mb", "yardstick"]

ROUNDS = 9
SAMPLE = 40
SIZED_EVENTS = 2_000
YARDSTICK_LOADS = 400


def resident_mb() -> float:
    """Return the resident memory of this process in MB (NaN on systems other than Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def yardstick() -> float:
    """Time `json.loads` of the webhook, in µs."""
    started = perf_counter()
    for _ in range(YARDSTICK_LOADS):
        json.loads(BODY)
    return (perf_counter() - started) / YARDSTICK_LOADS * 1e6


def _time(match: Match, events: Sequence[Any]) -> float:
    started = perf_counter()
    for event in events:
        match(event)
    return (perf_counter() - started) / len(events) * 1e6


def paired_rounds(
    match: Match, events: Sequence[Any], seconds: float, rounds: int = ROUNDS
) -> dict[str, float]:
    """Time rounds of events, each between two rounds of the yardstick.

    A round covers every event if the time budget allows, otherwise as many as fit. The next
    round continues in the cycle of events where the last one stopped.
    """
    first = _time(match, events[:3])
    first = min(first, _time(match, events[:3]))
    size = max(1, min(len(events), int(seconds * 1e6 / rounds / first)))
    times: list[float] = []
    ratios: list[float] = []
    yards: list[float] = []
    for number in range(rounds):
        start = number * size % len(events)
        part = [*events[start : start + size], *events[: max(0, start + size - len(events))]]
        before = yardstick()
        time = _time(match, part)
        after = yardstick()
        yard = (before + after) / 2
        times.append(time)
        yards.append(yard)
        ratios.append(time / yard)
    return {
        "us": statistics.median(times),
        "json_us": statistics.median(yards),
        "times_json": statistics.median(ratios),
        "events": min(len(events), size * rounds),
        "rounds": rounds,
    }


def agree(
    peer: Peer, match: Match, work: Workload, native: Callable[[WorkEvent], Any], seconds: float
) -> dict[str, float]:
    """Compare an engine's matches with the expected ones; half of the events match a rule.

    Raises `AssertionError` if they differ, before any time is measured.
    """
    buckets: dict[tuple[str, str], list[Any]] = {}
    for rule in work.rules:
        buckets.setdefault((rule.product_id, rule.event), []).append(rule)
    checked = matched = 0
    deadline = perf_counter() + seconds
    for event in sample(work, SAMPLE):
        wanted = expected(buckets.get((event.product_id, event.name), []), event)
        found = peer.ids(match(native(event)))
        if found != wanted:
            missed, added = sorted(wanted - found)[:5], sorted(found - wanted)[:5]
            raise AssertionError(f"{event.id}: missed {missed}, added {added}")
        checked += 1
        matched += bool(wanted)
        if perf_counter() > deadline and checked >= 2:
            break
    return {"checked": checked, "checked_with_matches": matched}


def _say(stage: str, **values: object) -> None:
    print(json.dumps({"stage": stage, **values}), flush=True)


def _limit(seconds: float) -> None:
    """Have the operating system end this process after `seconds`; 0 removes the limit."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _measure(peer: Peer, work: Workload, options: argparse.Namespace) -> None:
    native: Callable[[WorkEvent], Any] = peer.event
    if options.events == "neutral" and peer.reads == "Event":
        native = _unchanged
    source = peer.source(work)
    events = [native(event) for event in work.events]
    gc.collect()
    before = resident_mb()
    _say("ready", events=len(events))

    _limit(options.build_limit)
    started = perf_counter()
    match = peer.build(source)
    build_s = perf_counter() - started
    _limit(0)
    gc.collect()
    _say("built", build_s=build_s, build_mb=resident_mb() - before)

    _limit(options.event_limit + 1)
    started = perf_counter()
    match(events[0])
    match(events[1])
    _limit(0)
    if (perf_counter() - started) / 2 > options.event_limit:
        _say("slow")
        return
    agreement = agree(peer, match, work, native, options.seconds)
    _say(
        "done",
        mean_size=_mean_size(peer, match, events, options.seconds),
        **agreement,
        **paired_rounds(match, events, options.seconds),
    )


def _mean_size(peer: Peer, match: Match, events: Sequence[Any], seconds: float) -> float:
    """Return the mean size of a result over the first events that fit into the time budget."""
    deadline = perf_counter() + seconds
    sizes: list[int] = []
    for event in events[:SIZED_EVENTS]:
        sizes.append(peer.size(match(event)))
        if perf_counter() > deadline:
            break
    return statistics.fmean(sizes)


def _unchanged(event: WorkEvent) -> WorkEvent:
    return event


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one cell."""
    parser = argparse.ArgumentParser(prog="bench.cell")
    parser.add_argument("--peer", required=True)
    parser.add_argument("--workload", required=True, type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--events", choices=("listboss", "neutral"), default="listboss")
    parser.add_argument("--build-limit", type=float, default=60.0)
    parser.add_argument("--event-limit", type=float, default=2.0)
    options = parser.parse_args(arguments)
    with options.workload.open("rb") as file:
        work = pickle.load(file)  # written by bench.run a moment ago
    assert isinstance(work, Workload)
    _measure(load(options.peer), work, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
