"""Spark: the same plans as `Engine.plan`, and a journal that gets each of them once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from listboss import AddTag, Capabilities, Engine, Event, RuleSet, Segmentation, where
from listboss.codec import dump_rules
from listboss.delivery import Executor, MemoryJournal, PostgresJournal
from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.hotmart import parse
from listboss.provider import Applied
from listboss.rules import EventType, FactKind, FactType
from listboss.rules.builtin import HOTMART
from listboss.scale import batch_to_plans, events_to_batch
from listboss.scale.spark import Outbox, plans, webhook_events, write_outbox
from tests.postgres import Server
from tests.scale.stream_host import run_stream
from tests.scale.worlds import NOON, large_orders, order, planned, world
from tests.spark import new_session, why_not

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHAPES = sorted((HERE.parent / "hotmart" / "shapes").iterdir())

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=f"not run on Spark: {why_not()}"),
    # Sockets to the JVM, which pyspark leaves to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def spark() -> Any:
    """One session for all tests; it ends with the process."""
    return new_session()


def frame(spark, rules: RuleSet, events: list[Event], **more: pa.Array) -> Any:
    """A data frame of events, with more columns."""
    table = pa.Table.from_batches([events_to_batch(events, rules)])
    for name, column in more.items():
        table = table.append_column(name, column)
    return spark.createDataFrame(table)


def same_plans(result, rules: RuleSet, events: list[Event]) -> None:
    """Check that a data frame has the plans of `Engine.plan`, in their order."""
    (batch,) = result.toArrow().combine_chunks().to_batches()
    assert planned(Engine(rules), events) == [*batch_to_plans(batch)]


# Plans


@pytest.mark.parametrize("seed", range(4))
def test_same_plans_and_ids(spark, seed):
    """A data frame of two partitions has the plans of `Engine.plan`, ids included."""
    rules, events = world(seed, 400)

    result = plans(frame(spark, rules, events), rules)

    same_plans(result, rules, events)


def test_rows_that_are_not_events(spark):
    """A null id, and an error that came with the row, are rows; a column with a dot is ignored."""
    rules = large_orders()
    extra = {"a.b": pa.array([1, 2, 3]), "error": pa.array([None, "bad @ $.body", None])}
    events = frame(spark, rules, [order(n) for n in range(3)], **extra)
    events = events.replace({"e-2": None}, subset=["event_id"]).coalesce(1)

    rows = plans(events, rules).toArrow().select(["event_id", "target", "error"]).to_pylist()

    assert [
        {"event_id": "e-0", "target": "large-order", "error": None},
        {"event_id": None, "target": None, "error": "bad @ $.body"},
        {"event_id": None, "target": None, "error": "missing @ $.event_id"},
    ] == rows


def test_the_catalogue_of_the_host_travels_with_the_rules(spark):
    """So a worker knows the host's own events and facts, without the module that has them."""
    catalogue = HOTMART.extended(
        events=[EventType("quiz.passed", "Passed our quiz")],
        facts=[FactType("score", FactKind.INTEGER)],
    )
    base = large_orders()
    rule = Segmentation(
        "Good scores",
        id="good",
        product_id="42",
        provider="mail",
        event="quiz.passed",
        condition=where.score >= 80,
        actions=AddTag("good"),
        enabled=True,
    )
    rules = RuleSet(
        base.products, [rule], providers={"mail": Capabilities.everything()}, catalogue=catalogue
    )
    events = [order(n, name="quiz.passed", facts={"score": 79 + n}) for n in range(2)]

    result = plans(frame(spark, rules, events), rules)

    assert [False, True] == [bool(plan.actions) for plan in planned(Engine(rules), events)]
    same_plans(result, rules, events)


def test_tests_are_planned_if_asked_for(spark):
    """`include_tests`, as for `Engine.plan`."""
    rules = large_orders()
    events = frame(spark, rules, [order(is_test=True)])

    idle = plans(events, rules).toArrow()["idle"].to_pylist()
    asked = plans(events, rules, include_tests=True).toArrow()["target"].to_pylist()

    assert (["test"], ["large-order"]) == (idle, asked)


