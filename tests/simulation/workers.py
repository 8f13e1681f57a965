"""The workers of a simulation, and the ports by which they reach journal and accounts.

A worker is an executor that can be killed or paused at a port: `Simulation.boundary` says when.
With an event loop, a worker has one thread only, so that a history depends on its seed alone.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import attrs

from listboss import Capabilities, Event, Plan, PlannedAction
from listboss.delivery import (
    AsyncExecutor,
    Attempt,
    Executor,
    Forgotten,
    Receipt,
    Record,
    Result,
    RetryPolicy,
    Turn,
)
from listboss.provider import Call, Outcome
from listboss.rules._address import contact_key
from tests.simulation.accounts import Account, ConnectionLostError

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

__all__ = ["LEASE", "AsyncPort", "CancelledError", "Killed", "Port", "Worker"]

LEASE = timedelta(seconds=60)


class Killed(BaseException):
    """The process is gone: nothing more of it is done."""


class Silent:
    """An observer that does nothing."""

    personal_data = False

    def accepted(self, receipt: Receipt) -> None:
        """Do nothing."""

    def attempt(self, attempt: Attempt) -> None:
        """Do nothing."""

    def recorded(self, record: Record) -> None:
        """Do nothing."""


class AtOnce(ThreadPoolExecutor):
    """A pool of threads that does everything at once, in the caller's thread."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:  # the caller gets it from the future
            future.set_exception(error)
        return future


class InLoop:
    """The methods of an `AsyncExecutor` as those of an `Executor`.

    Each call has an event loop of its own, in a thread that the caller waits for: a worker may
    be paused in one loop while another one works in its own.
    """

    def __init__(self, dice: Random, *args: Any, **named: Any) -> None:
        self._dice = dice
        self.executor = AsyncExecutor(*args, **named)
        self.executor._thread = self.executor._calls = AtOnce()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.executor, name)
        if not asyncio.iscoroutinefunction(method):
            return method
        return lambda *args, **named: self._run(method(*args, **named))

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        patience = self._dice.randint(0, 60) if self._dice.random() < 0.05 else None
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, _cancelled_after(work, patience)).result()


async def _cancelled_after(work: Coroutine[Any, Any, Any], steps: int | None) -> Any:
    """Do some work; cancel it after this many steps of the loop, or never."""
    task = asyncio.ensure_future(work)
    for _ in range(steps or 0):
        await asyncio.sleep(0)
    if steps is not None:
        task.cancel()
    return await task


class Worker:
    """A process: an executor that can be killed. It reaches journal and accounts by ports."""

    def __init__(self, name: str, simulation: Simulation) -> None:
        self.name = name
        self.is_dead = False
        self.is_busy = False
        self.attempts: dict[str, Attempt] = {}
        dice, loop = simulation.dice, simulation.dice.random() < 0.5
        port: Any = AsyncPort if loop else Port
        make: Any = partial(InLoop, dice, concurrency=dice.randint(1, 6)) if loop else Executor
        self.executor = make(
            simulation.engine,
            {each: port(account, self, simulation) for each, account in simulation.at.items()},
            JournalPort(self, simulation),
            policy=RetryPolicy(),
            clock=lambda: simulation.now,
            observer=Silent(),
            worker=name,
            lease=LEASE,
            in_doubt=simulation.in_doubt,
            assume_in_sync=simulation.in_sync,
            endings=simulation.endings,
        )
        executor = self.executor.executor if loop else self.executor
        executor._monotonic = simulation.seconds


