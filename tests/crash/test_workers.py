"""Workers that die, come back, share a name, or report too late."""

import os
import signal
import sqlite3
from datetime import timedelta
from functools import partial
from threading import Thread

import attrs
import pytest

from listboss import Action, AddTag, Capabilities, Engine, RuleSet
from listboss.delivery import Executor, RetryPolicy, SqliteJournal
from listboss.errors import ConfigurationError
from listboss.provider import Applied, Refused, Throttled, Unknown
from tests.crash.host import ANA, NOON, approval, engine_of, in_child, refund

ENGINE = engine_of(2)
LEASE = timedelta(seconds=60)
SETTLE = RetryPolicy(jitter=0).settle


@pytest.fixture
def journal(world):
    """An empty journal file, open."""
    with SqliteJournal(world.journal) as journal:
        yield journal


def accept(journal, *events):
    """Accept events."""
    for event in events:
        journal.accept(event, ENGINE.plan(event), NOON)


def statuses(journal, event_id="e-1"):
    """Return the status of each action of an event."""
    return [str(state.status) for state in journal.receipt(event_id).states]


def die_while_sending(world, worker="one", *events):
    """Let a process claim what is due and be killed before it says what became of it."""

    def work():
        journal = SqliteJournal(world.journal)
        accept(journal, *events or [approval()])
        journal.turn(worker, (), NOON, want=9, lease=LEASE)
        os.kill(os.getpid(), signal.SIGKILL)

    assert -signal.SIGKILL == in_child(work)


class TestDeath:
    """A worker that was killed."""

    def test_another_name_takes_over_at_once(self, world):
        """A worker of any other name takes up what a killed one left, before its lease ends."""
        die_while_sending(world)
        with SqliteJournal(world.journal) as journal:
            (attempt,) = journal.turn("two", (), NOON, lease=LEASE)
            assert (2, ["sending", "planned"]) == (attempt.call.attempt, statuses(journal))

    def test_when_nothing_is_due(self, world):
        """It is noticed at once by a worker that has nothing else to do."""
        with SqliteJournal(world.journal) as journal:
            accept(journal, approval())
            first = journal.turn("two", (), NOON, want=0)
            journal.turn("two", (), NOON, event_id="e-2", lease=LEASE)
            die_while_sending(world)
            (attempt,) = journal.turn("two", (), NOON, lease=LEASE)
            assert ((), 2) == (first, attempt.call.attempt)

    def test_while_there_is_other_work(self, world):
        """It is noticed within a second also by workers that have enough to do."""
        with SqliteJournal(world.journal) as journal:
            journal.turn("two", (), NOON, lease=LEASE)
            die_while_sending(world)
            accept(journal, *(approval(f"e-{n}", f"{n}@example.com") for n in range(2, 9)))
            later = NOON + timedelta(seconds=1)
            attempts = journal.turn("two", (), later, want=9, lease=LEASE)
            assert "e-1" in {attempt.event_id for attempt in attempts}

    def test_the_same_name_again(self, world):
        """A worker that comes back under its name takes up what it had left."""
        die_while_sending(world)
        with SqliteJournal(world.journal) as journal:
            assert 1 == journal.resume("one", NOON)
            (attempt,) = journal.turn("one", (), NOON, lease=LEASE)
            assert 2 == attempt.call.attempt

    def test_no_limit_stays_taken(self, world):
        """What a killed worker held is free again, however much it was."""
        die_while_sending(world, "one", *(approval(f"e-{n}", f"{n}@x.org") for n in range(9)))
        with SqliteJournal(world.journal) as journal:
            assert 9 == len(journal.turn("two", (), NOON, want=99, lease=LEASE))

    def test_not_repeatable(self, world):
        """What must not be sent twice is unknown, and the lane goes on."""
        die_while_sending(world)
        with sqlite3.connect(world.journal) as connection:
            connection.execute("UPDATE action SET about = json_set(about, '$[2]', json('false'))")
        connection.close()
        with SqliteJournal(world.journal) as journal:
            journal.turn("two", (), NOON, lease=LEASE)
            assert ["unknown", "sending"] == statuses(journal)

    def test_its_file_goes(self, world):
        """The lock file of a killed worker is removed, and that of a closed journal."""
        die_while_sending(world)
        assert 1 == len([*world.folder.glob("*worker*")])
        with SqliteJournal(world.journal) as journal:
            journal.turn("two", (), NOON)
            assert 1 == len([*world.folder.glob("*worker*")])
        assert [] == [*world.folder.glob("*worker*")]


