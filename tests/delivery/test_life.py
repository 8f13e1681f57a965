"""The life of an action: the table of transitions, and the policy of repeating."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from listboss import AddTag, PlannedAction
from listboss.delivery import TRANSITIONS, Attempt, Happening, Result, RetryPolicy, Status
from listboss.delivery.life import OPEN, OVER, STUCK, detail_of, moved
from listboss.errors import ArgumentTypeError, ConfigurationError
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

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLAIN = RetryPolicy(jitter=0)


def attempt(number=1, *, repeatable=True, **more):
    """An attempt of one tag that was accepted at noon."""
    planned = PlannedAction(
        "mail", "ana@example.com", AddTag("a"), FrozenMap(), ("rule",), False, "a-1"
    )
    call = Call(attempt=number, key="a-1")
    return Attempt(planned, call, "e-1", "a-1", 1, NOON, repeatable=repeatable, **more)


class TestTransitions:
    """The table of transitions."""

    def test_every_status_has_a_row(self):
        """Every status has a row."""
        assert set(Status) == set(TRANSITIONS)

    @pytest.mark.parametrize("status", sorted(OPEN | STUCK))
    def test_way_out(self, status):
        """Every status that is not over has a way out."""
        ways = set(TRANSITIONS[status].values()) - {status}
        assert set() != ways

    @pytest.mark.parametrize("status", sorted(OPEN | STUCK))
    def test_can_end(self, status):
        """From every status that is not over, some way leads to one that is."""
        seen, new = set(), {status}
        while new:
            seen |= new
            new = {to for each in new for to in TRANSITIONS[each].values()} - seen
        assert set() != seen & (OVER - {Status.SUPERSEDED})

    @pytest.mark.parametrize("status", sorted(STUCK))
    def test_stuck_waits_for_the_host(self, status):
        """A stuck action is planned again only when the host retries it."""
        found = {by for by, to in TRANSITIONS[status].items() if to is Status.PLANNED}
        assert {Happening.RETRY} == found

    def test_sending_takes_every_outcome(self):
        """An action that is being sent accepts every outcome."""
        assert set(get_args(Outcome)) <= set(TRANSITIONS[Status.SENDING])

    def test_only_sending_takes_outcomes(self):
        """Only an action that is being sent accepts an outcome."""
        others = [row for status, row in TRANSITIONS.items() if status is not Status.SENDING]
        assert {Happening} == {type(by) for row in others for by in row}

    @pytest.mark.parametrize("status", sorted(OVER - {Status.SUPERSEDED}))
    def test_over_is_over(self, status):
        """A status that is over has no transitions, unless the action was superseded."""
        assert {} == TRANSITIONS[status]

    def test_all_reachable(self):
        """Every status is reachable from a planned action."""
        seen, new = set(), {Status.PLANNED}
        while new:
            seen |= new
            new = {to for status in new for to in TRANSITIONS[status].values()} - seen
        assert set(Status) == seen

    def test_constant(self):
        """The table cannot be changed."""
        with pytest.raises(TypeError):
            TRANSITIONS[Status.PLANNED] = {}  # type: ignore[index] # that is the point

    def test_three_kinds(self):
        """Each status is open, stuck or over, and only one of these."""
        assert sorted(Status) == sorted([*OPEN, *STUCK, *OVER])


class TestMoved:
    """Walking the table."""

    def test_follows(self):
        """A status of the table follows."""
        assert Status.APPLIED is moved(Status.SENDING, Applied)

    @pytest.mark.parametrize(
        ("status", "by", "name"),
        [
            (Status.APPLIED, Happening.RETRY, "retry"),
            (Status.PLANNED, Applied, "Applied"),
            (Status.FORGOTTEN, Happening.SEND, "send"),
        ],
    )
    def test_refused(self, status, by, name):
        """Whatever is not in the table is refused."""
        with pytest.raises(ConfigurationError) as caught:
            moved(status, by)
        expected = (f"an action that is {status} cannot take `{name}`", "unexpected_report")
        assert expected == (caught.value.message, caught.value.code)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Applied(), ""),
        (NoChange(), ""),
        (Accepted("7"), "job 7"),
        (Throttled(timedelta(seconds=90)), "retry after 90 s"),
        (Throttled(timedelta(milliseconds=1500)), "retry after 1.5 s"),
        (Refused("full", "limit"), "limit: full"),
        (Unknown("timeout"), "timeout"),
    ],
    ids=repr,
)
def test_detail_of(outcome, expected):
    """The history says of an outcome what a person needs to know."""
    assert expected == detail_of(outcome)


class TestDelay:
    """How long to wait after an attempt."""

    @pytest.mark.parametrize(
        ("number", "seconds"), [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (10_000, 3600)]
    )
    def test_grows(self, number, seconds):
        """Each wait is twice as long as the one before, and at most an hour."""
        assert timedelta(seconds=seconds) == PLAIN.delay("a-1", number)

    def test_factor_of_one(self):
        """With a factor of 1, all waits are equal."""
        policy = RetryPolicy(factor=1, jitter=0)
        assert {timedelta(seconds=10)} == {policy.delay("a-1", number) for number in range(1, 9)}

    def test_jitter_is_stable(self):
        """The jitter of an action and attempt is always the same."""
        assert RetryPolicy().delay("a-1", 1) == RetryPolicy().delay("a-1", 1)

    def test_jitter_differs(self):
        """Actions that failed together do not all come back together."""
        delays = {RetryPolicy().delay(f"a-{number}", 1) for number in range(100)}
        assert 100 == len(delays)

    def test_jitter_shortens(self):
        """Jitter shortens a wait by at most its fraction."""
        delays = [RetryPolicy(jitter=0.5).delay(f"a-{n}", 1).total_seconds() for n in range(200)]
        assert (True, True) == (min(delays) >= 5, max(delays) <= 10)


class TestSettle:
    """What becomes of an action after an outcome."""

    @pytest.mark.parametrize(
        ("outcome", "status"),
        [
            (Applied(), Status.APPLIED),
            (NoChange(), Status.UNCHANGED),
            (Accepted("7"), Status.ACCEPTED),
            (Refused("full", "limit"), Status.REFUSED),
        ],
        ids=repr,
    )
    def test_answered(self, outcome, status):
        """An answer that is final is recorded with its detail."""
        result = PLAIN.settle(attempt(), outcome, NOON)
        assert Result(attempt(), status, detail_of(outcome)) == result

    def test_throttled_account(self):
        """A throttled account is paused for as long as it asks."""
        result = PLAIN.settle(attempt(), Throttled(30 * SECOND), NOON)
        due = NOON + 30 * SECOND
        assert (Status.WAITING, due, due) == (result.status, result.until, result.pause_until)

    def test_throttled_contact(self):
        """A throttled contact does not pause the account."""
        result = PLAIN.settle(attempt(), Throttled(30 * SECOND, "contact"), NOON)
        assert (NOON + 30 * SECOND, None) == (result.until, result.pause_until)

    @pytest.mark.parametrize(
        ("retry_after", "until"),
        [
            (timedelta(0), NOON + SECOND),
            (timedelta(days=-1), NOON + SECOND),
            (timedelta.max, datetime.max.replace(tzinfo=UTC)),
        ],
    )
    def test_odd_waiting_times(self, retry_after, until):
        """A wait is at least one second, and ends at the latest with the calendar."""
        assert until == PLAIN.settle(attempt(), Throttled(retry_after), NOON).until

    def test_unknown_repeatable(self):
        """An action that is harmless to repeat waits for the delay of its attempt."""
        result = PLAIN.settle(attempt(3), Unknown("timeout"), NOON)
        due = NOON + 40 * SECOND
        expected = (Status.WAITING, due, None, due)
        assert expected == (result.status, result.until, result.pause_until, result.outage_until)

    def test_unknown_not_repeatable(self):
        """An action that must not be repeated stays unknown."""
        once = attempt(repeatable=False)
        result = PLAIN.settle(once, Unknown("timeout"), NOON)
        outage = NOON + PLAIN.delay("mail", 1)
        assert Result(once, Status.UNKNOWN, "timeout", outage_until=outage) == result

    @pytest.mark.parametrize(
        "outcome", [Unknown("timeout"), Throttled(SECOND), Throttled(SECOND, "contact")], ids=repr
    )
    @pytest.mark.parametrize(
        ("age", "status"),
        [
            (timedelta(days=3) - SECOND, Status.WAITING),
            (timedelta(days=3), Status.DEAD),
            (timedelta(days=9), Status.DEAD),
        ],
    )
    def test_age(self, outcome, age, status):
        """After the policy's age an action is dead, throttled or not."""
        assert status is PLAIN.settle(attempt(), outcome, NOON + age).status

    def test_age_does_not_undo(self):
        """An answer counts however old the action is."""
        assert Status.APPLIED is PLAIN.settle(attempt(), Applied(), NOON + timedelta(days=9)).status

    def test_dead_throttle_still_pauses(self):
        """An account that throttles a dead action is paused nevertheless."""
        now = NOON + timedelta(days=3)
        assert now + SECOND == PLAIN.settle(attempt(), Throttled(SECOND), now).pause_until

    def test_patience(self):
        """A waiting action holds back its lane for the policy's patience."""
        result = PLAIN.settle(attempt(), Unknown("timeout"), NOON)
        assert NOON + timedelta(minutes=15) == result.hold_until

    def test_patience_counts_from_the_first_wait(self):
        """Patience counts from when the action began to wait."""
        since = NOON - timedelta(minutes=10)
        result = PLAIN.settle(attempt(2, waiting_since=since), Unknown("timeout"), NOON)
        assert NOON + timedelta(minutes=5) == result.hold_until


