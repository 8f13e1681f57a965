"""Executors: carry plans out at the host's providers, synchronously or asynchronously.

Each action is intended, sent and recorded on its own, so a failing action delays no other.
A redelivered event does nothing twice. An exception from a provider counts as `Unknown`;
only its class name is kept, since its text may hold personal data. An action without an
answer is sent again only if the host replans the event (`replan=True`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Generic, TypeVar, cast, get_args
from uuid import uuid4

from listboss._clock import utc_now
from listboss.delivery.delivery import Attempt, Receipt
from listboss.delivery.journal import Journal
from listboss.engine.engine import Engine
from listboss.errors import ConfigurationError
from listboss.provider import AsyncProvider, Outcome, Provider, Refused, RefusedKind, Unknown
from listboss.rules.event import Contact, Event

__all__ = ["AsyncExecutor", "Executor"]

P = TypeVar("P", Provider, Provider | AsyncProvider)

_OUTCOMES: tuple[type, ...] = get_args(Outcome)
_NO_PROVIDER = Refused("this executor does not have the provider", RefusedKind.CONFIGURATION)
_INTERRUPTED = Unknown("interrupted")


def _as_outcome(answer: object) -> Outcome:
    """Return the answer if it is an outcome, else `Unknown`."""
    return cast("Outcome", answer) if isinstance(answer, _OUTCOMES) else Unknown("no outcome")


class _BaseExecutor(Generic[P]):
    """The parts shared by both executors: everything except the call itself."""

    def __init__(
        self,
        engine: Engine,
        providers: Mapping[str, P],
        journal: Journal,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._providers: dict[str, P] = dict(providers)
        self._journal = journal
        self._clock = clock
        self.use_engine(engine)

    def use_engine(self, engine: Engine) -> None:
        """Replace the rules; plans that were already accepted are finished as planned.

        Raises `ConfigurationError` if the executor does not have a provider of the rules, or
        if its capabilities differ from those that the rules were reviewed for.
        """
        for name, capabilities in engine.rules.providers.items():
            path = f"$.providers.{name}"
            provider = self._providers.get(name)
            if provider is None:
                raise ConfigurationError(
                    f"the rules use the provider `{name}`, which the executor does not have",
                    code="provider_missing",
                    path=path,
                    hint="pass it in `providers`",
                )
            if provider.capabilities != capabilities:
                raise ConfigurationError(
                    f"the capabilities of provider `{name}` differ from those in the rules",
                    code="capabilities_differ",
                    path=path,
                    hint="build the rule set with the `capabilities` of the provider",
                )
        self._engine = engine

    def _accept(self, event: Event, *, replan: bool) -> str:
        plan = self._engine.plan(event)
        self._journal.accept(
            plan,
            self._clock(),
            contact=None if event.contact is None else event.contact.email,
            subscription_plan=event.plan_id or event.plan_name,
            replan=replan,
        )
        return event.id

    def _accept_test(self, segmentation_id: str, email: str) -> str:
        contact, now = Contact(email), self._clock()
        test_id = f"test:{uuid4().hex}"
        plan = self._engine.plan_test(segmentation_id, contact, id=test_id, occurred_at=now)
        self._journal.accept(plan, now, contact=contact.email)
        return test_id

    def _intend(self, event_id: str, now: datetime) -> Attempt | None:
        next_step = self._journal.intend(event_id, now)
        return next_step if isinstance(next_step, Attempt) else None

    def _record(self, event_id: str, attempt: Attempt, outcome: Outcome, now: datetime) -> None:
        # If the clock was set back, a waiting action must not become due within the same pass.
        self._journal.record(event_id, attempt.planned.id, outcome, max(now, self._clock()))


class Executor(_BaseExecutor[Provider]):
    """Plans events and carries them out immediately, in the caller's thread.

    `providers` maps the account names in the rules to providers. Threads may share an
    executor if its providers allow it. `clock` returns the time with a time zone.

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
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        for name, provider in providers.items():
            if inspect.iscoroutinefunction(provider.apply):
                raise ConfigurationError(
                    f"provider `{name}` is asynchronous",
                    code="provider_asynchronous",
                    path=f"$.providers.{name}",
                    hint="use `AsyncExecutor`",
                )
        super().__init__(engine, providers, journal, clock=clock)

    def handle(self, event: Event, *, replan: bool = False) -> Receipt:
        """Plan an event, attempt each of its actions once, and return the receipt.

        A redelivered event does nothing twice: only actions that were not attempted yet, or
        waited and are due, are sent. `replan=True` plans the event again, for example after
        a rule was fixed, and sends every action that is not applied, unchanged or accepted.
        """
        return self._run(self._accept(event, replan=replan))

    def test(self, segmentation_id: str, email: str) -> Receipt:
        """Run the integration test of a segmentation, whether it is enabled or not.

        Sends the segmentation's actions with dummy data for `email` to the provider. The
        history marks them as a test. Moving or removing a lead that is not there fails.
        """
        return self._run(self._accept_test(segmentation_id, email))

    def run_due(self, now: datetime | None = None) -> tuple[Receipt, ...]:
        """Attempt the actions that a provider asked to delay and that are due at `now`."""
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
        provider = self._providers.get(attempt.planned.provider)
        if provider is None:
            return _NO_PROVIDER
        try:
            return _as_outcome(provider.apply(attempt.planned, attempt.call))
        except Exception as error:  # sent without an answer, whatever the provider raised
            return Unknown(type(error).__name__)


class AsyncExecutor(_BaseExecutor[Provider | AsyncProvider]):
    """The executor for hosts with an event loop.

    It also takes synchronous providers, which block the loop while they work. A task that is
    cancelled during a call leaves the action `unknown`.
    """

    async def handle(self, event: Event, *, replan: bool = False) -> Receipt:
        """See `Executor.handle`."""
        return await self._run(self._accept(event, replan=replan))

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
        provider = self._providers.get(attempt.planned.provider)
        if provider is None:
            return _NO_PROVIDER
        try:
            answer = provider.apply(attempt.planned, attempt.call)
            return _as_outcome(await answer if inspect.isawaitable(answer) else answer)
        except Exception as error:  # sent without an answer, whatever the provider raised
            return Unknown(type(error).__name__)
