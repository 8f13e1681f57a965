"""Measure delivery on PostgreSQL: two workers, next to bare psycopg and to a job queue.

`python -m bench.postgres [SECTION ...]` starts a server of its own, with durable commits, and
prints one Markdown table; without PostgreSQL it says so. Figures are ratios of measurements that
take turns. The sections:

- `deliver`: two workers, next to bare psycopg that runs the same statements that change rows,
  with the same values in the same transactions; and with 20 actions of a lane in doubt.
- `queue`: two workers, next to two of procrastinate with a job an action, if it is installed.
- `hot`: an action of a lane of 10,000, next to one of 10,000 lanes.

INVARIANT: a figure is printed only after the calls did what they were measured for.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any, NamedTuple

from bench.delivery import NOW, THREE, Line, Mail, approvals, engine, executor
from bench.delivery import _at_least as at_least
from listboss import Event
from listboss.delivery import PostgresJournal
from tests.postgres import Server, why_not

__all__ = ["main"]

SETTINGS = ("fsync=on", "shared_buffers=256MB", "max_wal_size=4GB")
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


def _deliver(dsn: str, actions: Any, in_doubt: int) -> Callable[[], int]:
    journal, mail = PostgresJournal(dsn, keep=None), Mail()
    worker = executor(journal, mail, actions, in_doubt=in_doubt)
    worker.run_due(most=0)

    def work() -> int:
        worker.run_due()
        journal.close()
        return mail.calls

    return work


def ours(dsn: str, wanted: int, *, actions: Any = THREE, in_doubt: int = 1) -> float:
    """Return how many actions a second two workers send."""
    return rate(*[Task(_deliver, (dsn, actions, in_doubt))] * WORKERS, wanted=wanted)


# --- deliver ---------------------------------------------------------------------------------

_Transaction = list[tuple[bytes, list[Any]]]
_CHANGES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def _recorded() -> Iterator[list[_Transaction]]:
    """Keep what changes rows, by transaction."""
    from psycopg import Connection, Cursor

    kept: list[_Transaction] = []
    execute, executemany = Connection.execute, Cursor.executemany

    def record(self: Any, sql: Any, values: Any = (), **more: Any) -> Any:
        text = sql.decode() if isinstance(sql, bytes) else str(sql)
        if text.startswith("BEGIN"):
            kept.append([])
        elif text.startswith(_CHANGES):
            kept[-1].append((sql, [tuple(values)]))
        return execute(self, sql, values, **more)

    def record_many(self: Any, sql: Any, rows: Any, **more: Any) -> None:
        rows = [tuple(row) for row in rows]
        kept[-1].append((sql, rows))
        return executemany(self, sql, rows, **more)

    Connection.execute, Cursor.executemany = record, record_many  # type: ignore[method-assign]
    try:
        yield kept
    finally:
        Connection.execute, Cursor.executemany = execute, executemany  # type: ignore[method-assign]


def _replay(dsn: str, transactions: Sequence[_Transaction], actions: int) -> Callable[[], int]:
    from listboss.delivery._postgres import connect

    connection = connect(dsn, "listboss")

    def work() -> int:
        for statements in transactions:
            with connection.pipeline(), connection.cursor() as cursor:
                cursor.execute("BEGIN")
                for sql, rows in statements:
                    if len(rows) == 1:
                        cursor.execute(sql, rows[0])
                    else:
                        cursor.executemany(sql, rows)
                cursor.execute("COMMIT")
        connection.close()
        return actions

    return work


class _Bare:
    """What one worker writes, ready to be written again by bare psycopg in several processes."""

    def __init__(self, data: Database, full: str, actions: int, in_doubt: int = 1) -> None:
        self._data, self._full, self._actions = data, full, actions
        with _recorded() as kept:
            assert actions == _deliver(data.copy(full), THREE, in_doubt)()
        self.transactions = [each for each in kept if each]
        self.rows = sum(len(rows) for each in self.transactions for _, rows in each)

    def rate(self) -> float:
        """Return how many actions a second they write, each process to tables of its own."""
        tasks = [
            Task(_replay, (self._data.copy(self._full), self.transactions, self._actions))
            for _ in range(WORKERS)
        ]
        return rate(*tasks, wanted=WORKERS * self._actions)


def deliver(data: Database, *, rounds: int = 7, size: int = 1_200) -> Iterator[Line]:
    """Compare two workers with bare psycopg, with 1 and with 20 actions of a lane in doubt."""
    actions = 3 * size
    one, half = data.filled(approvals(size)), data.filled(approvals(size // 2))
    lanes = [f"lane-{number % (size // 7)}@example.com" for number in range(size)]
    events = [approvals(1, number, contact)[0] for number, contact in enumerate(lanes)]
    long, half_long = data.filled(events), data.filled(events[: size // 2])
    bare, bare_long = _Bare(data, half, actions // 2), _Bare(data, half_long, actions // 2, 20)
    ratios, long_ratios, gains, rates = [], [], [], []
    for _ in range(rounds):
        mine, theirs = ours(data.copy(one), actions), bare.rate()
        many = ours(data.copy(long), actions, in_doubt=20)
        ratios.append(mine / theirs)
        long_ratios.append(many / bare_long.rate())
        gains.append(many / ours(data.copy(long), actions))
        rates.append(mine)
    about = f"{len(bare.transactions) / bare._actions:.3f} transactions"
    about += f" and {bare.rows / bare._actions:.1f} rows an action"
    yield at_least(f"2 workers / bare psycopg, {about}", ratios, 0.4)
    yield at_least("the same, 20 actions of a lane in doubt", long_ratios, None)
    yield at_least("20 actions of a lane in doubt / 1", gains, 8)
    yield at_least("2 workers, 1 action of a lane in doubt", rates, None, " actions/s")


SECTIONS: dict[str, Callable[[Database], Iterator[Line]]] = {
    "deliver": deliver,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the sections that are named, or all of them; 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.postgres")
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, help="how often each section measures")
    options = parser.parse_args(arguments)
    if missing := why_not():
        print(f"not run: {missing}")
        return 0
    missed = 0
    print("| figure | median (range) | wanted | |\n| --- | --- | --- | --- |")
    with database() as data:
        for name in options.sections or SECTIONS:
            more = {"rounds": options.rounds} if options.rounds else {}
            for line in partial(SECTIONS[name], **more)(data):
                holds = {None: "", True: "yes", False: "**no**"}[line.holds]
                missed += line.holds is False
                print(f"| {line.what} | {line.value} | {line.bound} | {holds} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
