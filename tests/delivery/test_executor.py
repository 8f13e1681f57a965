"""`Executor`: what is sent, when, and what is recorded of it."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import attrs
import pytest

from listboss import AddLead, AddTag, Capabilities, Contact, Idle
from listboss.delivery import DeliveryStatus, Executor, RetryPolicy, Status
from listboss.errors import (
    ConfigurationError,
    EventError,
    FlaggedSegmentationError,
    UnknownIdError,
)
from listboss.provider import (
    Accepted,
    Applied,
    NoChange,
    Refused,
    RefusedKind,
    Throttled,
    Unknown,
)

ANA, BRUNO = "ana@example.com", "bruno@example.com"
CANARY = "canary@example.com has no such list"
SECOND = timedelta(seconds=1)


def statuses(receipt):
    """The status of each action, in the order of the plan."""
    return [state.status for state in receipt.states]


class TestAccept:
    """Accepting an event."""

    def test_sends_nothing(self, executor, make_event, mail):
        """Accepting an event plans it and sends nothing."""
        receipt = executor.accept(make_event())
        expected: tuple[Any, ...] = (DeliveryStatus.PENDING, [Status.PLANNED] * 3, [])
        assert expected == (receipt.status, statuses(receipt), mail.calls)

    def test_is_sent_later(self, executor, make_event, mail):
        """What was accepted is sent by the next `run_due`."""
        executor.accept(make_event())
        executor.run_due()
        assert ["a", "b"] == mail.tags

    def test_again(self, executor, make_event):
        """An event that is accepted twice is kept once."""
        first = executor.accept(make_event())
        assert first == executor.accept(make_event())


class TestHandle:
    """Handling one event."""

    def test_one_action_at_a_time(self, executor, journal, make_event, mail, crm):
        """Each action is recorded before the next one is sent, to whatever account."""
        sending = []

        def answer():
            sending.append(statuses(journal.receipt("e-1")).count(Status.SENDING))
            return Applied()

        mail.answers, crm.answers = [answer, answer], [answer]
        executor.handle(make_event())
        assert [1, 1, 1] == sending

    def test_carries_the_plan_out(self, executor, make_event, make_engine, mail, crm):
        """Every action of the plan reaches its provider, in order."""
        executor.handle(make_event())
        plan = make_engine().plan(make_event())
        assert plan.actions == tuple(planned for planned, _ in crm.calls + mail.calls)

    def test_call(self, executor, make_event, clock, crm):
        """A call has the attempt, half a lease, the action's id, and the time of the event."""
        executor.handle(make_event())
        ((planned, call),) = crm.calls
        assert (1, clock.now + 30 * SECOND, planned.id, make_event().occurred_at, False) == (
            call.attempt,
            call.deadline,
            call.key,
            call.occurred_at,
            call.is_test,
        )

    @pytest.mark.parametrize(
        ("outcome", "expected"),
        [
            (Applied(), (Status.APPLIED, DeliveryStatus.DONE)),
            (NoChange(), (Status.UNCHANGED, DeliveryStatus.DONE)),
            (Accepted("7"), (Status.ACCEPTED, DeliveryStatus.DONE)),
            (Refused("full", "limit"), (Status.REFUSED, DeliveryStatus.FAILED)),
            (Unknown("timeout"), (Status.WAITING, DeliveryStatus.PENDING)),
            (Throttled(9 * SECOND), (Status.WAITING, DeliveryStatus.PENDING)),
        ],
        ids=repr,
    )
    def test_outcomes(self, executor, make_event, crm, outcome, expected):
        """The receipt has the status of each action and of the whole event."""
        crm.answers = [outcome]
        receipt = executor.handle(make_event())
        assert expected == (receipt.states[0].status, receipt.status)

    @pytest.mark.parametrize(
        ("more", "idle"),
        [
            ({"contact": None}, Idle.UNADDRESSED),
            ({"is_test": True}, Idle.TEST),
            ({"product_id": "7"}, Idle.UNKNOWN_PRODUCT),
            ({"name": "purchase.dreamt"}, Idle.UNKNOWN_EVENT),
            ({"name": "purchase.refunded"}, Idle.NO_RULE),
        ],
    )
    def test_idle(self, executor, make_event, more, idle):
        """The receipt of an event without actions gives the reason."""
        receipt = executor.handle(make_event(**more))
        assert (DeliveryStatus.IDLE, idle, ()) == (receipt.status, receipt.idle, receipt.states)

    def test_only_its_contact(self, executor, make_event, mail):
        """Handling an event sends nothing for other contacts."""
        executor.accept(make_event("e-1", contact=Contact(BRUNO)))
        executor.handle(make_event("e-2"))
        assert [ANA, ANA] == mail.emails

    def test_earlier_events_of_its_contact(self, executor, make_event, mail):
        """What the contact's earlier events left is sent first, in order."""
        executor.accept(make_event("e-1"))
        executor.handle(make_event("e-2", day=1))
        assert ["a", "b", "a", "b"] == mail.tags

    def test_nothing_personal_in_repr(self, executor, make_event):
        """The repr of a receipt shows no e-mail."""
        assert "ana@" not in repr(executor.handle(make_event()))


