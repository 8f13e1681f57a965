"""A journal and its model: whatever is done to one is done to both, and both must answer the same.

The model is a `MemoryJournal` that keeps everything. Answers are compared at once, so a difference
is reported at the call that shows it first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import methodcaller
from typing import Any, NamedTuple, TypeVar

from listboss.delivery import Attempt, Journal, Receipt, Result, RetryPolicy, Status, Turn
from listboss.errors import ListBossError, UnknownIdError
from listboss.plan import Plan
from listboss.provider import Outcome
from listboss.rules import Event
from listboss.testing import _journal_views as views

__all__ = ["LEASE", "Flight", "Twins", "expect_equal"]

LEASE = timedelta(seconds=60)
_POLICY = RetryPolicy(jitter=0)
_OPEN = frozenset({Status.PLANNED, Status.SENDING, Status.WAITING})
_STUCK = frozenset({Status.REFUSED, Status.UNKNOWN, Status.DEAD})

T = TypeVar("T")


class Flight(NamedTuple):
    """An attempt, as the model and the journal gave it out to a worker."""

    worker: str
    expected: Attempt
    actual: Attempt


def expect_equal(what: str, expected: object, actual: object) -> None:
    """Raise `AssertionError` unless both are equal."""
    if expected != actual:
        raise AssertionError(f"{what}: expected\n  {expected}\ngot\n  {actual}")


class Twins:
    """The journal that is checked, and a journal in memory.

    `details` are those that reports have had. `since` is the time from which on records
    are kept, and `blank` has the ids of events whose data `prune` has deleted.
    """

    def __init__(self, model: Journal, journal: Journal) -> None:
        self.model, self.journal = model, journal
        self.details: set[str] = set()
        self.since: datetime | None = None
        self.blank: set[str] = set()

    def both(
        self, what: str, do: Callable[[Journal], T], view: Callable[[T], views.View] = lambda it: it
    ) -> T | None:
        """Do the same with both, compare the answers, and return the journal's; None if it raised.

        If one raises an error of listboss, the other one has to raise an error of the same kind.
        """
        return self._compare(what, lambda: do(self.model), lambda: do(self.journal), view)[1]

    def _compare(
        self,
        what: str,
        model: Callable[[], T],
        journal: Callable[[], T],
        view: Callable[[T], views.View],
    ) -> tuple[T | None, T | None]:
        expected, expected_error = _answer(model)
        actual, actual_error = _answer(journal)
        expect_equal(f"the error of `{what}`", expected_error, actual_error)
        if expected is not None and actual is not None:
            expect_equal(f"`{what}`", view(expected), view(actual))
        else:
            expect_equal(f"`{what}`", expected, actual)
        return expected, actual

    def accept(self, event: Event, plan: Plan, now: datetime, *, replan: bool) -> None:
        """Accept an event."""
        self.both(
            "accept", lambda journal: journal.accept(event, plan, now, replan=replan), self._receipt
        )

    def turn(
        self,
        worker: str,
        now: datetime,
        reports: Iterable[tuple[Flight, Outcome | None]] = (),
        **terms: Any,
    ) -> list[Flight]:
        """Take a turn, and return the attempts that it gives out; None reports that it was late."""
        results = [
            (self._result(flight.expected, outcome, now), self._result(flight.actual, outcome, now))
            for flight, outcome in reports
        ]
        taken: tuple[Turn | None, Turn | None] = self._compare(
            "turn",
            lambda: self.model.turn(worker, [a for a, _ in results], now, lease=LEASE, **terms),
            lambda: self.journal.turn(worker, [b for _, b in results], now, lease=LEASE, **terms),
            self._turn,
        )
        expected, actual = (each or Turn() for each in taken)
        return _flights(worker, expected, actual, now)

    def _result(self, attempt: Attempt, outcome: Outcome | None, now: datetime) -> Result:
        if outcome is None:
            result = Result(attempt, Status.WAITING, "not sent", now, now)
        else:
            result = _POLICY.settle(attempt, outcome, now)
        self.details.add(result.detail)
        return result

    def prune(self, event_ids: Iterable[str], before: datetime) -> list[str]:
        """Prune both, and return the ids that both still know.

        Old records have to go, and what is not finished has to stay. When finished events go,
        and whether they lose their data first, is left to the journal.
        """
        journals = (self.model, self.journal)
        unfinished = {each for each in event_ids if _is_unfinished(self.model, each)}
        for journal in journals:
            journal.prune(before)
        self.since = before if self.since is None else max(self.since, before)
        expect_equal("records that `prune` has to delete", (), self.journal.history(until=before))
        lost = sorted(each for each in unfinished if not _knows(self.journal, each))
        expect_equal("events that `prune` must not delete", [], lost)
        known = [each for each in event_ids if all(_knows(journal, each) for journal in journals)]
        for journal in journals:
            self.blank |= {each for each in known if journal.event(each) is None}
        return known

    def event(self, event_id: str) -> None:
        """Compare an event."""
        if event_id not in self.blank:
            self.both("event", methodcaller("event", event_id))

    # What is compared after every step

    def compare(self, event_ids: Sequence[str], contacts: Iterable[str]) -> None:
        """Compare everything that the journals say."""
        for event_id in event_ids:
            self.both("receipt", methodcaller("receipt", event_id), self._receipt)
        for contact in contacts:
            self.both("standing", methodcaller("standing", contact), views.standing_view)
        self.both("stuck", methodcaller("stuck"), self._stuck)
        self.both("due_at", methodcaller("due_at"))
        self.both("events", methodcaller("events"), partial(_known, {*event_ids} - self.blank))
        self._compare_history()

    def _compare_history(self) -> None:
        """Compare the records; their numbers grow, and pages show all of them."""
        found = self.both("history", lambda journal: journal.history(), self._records) or ()
        numbers = [record.number for record in found]
        expect_equal("the numbers of records", sorted(set(numbers)), numbers)
        expect_equal("`count`", len(found), self.journal.count())
        page = self.journal.history(limit=2)
        expect_equal("the last page of `history`", found[-2:], page)
        if page:
            before = self.journal.history(before=page[0].number, limit=2)
            expect_equal("the page before the last one", found[:-2][-2:], before)

    def search(self, **wanted: Any) -> None:
        """Compare the records that fit everything given."""
        what = f"history({', '.join(wanted)})"
        found = self.both(what, lambda journal: journal.history(**wanted), self._records)
        expect_equal(f"`count` of {what}", len(found or ()), self.journal.count(**wanted))

    # Views that know what reports have said

    def _receipt(self, receipt: Receipt) -> views.View:
        return views.receipt_view(receipt, self.details)

    def _turn(self, turn: Any) -> views.View:
        receipts = [self._receipt(receipt) for receipt in turn.receipts]
        return (views.attempts_view(turn), self._records(turn.records), receipts)

    def _stuck(self, found: Any) -> views.View:
        return views.stuck_view(found, self.details)

    def _records(self, records: Any) -> views.View:
        return views.records_view(records, self.details, self.since)


def _answer(do: Callable[[], T]) -> tuple[T | None, type[ListBossError] | None]:
    try:
        return do(), None
    except ListBossError as error:
        return None, type(error)


def _flights(worker: str, expected: Turn, actual: Turn, now: datetime) -> list[Flight]:
    """Bring the attempts of both together; each has a key and a deadline within the lease."""
    by_action = {_action(attempt): attempt for attempt in actual}
    flights = [Flight(worker, each, by_action[_action(each)]) for each in expected]
    for flight in flights:
        call = flight.actual.call
        expect_equal("the id of what is sent", call.key, flight.actual.planned.id)
        in_time = call.deadline is not None and now < call.deadline <= now + LEASE
        expect_equal("a deadline within the lease", expected=True, actual=in_time)
    return flights


def _known(ids: Collection[str], events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event.id in ids]


def _action(attempt: Attempt) -> tuple[str, str, int]:
    return (attempt.event_id, attempt.action_id, attempt.generation)


def _knows(journal: Journal, event_id: str) -> bool:
    try:
        journal.receipt(event_id)
    except UnknownIdError:
        return False
    return True


def _is_unfinished(journal: Journal, event_id: str) -> bool:
    return any(state.status in _OPEN | _STUCK for state in journal.receipt(event_id).states)
