"""`python -m bench.scale`: planning by column next to `plan_many`, and what engines reach with it.

The events are those of the workload (1,000 rules, 20,000 events), repeated with other ids. The
kernel is measured next to `plan_many` on ready events, round by round, in processor time; its
parts follow. DuckDB, Polars and Spark read the same events from Parquet, in seconds of the clock,
Spark next to two processes that run the kernel alone. The last column is peak memory: of this
process, of the larger one of two, or of Spark's JVM and of its largest Python worker. Name sections
to run only these: `python -m bench.scale kernel spark --rows 1000000`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.listboss_adapter import engine_of, rule_set, segmentations
from bench.listboss_event import event
from bench.workload import workload
from listboss import Event, RuleSet
from listboss.codec import dump_rules, load_rules
from listboss.engine import Engine
from listboss.scale import events_to_batch, plan_batch
from listboss.scale._events import EventRows

__all__ = ["main"]

BATCH = 20_000
ROUNDS = 7


def _world() -> tuple[RuleSet, list[Event]]:
    work = workload("tenants", 1_000)
    events = [event(each) for each in work.events]
    # Decimals as a column has them, and no fact that no column has.
    return rule_set(segmentations(work)), events


def _write(folder: Path, rules: RuleSet, events: list[Event], rows: int) -> None:
    """Write rows as Parquet, in eight files of a folder of their own."""
    folder.mkdir()
    size = -(-rows // 8)
    batch = events_to_batch(events, rules)
    at = batch.schema.get_field_index("event_id")
    for file, first in enumerate(range(0, rows, size)):
        with pq.ParquetWriter(folder / f"{file:03}.parquet", batch.schema) as writer:
            for start in range(first, min(rows, first + size), len(events)):
                some = batch.slice(0, min(rows, first + size) - start)
                ids = pa.array([f"{start + n}" for n in range(some.num_rows)])
                writer.write_batch(some.set_column(at, some.schema.field(at), ids))


def _spent(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def kernel() -> None:
    """Measure `plan_many` and `plan_batch` in turns."""
    rules, events = _world()
    engine = engine_of(rules)
    batch = events_to_batch(events, rules)
    plans = plan_batch(engine, batch)
    actions = plans.num_rows - plans.column("n").null_count
    runs: dict[str, Callable[[], object]] = {
        "`plan_many` on ready events": lambda: deque(engine.plan_many(events), maxlen=0),
        "`plan_batch`": lambda: plan_batch(engine, batch),
        "of which: rows to events": lambda: deque(EventRows(rules, batch), maxlen=0),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            taken[name].append(_spent(run))
    print(f"\n{len(events):,} events, {actions / len(events):.2f} actions an event\n")
    print("| what | µs an event | events/s | of `plan_many` |\n| --- | --- | --- | --- |")
    first = min(taken["`plan_many` on ready events"])
    for name, times in taken.items():
        us = min(times) / len(events) * 1e6
        print(f"| {name} | {us:.2f} | {1e6 / us:,.0f} | {first / min(times):.2f} |")
    ratios = [a / b for a, b in zip(*[taken[name] for name in [*runs][:2]], strict=True)]
    print(f"\nmedian ratio of the rounds: {statistics.median(ratios):.3f}")


def _kernel_alone(path: str) -> None:
    """Plan files of Parquet in this process: what Spark and two processes are compared by."""
    engine, rows = _engine(Path(path)), 0
    for file in sys.argv[3:]:
        for batch in pq.ParquetFile(file).iter_batches(BATCH):
            rows += plan_batch(engine, batch).num_rows
    print(rows)


def _engine(folder: Path) -> Engine:
    return Engine(load_rules((folder / "rules.json").read_text())).warm()


def _own() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f}"


def _ended() -> str:
    return f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f}"


def _of_spark() -> str:
    """Return the peak memory of Spark's processes, which are below this one."""
    parents, peaks = {}, dict[str, float]()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            lines = (folder / "status").read_text().splitlines()
            found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            parents[folder.name] = found["PPid"], found["Name"], found.get("VmHWM", "0 kB")
    for process, (_, name, peak) in parents.items():
        above = parents[process][0]
        while above in parents and above != str(os.getpid()):
            above = parents[above][0]
        if above == str(os.getpid()):
            kind = "JVM" if name == "java" else "worker"
            peaks[kind] = max(peaks.get(kind, 0), int(peak.split()[0]) / 1024)
    return ", ".join(f"{kind} {peak:,.0f}" for kind, peak in sorted(peaks.items()))


