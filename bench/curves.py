"""`python -m bench.curves`: draw the growth curves from the JSON that `python -m bench` wrote.

There is one panel per shape, and both axes are logarithmic: a flat line is a cost that does
not grow with the number of rules.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.peers import PEERS
from bench.workload import SHAPES

__all__ = ["draw", "main"]

TITLES = {"tenants": "tenants: 8 rules per product", "hot": "hot: all rules on one product"}


def _style(peer: str, index: int) -> dict[str, Any]:
    own = peer.startswith("listboss")
    line = "-" if peer == "listboss" or not own else "--" if peer == "listboss plan" else ":"
    return {
        "color": "black" if own else f"C{index % 10}",
        "linewidth": 2.2 if own else 1.2,
        "linestyle": line,
        "marker": "o",
        "markersize": 3,
    }


def _panel(axes: Axes, cells: Sequence[Mapping[str, Any]], title: str, yard: float) -> None:
    """Draw each time as its multiple of the yardstick, scaled by the yardstick's median.

    The speed of the machine, which changes during a run, cancels out.
    """
    measured = [cell for cell in cells if "us" in cell]
    for index, peer in enumerate(PEERS):
        points = [
            (cell["size"], cell["times_json"] * yard) for cell in measured if cell["peer"] == peer
        ]
        if points:
            sizes, times = zip(*sorted(points), strict=True)
            axes.plot(sizes, times, label=peer, **_style(peer, index))
    axes.axhline(yard, color="grey", linewidth=0.8, label="json.loads, 2.5 KB")
    axes.set(xscale="log", yscale="log", title=title, xlabel="rules", ylabel="µs per event")
    axes.grid(visible=True, which="major", alpha=0.3)


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Draw the cells of one run into `path`, whose suffix chooses the format (.svg, .png)."""
    mpl.rcParams["svg.hashsalt"] = "listboss"  # equal results give equal files
    figure = Figure(figsize=(12, 5.5), layout="constrained")
    panels = figure.subplots(1, len(SHAPES), sharey=True)
    yard = statistics.median(cell["json_us"] for cell in result["cells"] if "json_us" in cell)
    for axes, shape in zip(panels, SHAPES, strict=True):
        cells = [cell for cell in result["cells"] if cell["shape"] == shape]
        _panel(axes, cells, TITLES[shape], yard)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    machine = result["machine"]
    figure.suptitle(f"{machine['python']}, {machine['cpu']}", fontsize=9, color="grey")
    metadata = {"Date": None} if path.suffix == ".svg" else {}
    figure.savefig(path, metadata=metadata)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the JSON file and write the picture."""
    parser = argparse.ArgumentParser(prog="python -m bench.curves", description=__doc__)
    parser.add_argument("results", type=Path, nargs="?", default=Path("bench-results.json"))
    parser.add_argument("--to", type=Path, default=Path("bench-curves.svg"))
    options = parser.parse_args(arguments)
    draw(json.loads(options.results.read_text()), options.to)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