class TestRedelivery:
    """The same event delivered again."""

    @pytest.mark.parametrize(
        "outcome",
        [Applied(), NoChange(), Accepted("7"), Refused("no", "contact"), Unknown("timeout")],
        ids=repr,
    )
    def test_does_nothing_twice(self, executor, make_event, mail, crm, outcome):
        """A redelivered event does nothing twice and returns the same receipt."""
        crm.answers = [outcome]
        first = executor.handle(make_event())
        again = executor.handle(make_event())
        assert (first, 2, 1) == (again, len(mail.calls), len(crm.calls))

    def test_as_planned_at_first(self, executor, make_event, make_engine, make_segmentation, mail):
        """A redelivered event keeps its plan even after the rules have changed."""
        executor.handle(make_event())
        executor.use_engine(make_engine(make_segmentation("new", AddTag("new"))))
        executor.handle(make_event())
        assert ["a", "b"] == mail.tags

    def test_finishes_what_is_due(self, executor, make_event, mail, clock):
        """A redelivery attempts only actions that waited and are due."""
        mail.answers = [Throttled(9 * SECOND)]
        executor.handle(make_event())
        clock.turn(seconds=9)
        receipt = executor.handle(make_event())
        assert (["a", "a", "b"], DeliveryStatus.DONE) == (mail.tags, receipt.status)


class TestHandleMany:
    """Handling several events at once."""

    def test_receipts(self, executor, make_event):
        """There is a receipt for each event, in order, after everything was sent."""
        events = [make_event(f"e-{n}", contact=Contact(f"{n}@example.com")) for n in range(3)]
        receipts = executor.handle_many(events)
        assert [(event.id, DeliveryStatus.DONE) for event in events] == [
            (receipt.event_id, receipt.status) for receipt in receipts
        ]

    def test_more_than_a_group(self, executor, make_event, crm):
        """More events than fit in one transaction are carried out completely."""
        events = (make_event(f"e-{n}", contact=Contact(f"{n}@example.com")) for n in range(205))
        executor.handle_many(events)
        assert 205 == len(crm.calls)

    def test_repeated_event(self, executor, make_event, crm):
        """An event that comes twice in one group is carried out once."""
        first, second = executor.handle_many([make_event(), make_event()])
        assert (first, 1) == (second, len(crm.calls))

    def test_none(self, executor):
        """No events give no receipts."""
        assert () == executor.handle_many([])


