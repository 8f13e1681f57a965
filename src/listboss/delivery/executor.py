"""`Executor`: accepts events, and carries their plans out at the host's providers.

Every action is noted as being sent, sent, and recorded, in this order. Whatever a provider
raises counts as `Unknown`; only its class name is kept, since its text may hold personal
data. The rules of delivery are the journal's, those of repeating are `RetryPolicy`'s.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, repeat
from typing import Protocol, cast

from listboss._clock import utc_now
from listboss.delivery._arguments import as_count, as_moment, require_method, require_providers
from listboss.delivery._batch import Lane, as_outcomes, call_of, groups_of, held_by, largest
from listboss.delivery._core import Core, EndingsOption, Moment
from listboss.delivery._outcome import as_outcome
from listboss.delivery.journal import Journal
from listboss.delivery.life import Attempt, Receipt, Result, RetryPolicy
from listboss.delivery.observer import Observer
from listboss.engine.engine import Engine
from listboss.errors import ConfigurationError, StorageError
from listboss.plan import Plan
from listboss.provider import BatchProvider, Provider
from listboss.rules._text import quoted, refuse_unordered, wrong_type
from listboss.rules.event import Event

__all__ = ["MAX_GROUP", "Executor", "Stop"]

MAX_GROUP = 100
"""How many events `handle_many` accepts in one transaction, and actions it claims at once."""
MAX_LANES = 16
"""How many lanes `run_due` claims at once: fewer transactions, and one slow call delays more."""


class Stop(Protocol):
    """What ends a worker loop: a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most for `timeout` seconds."""
        ...


class Executor(Core[Provider]):
    """Accepts events, and carries their plans out in the caller's thread.

    `providers` maps the account names of the rules to providers. Threads may share an
    executor if its providers allow it, and several processes a journal if that allows it.
    `clock` returns the time with a time zone. `policy` says when to try again. `observer`
    sees what happens. `lease` is how long a worker may be silent before others take up its
    work; a call has half of it. `in_doubt` is how many actions of one contact and account may
    be sent and not recorded when the process dies.

    >>> from listboss import Engine, RuleSet
    >>> from listboss.delivery import MemoryJournal
    >>> Executor(Engine(RuleSet()), {}, MemoryJournal()).run_due()
    0
    """

    def __init__(
        self,
        engine: Engine,
        providers: Mapping[str, Provider],
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
        for name, provider in providers.items():
            methods = (provider.apply, getattr(provider, "apply_many", None))
            if any(map(inspect.iscoroutinefunction, methods)):
                raise ConfigurationError(
                    f"provider {quoted(name)} is asynchronous",
                    code="provider_asynchronous",
                    path=f"$.providers.{name}",
                    hint="use `AsyncExecutor`",
                )
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
        lanes = max(MAX_LANES, *map(largest, providers.values()), 1)
        self._want = max(lanes, min(lanes * in_doubt, MAX_GROUP))

    def accept(self, event: Event, *, replan: bool = False) -> Receipt:
        """Plan an event and keep it; nothing is sent. What a web handler calls."""
        return self._accept(event, replan=replan)

    def handle(self, event: Event, *, replan: bool = False) -> Receipt:
        """Accept an event, send what may be sent by now, and return the receipt.

        A redelivered event does nothing twice. `replan=True` plans the event again, for
        example after a rule was fixed; actions that are over stay over.
        """
        return self._handle(event, self._plan(event), replan=replan)

    def _handle(self, event: Event, plan: Plan, *, replan: bool = False) -> Receipt:
        began = self._begin()
        first = self._turn([], began.at, 1, event.id, [(event, plan)], replan=replan)
        if first:
            self._work(1, event_id=event.id, first=(first, began))
        return self._current(first.receipts)[0]

    def handle_many(self, events: Iterable[Event]) -> tuple[Receipt, ...]:
        """Accept and carry out many events, a hundred in one transaction."""
        refuse_unordered(events, "$.events")
        receipts: list[Receipt] = []
        remaining = iter(events)
        while group := list(islice(remaining, MAX_GROUP)):
            began = self._begin()
            first = self._turn([], began.at, MAX_GROUP, accept=self._pairs(group))
            self._work(MAX_GROUP, first=(first, began))
            receipts += self._current(first.receipts)
        return tuple(receipts)

    def replan(self, event_id: str) -> Receipt:
        """Plan an event again with today's rules, and send what may be sent by now."""
        return self.handle(self._event(event_id), replan=True)

    def test(self, segmentation_id: str, email: str) -> Receipt:
        """Run the integration test of a segmentation, whether it is enabled or not.

        Sends the segmentation's actions with dummy data for `email` to the provider. The
        history marks them as a test. Moving or removing a lead that is not there fails.
        """
        return self._handle(*self._test(segmentation_id, email))

    def run_due(self, now: datetime | None = None, most: int | None = None) -> int:
        """Send what is due, at most `most` actions; return how many were sent."""
        at, most = as_moment(now, "$.now"), as_count(most, "$.most")
        return self._work(self._want, at=at, most=most)

    def resume(self, stop: Stop | None = None) -> int:
        """Take up now what this worker, or one known to be dead, left behind; send what is due.

        Call it once when a process starts, with the `worker` name of the one before. Once
        `stop` is set, nothing new is begun.
        """
        self._resume()
        return self._work(self._want, stop=stop)

    def run(self, stop: Stop, poll: timedelta = timedelta(seconds=1)) -> None:
        """Work until `stop` is set: what is being sent is finished, nothing new is begun.

        While the journal cannot be used, for example because the disk is full, it waits.
        """
        require_method(stop, "is_set", "a `threading.Event`", "$.stop")
        if inspect.iscoroutinefunction(stop.wait):
            raise wrong_type("a `threading.Event`", stop, "$.stop", "use `AsyncExecutor`")
        while not stop.is_set():
            try:
                if self._work(self._want, stop=stop):
                    continue
                pause = self._pause(self._journal.due_at(), poll)
            except StorageError as error:
                pause = self._unusable(error, poll)
            stop.wait(pause)
        self._record_left()

    def _work(
        self,
        want: int,
        *,
        first: tuple[Sequence[Attempt], Moment] | None = None,
        event_id: str | None = None,
        at: datetime | None = None,
        most: int | None = None,
        stop: Stop | None = None,
    ) -> int:
        """Send and record until nothing is due any more; return how many actions were sent."""
        attempts: Sequence[Attempt]
        sent, results = 0, list[Result]()
        while True:
            if first is None:
                began = self._begin(at)
                left = want if most is None else min(want, most - sent)
                if stop is not None and stop.is_set():
                    left = 0
                wanted = results or left > 0
                in_doubt = None if most is None else 1  # a turn gives out that many of a lane
                attempts = (
                    self._turn(results, began.at, left, event_id, in_doubt=in_doubt)
                    if wanted
                    else ()
                )
            else:
                (attempts, began), first = first, None
            if not attempts:
                return sent
            results = self._send_all(attempts, began, stop)
            sent += sum(result.sent for result in results)

    def _send_all(
        self, attempts: Sequence[Attempt], began: Moment, stop: Stop | None
    ) -> list[Result]:
        """Send one after the other; an interruption records what was sent, and is raised."""
        results: list[Result] = []
        held: dict[str | Lane, str] = {}
        groups = groups_of(attempts, self._providers)
        try:
            while groups:
                if stop is not None and stop.is_set():
                    group, later = groups[0], self._later(began)
                    results += [self._not_sent(each, later, "stopped") for each in group]
                else:
                    done = self._send_group(groups[0], began, held)
                    results += done
                    held |= held_by(done)
                groups.pop(0)
        except BaseException:
            later = self._later(began)
            current, *others = groups
            results += [self._interrupted(attempt, later) for attempt in current]
            results += [self._not_sent(each, later, "interrupted") for g in others for each in g]
            self._record_at_the_end(results, later)
            raise
        return results

    def _send_group(
        self, group: Sequence[Attempt], began: Moment, held: Mapping[str | Lane, str]
    ) -> list[Result]:
        """Send what goes out in one call."""
        if len(group) == 1:
            return [self._send(group[0], began, held)]
        refused = [self._refusal(attempt, began, held) for attempt in group]
        results = [each for each in refused if each is not None]
        sent = [each for each, refusal in zip(group, refused, strict=True) if refusal is None]
        if sent:
            provider = cast("BatchProvider", self._providers[sent[0].planned.provider])
            try:
                call = self._call_now(call_of(sent), began)
                answer = provider.apply_many([each.planned for each in sent], call)
                outcomes = as_outcomes(answer, len(sent))
            except Exception as error:
                outcomes = [self._failed(error, sent[0].planned.provider)] * len(sent)
            later = self._later(began)
            results += map(self._policy.settle, sent, outcomes, repeat(later))
        return results

    def _send(self, attempt: Attempt, began: Moment, held: Mapping[str | Lane, str]) -> Result:
        refusal = self._refusal(attempt, began, held)
        if refusal is not None:
            return refusal
        provider = self._providers[attempt.planned.provider]
        try:
            call = self._call_now(attempt.call, began)
            outcome = as_outcome(provider.apply(attempt.planned, call))
        except Exception as error:
            outcome = self._failed(error, attempt.planned.provider)
        return self._policy.settle(attempt, outcome, self._later(began))
