"""`retry` changes only lanes that nobody else can change meanwhile."""

import pytest

from listboss import AddTag
from listboss.delivery._postgres_store import PostgresStore
from listboss.provider import Refused


@pytest.fixture
def journal(postgres_journal):
    """An empty journal in PostgreSQL."""
    return postgres_journal


def test_an_action_that_is_refused_meanwhile(
    make_executor, make_segmentation, make_event, *, other, journal, clock, monkeypatch
):
    """What becomes stuck after the lanes were locked is left to the next `retry`."""
    executor = make_executor(make_segmentation("rule", AddTag("a")))
    executor.accept(make_event())
    (given,) = other.turn("two", [], clock.now)
    refused = executor._policy.settle(given, Refused("no", "contact"), clock.now)
    lock_stuck = PostgresStore.lock_stuck

    def late(self, *about):
        locked = lock_stuck(self, *about)
        other.turn("two", [refused], clock.now, want=0)
        return locked

    with monkeypatch.context() as patch:
        patch.setattr(PostgresStore, "lock_stuck", late)
        assert 0 == executor.retry()
    assert 1 == executor.retry()
    assert (1, "done") == (executor.run_due(), journal.receipt("e-1").status)
