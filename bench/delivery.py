"""Measure delivery on one machine: what a journal costs, and whether the cost stays flat.

`python -m bench.delivery [SECTION ...]` prints one Markdown table. Every figure is a ratio of
two measurements that take turns, so a machine that slows down changes both. The sections:

- `handle`: `Executor.handle` on a file, next to bare `sqlite3` that runs the same statements
  that change the file, with the same values in the same transactions. `handle_many` next to
  `handle`.
- `concurrency`: `AsyncExecutor` next to what the latency of the provider allows.
- `processes`: how two processes share one file.
- `flat`: one call in a small journal, next to the same call in a large one.

INVARIANT: a figure is printed only after the calls did what they were measured for.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, ClassVar, NamedTuple, TypeAlias

from bench import grown, slow_disk
from bench.table import Line, at_least, at_most, print_lines, print_title, seconds
from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    Product,
    RuleSet,
    Segmentation,
    _sqlite,
)
from listboss.delivery import AsyncExecutor, Executor, MemoryJournal, SqliteJournal, sqlite
from listboss.provider import Applied, Throttled

__all__ = ["main"]

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CONCURRENCY, LATENCY = 100, 0.02


class Mail:
    """An account that does everything at once, and counts it."""

    capabilities = Capabilities.everything()

    def __init__(self, answer: Any = None) -> None:
        self.calls, self.answer = 0, answer or Applied()

    def apply(self, _action: Any, _call: Any) -> Any:
        """Count a call."""
        self.calls += 1
        return self.answer


class SlowMail(Mail):
    """The same after the latency of a network."""

    async def apply(self, _action: Any, _call: Any) -> Any:
        """Wait, and count a call."""
        await asyncio.sleep(LATENCY)
        self.calls += 1
        return self.answer


def engine(*actions: Any) -> Engine:
    """Return an engine with one rule: what an approval of product 42 asks for."""
    rule = Segmentation(
        "buyers",
        id="buyers",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        actions=actions,
        enabled=True,
    )
    product = Product("42", "Course", approved_at=date(2025, 1, 1))
    return Engine(RuleSet([product], [rule], providers={"mail": Mail.capabilities}))


THREE = (AddTag("buyer"), AddTag("course"), AddLead("Buyers"))
ONE = (AddTag("buyer"),)


def approvals(count: int, start: int = 0, contact: str | None = None) -> list[Event]:
    """Make approvals, each of a contact of its own unless one is given."""
    return [
        Event(
            "purchase.approved",
            id=f"e-{n:07}",
            product_id="42",
            contact=Contact(contact or f"contact-{n:07}@example.com", name="Ana"),
            occurred_at=NOW + timedelta(seconds=n),
            transaction=f"HP{n:07}",
        )
        for n in range(start, start + count)
    ]


def executor(journal: Any, mail: Mail | None = None, actions: Any = ONE, **more: Any) -> Executor:
    """Return an executor with a clock that does not move."""
    return Executor(engine(*actions), {"mail": mail or Mail()}, journal, clock=lambda: NOW, **more)


# --- handle ----------------------------------------------------------------------------------


_Statement: TypeAlias = tuple[str, list[Any]]


class _Recorder(sqlite3.Connection):
    """A connection that keeps what changes the file, with its values."""

    statements: ClassVar[list[_Statement]] = []

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        if sql.startswith(("BEGIN IMMEDIATE", "COMMIT", "INSERT", "UPDATE", "DELETE")):
            self.statements.append((sql, [tuple(values)]))
        return super().execute(sql, values)

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
        values = [tuple(row) for row in rows]
        self.statements.append((sql, values))
        return super().executemany(sql, values)


@contextmanager
def _recorded() -> Iterator[list[_Statement]]:
    connect = sqlite3.connect
    sqlite3.connect = partial(connect, factory=_Recorder)  # type: ignore[assignment]
    _Recorder.statements = []
    try:
        yield _Recorder.statements
    finally:
        sqlite3.connect = connect


def _bare(path: Path, *, indexes: bool) -> sqlite3.Connection:
    """Open a file as the journal does, with its tables, and without its indexes if asked."""
    connection = _sqlite.connect(path, 1, sqlite._MIGRATIONS)
    if not indexes:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for (name,) in names:
            connection.execute(f"DROP INDEX {name}")
    return connection


def _replay(connection: sqlite3.Connection, statements: Sequence[Any]) -> None:
    for sql, rows in statements:
        if len(rows) == 1:
            connection.execute(sql, rows[0])
        else:
            connection.executemany(sql, rows)


def _replays(path: Path, work: Sequence[Callable[[Executor], object]]) -> list[list[_Statement]]:
    """Do the work on a journal of its own, and return the statements of each part."""
    found: list[list[_Statement]] = []
    with _recorded() as statements, SqliteJournal(path) as journal:
        worker = executor(journal, actions=THREE, worker="w")
        for each in work:
            statements.clear()
            each(worker)
            found.append([*statements])
    return found


def _one_by_one(events: Sequence[Event]) -> Callable[[Executor], object]:
    return lambda worker: [worker.handle(event) for event in events]


def _together(events: Sequence[Event]) -> Callable[[Executor], object]:
    return lambda worker: worker.handle_many(events)


def handle(folder: Path, *, rounds: int = 15, size: int = 100) -> Iterator[Line]:
    """Compare `handle` with bare sqlite3, and `handle_many` with `handle`."""
    work = [_one_by_one(approvals(size, n * size)) for n in range(rounds + 1)]
    replays = _replays(folder / "recorded.db", work)
    commits = sum(sql == "COMMIT" for sql, _ in replays[0]) / size
    changed = sum(len(rows) for sql, rows in replays[0] if sql not in ("COMMIT", "BEGIN IMMEDIATE"))
    with (
        _bare(folder / "bare.db", indexes=True) as bare,
        _bare(folder / "plain.db", indexes=False) as plain,
        SqliteJournal(folder / "handle.db") as journal,
    ):
        worker = executor(journal, actions=THREE, worker="w")
        ratios, to_plain, rates = [], [], []
        for number, (each, replay) in enumerate(zip(work, replays, strict=True)):
            ours = seconds(partial(each, worker))
            theirs = seconds(partial(_replay, bare, replay))
            fewer = seconds(partial(_replay, plain, replay))
            if number:  # the first round warms up
                ratios.append(theirs / ours)
                to_plain.append(fewer / ours)
                rates.append(size / ours)
        tables = ("event", "action", "mark", "target", "record")
        for table in tables:
            counts = {
                each.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for each in (bare, plain, journal._connection)  # type: ignore[union-attr]
            }
            assert len(counts) == 1
    about = f"{commits:g} commits and {changed / size:g} rows an event"
    yield at_least(f"handle / bare sqlite3, {about}", ratios, 0.4)
    yield at_least("handle / bare sqlite3 without secondary indexes", to_plain, None)
    yield at_least("handle, three actions", rates, None, " events/s")


def many(folder: Path, *, rounds: int = 9, size: int = 100, groups: int = 5) -> Iterator[Line]:
    """Compare `handle_many` in groups of 100 with one by one, and do the same without us.

    What groups gain depends on the disk: bare sqlite3 that runs the same statements shows how
    much there is to gain. `--flush-ms 1` measures as on a disk with slower flushes.
    """
    assert size == 100
    work: list[Callable[[Executor], object]] = []
    for number in range(rounds + 1):
        done = number * (groups + 1) * size
        work.append(_one_by_one(approvals(size, done)))
        work.append(_together(approvals(groups * size, done + size)))
    replays = _replays(folder / "recorded-many.db", work)
    with (
        _bare(folder / "bare-many.db", indexes=True) as bare,
        SqliteJournal(folder / "many.db") as journal,
    ):
        mail = Mail()
        worker = executor(journal, mail, THREE, worker="w")
        ratios, bare_ratios, shares, rates = [], [], [], []
        for number in range(0, len(work), 2):
            one, all_ = [seconds(partial(each, worker)) for each in work[number : number + 2]]
            bare_one, bare_all = [
                seconds(partial(_replay, bare, each)) for each in replays[number : number + 2]
            ]
            if number:
                ratios.append(one * groups / all_)
                bare_ratios.append(bare_one * groups / bare_all)
                shares.append(bare_all / all_)
                rates.append(groups * size / all_)
        assert mail.calls == 3 * (rounds + 1) * (groups + 1) * size
    yield at_least("handle_many in groups of 100 / handle one by one", ratios, 8)
    yield at_least("the same for bare sqlite3", bare_ratios, None)
    yield at_least("handle_many / bare sqlite3 in the same groups", shares, None)
    yield at_least("handle_many, three actions", rates, None, " events/s")


# --- concurrency -----------------------------------------------------------------------------


def concurrency(folder: Path, *, rounds: int = 5, count: int = 2_000) -> Iterator[Line]:
    """Compare `AsyncExecutor` with the provider's latency, shared by all calls at once."""
    for name in ("file", "memory"):
        shares = []
        for number in range(rounds):
            path = folder / f"concurrency-{number}.db"
            journal: Any = SqliteJournal(path) if name == "file" else MemoryJournal()
            shares.append(asyncio.run(_share(journal, count)))
            if name == "file":
                journal.close()
        yield at_least(f"AsyncExecutor / ideal, journal in {name}", shares, 0.8)


