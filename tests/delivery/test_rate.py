"""The rate of an account: at most this many actions a minute, by all workers together."""

from bisect import bisect_left
from datetime import timedelta

import attrs
import pytest

from listboss import AddTag, Capabilities, Contact
from listboss.delivery import Executor, SqliteJournal
from listboss.provider import Unknown

MINUTE = timedelta(minutes=1)


@pytest.fixture
def journal(any_journal):
    """Each journal in turn."""
    return any_journal


@pytest.fixture
def limited(account, clock):
    """Make an account with a rate, which notes when it was called."""

    def limited(rate, *answers):
        mail = account(*answers, capabilities=attrs.evolve(Capabilities.everything(), rate=rate))
        apply, mail.times = mail.apply, []

        def noted(action, call):
            mail.times.append(clock.now)
            return apply(action, call)

        mail.apply = noted
        return mail

    return limited


@pytest.fixture
def buy(make_event):
    """Make an approval of another contact for each number."""
    return lambda n: make_event(f"e-{n}", contact=Contact(f"{n}@example.com"))


def most_in_a_minute(times):
    """Return the most calls in any minute that begins with one."""
    return max(bisect_left(times, at + MINUTE) - n for n, at in enumerate(times))


@pytest.mark.parametrize("rate", [1, 7, 120])
class TestRate:
    """No minute has more actions than the rate, and nearly as many are sent."""

    def test_one_worker(self, make_executor, make_segmentation, limited, buy, *, clock, rate):
        """A worker that wakes when something is due keeps the rate, and uses it."""
        mail = limited(rate)
        executor = make_executor(
            make_segmentation("r", AddTag("a")), providers={"mail": mail, "crm": limited(None)}
        )
        count = min(3 * rate, 130)
        for n in range(count):
            executor.accept(buy(n))
        began = clock.now
        while len(mail.times) < count:
            clock.now = max(clock.now, executor._journal.due_at())
            executor.run_due()
        assert rate >= most_in_a_minute(mail.times)
        assert count / rate * MINUTE * 1.05 + MINUTE / rate >= clock.now - began

    def test_two_workers(self, make_executor, make_segmentation, limited, buy, *, clock, rate):
        """Two workers share the rate."""
        mail = limited(rate)
        providers = {"mail": mail, "crm": limited(None)}
        rules = make_segmentation("r", AddTag("a"))
        workers = [make_executor(rules, providers=providers, worker=name) for name in ("1", "2")]
        count = min(2 * rate, 130)
        for n in range(count):
            workers[0].accept(buy(n))
        for n in range(10_000):
            workers[n % 2].run_due()
            if len(mail.times) == count:
                break
            clock.turn(seconds=min(0.3, 12 / rate))
        assert rate >= most_in_a_minute(mail.times)
        assert count == len(mail.times)


def test_another_account_goes_on(make_executor, make_segmentation, limited, buy, clock):
    """An account that has had its share delays no other one."""
    mail, crm = limited(1), limited(None)
    executor = make_executor(
        make_segmentation("r", AddTag("a")),
        make_segmentation("c", AddTag("c"), provider="crm"),
        providers={"mail": mail, "crm": crm},
    )
    executor.handle_many(buy(n) for n in range(5))
    assert (1, 5) == (len(mail.calls), len(crm.calls))


def test_attempts_count(make_executor, make_segmentation, limited, buy, clock):
    """What got no answer was asked for all the same."""
    mail = limited(2, Unknown("timeout"), Unknown("timeout"))
    executor = make_executor(
        make_segmentation("r", AddTag("a")), providers={"mail": mail, "crm": limited(None)}
    )
    executor.accept(buy(1))
    for _ in range(120):
        executor.run_due()
        clock.turn(seconds=1)
    assert 3 == len(mail.times)
    assert 2 >= most_in_a_minute(mail.times)


def test_the_clock_goes_back(make_executor, make_segmentation, limited, buy, clock):
    """A clock that is set back by an hour does not stop the account for an hour."""
    mail = limited(60)
    executor = make_executor(
        make_segmentation("r", AddTag("a")), providers={"mail": mail, "crm": limited(None)}
    )
    executor.handle(buy(1))
    clock.turn(hours=-1)
    executor.handle(buy(2))
    assert 2 == len(mail.times)


def test_opened_again(make_engine, make_segmentation, limited, buy, *, clock, tmp_path):
    """A restart does not forget what was sent."""
    mail, crm = limited(1), limited(None)
    accounts = {"mail": mail, "crm": crm}
    capabilities = {name: each.capabilities for name, each in accounts.items()}
    engine = make_engine(make_segmentation("r", AddTag("a")), providers=capabilities)
    for n in range(2):
        with SqliteJournal(tmp_path / "journal.db") as journal:
            Executor(engine, accounts, journal, clock=clock).handle(buy(n))
            clock.turn(seconds=1)
    assert 1 == len(mail.times)
