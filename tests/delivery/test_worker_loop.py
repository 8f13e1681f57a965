"""The loop of a worker, `run`: it goes on when the journal can be used again."""

import asyncio
import logging
import threading
from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from listboss import (
    Action,
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    Product,
    RuleSet,
    Segmentation,
)
from listboss.delivery import AsyncExecutor, Executor, MemoryJournal
from listboss.errors import StorageError
from listboss.provider import Applied

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
AT_ONCE = timedelta(milliseconds=10)
EVENT = Event(
    "purchase.approved",
    id="e-1",
    product_id="42",
    contact=Contact("ana@example.com"),
    occurred_at=NOW,
)


class FullDisk(MemoryJournal):
    """A journal whose disk is full for the first few transactions of a worker."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def turn(self, *args, **kwargs):
        """Fail, or take a turn."""
        if self.failures:
            self.failures -= 1
            raise StorageError("the file cannot be used (SQLITE_FULL)")
        return super().turn(*args, **kwargs)


class Account:
    """A provider that applies everything, and then stops the loop."""

    capabilities = Capabilities(add_tag="native")

    def __init__(self, stop) -> None:
        self.stop = stop
        self.sent: list[Action] = []

    def apply(self, planned, call):
        """Note the action, and stop."""
        self.sent.append(planned.action)
        self.stop()
        return Applied()


def engine() -> Engine:
    """Return an engine with one rule."""
    rule = Segmentation(
        "Buyers",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        actions=AddTag("buyer"),
        enabled=True,
    )
    products = [Product("42", "Course", approved_at=date(2025, 1, 1))]
    return Engine(RuleSet(products, [rule], providers={"mail": Account.capabilities}))


def test_run_goes_on_when_the_disk_has_space_again(caplog: pytest.LogCaptureFixture):
    """A full disk is logged, and what was accepted is sent as soon as there is space."""
    stop, journal = threading.Event(), FullDisk(failures=2)
    mail = Account(stop.set)
    executor = Executor(engine(), {"mail": mail}, journal, clock=lambda: NOW)
    executor.accept(EVENT)

    with caplog.at_level(logging.WARNING, "listboss.delivery"):
        executor.run(stop, poll=AT_ONCE)

    assert [AddTag("buyer")] == mail.sent
    assert "done" == journal.receipt("e-1").status
    assert 2 == sum("SQLITE_FULL" in record.getMessage() for record in caplog.records)


def test_async_run_goes_on_when_the_disk_has_space_again():
    """The same with an event loop."""

    async def main() -> tuple[Account, FullDisk]:
        stop, journal = asyncio.Event(), FullDisk(failures=2)
        loop = asyncio.get_running_loop()
        mail = Account(lambda: loop.call_soon_threadsafe(stop.set))
        executor = AsyncExecutor(engine(), {"mail": mail}, journal, clock=lambda: NOW)
        await executor.accept(EVENT)
        await executor.run(stop, poll=AT_ONCE)
        return mail, journal

    mail, journal = asyncio.run(main())

    assert [AddTag("buyer")] == mail.sent
    assert "done" == journal.receipt("e-1").status


def test_run_does_not_hide_other_errors():
    """An error that is not about storage ends the loop: it is a fault of the program."""

    class Broken(MemoryJournal):
        def turn(self, *args, **kwargs):
            raise RuntimeError("a fault of the program")

    executor = Executor(engine(), {"mail": Account(print)}, Broken(), clock=lambda: NOW)

    with pytest.raises(RuntimeError, match="a fault of the program"):
        executor.run(threading.Event(), poll=AT_ONCE)


class FullWhileSending(FullDisk):
    """A journal whose disk is full as soon as something is to be recorded."""

    def turn(self, worker, results, *args, **kwargs):
        """Fail if there is something to record, or take a turn."""
        if results:
            return super().turn(worker, results, *args, **kwargs)
        return MemoryJournal.turn(self, worker, results, *args, **kwargs)


@pytest.mark.parametrize("failures", [1, 100])
def test_an_interruption_ends_the_loop_also_while_the_disk_is_full(failures):
    """What interrupts a call ends the worker: an unusable journal does not take its place."""

    def interrupt():
        raise SystemExit

    executor = Executor(
        engine(), {"mail": Account(interrupt)}, FullWhileSending(failures), clock=lambda: NOW
    )
    executor.accept(EVENT)
    stop = threading.Event()
    timer = threading.Timer(2, stop.set)
    timer.start()
    with pytest.raises(SystemExit):
        executor.run(stop, poll=AT_ONCE)
    timer.cancel()


class Slow(Account):
    """A provider whose calls take longer and longer."""

    async def apply(self, planned, call):
        """Note the action, and take a while."""
        self.sent.append(planned.action)
        self.stop()
        await asyncio.sleep(0.2 * len(self.sent) - 0.19)
        return Applied()


@pytest.mark.parametrize("contacts", [1, 2], ids=["recording", "waiting"])
def test_a_cancelled_loop_ends_also_while_the_disk_is_full(contacts):
    """Cancelled when it records, or when it waits for another call after that failed, it ends."""

    async def main() -> bool:
        called = asyncio.Event()
        mail, journal = Slow(called.set), FullWhileSending(100)
        executor = AsyncExecutor(engine(), {"mail": mail}, journal, clock=lambda: NOW)
        for n in range(contacts):
            event = attrs.evolve(EVENT, id=f"e-{n}", contact=Contact(f"{n}@example.com"))
            await executor.accept(event)
        task = asyncio.create_task(executor.run(asyncio.Event(), poll=AT_ONCE))
        await called.wait()
        await asyncio.sleep(0.1 * (contacts - 1))
        task.cancel()
        await asyncio.wait([task], timeout=2)
        return task.cancelled()

    assert asyncio.run(asyncio.wait_for(main(), 5))


@pytest.mark.parametrize("is_async", [False, True], ids=["executor", "async"])
def test_what_could_not_be_recorded_is_recorded_at_the_end(is_async):
    """A worker that is stopped tries once more to record what it sent."""
    journal = FullWhileSending(1)

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        mail = Account(lambda: loop.call_soon_threadsafe(stop.set))
        executor = AsyncExecutor(engine(), {"mail": mail}, journal, clock=lambda: NOW)
        await executor.accept(EVENT)
        await executor.run(stop, poll=AT_ONCE)

    if is_async:
        asyncio.run(main())
    else:
        stop = threading.Event()
        executor = Executor(engine(), {"mail": Account(stop.set)}, journal, clock=lambda: NOW)
        executor.accept(EVENT)
        executor.run(stop, poll=AT_ONCE)

    assert "done" == journal.receipt("e-1").status
