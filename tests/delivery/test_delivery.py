from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import AddTag, PlannedAction
from listboss.delivery import (
    DONE,
    TRANSITIONS,
    Attempt,
    Delivery,
    DeliveryStatus,
    Signal,
    Status,
    Step,
    Wait,
)
from listboss.errors import ConfigurationError, UnknownIdError
from listboss.provider import (
    Accepted,
    Applied,
    Call,
    NoChange,
    Outcome,
    Refused,
    Throttled,
    Unknown,
)
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import FactValue

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
OUTCOMES = {
    Applied(): (Status.APPLIED, "", DeliveryStatus.DONE),
    NoChange(): (Status.UNCHANGED, "", DeliveryStatus.DONE),
    Accepted("7"): (Status.ACCEPTED, "job 7", DeliveryStatus.DONE),
    Throttled(timedelta(seconds=90)): (
        Status.WAITING,
        "retry after 90 s",
        DeliveryStatus.PENDING,
    ),
    Refused("full", "limit"): (Status.REFUSED, "limit: full", DeliveryStatus.FAILED),
    Unknown("timeout"): (Status.UNKNOWN, "timeout", DeliveryStatus.FAILED),
}
OVER = {Status.APPLIED, Status.UNCHANGED, Status.ACCEPTED}


def action(id, provider="mail"):
    """A planned action; the id is its tag, too."""
    data = FrozenMap[str, FactValue]({"name": "Ana"})
    return PlannedAction(provider, "ana@example.com", AddTag(id), data, ("rule",), False, id)


def attempted(delivery, now=NOON):
    """The id of the action that is given out now."""
    step = delivery.next(now)
    assert isinstance(step, Attempt)
    return step.action.id


class TestTable:
    """The table of transitions by itself."""

    def test_every_status(self):
        """The table has a row for every status, and leads nowhere else."""
        assert set(Status) == set(TRANSITIONS)
        assert all(isinstance(to, Status) for row in TRANSITIONS.values() for to in row.values())

    def test_every_outcome(self):
        """An action that is being sent takes every outcome, and nothing else."""
        assert set(get_args(Outcome)) == set(TRANSITIONS[Status.SENDING])

    def test_over_is_over(self):
        """No way leads out of what is over."""
        assert [{}, {}, {}] == [TRANSITIONS[status] for status in OVER]

    def test_only_sending_takes_outcomes(self):
        """Nothing is reported of what was not given out."""
        others = [row for status, row in TRANSITIONS.items() if status is not Status.SENDING]
        assert all(isinstance(by, Signal) for row in others for by in row)

    def test_all_reachable(self):
        """Every status can be reached from a planned action."""
        seen, new = set(), {Status.PLANNED}
        while new:
            seen |= new
            new = {to for status in new for to in TRANSITIONS[status].values()} - seen
        assert set(Status) == seen


class TestReport:
    """What an outcome leads to."""

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
    def test_outcome(self, outcome):
        """Each outcome leads to its status, in words for the history."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        step = delivery.report("a", outcome, NOON)
        assert OUTCOMES[outcome] == (step.status, step.detail, delivery.status)

    def test_nothing_was_given_out(self):
        """A report of what was not given out is refused."""
        with pytest.raises(ConfigurationError) as caught:
            Delivery([action("a")]).report("a", Applied(), NOON)
        assert "unexpected_report" == caught.value.code

    def test_twice(self):
        """One attempt has one report."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        delivery.report("a", Applied(), NOON)
        with pytest.raises(ConfigurationError):
            delivery.report("a", Unknown("timeout"), NOON)

    def test_unknown_action(self):
        """A report of an action that is not in the plan is refused."""
        with pytest.raises(UnknownIdError):
            Delivery([]).report("a", Applied(), NOON)


class TestNext:
    """What is attempted, and when."""

    def test_nothing(self):
        """A plan without actions is done from the start."""
        delivery = Delivery([])
        assert (DONE, DeliveryStatus.IDLE) == (delivery.next(NOON), delivery.status)

    def test_order(self):
        """Actions are given out in the order of the plan, each once."""
        delivery = Delivery([action("a"), action("b")])
        order = []
        while isinstance(step := delivery.next(NOON), Attempt):
            order.append((step.action.id, step.call))
            delivery.report(step.action.id, Applied(), NOON)
        assert ([("a", Call()), ("b", Call())], DONE) == (order, step)

    def test_test_calls(self):
        """The actions of a test are called as a test."""
        step = Delivery([action("a")], is_test=True).next(NOON)
        assert isinstance(step, Attempt)
        assert Call(is_test=True) == step.call

    def test_being_sent(self):
        """While an action is being sent, the next at that provider is held back."""
        delivery = Delivery([action("a"), action("b")])
        attempted(delivery)
        assert Wait(None) == delivery.next(NOON)

    @pytest.mark.parametrize("outcome", [Refused("no", "contact"), Unknown("timeout")], ids=repr)
    def test_failure_holds_nothing_back(self, outcome):
        """Other actions still run when one fails."""
        delivery = Delivery([action("a"), action("b")])
        delivery.report(attempted(delivery), outcome, NOON)
        assert "b" == attempted(delivery)

    def test_waiting_holds_its_provider_back(self):
        """A provider that asked to wait is left alone; another one goes on."""
        delivery = Delivery([action("a"), action("b"), action("c", "crm")])
        delivery.report(attempted(delivery), Throttled(timedelta(seconds=90)), NOON)
        delivery.report(attempted(delivery), Applied(), NOON)
        statuses = [step.status for step in delivery.steps]
        assert [Status.WAITING, Status.PLANNED, Status.APPLIED] == statuses
        assert Wait(NOON + timedelta(seconds=90)) == delivery.next(NOON)

    def test_waiting_is_due(self):
        """When the time has passed, the action is attempted again, as the second attempt."""
        delivery = Delivery([action("a")])
        delivery.report(attempted(delivery), Throttled(timedelta(seconds=90)), NOON)
        due = NOON + timedelta(seconds=90)
        early = due - timedelta(microseconds=1)
        assert [False, True] == [delivery.is_due(early), delivery.is_due(due)]
        assert Attempt(action("a"), Call(2)) == delivery.next(due)

    @pytest.mark.parametrize(
        ("asked", "waits"),
        [
            (timedelta(0), timedelta(seconds=1)),
            (timedelta(days=-1), timedelta(seconds=1)),
            (timedelta.max, timedelta(days=30)),
        ],
    )
    def test_odd_waiting_times(self, asked, waits):
        """No waiting time makes a busy loop, or loses the action."""
        delivery = Delivery([action("a")])
        delivery.report(attempted(delivery), Throttled(asked), NOON)
        assert NOON + waits == delivery.next_at