def test_columns_are_checked_before_a_row_is_read(spark):
    """A column that is missing, or of the wrong type, is an error of the call."""
    rules = large_orders()
    events = frame(spark, rules, [order()])

    with pytest.raises(ConfigurationError) as missing:
        plans(events.drop("phone"), rules)
    with pytest.raises(ArgumentTypeError) as wrong:
        plans(events.withColumn("fact__price", events["fact__price"].cast("double")), rules)
    with pytest.raises(ArgumentTypeError) as no_body:
        webhook_events(events, rules, body="is_test")

    assert "the column `phone` is missing" == missing.value.message
    assert (
        "the column `fact__price`: expected decimals or integers, got `double`"
        == wrong.value.message
    )
    assert "the column `is_test`: expected strings or bytes, got `boolean`" == no_body.value.message


def test_other_types_of_columns(spark):
    """Integers for decimals, and columns without any value."""
    rules = large_orders()
    events = frame(spark, rules, [order(facts={"price": 300}), order(1, facts={"price": 2})])
    narrow = events.withColumn("fact__price", events["fact__price"].cast("int")).drop("phone")
    narrow = narrow.selectExpr("*", "null AS phone")

    tags = plans(narrow, rules).toArrow()["target"].to_pylist()

    assert ["large-order", None] == tags


# Webhooks


def test_bodies_of_webhooks(spark):
    """Every shape of webhook gives the plans of its events; a bad body is a row with an error."""
    rules = large_orders(where.price >= 1)
    good = [path.read_bytes() for path in SHAPES]
    events = [event for body in good for event in parse(body, received_at=NOON).events]
    bodies = [b"\xff not a webhook", *good, None]
    table = pa.table({"value": bodies, "at": pa.array([NOON] * len(bodies))})

    read = webhook_events(spark.createDataFrame(table), rules, received_at="at")

    same_plans(plans(read, rules), rules, events)
    errors = [each for each in read.toArrow()["error"].to_pylist() if each is not None]
    ignored = sum(not parse(body, received_at=NOON).events for body in good)
    assert ignored + 2 == len(errors)
    assert ("invalid_webhook @ $.body", "missing @ $.body") == (errors[0], errors[-1])


# The outbox