class TestReplan:
    """Planning a known event again."""

    def test_sends_what_is_not_over(self, executor, make_event, mail, crm):
        """Only actions that are not applied are sent, as a further attempt."""
        mail.answers = [Refused("no such list", "configuration")]
        executor.handle(make_event())
        receipt = executor.replan("e-1")
        assert (["a", "b", "a"], ["c"]) == (mail.tags, crm.tags)
        assert (2, DeliveryStatus.DONE) == (mail.calls[-1][1].attempt, receipt.status)

    def test_new_rules(self, executor, make_event, make_engine, make_segmentation, mail):
        """The event is evaluated with the new rules."""
        executor.handle(make_event())
        executor.use_engine(make_engine(make_segmentation("new", [AddTag("b"), AddTag("new")])))
        executor.replan("e-1")
        assert ["a", "b", "new"] == mail.tags

    def test_handle_with_replan(self, executor, make_event, mail):
        """`handle` can plan a redelivered event again."""
        mail.answers = [Refused("no such list", "configuration")]
        executor.handle(make_event())
        executor.handle(make_event(), replan=True)
        assert ["a", "b", "a"] == mail.tags

    def test_of_a_new_event(self, executor, make_event, mail):
        """A new event is handled as usual."""
        executor.handle(make_event(), replan=True)
        assert ["a", "b"] == mail.tags

    def test_unknown_event(self, executor):
        """An event that the journal does not have cannot be planned again."""
        with pytest.raises(UnknownIdError, match="`e-9`"):
            executor.replan("e-9")

    def test_forgotten_event(self, executor, make_event):
        """An event of a forgotten contact cannot be planned again."""
        executor.handle(make_event())
        executor.forget(ANA)
        with pytest.raises(ConfigurationError) as caught:
            executor.replan("e-1")
        assert "event_not_kept" == caught.value.code


class TestOutcomes:
    """What a provider may return or raise."""

    @pytest.mark.parametrize("kind", [Applied, NoChange])
    def test_subclass_without_fields(self, executor, make_event, crm, kind):
        """A subclass of an outcome counts as its base class."""
        crm.answers = [type("Own", (kind,), {})()]
        expected = {Applied: Status.APPLIED, NoChange: Status.UNCHANGED}[kind]
        assert expected is executor.handle(make_event()).states[0].status

    @pytest.mark.parametrize(
        ("outcome", "detail"),
        [
            (Accepted("7"), "job 7"),
            (Refused("full", "limit"), "limit: full"),
            (Unknown("timeout"), "timeout"),
            (Throttled(9 * SECOND, "contact"), "retry after 9 s"),
        ],
        ids=repr,
    )
    def test_subclass_with_fields(self, executor, make_event, crm, outcome, detail):
        """A subclass of an outcome keeps what its base class says."""
        own = type("Own", (type(outcome),), {})
        crm.answers = [own(**attrs.asdict(outcome, recurse=False))]
        assert detail == executor.handle(make_event()).states[0].detail

    @pytest.mark.parametrize(
        "answer",
        [None, True, "applied", Applied, object()],
        ids=["none", "true", "text", "class", "object"],
    )
    def test_no_outcome(self, executor, make_event, crm, answer):
        """An answer that is not an outcome counts as none."""
        crm.apply = lambda action, call: answer
        state = executor.handle(make_event()).states[0]
        assert (Status.WAITING, "no outcome") == (state.status, state.detail)

    @pytest.mark.parametrize(
        "error",
        [ValueError(CANARY), RuntimeError(CANARY), ExceptionGroup(CANARY, [OSError()])],
        ids=lambda error: type(error).__name__,
    )
    def test_exception(self, executor, make_event, mail, error):
        """An exception counts as sent without an answer; its class name is kept."""
        mail.answers = [error]
        state = executor.handle(make_event()).states[1]
        assert (Status.WAITING, type(error).__name__) == (state.status, state.detail)

    def test_text_of_an_exception(self, executor, make_event, journal, mail, caplog):
        """The text of an exception is neither kept nor logged."""
        mail.answers = [ValueError(CANARY)]
        with caplog.at_level(logging.DEBUG):
            receipt = executor.handle(make_event())
        assert "canary" not in repr((receipt, journal.history())) + caplog.text

    def test_exception_is_logged(self, executor, make_event, mail, caplog):
        """The class name of an exception is logged."""
        mail.answers = [ValueError(CANARY)]
        executor.handle(make_event())
        assert ["provider `mail` raised ValueError"] == [
            record.getMessage() for record in caplog.records
        ]

    def test_other_accounts_still_run(self, executor, make_event, mail, crm):
        """Actions at other accounts still run after one fails."""
        crm.answers = [OSError()]
        receipt = executor.handle(make_event())
        assert [Status.WAITING, Status.APPLIED, Status.APPLIED] == statuses(receipt)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_interruption(self, executor, make_event, journal, mail, error):
        """An interruption is raised; its action is recorded as interrupted."""
        mail.answers = [error()]
        with pytest.raises(error):
            executor.handle(make_event())
        state = journal.receipt("e-1").states[1]
        assert (Status.WAITING, "interrupted") == (state.status, state.detail)

    def test_after_an_interruption(self, executor, make_event, mail, clock):
        """What was interrupted, and what comes after it, is sent when it is due."""
        mail.answers = [KeyboardInterrupt()]
        with pytest.raises(KeyboardInterrupt):
            executor.handle(make_event())
        clock.turn(minutes=1)
        executor.run_due()
        assert ["a", "a", "b"] == mail.tags


