"""A forgotten contact leaves no byte: not in the file, its log or its shared memory."""

import os
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from listboss import AddLead, AddTag, Capabilities, Contact, Engine, Event, RuleSet, Segmentation
from listboss.delivery import Executor, Forgotten, SqliteJournal
from listboss.provider import Applied, Refused, Throttled, Unknown
from tests.crash.host import COURSE, NOON, in_child

EMAIL, NAME, PHONE = "wilhelmina.xq@example.com", "Wilhelmina Xqz", "+55 11 98765-4321"
CANARIES = ("wilhelmina", "xqz", "98765", "zanzibar", "sub-kj7", "hp-kj7")
"""Words that only this contact has, folded."""
RULE = Segmentation(
    "buyers",
    id="buyers",
    product_id="42",
    provider="mail",
    event="purchase.approved",
    actions=[AddTag("a"), AddTag("b"), AddLead("Buyers")],
    enabled=True,
)
OTHER = Segmentation(
    "crm",
    id="crm",
    product_id="42",
    provider="crm",
    event="purchase.approved",
    actions=[AddTag("c")],
    enabled=True,
)
ENGINE = Engine(
    RuleSet(
        [COURSE],
        [RULE, OTHER],
        providers=dict.fromkeys(("mail", "crm"), Capabilities.everything()),
    )
)


def event(number, email=EMAIL, name=NAME):
    """An approval with as much personal data as there may be."""
    return Event(
        "purchase.approved",
        id=f"quiz:{number}:{email.title()}" if number % 2 else f"e-{number}",
        product_id="42",
        contact=Contact(email, name=name, phone=PHONE if email == EMAIL else None),
        occurred_at=NOON - timedelta(hours=1) + timedelta(seconds=number),
        transaction=f"HP-KJ7-{number}" if email == EMAIL else f"HP-{number}",
        subscriber_code="SUB-KJ7" if email == EMAIL else None,
        facts={"city": "Zanzibar " * number * number} if email == EMAIL else {},
    )


class Account:
    """An account that answers what a test says."""

    capabilities = Capabilities.everything()

    def __init__(self, *answers) -> None:
        self.answers = [*answers]

    def apply(self, planned, call):
        """Return the next answer, or say that it was applied."""
        return self.answers.pop(0) if self.answers else Applied()


def executor_of(journal, *answers, worker="worker"):
    """Make an executor whose clock does not move."""
    accounts = {"mail": Account(*answers), "crm": Account()}
    return Executor(ENGINE, accounts, journal, clock=lambda: NOON, worker=worker)


class Forgetting(Account):
    """An account during whose call the contact is forgotten."""

    def __init__(self, journal, *answers) -> None:
        super().__init__(*answers)
        self.journal = journal

    def apply(self, planned, call):
        """Forget the contact, and return the next answer."""
        self.journal.forget(EMAIL)
        return super().apply(planned, call)


def plain_ids(journal):
    """Return the ids of the history that have no address."""
    return [each.event_id for each in journal.history() if "e-" in each.event_id[:2]]


def traces(world):
    """Return the words of the contact that any file of the journal has."""
    content = b"".join(path.read_bytes() for path in world.folder.iterdir()).lower()
    return {word for word in CANARIES if word.encode() in content}


@pytest.fixture
def journal(world):
    """An empty journal file, open."""
    with SqliteJournal(world.journal) as journal:
        yield journal


@pytest.fixture
def known(journal):
    """The contact with many events, in every state, among others before and after."""
    answers = [Refused("Wilhelmina Xqz is blocked", "contact"), Unknown("timeout")]
    executor = executor_of(journal, *answers, Throttled(timedelta(hours=1), "contact"))
    for number in range(40):
        executor.handle(event(number))
        for each in range(number, number + 3):
            executor.accept(event(1_000 + each, f"{each}@example.com", "Ana"))
    executor.run_due()
    return executor