async def _share(journal: Any, count: int) -> float:
    mail = SlowMail()
    worker = AsyncExecutor(
        engine(*ONE), {"mail": mail}, journal, clock=lambda: NOW, concurrency=CONCURRENCY
    )
    for event in approvals(count):
        journal.accept(event, worker.engine.plan(event), NOW)
    started = perf_counter()
    await worker.run_due()
    seconds = perf_counter() - started
    assert mail.calls == count
    return count / CONCURRENCY * LATENCY / seconds


# --- processes -------------------------------------------------------------------------------


def processes(folder: Path, *, rounds: int = 5, count: int = 2_000) -> Iterator[Line]:
    """Let two processes work on one file, and compare what each did."""
    smaller = []
    for number in range(rounds):
        path = folder / f"processes-{number}.db"
        with SqliteJournal(path) as journal:
            accepting = executor(journal)
            for event in approvals(count):
                accepting.accept(event)
        context = multiprocessing.get_context("spawn")
        barrier, queue = context.Barrier(2), context.Queue()
        crew = [
            context.Process(target=_work, args=(path, name, barrier, queue)) for name in ("a", "b")
        ]
        for each in crew:
            each.start()
        done = [queue.get() for _ in crew]
        for each in crew:
            each.join()
        assert sum(done) == count
        smaller.append(min(done) / count)
    yield at_least("the smaller share of two processes", smaller, 0.3)


