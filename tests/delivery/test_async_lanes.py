"""With an event loop, too, the actions of a lane go out one after the other.

With `in_doubt`, a turn gives out several actions of a lane at once; other lanes do not wait.
"""

import asyncio
import time

import attrs
import pytest

from listboss import AddTag, Capabilities, Contact
from listboss.delivery import AsyncExecutor, Status
from listboss.provider import Applied

EMAILS = ["ana@example.com", "bruno@example.com", "carla@example.com"]
TAGS = ["a", "b", "c"]


class Account:
    """An account that notes when calls begin and end; the first ones take longest."""

    capabilities = Capabilities.everything()

    def __init__(self):
        self.began, self.ended = [], []
        self.most = self.under_way = 0
        self.first = lambda: None

    def begin(self, actions):
        """Note that a call begins; return how long it takes."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.began += [(each.email, each.action.tag) for each in actions]
        return 0.03 / len(self.began)

    def end(self, actions):
        """Note that a call ends."""
        self.under_way -= 1
        self.ended += [(each.email, each.action.tag) for each in actions]
        self.first()
        return [Applied()] * len(actions)


class InThread(Account):
    """It is called in a thread."""

    def apply(self, action, call):
        """Take one action."""
        time.sleep(self.begin([action]))
        return self.end([action])[0]


class InLoop(Account):
    """It is called in the event loop."""

    async def apply(self, action, call):
        """Take one action."""
        await asyncio.sleep(self.begin([action]))
        return self.end([action])[0]


class Bulk(InLoop):
    """It takes two actions in one call."""

    capabilities = attrs.evolve(Capabilities.everything(), batch=2)

    async def apply_many(self, actions, call):
        """Take several actions."""
        await asyncio.sleep(self.begin(actions))
        return self.end(actions)


@pytest.fixture(params=[InThread, InLoop, Bulk])
def account(request):
    """An account of each kind."""
    return request.param()


@pytest.fixture
def executor(make_engine, make_segmentation, account, journal, clock):
    """An executor that may have three actions of a lane in doubt."""
    rule = make_segmentation("buyers", [AddTag(tag) for tag in TAGS])
    engine = make_engine(rule, providers={"mail": account.capabilities})
    return AsyncExecutor(engine, {"mail": account}, journal, clock=clock, in_doubt=3)


@pytest.fixture
def accepted(executor, make_event):
    """Accept a purchase of each contact."""

    async def accepted():
        for email in EMAILS:
            await executor.accept(make_event(email, contact=Contact(email)))

    asyncio.run(accepted())


@pytest.mark.usefixtures("accepted")
def test_order(executor, account):
    """Each call of a contact begins after the one before has ended."""
    asyncio.run(executor.run_due())
    for email in EMAILS:
        for calls in (account.began, account.ended):
            assert TAGS == [tag for each, tag in calls if each == email]


@pytest.mark.usefixtures("accepted")
def test_side_by_side(executor, account):
    """Contacts do not wait for each other."""
    asyncio.run(executor.run_due())
    assert 1 < account.most <= len(EMAILS)


@pytest.mark.usefixtures("accepted")
def test_stopped(executor, account, journal):
    """After a stop, what waits for another call of its lane is not begun."""

    async def work():
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        account.first = lambda: loop.call_soon_threadsafe(stop.set)
        await executor.run(stop)

    asyncio.run(work())
    assert {"a"} == {tag for _, tag in account.began}
    details = {record.detail for record in journal.history(status=Status.WAITING)}
    assert {"not sent: stopped"} == details


@pytest.mark.usefixtures("accepted")
def test_cancelled(executor, account, journal):
    """What waits for a call that is cancelled was not sent."""

    async def work():
        task = asyncio.create_task(executor.run_due())
        while not account.began:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    assert {"a"} == {tag for _, tag in account.began}
    waiting = journal.history(status=Status.WAITING)
    assert {"not sent: interrupted"} == {
        record.detail for record in waiting if record.action in (AddTag("b"), AddTag("c"))
    }