class TestPolicy:
    """Settings of a policy that are refused."""

    @pytest.mark.parametrize("value", [-0.1, 1, 1.5, True, "0.2", None, float("nan")])
    def test_jitter(self, value):
        """The jitter is a fraction below 1."""
        with pytest.raises(ConfigurationError) as caught:
            RetryPolicy(jitter=value)
        assert "$.jitter" == caught.value.path

    @pytest.mark.parametrize("value", [0, 0.9, 101, True, "2", None, float("nan")])
    def test_factor(self, value):
        """The factor is a number from 1 to 100."""
        with pytest.raises(ConfigurationError) as caught:
            RetryPolicy(factor=value)
        assert "$.factor" == caught.value.path

    @pytest.mark.parametrize("name", ["first", "longest", "max_age", "patience"])
    @pytest.mark.parametrize("value", [timedelta(0), timedelta(seconds=-1), 10, None, "10 s"])
    def test_durations(self, name, value):
        """Every duration is a `timedelta` above zero."""
        with pytest.raises(ArgumentTypeError) as caught:
            RetryPolicy(**{name: value})
        assert f"$.{name}" == caught.value.path

    @pytest.mark.parametrize(
        ("name", "value"), [("jitter", 0), ("jitter", 0.99), ("factor", 1), ("factor", 100)]
    )
    def test_bounds(self, name, value):
        """The bounds themselves are accepted."""
        assert value == getattr(RetryPolicy(**{name: value}), name)
