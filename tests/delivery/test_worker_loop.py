"""The loop of a worker, `run`: it goes on when the journal can be used again."""

import asyncio
import logging
import threading
from datetime import UTC, date, datetime, timedelta

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
