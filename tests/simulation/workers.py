"""The workers of a simulation, and the ports by which they reach journal and accounts.

A worker is an executor that can be killed or paused at a port: `Simulation.boundary` says when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from listboss import Capabilities, Event, Plan, PlannedAction
from listboss.delivery import (
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


class Worker:
    """A process: an executor that can be killed. It reaches journal and accounts by ports."""

    def __init__(self, name: str, simulation: Simulation) -> None:
        self.name = name
        self.is_dead = False
        self.is_busy = False
        self.attempts: dict[str, Attempt] = {}
        ports = {each: Port(account, self, simulation) for each, account in simulation.at.items()}
        self.executor = Executor(
            simulation.engine,
            ports,
            JournalPort(self, simulation),  # type: ignore[arg-type] # passes on what it lacks
            policy=RetryPolicy(),
            clock=lambda: simulation.now,
            observer=Silent(),
            worker=name,
            lease=LEASE,
            in_doubt=simulation.in_doubt,
            assume_in_sync=simulation.in_sync,
            endings=simulation.endings,
        )
        self.executor._monotonic = simulation.seconds


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
        simulation = self._simulation
        assert call.deadline is not None
        given_up = call.deadline + simulation.set_back  # a timeout is not set back with the clock
        with simulation.boundary(self._worker):
            if simulation.steady >= given_up:
                raise ConnectionLostError  # the caller had given up before anything was sent
            answer, is_raised = self._account.answer(planned, call)
            simulation.ledger.sent(self._worker.attempts[call.key], answer)
            simulation.write("call", self._account.name, planned.action, call.key, answer)
        if is_raised:
            raise ConnectionLostError
        return answer

    def erase(self, email: str) -> bool:
        """Forget a contact."""
        with self._simulation.boundary(self._worker):
            self._simulation.ledger.erasing(self._account.name, contact_key(email))
            return self._account.erase(email)
