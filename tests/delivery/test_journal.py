"""What every journal does with events, receipts, lanes and pauses."""

from datetime import timedelta

import pytest

from listboss import AddTag, Contact, Idle, RemoveTag
from listboss.delivery import DeliveryStatus, RetryPolicy, Status
from listboss.errors import UnknownIdError
from listboss.provider import Accepted, Applied, Refused, Throttled, Unknown

ANA, BRUNO = "ana@example.com", "bruno@example.com"
SECOND = timedelta(seconds=1)
REFUND = "purchase.refunded"
BRUNO_CONTACT = Contact(BRUNO)


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.fixture
def one(make_executor, make_segmentation):
    """An executor with one rule of one action."""
    return make_executor(make_segmentation("buyers", AddTag("a")))


def statuses(receipt):
    """The status of each action, in the order of the plan."""
    return [state.status for state in receipt.states]


class TestReceipt:
    """What has become of an event."""

    def test_states(self, executor, journal, make_event, make_engine):
        """A receipt has each action as it was planned, with its status and attempts."""
        receipt = executor.handle(make_event())
        assert [
            (planned, Status.APPLIED, 1, 1) for planned in make_engine().plan(make_event()).actions
        ] == [
            (state.planned, state.status, state.attempts, state.generation)
            for state in receipt.states
        ]

    def test_next_at(self, executor, make_event, mail, crm, clock):
        """A receipt says when the earliest waiting action is due."""
        mail.answers = [Throttled(90 * SECOND)]
        crm.answers = [Throttled(30 * SECOND)]
        assert clock.now + 30 * SECOND == executor.handle(make_event()).next_at

    def test_nothing_waits(self, executor, make_event):
        """A receipt without waiting actions has no time."""
        assert None is executor.handle(make_event()).next_at

    @pytest.mark.parametrize("method", ["receipt", "event"])
    def test_unknown_event(self, journal, method):
        """An event that the journal does not have raises an error."""
        with pytest.raises(UnknownIdError, match="`e-9`"):
            getattr(journal, method)("e-9")

    def test_event(self, executor, journal, make_event):
        """The journal gives back the event as it was accepted."""
        event = make_event(transaction="HP1", facts={"language": "en"})
        executor.accept(event)
        assert event == journal.event("e-1")


class TestIdle:
    """Events that ask for nothing."""

    @pytest.mark.parametrize(
        ("more", "idle"),
        [
            ({"contact": None}, Idle.UNADDRESSED),
            ({"is_test": True}, Idle.TEST),
            ({"product_id": "7"}, Idle.UNKNOWN_PRODUCT),
            ({"product_id": "club", "plan_id": "99"}, Idle.UNKNOWN_PLAN),
            ({"name": "purchase.dreamt"}, Idle.UNKNOWN_EVENT),
            ({"name": REFUND}, Idle.NO_RULE),
        ],
        ids=str,
    )
    def test_record(self, executor, journal, make_event, more, idle):
        """The history says why nothing was done."""
        executor.handle(make_event(**more))
        (record,) = journal.history()
        assert (DeliveryStatus.IDLE, idle, None, None) == (
            record.status,
            record.detail,
            record.provider,
            record.action,
        )

    @pytest.mark.parametrize("more", [{"contact": None}, {"is_test": True}, {"name": REFUND}])
    def test_redelivered(self, executor, journal, make_event, more):
        """A redelivered event without actions is recorded once."""
        executor.handle(make_event(**more))
        executor.handle(make_event(**more))
        assert 1 == journal.count()

    @pytest.mark.parametrize(
        "more",
        [{"name": REFUND}, {"product_id": "club", "plan_id": "10"}],
        ids=str,
    )
    def test_reason_that_passed(
        self, executor, make_event, make_engine, make_segmentation, *, mail, more
    ):
        """An event whose reason is gone is planned anew when it is redelivered."""
        executor.handle(make_event(**more))
        where = {"product_id": more.get("product_id", "42"), "event": make_event(**more).name}
        if "plan_id" in more:
            where["plan_ids"] = ("10",)
        executor.use_engine(make_engine(make_segmentation("new", AddTag("new"), **where)))
        receipt = executor.handle(make_event(**more))
        assert (["new"], None) == (mail.tags, receipt.idle)

    def test_other_reason(self, executor, journal, make_event, make_engine, make_segmentation):
        """An event without an address stays idle whatever the rules."""
        executor.handle(make_event(contact=None))
        executor.use_engine(make_engine(make_segmentation("new", AddTag("new"))))
        receipt = executor.handle(make_event(contact=None))
        assert (Idle.UNADDRESSED, 1) == (receipt.idle, journal.count())


