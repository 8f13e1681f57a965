"""Measure delivery on PostgreSQL: two workers, next to bare psycopg and to a job queue.

`python -m bench.postgres [SECTION ...]` starts a server of its own, with durable commits, and
prints one Markdown table; without PostgreSQL it says so. Figures are ratios of measurements that
take turns. `--flush-ms 1` makes each flush to the disk take a millisecond longer. The sections:

- `deliver`: two workers, next to bare psycopg that changes the same rows in the same transactions
  with a statement for each row, or with our statements for many rows. Bare psycopg reads nothing,
  claims nothing, and each of its processes has tables of its own.
- `doubt`: what more actions in doubt gain. "Of a lane" is the executor's `in_doubt`; "of a worker"
  counts those of all its lanes, of which an executor claims 16 in a transaction by itself.
- `queue`: two workers, next to two of procrastinate with a job an action, if it is installed.
- `hot`: an action of a lane of 10,000, next to one of 10,000 lanes.

INVARIANT: a figure is printed only after the calls did what they were measured for.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import count
from time import perf_counter
from typing import Any, NamedTuple

from bench.delivery import NOW, ONE, THREE, Mail, approvals, engine, executor
from bench.table import Line, at_least, at_most, print_lines, print_title, seconds
from listboss import Event
from listboss.delivery import PostgresJournal
from listboss.delivery._postgres import connect, statement
from listboss.delivery._postgres_store import PostgresStore
from tests.postgres import Server, why_not

__all__ = ["main"]

SETTINGS = ["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"]
WORKERS = 2


class Database:
    """A server, and databases with journals that are copied from others."""

    def __init__(self) -> None:
        self._server = Server(*SETTINGS)
        self._numbers = count(1)

    def run(self, statement: str) -> None:
        """Run a statement outside of a transaction."""
        import psycopg

        with psycopg.connect(self._server.dsn, autocommit=True) as connection:
            connection.execute(statement.encode())

    def copy(self, dsn: str | None = None) -> str:
        """Return a new database with the rows of another one; without one it is empty."""
        name = f"journal_{next(self._numbers)}"
        template = "template0" if dsn is None else dsn.rpartition("=")[2]
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self._server.dsn.replace("dbname=postgres", f"dbname={name}")

    def filled(self, events: Sequence[Event], actions: Any = THREE) -> str:
        """Return a database with a journal that has accepted events."""
        dsn = self.copy()
        PostgresJournal.migrate(dsn)
        with PostgresJournal(dsn, keep=None) as journal:
            plan = engine(*actions).plan
            for start in range(0, len(events), 100):
                pairs = [(event, plan(event)) for event in events[start : start + 100]]
                journal.turn("filling", (), NOW, want=0, accept=pairs)
        return dsn

    def close(self) -> None:
        """Stop the server."""
        self._server.close()


@contextmanager
def database() -> Iterator[Database]:
    """Start a server, and stop it."""
    started = Database()
    try:
        yield started
    finally:
        started.close()


# --- processes that begin together -----------------------------------------------------------


class Task(NamedTuple):
    """What a process does between the two barriers, after it has prepared itself."""

    prepare: Callable[..., Callable[[], int]]
    arguments: tuple[Any, ...]


def _process(task: Task, barrier: Any, queue: Any) -> None:
    work = task.prepare(*task.arguments)
    barrier.wait()
    started = perf_counter()
    done = work()
    queue.put((done, started, perf_counter()))


def rate(*tasks: Task, wanted: int) -> float:
    """Return how many actions a second processes do together; all of them are done."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(len(tasks)), context.Queue()
    crew = [context.Process(target=_process, args=(task, barrier, queue)) for task in tasks]
    for each in crew:
        each.start()
    found = [queue.get(timeout=300) for _ in crew]
    for each in crew:
        each.join()
    assert wanted == sum(done for done, _, _ in found)
    return wanted / (max(end for _, _, end in found) - min(start for _, start, _ in found))


def _deliver(dsn: str, actions: Any, in_doubt: int, lanes: int | None = None) -> Callable[[], int]:
    journal, mail = PostgresJournal(dsn, keep=None), Mail()
    worker = executor(journal, mail, actions, in_doubt=in_doubt)
    journal.resume(worker._worker, NOW)  # connects for the name of the worker, too
    if lanes is not None:
        worker._want = lanes * in_doubt

    def work() -> int:
        worker.run_due()
        journal.close()
        return mail.calls

    return work


def ours(dsn: str, wanted: int, *, in_doubt: int = 1, lanes: int | None = None) -> float:
    """Return how many actions a second two workers send, each from `lanes` at once."""
    return rate(*[Task(_deliver, (dsn, THREE, in_doubt, lanes))] * WORKERS, wanted=wanted)


# --- deliver ---------------------------------------------------------------------------------

