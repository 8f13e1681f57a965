"""`python -m bench`: measure every engine, print one Markdown table, keep the figures as JSON.

Cells run one after the other, each in a separate process (`bench.cell`). An engine that
fails at one size is not measured at larger sizes of that shape. A second table shows what
`bench.own` measures for listboss alone.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.peers import PEERS
from bench.webhook import BODY
from bench.workload import EVENT_COUNT, SHAPES, SIZES, Shape, workload

__all__ = ["main", "table"]

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "zen-engine",
    "clipspy",
    "durable-rules",
    "datalogic-py",
    "common-expression-language",
    "business-rules",
    "rule-engine",
)
OWN = ("build", "change", "memory", "flatness", "dense", "replay")  # the sections of bench.own
HEAD = (
    "shape", "N", "engine", "µs per event", "x listboss", "x json.loads", "build s", "build MB",
    "mean result", "events",
)  # fmt: skip


def _environment() -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONHASHSEED": "0"}


def _failure(stages: Mapping[str, Any], process: subprocess.CompletedProcess[str]) -> str:
    """Return a short reason why a cell has no time."""
    if "slow" in stages:
        return "event over limit"
    if process.returncode == -signal.SIGALRM:
        return "event over limit" if "built" in stages else "build over limit"
    if process.returncode < 0:
        return f"ended by signal {-process.returncode}"
    lines = process.stderr.strip().splitlines()
    return f"error: {lines[-1][:90]}" if lines else "no result"


def _cell(peer: str, path: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.cell", "--peer", peer, "--workload", str(path)]
    command += ["--seconds", str(options.seconds), "--events", options.events]
    process = subprocess.run(
        command, capture_output=True, text=True, env=_environment(), cwd=ROOT, check=False
    )
    stages = {}
    for line in process.stdout.splitlines():
        if line.startswith('{"stage"'):
            stage = json.loads(line)
            stages[stage.pop("stage")] = stage
    result: dict[str, Any] = {**stages.get("built", {}), **stages.get("done", {})}
    if "done" not in stages:
        result["failed"] = _failure(stages, process)
    return result


def _cells(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    for shape in options.shapes:
        failed: set[str] = set()
        for size in options.sizes:
            path = folder / f"{shape}-{size}.pickle"
            path.write_bytes(pickle.dumps(workload(shape, size), pickle.HIGHEST_PROTOCOL))
            for peer in options.peers:
                if peer in failed:
                    continue
                result = _cell(peer, path, options)
                cell = {"shape": shape, "size": size, "peer": peer, **result}
                if "failed" in cell:
                    failed.add(peer)
                outcome = cell.get("failed") or f"{cell['us']:.2f} µs"
                print(f"{shape} {size} {peer}: {outcome}", file=sys.stderr, flush=True)
                yield cell
            path.unlink()


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def _row(cell: Mapping[str, Any], own_ratio: float | None) -> list[str]:
    head = [cell["shape"], f"{cell['size']:,}", cell["peer"]]
    build = [_number(cell.get("build_s"), 2), _number(cell.get("build_mb"), 2)]
    if "failed" in cell:
        return [*head, cell["failed"], "–", "–", *build, "–", "–"]
    times = cell["times_json"]
    ratio = times / own_ratio if own_ratio else None
    cost = [_number(cell["us"]), _number(ratio, 2), _number(times, 2)]
    return [*head, *cost, *build, _number(cell["mean_size"], 2), f"{cell['events']:,}"]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _yard_row(
    shape: Shape, size: int, cells: Sequence[Mapping[str, Any]], own_ratio: float | None
) -> list[str]:
    yards = sorted(cell["json_us"] for cell in cells if "json_us" in cell)
    yard = yards[len(yards) // 2] if yards else None
    ratio = 1 / own_ratio if own_ratio else None
    return [shape, f"{size:,}", "json.loads", _number(yard), _number(ratio, 2), "1", *"––––"]


def table(cells: Sequence[Mapping[str, Any]]) -> str:
    """Return the cells as a Markdown table.

    Ratios compare multiples of `json.loads`, which is timed in the process of each engine.
    """
    rows: list[list[str]] = []
    for shape, size in dict.fromkeys((cell["shape"], cell["size"]) for cell in cells):
        group = [cell for cell in cells if (cell["shape"], cell["size"]) == (shape, size)]
        own_ratio = next(
            (cell["times_json"] for cell in group if cell["peer"] == "listboss" and "us" in cell),
            None,
        )
        rows.append(_yard_row(shape, size, group, own_ratio))
        rows += [_row(cell, own_ratio) for cell in group]
    return _markdown(HEAD, rows)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or 'unknown CPU'}, {os.cpu_count()} cores"


def _machine() -> dict[str, str]:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return {"python": python, "cpu": _cpu(), "system": platform.system(), "peers": versions}


def _notes(machine: Mapping[str, str], options: argparse.Namespace) -> str:
    read = {
        "listboss": "listboss, closures and the hand-written program read the same Event objects",
        "neutral": "listboss reads Event objects; closures and the hand-written program dicts",
    }[options.events]
    return f"""\
{machine["python"]}, {machine["cpu"]}, {machine["system"]}; {machine["peers"]}.