def _rate(name: str, rows: int, run: Callable[[], object], peak: Callable[[], str] = _own) -> float:
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    print(f"| {name} | {seconds:.1f} | {rows / seconds:,.0f} | {peak()} |", flush=True)
    return seconds


def _planned(engine: Engine, batches: Iterable[Any]) -> None:
    for batch in batches:
        plan_batch(engine, batch)


def _polars(folder: Path) -> Iterator[Any]:
    import polars as pl

    for frame in pl.scan_parquet(folder / "rows" / "*.parquet").collect_batches(chunk_size=BATCH):
        yield from frame.to_arrow().to_batches()


def engines(folder: Path, rows: int) -> None:
    """Measure DuckDB, Polars and pyarrow in one process."""
    import duckdb

    engine = _engine(folder)
    files = sorted((folder / "rows").glob("*.parquet"))
    _rate(
        "pyarrow", rows,
        lambda: [_planned(engine, pq.ParquetFile(file).iter_batches(BATCH)) for file in files],
    )  # fmt: skip
    found = duckdb.connect().sql(f"FROM '{folder}/rows/*.parquet'")
    _rate("DuckDB", rows, lambda: _planned(engine, found.to_arrow_reader(BATCH)))
    _rate("Polars", rows, lambda: _planned(engine, _polars(folder)))


def spark(folder: Path, rows: int) -> None:
    """Measure Spark with two workers next to two processes that run the kernel."""
    files = [str(each) for each in sorted((folder / "rows").glob("*.parquet"))]
    command = [sys.executable, "-m", "bench.scale", "--alone", str(folder)]

    def alone() -> None:
        halves = [
            subprocess.Popen([*command, *files[n::2]], stdout=subprocess.DEVNULL) for n in (0, 1)
        ]
        assert [each.wait() for each in halves] == [0, 0]

    from pyspark.sql import SparkSession

    from listboss.scale.spark import plans

    os.environ["PYSPARK_PYTHON"] = sys.executable
    quiet = {"spark.log.level": "ERROR", "spark.ui.showConsoleProgress": "false"}
    session = SparkSession.builder.master("local[2]").config(map=quiet).getOrCreate()
    rules = load_rules((folder / "rules.json").read_text())
    read = session.read.parquet(str(folder / "rows"))
    plans(read.limit(10), rules).collect()  # workers are started
    frame = plans(read, rules)
    two = _rate("two processes with pyarrow", rows, alone, _ended)
    taken = _rate(
        "Spark, local[2]",
        rows,
        lambda: frame.write.format("noop").mode("overwrite").save(),
        _of_spark,
    )
    print(f"\nSpark / two processes: {two / taken:.2f}")


def main() -> None:
    """Run the sections that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", default=["kernel", "engines", "spark"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if "kernel" in arguments.sections:
        kernel()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if {"engines", "spark"} & {*arguments.sections}:
            rules, events = _world()
            (folder / "rules.json").write_text(dump_rules(rules))
            _write(folder / "rows", rules, events, arguments.rows)
            print(f"\n{arguments.rows:,} events; {os.cpu_count()} processors\n")
            print("| what | seconds | events/s | MiB |\n| --- | --- | --- | --- |")
        if "engines" in arguments.sections:
            engines(folder, arguments.rows)
        if "spark" in arguments.sections:
            spark(folder, arguments.rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        _kernel_alone(sys.argv[2])
    else:
        main()