class TestRunDue:
    """Sending what is due."""

    def test_nothing(self, executor):
        """Without events there is nothing to send."""
        assert 0 == executor.run_due()

    def test_not_early(self, executor, make_event, mail):
        """A waiting action is not sent before it is due."""
        mail.answers = [Throttled(30 * SECOND)]
        executor.handle(make_event())
        assert 0 == executor.run_due()

    def test_when_due(self, executor, make_event, journal, mail, clock):
        """A waiting action, and what it held back, is sent when it is due."""
        mail.answers = [Throttled(30 * SECOND)]
        executor.handle(make_event())
        clock.turn(seconds=30)
        sent = executor.run_due()
        assert (2, ["a", "a", "b"]) == (sent, mail.tags)

    def test_time_of_the_host(self, executor, make_event, mail, clock):
        """The host may pass the time."""
        mail.answers = [Throttled(30 * SECOND)]
        executor.handle(make_event())
        assert 2 == executor.run_due(clock.now + timedelta(minutes=1))

    @pytest.mark.parametrize(("most", "sent"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3)])
    def test_most(self, executor, make_event, mail, crm, *, most, sent):
        """At most `most` actions are sent."""
        executor.accept(make_event())
        counts = executor.run_due(most=most), len(mail.calls) + len(crm.calls)
        assert (sent, sent) == counts

    def test_most_leaves_the_rest(self, executor, make_event, mail, crm):
        """What `most` leaves out is sent by the next call."""
        executor.accept(make_event())
        executor.run_due(most=1)
        executor.run_due()
        assert (["a", "b"], ["c"]) == (mail.tags, crm.tags)

    @pytest.mark.parametrize("seconds", [0, -5])
    def test_once_per_call(self, executor, make_event, mail, seconds):
        """An action that waits is attempted once, even if the provider asks for no delay."""
        mail.answers = [Throttled(timedelta(seconds=seconds))] * 5
        executor.handle(make_event())
        assert ["a"] == mail.tags

    def test_clock_set_back(self, executor, make_event, mail, clock):
        """A clock that was set back during a call makes no action due too early."""
        before = clock.now
        mail.answers = [lambda: clock.turn(hours=-2) and Throttled(30 * SECOND)]
        receipt = executor.handle(make_event())
        assert before + 30 * SECOND == receipt.next_at


class Stop:
    """Ends a worker loop after some waits, and notes how long each was to be."""

    def __init__(self, waits):
        self.left = waits
        self.waited = []

    def is_set(self):
        """Whether to stop."""
        return self.left <= 0

    def wait(self, timeout=None):
        """Note the time to wait, and return at once."""
        self.left -= 1
        self.waited.append(timeout)
        return self.is_set()


class TestRun:
    """The worker loop."""

    def test_sends(self, executor, make_event, mail):
        """The loop sends what was accepted."""
        executor.accept(make_event())
        executor.run(Stop(1))
        assert ["a", "b"] == mail.tags

    def test_stopped_already(self, executor, make_event, mail):
        """A loop that is to stop sends nothing."""
        executor.accept(make_event())
        executor.run(Stop(0))
        assert [] == mail.calls

    def test_ends_gracefully(self, executor, make_event, journal, crm, mail):
        """What is being sent when the loop is to stop is recorded, and nothing new is begun."""
        stop = Stop(1)
        crm.answers = mail.answers = [lambda: stop.wait() and Applied()]
        executor.accept(make_event())
        executor.run(stop)
        found = sorted(statuses(journal.receipt("e-1")))
        assert [Status.APPLIED, Status.PLANNED, Status.WAITING] == found
        assert 1 == len(crm.calls) + len(mail.calls)

    @pytest.mark.parametrize(("passed", "expected"), [(9.75, 0.25), (0, 1.0)])
    def test_wakes_when_something_is_due(
        self, executor, make_event, mail, clock, *, passed, expected
    ):
        """The loop waits until something is due, at most for `poll`."""
        mail.answers = [Throttled(10 * SECOND)]
        executor.handle(make_event())
        clock.turn(seconds=passed)
        stop = Stop(1)
        executor.run(stop)
        assert [expected] == stop.waited

    def test_polls(self, executor):
        """With nothing to do the loop waits for `poll`."""
        stop = Stop(2)
        executor.run(stop, poll=timedelta(seconds=5))
        assert [5.0, 5.0] == stop.waited

    def test_threading_event(self, executor):
        """A `threading.Event` ends the loop."""
        stop = Event()
        stop.set()
        assert executor.run(stop) is None


