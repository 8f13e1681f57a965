"""A task of `AsyncExecutor` is cancelled at every await: the same promises as after a crash.

And better: nothing is left leased, since the process lives and records what it knows.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine, Generator
from concurrent.futures import Executor as Pool
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest

from listboss.delivery import AsyncExecutor, DeliveryStatus, SqliteJournal
from listboss.provider import Applied
from tests.crash.host import NOON, approval, engine_of

ENGINE = engine_of(2)
EVENTS = [approval(f"e-{n}", f"{n}@example.com") for n in range(3)]
LATER = NOON + timedelta(minutes=1)


class Inline(Pool):
    """A pool without threads: it works at once, so that each run has the same awaits."""

    def submit(self, work, /, *args, **kwargs):
        """Do the work, and return it as done."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class CancelAt:
    """Awaits a coroutine, and cancels the task that does at the n-th time that it waits."""

    def __init__(self, work: Coroutine[Any, Any, Any], at: int | None) -> None:
        self.work, self.at, self.awaits = work, at, 0

    def __await__(self) -> Generator[Any, Any, Any]:
        """Pass on what the coroutine waits for."""
        steps = self.work.__await__()
        error: BaseException | None = None
        while True:
            try:
                waits_for = steps.send(None) if error is None else steps.throw(error)
            except StopIteration as stop:
                return stop.value
            error, self.awaits = None, self.awaits + 1
            if self.awaits == self.at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield waits_for
            except BaseException as raised:
                error = raised


class Account:
    """An asynchronous account, which takes two rounds of the loop to answer."""

    capabilities = ENGINE.rules.providers["mail"]

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def apply(self, planned, call):
        """Apply the action after a while."""
        self.keys.append(call.key)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return Applied()


class BlockingAccount(Account):
    """A synchronous account, which is called in a thread."""

    def apply(self, planned, call):
        """Apply the action after a millisecond."""
        self.keys.append(call.key)
        threading.Event().wait(0.001)
        return Applied()


def executor_of(journal, account, now=NOON, *, inline=True, concurrency=2):
    """Make an executor whose clock does not move."""
    executor = AsyncExecutor(
        ENGINE, {"mail": account}, journal, clock=lambda: now, concurrency=concurrency
    )
    if inline:
        executor._thread.shutdown()
        executor._thread = Inline()  # type: ignore[assignment]
    return executor


async def handle(executor):
    """Handle one event."""
    await executor.handle(EVENTS[0])


async def handle_many(executor):
    """Handle all events."""
    await executor.handle_many(EVENTS)


async def accept_and_run(executor):
    """Accept all events, and send what is due."""
    for event in EVENTS:
        await executor.accept(event)
    await executor.run_due()


async def resume(executor):
    """Send, as when a process starts."""
    await executor.accept(EVENTS[0])
    await executor.resume()


async def replan(executor):
    """Plan a known event again."""
    await executor.accept(EVENTS[0])
    await executor.replan("e-0")


async def run(executor):
    """Work until a task stops it."""
    await executor.accept(EVENTS[0])
    stop = asyncio.Event()
    stopper = asyncio.ensure_future(_stop_later(stop))
    try:
        await executor.run(stop)
    finally:
        stopper.cancel()


async def _stop_later(stop):
    for _ in range(20):
        await asyncio.sleep(0)
    stop.set()


WAYS = [handle, handle_many, accept_and_run, resume, replan, run]


def cancelled(journal, account, work, at, **options):
    """Do the work and cancel it at an await; return whether it got that far."""

    async def main() -> int:
        waiting = CancelAt(work(executor_of(journal, account, **options)), at)

        async def cancellable() -> None:
            await waiting

        task = asyncio.ensure_future(cancellable())
        await asyncio.wait([task])
        return waiting.awaits

    return asyncio.run(main()) >= at


def check(journal, account, folder, at):
    """Nothing is left leased, and a later pass sends what is missing, twice at most."""
    kept = [event.id for event in journal.events()]
    states = [state for each in kept for state in journal.receipt(each).states]
    assert "sending" not in {state.status for state in states}, at
    known = {s.planned.id: s.attempts for s in states if s.attempts}
    assert set(account.keys) <= known.keys(), at
    asyncio.run(executor_of(journal, account, LATER).handle_many(EVENTS))
    done = {journal.receipt(event.id).status for event in EVENTS}
    assert {DeliveryStatus.DONE} == done, at
    twice = [key for key, times in Counter(account.keys).items() if times > 1]
    assert all(Counter(account.keys)[key] == 2 for key in twice), at
    return len(twice)


@pytest.mark.parametrize("work", WAYS, ids=lambda work: work.__name__)
def test_every_await(folder, work):
    """Cancelled at any await, every event that was accepted is carried out all the same."""
    repeated = []
    for at in range(1, 500):
        account = Account()
        with SqliteJournal(folder / f"{at}.db") as journal:
            more = cancelled(journal, account, work, at)
            repeated.append(check(journal, account, folder, at))
        if not more:
            break
    assert at > 2
    assert max(repeated) <= 2  # what was on its way at that moment


@pytest.mark.parametrize("work", [handle_many, accept_and_run], ids=lambda work: work.__name__)
def test_calls_in_threads(folder, amount, work):
    """A call in a thread is waited for: what it did is recorded, and not done twice."""
    for at in range(1, amount(ci=40, soak=400)):
        account = BlockingAccount()
        with SqliteJournal(folder / f"{at}.db") as journal:
            more = cancelled(journal, account, work, at, inline=False)
            assert 0 == check(journal, Waiting(account), folder, at)
        if not more:
            break


class Waiting(Account):
    """The account as an asynchronous one, with the calls that it has got."""

    def __init__(self, account) -> None:
        self.keys = account.keys


def test_twice(folder):
    """Cancelled again while it records, it records all the same."""
    for at in range(1, 100):
        account = Account()
        with SqliteJournal(folder / f"{at}.db") as journal:

            async def main(at=at, account=account, journal=journal):
                executor = executor_of(journal, account, inline=False)
                waiting = CancelAt(executor.handle_many(EVENTS), at)

                async def cancellable():
                    await waiting

                task = asyncio.ensure_future(cancellable())
                while not task.done():
                    await asyncio.sleep(0)
                    if waiting.awaits > at:
                        task.cancel()
                return waiting.awaits

            more = asyncio.run(main()) >= at
            check(journal, account, folder, at)
        if not more:
            break


def test_while_the_journal_fails(folder, monkeypatch):
    """Calls on their way end by themselves when the journal cannot be used, and are recorded."""
    account = Account()
    with SqliteJournal(folder / "journal.db") as journal:
        executor = executor_of(journal, account)
        turn, turns = journal.turn, []

        def failing(*args, **kwargs):
            turns.append(args)
            if len(turns) == 2:
                raise OSError("no space")
            return turn(*args, **kwargs)

        monkeypatch.setattr(journal, "turn", failing)

        async def main():
            with pytest.raises(OSError, match="no space"):
                await executor.handle_many(EVENTS)
            await executor.run_due()

        asyncio.run(main())
        assert 6 == len(account.keys) == len({*account.keys})
        assert {DeliveryStatus.DONE} == {journal.receipt(each.id).status for each in EVENTS}
