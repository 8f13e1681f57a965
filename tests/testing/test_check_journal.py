"""The suite that every journal passes, and faults of journals that it finds."""

from datetime import timedelta
from itertools import count

import attrs
import pytest
from hypothesis import Phase, settings

from listboss.delivery import Forgotten, MemoryJournal, SqliteJournal
from listboss.testing import check_journal

QUICK = settings(phases=[Phase.generate], derandomize=True)
"""Enough to find a fault, without looking for the shortest history that shows it."""


def test_memory():
    """A journal in memory passes."""
    check_journal(MemoryJournal)


def test_file(memory_disk):
    """A journal in a file passes; each history has a new one."""
    numbers = count()
    check_journal(lambda: SqliteJournal(memory_disk / f"{next(numbers)}.db"))


def test_database(amount, new_postgres_journal):
    """A journal in PostgreSQL passes; each history has empty tables."""
    histories = settings(max_examples=amount(ci=25, soak=2_000))
    check_journal(new_postgres_journal, settings=histories)


class AcceptsTwice(MemoryJournal):
    """Takes every delivery for a new plan."""

    def accept(self, event, plan, now, *, replan=False):
        """See `Journal.accept`."""
        return super().accept(event, plan, now, replan=True)


class ForgetsNothing(MemoryJournal):
    """Says that it has forgotten a contact."""

    def forget(self, contact, now=None):
        """See `Journal.forget`."""
        return Forgotten(self.count(contact=contact))


class HasNoLeases(MemoryJournal):
    """Gives out what another worker is sending."""

    def turn(self, worker, results, now, **terms):
        """See `Journal.turn`."""
        for each in ("w1", "w2"):
            self.resume(each, now)
        return super().turn(worker, results, now, **terms)


class LosesReports(MemoryJournal):
    """Records only the first report of a turn."""

    def turn(self, worker, results, now, **terms):
        """See `Journal.turn`."""
        return super().turn(worker, results[:1], now, **terms)


class LosesEventsOfTurns(MemoryJournal):
    """Accepts only the first event of a turn."""

    def turn(self, worker, results, now, *, accept=(), **terms):
        """See `Journal.turn`."""
        return super().turn(worker, results, now, accept=accept[:1], **terms)


class IsNeverInDoubt(MemoryJournal):
    """Gives out one action of a lane at a time, whatever the caller wants."""

    def turn(self, worker, results, now, *, in_doubt=1, **terms):
        """See `Journal.turn`."""
        return super().turn(worker, results, now, **terms)


class WaitsTooLong(MemoryJournal):
    """Gives a call more time than its lease has."""

    def turn(self, worker, results, now, *, lease=timedelta(seconds=60), **terms):
        """See `Journal.turn`."""
        return super().turn(worker, results, now, lease=4 * lease, **terms)


class NothingIsDue(MemoryJournal):
    """Does not say when there is something to do."""

    def due_at(self):
        """See `Journal.due_at`."""


class PrunesAll(MemoryJournal):
    """Deletes what is not finished, too."""

    def prune(self, before):
        """See `Journal.prune`."""
        for event in [*self.events()]:
            self._store.drop_event(event.id)
        return super().prune(before)


class KeepsOldRecords(MemoryJournal):
    """Does not delete anything."""

    def prune(self, before):
        """See `Journal.prune`."""
        return 0


class RetriesEverything(MemoryJournal):
    """Takes up again what the host did not ask for."""

    def retry(self, now, *, event_id=None, account=None, status=None):
        """See `Journal.retry`."""
        return super().retry(now, event_id=event_id)


class ShowsTheWrongPage(MemoryJournal):
    """Returns the oldest records of a page."""

    def history(self, *args, limit=None, **wanted):
        """See `Journal.history`."""
        return super().history(*args, **wanted)[:limit]


class ConfirmsNothing(MemoryJournal):
    """Does not know what providers have confirmed."""

    def standing(self, contact):
        """See `Journal.standing`."""
        return tuple(attrs.evolve(each, confirmed=False) for each in super().standing(contact))


FAULTY = [
    AcceptsTwice,
    ConfirmsNothing,
    ForgetsNothing,
    HasNoLeases,
    IsNeverInDoubt,
    KeepsOldRecords,
    LosesEventsOfTurns,
    LosesReports,
    NothingIsDue,
    PrunesAll,
    RetriesEverything,
    ShowsTheWrongPage,
    WaitsTooLong,
]


@pytest.mark.parametrize("faulty", FAULTY)
def test_fault(faulty):
    """A journal that breaks one promise fails."""
    with pytest.raises(AssertionError):
        check_journal(faulty, settings=QUICK)