class TestResume:
    """Taking up what a crash left."""

    @pytest.fixture(autouse=True)
    def left(self, journal, make_engine, make_event, clock):
        """What worker w-1 has in flight: the first action at each account."""
        journal.accept(make_event(), make_engine().plan(make_event()), clock.now)
        return journal.turn("w-1", (), clock.now, want=9)

    def test_same_worker(self, make_executor):
        """A worker that starts anew sends at once what its last life left."""
        assert 3 == make_executor(worker="w-1").resume()

    def test_after_other_work(self, make_executor, make_event):
        """It does the same once its own calls are over."""
        executor = make_executor(worker="w-1")
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))
        assert 3 == executor.resume()

    def test_attempt_is_counted(self, make_executor, left, crm):
        """What was in flight is sent again as a further attempt, with the same key."""
        make_executor(worker="w-1").resume()
        (call,) = [call for _, call in crm.calls]
        (first,) = [each.call for each in left if each.planned.provider == "crm"]
        assert (2, first.key) == (call.attempt, call.key)

    def test_without_resume(self, make_executor, clock):
        """Another worker takes over when the lease is over, and not before."""
        executor = make_executor(worker="w-2")
        early = executor.run_due()
        clock.turn(seconds=60)
        assert (0, 3) == (early, executor.run_due())


def test_resume_during_a_call(executor, make_event, mail):
    """Calls that are on their way stay leased: they are not sent twice."""
    mail.answers = [lambda: executor.resume() or Applied()]
    executor.handle(make_event())
    assert ["a", "b"] == mail.tags


class TestStoppedResume:
    """`resume` with something that stops it."""

    def test_stopped_already(self, executor, make_event, mail):
        """Nothing is begun."""
        executor.accept(make_event())
        stop = Event()
        stop.set()
        assert (0, []) == (executor.resume(stop), mail.calls)

    def test_stopped_meanwhile(self, make_executor, make_segmentation, make_event, mail):
        """What is being sent is finished, and nothing new is begun."""
        executor = make_executor(make_segmentation("two", [AddTag("a"), AddTag("b")]))
        stop = Event()

        def stops():
            stop.set()
            return Applied()

        mail.answers = [stops]
        executor.accept(make_event())
        assert (1, ["a"]) == (executor.resume(stop), mail.tags)


class TestDeadline:
    """A call has half a lease."""

    @pytest.fixture(autouse=True)
    def _slow(self, mail, crm, clock):
        for account in (mail, crm):  # whichever is called first takes half a lease
            account.answers = [lambda: clock.turn(seconds=30) and Applied()]

    def test_too_late_is_not_counted(self, executor, make_event, mail, crm):
        """An action whose deadline has passed is not sent, and not counted as sent."""
        executor.accept(make_event())
        assert 2 == executor.run_due(most=2) == len(mail.calls + crm.calls)

    def test_too_late_is_recorded(self, executor, make_event, journal):
        """The history says that an action was not sent because it was too late."""
        executor.accept(make_event())
        executor.run_due(most=2)
        (record,) = journal.history(status="waiting")
        assert "not sent: too late in the lease" == record.detail

    def test_sent_afterwards(self, executor, make_event, mail, crm):
        """It is sent by a later turn."""
        executor.accept(make_event())
        executor.run_due()
        executor.run_due()
        assert (["a", "b"], ["c"]) == (mail.tags, crm.tags)

    def test_length(self, make_executor, make_event, crm, clock):
        """The deadline is half the lease that the host sets."""
        before = clock.now
        make_executor(lease=10 * SECOND).handle(make_event())
        assert before + 5 * SECOND == crm.calls[0][1].deadline


