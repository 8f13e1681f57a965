"""DuckDB and Polars: they read Parquet, and its plans are those of `Engine.plan`."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from listboss import Engine
from listboss.scale import batch_to_plans, events_to_batch, plan_batch, plan_schema
from tests.scale.worlds import planned, world

Read = Callable[[Path], Iterable[pa.RecordBatch]]


def with_duckdb(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a file, as DuckDB reads it."""
    with duckdb.connect() as db:
        yield from db.sql(f"FROM '{path}'").to_arrow_reader(64)


def with_polars(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a file, as Polars reads it."""
    for frame in pl.scan_parquet(path).collect_batches(chunk_size=64, maintain_order=True):
        yield from frame.to_arrow().to_batches()


def through_duckdb(plans: pa.Table) -> pa.Table:
    """The plans as a table of DuckDB."""
    with duckdb.connect() as db:
        db.register("made", plans)
        db.sql("CREATE TABLE plans AS FROM made")
        return db.sql("FROM plans").to_arrow_table()


def through_polars(plans: pa.Table) -> pa.Table:
    """The plans as a frame of Polars."""
    frame: Any = pl.from_arrow(plans)
    return frame.to_arrow()


ENGINES = [
    pytest.param(with_duckdb, through_duckdb, id="duckdb"),
    pytest.param(with_polars, through_polars, id="polars"),
]


@pytest.mark.parametrize(("read", "keep"), ENGINES)
def test_same_plans_and_ids(amount: Callable[..., int], tmp_path: Path, read: Read, keep):
    """Events go from Parquet through the engine, and plans back through its own tables."""
    for seed in range(amount(ci=25, soak=1_000)):
        rules, events = world(seed, 200)
        engine = Engine(rules)
        pq.write_table(
            pa.Table.from_batches([events_to_batch(events, rules)]), tmp_path / "events.parquet"
        )

        made = [plan_batch(engine, batch) for batch in read(tmp_path / "events.parquet")]

        kept = keep(pa.Table.from_batches(made, plan_schema())).combine_chunks().to_batches()
        assert len(made) > 1
        assert planned(engine, events) == [plan for each in kept for plan in batch_to_plans(each)]