_Transaction = list[tuple[str, Sequence[Any]]]


@contextmanager
def _recorded(*, by_row: bool) -> Iterator[list[_Transaction]]:
    """Keep what changes rows, by transaction; `by_row` keeps a statement and its rows."""
    execute, execute_many = PostgresStore.execute, PostgresStore.execute_many
    clear = PostgresStore.clear
    kept: list[_Transaction] = []

    def begin(self: Any) -> None:
        kept.append([])
        clear(self)

    def record(self: Any, sql: str, values: Any = (), /) -> Any:
        changes = sql.startswith(("INSERT", "UPDATE", "DELETE"))
        if changes and not (by_row and "json_to_recordset" in sql):
            kept[-1].append((sql, [values]))
        return execute(self, sql, values)

    def record_many(self: Any, sql: str, rows: Any, /) -> object:
        rows = [tuple(row) for row in rows]
        if by_row and len(rows) > 1:
            kept[-1].append((sql, rows))
        return execute_many(self, sql, rows)

    store: Any = PostgresStore
    store.clear, store.execute, store.execute_many = begin, record, record_many
    try:
        yield kept
    finally:
        store.clear, store.execute, store.execute_many = clear, execute, execute_many


def _replay(dsn: str, transactions: Sequence[_Transaction], actions: int) -> Callable[[], int]:
    connection = connect(dsn, "listboss")

    def work() -> int:
        for statements in transactions:
            with connection.pipeline(), connection.cursor() as cursor:
                cursor.execute("BEGIN")
                for sql, rows in statements:
                    if len(rows) == 1:
                        cursor.execute(statement(sql), rows[0])
                    else:
                        cursor.executemany(statement(sql), rows)
                cursor.execute("COMMIT")
        connection.close()
        return actions

    return work


class _Bare:
    """What one worker writes, ready to be written again by bare psycopg in several processes."""

    def __init__(
        self, data: Database, full: str, actions: int, in_doubt: int = 1, *, by_row: bool = True
    ) -> None:
        self._data, self._full, self._actions = data, full, actions
        with _recorded(by_row=by_row) as kept:
            assert actions == _deliver(data.copy(full), THREE, in_doubt)()
        self._transactions = [each for each in kept if each]
        rows = sum(len(rows) for each in self._transactions for _, rows in each)
        self.about = f"{len(self._transactions) / actions:.3f} transactions"
        self.about += f" and {rows / actions:.1f} rows an action"

    def rate(self, workers: int = WORKERS) -> float:
        """Return how many actions a second they write, each process to tables of its own."""
        tasks = [
            Task(_replay, (self._data.copy(self._full), self._transactions, self._actions))
            for _ in range(workers)
        ]
        return rate(*tasks, wanted=workers * self._actions)