class Account:
    """An account that keeps the ids of the actions that it is sent."""

    def __init__(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self.sent: list[str] = []

    def apply(self, planned, call):
        """Keep the id."""
        self.sent.append(call.key)
        return Applied()


def delivered(engine: Engine, journal) -> dict[str, list[str]]:
    """What each account is sent of a journal, sorted."""
    accounts = {name: Account(each) for name, each in engine.rules.providers.items()}
    Executor(engine, accounts, journal).run_due()
    return {name: sorted(account.sent) for name, account in accounts.items()}


def accepted(engine: Engine, events: list[Event]) -> MemoryJournal:
    """The journal of an executor that accepted the events."""
    journal = MemoryJournal()
    accounts = {name: Account(each) for name, each in engine.rules.providers.items()}
    executor = Executor(engine, accounts, journal)
    for event in events:
        executor.accept(event)
    return journal


def check_journal(journal: PostgresJournal, rules: RuleSet, events: list[Event]) -> None:
    """Check that a journal has each event and each action once, and delivers each once."""
    engine = Engine(rules)
    expected = accepted(engine, events)
    for event in events:
        theirs, ours = expected.receipt(event.id), journal.receipt(event.id)
        assert (theirs.event_id, theirs.status) == (ours.event_id, ours.status)
        assert [s.planned for s in theirs.states] == [s.planned for s in ours.states]
    wanted = Counter((each.event_id, each.status) for each in expected.history())
    assert wanted == Counter((each.event_id, each.status) for each in journal.history())
    assert delivered(engine, expected) == delivered(engine, journal)


def one_direction(seed: int, size: int) -> tuple[RuleSet, list[Event]]:
    """Events of as many contacts: what is sent does not depend on the order of acceptance."""
    rules = large_orders(where.price >= 100)
    people = [order(n).contact for n in range(size)]
    assert people[0] is not None
    events = [
        order(
            seed * size + n,
            contact=type(people[0])(f"a{n}@example.com"),
            facts={"price": 50 + 10 * (n % 11)},
        )
        for n in range(size)
    ]
    return rules, events


def test_outbox_of_a_data_frame(spark, postgres: Server):
    """Two workers write; a batch that is repeated changes nothing."""
    rules, events = one_direction(0, 100)
    schema = postgres.new_schema()
    outbox = write_outbox(postgres.dsn, schema=schema, events_at_once=7)
    result = plans(frame(spark, rules, [*events, *events[:10]]).repartition(2), rules)

    outbox(result)
    outbox(result)

    with PostgresJournal(postgres.dsn, schema=schema, keep=None) as journal:
        check_journal(journal, rules, events)


def test_outbox_of_a_stream_of_webhooks(spark, postgres: Server, tmp_path: Path):
    """From raw bodies to the journal; bad bodies are left out, and can be stored elsewhere."""
    rules, schema = large_orders(where.price >= 1), postgres.new_schema()
    bodies = [path.read_text("utf-8", "replace") for path in SHAPES]
    (tmp_path / "in").mkdir()
    for n in (0, 1):
        pq.write_table(pa.table({"value": bodies[n::2]}), tmp_path / "in" / f"{n}.parquet")
    raw = spark.readStream.schema("value string").parquet(str(tmp_path / "in"))
    outbox = write_outbox(postgres.dsn, schema=schema)
    bad: list[str] = []

    def write(batch, number):
        outbox(batch, number)
        bad.extend(row.error for row in batch.where("error IS NOT NULL").collect())

    stream = plans(webhook_events(raw, rules), rules).writeStream.foreachBatch(write)
    stream = stream.option("checkpointLocation", str(tmp_path / "checkpoint"))
    stream.trigger(availableNow=True).start().awaitTermination()

    events = {each.id: each for body in bodies for each in parse(body).events}
    with PostgresJournal(postgres.dsn, schema=schema, keep=None) as journal:
        kept = {record.event_id for record in journal.history()}
        states = {id for id in events if journal.receipt(id).states}
    assert {*events} == kept | states
    assert sum(not parse(body).events for body in bodies) == len(bad)


def test_outbox_hides_how_to_connect():
    """The DSN may have a password."""
    outbox = write_outbox("host=db password=secret")

    assert isinstance(outbox, Outbox)
    assert "Outbox(dsn=***, schema='listboss', endings='by_grant', events_at_once=200)" == repr(
        outbox
    )


def test_killed_drivers_lose_nothing(spark, postgres: Server, tmp_path: Path):
    """A stream whose driver is killed three times leaves each event and action once."""
    rules, events = one_direction(1, 240)
    schema, size = postgres.new_schema(), 60
    (tmp_path / "events").mkdir()
    (tmp_path / "rules.json").write_text(dump_rules(rules))
    for n in range(0, len(events), size):
        table = pa.Table.from_batches([events_to_batch(events[n : n + size], rules)])
        pq.write_table(table, tmp_path / "events" / f"{n:04}.parquet")

    for kill_at in (10, 80, 150):  # within the first three files
        driver = start_driver(tmp_path, postgres.dsn, schema)
        wait_for(postgres.dsn, schema, kill_at, driver)
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    assert count(postgres.dsn, schema) < len(events)
    run_stream(spark, tmp_path, postgres.dsn, schema)

    with PostgresJournal(postgres.dsn, schema=schema, keep=None) as journal:
        check_journal(journal, rules, events)


def start_driver(folder: Path, dsn: str, schema: str) -> "subprocess.Popen[bytes]":
    """Start a driver in a process group of its own, with its JVM."""
    return subprocess.Popen(
        [sys.executable, str(HERE / "stream_host.py"), str(folder), dsn, schema],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def count(dsn: str, schema: str) -> int:
    """How many events the journal has."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(f"SELECT count(*) FROM {schema}.event".encode()).fetchone()
        assert row is not None
        return int(row[0])


def wait_for(dsn: str, schema: str, events: int, driver: "subprocess.Popen[bytes]") -> None:
    """Wait until the driver has written at least as many events."""
    until = time.monotonic() + 120
    while count(dsn, schema) < events:
        assert driver.poll() is None, "the driver has ended"
        assert time.monotonic() < until, "the driver writes nothing"
        time.sleep(0.02)
