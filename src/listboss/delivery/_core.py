"""What both executors share: rules, journal, policy and observer, but no call.

Sans-I/O as far as providers go: it says whether an attempt is to be sent and what an outcome
means; `Executor` and `AsyncExecutor` make the calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Generic, Literal, NamedTuple, TypeVar, get_args
from uuid import uuid4

import attrs

from listboss._clock import utc_now
from listboss.delivery._arguments import (
    as_flag,
    as_text,
    require_count,
    require_instance,
    require_lease,
    require_method,
    require_providers,
)
from listboss.delivery._batch import Lane, lane_of
from listboss.delivery.journal import Forgotten, Journal, Turn
from listboss.delivery.life import (
    Attempt,
    DeliveryStatus,
    Happening,
    Receipt,
    Result,
    RetryPolicy,
    Status,
    moved,
)
from listboss.delivery.observer import LoggingObserver, Observer
from listboss.engine.engine import Engine
from listboss.errors import ConfigurationError, StorageError, UnknownIdError
from listboss.plan import Plan
from listboss.provider import (
    AsyncProvider,
    Call,
    Eraser,
    Outcome,
    Provider,
    Refused,
    RefusedKind,
    Unknown,
)
from listboss.rules._text import quoted, suggestion, wrong_type
from listboss.rules._wording import describe_event
from listboss.rules.event import Contact, Event, utc

__all__ = ["LOGGER", "TOO_LATE", "Core", "EndingsOption", "Moment"]

P = TypeVar("P", Provider, Provider | AsyncProvider)
T = TypeVar("T")
EndingsOption = Literal["by_grant", "absolute"]

_NO_PROVIDER = Refused("this executor does not have the provider", RefusedKind.CONFIGURATION)
_CANNOT = Refused("the account cannot do this action", RefusedKind.CONFIGURATION)
TOO_LATE = "too late in the lease"
LOGGER = logging.getLogger("listboss.delivery")


class Moment(NamedTuple):
    """When a turn began: by the host's clock, and by one that nobody sets back, in seconds."""

    at: datetime
    ticks: float