class TestAgain:
    """A plan made anew after a repair."""

    def after(self, outcome):
        """A delivery of one action that came out so."""
        delivery = Delivery([action("a")])
        delivery.report(attempted(delivery), outcome, NOON)
        return delivery

    @pytest.mark.parametrize("outcome", [Applied(), NoChange(), Accepted("7")], ids=repr)
    def test_over(self, outcome):
        """What is over is not sent again."""
        delivery = self.after(outcome)
        delivery.again([action("a"), action("b")])
        assert ["a", "b"] == [step.action.id for step in delivery.steps]
        assert "b" == attempted(delivery)

    @pytest.mark.parametrize("outcome", [Refused("no", "contact"), Unknown("timeout")], ids=repr)
    def test_stuck(self, outcome):
        """What was refused or got no answer is attempted once more."""
        delivery = self.after(outcome)
        delivery.again([action("a")])
        assert Attempt(action("a"), Call(2)) == delivery.next(NOON)

    def test_waiting(self):
        """What waits keeps its time: the provider asked for it."""
        delivery = self.after(Throttled(timedelta(seconds=90)))
        delivery.again([action("a")])
        assert Wait(NOON + timedelta(seconds=90)) == delivery.next(NOON)

    def test_being_sent(self):
        """What is being sent is not given out a second time."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        delivery.again([action("a")])
        assert Wait(None) == delivery.next(NOON)

    def test_no_longer_planned(self):
        """What failed and is no longer planned is dropped, what is over is kept."""
        delivery = Delivery([action("a"), action("b")])
        delivery.report(attempted(delivery), Applied(), NOON)
        delivery.report(attempted(delivery), Unknown("timeout"), NOON)
        delivery.again([action("c")])
        assert ["a", "c"] == [step.action.id for step in delivery.steps]


class TestForget:
    """Erasing whom the actions are about."""

    def test_not_sent(self):
        """What was not sent yet never will be."""
        delivery = Delivery([action("a")])
        delivery.forget()
        (step,) = delivery.steps
        assert (Status.REFUSED, "forgotten", DONE) == (
            step.status,
            step.detail,
            delivery.next(NOON),
        )

    def test_nobody_is_left(self):
        """Neither e-mail nor data stay, whatever the status."""
        steps = [Step(action(status), status, detail="x") for status in Status]
        delivery = Delivery(steps)
        delivery.forget()
        assert {("", FrozenMap[str, str]())} == {
            (step.action.email, step.action.data) for step in delivery.steps
        }
        assert {"", "forgotten"} == {step.detail for step in delivery.steps}

    def test_counts_stay(self):
        """What was done stays counted as done."""
        delivery = Delivery([Step(action("a"), Status.APPLIED, 1)])
        delivery.forget()
        assert [(Status.APPLIED, 1)] == [(step.status, step.attempts) for step in delivery.steps]

    def test_while_being_sent(self):
        """The outcome of what is being sent is still taken."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        delivery.forget()
        assert Status.APPLIED is delivery.report("a", Applied(), NOON).status


@given(
    st.lists(st.sampled_from(["mail", "crm", "sms"]), max_size=6),
    st.lists(st.tuples(st.sampled_from(list(OUTCOMES)), st.integers(0, 200)), max_size=40),
)
def test_any_outcomes(providers, script):
    """Under any outcomes: in order, never early, never again what came to an end, until done."""
    delivery = Delivery([action(str(n), provider) for n, provider in enumerate(providers)])
    now, answers = NOON, iter(script)
    ended: set[str] = set()
    latest: dict[str, int] = {}
    while (step := delivery.next(now)) is not DONE:
        if isinstance(step, Wait):
            assert step.until is not None
            assert step.until > now
            now = step.until
            continue
        id, provider = step.action.id, step.action.provider
        assert id not in ended
        assert latest.get(provider, 0) <= int(id)
        latest[provider] = int(id)
        outcome, seconds = next(answers, (Applied(), 0))
        told = delivery.report(id, outcome, now)
        assert OUTCOMES[outcome][0] is told.status
        if told.status is not Status.WAITING:
            ended.add(id)
        now += timedelta(seconds=seconds)
    assert {str(n) for n in range(len(providers))} == ended
