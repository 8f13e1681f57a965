"""A suite that every journal passes: random histories, next to a `MemoryJournal`.

A state machine does the same with both journals, and compares everything that they answer. It
knows nothing but the `Journal` protocol: `_journal_views` says what is left to each journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import HealthCheck
from hypothesis import settings as Settings  # noqa: N812 # the argument has the better name
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from listboss.delivery import Journal, MemoryJournal, Status
from listboss.provider import Applied, Outcome
from listboss.rules import Event
from listboss.testing._journal_twins import Flight, Twins
from listboss.testing._journal_world import CONTACTS, ENGINES, START, happened, outcomes

__all__ = ["check_journal"]

MAX_ROUNDS = 300
ALL = 100
"""More than the lanes of any history: what a turn gives out does not depend on their order."""

_PATIENT = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
_workers = st.sampled_from(["w1", "w2"])
_versions = st.integers(0, len(ENGINES) - 1)
_statuses = st.sampled_from([None, Status.REFUSED, Status.UNKNOWN, Status.DEAD, Status.WAITING])


class _JournalMachine(RuleBasedStateMachine):
    """Does the same with a journal and with a `MemoryJournal`, and compares the answers.

    `ids` are those of the events that both know, and `flights` what was given out and is not
    reported.
    """

    events: Bundle[Event] = Bundle("events")

    def __init__(self, factory: Callable[[], Journal]) -> None:
        super().__init__()
        self.twins = Twins(MemoryJournal(keep=None), factory())
        self.now = START
        self.number = 0
        self.ids: list[str] = []
        self.flights: list[Flight] = []

    def teardown(self) -> None:
        """Close the journal, if it can be closed."""
        close = getattr(self.twins.journal, "close", None)
        if close is not None:
            close()

    @invariant()
    def both_journals_say_the_same(self) -> None:
        """Everything is compared after every step."""
        self.twins.compare(self.ids, CONTACTS)

    # Events

    def _new(self, event: Event) -> Event:
        self.number += 1
        self.ids.append(f"e{self.number}")
        return attrs.evolve(event, id=self.ids[-1])

    def _accept(self, event: Event, version: int, *, replan: bool = False) -> None:
        self.twins.accept(event, ENGINES[version].plan(event), self.now, replan=replan)

    @rule(target=events, event=happened(), version=_versions)
    def accept(self, event: Event, version: int) -> Event:
        """Accept a new event."""
        event = self._new(event)
        self._accept(event, version)
        return event

    @rule(event=events, version=_versions, replan=st.booleans())
    def accept_again(self, event: Event, version: int, *, replan: bool) -> None:
        """Accept an event that is known, with other rules perhaps."""
        if event.id in self.ids:
            self._accept(event, version, replan=replan)

    @rule(event=events, other=happened(), version=_versions, replan=st.booleans())
    def accept_another(self, event: Event, other: Event, version: int, *, replan: bool) -> None:
        """Accept an event with the id of another one."""
        if event.id in self.ids:
            self._accept(attrs.evolve(other, id=event.id), version, replan=replan)

    @rule(
        target=events,
        group=st.lists(happened(), min_size=1, max_size=3),
        version=_versions,
        worker=_workers,
        want=st.sampled_from([0, ALL]),
    )
    def accept_and_claim(self, group: Sequence[Event], version: int, worker: str, want: int) -> Any:
        """Accept events and claim lanes in one transaction."""
        events = [self._new(event) for event in group]
        pairs = [(event, ENGINES[version].plan(event)) for event in events]
        self._turn(worker, want=want, accept=pairs)
        return multiple(*events)

    # Work

    def _turn(self, worker: str, reports: Sequence[Any] = (), **terms: Any) -> None:
        over = [flight for flight, _ in reports]
        self.flights = [flight for flight in self.flights if flight not in over]
        self.flights += self.twins.turn(worker, self.now, reports, **terms)

    def _of(self, worker: str) -> list[Flight]:
        return [flight for flight in self.flights if flight.worker == worker]

    @rule(worker=_workers, in_doubt=st.integers(1, 3), in_sync=st.booleans())
    def claim(self, worker: str, in_doubt: int, *, in_sync: bool) -> None:
        """Claim every lane that is due."""
        self._turn(worker, want=ALL, in_doubt=in_doubt, in_sync=in_sync)

    @rule(worker=_workers, event=events)
    def claim_for(self, worker: str, event: Event) -> None:
        """Claim the lanes of one event's contact."""
        if event.id in self.ids:
            self._turn(worker, want=ALL, event_id=event.id)

    @precondition(lambda self: self.flights)
    @rule(
        first=st.integers(0, 20),
        answers=st.lists(outcomes() | st.none(), min_size=1, max_size=3),
        want=st.sampled_from([0, ALL]),
    )
    def report(self, first: int, answers: Sequence[Outcome | None], want: int) -> None:
        """Report what a worker's attempts came to, in time or late, and claim lanes."""
        worker = self.flights[first % len(self.flights)].worker
        self._turn(worker, list(zip(self._of(worker), answers, strict=False)), want=want)

    @precondition(lambda self: self.flights)
    @rule(worker=_workers)
    def die(self, worker: str) -> None:
        """Kill a worker: its attempts are never reported."""
        self.flights = [flight for flight in self.flights if flight.worker != worker]

    @rule(worker=_workers)
    def resume(self, worker: str) -> None:
        """Start a worker that was killed."""
        self.die(worker)
        self.twins.both("resume", lambda journal: journal.resume(worker, self.now))

    @rule()
    def finish(self) -> None:
        """Send everything until there is nothing more to do."""
        for _ in range(MAX_ROUNDS):
            if self.flights:
                worker = self.flights[0].worker
                reports = [(flight, Applied()) for flight in self._of(worker)]
                self._turn(worker, reports, want=ALL)
                continue
            due = self.twins.journal.due_at()
            if due is None:
                return
            self.now = max(self.now, due)
            self._turn("w1", want=ALL)
        raise AssertionError("there is always something to do")

    # Time, and the host

    @rule(by=st.sampled_from([1, 20, 40, 70, 1_000, 4_000, 86_400, 4 * 86_400]))
    def wait(self, by: int) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=by)

    @rule(by=st.sampled_from([1, 50, 4_000]))
    def turn_clock_back(self, by: int) -> None:
        """Turn the clock back."""
        self.now -= timedelta(seconds=by)

    @rule(account=st.sampled_from([None, "mail", "crm"]), status=_statuses)
    def retry(self, account: str | None, status: Status | None) -> None:
        """Take up again what is stuck or waiting."""
        wanted = {"account": account, "status": status}
        self.twins.both("retry", lambda journal: journal.retry(self.now, **wanted))

    @rule(event=events, account=st.sampled_from([None, "mail"]), status=_statuses)
    def retry_event(self, event: Event, account: str | None, status: Status | None) -> None:
        """Take up again what is stuck or waiting of one event."""
        wanted: dict[str, Any] = {"event_id": event.id, "account": account, "status": status}
        if event.id in self.ids:
            self.twins.both("retry", lambda journal: journal.retry(self.now, **wanted))

    @rule(contact=st.sampled_from([*CONTACTS, CONTACTS[0].title()]))
    def forget(self, contact: str) -> None:
        """Forget a contact."""
        self.twins.both("forget", lambda journal: journal.forget(contact, self.now).records)

    @rule(ago=st.sampled_from([0, 60, 4_000, 86_400]))
    def prune(self, ago: int) -> None:
        """Prune old records and finished events."""
        self.ids = self.twins.prune(self.ids, self.now - timedelta(seconds=ago))

    # Looking things up

    @rule(event=events)
    def look_at_event(self, event: Event) -> None:
        """Read an event and its records."""
        if event.id in self.ids:
            self.twins.event(event.id)
        self.twins.search(event_id=event.id)

    @rule(
        product_id=st.sampled_from([None, "course"]),
        contact=st.sampled_from([None, *CONTACTS]),
        provider=st.sampled_from([None, "mail"]),
        status=st.sampled_from([None, "applied", "superseded", "idle", "waiting"]),
        segmentation_id=st.sampled_from([None, "r0", "r2"]),
        is_test=st.sampled_from([None, False]),
        since=st.sampled_from([None, 0, 4_000]),
        until=st.sampled_from([None, 0, 4_000]),
    )
    def search(self, since: int | None, until: int | None, **wanted: Any) -> None:
        """Search the history."""
        for name, ago in (("since", since), ("until", until)):
            wanted[name] = None if ago is None else self.now - timedelta(seconds=ago)
        self.twins.search(**wanted)

    @rule()
    def ask_for_an_unknown_event(self) -> None:
        """Both refuse an id that they do not know."""
        self.twins.both("receipt", lambda journal: journal.receipt("unknown"))
        self.twins.both("event", lambda journal: journal.event("unknown"))
        self.twins.both("retry", lambda journal: journal.retry(self.now, event_id="unknown"))


def check_journal(factory: Callable[[], Journal], *, settings: Settings | None = None) -> None:
    """Check that a journal of your own does what the journals of the library do.

    `factory` returns an empty journal; one with a method `close` is closed after use. The check
    drives it through random histories with Hypothesis, next to a `MemoryJournal`: events that
    come twice, late or with the id of another one, turns with every outcome, leases that end,
    reports that come late, `retry`, replanned events, `forget`, `prune`, and a clock that is
    turned back. After every step, both have to say the same in every look-up. The first
    difference raises `AssertionError`, with the shortest history that shows it.

    The events lie within a few days, so a journal may prune what is two months old by itself.
    `settings` are those of Hypothesis: by default 100 histories of up to 50 steps.

    >>> from hypothesis import settings
    >>> from listboss.delivery import MemoryJournal
    >>> check_journal(MemoryJournal, settings=settings(max_examples=5))
    """

    class JournalMachine(_JournalMachine):
        def __init__(self) -> None:
            super().__init__(factory)

    run_state_machine_as_test(
        JournalMachine,
        settings=Settings(settings, deadline=None, suppress_health_check=_PATIENT),
    )