class Core(Generic[P]):
    """What both executors share: rules, journal, policy and observer, but no call."""

    def __init__(
        self,
        engine: Engine,
        providers: Mapping[str, P],
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
    ) -> None:
        require_providers(providers)
        require_lease(lease)
        require_count(in_doubt, "$.in_doubt", least=1)
        require_method(journal, "turn", "a journal", "$.journal")
        if observer is not None:
            require_method(observer, "recorded", "an observer", "$.observer")
        if not callable(clock):
            raise wrong_type("a function", clock, "$.clock")
        if endings not in get_args(EndingsOption):
            raise ConfigurationError("expected `by_grant` or `absolute`", path="$.endings")
        self._providers: dict[str, P] = dict(providers)
        self._journal = journal
        self._policy = (
            RetryPolicy()
            if policy is None
            else require_instance(policy, RetryPolicy, "a `RetryPolicy`", "$.policy")
        )
        self._clock: Callable[[], datetime] = lambda: utc(clock(), "$.clock", ConfigurationError)
        self._monotonic: Callable[[], float] = monotonic
        self._observer = observer or LoggingObserver()
        self._worker = as_text(worker, "$.worker") or uuid4().hex
        self._lease = lease
        self._in_doubt = in_doubt
        self._in_sync = as_flag(assume_in_sync, "$.assume_in_sync")
        self._absolute = endings == "absolute"
        rates = {n: p.capabilities.rate for n, p in providers.items() if p.capabilities.rate}
        self._rates: dict[str, Mapping[str, int]] = {"rates": rates} if rates else {}
        self._lock = Lock()
        self._unrecorded: list[Result] = []
        self._in_flight = 0
        self.use_engine(engine)

    @property
    def engine(self) -> Engine:
        """The engine that plans the events accepted from now on."""
        return self._engine

    def use_engine(self, engine: Engine) -> None:
        """Replace the rules for events accepted from now on.

        Raises `ConfigurationError` if the executor does not have a provider of the rules, or
        if its capabilities differ from those that the rules were reviewed for.
        """
        require_instance(engine, Engine, "an engine", "$.engine", "make it with `Engine(rules)`")
        for name, capabilities in engine.rules.providers.items():
            path = f"$.providers.{name}"
            provider = self._providers.get(name)
            if provider is None:
                raise ConfigurationError(
                    f"the rules use the provider {quoted(name)}, which the executor does not have",
                    code="provider_missing",
                    path=path,
                    hint="pass it in `providers`",
                )
            if provider.capabilities != capabilities:
                raise ConfigurationError(
                    f"the capabilities of provider {quoted(name)} differ from those in the rules",
                    code="capabilities_differ",
                    path=path,
                    hint="build the rule set with the `capabilities` of the provider",
                )
        self._engine = engine

    # Accepting: no provider is called

    def _plan(self, event: Event) -> Plan:
        plan = self._engine.plan(event)
        if not self._absolute:
            return plan
        return attrs.evolve(plan, context=attrs.evolve(plan.context, about=None, ends=False))

    def _accept(self, event: Event, *, replan: bool = False) -> Receipt:
        plan = self._plan(event)
        as_flag(replan, "$.replan")
        receipt = self._journal.accept(event, plan, self._clock(), replan=replan)
        self._observe_accepted([receipt])
        return receipt

    def _pairs(self, events: Iterable[Event]) -> list[tuple[Event, Plan]]:
        return [(event, self._plan(event)) for event in events]

    def _event(self, event_id: str) -> Event:
        event = self._journal.event(event_id)
        if event is None:
            raise ConfigurationError(
                f"event {describe_event(event_id)} is not kept any more",
                code="event_not_kept",
                hint="its contact was forgotten, it is too old, or it was planned in a batch",
            )
        return event

    def _test(self, segmentation_id: str, email: str) -> tuple[Event, Plan]:
        contact, now = Contact(email), self._clock()
        test_id = f"test:{uuid4().hex}"
        plan = self._engine.plan_test(segmentation_id, contact, id=test_id, occurred_at=now)
        rule = self._engine.rules.segmentation(segmentation_id)
        event = Event(
            rule.event,
            id=test_id,
            product_id=rule.product_id,
            contact=contact,
            occurred_at=now,
            is_test=True,
        )
        return event, plan

    # Working: what to send, and what became of it

    def _turn(
        self,
        results: Sequence[Result],
        now: datetime,
        want: int,
        event_id: str | None = None,
        accept: Sequence[tuple[Event, Plan]] = (),
        *,
        replan: bool = False,
        in_doubt: int | None = None,
    ) -> Turn:
        """Take a turn; results that the journal could not record are kept for the next one."""
        as_flag(replan, "$.replan")
        with self._lock:
            pending: list[Result] = [*self._unrecorded, *results]
            self._unrecorded = []
            self._in_flight -= len(results)
        try:
            turn = self._journal.turn(
                self._worker,
                pending,
                now,
                want=want,
                lease=self._lease,
                event_id=event_id,
                accept=accept,
                replan=replan,
                in_doubt=in_doubt or self._in_doubt,
                in_sync=self._in_sync,
                **self._rates,
            )
        except BaseException:
            with self._lock:
                self._unrecorded = [*pending, *self._unrecorded]
            raise
        with self._lock:
            self._in_flight += len(turn)
        self._observe_accepted(turn.receipts)
        shows = self._observer.personal_data
        for record in turn.records:
            self._observe(self._observer.recorded, record if shows else record.without_contact())
        return turn

    def _record_at_the_end(self, results: Sequence[Result], now: datetime) -> None:
        """Record what is left when something else is raised, which must not be hidden."""
        try:
            self._turn(results, now, 0)
        except StorageError as error:
            self._report_unusable(error)

    def _record_left(self) -> None:
        """Try once more to record what the journal could not record, when a worker ends."""
        if self._unrecorded:
            self._record_at_the_end([], self._clock())

    def _current(self, receipts: Iterable[Receipt]) -> list[Receipt]:
        """Return the receipts as they are by now; that of a conflict stays as it was."""
        return [
            each if each.status is DeliveryStatus.CONFLICT else self._journal.receipt(each.event_id)
            for each in receipts
        ]

    def _resume(self) -> None:
        """End the leases of this worker's name, unless they are of calls that are on their way."""
        if self._in_flight == 0:
            self._journal.resume(self._worker, self._clock())

    def _observe_accepted(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            self._observe(self._observer.accepted, receipt)

    def _observe(self, method: Callable[[T], None], fact: T) -> None:
        try:
            method(fact)
        except Exception as error:  # an observer must not stop delivery
            LOGGER.warning("the observer raised %s", type(error).__name__)

    def _begin(self, at: datetime | None = None) -> Moment:
        """Return the time at which a turn begins."""
        return Moment(self._clock() if at is None else at, self._monotonic())

    def _refusal(
        self, attempt: Attempt, began: Moment, held: Mapping[str | Lane, str]
    ) -> Result | None:
        """Return what becomes of an attempt that is not to be sent, or None: it is."""
        now = self._later(began)
        if held:
            reason = held.get(attempt.planned.provider) or held.get(lane_of(attempt))
            if reason is not None:
                return self._not_sent(attempt, now, reason)
        if self._is_late(attempt.call, began):
            return self._not_sent(attempt, now, TOO_LATE)
        provider = self._providers.get(attempt.planned.provider)
        if provider is None or not provider.capabilities.can(attempt.planned.action):
            why = _NO_PROVIDER if provider is None else _CANNOT
            return attrs.evolve(self._policy.settle(attempt, why, now), sent=False)
        self._observe(self._observer.attempt, attempt)
        return None

    def _is_late(self, call: Call, began: Moment) -> bool:
        """Whether it is too late in the lease to send."""
        if call.deadline is None:
            return False
        return self._later(began) >= call.deadline or self._left(began) <= timedelta(0)

    def _left(self, began: Moment) -> timedelta:
        """Return how much of the first half of a lease is left, wherever the clock was set."""
        return self._lease / 2 - timedelta(seconds=self._monotonic() - began.ticks)

    def _call_now(self, call: Call, began: Moment) -> Call:
        """Return a call with a deadline that holds although the clock was set back meanwhile."""
        now = self._clock()
        if call.deadline is None or now >= began.at:
            return call
        return attrs.evolve(call, deadline=min(call.deadline, now + self._left(began)))

    def _not_sent(self, attempt: Attempt, now: datetime, why: str) -> Result:
        """Return the result of an attempt that was given out and never made."""
        waiting = moved(Status.SENDING, Happening.REPEAT)
        return Result(attempt, waiting, f"not sent: {why}", now, now, sent=False)

    def _interrupted(self, attempt: Attempt, now: datetime) -> Result:
        return self._policy.settle(attempt, Unknown("interrupted"), now)

    def _failed(self, error: BaseException, account: str) -> Outcome:
        """Return the outcome of a call that raised: sent, perhaps, and no answer."""
        name = type(error).__name__
        LOGGER.warning("provider %s raised %s", quoted(account), name)
        return Unknown(name)

    def _later(self, began: Moment) -> datetime:
        # If the clock was set back, a waiting action must not become due within the same pass.
        return max(began.at, self._clock())

    def _pause(self, due: datetime | None, poll: timedelta) -> float:
        """Return for how many seconds a worker loop has nothing to do."""
        pause = poll if due is None else min(poll, max(due - self._clock(), timedelta(0)))
        return max(pause.total_seconds(), 0.01)

    def _unusable(self, error: StorageError, poll: timedelta) -> float:
        """Return for how many seconds a worker loop waits for a journal that cannot be used."""
        self._report_unusable(error)
        return max(poll.total_seconds(), 0.01)

    def _report_unusable(self, error: StorageError) -> None:
        """Report that the journal cannot be used now; results are kept for the next turn."""
        LOGGER.warning("the journal cannot be used now: %s", error.message)

    # What the host asks for

    def retry(
        self,
        *,
        event_id: str | None = None,
        account: str | None = None,
        status: Status | str | None = None,
    ) -> int:
        """Take stuck and waiting actions up again, each judged anew; return how many.

        Stuck actions are refused, unknown or dead. `account` limits it to one provider,
        `event_id` to one event, `status` to one status. Nothing is sent before the next
        `run_due`. Raises `UnknownIdError` for an account that the executor does not have, unless
        the journal still has actions of it to take up.
        """
        now, journal = self._clock(), self._journal
        count = journal.retry(now, event_id=event_id, account=account, status=status)
        if count == 0 and account is not None and account not in self._providers:
            hint = suggestion(account, self._providers)
            raise UnknownIdError(f"unknown account {quoted(account)}", path="$.account", hint=hint)
        return count

    def forget(self, contact: Contact | str) -> Forgotten:
        """Erase a person from the journal, and from the providers that can erase.

        Nothing that was accepted before is sent any more. A provider that raises does not
        keep the journal from forgetting; its error is raised at the end.
        """
        forgotten = self._journal.forget(contact, self._clock())
        email = contact.email if isinstance(contact, Contact) else contact
        errors: list[Exception] = []
        for provider in self._providers.values():
            if isinstance(provider, Eraser):
                try:
                    provider.erase(email)
                except Exception as error:
                    errors.append(error)
        if errors:
            raise errors[0]
        return forgotten
