"""`AsyncExecutor`: the same for a host with an asyncio event loop, many contacts at once.

The journal is synchronous; it is called in one thread of its own, and records several
outcomes in one turn. Synchronous providers run in threads. A task that is cancelled during
a call leaves its action to be repeated, or `unknown` if that is not safe.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from listboss._clock import utc_now
from listboss.delivery._core import Core, EndingsOption, as_outcome
from listboss.delivery.executor import MAX_GROUP
from listboss.delivery.journal import Forgotten, Journal
from listboss.delivery.life import Attempt, DeliveryStatus, Receipt, Result, RetryPolicy
from listboss.delivery.observer import Observer
from listboss.engine.engine import Engine
from listboss.errors import ConfigurationError, StorageError
from listboss.provider import AsyncProvider, Provider, Unknown
from listboss.rules.event import Contact, Event

__all__ = ["AsyncExecutor"]

P = ParamSpec("P")
T = TypeVar("T")


class AsyncExecutor(Core[Provider | AsyncProvider]):
    """An `Executor` for a host with an event loop; its methods are coroutines.

    `concurrency` is how many actions are sent at the same time.
    """

    def __init__(
        self,
        engine: Engine,
        providers: Mapping[str, Provider | AsyncProvider],
        journal: Journal,
        *,
        policy: RetryPolicy | None = None,
        clock: Callable[[], datetime] = utc_now,
        observer: Observer | None = None,
        worker: str | None = None,
        lease: timedelta = timedelta(seconds=60),
        in_doubt: int = 1,
        assume_in_sync: bool = False,
        endings: EndingsOption = "by_grant",
        concurrency: int = 100,
    ) -> None:
        if concurrency < 1:
            raise ConfigurationError("expected an integer of at least 1", path="$.concurrency")
        super().__init__(
            engine,
            providers,
            journal,
            policy=policy,
            clock=clock,
            observer=observer,
            worker=worker,
            lease=lease,
            in_doubt=in_doubt,
            assume_in_sync=assume_in_sync,
            endings=endings,
        )
        self._concurrency = concurrency
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="listboss-journal")

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the journal in its thread; a call that has begun is always waited for."""
        future = self._thread.submit(work, *args, **kwargs)
        return await asyncio.shield(asyncio.wrap_future(future))

    async def accept(self, event: Event, *, replan: bool = False) -> Receipt:
        """See `Executor.accept`."""
        return await self._in_thread(self._accept, event, replan=replan)

    async def handle(self, event: Event, *, replan: bool = False) -> Receipt:
        """See `Executor.handle`."""
        receipt = await self.accept(event, replan=replan)
        if receipt.status is not DeliveryStatus.CONFLICT:
            await self._work(event_id=event.id)
            receipt = await self._in_thread(self._journal.receipt, event.id)
        return receipt

    async def handle_many(self, events: Iterable[Event]) -> tuple[Receipt, ...]:
        """See `Executor.handle_many`."""
        receipts: list[Receipt] = []
        remaining = iter(events)
        while group := list(islice(remaining, MAX_GROUP)):
            await self._in_thread(self._accept_many, group)
            await self._work()
            receipts += [await self._in_thread(self._journal.receipt, event.id) for event in group]
        return tuple(receipts)

    async def replan(self, event_id: str) -> Receipt:
        """See `Executor.replan`."""
        await self._in_thread(self._accept_again, event_id)
        await self._work(event_id=event_id)
        return await self._in_thread(self._journal.receipt, event_id)

    async def test(self, segmentation_id: str, email: str) -> Receipt:
        """See `Executor.test`."""
        receipt = await self._in_thread(self._accept_test, segmentation_id, email)
        await self._work(event_id=receipt.event_id)
        return await self._in_thread(self._journal.receipt, receipt.event_id)

    async def run_due(self, now: datetime | None = None, most: int | None = None) -> int:
        """See `Executor.run_due`."""
        return await self._work(at=now, most=most)

    async def resume(self) -> int:
        """See `Executor.resume`."""
        await self._in_thread(self._journal.resume, self._worker, self._clock())
        return await self.run_due()

    async def run(self, stop: asyncio.Event, poll: timedelta = timedelta(seconds=1)) -> None:
        """See `Executor.run`."""
        while not stop.is_set():
            try:
                if await self._work(stop=stop):
                    continue
                pause = self._pause(await self._in_thread(self._journal.due_at), poll)
            except StorageError as error:
                pause = self._unusable(error, poll)
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue

    async def _work(
        self,
        *,
        event_id: str | None = None,
        at: datetime | None = None,
        most: int | None = None,
        stop: asyncio.Event | None = None,
    ) -> int:
        """Send and record until nothing is due and nothing is on its way any more."""
        sent, results, tasks = 0, list[Result](), set[asyncio.Task[Result]]()
        try:
            while True:
                now = self._clock() if at is None else at
                left = self._concurrency - len(tasks)
                left = left if most is None else min(left, most - sent)
                if stop is not None and stop.is_set():
                    left = 0
                if results or left > 0:
                    recorded, results = results, []
                    turn = await self._in_thread(self._turn, recorded, now, left, event_id)
                    sent += len(turn)
                    tasks |= {asyncio.ensure_future(self._send(each, now)) for each in turn}
                if not tasks:
                    return sent
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                results += [task.result() for task in done]
        finally:
            results += await self._stopped(tasks)
            if results:
                await self._in_thread(self._turn, results, self._clock(), 0)

    async def _stopped(self, tasks: set[asyncio.Task[Result]]) -> list[Result]:
        """Cancel what is on its way, and return what it came to."""
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        return [each for each in results if isinstance(each, Result)]

    async def _send(self, attempt: Attempt, now: datetime) -> Result:
        refusal = self._refusal(attempt, self._later(now))
        if refusal is not None:
            return self._settle(attempt, refusal, self._later(now))
        provider = self._providers[attempt.planned.provider]
        try:
            outcome = as_outcome(await self._call(provider, attempt))
        except asyncio.CancelledError:
            outcome = Unknown("interrupted")
        except Exception as error:
            outcome = self._failed(error)
        return self._settle(attempt, outcome, self._later(now))

    async def _call(self, provider: Any, attempt: Attempt) -> object:
        if inspect.iscoroutinefunction(provider.apply):
            return await provider.apply(attempt.planned, attempt.call)
        answer = await asyncio.to_thread(provider.apply, attempt.planned, attempt.call)
        return await answer if inspect.isawaitable(answer) else answer

    async def forget_async(self, contact: Contact | str) -> Forgotten:
        """Do what `forget` does without holding the event loop."""
        return await asyncio.to_thread(self.forget, contact)