class TestNames:
    """Two workers under one name."""

    def test_two_processes(self, world, journal):
        """The second process that works under a name is refused, and changes nothing."""
        accept(journal, approval())
        journal.turn("one", (), NOON, lease=LEASE)

        def work():
            with (
                SqliteJournal(world.journal) as other,
                pytest.raises(ConfigurationError) as caught,
            ):
                other.turn("one", (), NOON)
            assert ("worker_taken", "another process works as `one`") == (
                caught.value.code,
                caught.value.message,
            )

        assert 0 == in_child(work)
        assert ["sending", "planned"] == statuses(journal)

    def test_two_journals_of_a_process(self, world, journal):
        """The same holds for a second journal of the same process."""
        journal.turn("one", (), NOON)
        with SqliteJournal(world.journal) as other, pytest.raises(ConfigurationError):
            other.resume("one", NOON)

    def test_free_again(self, world):
        """The name of a worker that was closed can be used again."""
        for _ in range(2):
            with SqliteJournal(world.journal) as journal:
                journal.turn("one", (), NOON)

    def test_two_executors_of_a_process(self, world, journal):
        """Two executors that share a journal and a name send nothing twice, and resume nothing
        that the other one is sending.
        """
        one, two = _Account(), _Account()
        executors = [
            Executor(ENGINE, {"mail": account}, journal, clock=lambda: NOON, worker="w")
            for account in (one, two)
        ]
        one.then = executors[1].run_due
        executors[0].handle(approval())
        assert (2, 0) == (len(one.sent), len(two.sent))


class _Account:
    """An account that notes what it is asked for, and may do something meanwhile."""

    capabilities = ENGINE.rules.providers["mail"]

    def __init__(self, then=None, answers=()) -> None:
        self.then, self.answers = then, [*answers]
        self.sent: list[Action] = []

    def apply(self, planned, call):
        self.sent.append(planned.action)
        if self.then is not None:
            self.then()
        return self.answers.pop(0) if self.answers else Applied()


