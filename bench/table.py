"""The table of a benchmark: a figure, its median and range, and the bound that it should keep."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

__all__ = ["Line", "at_least", "at_most", "print_lines", "print_title", "seconds"]


class Line(NamedTuple):
    """One row of the table: a figure, the value, and the bound that it should keep."""

    what: str
    value: str
    bound: str
    holds: bool | None


def at_least(what: str, values: Sequence[float], least: float | None, unit: str = "") -> Line:
    median, text = _spread(values)
    if least is None:
        return Line(what, text + unit, "", None)
    return Line(what, text + unit, f"at least {least}", median >= least)


def at_most(what: str, values: Sequence[float], most: float, unit: str = "") -> Line:
    median, text = _spread(values)
    return Line(what, text + unit, f"at most {most}", median <= most)


def _spread(values: Sequence[float]) -> tuple[float, str]:
    median = statistics.median(values)
    return median, f"{median:.2f} ({min(values):.2f} to {max(values):.2f})"


def seconds(work: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    """Return how long some work takes."""
    started = clock()
    work()
    return clock() - started


def print_title() -> None:
    """Print the first two lines of the table."""
    print("| figure | median (range) | wanted | |\n| --- | --- | --- | --- |")


def print_lines(lines: Iterable[Line]) -> int:
    """Print each line as soon as it is measured; return how many bounds were missed."""
    missed = 0
    for line in lines:
        holds = {None: "", True: "yes", False: "**no**"}[line.holds]
        missed += line.holds is False
        print(f"| {line.what} | {line.value} | {line.bound} | {holds} |", flush=True)
    return missed
