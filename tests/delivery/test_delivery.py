from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import AddTag, PlannedAction
from listboss.delivery import (
    DONE,
    TRANSITIONS,
    ActionState,
    Attempt,
    Delivery,
    DeliveryStatus,
    Signal,
    Status,
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
    """A planned action whose tag is its id."""
    data = FrozenMap[str, FactValue]({"name": "Ana"})
    return PlannedAction(provider, "ana@example.com", AddTag(id), data, ("rule",), False, id)


def attempted(delivery, now=NOON):
    """The id of the action to attempt now."""
    attempt = delivery.next(now)
    assert isinstance(attempt, Attempt)
    return attempt.planned.id


class TestTable:
    """The table of transitions."""

    def test_every_status(self):
        """Every status has a row, and every transition leads to a status."""
        assert set(Status) == set(TRANSITIONS)
        assert all(isinstance(to, Status) for row in TRANSITIONS.values() for to in row.values())

    def test_every_outcome(self):
        """An action that is being sent accepts every outcome and nothing else."""
        assert set(get_args(Outcome)) == set(TRANSITIONS[Status.SENDING])

    def test_over_is_over(self):
        """A status that is over has no transitions."""
        assert [{}, {}, {}] == [TRANSITIONS[status] for status in OVER]

    def test_only_sending_takes_outcomes(self):
        """Only an action that is being sent accepts an outcome."""
        others = [row for status, row in TRANSITIONS.items() if status is not Status.SENDING]
        assert all(isinstance(by, Signal) for row in others for by in row)

    def test_all_reachable(self):
        """Every status is reachable from a planned action."""
        seen, new = set(), {Status.PLANNED}
        while new:
            seen |= new
            new = {to for status in new for to in TRANSITIONS[status].values()} - seen
        assert set(Status) == seen


class TestReport:
    """Reported outcomes."""

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
    def test_outcome(self, outcome):
        """Each outcome leads to its status and its detail for the history."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        state = delivery.report("a", outcome, NOON)
        assert OUTCOMES[outcome] == (state.status, state.detail, delivery.status)

    def test_not_attempted(self):
        """A report for an action that is not being sent is refused."""
        with pytest.raises(ConfigurationError) as caught:
            Delivery([action("a")]).report("a", Applied(), NOON)
        assert "unexpected_report" == caught.value.code

    def test_twice(self):
        """A second report for one attempt is refused."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        delivery.report("a", Applied(), NOON)
        with pytest.raises(ConfigurationError):
            delivery.report("a", Unknown("timeout"), NOON)

    def test_unknown_action(self):
        """A report for an action that is not in the plan is refused."""
        with pytest.raises(UnknownIdError):
            Delivery([]).report("a", Applied(), NOON)


class TestNext:
    """The next attempt and its time."""

    def test_nothing(self):
        """A plan without actions is done immediately."""
        delivery = Delivery([])
        assert (DONE, DeliveryStatus.IDLE) == (delivery.next(NOON), delivery.status)

    def test_order(self):
        """Each action is attempted once, in the order of the plan."""
        delivery = Delivery([action("a"), action("b")])
        order = []
        while isinstance(step := delivery.next(NOON), Attempt):
            order.append((step.planned.id, step.call))
            delivery.report(step.planned.id, Applied(), NOON)
        assert ([("a", Call()), ("b", Call())], DONE) == (order, step)

    def test_test_calls(self):
        """The calls of a test are marked as a test."""
        attempt = Delivery([action("a")], is_test=True).next(NOON)
        assert isinstance(attempt, Attempt)
        assert Call(is_test=True) == attempt.call

    def test_being_sent(self):
        """While an action is being sent, the next one at its provider waits."""
        delivery = Delivery([action("a"), action("b")])
        attempted(delivery)
        assert Wait(None) == delivery.next(NOON)

    @pytest.mark.parametrize("outcome", [Refused("no", "contact"), Unknown("timeout")], ids=repr)
    def test_failure_delays_nothing(self, outcome):
        """Other actions still run after one fails."""
        delivery = Delivery([action("a"), action("b")])
        delivery.report(attempted(delivery), outcome, NOON)
        assert "b" == attempted(delivery)

    def test_waiting_delays_its_provider(self):
        """A throttled provider gets no further action; other providers go on."""
        delivery = Delivery([action("a"), action("b"), action("c", "crm")])
        delivery.report(attempted(delivery), Throttled(timedelta(seconds=90)), NOON)
        delivery.report(attempted(delivery), Applied(), NOON)
        statuses = [state.status for state in delivery.states]
        assert [Status.WAITING, Status.PLANNED, Status.APPLIED] == statuses
        assert Wait(NOON + timedelta(seconds=90)) == delivery.next(NOON)

    def test_waiting_is_due(self):
        """A waiting action is attempted a second time when it is due, not before."""
        delivery = Delivery([action("a")])
        delivery.report(attempted(delivery), Throttled(timedelta(seconds=90)), NOON)
        due = NOON + timedelta(seconds=90)
        early = due - timedelta(microseconds=1)
        assert [False, True] == [delivery.is_due(early), delivery.is_due(due)]
        assert Attempt(action("a"), Call(2)) == delivery.next(due)

    @pytest.mark.parametrize(
        ("retry_after", "waits"),
        [
            (timedelta(0), timedelta(seconds=1)),
            (timedelta(days=-1), timedelta(seconds=1)),
            (timedelta.max, timedelta(days=30)),
        ],
    )
    def test_odd_waiting_times(self, retry_after, waits):
        """A waiting time is at least one second and at most 30 days."""
        delivery = Delivery([action("a")])
        delivery.report(attempted(delivery), Throttled(retry_after), NOON)
        assert NOON + waits == delivery.next_at


class TestReplan:
    """A new plan for the same event."""

    def after(self, outcome):
        """A delivery of one action with this outcome."""
        delivery = Delivery([action("a")])
        delivery.report(attempted(delivery), outcome, NOON)
        return delivery

    @pytest.mark.parametrize("outcome", [Applied(), NoChange(), Accepted("7")], ids=repr)
    def test_over(self, outcome):
        """An action that is over is not sent again."""
        delivery = self.after(outcome)
        delivery.replan([action("a"), action("b")])
        assert ["a", "b"] == [state.planned.id for state in delivery.states]
        assert "b" == attempted(delivery)

    @pytest.mark.parametrize("outcome", [Refused("no", "contact"), Unknown("timeout")], ids=repr)
    def test_stuck(self, outcome):
        """A refused or unknown action is attempted again."""
        delivery = self.after(outcome)
        delivery.replan([action("a")])
        assert Attempt(action("a"), Call(2)) == delivery.next(NOON)

    def test_waiting(self):
        """A waiting action keeps the time that the provider asked for."""
        delivery = self.after(Throttled(timedelta(seconds=90)))
        delivery.replan([action("a")])
        assert Wait(NOON + timedelta(seconds=90)) == delivery.next(NOON)

    def test_being_sent(self):
        """An action that is being sent is not attempted a second time."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        delivery.replan([action("a")])
        assert Wait(None) == delivery.next(NOON)

    def test_no_longer_planned(self):
        """A failed action missing from the new plan is dropped; one that is over is kept."""
        delivery = Delivery([action("a"), action("b")])
        delivery.report(attempted(delivery), Applied(), NOON)
        delivery.report(attempted(delivery), Unknown("timeout"), NOON)
        delivery.replan([action("c")])
        assert ["a", "c"] == [state.planned.id for state in delivery.states]


class TestForget:
    """Erasing the contact of the actions."""

    def test_not_sent(self):
        """An action that was not sent yet never will be."""
        delivery = Delivery([action("a")])
        delivery.forget()
        (state,) = delivery.states
        assert (Status.REFUSED, "forgotten", DONE) == (
            state.status,
            state.detail,
            delivery.next(NOON),
        )

    def test_personal_data(self):
        """E-mail and data are erased in every status."""
        states = [ActionState(action(status), status, detail="x") for status in Status]
        delivery = Delivery(states)
        delivery.forget()
        assert {("", FrozenMap[str, str]())} == {
            (state.planned.email, state.planned.data) for state in delivery.states
        }
        assert {"", "forgotten"} == {state.detail for state in delivery.states}

    def test_counts_stay(self):
        """Statuses and counts of attempts are kept."""
        delivery = Delivery([ActionState(action("a"), Status.APPLIED, 1)])
        delivery.forget()
        assert [(Status.APPLIED, 1)] == [
            (state.status, state.attempts) for state in delivery.states
        ]

    def test_while_being_sent(self):
        """The outcome of an action that is being sent is still accepted."""
        delivery = Delivery([action("a")])
        attempted(delivery)
        delivery.forget()
        assert Status.APPLIED is delivery.report("a", Applied(), NOON).status


@given(
    st.lists(st.sampled_from(["mail", "crm", "sms"]), max_size=6),
    st.lists(st.tuples(st.sampled_from(list(OUTCOMES)), st.integers(0, 200)), max_size=40),
)
def test_any_outcomes(providers, script):
    """Whatever the outcomes, actions run in order, never early, and never after they ended."""
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
        id, provider = step.planned.id, step.planned.provider
        assert id not in ended
        assert latest.get(provider, 0) <= int(id)
        latest[provider] = int(id)
        outcome, seconds = next(answers, (Applied(), 0))
        state = delivery.report(id, outcome, now)
        assert OUTCOMES[outcome][0] is state.status
        if state.status is not Status.WAITING:
            ended.add(id)
        now += timedelta(seconds=seconds)
    assert {str(n) for n in range(len(providers))} == ended