class TestLease:
    """Leases, and reports that come after them."""

    @pytest.fixture
    def attempt(self, journal):
        """An attempt that worker one was given."""
        accept(journal, approval())
        (attempt,) = journal.turn("one", (), NOON, lease=LEASE)
        return attempt

    def test_not_before_it_ends(self, journal, attempt):
        """Nobody else gets the lane while its worker lives and the lease runs."""
        later = NOON + LEASE - timedelta(seconds=1)
        assert (0, 1) == (
            len(journal.turn("two", (), later)),
            len(journal.turn("two", (), NOON + LEASE)),
        )

    @pytest.mark.parametrize(
        "outcome", [Applied(), Refused("full", "limit"), Unknown("x"), Throttled(LEASE)], ids=repr
    )
    def test_late_report(self, journal, attempt, outcome):
        """A report after a takeover is a line of the history and changes nothing else."""
        (taken,) = journal.turn("two", (), NOON + LEASE, lease=LEASE)
        before = journal.receipt("e-1")
        journal.turn("one", [SETTLE(attempt, outcome, NOON + LEASE)], NOON + LEASE, want=0)
        assert before == journal.receipt("e-1")
        assert "reported late" in journal.history()[-1].detail
        assert journal.due_at() == NOON + 2 * LEASE
        journal.turn("two", [SETTLE(taken, Applied(), NOON + LEASE)], NOON + LEASE, want=0)
        assert ["applied", "planned"] == statuses(journal)

    def test_reported_twice(self, journal, attempt):
        """A second report of the same attempt changes nothing."""
        result = SETTLE(attempt, Applied(), NOON)
        journal.turn("one", [result, SETTLE(attempt, Refused("x", "limit"), NOON)], NOON, want=0)
        journal.turn("one", [result], NOON, want=0)
        assert (["applied", "planned"], 1) == (
            statuses(journal),
            len([r for r in journal.history(status="applied") if not r.detail]),
        )

    def test_late_and_not_taken_over(self, journal, attempt):
        """A report after the lease counts if nobody has taken the lane."""
        late = NOON + 5 * LEASE
        journal.turn("one", [SETTLE(attempt, Applied(), late)], late, want=0)
        assert ["applied", "planned"] == statuses(journal)

    def test_checked_before_each_send(self, world, journal):
        """What was claimed too long ago is claimed again before it is sent."""
        now = [NOON]
        account = _Account(then=lambda: now.append(now[-1] + timedelta(seconds=20)))
        executor = Executor(ENGINE, {"mail": account}, journal, clock=lambda: now[-1])
        accept(journal, *(approval(f"e-{n}", f"{n}@example.com") for n in range(4)))
        assert 4 == executor.run_due(most=4) == len(account.sent)
        late = [r for r in journal.history() if r.detail == "not sent: too late in the lease"]
        assert 2 == len(late)

    def test_a_long_wait_is_not_a_lease(self, world, journal):
        """An action that waits for longer than a lease is sent once, when it is due."""
        now = [NOON]
        account = _Account(answers=[Throttled(timedelta(hours=5))])
        executor = Executor(ENGINE, {"mail": account}, journal, clock=lambda: now[-1])
        executor.handle(approval())
        for minutes in range(5, 300, 5):
            now.append(NOON + timedelta(minutes=minutes))
            executor.run_due()
        assert 1 == len(account.sent)


