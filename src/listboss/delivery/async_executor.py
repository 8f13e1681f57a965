"""`AsyncExecutor`: the same for a host with an asyncio event loop, many contacts at once.

The journal is synchronous; it is called in one thread of its own, and records several
outcomes in one turn. Synchronous providers run in threads. A task that is cancelled during
a call leaves its action to be repeated, or `unknown` if that is not safe.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from listboss._clock import utc_now
from listboss.delivery._arguments import as_count, as_moment, require_count
from listboss.delivery._batch import Lane, as_outcomes, call_of, groups_of, lane_of
from listboss.delivery._core import TOO_LATE, Core, EndingsOption, Moment
from listboss.delivery._outcome import as_outcome
from listboss.delivery._pass import Pass, ResultTask, all_done
from listboss.delivery.executor import MAX_GROUP
from listboss.delivery.journal import Forgotten, Journal
from listboss.delivery.life import Attempt, Receipt, Result, RetryPolicy
from listboss.delivery.observer import Observer
from listboss.engine.engine import Engine
from listboss.errors import StorageError
from listboss.plan import Plan
from listboss.provider import AsyncProvider, Call, Outcome, Provider, Unknown
from listboss.rules._text import refuse_unordered, wrong_type
from listboss.rules.event import Contact, Event

__all__ = ["AsyncExecutor"]

PARTS = 8
"""A turn records this part of what may be on its way, or half of the results if these are more:
calls that begin together would otherwise end together, and all wait for one turn."""

P = ParamSpec("P")
T = TypeVar("T")


class _TooLateError(Exception):
    """A call has waited for a thread until its lease was over: it was not made."""


class AsyncExecutor(Core[Provider | AsyncProvider]):
    """An `Executor` for a host with an event loop; its methods are coroutines.

    `concurrency` is how many actions one call of a method sends at the same time.
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
        require_count(concurrency, "$.concurrency", least=1)
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
        self._part = max(1, concurrency // PARTS)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="listboss-journal")
        self._calls = ThreadPoolExecutor(concurrency, thread_name_prefix="listboss-provider")

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the journal in its thread; a call that has begun is finished in any case."""
        return await asyncio.shield(self._submit(work, *args, **kwargs))

    async def accept(self, event: Event, *, replan: bool = False) -> Receipt:
        """See `Executor.accept`."""
        return await self._in_thread(self._accept, event, replan=replan)

    async def handle(self, event: Event, *, replan: bool = False) -> Receipt:
        """See `Executor.handle`."""
        return await self._handle(event, self._plan(event), replan=replan)

    async def _handle(self, event: Event, plan: Plan, *, replan: bool = False) -> Receipt:
        worked = await self._work(event_id=event.id, accept=[(event, plan)], replan=replan)
        (receipt,) = await self._in_thread(self._current, worked.receipts)
        return receipt

    async def handle_many(self, events: Iterable[Event]) -> tuple[Receipt, ...]:
        """See `Executor.handle_many`."""
        refuse_unordered(events, "$.events")
        receipts: list[Receipt] = []
        remaining = iter(events)
        while group := list(islice(remaining, MAX_GROUP)):
            worked = await self._work(accept=self._pairs(group))
            receipts += await self._in_thread(self._current, worked.receipts)
        return tuple(receipts)

    async def replan(self, event_id: str) -> Receipt:
        """See `Executor.replan`."""
        event = await self._in_thread(self._event, event_id)
        return await self.handle(event, replan=True)

    async def test(self, segmentation_id: str, email: str) -> Receipt:
        """See `Executor.test`."""
        return await self._handle(*self._test(segmentation_id, email))

    async def run_due(self, now: datetime | None = None, most: int | None = None) -> int:
        """See `Executor.run_due`."""
        at, most = as_moment(now, "$.now"), as_count(most, "$.most")
        return (await self._work(at=at, most=most)).sent

    async def resume(self, stop: asyncio.Event | None = None) -> int:
        """See `Executor.resume`."""
        await self._in_thread(self._resume)
        return (await self._work(stop=stop)).sent

    async def run(self, stop: asyncio.Event, poll: timedelta = timedelta(seconds=1)) -> None:
        """See `Executor.run`."""
        if not inspect.iscoroutinefunction(getattr(stop, "wait", None)):
            hint = "the event of a thread would hold the event loop"
            raise wrong_type("an `asyncio.Event`", stop, "$.stop", hint)
        while not stop.is_set():
            try:
                if (await self._work(stop=stop)).sent:
                    continue
                pause = self._pause(await self._in_thread(self._journal.due_at), poll)
            except StorageError as error:
                pause = self._unusable(error, poll)
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue
        await self._in_thread(self._record_left)

    async def _work(
        self,
        *,
        event_id: str | None = None,
        accept: Sequence[tuple[Event, Plan]] = (),
        replan: bool = False,
        at: datetime | None = None,
        most: int | None = None,
        stop: asyncio.Event | None = None,
    ) -> Pass:
        """Send and record until nothing is due and nothing is on its way any more."""
        work = Pass(stop, self._clock)
        try:
            while True:
                began = self._begin(at)
                left = self._concurrency - len(work.calls) - len(work.results)
                left += self._recorded_next(work)
                left = left if most is None else min(left, most - work.sent - len(work.calls))
                if stop is not None and stop.is_set():
                    left = 0
                if accept or work.results or left > 0:
                    pairs, accept = accept, ()
                    in_doubt = None if most is None else 1  # a turn gives out that many of a lane
                    await self._take_turn(
                        work, began, left, event_id, pairs, replan=replan, in_doubt=in_doubt
                    )
                if work.calls:
                    self._collect(work, await work.some_done(wait=not work.results))
                elif not work.results:
                    return work
        except asyncio.CancelledError:
            for call in work.calls:
                call.cancel()
            raise
        finally:
            await self._finish(work)

    def _recorded_next(self, work: Pass) -> int:
        """Return how many results the next turn records."""
        count = len(work.results)
        pauses = sum(result.pause_until is not None for result in work.results)  # they come first
        return min(count, max(self._part, (count + 1) // 2, pauses))

    async def _take_turn(
        self,
        work: Pass,
        began: Moment,
        want: int,
        event_id: str | None,
        accept: Sequence[tuple[Event, Plan]],
        *,
        replan: bool,
        in_doubt: int | None,
    ) -> None:
        """Record results and begin what is due; cancelled, it begins nothing, and says so."""
        count = self._recorded_next(work)
        results = work.results[:count]
        del work.results[:count]
        future = self._submit(
            self._turn,
            results,
            began.at,
            want,
            event_id,
            accept,
            replan=replan,
            in_doubt=in_doubt,
        )
        try:
            turn = await asyncio.shield(future)
        except asyncio.CancelledError:
            await all_done([future])
            given = () if future.exception() else future.result()
            work.results += [
                self._not_sent(each, self._later(began), "interrupted") for each in given
            ]
            raise
        work.receipts = work.receipts or turn.receipts
        last: dict[Lane, ResultTask] = {}  # by lane; with `in_doubt=1`, it has one call
        for group in groups_of(turn, self._providers):
            lanes = [*map(lane_of, group)] if self._in_doubt > 1 else []
            earlier = [last[lane] for lane in lanes if lane in last]
            last.update(zip(lanes, self._begin_group(work, group, began, earlier), strict=False))

    def _begin_group(
        self, work: Pass, group: Sequence[Attempt], began: Moment, earlier: Sequence[ResultTask]
    ) -> list[ResultTask]:
        """Begin one call, once the earlier ones of its lanes are over; return its results."""
        if len(group) == 1:
            return [work.begin(self._send(work, group[0], began, earlier), group[0])]
        batch = asyncio.ensure_future(self._send_batch(work, group, began, earlier))
        return [
            work.begin(self._batched(attempt, batch, number, began), attempt)
            for number, attempt in enumerate(group)
        ]

    async def _batched(
        self, attempt: Attempt, batch: asyncio.Task[list[Result]], number: int, began: Moment
    ) -> Result:
        """Return the result of one attempt of a batch."""
        try:
            await asyncio.shield(batch)
        except asyncio.CancelledError:
            batch.cancel()
            await all_done([batch])
            if batch.cancelled():  # before it began
                return self._not_sent(attempt, self._later(began), "interrupted")
        return batch.result()[number]

    async def _send_batch(
        self, work: Pass, group: Sequence[Attempt], began: Moment, earlier: Sequence[ResultTask]
    ) -> list[Result]:
        """Send several attempts in one call; return their results in their order."""
        held = await work.held_after(earlier)
        if held is None:
            return [self._not_sent(each, self._later(began), "stopped") for each in group]
        results = [self._refusal(attempt, began, held) for attempt in group]
        sent = [each for each, refusal in zip(group, results, strict=True) if refusal is None]
        try:
            outcomes = iter(await self._apply_many(sent, began))
        except asyncio.CancelledError:
            outcomes = iter([Unknown("interrupted")] * len(sent))
        except _TooLateError:
            return [
                refusal or self._not_sent(each, self._later(began), TOO_LATE)
                for each, refusal in zip(group, results, strict=True)
            ]
        later = self._later(began)
        return [
            work.with_pause(refusal)
            if refusal
            else self._policy.settle(each, next(outcomes), later)
            for each, refusal in zip(group, results, strict=True)
        ]

    async def _apply_many(self, sent: Sequence[Attempt], began: Moment) -> list[Outcome]:
        if not sent:
            return []
        provider: Any = self._providers[sent[0].planned.provider]
        call = self._call_now(call_of(sent), began)
        try:
            planned = [each.planned for each in sent]
            answer = await self._call(provider.apply_many, planned, call, began)
        except _TooLateError:
            raise
        except Exception as error:
            return [self._failed(error, sent[0].planned.provider)] * len(sent)
        return as_outcomes(answer, len(sent))

    def _collect(self, work: Pass, done: Iterable[ResultTask]) -> None:
        """Take what calls came to; what a provider raises that is not an `Exception` is raised."""
        raised: BaseException | None = None
        for call in done:
            attempt, later = work.calls.pop(call), self._clock()
            if call.cancelled():  # before it began
                work.results.append(self._not_sent(attempt, later, "interrupted"))
            elif error := call.exception():
                raised = error
                work.results.append(self._interrupted(attempt, later))
            else:
                work.results.append(call.result())
            work.sent += work.results[-1].sent
        work.results.sort(key=lambda result: result.pause_until is None)
        if raised is not None:
            raise raised

    async def _finish(self, work: Pass) -> None:
        """Wait for what is on its way, and record it; a cancellation meanwhile is not lost."""
        calls = [*work.calls]
        cancelled = await all_done(calls)
        try:
            self._collect(work, calls)
        finally:
            if work.results:
                now = self._clock()
                recorded = self._submit(self._record_at_the_end, work.results, now)
                cancelled = await all_done([recorded]) or cancelled
                recorded.result()
        if cancelled:
            raise asyncio.CancelledError

    async def _send(
        self, work: Pass, attempt: Attempt, began: Moment, earlier: Sequence[ResultTask]
    ) -> Result:
        held = await work.held_after(earlier)
        if held is None:
            return self._not_sent(attempt, self._later(began), "stopped")
        refusal = self._refusal(attempt, began, held)
        if refusal is not None:
            return work.with_pause(refusal)
        provider = self._providers[attempt.planned.provider]
        try:
            call = self._call_now(attempt.call, began)
            outcome = as_outcome(await self._call(provider.apply, attempt.planned, call, began))
        except asyncio.CancelledError:
            return self._interrupted(attempt, self._later(began))
        except _TooLateError:
            return self._not_sent(attempt, self._later(began), TOO_LATE)
        except Exception as error:
            outcome = self._failed(error, attempt.planned.provider)
        return self._policy.settle(attempt, outcome, self._later(began))

    async def _call(
        self, method: Callable[..., Any], planned: object, how: Call, began: Moment
    ) -> object:
        if inspect.iscoroutinefunction(method):
            return await method(planned, how)

        def in_time() -> object:
            if self._is_late(how, began):  # other calls had the threads
                raise _TooLateError
            return method(planned, how)

        call = asyncio.get_running_loop().run_in_executor(
            self._calls, partial(copy_context().run, in_time)
        )
        try:
            answer = await asyncio.shield(call)
        except asyncio.CancelledError:
            # A call in a thread cannot be cancelled: its answer counts until the deadline.
            await asyncio.wait({call}, timeout=self._seconds_left(how))
            if not call.done():
                raise
            answer = call.result()
        return await answer if inspect.isawaitable(answer) else answer

    def _seconds_left(self, call: Call) -> float:
        deadline = call.deadline
        return 0.0 if deadline is None else max(0.0, (deadline - self._clock()).total_seconds())

    def _submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        return asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    async def forget_async(self, contact: Contact | str) -> Forgotten:
        """Do what `forget` does without holding the event loop."""
        return await asyncio.to_thread(self.forget, contact)