class TestClockSetBack:
    """Half a lease is over in time although the clock was set back during a call."""

    @pytest.fixture
    def begin(self, mail, crm, clock):
        """Let the first call of each account take a while, during which the clock is set back."""

        def begin(executor, seconds):
            steady = [0.0]

            def slow():
                steady[0] += seconds
                clock.turn(hours=-1)
                return Applied()

            executor._monotonic = lambda: steady[0]
            mail.answers, crm.answers = [slow], [slow]

        return begin

    def test_too_late(self, executor, begin, make_event, *, mail, crm, journal):
        """What would be sent after it is not sent."""
        begin(executor, 30)
        executor.accept(make_event())
        assert 2 == executor.run_due(most=2) == len(mail.calls + crm.calls)
        (record,) = journal.history(status="waiting")
        assert "not sent: too late in the lease" == record.detail

    def test_handle_many(self, executor, begin, make_event, journal):
        """The first turn of `handle_many` does the same."""
        begin(executor, 30)
        executor.handle_many([make_event()])
        (record,) = journal.history(status="waiting")
        assert "not sent: too late in the lease" == record.detail

    def test_the_deadline_goes_back_too(self, executor, begin, make_event, *, mail, crm, clock):
        """What is sent before it has to be answered by then."""
        begin(executor, 10)
        executor.accept(make_event())
        started = clock.now
        executor.run_due(most=2)
        deadlines = {call.deadline for _, call in mail.calls + crm.calls}
        assert {started + 30 * SECOND, started - (3600 - 20) * SECOND} == deadlines


class TestConfiguration:
    """Engine, providers and settings must match."""

    def test_provider_missing(self, make_engine, journal, mail):
        """Rules for a missing provider are refused."""
        with pytest.raises(ConfigurationError) as caught:
            Executor(make_engine(), {"mail": mail}, journal)
        assert ("provider_missing", "$.providers.crm") == (caught.value.code, caught.value.path)

    def test_capabilities_differ(self, make_engine, journal, mail, crm):
        """Rules reviewed for other capabilities are refused."""
        crm.capabilities = Capabilities(add_tag="native")
        with pytest.raises(ConfigurationError) as caught:
            Executor(make_engine(), {"mail": mail, "crm": crm}, journal)
        assert "capabilities_differ" == caught.value.code

    def test_more_providers_than_needed(self, make_engine, make_event, journal, mail, crm):
        """A provider without rules is accepted."""
        executor = Executor(make_engine(), {"mail": mail, "crm": crm, "sms": mail}, journal)
        assert DeliveryStatus.DONE is executor.handle(make_event()).status

    def test_use_engine(self, executor, make_engine, make_segmentation):
        """The new engine is the executor's."""
        engine = make_engine(make_segmentation("new", AddTag("new")))
        executor.use_engine(engine)
        assert engine is executor.engine

    def test_use_engine_refused(self, executor, make_engine, make_event, mail):
        """Rules that do not match are refused, and the old rules stay."""
        with pytest.raises(ConfigurationError):
            executor.use_engine(make_engine(providers=("mail", "crm", "sms")))
        executor.handle(make_event())
        assert ["a", "b"] == mail.tags

    def test_asynchronous_provider(self, make_engine, journal, mail, async_account):
        """An asynchronous provider is refused by `Executor`."""
        with pytest.raises(ConfigurationError) as caught:
            Executor(make_engine(), {"mail": mail, "crm": async_account()}, journal)
        expected = ("provider_asynchronous", "$.providers.crm")
        assert expected == (caught.value.code, caught.value.path)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("lease", timedelta(0)),
            ("lease", timedelta(seconds=-1)),
            ("in_doubt", 0),
            ("endings", "never"),
        ],
    )
    def test_settings(self, make_executor, name, value):
        """Settings out of range are refused."""
        with pytest.raises(ConfigurationError) as caught:
            make_executor(**{name: value})
        assert f"$.{name}" == caught.value.path

    def test_provider_not_here(self, executor, engine_for_crm, make_event, journal, *, crm, clock):
        """An action that was planned for a missing provider is refused, not lost."""
        executor.accept(make_event())
        Executor(engine_for_crm, {"crm": crm}, journal, clock=clock).run_due()
        state = journal.receipt("e-1").states[1]
        detail = f"{RefusedKind.CONFIGURATION}: this executor does not have the provider"
        assert (Status.REFUSED, detail) == (state.status, state.detail)

    def test_refusals_are_not_counted(
        self, executor, engine_for_crm, make_event, journal, *, crm, clock
    ):
        """What no provider was called for does not count as sent."""
        executor.accept(make_event())
        other = Executor(engine_for_crm, {"crm": crm}, journal, clock=clock)
        assert 1 == other.run_due() == len(crm.calls)

    def test_action_not_supported(self, executor, make_event, journal, crm):
        """An action that the account can no longer do is refused, not sent."""
        executor.accept(make_event())
        crm.capabilities = Capabilities(remove_tag="native")
        executor.run_due()
        state = journal.receipt("e-1").states[0]
        detail = f"{RefusedKind.CONFIGURATION}: the account cannot do this action"
        assert (Status.REFUSED, detail, []) == (state.status, state.detail, crm.calls)


