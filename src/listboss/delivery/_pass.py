"""One pass of an `AsyncExecutor` over what is due: the calls on their way, and what they came to.

A call waits for the earlier ones of its lane. If one of them has to wait, the lane waits; if the
account has to wait, nothing more is sent to it from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable
from datetime import datetime
from typing import Any, TypeAlias

import attrs

from listboss.delivery._batch import ACCOUNT_WAITS, Lane, held_by
from listboss.delivery.life import Attempt, Receipt, Result

__all__ = ["Pass", "ResultTask", "all_done"]

ResultTask: TypeAlias = "asyncio.Task[Result]"


class Pass:
    """One pass over what is due: the calls on their way, and what the others came to."""

    def __init__(self, stop: asyncio.Event | None, clock: Callable[[], datetime]) -> None:
        self._stop, self._clock = stop, clock
        self._paused: dict[str, datetime] = {}
        self.sent = 0
        self.receipts: tuple[Receipt, ...] = ()
        self.results: list[Result] = []
        self.calls: dict[ResultTask, Attempt] = {}
        self._done: asyncio.Queue[ResultTask] = asyncio.Queue()

    def begin(self, send: Coroutine[Any, Any, Result], attempt: Attempt) -> ResultTask:
        """Begin a call."""
        call = asyncio.ensure_future(send)
        self.calls[call] = attempt
        call.add_done_callback(self._end)
        return call

    def _end(self, call: ResultTask) -> None:
        """Note that a call is over; if its account has to wait, it waits from now on."""
        self._done.put_nowait(call)
        if not call.cancelled() and not call.exception():
            result = call.result()
            account, until = result.attempt.planned.provider, result.pause_until
            if until is not None:
                self._paused[account] = max(until, self._paused.get(account, until))

    def with_pause(self, refusal: Result) -> Result:
        """Return what was not sent with the pause of its account: the report of it may be late."""
        until = self._paused.get(refusal.attempt.planned.provider)
        return refusal if until is None else attrs.evolve(refusal, pause_until=until)

    async def held_after(self, earlier: Collection[ResultTask]) -> dict[str | Lane, str] | None:
        """Wait for the earlier calls of some lanes; return what waits, or None if all is over."""
        if earlier:
            await asyncio.wait(earlier)
        is_stopped = self._stop is not None and self._stop.is_set()
        if is_stopped or any(call.cancelled() or call.exception() for call in earlier):
            return None
        held = held_by(call.result() for call in earlier)
        for account, until in self._paused.items():
            if until > self._clock():
                held[account] = ACCOUNT_WAITS
        return held

    async def some_done(self, *, wait: bool) -> list[ResultTask]:
        """Return the calls that are done; with `wait`, not before one is."""
        done = [await self._done.get()] if wait else []
        while not self._done.empty():
            done.append(self._done.get_nowait())
        return done


async def all_done(futures: Iterable[asyncio.Future[Any]]) -> bool:
    """Wait until all are done, however often the waiting task is cancelled; return if it was."""
    cancelled = False
    while pending := {future for future in futures if not future.done()}:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
