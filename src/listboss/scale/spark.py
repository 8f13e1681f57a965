"""Plan data frames and streams of Spark, and put the plans into a journal in PostgreSQL.

A thin adapter: rules travel to the workers as canonical JSON, each worker makes one engine of them
and plans Arrow batches with `plan_batch`. Needs the extra `listboss[spark]` and Java; listboss
must be installed where the workers run. Nothing here imports pyspark: what is passed in is used.

A worker is the Python of `PYSPARK_PYTHON`, which has to be set if that is not the `python3` of the
path. Otherwise a worker says that there is no module named `listboss`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, TypeAlias

import attrs

from listboss._clock import utc_now
from listboss.codec._travel import rules_from, texts_of
from listboss.delivery import PostgresJournal
from listboss.engine import Engine
from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.rules._text import masked, quoted
from listboss.rules.event import EventName
from listboss.rules.ruleset import RuleSet
from listboss.scale._arrow import CODE, INSTANT, TEXT, RecordBatch, as_type, pa
from listboss.scale._columns import TEXT as STRINGS
from listboss.scale._columns import Form
from listboss.scale._events import event_forms
from listboss.scale._kernel import plan_batch
from listboss.scale._plans import Endings, accept_plans, whole_plans
from listboss.scale._schema import PLAN_COLUMNS, event_schema, fact_columns
from listboss.scale._webhooks import webhooks_to_batch

__all__ = ["Outbox", "event_ddl", "plans", "webhook_events", "write_outbox"]

DataFrame: TypeAlias = Any
"""A `pyspark.sql.DataFrame`."""

_SPARK_TYPES: dict[Any, str] = {
    TEXT: "string",
    CODE: "string",
    INSTANT: "timestamp",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.list_(TEXT): "array<string>",
}
_ARROW_TYPES: dict[str, Any] = {
    **{spark: arrow for arrow, spark in _SPARK_TYPES.items() if arrow is not CODE},
    "binary": pa.binary(),
    "double": pa.float64(),
    "float": pa.float32(),
    "smallint": pa.int16(),
    "timestamp_ntz": pa.timestamp("us"),
    "tinyint": pa.int8(),
    "void": pa.null(),
}


# Plans


def plans(events: DataFrame, rules: RuleSet, *, include_tests: bool = False) -> DataFrame:
    """Plan a data frame or a stream of events: one row for each action, as `plan_batch` makes them.

    `events` has the columns of `event_schema(rules)`; others are ignored, but for `error`, which
    says that a row is not an event. Raises the errors of `plan_batch` for a missing column or one
    of the wrong type when it is called, before any row is read. `row` is the number of the row in
    its Arrow batch. The rows of a plan follow each other.
    """
    names = _check_columns(events, rules)
    task = partial(_plan_batches, *texts_of(rules), include_tests=include_tests)
    return events.select(*names).mapInArrow(task, _ddl(PLAN_COLUMNS))


def _check_columns(events: DataFrame, rules: RuleSet) -> list[str]:
    """Return the columns to read."""
    forms = event_forms(fact_columns(rules))
    found = dict(events.dtypes)
    names = [*forms, *({"error"} & found.keys())]
    for name in names:
        _check_column(name, found.get(name), forms.get(name, STRINGS))
    return names


def _check_column(name: str, kind: str | None, form: Form) -> None:
    if kind is None:
        raise ConfigurationError(
            f"the column {quoted(name)} is missing",
            path=f"$.{name}",
            hint="the schema has the columns; fill one that you do not have with nulls",
        )
    arrow = _arrow_type(kind)
    if arrow is None or not (form.fits(arrow) or pa.types.is_null(arrow)):
        raise ArgumentTypeError(
            f"the column {quoted(name)}: expected {form.expected}, got {quoted(kind)}",
            path=f"$.{name}",
            hint=form.hint,
        )


def _arrow_type(kind: str) -> Any:
    """Return the type of a column in a worker, or None if no column of ours has it."""
    name, _, rest = kind.partition("(")
    if name == "decimal":
        precision, scale = rest.rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return _ARROW_TYPES.get("string" if name in ("char", "varchar") else kind)


def event_ddl(rules: RuleSet) -> str:
    """Return the columns of `event_schema(rules)` as Spark writes a schema, for a stream of files.

    >>> from listboss import Product
    >>> event_ddl(RuleSet([Product("42", "Course")])).split(", ")[:2]
    ['`event_id` string', '`name` string']
    """
    return _ddl({field.name: field.type for field in event_schema(rules)})


def _ddl(columns: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}` {_spark_type(kind)}" for name, kind in columns.items())


def _spark_type(kind: Any) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return _SPARK_TYPES[kind]


def _plan_batches(
    rules: str, catalogue: str, batches: Iterable[RecordBatch], *, include_tests: bool
) -> Iterator[RecordBatch]:
    engine = _engine(rules, catalogue)
    for batch in batches:
        yield _plain(plan_batch(engine, batch, include_tests=include_tests))


def _plain(batch: RecordBatch) -> RecordBatch:
    """Replace dictionaries by their strings: Spark reads none."""
    arrays = [
        as_type(array, TEXT) if pa.types.is_dictionary(array.type) else array
        for array in batch.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


@lru_cache(maxsize=4)
def _engine(rules: str, catalogue: str) -> Engine:
    """Make the engine of a worker, which lives longer than a task."""
    return Engine(rules_from((rules, catalogue)))


# Webhooks


def webhook_events(
    bodies: DataFrame,
    rules: RuleSet,
    *,
    body: str = "value",
    received_at: str | None = None,
    pix_as: EventName | str = EventName.PURCHASE_WAITING_PAYMENT,
    product_ids: Mapping[str, str] | None = None,
) -> DataFrame:
    """Read a column of webhook bodies, as strings or bytes, into events for `plans`.

    `received_at` is a column with the time of each body, such as `timestamp` of a Kafka source.
    Each event of a body is a row; a body without an event is a row with its `error`, as those of
    `webhooks_to_batch`, and never fails a batch. `pix_as` and `product_ids` are those of `parse`.
    """
    rows = bodies.select(
        bodies[body].alias("body"),
        *([] if received_at is None else [bodies[received_at].alias("received_at")]),
    )
    kinds = dict(rows.dtypes)
    if kinds["body"] not in ("binary", "string", "void"):
        message = (
            f"the column {quoted(body)}: expected strings or bytes, got {quoted(kinds['body'])}"
        )
        raise ArgumentTypeError(message, path="$.body")
    if kinds.get("received_at", "timestamp") not in ("timestamp", "void"):
        message = f"the column {quoted(str(received_at))}: expected times with a time zone"
        raise ArgumentTypeError(message, path="$.received_at")
    task = partial(
        _webhook_batches, *texts_of(rules), pix_as=str(pix_as), product_ids=dict(product_ids or {})
    )
    return rows.mapInArrow(task, event_ddl(rules) + ", `error` string")


def _webhook_batches(
    rules: str,
    catalogue: str,
    batches: Iterable[RecordBatch],
    *,
    pix_as: str,
    product_ids: Mapping[str, str],
) -> Iterator[RecordBatch]:
    own = _engine(rules, catalogue).rules
    for batch in batches:
        times = batch.column("received_at") if batch.num_columns > 1 else None
        yield _plain(
            webhooks_to_batch(
                batch.column("body"), own, received_at=times, pix_as=pix_as, product_ids=product_ids
            )
        )


# The outbox


@attrs.frozen
class Outbox:
    """Writes plans into a journal; see `write_outbox`."""

    dsn: str = attrs.field(repr=masked)  # it may have a password
    schema: str
    endings: Endings
    events_at_once: int

    def __call__(self, plans: DataFrame, _batch_id: int = 0) -> None:
        """Accept the plans of a data frame; each partition is written by its worker."""
        columns = plans.select(*PLAN_COLUMNS)
        task = partial(_accept_batches, self.dsn, self.schema, self.endings, self.events_at_once)
        columns.mapInArrow(task, "accepted bigint").collect()


def write_outbox(
    dsn: str,
    *,
    schema: str = "listboss",
    endings: Endings = "by_grant",
    events_at_once: int = 200,
) -> Outbox:
    """Return a function for `foreachBatch` that accepts plans in a `PostgresJournal`.

    `stream.writeStream.foreachBatch(write_outbox(dsn))` of a stream that `plans` made; for a data
    frame without a stream, call the result with it. An event that the journal has already changes
    nothing, so Spark may repeat a batch or a part of it. `events_at_once` events are one
    transaction. The workers of Spark write, so `dsn` has to be reachable from them; each uses one
    connection while it writes. Rows with an `error` are left out: filter and store them yourself.
    See `accept_plans` for what is kept.

    >>> write_outbox("host=db password=secret")
    Outbox(dsn=***, schema='listboss', endings='by_grant', events_at_once=200)
    """
    return Outbox(dsn, schema, endings, events_at_once)


def _accept_batches(
    dsn: str,
    schema: str,
    endings: Endings,
    events_at_once: int,
    batches: Iterable[RecordBatch],
) -> Iterator[RecordBatch]:
    """Write one partition. Its journal never prunes: that is left to executors."""
    accepted = 0
    with PostgresJournal(dsn, schema=schema, keep=None, connections=1) as journal:
        for batch in whole_plans(batches):
            now = utc_now()
            receipts = accept_plans(
                journal, batch, now, endings=endings, events_at_once=events_at_once
            )
            accepted += len(receipts)
    yield pa.RecordBatch.from_pydict({"accepted": pa.array([accepted], pa.int64())})