class TestConflict:
    """An id that comes with another event."""

    @pytest.mark.parametrize(
        "more", [{"name": REFUND}, {"product_id": "club"}, {"contact": BRUNO_CONTACT}], ids=str
    )
    def test_receipt(self, executor, make_event, more):
        """Another name, product or contact is a conflict."""
        executor.handle(make_event())
        receipt = executor.handle(make_event(**more))
        assert (DeliveryStatus.CONFLICT, ()) == (receipt.status, receipt.states)

    def test_keeps_the_first(self, executor, journal, make_event):
        """What was accepted first stays as it is."""
        first = executor.handle(make_event())
        executor.handle(make_event(contact=BRUNO_CONTACT), replan=True)
        assert (first, make_event()) == (journal.receipt("e-1"), journal.event("e-1"))

    def test_record(self, executor, journal, make_event):
        """The history has a line about it, without a contact."""
        executor.handle(make_event())
        executor.handle(make_event(contact=BRUNO_CONTACT))
        (record,) = journal.history(status="conflict")
        assert ("e-1", None) == (record.event_id, record.contact)

    def test_other_spelling_of_the_address(self, executor, make_event):
        """The same address in other letters is the same contact."""
        first = executor.handle(make_event())
        assert first == executor.handle(make_event(contact=Contact("ANA@example.com")))


class TestThrottle:
    """Throttled accounts and contacts."""

    def test_account(self, one, make_event, mail):
        """A throttled account gets no other contact's actions either."""
        mail.answers = [Throttled(30 * SECOND)]
        one.handle(make_event("e-1"))
        one.handle(make_event("e-2", contact=BRUNO_CONTACT))
        assert [ANA] == mail.emails

    def test_account_goes_on(self, one, make_event, mail, clock):
        """A throttled account gets all of them when the pause is over."""
        mail.answers = [Throttled(30 * SECOND)]
        one.handle(make_event("e-1"))
        one.handle(make_event("e-2", contact=BRUNO_CONTACT))
        clock.turn(seconds=30)
        one.run_due()
        assert [ANA, ANA, BRUNO] == sorted(mail.emails)

    def test_contact(self, one, make_event, mail):
        """While one contact is throttled, the account gets those of others."""
        mail.answers = [Throttled(30 * SECOND, "contact")]
        one.handle(make_event("e-1"))
        one.handle(make_event("e-2", contact=BRUNO_CONTACT))
        assert [ANA, BRUNO] == mail.emails

    def test_other_account(self, executor, make_event, mail, crm):
        """Other accounts go on."""
        crm.answers = [Throttled(30 * SECOND)]
        executor.handle(make_event())
        assert ["a", "b"] == mail.tags

    def test_due_at(self, one, journal, make_event, mail, clock):
        """A paused account has nothing due before the pause is over."""
        mail.answers = [Throttled(30 * SECOND)]
        one.handle(make_event("e-1"))
        one.accept(make_event("e-2", contact=BRUNO_CONTACT))
        assert clock.now + 30 * SECOND == journal.due_at()