- *µs per event* is the median of the rounds, with the garbage collector on. Each round runs
  between two rounds of `json.loads` of a {len(BODY):,} byte webhook. Engines match
  {EVENT_COUNT:,} distinct events in a cycle; *events* is the number of them that were reached
  in {options.seconds:g} s per cell.
- *x listboss* compares multiples of `json.loads`, which is timed in the process of each engine.
- *build s* is the time from translated rules to a ready engine; *build MB* is the growth of
  the resident memory in that time.
- An engine is not measured at larger sizes after it failed, built for more than 60 s or took
  more than 2 s for an event.
- In every cell, matches equal the expected ones on events of which half were made to match.
  *mean result* counts matches, or the actions of a plan.
- {read}; the other engines read a flat dict."""


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    parser.add_argument(
        "--own", nargs="*", choices=OWN, default=[], help="sections of bench.own; default: all"
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="time budget for the rounds of a cell"
    )
    parser.add_argument("--events", choices=("listboss", "neutral"), default="listboss")
    parser.add_argument(
        "--quick", action="store_true", help="up to 1,000 rules, 1 s per cell, one table"
    )
    parser.add_argument("--json", type=Path, default=Path("bench-results.json"))
    options = parser.parse_args(arguments)
    if options.quick:
        options.sizes = [size for size in options.sizes if size <= 1_000]
        options.seconds = min(options.seconds, 1.0)
    options.own = [] if options.quick else options.own or list(OWN)
    return options


def _own(name: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.own", name]
    process = subprocess.run(
        command, capture_output=True, text=True, env=_environment(), cwd=ROOT, check=False
    )
    if process.returncode:
        lines = process.stderr.strip().splitlines() or ["no result"]
        return [{"section": name, "what": "failed", "value": lines[-1][:120]}]
    print(f"own {name}: done", file=sys.stderr, flush=True)
    return [{"section": name, **json.loads(line)} for line in process.stdout.splitlines()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 if an engine's matches differ from the expected ones."""
    options = _parse(arguments)
    machine = _machine()
    with tempfile.TemporaryDirectory() as folder:
        cells = list(_cells(options, Path(folder)))
    own_rows = [row for name in options.own for row in _own(name)]
    result = {"machine": machine, "seconds": options.seconds, "cells": cells, "own": own_rows}
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(table(cells))
    if own_rows:
        rows = [[row["section"], row["what"], str(row["value"])] for row in own_rows]
        print("\n" + _markdown(("listboss alone", "what", "measured"), rows))
    print("\n" + _notes(machine, options))
    return int(any("AssertionError" in cell.get("failed", "") for cell in cells))
