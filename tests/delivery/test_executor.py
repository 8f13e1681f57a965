from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest

from listboss import AddLead, AddTag, Capabilities, Idle, MoveLead
from listboss.delivery import DeliveryStatus, Executor, MemoryJournal, Status
from listboss.errors import (
    ConfigurationError,
    EventError,
    FlaggedSegmentationError,
    UnknownIdError,
)
from listboss.provider import (
    Accepted,
    Applied,
    Call,
    NoChange,
    Refused,
    RefusedKind,
    Throttled,
    Unknown,
)
from listboss.send import Send

ANA = "ana@example.com"
CANARY = "canary@example.com has no such list"


def statuses(receipt):
    """The status of each action, in the order of the plan."""
    return [state.status for state in receipt.states]


class TestHandle:
    """Handling one event."""

    def test_carries_the_plan_out(self, executor, make_event, make_engine, mail, crm):
        """Every action of the plan reaches its provider, in order, as a first attempt."""
        receipt = executor.handle(make_event())
        plan = make_engine().plan(make_event())
        assert plan.actions == tuple(planned for planned, _ in crm.calls + mail.calls)
        assert {Call(1, None, False)} == {call for _, call in crm.calls + mail.calls}
        assert ("e-1", DeliveryStatus.DONE, None) == (
            receipt.event_id,
            receipt.status,
            receipt.next_at,
        )

    @pytest.mark.parametrize(
        ("outcome", "expected"),
        [
            (Applied(), (Status.APPLIED, DeliveryStatus.DONE)),
            (NoChange(), (Status.UNCHANGED, DeliveryStatus.DONE)),
            (Accepted("7"), (Status.ACCEPTED, DeliveryStatus.DONE)),
            (Refused("full", "limit"), (Status.REFUSED, DeliveryStatus.FAILED)),
            (Unknown("timeout"), (Status.UNKNOWN, DeliveryStatus.FAILED)),
            (Throttled(timedelta(seconds=9)), (Status.WAITING, DeliveryStatus.PENDING)),
        ],
        ids=repr,
    )
    def test_outcomes(self, executor, make_event, crm, outcome, expected):
        """The receipt has the status of each action and of the whole delivery."""
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
    def test_idle(self, executor, make_event, mail, more, idle):
        """The receipt of an event without actions gives the reason."""
        receipt = executor.handle(make_event(**more))
        assert (DeliveryStatus.IDLE, idle, ()) == (receipt.status, receipt.idle, receipt.states)
        assert [] == mail.calls

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
        mail.answers = [outcome, outcome]
        first = executor.handle(make_event())
        assert first == executor.handle(make_event())
        assert (2, 1) == (len(mail.calls), len(crm.calls))

    def test_idle(self, executor, make_event, journal):
        """A redelivered event without actions is recorded once."""
        executor.handle(make_event(contact=None))
        executor.handle(make_event(contact=None))
        assert 1 == len(journal.history())

    def test_as_planned_at_first(self, executor, make_event, make_engine, make_segmentation, mail):
        """A redelivered event keeps its plan even after the rules have changed."""
        executor.handle(make_event())
        executor.use_engine(make_engine(make_segmentation("new", AddTag("new"))))
        executor.handle(make_event())
        assert ["a", "b"] == mail.tags

    def test_finishes_what_is_due(self, executor, make_event, mail, clock):
        """A redelivery attempts only actions that waited and are due."""
        mail.answers = [Throttled(timedelta(seconds=9))]
        executor.handle(make_event())
        clock.turn(seconds=9)
        receipt = executor.handle(make_event())
        assert (["a", "a", "b"], DeliveryStatus.DONE) == (mail.tags, receipt.status)


