"""What was given out behind an action that has to wait is not sent before it.

With `in_doubt`, a turn gives out several actions of a lane at once. The first one may have to
wait; the others then wait for it, as they would if it had been alone.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta

import attrs
import pytest

from listboss import AddTag, Capabilities, Contact
from listboss.delivery import AsyncExecutor, Executor, RetryPolicy, Status
from listboss.provider import Applied, Refused, Throttled, Unknown

EMAILS = ["ana@example.com", "bruno@example.com"]
TAGS = ["a", "b", "c"]
WAIT = timedelta(seconds=30)


class Account:
    """An account that answers the first call for a tag of a contact with something else."""

    capabilities = Capabilities.everything()

    def __init__(self):
        self.calls = defaultdict(list)
        self.answers = {}

    def apply(self, action, call):
        """Take one action."""
        self.calls[action.email].append(action.action.tag)
        answer = self.answers.pop((action.email, action.action.tag), Applied())
        if isinstance(answer, BaseException):
            raise answer
        return answer


class InLoop(Account):
    """It is called in the event loop."""

    async def apply(self, action, call):
        """Take one action."""
        await asyncio.sleep(0)
        return super().apply(action, call)


class Bulk(Account):
    """It takes two actions in one call."""

    capabilities = attrs.evolve(Capabilities.everything(), batch=2)

    def apply_many(self, actions, call):
        """Take several actions."""
        return [self.apply(action, call) for action in actions]


class InOrder:
    """An `AsyncExecutor` with the methods of an `Executor`."""

    def __init__(self, *args, **more):
        self._executor = AsyncExecutor(*args, **more)

    def accept(self, event):
        """Accept an event."""
        return asyncio.run(self._executor.accept(event))

    def run_due(self, **more):
        """Send what is due."""
        return asyncio.run(self._executor.run_due(**more))


@pytest.fixture(
    params=[
        (Executor, Account),
        (Executor, Bulk),
        (InOrder, InLoop),
        (InOrder, Account),
        (InOrder, Bulk),
    ],
    ids=["sync", "sync, batches", "async", "async, in a thread", "async, batches"],
)
def kind(request):
    """A kind of executor, and of account."""
    return request.param


@pytest.fixture
def account(kind):
    """The account."""
    return kind[1]()


@pytest.fixture
def engine(account, make_engine, make_segmentation):
    """The rules: a purchase gives three tags."""
    rules = make_segmentation("r", [AddTag(tag) for tag in TAGS])
    return make_engine(rules, providers={"mail": account.capabilities})


@pytest.fixture
def executor(kind, account, engine, any_journal, clock):
    """An executor with three actions of a lane in doubt."""
    return kind[0](engine, {"mail": account}, any_journal, clock=clock, in_doubt=3)


@pytest.fixture(autouse=True)
def _buyers(executor, make_event):
    """Two contacts who are to get the tags."""
    for email in EMAILS:
        executor.accept(make_event(email, contact=Contact(email)))


@pytest.fixture
def states(any_journal):
    """Return the states of the actions of a contact."""

    def states(email):
        return [state.status for state in any_journal.receipt(email).states]

    return states


@pytest.mark.parametrize("answer", [Throttled(WAIT, "contact"), Unknown("timeout")])
def test_its_lane_waits(executor, account, states, answer):
    """Nothing of the contact is sent; the other contact gets everything."""
    account.answers[EMAILS[0], "a"] = answer
    executor.run_due()
    assert {EMAILS[0]: ["a"], EMAILS[1]: TAGS} == account.calls
    assert [Status.WAITING] * 3 == states(EMAILS[0])


def test_then_all_goes_on(executor, account, states, clock):
    """Once the first one may be sent again, all are sent, in order."""
    account.answers[EMAILS[0], "a"] = Throttled(WAIT, "contact")
    executor.run_due()
    clock.turn(seconds=31)
    executor.run_due()
    assert ["a", *TAGS] == account.calls[EMAILS[0]]
    assert [Status.APPLIED] * 3 == states(EMAILS[0])


def test_patience(executor, account, clock):
    """After the patience of the policy, the others overtake it; their own begins later."""
    account.answers[EMAILS[0], "a"] = Throttled(timedelta(hours=1), "contact")
    executor.run_due()
    clock.turn(seconds=RetryPolicy().patience.total_seconds() + 1)
    account.answers[EMAILS[0], "b"] = Throttled(WAIT, "contact")
    executor.run_due()
    assert ["a", "b"] == account.calls[EMAILS[0]]


def test_what_is_over_holds_nothing_back(executor, account, states):
    """Behind a refused action, the lane goes on."""
    account.answers[EMAILS[0], "a"] = Refused("unsubscribed", "contact")
    executor.run_due()
    assert TAGS == account.calls[EMAILS[0]]
    assert [Status.REFUSED, Status.APPLIED, Status.APPLIED] == states(EMAILS[0])


@pytest.mark.parametrize("kind", [(Executor, Account)])
def test_a_paused_account(executor, account, states):
    """An account that has to wait gets nothing more of the same pass."""
    account.answers[EMAILS[0], "a"] = Throttled(WAIT)
    executor.run_due()
    assert {EMAILS[0]: ["a"]} == account.calls
    assert [Status.WAITING] * 3 == states(EMAILS[1])


@pytest.mark.parametrize("kind", [(InOrder, InLoop), (InOrder, Account)])
def test_behind_an_interruption(executor, account):
    """What is raised that is not an `Exception` ends the pass: nothing behind it is sent."""
    account.answers[EMAILS[0], "a"] = Stop()
    with pytest.raises(Stop):
        executor.run_due()
    assert ["a"] == account.calls[EMAILS[0]]


class Stop(BaseException):
    """Not an `Exception`."""