@pytest.mark.usefixtures("known")
class TestNoByte:
    """What is left of a contact after `forget`."""

    def test_it_was_there(self, world):
        """Before, every word of the contact is in the files."""
        assert set(CANARIES) == traces(world)

    def test_open(self, world, known):
        """Nothing is left while the journal is open."""
        assert not known.forget(EMAIL).pending
        assert set() == traces(world)

    def test_closed(self, world, known, journal):
        """Nothing is left once it is closed."""
        known.forget(EMAIL)
        journal.close()
        assert set() == traces(world)

    def test_after_later_work(self, world, known):
        """Nothing comes back with later work in the same pages."""
        known.forget(EMAIL)
        for number in range(200, 230):
            known.handle(event(number, f"{number}@example.org", "Eva"))
        assert set() == traces(world)

    def test_others_stay(self, known, journal):
        """Everybody else is still there."""
        before = [each for each in journal.events() if each.contact.email != EMAIL]
        known.forget(EMAIL)
        assert before == [*journal.events()]

    def test_counts_stay(self, known, journal):
        """The history counts as before, and knows events by ids that have no address."""
        before = journal.count(), plain_ids(journal)
        forgotten = journal.count(status="forgotten")
        known.forget(EMAIL)
        closed = journal.count(status="forgotten") - forgotten
        assert before[0] + closed == journal.count()
        assert before[1] == plain_ids(journal)[: len(before[1])]


@pytest.mark.usefixtures("known")
class TestReader:
    """A program that reads the file meanwhile."""

    @pytest.fixture
    def reader(self, world):
        """A program that reads, and goes on reading."""
        with closing(sqlite3.connect(world.journal, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM event").fetchone()
            yield reader

    def test_pending(self, known, reader, journal):
        """The bytes that it may still read are pending; the contact is forgotten all the same."""
        assert known.forget(EMAIL).pending
        assert 0 == journal.count(contact=EMAIL)

    def test_the_next_turn(self, world, known, reader, journal):
        """When it is gone, the next turn removes them."""
        known.forget(EMAIL)
        reader.rollback()
        journal.turn("worker", (), NOON)
        assert set() == traces(world)

    def test_while_it_stays(self, world, known, reader, journal):
        """While it stays, turns go on, and try again at most once a second."""
        known.forget(EMAIL)
        for second in range(3):
            known.handle(event(500 + second, f"{second}@example.net", "Leo"))
            journal.turn("worker", (), NOON + timedelta(seconds=second))
        assert set() != traces(world)
        reader.rollback()
        journal.turn("worker", (), NOON + timedelta(seconds=9))
        assert set() == traces(world)

    def test_in_another_process(self, world, known, reader, journal):
        """The turn may be that of another process, after the first one was closed."""
        known.forget(EMAIL)
        journal.close()
        reader.rollback()
        with SqliteJournal(world.journal) as other:
            other.turn("another", (), NOON)
            assert set() == traces(world)


def test_killed_after_the_forget(world, known, journal):
    """A process that dies between the forget and the end of the log leaves that to the next."""
    journal.close()

    def work():
        class Killed(SqliteJournal):
            def _erase(self, wait):
                os.kill(os.getpid(), signal.SIGKILL)
                return False

        Killed(world.journal).forget(EMAIL, NOON)

    assert -signal.SIGKILL == in_child(work)
    assert set() != traces(world)
    with SqliteJournal(world.journal) as other:
        other.turn("another", (), NOON)
        assert set() == traces(world)


@pytest.mark.parametrize("answer", [Applied(), Refused(NAME, "contact"), Unknown("x")], ids=repr)
def test_a_call_that_ends_later(world, journal, answer):
    """A call that was under way brings nothing back when it ends."""
    executor = executor_of(journal)
    executor._providers["mail"] = Forgetting(journal, answer)
    executor.handle(event(1))
    journal.forget("nobody@example.com")
    assert set() == traces(world)


def test_memory_of_other_processes(world, known, journal):
    """Another process that had read the contact does not bring it back either."""
    with SqliteJournal(world.journal) as other:
        other.receipt("e-2")
        known.forget(EMAIL)
        assert () == other.standing(EMAIL)
        executor_of(other, worker="another").run_due()
    assert set() == traces(world)


def test_a_late_event(world, journal):
    """An event that is too late, of a contact that was forgotten before, leaves nothing."""
    journal.forget(EMAIL, NOON)
    executor_of(journal).handle(event(1))
    assert set() == traces(world)


def test_records_are_counted(journal):
    """What is counted is what the history had of the contact."""
    assert Forgotten(0) == journal.forget(EMAIL)
    executor_of(journal).handle(event(1))
    assert Forgotten(4) == journal.forget(EMAIL)