class TestReplan:
    """Replanning a known event."""

    def test_sends_what_is_not_over(self, executor, make_event, mail, crm):
        """Only actions that are not applied are sent, as a further attempt."""
        mail.answers = [Refused("no such list", "configuration")]
        executor.handle(make_event())
        receipt = executor.handle(make_event(), replan=True)
        assert (["a", "b", "a"], ["c"]) == (mail.tags, crm.tags)
        assert (2, DeliveryStatus.DONE) == (mail.calls[-1][1].attempt, receipt.status)

    def test_plans_anew(self, executor, make_event, make_engine, make_segmentation, mail):
        """The event is evaluated with the new rules."""
        executor.handle(make_event())
        executor.use_engine(make_engine(make_segmentation("new", [AddTag("b"), AddTag("new")])))
        executor.handle(make_event(), replan=True)
        assert ["a", "b", "new"] == mail.tags

    def test_of_an_idle_event(self, executor, make_event, make_engine, make_segmentation, mail):
        """An event that had no actions may have some under new rules."""
        event = make_event(name="purchase.refunded")
        executor.handle(event)
        rule = make_segmentation("refund", AddTag("refunded"), event="purchase.refunded")
        executor.use_engine(make_engine(rule))
        receipt = executor.handle(event, replan=True)
        assert (["refunded"], None) == (mail.tags, receipt.idle)

    def test_of_a_new_event(self, executor, make_event, mail):
        """A new event is handled as usual."""
        executor.handle(make_event(), replan=True)
        assert ["a", "b"] == mail.tags


class TestFailures:
    """Failing providers."""

    @pytest.mark.parametrize(
        "error", [ValueError(CANARY), RuntimeError(CANARY), ExceptionGroup(CANARY, [OSError()])]
    )
    def test_exception(self, executor, make_event, journal, mail, error):
        """An exception counts as sent without an answer; its text is not kept."""
        mail.answers = [error]
        receipt = executor.handle(make_event())
        state = receipt.states[1]
        assert (Status.UNKNOWN, type(error).__name__) == (state.status, state.detail)
        assert "canary" not in repr((receipt, journal.history())) + state.detail

    def test_others_still_run(self, executor, make_event, mail, crm):
        """Other actions still run after one fails."""
        crm.answers = [OSError()]
        mail.answers = [OSError()]
        receipt = executor.handle(make_event())
        assert [Status.UNKNOWN, Status.UNKNOWN, Status.APPLIED] == statuses(receipt)

    @pytest.mark.parametrize("answer", [None, True, "applied", Applied])
    def test_no_outcome(self, executor, make_event, mail, answer):
        """An answer that is not an outcome leaves the action unknown."""
        mail.apply = lambda action, call: answer
        state = executor.handle(make_event()).states[1]
        assert (Status.UNKNOWN, "no outcome") == (state.status, state.detail)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_interruption(self, executor, make_event, journal, mail, error):
        """An interruption is raised; its action is unknown, and the others stay due."""
        mail.answers = [error()]
        with pytest.raises(error):
            executor.handle(make_event())
        receipt = journal.receipt("e-1")
        assert [Status.APPLIED, Status.UNKNOWN, Status.PLANNED] == statuses(receipt)
        assert [Status.APPLIED, Status.UNKNOWN, Status.APPLIED] == statuses(
            executor.handle(make_event())
        )