class TestTogether:
    """Things that happen while something is being sent."""

    def test_redelivery(self, journal):
        """The event that is being sent, delivered again, sends nothing twice."""
        account = _Account()
        executor = Executor(ENGINE, {"mail": account}, journal, clock=lambda: NOON)
        account.then = partial(executor.handle, approval())
        executor.handle(approval())
        assert (2, ["applied", "applied"]) == (len(account.sent), statuses(journal))

    def test_replan(self, journal):
        """The event that is being sent, planned again, sends nothing twice."""
        account = _Account()
        executor = Executor(ENGINE, {"mail": account}, journal, clock=lambda: NOON)
        account.then = partial(executor.replan, "e-1")
        executor.handle(approval())
        assert (2, ["applied", "applied"]) == (len(account.sent), statuses(journal))

    def test_forget(self, journal):
        """A contact that is forgotten during a call gets nothing more."""
        account = _Account(answers=[Throttled(timedelta(seconds=1))])
        executor = Executor(ENGINE, {"mail": account}, journal, clock=lambda: NOON)
        account.then = partial(executor.forget, ANA)
        executor.handle(approval())
        executor.run_due(NOON + timedelta(days=1))
        assert (1, ["forgotten", "forgotten"]) == (len(account.sent), statuses(journal))

    @pytest.mark.parametrize("first", ["accept", "record"])
    def test_accept_and_the_last_record(self, journal, first):
        """An event that comes as the lane runs empty is due, whichever is first."""
        accept(journal, approval())
        for _ in range(2):
            (attempt,) = journal.turn("one", (), NOON, lease=LEASE)
            result = SETTLE(attempt, Applied(), NOON)
            if attempt.action_id == journal.receipt("e-1").states[0].planned.id:
                journal.turn("one", [result], NOON, want=0)
        steps = {
            "record": lambda: journal.turn("one", [result], NOON, want=0),
            "accept": lambda: accept(journal, refund("e-2", minutes=1)),
        }
        for step in [first, *(steps.keys() - {first})]:
            steps[step]()
        assert (NOON, 1) == (journal.due_at(), len(journal.turn("one", (), NOON)))

    def test_accepted_by_two_processes(self, world):
        """Two processes that accept the same and other events of a contact keep each once."""

        def work():
            with SqliteJournal(world.journal) as journal:
                accept(journal, *(approval(f"e-{n}", minutes=n) for n in range(40)))

        threads = [Thread(target=in_child, args=[work]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with SqliteJournal(world.journal) as journal:
            assert 40 == len([*journal.events()])
            assert 80 == sum(len(journal.receipt(f"e-{n}").states) for n in range(40))
            positions = [_position(world, f"e-{n}") for n in range(40)]
            assert sorted(positions) == positions


def _position(world, event_id):
    connection = sqlite3.connect(world.journal)
    try:
        return connection.execute(
            "SELECT min(position) FROM action WHERE event_id = ?", (event_id,)
        ).fetchone()[0]
    finally:
        connection.close()


class TestBacklog:
    """Much work behind something that does not go on."""

    def test_a_dead_action_frees_its_place(self, journal):
        """A dead action does not hold its lane."""
        policy = RetryPolicy(max_age=timedelta(minutes=1))
        now = [NOON]
        account = _Account(answers=[Unknown("x"), Unknown("x")])
        executor = Executor(
            ENGINE, {"mail": account}, journal, clock=lambda: now[-1], policy=policy
        )
        executor.handle(approval())
        now.append(NOON + timedelta(minutes=2))
        executor.run_due()
        assert ["dead", "applied"] == statuses(journal)

    def test_other_lanes_are_not_behind_it(self, journal):
        """A claim finds the other lanes at once, however many wait."""
        accept(journal, *(approval(f"e-{n}", f"{n}@example.com") for n in range(50)))
        for attempt in journal.turn("one", (), NOON, want=49):
            until = SETTLE(attempt, Throttled(timedelta(hours=1), "contact"), NOON)
            journal.turn("one", [until], NOON, want=0)
        (attempt,) = journal.turn("one", (), NOON, want=49)
        assert "e-49" == attempt.event_id

    def test_a_hot_lane(self, journal):
        """Events of one contact that come by the hundred go out one by one, in their order."""
        account = _Account()
        executor = Executor(ENGINE, {"mail": account}, journal, clock=lambda: NOON)
        events = [approval(f"e-{n:03}", minutes=n) for n in range(100)]
        executor.handle_many(events)
        assert [AddTag(f"tag {n % 2}") for n in range(200)] == account.sent
        applied = [record.event_id for record in journal.history(status="applied")]
        assert sorted(applied) == applied

    def test_an_account_that_is_down(self, world, journal):
        """A large backlog of an account that is paused delays no other account."""
        engine = _two_accounts()
        for n in range(60):
            event = approval(f"e-{n:02}", f"{n}@example.com")
            journal.accept(event, engine.plan(event), NOON)
        down, up = _Account(answers=[Throttled(timedelta(hours=1))] * 99), _Account()
        accounts = {"mail": down, "crm": up}
        Executor(engine, accounts, journal, clock=lambda: NOON).run_due()
        assert (60, True) == (len(up.sent), len(down.sent) <= 16)


class TestRetention:
    """Old events."""

    def test_redelivered(self, journal):
        """An event that is delivered again after its time does nothing twice."""
        account = _Account()
        executor = Executor(ENGINE, {"mail": account}, journal, clock=lambda: NOON)
        executor.handle(approval())
        journal.prune(NOON + timedelta(days=1))
        executor.handle(approval())
        assert 2 == len(account.sent)

    def test_never_what_is_pending(self, journal):
        """What is not over stays, however old it is."""
        accept(journal, approval())
        journal.prune(NOON + timedelta(days=9_999))
        assert ["planned", "planned"] == statuses(journal)


def _two_accounts():
    rules = engine_of(1).rules
    buyers = rules.segmentation("buyers")
    rule = attrs.evolve(buyers, id="crm", name="crm", provider="crm")
    accounts = dict.fromkeys(("mail", "crm"), Capabilities.everything())
    return Engine(RuleSet(rules.products, [buyers, rule], providers=accounts))