class TestIntegrationTest:
    """Testing a segmentation."""

    def test_goes_to_the_provider(self, executor, mail):
        """The actions are sent with dummy data for the given e-mail."""
        executor.test("buyers", ANA)
        assert [(AddTag("a"), ANA, True), (AddTag("b"), ANA, True)] == [
            (planned.action, planned.email, call.is_test) for planned, call in mail.calls
        ]

    def test_in_the_history(self, executor, journal):
        """The history has the test, marked as a test, with its status."""
        executor.test("buyers", ANA)
        assert [(True, Status.APPLIED, ("buyers",), ANA)] * 2 == [
            (record.is_test, record.status, record.segmentation_ids, record.contact)
            for record in journal.history("42")
        ]

    def test_switched_off_or_not_met(self, executor, mail):
        """A segmentation can be tested while it is disabled, whatever its condition."""
        executor.test("english", ANA)
        assert [AddLead("English")] == mail.actions

    def test_repeated(self, executor, mail):
        """A test can be repeated."""
        first, second = executor.test("buyers", ANA), executor.test("buyers", ANA)
        assert first.event_id != second.event_id
        assert ["a", "b", "a", "b"] == mail.tags

    def test_failure(self, executor, mail):
        """A test that the provider refuses has failed."""
        mail.answers = [Refused("no such tag", "configuration")]
        assert DeliveryStatus.FAILED is executor.test("buyers", ANA).status

    def test_says_nothing_of_the_contact(self, executor, journal):
        """A test does not change what the contact should have."""
        executor.test("buyers", ANA)
        assert () == journal.standing(ANA)

    def test_is_kept_as_a_test(self, executor, journal):
        """The journal keeps the event as a test, so that a backtest leaves it out."""
        receipt = executor.test("buyers", ANA)
        assert [True] == [event.is_test for event in journal.events()]
        assert journal.event(receipt.event_id).is_test

    def test_unknown_segmentation(self, executor):
        """An unknown segmentation cannot be tested."""
        with pytest.raises(UnknownIdError):
            executor.test("nothing", ANA)

    def test_flagged_segmentation(self, executor, make_engine, make_segmentation, journal):
        """A flagged segmentation cannot be tested."""
        executor.use_engine(make_engine(make_segmentation("flagged", ())))
        with pytest.raises(FlaggedSegmentationError):
            executor.test("flagged", ANA)
        assert () == journal.history()

    def test_no_address(self, executor):
        """A test needs an e-mail address."""
        with pytest.raises(EventError):
            executor.test("buyers", "ana")


