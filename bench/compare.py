"""`python -m bench.compare OLD NEW`: is one revision of listboss faster than another?

A pair of worker processes (`bench.timed`), one for each revision, builds the same rules once.
Then the workers take turns, so a machine that slows down slows down both. A round times the
same events in both, one right after the other, and the order changes with every round.
Both sides run the workload and the adapter of this checkout, so these use only the public
API of listboss, and the modules inside a revision may have any names.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.workload import EVENT_COUNT, SHAPES

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
WORKING_TREE = "."
FIGURES = ("plan", "match")
SIZES = (10, 1_000, 100_000)
PAIRS = 5
ROUNDS = 25
SECONDS = 0.05
HEAD = ("shape", "N", "figure", "old µs", "new µs", "new / old", "by pair", "results")


def _git(*arguments: str) -> bytes:
    return subprocess.run(("git", *arguments), cwd=ROOT, check=True, capture_output=True).stdout


def _commit(revision: str) -> str:
    """Give the short hash of a revision, or end with a message if there is none."""
    try:
        name = f"{revision}^{{commit}}"
        return _git("rev-parse", "--short", "--verify", "--quiet", name).decode().strip()
    except subprocess.CalledProcessError:
        raise SystemExit(f"bench.compare: unknown revision `{revision}`") from None


def _default_old() -> str:
    """Give where this branch left `main`; on `main` itself, HEAD or the commit before it.

    HEAD is compared if the working tree has changes of its own.
    """
    base = subprocess.run(
        ("git", "merge-base", "main", "HEAD"), cwd=ROOT, check=False, capture_output=True
    )
    found = base.stdout.decode().strip()
    if found and found != _git("rev-parse", "HEAD").decode().strip():
        return found
    return "HEAD" if _git("status", "--porcelain", "--", "src") else "HEAD~1"


@dataclass(frozen=True, slots=True)
class Revision:
    """One side of the comparison: what to call it, and the folder that has `listboss`."""

    label: str
    source: Path


def _revision(name: str, folder: Path) -> Revision:
    """Unpack the package of a revision into `folder`; `.` is the working tree as it is.

    An archive and not a work tree of git: an interrupted run leaves nothing behind in `.git`.
    """
    if name == WORKING_TREE:
        return Revision("working tree", ROOT / "src")
    commit = _commit(name)
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, "src"))) as archive:
        archive.extractall(folder, filter="data")
    return Revision(f"{name} ({commit})" if name != commit else name, folder / "src")


class Worker:
    """A process with the rules of one cell, built with one revision; it answers in JSON."""

    def __init__(self, revision: Revision, shape: str, size: int, events: int) -> None:
        paths = [str(revision.source), str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONHASHSEED": "0",
        }
        self._label = revision.label
        self._process = subprocess.Popen(
            (
                *(sys.executable, "-m", "bench.timed"),
                *(str(revision.source), shape, str(size), str(events)),
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=revision.source,  # `-m` looks into the current folder first
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def receive(self) -> dict[str, Any]:
        """Wait for the next answer; a worker that ended has printed why."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"bench.compare: the worker for {self._label} ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def round(self, figure: str, start: int, count: int) -> float:
        """Time `count` events from the cycle of events, in µs per event."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it ended: there is no answer to receive either
            self._process.stdin.write(f"{figure} {start} {count}\n")
            self._process.stdin.flush()
        return float(self.receive()["us"])


@dataclass(slots=True)
class Cell:
    """One figure at one shape and size: its rounds, and the median ratio of each pair."""

    shape: str
    size: int
    figure: str
    equal: bool = True
    old: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def take(self, old: Sequence[float], new: Sequence[float]) -> None:
        """Take the rounds of one pair of workers."""
        self.old += old
        self.new += new
        rounds = zip(old, new, strict=True)
        self.ratios.append(statistics.median(after / before for before, after in rounds))

    def row(self) -> list[str]:
        """Give the medians, the ratio, and how far the pairs of workers disagree on it."""
        return [
            self.shape,
            f"{self.size:,}",
            self.figure,
            f"{statistics.median(self.old):.3g}",
            f"{statistics.median(self.new):.3g}",
            f"{statistics.median(self.ratios):.3f}",
            f"{min(self.ratios):.3f} to {max(self.ratios):.3f}",
            "same" if self.equal else "differ",
        ]


def _rounds(
    figure: str, old: Worker, new: Worker, options: argparse.Namespace
) -> tuple[list[float], list[float]]:
    """Time one figure by turns; the old revision decides how many events make a round."""
    first = old.round(figure, 0, 50)
    new.round(figure, 0, 50)
    count = max(1, min(options.events, int(options.seconds * 1e6 / first)))
    before: list[float] = []
    after: list[float] = []
    for number in range(options.rounds):
        start = number * count % options.events
        sides = [(old, before), (new, after)]
        for worker, times in sides if number % 2 == 0 else reversed(sides):
            times.append(worker.round(figure, start, count))
    return before, after


def _cells(
    revisions: Sequence[Revision], shape: str, size: int, options: argparse.Namespace
) -> list[Cell]:
    """Measure one shape and size with several pairs of workers, one pair after the other.

    Where a process puts its objects makes a difference of some percent as long as it lives,
    so one pair alone would show a difference between equal revisions.
    """
    cells = [Cell(shape, size, figure) for figure in options.figures]
    for _ in range(options.pairs):
        with ExitStack() as stack:
            old, new = (
                stack.enter_context(Worker(revision, shape, size, options.events))
                for revision in revisions
            )
            results, others = old.receive(), new.receive()  # both have been building meanwhile
            for cell in cells:
                cell.equal &= results[cell.figure] == others[cell.figure]
                cell.take(*_rounds(cell.figure, old, new, options))
    return cells


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def sizes(text: str) -> list[int]:
    return [int(part.replace("_", "")) for part in text.split(",")]


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _among(known: Sequence[str]) -> Mapping[str, Any]:
    return {"nargs": "+", "choices": known, "default": list(known)}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare",
        description="Compare what planning and matching cost in two revisions of listboss.",
    )
    parser.add_argument("old", nargs="?", help="a revision; default: where this branch left main")
    parser.add_argument(
        "new", nargs="?", default=WORKING_TREE, help="a revision; default: `.`, the working tree"
    )
    parser.add_argument("--shapes", **_among(SHAPES))
    parser.add_argument("--figures", **_among(FIGURES))
    parser.add_argument(
        "--sizes", type=sizes, default=list(SIZES), help="numbers of rules, as in 10,1000"
    )
    parser.add_argument(
        "--pairs", type=positive, default=PAIRS, help="pairs of workers for each size"
    )
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="rounds of a pair")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of a round")
    parser.add_argument("--events", type=positive, default=EVENT_COUNT, help="distinct events")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison and print one Markdown table."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory() as folder:
        old = _revision(options.old or _default_old(), Path(folder, "old"))
        new = _revision(options.new, Path(folder, "new"))
        print(f"old: {old.label}; new: {new.label}\n")
        print(_line(HEAD), _line(["---"] * len(HEAD)), sep="\n", flush=True)
        for shape in options.shapes:
            for size in options.sizes:
                for cell in _cells((old, new), shape, size, options):
                    print(_line(cell.row()), flush=True)
    print(
        f"\nµs of processor time per event: medians of {options.pairs} x {options.rounds} rounds. "
        "new / old compares the rounds of a pair of\nprocesses that take turns; `by pair` is the "
        "range over the pairs. Results that differ: some events match\nother rules or get "
        "actions with other ids."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
