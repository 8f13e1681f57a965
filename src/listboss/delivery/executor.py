"""Carries plans out at the host's providers: two thin drivers of the same steps.

Intend, send, record, in this order and for each action by itself: one that fails delays
nobody else. A redelivered event does nothing twice. An exception out of a provider counts
as `Unknown`, and only its class name is kept, since its text may hold personal data. What
nobody could answer is not sent again until the host says so (`again=True`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Generic, TypeVar, cast, get_args
from uuid import uuid4

from listboss.delivery.delivery import Attempt, Receipt
from listboss.delivery.journal import Journal
from listboss.engine.engine import Engine
from listboss.errors import ConfigurationError
from listboss.provider import AsyncProvider, Outcome, Provider, Refused, RefusedKind, Unknown
from listboss.rules.event import Contact, Event

__all__ = ["AsyncExecutor", "Executor"]

P = TypeVar("P", Provider, Provider | AsyncProvider)

_OUTCOMES: tuple[type, ...] = get_args(Outcome)
_NOT_HERE = Refused("this executor has no such provider", RefusedKind.CONFIGURATION)
_INTERRUPTED = Unknown("interrupted")


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _judged(answer: object) -> Outcome:
    """Take an answer if it is one; a provider that gives none leaves us not knowing."""
    return cast("Outcome", answer) if isinstance(answer, _OUTCOMES) else Unknown("no outcome")


class _Desk(Generic[P]):
    """What both executors share: everything but the call itself."""

    def __init__(
        self,
        engine: Engine,
        providers: Mapping[str, P],
        journal: Journal,
        *,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._providers: dict[str, P] = dict(providers)
        self._journal = journal
        self._clock = clock
        self.use(engine)

    def use(self, engine: Engine) -> None:
        """Swap the rules; plans already accepted finish as planned.

        Raises `ConfigurationError` if a provider of the rules is missing here, or can do
        something else than the rules were reviewed for.
        """
        for name, capabilities in engine.rules.providers.items():
            path = f"$.providers.{name}"
            provider = self._providers.get(name)
            if provider is None:
                raise ConfigurationError(
                    f"the rules use `{name}`, and no such provider is given",
                    code="provider_missing",
                    path=path,
                )
            if provider.capabilities != capabilities:
                raise ConfigurationError(
                    f"the capabilities of `{name}` differ from those in the rules",
                    code="capabilities_differ",
                    path=path,
                    hint="make the rule set with the provider's own capabilities",
                )
        self._engine = engine

    def _accept(self, event: Event, *, again: bool) -> str:
        plan = self._engine.plan(event)
        self._journal.accept(
            plan,
            self._clock(),
            contact=None if event.contact is None else event.contact.email,
            subscription_plan=event.plan_id or event.plan_name,
            again=again,
        )
        return event.id

    def _accept_test(self, segmentation_id: str, email: str) -> str:
        contact, now = Contact(email), self._clock()
        test_id = f"test:{uuid4().hex}"
        plan = self._engine.plan_test(segmentation_id, contact, id=test_id, occurred_at=now)
        self._journal.accept(plan, now, contact=contact.email)
        return test_id

    def _intend(self, event_id: str, now: datetime) -> Attempt | None:
        step = self._journal.intend(event_id, now)
        return step if isinstance(step, Attempt) else None

    def _record(self, event_id: str, attempt: Attempt, outcome: Outcome, now: datetime) -> None:
        # A clock that was set back must not make a waiting action due within the same pass.
        self._journal.record(event_id, attempt.action.id, outcome, max(now, self._clock()))


class Executor(_Desk[Provider]):
    """Plans events and carries them out, at once and in the caller's thread.

    `providers` maps the account names of the rules to providers. Several threads may share
    an executor as far as its providers allow. `clock` gives aware times.

    >>> from listboss import Engine, RuleSet
    >>> from listboss.delivery import MemoryJournal
    >>> executor = Executor(Engine(RuleSet()), {}, MemoryJournal())
    >>> executor.run_due()
    ()
    """

    def __init__(
        self,
        engine: Engine,
        providers: Mapping[str, Provider],
        journal: Journal,
        *,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        for name, provider in providers.items():
            if inspect.iscoroutinefunction(provider.apply):
                raise ConfigurationError(
                    f"the provider `{name}` is asynchronous",
                    code="provider_asynchronous",
                    path=f"$.providers.{name}",
                    hint="use `AsyncExecutor`",
                )
        super().__init__(engine, providers, journal, clock=clock)

    def handle(self, event: Event, *, again: bool = False) -> Receipt:
        """Plan an event, attempt each of its actions once, and say how it went.

        An event that is redelivered does nothing twice; what was not attempted yet, or
        waited and is due, is done. `again=True` plans anew after a repair: what is not yet
        over (applied, unchanged or accepted) is attempted once more.
        """
        return self._run(self._accept(event, again=again))

    def test(self, segmentation_id: str, email: str) -> Receipt:
        """Run the integration test of a segmentation, switched on or not.

        Dummy data for its actions go to the provider, for the e-mail given. The test is in
        the history, marked as one. Moving or removing a lead that is not there fails.
        """
        return self._run(self._accept_test(segmentation_id, email))

    def run_due(self, now: datetime | None = None) -> tuple[Receipt, ...]:
        """Attempt what a provider asked to wait with and is due at `now`."""
        moment = self._clock() if now is None else now
        return tuple(self._run(event_id, moment) for event_id in self._journal.due(moment))

    def _run(self, event_id: str, at: datetime | None = None) -> Receipt:
        now = self._clock() if at is None else at
        while (attempt := self._intend(event_id, now)) is not None:
            outcome: Outcome = _INTERRUPTED
            try:
                outcome = self._apply(attempt)
            finally:
                self._record(event_id, attempt, outcome, now)
        return self._journal.receipt(event_id)

    def _apply(self, attempt: Attempt) -> Outcome:
        provider = self._providers.get(attempt.action.provider)
        if provider is None:
            return _NOT_HERE
        try:
            return _judged(provider.apply(attempt.action, attempt.call))
        except Exception as error:  # whatever a host's provider raises: sent, and no answer
            return Unknown(type(error).__name__)


class AsyncExecutor(_Desk[Provider | AsyncProvider]):
    """The same for a host with an event loop, whichever it is.

    Takes synchronous providers too; such a one holds the loop while it works. A task that is
    cancelled during a call leaves the action `unknown`.
    """

    async def handle(self, event: Event, *, again: bool = False) -> Receipt:
        """See `Executor.handle`."""
        return await self._run(self._accept(event, again=again))

    async def test(self, segmentation_id: str, email: str) -> Receipt:
        """See `Executor.test`."""
        return await self._run(self._accept_test(segmentation_id, email))

    async def run_due(self, now: datetime | None = None) -> tuple[Receipt, ...]:
        """See `Executor.run_due`."""
        moment = self._clock() if now is None else now
        due = self._journal.due(moment)
        return tuple([await self._run(event_id, moment) for event_id in due])

    async def _run(self, event_id: str, at: datetime | None = None) -> Receipt:
        now = self._clock() if at is None else at
        while (attempt := self._intend(event_id, now)) is not None:
            outcome: Outcome = _INTERRUPTED
            try:
                outcome = await self._apply(attempt)
            finally:
                self._record(event_id, attempt, outcome, now)
        return self._journal.receipt(event_id)

    async def _apply(self, attempt: Attempt) -> Outcome:
        provider = self._providers.get(attempt.action.provider)
        if provider is None:
            return _NOT_HERE
        try:
            answer = provider.apply(attempt.action, attempt.call)
            return _judged(await answer if inspect.isawaitable(answer) else answer)
        except Exception as error:  # whatever a host's provider raises: sent, and no answer
            return Unknown(type(error).__name__)