class TestRetry:
    """The host asks for stuck and waiting actions again."""

    def test_refused(self, executor, make_event, mail):
        """A refused action is sent again by the next `run_due`."""
        mail.answers = [Refused("no such list", "configuration")]
        executor.handle(make_event())
        assert (1, 1) == (executor.retry(), executor.run_due())

    def test_waiting(self, executor, make_event, mail):
        """A waiting action is sent at once."""
        mail.answers = [Throttled(timedelta(hours=9), "contact")]
        executor.handle(make_event())
        assert (1, 2) == (executor.retry(event_id="e-1"), executor.run_due())

    def test_nothing_to_take_up(self, executor):
        """An account where nothing is stuck has nothing to take up."""
        assert 0 == executor.retry(account="mail")

    def test_unknown_account(self, executor):
        """A misspelled account is an error that names the right one."""
        with pytest.raises(UnknownIdError, match=r"unknown account `mial`.*did you mean `mail`"):
            executor.retry(account="mial")

    def test_former_account(self, make_executor, executor, make_event, mail, crm):
        """Actions of an account that the executor no longer has can be taken up."""
        crm.answers = [Refused("no such list", "configuration")]
        executor.handle(make_event())
        assert 1 == make_executor(providers={"mail": mail}).retry(account="crm")


class Erasing:
    """Mixed into an account: it can erase a person, or raises."""

    erased: tuple[str, ...] = ()
    error: Exception | None = None

    def erase(self, email):
        """Erase, and note whom."""
        if self.error is not None:
            raise self.error
        self.erased += (email,)
        return True


@pytest.fixture
def eraser(account):
    """The class of accounts that can erase."""
    return type("Eraser", (Erasing, account), {})


class TestForget:
    """Erasing a person from journal and providers."""

    @pytest.mark.parametrize("contact", [ANA, Contact(ANA)], ids=["address", "contact"])
    def test_erases(self, make_executor, make_event, eraser, mail, contact):
        """Providers that can erase are asked for it; others are left alone."""
        crm = eraser()
        executor = make_executor(providers={"mail": mail, "crm": crm})
        executor.handle(make_event())
        executor.forget(contact)
        assert (ANA,) == crm.erased

    def test_journal_forgets(self, executor, make_event, journal):
        """The journal forgets, and says how many records were about the contact."""
        executor.handle(make_event())
        forgotten = executor.forget(ANA)
        assert (3, ()) == (forgotten.records, journal.history(contact=ANA))

    def test_provider_raises(self, make_executor, make_event, journal, eraser):
        """A provider that raises keeps neither the journal nor others from forgetting."""
        mail, crm = eraser(), eraser()
        crm.error = OSError("down")
        executor = make_executor(providers={"crm": crm, "mail": mail})
        executor.handle(make_event())
        with pytest.raises(OSError, match="down"):
            executor.forget(ANA)
        assert ((ANA,), ()) == (mail.erased, journal.history(contact=ANA))


class TestPolicy:
    """The policy that the host sets."""

    def test_age(self, make_executor, make_event, journal, mail, clock):
        """An action that is too old is dead after its next attempt in vain."""
        executor = make_executor(policy=RetryPolicy(max_age=timedelta(hours=1)))
        mail.answers = [Unknown("timeout")] * 9
        executor.handle(make_event())
        clock.turn(hours=1)
        executor.run_due()
        assert Status.DEAD is journal.receipt("e-1").states[1].status


class TestThreads:
    """Threads that share an executor."""

    def test_one_event(self, executor, make_event, mail, crm):
        """Threads that handle the same event concurrently send each action once."""
        ready = Barrier(8)

        def work(_):
            ready.wait()
            return executor.handle(make_event())

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert (["a", "b"], ["c"]) == (mail.tags, crm.tags)

    def test_while_sending(self, executor, make_event, mail):
        """A second thread leaves alone an action that is being sent."""
        started, go_on = Event(), Event()

        def slow():
            started.set()
            go_on.wait(timeout=30)
            return Applied()

        mail.answers = [slow]
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(executor.handle, make_event())
            started.wait(timeout=30)
            second = executor.handle(make_event())
            go_on.set()
        assert [Status.SENDING, Status.PLANNED] == statuses(second)[1:]
        assert DeliveryStatus.DONE is first.result().status

    def test_many_events(self, executor, make_event, mail, crm, journal):
        """Each event is carried out once and completely."""
        events = [
            make_event(f"e-{n % 50}", contact=Contact(f"{n % 50}@example.com")) for n in range(200)
        ]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(executor.handle, events))
        assert (100, 50, 150) == (len(mail.calls), len(crm.calls), len(journal.history()))