class TestOutage:
    """An account that gives no answers."""

    def handle(self, executor, make_event, count):
        """Handle that many events of different contacts."""
        for n in range(count):
            executor.handle(make_event(f"e-{n}", contact=Contact(f"{n}@example.com")))

    @pytest.mark.parametrize(("events", "calls"), [(9, 9), (10, 10), (11, 10), (15, 10)])
    def test_pause(self, one, make_event, mail, events, calls):
        """After ten attempts in a row without an answer, the account is paused."""
        mail.answers = [Unknown("timeout")] * 99
        self.handle(one, make_event, events)
        assert calls == len(mail.calls)

    def test_not_in_a_row(self, one, make_event, mail):
        """An answer in between starts the count anew, a refusal too."""
        mail.answers = [*[Unknown("timeout")] * 9, Refused("no", "contact")] * 2
        self.handle(one, make_event, 20)
        assert 20 == len(mail.calls)

    def test_goes_on(self, one, make_event, mail, clock):
        """When the pause is over, the account is tried again."""
        mail.answers = [Unknown("timeout")] * 10
        self.handle(one, make_event, 12)
        clock.turn(minutes=1)
        one.run_due()
        assert 22 == len(mail.calls)


class TestLanes:
    """The actions of one contact at one account go out one after the other."""

    def test_order(self, executor, make_event, mail):
        """Actions go out in the order of acceptance, then of the plan."""
        executor.accept(make_event("e-1", day=1))
        executor.accept(make_event("e-2", day=2))
        executor.run_due()
        assert ["a", "b", "a", "b"] == mail.tags

    def test_one_at_a_time(self, executor, journal, make_event, clock):
        """While an action is in flight, the next one of its lane is not given out."""
        executor.accept(make_event())
        first = journal.turn("w-1", (), clock.now, want=9)
        second = journal.turn("w-2", (), clock.now, want=9)
        assert (2, 0) == (len(first), len(second))

    def test_in_doubt(self, executor, journal, make_event, clock):
        """With `in_doubt` a lane gives out several actions at once."""
        executor.accept(make_event())
        assert 3 == len(journal.turn("w-1", (), clock.now, want=9, in_doubt=2))

    @pytest.mark.parametrize("in_doubt", [4, 20])
    def test_a_long_lane(self, make_executor, make_event, mail, *, in_doubt):
        """However many are given out at once, a lane's actions go out once, in order."""
        executor = make_executor(in_doubt=in_doubt)
        for n in range(15):
            executor.accept(make_event(f"e-{n}", day=n / 100))
        assert (45, ["a", "b"] * 15) == (executor.run_due(), mail.tags)

    def test_lanes_with_nothing_to_send(self, executor, journal, make_event, clock):
        """A turn claims further lanes if there was nothing to send in the first ones."""
        executor.handle(make_event("e-1"))
        executor.accept(make_event("e-2", day=1))
        executor.accept(make_event("e-3", contact=Contact("bo@example.com")))
        (attempt,) = journal.turn("w-1", (), clock.now, want=1, in_sync=True)
        assert "bo@example.com" == attempt.planned.email

    def test_one_of_several_in_doubt(self, executor, journal, make_event, clock):
        """While one of them is in flight, nobody else takes the lane, and its report counts."""
        executor.accept(make_event())
        attempts = journal.turn("w-1", (), clock.now, want=9, in_doubt=2)
        first, second = [each for each in attempts if each.planned.provider == "mail"]
        settle = RetryPolicy().settle
        journal.turn("w-1", [settle(first, Applied(), clock.now)], clock.now, want=0)
        other = journal.turn("w-2", (), clock.now, want=9)
        journal.turn("w-1", [settle(second, Applied(), clock.now)], clock.now, want=0)
        states = journal.receipt("e-1").states[1:]
        assert ((), ["applied"] * 2) == (other, [str(state.status) for state in states])

    @pytest.fixture
    def beside(self, executor, journal, make_event, clock):
        """An action in flight, behind one that was throttled after both were given out."""
        executor.accept(make_event())
        attempts = journal.turn("w-1", (), clock.now, want=9, in_doubt=2)
        first, second = [each for each in attempts if each.planned.provider == "mail"]
        result = RetryPolicy().settle(first, Throttled(timedelta(seconds=1), "contact"), clock.now)
        journal.turn("w-1", [result], clock.now, want=0)
        return second

    def test_in_flight_behind_a_waiting_one(self, beside, journal, clock):
        """Nobody takes the lane before the lease ends, though the first action is due."""
        clock.turn(seconds=30)
        assert () == journal.turn("w-2", (), clock.now, want=9, in_doubt=2)

    def test_retry_beside_one_in_flight(self, beside, journal, clock):
        """Nor after a retry of the first action."""
        retried = journal.retry(clock.now)
        assert (1, ()) == (retried, journal.turn("w-2", (), clock.now, want=9))

    def test_goes_on_after_the_one_in_flight(self, beside, journal, clock):
        """Once the action in flight is reported, the first one is given out."""
        clock.turn(seconds=30)
        result = RetryPolicy().settle(beside, Applied(), clock.now)
        (attempt,) = journal.turn("w-1", [result], clock.now)
        assert 2 == attempt.call.attempt

    def test_other_contacts(self, one, make_event, mail):
        """A waiting action holds back nobody else."""
        mail.answers = [Unknown("timeout")]
        one.handle(make_event("e-1"))
        one.handle(make_event("e-2", contact=BRUNO_CONTACT))
        assert [ANA, BRUNO] == mail.emails

    def test_refused_holds_nothing_back(self, executor, make_event, mail):
        """After a refusal the lane goes on."""
        mail.answers = [Refused("no", "contact")]
        executor.handle(make_event())
        assert ["a", "b"] == mail.tags

    def test_waiting_holds_back_its_lane(self, executor, make_event, mail):
        """A waiting action holds back those behind it."""
        mail.answers = [Unknown("timeout")]
        executor.handle(make_event())
        assert ["a"] == mail.tags

    def test_patience_over_several_waits(self, executor, make_event, mail, clock):
        """It counts from the first time that the action waited."""
        mail.answers = [Throttled(timedelta(minutes=5), "contact") for _ in range(4)]
        executor.handle(make_event())
        for minutes in (5, 5, 5, 1):
            clock.turn(minutes=minutes)
            executor.run_due()
        assert ["a"] * 4 + ["b"] == mail.tags

    def test_what_is_being_sent_is_not_due(self, executor, journal, make_event, mail, clock):
        """Once a waiting action is given out again, nothing says when it is due."""
        mail.answers = [Throttled(timedelta(minutes=5), "contact")]
        executor.handle(make_event())
        journal.turn("w-9", (), clock.turn(minutes=5))
        states = journal.receipt("e-1").states
        assert [None] == [each.until for each in states if each.status is Status.SENDING]

    def test_patience_goes_on_after_a_crash(self, executor, journal, make_event, mail, clock):
        """It counts from the first time that the action waited, also if a worker died since."""
        waits = timedelta(minutes=10), timedelta(hours=1)
        mail.answers = [Throttled(wait, "contact") for wait in waits]
        executor.handle(make_event())
        journal.turn("w-9", (), clock.turn(minutes=10))
        clock.turn(minutes=2)
        executor.run_due()
        clock.turn(minutes=4)
        executor.run_due()
        assert ["a", "a", "b"] == mail.tags

    @pytest.mark.parametrize(("minutes", "tags"), [(14, ["a"]), (15, ["a", "b"])])
    def test_patience(self, executor, make_event, mail, clock, *, minutes, tags):
        """A waiting action holds back its lane only for the policy's patience."""
        mail.answers = [Throttled(timedelta(hours=1), "contact")]
        executor.handle(make_event())
        clock.turn(minutes=minutes)
        executor.run_due()
        assert tags == mail.tags

    def test_patience_of_the_host(self, make_executor, make_event, mail, clock):
        """The host may set another patience."""
        executor = make_executor(policy=RetryPolicy(patience=timedelta(minutes=1)))
        mail.answers = [Throttled(timedelta(hours=1), "contact")]
        executor.handle(make_event())
        clock.turn(minutes=1)
        executor.run_due()
        assert ["a", "b"] == mail.tags

    def test_patience_in_due_at(self, executor, journal, make_event, mail, clock):
        """When patience is over, there is something to do."""
        mail.answers = [Throttled(timedelta(hours=1), "contact")]
        executor.handle(make_event())
        assert clock.now + timedelta(minutes=15) == journal.due_at()

    def test_only_those_of_an_event(self, executor, journal, make_event, clock):
        """With `event_id` only the lanes of that event's contact are worked on."""
        executor.accept(make_event("e-1"))
        executor.accept(make_event("e-2", contact=BRUNO_CONTACT))
        turn = journal.turn("w-1", (), clock.now, want=9, event_id="e-2")
        assert {BRUNO} == {attempt.planned.email for attempt in turn}