class JournalPort:
    """The journal, as one worker reaches it: around each change, anything may happen."""

    def __init__(self, worker: Worker, simulation: Simulation) -> None:
        self._worker, self._simulation = worker, simulation
        self._journal, self._ledger = simulation.journal, simulation.ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def accept(self, event: Event, plan: Plan, now: datetime, *, replan: bool = False) -> Receipt:
        """See `Journal.accept`."""
        with self._simulation.boundary(self._worker):
            receipt = self._journal.accept(event, plan, now, replan=replan)
            self._ledger.accepted(event, plan, receipt, replan=replan)
        return receipt

    def resume(self, worker: str, now: datetime) -> int:
        """See `Journal.resume`."""
        with self._simulation.boundary(self._worker):
            return self._journal.resume(worker, now)

    def retry(self, now: datetime, **wanted: Any) -> int:
        """See `Journal.retry`."""
        with self._simulation.boundary(self._worker):
            self._ledger.host_asked()
            return self._journal.retry(now, **wanted)

    def forget(self, contact: str, now: datetime) -> Forgotten:
        """See `Journal.forget`."""
        with self._simulation.boundary(self._worker):
            forgotten = self._journal.forget(contact, now)
            self._ledger.forgot(contact_key(contact), now)
        return forgotten

    def turn(self, worker: str, results: Sequence[Result], now: datetime, **terms: Any) -> Turn:
        """See `Journal.turn`."""
        steady = self._simulation.steady
        with self._simulation.boundary(self._worker):
            turn = self._journal.turn(worker, results, now, **terms)
            for (event, plan), receipt in zip(terms["accept"], turn.receipts, strict=True):
                self._ledger.accepted(event, plan, receipt, replan=terms["replan"])
            for result in results:
                self._ledger.reported(result)
            for attempt in turn:
                contact = contact_key(attempt.planned.email)
                self._ledger.given(self._worker, attempt, contact, now, steady)
                self._worker.attempts[attempt.call.key] = attempt
        return turn


class Port:
    """An account, as one worker reaches it."""

    def __init__(self, account: Account, worker: Worker, simulation: Simulation) -> None:
        self._account, self._worker, self._simulation = account, worker, simulation

    @property
    def capabilities(self) -> Capabilities:
        """What the account can do."""
        return self._account.capabilities

    def apply(self, planned: PlannedAction, call: Call) -> Outcome:
        """Carry out a call, or fail."""
        return self._end([planned], call, self._begin([planned], call))[0]

    def apply_many(self, actions: Sequence[PlannedAction], call: Call) -> list[Outcome]:
        """Carry out a call for several contacts, or fail."""
        return self._end(actions, call, self._begin(actions, call))

    def _begin(self, actions: Sequence[PlannedAction], call: Call) -> datetime:
        """Begin a call; return when it is given up: that is not set back with the clock."""
        for planned in actions:
            attempt = self._worker.attempts[planned.id]
            self._simulation.ledger.begun(attempt, self._simulation.now, self._simulation.steady)
        assert call.deadline is not None
        return call.deadline + self._simulation.set_back

    def _end(
        self, actions: Sequence[PlannedAction], call: Call, given_up: datetime
    ) -> list[Outcome]:
        simulation = self._simulation
        outcomes: list[Outcome] = []
        some_raised = False
        with simulation.boundary(self._worker):
            if simulation.steady >= given_up:
                raise ConnectionLostError  # the caller had given up before anything was sent
            for planned in actions:
                answer, is_raised = self._account.answer(
                    planned, attrs.evolve(call, key=planned.id)
                )
                some_raised |= is_raised
                simulation.ledger.sent(self._worker.attempts[planned.id], answer)
                simulation.write("call", self._account.name, planned.action, planned.id, answer)
                outcomes.append(answer)
        if some_raised:
            raise ConnectionLostError
        return outcomes

    def erase(self, email: str) -> bool:
        """Forget a contact."""
        with self._simulation.boundary(self._worker):
            self._simulation.ledger.erasing(self._account.name, contact_key(email))
            return self._account.erase(email)


class AsyncPort(Port):
    """An account that is called in an event loop: other calls go on meanwhile."""

    async def apply(self, planned: PlannedAction, call: Call) -> Outcome:  # type: ignore[override]
        """Carry out a call, or fail."""
        return (await self.apply_many([planned], call))[0]

    async def apply_many(  # type: ignore[override]
        self, actions: Sequence[PlannedAction], call: Call
    ) -> list[Outcome]:
        """Carry out a call for several contacts, or fail."""
        given_up = self._begin(actions, call)
        await self._pause()
        outcomes = self._end(actions, call, given_up)
        await self._pause()
        return outcomes

    async def _pause(self) -> None:
        for _ in range(self._simulation.dice.randint(0, 3)):
            await asyncio.sleep(0)