def deliver(data: Database, *, rounds: int = 7, size: int = 1_200) -> Iterator[Line]:
    """Compare two workers with bare psycopg, with one action of a lane in doubt."""
    actions = 3 * size
    full, half = data.filled(approvals(size)), data.filled(approvals(size // 2))
    by_row = _Bare(data, half, actions // 2)
    same = _Bare(data, half, actions // 2, by_row=False)
    found: list[list[float]] = []
    for _ in range(rounds):
        mine = ours(data.copy(full), actions)
        found.append([mine / by_row.rate(), mine / same.rate(), mine])
    values = [*zip(*found, strict=True)]
    yield at_least(f"2 workers / bare psycopg, {by_row.about}", values[0], 0.4)
    yield at_least("2 workers / bare psycopg, our statements for many rows", values[1], None)
    yield at_least("2 workers", values[2], None, " actions/s")


# --- doubt -----------------------------------------------------------------------------------


def long_lanes(size: int) -> list[Event]:
    """Return approvals of contacts that each have 7 of them: lanes of 21 actions."""
    lanes = size // 7
    return [approvals(1, n, f"lane-{n % lanes}@example.com")[0] for n in range(size)]


def doubt(data: Database, *, rounds: int = 7, size: int = 1_200) -> Iterator[Line]:
    """Compare two workers with 20 actions in doubt with the same with one action in doubt."""
    actions = 3 * size
    short, long = data.filled(approvals(size)), data.filled(long_lanes(size))
    long_half = data.filled(long_lanes(size // 2))
    one = data.filled(approvals(size // 2, contact="one@example.com"))
    bare = _Bare(data, long_half, actions // 2, 20)
    bare_lane = [_Bare(data, one, actions // 2, n, by_row=False) for n in (1, 20)]
    found: list[list[float]] = []
    for _ in range(rounds):
        one_lane = [ours(data.copy(one), actions // 2, in_doubt=n) for n in (1, 20)]
        many = [ours(data.copy(long), actions, in_doubt=n) for n in (1, 20)]
        of_worker = [ours(data.copy(short), actions, lanes=n) for n in (1, 20)]
        same = [each.rate(1) for each in bare_lane]
        gains = [pair[1] / pair[0] for pair in (one_lane, same, of_worker, many)]
        found.append([*gains, many[1] / bare.rate(), many[1]])
    values = [*zip(*found, strict=True)]
    yield at_least("20 in doubt / 1: of a lane, and all actions are in one lane", values[0], 8)
    yield at_least("the same for bare psycopg with our statements", values[1], None)
    yield at_least("20 in doubt / 1: of a worker, in lanes of 3", values[2], None)
    yield at_least("20 in doubt / 1: of a lane, in many lanes of 21", values[3], None)
    yield at_least(f"20 of a lane in doubt / bare psycopg, {bare.about}", values[4], None)
    yield at_least("2 workers, 20 of a lane in doubt, lanes of 21", values[5], None, " actions/s")


# --- queue -----------------------------------------------------------------------------------


def _app(dsn: str) -> tuple[Any, Any, list[int]]:
    """Return an app of procrastinate, its task, and where the task counts."""
    import procrastinate

    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))
    calls: list[int] = []

    @app.task(name="apply")
    async def apply(action: str, email: str) -> None:
        calls.append(len(action + email))

    return app, apply, calls


async def _defer(dsn: str, size: int) -> None:
    """Defer a job for each action; those of a contact go out one after the other."""
    app, apply, _ = _app(dsn)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for number in range(size):
            email = f"contact-{number:07}@example.com"
            jobs = [{"action": str(action), "email": email} for action in THREE]
            await apply.configure(lock=email).batch_defer_async(*jobs)


def _queue(dsn: str, concurrency: int) -> Callable[[], int]:
    app, _, calls = _app(dsn)

    async def run() -> None:
        async with app.open_async():
            # A worker ends once all jobs that are left are held back by jobs that run.
            while await app.job_manager.list_jobs_async(status="todo"):
                await app.run_worker_async(
                    wait=False, concurrency=concurrency, install_signal_handlers=False
                )

    def work() -> int:
        asyncio.run(run())
        return len(calls)

    return work


def queue(data: Database, *, rounds: int = 5, size: int = 200) -> Iterator[Line]:
    """Compare two workers with two of a job queue, each with 16 jobs at the same time."""
    if find_spec("procrastinate") is None:
        yield Line("2 workers / 2 of procrastinate", "not run: it is not installed", "", None)
        return
    jobs, full = data.copy(), data.filled(approvals(size))
    asyncio.run(_defer(jobs, size))
    ratios, rates = [], []
    for _ in range(rounds):
        mine = ours(data.copy(full), 3 * size)
        dsn = data.copy(jobs)
        tasks = [Task(_queue, (dsn, 16))] * WORKERS
        theirs = rate(*tasks, wanted=3 * size)
        ratios.append(mine / theirs)
        rates.append(theirs)
    yield at_least("2 workers / 2 of procrastinate, a job an action", ratios, 1)
    yield at_least("2 workers of procrastinate", rates, None, " actions/s")


# --- hot -------------------------------------------------------------------------------------


def hot(data: Database, *, rounds: int = 5, size: int = 10_000) -> Iterator[Line]:
    """Compare a lane of 10,000 actions with 10,000 lanes of one action."""
    works = []
    for contact in (None, "hot@example.com"):
        journal = PostgresJournal(data.filled(approvals(size, contact=contact), ONE), keep=None)
        works.append(executor(journal))
        works[-1]._work(1, most=20)
    ratios = []
    for _ in range(rounds):
        cold, warm = (seconds(partial(work._work, 1, most=size // 100)) for work in works)
        ratios.append(warm / cold)
    for work in works:
        assert size - work._journal.count() == size - 20 - rounds * (size // 100)  # type: ignore[attr-defined]
    yield at_most(f"an action: a lane of {size:,} / lanes of one", ratios, 1.5)


SECTIONS: dict[str, Callable[[Database], Iterator[Line]]] = {
    "deliver": deliver,
    "doubt": doubt,
    "queue": queue,
    "hot": hot,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the sections that are named, or all of them; 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.postgres")
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, help="how often each section measures")
    parser.add_argument("--flush-ms", type=int, default=0, help="how much longer each flush takes")
    options = parser.parse_args(arguments)
    if options.flush_ms:
        SETTINGS.extend([f"commit_delay={1_000 * options.flush_ms}", "commit_siblings=0"])
    if missing := why_not():
        print(f"not run: {missing}")
        return 0
    missed = 0
    print_title()
    with database() as data:
        for name in options.sections or SECTIONS:
            more = {"rounds": options.rounds} if options.rounds else {}
            missed += print_lines(partial(SECTIONS[name], **more)(data))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