class TestLease:
    """A worker that dies, or reports late."""

    def test_interrupted(self, one, journal, make_event, mail, clock):
        """When a lease is over, its action is recorded as interrupted and sent again."""
        one.accept(make_event())
        journal.turn("w-1", (), clock.now)
        clock.turn(seconds=60)
        one.run_due()
        assert [(Status.WAITING, "interrupted"), (Status.APPLIED, "")] == [
            (record.status, record.detail) for record in journal.history()
        ]

    def test_late_report(self, one, journal, make_event, clock):
        """A late report changes nothing, and is in the history."""
        one.accept(make_event())
        (attempt,) = journal.turn("w-1", (), clock.now)
        clock.turn(seconds=60)
        one.run_due()
        late = RetryPolicy().settle(attempt, Refused("no", "contact"), clock.now)
        journal.turn("w-1", [late], clock.now, want=0)
        record = journal.history()[-1]
        detail = "reported late, after the lease had ended; nothing was changed"
        assert ([Status.APPLIED], Status.REFUSED, detail) == (
            statuses(journal.receipt("e-1")),
            record.status,
            record.detail,
        )

    def test_reported_twice(self, one, journal, make_event, clock):
        """The first report of an attempt counts, and no other one."""
        one.accept(make_event())
        (attempt,) = journal.turn("w-1", (), clock.now)
        for outcome in (Applied(), Refused("no", "contact")):
            result = RetryPolicy().settle(attempt, outcome, clock.now)
            journal.turn("w-1", [result], clock.now, want=0)
        assert [Status.APPLIED] == statuses(journal.receipt("e-1"))

    def test_reported_after_its_event_was_deleted(self, one, journal, make_event, clock):
        """A report so late that nothing is known of the event is in the history."""
        one.accept(make_event())
        (attempt,) = journal.turn("w-1", (), clock.now)
        one.forget("ana@example.com")
        clock.turn(days=1)
        one.run_due()
        journal.prune(clock.now + timedelta(days=1))
        late = RetryPolicy().settle(attempt, Applied(), clock.now)
        (record,) = journal.turn("w-1", [late], clock.now, want=0).records
        assert ("", Status.APPLIED) == (record.product_id, record.status)

    def test_records_of_a_turn(self, one, journal, make_event, clock):
        """A turn gives back what it wrote into the history."""
        one.accept(make_event())
        (attempt,) = journal.turn("w-1", (), clock.now)
        result = RetryPolicy().settle(attempt, Accepted("7"), clock.now)
        (record,) = journal.turn("w-1", [result], clock.now, want=0).records
        assert (Status.ACCEPTED, "job 7") == (record.status, record.detail)

    @pytest.mark.parametrize(("worker", "freed"), [("w-1", 1), ("w-2", 0)])
    def test_resume(self, one, journal, make_event, clock, *, worker, freed):
        """A worker that starts anew frees its own lanes, and not those of one that lives."""
        one.accept(make_event())
        journal.turn("w-1", (), clock.now)
        assert freed == journal.resume(worker, clock.now)

    def test_ids_with_an_address(self, executor, journal, make_event):
        """An event id with an e-mail address is masked in receipts, records and errors."""
        receipt = executor.handle(make_event("quiz:ana@example.com"))
        with pytest.raises(UnknownIdError) as caught:
            journal.receipt("quiz:bruno@example.com")

        assert "ana@" not in repr((receipt, journal.history()))
        assert "ana@" not in " ".join(map(str, journal.history()))
        assert "bruno@" not in repr(caught.value)

    def test_stuck_and_standing_with_an_address(self, executor, journal, make_event, crm):
        """An event id with an e-mail address is masked in what waits and in the standing."""
        crm.answers = [Refused("full", "limit")]
        executor.handle(make_event("quiz:ana@example.com"))
        shown = (*journal.stuck(), *journal.standing(ANA))

        assert shown
        assert "ana@" not in " ".join([*map(str, shown), *map(repr, shown)])