class TestThrottling:
    """Throttled providers."""

    def test_waits(self, executor, make_event, mail, clock):
        """A throttled provider gets no further action; the receipt says until when."""
        mail.answers = [Throttled(timedelta(seconds=30))]
        receipt = executor.handle(make_event())
        assert [Status.APPLIED, Status.WAITING, Status.PLANNED] == statuses(receipt)
        assert clock.now + timedelta(seconds=30) == receipt.next_at

    def test_run_due(self, executor, make_event, mail, clock):
        """A waiting action is sent when it is due, not before."""
        mail.answers = [Throttled(timedelta(seconds=30))]
        executor.handle(make_event())
        assert () == executor.run_due()
        clock.turn(seconds=30)
        (receipt,) = executor.run_due()
        assert (DeliveryStatus.DONE, ["a", "a", "b"]) == (receipt.status, mail.tags)

    def test_run_due_at(self, executor, make_event, mail, clock):
        """The host may pass the time."""
        mail.answers = [Throttled(timedelta(seconds=30))]
        executor.handle(make_event())
        (receipt,) = executor.run_due(clock.now + timedelta(minutes=1))
        assert DeliveryStatus.DONE is receipt.status

    @pytest.mark.parametrize("seconds", [0, -5])
    def test_once_per_call(self, executor, make_event, mail, seconds):
        """Each action is attempted once per call, even if the provider asks for no delay."""
        mail.answers = [Throttled(timedelta(seconds=seconds))] * 5
        executor.handle(make_event())
        assert ["a"] == mail.tags

    def test_clock_set_back(self, executor, make_event, mail, clock):
        """A clock set back during a call makes no action due too early."""
        mail.answers = [
            lambda: clock.turn(hours=-2) and Throttled(timedelta(seconds=30)),
        ]
        receipt = executor.handle(make_event())
        assert ["a"] == mail.tags
        assert clock.now + timedelta(hours=2, seconds=30) == receipt.next_at


class TestConfiguration:
    """Engine, providers and journal must match."""

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
        assert "provider_asynchronous" == caught.value.code

    def test_journal_of_another(self, executor, engine_for_crm, make_event, journal, mail):
        """An action planned elsewhere for a missing provider is refused, not lost."""
        mail.answers = [Throttled(timedelta(seconds=1))]
        executor.handle(make_event())
        other = Executor(engine_for_crm, {"crm": mail}, journal)
        (receipt,) = other.run_due(executor.handle(make_event()).next_at)
        assert RefusedKind.CONFIGURATION in receipt.states[1].detail


class TestIntegrationTest:
    """Testing a segmentation."""

    def test_goes_to_the_provider(self, executor, mail):
        """The actions are sent with dummy data for the given e-mail."""
        receipt = executor.test("buyers", ANA)
        assert [(AddTag("a"), ANA, True), (AddTag("b"), ANA, True)] == [
            (planned.action, planned.email, call.is_test) for planned, call in mail.calls
        ]
        assert DeliveryStatus.DONE is receipt.status

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
        assert [AddLead("English")] == [planned.action for planned, _ in mail.calls]

    def test_repeated(self, executor, mail):
        """A test can be repeated."""
        first, second = executor.test("buyers", ANA), executor.test("buyers", ANA)
        assert first.event_id != second.event_id
        assert ["a", "b", "a", "b"] == mail.tags

    def test_failure(self, executor, mail):
        """A test refused by the provider has failed."""
        mail.answers = [Refused("no such tag", "configuration")]
        assert DeliveryStatus.FAILED is executor.test("buyers", ANA).status

    def test_move_needs_the_lead(self, make_engine, make_segmentation, clock):
        """A test of a move fails unless the lead is already at the source."""
        with Send(":memory:", clock=clock) as send:
            engine = make_engine(
                make_segmentation("move", MoveLead("Customers", source="Prospects")),
                make_segmentation("add", AddLead("Prospects")),
                providers=(),
            )
            rules = engine.rules.with_provider("mail", send.capabilities)
            executor = Executor(engine.with_rules(rules), {"mail": send}, MemoryJournal())
            before = executor.test("move", ANA)
            executor.test("add", ANA)
            after = executor.test("move", ANA)
        assert [[Status.REFUSED], [Status.APPLIED]] == [statuses(before), statuses(after)]

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
        assert [Status.APPLIED, Status.SENDING, Status.PLANNED] == statuses(second)
        assert DeliveryStatus.DONE is first.result().status
        assert ["a", "b"] == mail.tags

    def test_many_events(self, executor, make_event, mail, crm, journal):
        """Each event is carried out once and completely."""
        events = [make_event(f"e-{n % 50}") for n in range(200)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(executor.handle, events))
        assert (100, 50, 150) == (len(mail.calls), len(crm.calls), len(journal.history()))