def _work(path: Path, name: str, barrier: Any, queue: Any) -> None:
    with SqliteJournal(path) as journal:
        mail = Mail()
        worker = executor(journal, mail, worker=name)
        barrier.wait()
        worker.run_due()
        queue.put(mail.calls)


# --- flat ------------------------------------------------------------------------------------


class _Case(NamedTuple):
    """What is called in both journals: once in each round, with the number of the round."""

    what: str
    call: Callable[[SqliteJournal, int], object]


def _accept(journal: Any, number: int) -> object:
    (event,) = approvals(1, 5_000_000 + number)
    return journal.accept(event, PLANNING.plan(event), NOW)


def _claim(journal: Any, _number: int) -> object:
    """Claim the lane of the event that was accepted last, and record that it was done."""
    (attempt,) = journal.turn("w", (), NOW, want=1)
    result = executor(journal)._policy.settle(attempt, Applied(), NOW)
    return journal.turn("w", (result,), NOW, want=0)


def _due(journal: Any, _number: int) -> object:
    return journal.due_at()


PLANNING = engine(*ONE)
CASES = (_Case("accept", _accept), _Case("claim and record", _claim), _Case("due", _due))


def _flat(what: str, small: Any, large: Any, *, rounds: int = 320) -> Iterator[Line]:
    """Compare calls in two journals, in turns, by the processor time that they take."""
    times: dict[tuple[str, int], list[float]] = {}
    for number in range(rounds):
        for case in CASES:
            for size, journal in ((0, small), (1, large))[:: 1 if number % 2 else -1]:
                spent = seconds(lambda c=case, j=journal, n=number: c.call(j, n), process_time)
                times.setdefault((case.what, size), []).append(spent)
    part = rounds // 4  # each has as many rounds in which the small one came first
    for case in CASES:
        quarters = [
            [statistics.fmean(times[case.what, size][n * part :][:part]) for n in range(4)]
            for size in (0, 1)
        ]
        ratios = [large / small for small, large in zip(*quarters, strict=True)]
        yield at_most(f"{case.what}: {what}", ratios, 1.5)