def test_retry_of_what_is_over(executor, journal, make_event, clock):
    """What is over is not taken up again, whatever is asked for."""
    executor.handle(make_event())
    assert (0, 0) == (
        journal.retry(clock.now, status="applied"),
        journal.retry(clock.now, event_id="e-1", status="applied"),
    )


class TestRetry:
    """Taking stuck and waiting actions up again."""

    @pytest.fixture(autouse=True)
    def _some(self, executor, make_event, mail, crm):
        mail.answers = [Refused("no", "contact"), Throttled(timedelta(hours=9), "contact")]
        crm.answers = [Refused("no such list", "configuration")]
        executor.handle(make_event())

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            ({}, 3),
            ({"event_id": "e-1"}, 3),
            ({"account": "mail"}, 2),
            ({"account": "crm"}, 1),
            ({"status": "refused"}, 2),
            ({"status": Status.WAITING}, 1),
            ({"status": "dead"}, 0),
            ({"status": "applied"}, 0),
            ({"event_id": "e-1", "account": "mail", "status": "refused"}, 1),
        ],
        ids=str,
    )
    def test_how_many(self, executor, wanted, count):
        """Those that fit everything given are taken up."""
        assert count == executor.retry(**wanted)

    def test_sent_again(self, executor, mail):
        """They are sent again as a further attempt, with the same key."""
        executor.retry(account="mail")
        executor.run_due()
        calls = [call for planned, call in mail.calls if planned.action == AddTag("a")]
        assert ([1, 2], 1) == ([call.attempt for call in calls], len({call.key for call in calls}))

    def test_not_before_the_next_turn(self, executor, journal):
        """Nothing is sent before the next `run_due`."""
        executor.retry()
        assert {Status.PLANNED} == set(statuses(journal.receipt("e-1")))

    def test_unknown_event(self, executor):
        """An event that the journal does not have raises an error."""
        with pytest.raises(UnknownIdError, match="`e-9`"):
            executor.retry(event_id="e-9")

    def test_over(self, executor):
        """What is over stays over."""
        executor.retry()
        executor.run_due()
        assert 0 == executor.retry()

    def test_judged_anew(self, owners, make_event, journal, mail):
        """What a newer event took back is not sent."""
        mail.answers = [Refused("no", "contact")]
        owners.handle(make_event("e-8", transaction="P1", contact=BRUNO_CONTACT))
        refund = make_event("e-9", name=REFUND, transaction="P1", contact=BRUNO_CONTACT, day=1)
        owners.handle(refund)
        owners.retry(event_id="e-8")
        owners.run_due()
        assert [Status.SUPERSEDED] == statuses(journal.receipt("e-8"))


