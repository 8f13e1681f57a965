"""Build one cell with one revision and time a round on request, for `bench.compare`.

Reads lines `FIGURE START COUNT` and answers each with one line of JSON. The events are
cycled: a round takes `COUNT` of them from `START` on.

INVARIANT: `listboss` comes from the folder that the caller names, or nothing is timed.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import listboss
from bench import listboss_adapter as adapter
from bench.listboss_event import event
from bench.workload import Shape, workload
from listboss import Engine, Event

__all__ = ["main"]

COMPARED = 500
"""The first events, whose results the two revisions compare."""


def _digest(results: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256(json.dumps([sorted(each) for each in results]).encode()).hexdigest()


def _results(engine: Engine, events: Sequence[Event]) -> dict[str, str]:
    """Give what both revisions should agree on: the matching rules, and the planned actions."""
    plans = [engine.plan(each) for each in events]
    return {
        "match": _digest([engine.match(each) for each in events]),
        "plan": _digest([[action.id for action in plan.actions] for plan in plans]),
    }


def _say(**values: object) -> None:
    print(json.dumps(values), flush=True)


def _time(work: Callable[[Event], Any], events: Sequence[Event]) -> float:
    """Give the processor time per event in µs: other programs may run beside this one."""
    started = process_time()
    for each in events:
        work(each)
    return (process_time() - started) / len(events) * 1e6


def _engine(shape: Shape, size: int, count: int) -> tuple[Engine, list[Event]]:
    work = workload(shape, size, count=count)
    engine = adapter.engine_of(adapter.rule_set(adapter.segmentations(work)))
    return engine, [event(given) for given in work.events]


def main(arguments: Sequence[str]) -> int:
    """Build the cell, say what it gives, then time rounds until the input ends."""
    source, shape, size, count = arguments
    found = Path(listboss.__file__).resolve().parent
    assert found == (Path(source) / "listboss").resolve(), f"listboss comes from {found}"
    assert shape in {"tenants", "hot"}
    engine, events = _engine(shape, int(size), int(count))  # type: ignore[arg-type]  # a shape
    results = _results(engine, events[:COMPARED])
    figures: dict[str, Callable[[Event], Any]] = {"plan": engine.plan, "match": engine.match}
    for work in figures.values():
        _time(work, events)  # fill the caches, so that every round finds the same state
    gc.collect()
    gc.freeze()  # as the docs advise for large engines; else a full collection hits one round
    _say(**results)
    for line in sys.stdin:
        figure, start, many = line.split()
        chosen = [*events[int(start) :], *events][: int(many)]
        _say(us=_time(figures[figure], chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
