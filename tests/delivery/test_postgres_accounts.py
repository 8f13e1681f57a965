"""Several workers write the pause, the rate and the count of one account in PostgreSQL at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from listboss import AddTag, Contact
from listboss.delivery import Executor, RetryPolicy
from listboss.delivery._turn import turn
from listboss.provider import Applied, Throttled, Unknown

LEASE = timedelta(seconds=60)
POLICY = RetryPolicy()
ACCOUNTS = ("crm", "mail")


@pytest.fixture
def journal(postgres_journal):
    """An empty journal in PostgreSQL."""
    return postgres_journal


@pytest.fixture
def claim(journal, make_executor, make_segmentation, make_event, clock):
    """Accept an event of another contact for each call; return what a worker has to send."""
    rules = [make_segmentation(name, AddTag("a"), provider=name) for name in ACCOUNTS]
    executor: Executor = make_executor(*rules)

    def claim(worker, number, want=2):
        contact = Contact(f"{number}@example.com")
        executor.accept(make_event(f"e-{number}", contact=contact))
        return journal.turn(worker, (), clock.now, want=want, lease=LEASE)

    return claim


@pytest.fixture
def settle(clock):
    """Return the results of attempts that all came to the same."""

    def settle(attempts, outcome):
        return [POLICY.settle(attempt, outcome, clock.now) for attempt in attempts]

    return settle


def account_of(journal, name):
    """Return the row of an account."""
    with journal._reading() as store:
        return store.account(name)


def wait_for_a_lock(dsn):
    """Wait until a transaction waits for another one."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(1_000):
            found = connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            ).fetchone()
            if found is not None:
                return
            time.sleep(0.01)
    raise TimeoutError


def record_both(journal, postgres, clock, first, second):
    """Record results in a transaction, and others in one that begins before the first ends."""
    with ThreadPoolExecutor(1) as pool:
        with journal._transaction() as store:
            store.lock((), (), [result.attempt for result in first])
            turn(store, "one", first, clock.now, want=0, lease=LEASE)
            other = pool.submit(journal.turn, "two", second, clock.now, want=0, lease=LEASE)
            wait_for_a_lock(postgres.dsn)
        other.result()


def test_no_attempt_without_an_answer_is_lost(journal, postgres, claim, settle, clock):
    """Two workers that count at the same time both count."""
    first, second = claim("one", 1), claim("two", 2)
    record_both(
        journal, postgres, clock, settle(first, Unknown("down")), settle(second, Unknown("down"))
    )
    assert [2, 2] == [account_of(journal, name).unanswered for name in ACCOUNTS]


def test_an_answer_keeps_the_pause_of_another_worker(journal, postgres, claim, settle, clock):
    """A worker that sets the count back to 0 does not end the pause that another one has set."""
    journal.turn("zero", settle(claim("zero", 0), Unknown("down")), clock.now, want=0, lease=LEASE)
    first, second = claim("one", 1), claim("two", 2)
    pause = Throttled(timedelta(hours=1))
    record_both(journal, postgres, clock, settle(first, pause), settle(second, Applied()))
    assert clock.now < account_of(journal, "mail").paused_until
    assert 0 == account_of(journal, "mail").unanswered


@pytest.mark.parametrize("rates", [{}, {"crm": 600, "mail": 600}], ids=["no rates", "rates"])
def test_workers_that_pause_the_same_accounts(journal, claim, settle, clock, *, amount, rates):
    """None of them waits for another that waits for it, in whatever order they pause accounts."""
    for number in range(amount(ci=20, soak=2_000)):
        attempts = [claim("one", f"{number}-1"), claim("two", f"{number}-2")]
        results = [settle(given, Throttled(timedelta(hours=1))) for given in attempts]
        results[1].reverse()
        terms = {"want": 2, "lease": LEASE, "rates": rates}
        with ThreadPoolExecutor(2) as pool:
            turns = [
                pool.submit(journal.turn, worker, each, clock.now, **terms)
                for worker, each in zip(("one", "two"), results, strict=True)
            ]
            assert [0, 0] == [len(each.result()) for each in turns]
        clock.turn(hours=2)