class TestReplan:
    """Planning a known event again, with other rules."""

    def use(self, executor, make_engine, make_segmentation, *tags):
        """Use a rule that adds these tags."""
        rule = make_segmentation("new", [AddTag(tag) for tag in tags])
        executor.use_engine(make_engine(rule))

    def test_no_longer_asked_for(self, executor, make_event, make_engine, make_segmentation):
        """What the rules do not ask for any more is superseded."""
        executor.accept(make_event())
        self.use(executor, make_engine, make_segmentation, "a")
        receipt = executor.replan("e-1")
        assert {"c": Status.SUPERSEDED, "a": Status.APPLIED, "b": Status.SUPERSEDED} == {
            state.planned.action.tag: state.status for state in receipt.states
        }

    def test_over_stays(self, executor, make_event, make_engine, make_segmentation, mail):
        """What is over stays in the receipt, and is not sent again."""
        executor.handle(make_event())
        self.use(executor, make_engine, make_segmentation, "new")
        receipt = executor.replan("e-1")
        assert (4, ["a", "b", "new"]) == (len(receipt.states), mail.tags)

    def test_there_and_back(self, executor, make_event, make_engine, make_segmentation, *, mail):
        """What the old rules asked for is sent when they are back."""
        old = executor.engine
        executor.accept(make_event())
        self.use(executor, make_engine, make_segmentation, "new")
        executor.replan("e-1")
        executor.use_engine(old)
        receipt = executor.replan("e-1")
        assert ["new", "a", "b"] == mail.tags
        assert {Status.APPLIED} == set(statuses(receipt))

    def test_there_and_back_after_sending(
        self, executor, make_event, make_engine, make_segmentation, mail
    ):
        """What was sent before is not sent again when the old rules are back."""
        old = executor.engine
        executor.handle(make_event())
        self.use(executor, make_engine, make_segmentation, "new")
        executor.replan("e-1")
        executor.use_engine(old)
        executor.replan("e-1")
        assert ["a", "b", "new"] == mail.tags

    def test_waiting(self, executor, make_event, mail):
        """A waiting action keeps the time that the provider asked for."""
        mail.answers = [Throttled(timedelta(hours=1), "contact")]
        before = executor.handle(make_event())
        assert before.next_at == executor.replan("e-1").next_at

    def test_in_flight(self, one, journal, make_event, make_engine, clock):
        """An action that is being sent is not given out a second time."""
        one.accept(make_event())
        journal.turn("w-1", (), clock.now)
        one.replan("e-1")
        assert [Status.SENDING] == statuses(journal.receipt("e-1"))

    def test_target_that_nothing_explains(
        self, executor, journal, make_event, make_engine, make_segmentation
    ):
        """A tag that no event explains any more is left as it is, and reported."""
        executor.handle(make_event())
        self.use(executor, make_engine, make_segmentation, "new")
        executor.replan("e-1")
        assert {"a": (True, None), "b": (True, None), "new": (True, "e-1")} == {
            entry.target.tag: (entry.sent, entry.event_id)
            for entry in journal.standing(ANA)
            if entry.provider == "mail"
        }


class TestTurn:
    """What a turn may be asked for."""

    def test_want_nothing(self, executor, journal, make_event, clock):
        """A turn that wants nothing gives out nothing."""
        executor.accept(make_event())
        assert () == journal.turn("w-1", (), clock.now, want=0)

    def test_accounts_in_turn(self, make_executor, make_segmentation, journal, make_event, clock):
        """An account with much to do does not keep another from its turn."""
        executor = make_executor(
            make_segmentation("mail", AddTag("a")),
            make_segmentation("crm", RemoveTag("c"), provider="crm"),
        )
        for n in range(6):
            executor.accept(make_event(f"e-{n}", contact=Contact(f"{n}@example.com")))
        turns = [journal.turn("w-1", (), clock.turn(microseconds=1), want=1) for _ in range(4)]
        found = sorted(attempt.planned.provider for turn in turns for attempt in turn)
        assert ["crm", "crm", "mail", "mail"] == found