def flat(folder: Path, *, events: int = 1_000_000) -> Iterator[Line]:
    """Compare a journal of 1,000 finished events with one of a million, and with backlogs."""
    small, large = folder / "small.db", folder / "large.db"
    for path in (small, large):
        with SqliteJournal(path) as journal:
            executor(journal).handle_many(approvals(1_000))
    grown.multiply(large, events // 1_000)
    with SqliteJournal(small) as one, SqliteJournal(large) as other:
        assert (1_000, events) == (one.count(), other.count())
        yield from _flat(f"{events:,} finished events / 1,000", one, other)


def waiting(folder: Path, *, count: int = 20_000) -> Iterator[Line]:
    """Compare a journal of which 20,000 actions wait with one of which none does."""
    with SqliteJournal(folder / "none.db") as one, SqliteJournal(folder / "waiting.db") as other:
        executor(one).handle_many(approvals(1_000))
        wait = Throttled(timedelta(days=1), scope="contact")
        executor(other, Mail(wait)).handle_many(approvals(count))
        assert (None, NOW + timedelta(minutes=15)) == (one.due_at(), other.due_at())
        yield from _flat(f"{count:,} waiting / none", one, other)


def _finish(journal: Any, events: Sequence[Event]) -> Callable[[], object]:
    worker = executor(journal)
    return lambda: [worker.handle(event) for event in events]


def grants(_folder: Path, *, count: int = 10_000) -> Iterator[Line]:
    """Compare a contact that bought 10,000 times with one that bought once."""
    for name, journal in (
        ("memory", MemoryJournal()),
        ("file", SqliteJournal(_folder / "grants.db")),
    ):
        executor(journal).handle_many(approvals(count, contact="many@example.com"))
        executor(journal).handle_many(approvals(1, count, contact="one@example.com"))
        start, ratios = count + 1, []
        for _ in range(9):
            few = _finish(journal, approvals(50, start, "one@example.com"))
            lots = _finish(journal, approvals(50, start + 50, "many@example.com"))
            start += 100
            ratios.append(seconds(lots, process_time) / seconds(few, process_time))
        yield at_most(f"handle: a contact of {count:,} grants / of few, {name}", ratios, 1.5)


def hot(folder: Path, *, count: int = 10_000) -> Iterator[Line]:
    """Compare a lane of 10,000 actions with 10,000 lanes of one action."""
    for name in ("memory", "file"):
        journals: list[Any] = [MemoryJournal(), MemoryJournal()]
        if name == "file":
            journals = [SqliteJournal(folder / f"{kind}.db") for kind in ("cold", "hot")]
        works = []
        for journal, contact in zip(journals, (None, "hot@example.com"), strict=True):
            accepting = executor(journal)
            for event in approvals(count, contact=contact):
                accepting.accept(event)
            works.append(executor(journal))
        ratios = []
        for _ in range(9):
            cold, warm = (
                seconds(lambda w=work: w._work(1, most=count // 20), process_time) for work in works
            )
            ratios.append(warm / cold)
        yield at_most(f"an action: a lane of {count:,} / lanes of one, {name}", ratios, 1.5)


SECTIONS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "handle": handle,
    "many": many,
    "concurrency": concurrency,
    "processes": processes,
    "flat": flat,
    "waiting": waiting,
    "grants": grants,
    "hot": hot,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the sections that are named, or all of them; 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.delivery")
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--folder", help="where the files are made: on the disk to be measured")
    parser.add_argument("--flush-ms", type=float, help="how much longer a flush takes, on Linux")
    options = parser.parse_args(arguments)
    if options.flush_ms:
        more = [] if options.folder is None else ["--folder", options.folder]
        return slow_disk.run("bench.delivery", [*options.sections, *more], options.flush_ms)
    missed = 0
    print_title()
    for name in options.sections or SECTIONS:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            missed += print_lines(SECTIONS[name](Path(folder)))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
