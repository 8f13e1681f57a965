"""A crash or an error at every SQL statement of every method: all of it counts, or nothing.

Each case prepares a journal file, and then calls one method on a copy of it, once for each
statement: the process is killed there, or the statement fails. Afterwards the file has either
every row that the whole method leaves, or every row from before.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from listboss.delivery import Executor, RetryPolicy, SqliteJournal
from listboss.errors import StorageError
from listboss.provider import Applied, Refused, Throttled
from tests.crash.host import ANA, NOON, approval, engine_of, in_child, refund
from tests.crash.statements import Fuse, FusedConnection, rows_of

ENGINE = engine_of(2)
LEASE = timedelta(seconds=60)
SETTLE = RetryPolicy(jitter=0).settle


def accepted(journal, *events):
    """Accept events."""
    for event in events:
        journal.accept(event, ENGINE.plan(event), NOON)


def sending(journal):
    """Have an action that is being sent."""
    accepted(journal, approval())
    return journal.turn("worker", (), NOON, lease=LEASE)


def taken_over(journal):
    """Have an action whose lease was ended, and that was given out again."""
    attempts = sending(journal)
    journal.resume("worker", NOON)
    journal.turn("worker", (), NOON, lease=LEASE)
    return attempts


def stuck(journal):
    """Have a refused action, and one that is planned."""
    (attempt,) = sending(journal)
    journal.turn("worker", [SETTLE(attempt, Refused("full", "limit"), NOON)], NOON, want=0)


def finished(journal):
    """Have two finished events."""
    executor = Executor(ENGINE, {"mail": _Account()}, journal, clock=lambda: NOON, worker="worker")
    executor.handle(approval())
    executor.handle(refund("e-2", minutes=1))


class _Account:
    capabilities = ENGINE.rules.providers["mail"]

    def apply(self, planned, call):
        return Applied()


def accept(journal, _prepared):
    """Accept an event that changes what the contact should have."""
    event = refund("e-9", minutes=5)
    journal.accept(event, ENGINE.plan(event), NOON)


def accept_again(journal, _prepared):
    """Plan a known event again."""
    event = approval()
    journal.accept(event, ENGINE.plan(event), NOON, replan=True)


def handle(journal, _prepared):
    """Accept an event and begin to send, in one transaction."""
    event = approval("e-9", "bruno@example.com")
    pairs = [(event, ENGINE.plan(event))]
    journal.turn("worker", (), NOON, lease=LEASE, event_id="e-9", accept=pairs)


def turn(journal, _prepared):
    """Claim lanes and note intents."""
    journal.turn("worker", (), NOON, want=5, lease=LEASE)


def record(outcome, journal, _prepared):
    """Record an outcome and claim what is next."""
    journal.turn("worker", [SETTLE(_prepared[0], outcome, NOON)], NOON, lease=LEASE)


def retry(journal, _prepared):
    """Take up what is stuck."""
    journal.retry(NOON)


def forget(journal, _prepared):
    """Forget a contact."""
    journal.forget(ANA, NOON)


def prune(journal, _prepared):
    """Delete what is too old."""
    journal.prune(NOON + timedelta(days=1))


def resume(journal, _prepared):
    """End the leases of a worker."""
    journal.resume("worker", NOON)


CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "accept": (accepted, accept),
    "accept a late event": (finished, accept),
    "replan": (stuck, accept_again),
    "handle": (finished, handle),
    "turn": (lambda journal: accepted(journal, approval(), refund("e-2", minutes=1)), turn),
    "record applied": (sending, partial(record, Applied())),
    "record throttled": (sending, partial(record, Throttled(timedelta(seconds=9)))),
    "record too late": (taken_over, partial(record, Applied())),
    "retry": (stuck, retry),
    "forget while sending": (sending, forget),
    "forget": (finished, forget),
    "prune": (finished, prune),
    "resume": (sending, resume),
}

TRANSACTIONS = {"forget": 2, "forget while sending": 2, "prune": 2}
"""Methods that are more than one transaction, since they tidy up."""


@pytest.fixture
def fused(monkeypatch):
    """Let the library connect with a fuse, which burns only when a test sets one."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=FusedConnection))
    monkeypatch.setattr(FusedConnection, "fuse", Fuse())


@pytest.fixture(params=CASES)
def case(request, folder):
    """A prepared file, the method to call on it, and the rows before and after the method."""
    prepare, call = CASES[request.param]
    with SqliteJournal(folder / "before.db", keep=None) as journal:
        prepared = prepare(journal)
    before = rows_of(folder / "before.db")
    shutil.copy(folder / "before.db", folder / "after.db")
    with SqliteJournal(folder / "after.db", keep=None) as journal:
        call(journal, prepared)
    return (
        request.param,
        folder,
        partial(call, _prepared=prepared),
        before,
        rows_of(folder / "after.db"),
    )


def copy_of(folder: Path) -> Path:
    """Return a new copy of the prepared file."""
    shutil.copy(folder / "before.db", folder / "journal.db")
    for left in folder.glob("journal.db-*"):
        left.unlink()
    return folder / "journal.db"


@pytest.mark.usefixtures("fused")
class TestEveryStatement:
    """Each method, ended at each of its statements."""

    def test_killed(self, case):
        """A process that is killed at any statement leaves all of a transaction or nothing."""
        name, folder, call, before, after = case
        seen = []
        for at in range(1, 1_000):
            path = copy_of(folder)
            if in_child(partial(called, call, path, at)) == 0:
                break
            seen.append(rows_of(path))
        states = [rows for rows, _ in groupby(seen)]
        assert before == states[0]
        assert len(states) <= 1 + TRANSACTIONS.get(name, 1)
        assert all(rows == after for rows in states[TRANSACTIONS.get(name, 1) :])

    def test_failed(self, case):
        """A statement that fails leaves all or nothing, and the journal can be used again."""
        name, folder, call, before, after = case
        for at in range(1, 1_000):
            path = copy_of(folder)
            with SqliteJournal(path, keep=None) as journal:
                FusedConnection.fuse = fuse = Fuse(at)
                with suppress(StorageError):
                    call(journal)
                FusedConnection.fuse = Fuse()
                if len(fuse.statements) < at:
                    break
                if rows_of(path) == before:
                    call(journal)
                assert after == rows_of(path) or name in TRANSACTIONS, fuse.statements[-1]
        assert at > 5


def called(call, path, at):
    """Open the file and call the method, until the process is killed."""
    with SqliteJournal(path, keep=None) as journal:
        FusedConnection.fuse = Fuse(at, kills=True)
        call(journal)
        FusedConnection.fuse = Fuse()
