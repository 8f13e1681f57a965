"""A process that forks while a journal is open: both may go on, and neither harms the other."""

import os
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from listboss.delivery import DeliveryStatus, Executor, SqliteJournal
from listboss.errors import ConfigurationError
from listboss.provider import Applied
from tests.crash.host import NOON, approval, engine_of, forked, in_child

ENGINE = engine_of(1)
LEASE = timedelta(seconds=60)


class Account:
    """An account that applies everything."""

    capabilities = ENGINE.rules.providers["mail"]

    def apply(self, planned, call):
        """Apply the action."""
        return Applied()


@pytest.fixture
def journal(world):
    """A journal that is open, and has been used."""
    with SqliteJournal(world.journal) as journal:
        handle(journal, "e-0")
        yield journal


def handle(journal, event_id, worker=None):
    """Handle an event of a contact of its own."""
    executor = Executor(
        ENGINE, {"mail": Account()}, journal, clock=lambda: NOON, worker=worker or event_id
    )
    return executor.handle(approval(event_id, f"{event_id}@example.com"))


def done(journal):
    """Return the ids of the events that are done."""
    ids = [event.id for event in journal.events()]
    return {each for each in ids if journal.receipt(each).status is DeliveryStatus.DONE}


def test_both_go_on(journal):
    """Parent and child use the same object after the fork."""

    def child():
        for n in range(20):
            handle(journal, f"child-{n}")

    pid = forked(child)
    for n in range(20):
        handle(journal, f"parent-{n}")
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert 41 == len(done(journal))


def test_the_file_is_sound(world, journal):
    """The file is whole afterwards, in whatever order they close it."""
    in_child(lambda: [handle(journal, f"child-{n}") for n in range(5)])
    handle(journal, "parent")
    journal.close()
    with closing(sqlite3.connect(world.journal)) as connection:
        assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()
        assert (7,) == connection.execute("SELECT count(*) FROM event").fetchone()


def test_the_parent_closes(world, journal):
    """What a child writes after its parent closed the journal is not lost."""
    begin, go_on = os.pipe()

    def child():
        handle(journal, "before")
        os.read(begin, 1)
        handle(journal, "after")
        os._exit(0)  # without closing

    pid = forked(child)
    journal.close()
    SqliteJournal(world.journal).close()
    os.write(go_on, b"x")
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with SqliteJournal(world.journal) as other:
        assert {"e-0", "before", "after"} == done(other)


def test_names_stay_with_the_parent(journal):
    """A child cannot work under a name that its parent works under."""
    journal.turn("named", (), NOON)

    def child():
        with pytest.raises(ConfigurationError) as caught:
            journal.turn("named", (), NOON)
        assert "worker_taken" == caught.value.code

    assert 0 == in_child(child)


def test_a_child_does_not_keep_the_parent_alive(world):
    """When a parent is killed, its leases are free, though a child of it lives on."""
    read, write = os.pipe()

    def parent():
        journal = SqliteJournal(world.journal)
        event = approval()
        journal.accept(event, ENGINE.plan(event), NOON)
        journal.turn("parent", (), NOON, lease=LEASE)
        forked(child)
        signal.pause()

    def child():
        os.write(write, str(os.getpid()).encode())
        signal.pause()

    pid = forked(parent)
    orphan = int(os.read(read, 20))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    try:
        with SqliteJournal(world.journal) as journal:
            assert 1 == len(journal.turn("other", (), NOON, lease=LEASE))
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_fork_waits_for_a_transaction(journal):
    """A fork in the middle of another thread's work gives the child a journal that works."""
    stop = threading.Event()

    def work():
        n = 0
        while not stop.is_set():
            handle(journal, f"thread-{n}", "thread")
            n += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        codes = [in_child(partial(handle, journal, f"child-{n}")) for n in range(10)]
    finally:
        stop.set()
        thread.join()
    assert [0] * 10 == codes
    assert {f"child-{n}" for n in range(10)} <= done(journal)


def test_closed_stays_closed(world):
    """A journal that was closed before the fork is closed in the child."""
    journal = SqliteJournal(world.journal)
    journal.close()

    def child():
        with pytest.raises(OSError, match="the journal is closed"):
            journal.history()

    assert 0 == in_child(child)
