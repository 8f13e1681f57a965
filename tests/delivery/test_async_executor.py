import asyncio
from datetime import timedelta

import pytest

from listboss.delivery import AsyncExecutor, DeliveryStatus, Status
from listboss.errors import ConfigurationError
from listboss.provider import Applied, Refused, Throttled, Unknown

ANA = "ana@example.com"


@pytest.fixture
def mail(async_account):
    """The asynchronous provider `mail`."""
    return async_account()


@pytest.fixture
def executor(make_engine, mail, crm, journal, clock):
    """An executor with an asynchronous and a synchronous provider."""
    return AsyncExecutor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)


def statuses(receipt):
    """The status of each action, in the order of the plan."""
    return [state.status for state in receipt.states]


def test_handle(executor, make_event, mail, crm):
    """A plan is carried out at synchronous and asynchronous providers."""
    receipt = asyncio.run(executor.handle(make_event()))
    assert (DeliveryStatus.DONE, ["a", "b"], ["c"]) == (receipt.status, mail.tags, crm.tags)


def test_redelivery(executor, make_event, mail):
    """A redelivered event does nothing twice."""
    mail.answers = [Refused("no", "contact")]
    first = asyncio.run(executor.handle(make_event()))
    assert first == asyncio.run(executor.handle(make_event()))
    assert ["a", "b"] == mail.tags


def test_replan(executor, make_event, mail):
    """A replanned event sends only the actions that are not applied."""
    mail.answers = [Unknown("timeout")]
    asyncio.run(executor.handle(make_event()))
    asyncio.run(executor.handle(make_event(), replan=True))
    assert ["a", "b", "a"] == mail.tags


def test_exception(executor, make_event, mail):
    """An exception counts as sent without an answer; other actions still run."""
    mail.answers = [ValueError("ana@example.com")]
    receipt = asyncio.run(executor.handle(make_event()))
    assert [Status.APPLIED, Status.UNKNOWN, Status.APPLIED] == statuses(receipt)
    assert "ValueError" == receipt.states[1].detail


def test_run_due(executor, make_event, mail, clock):
    """A waiting action is sent when it is due."""
    mail.answers = [Throttled(timedelta(seconds=30))]
    asyncio.run(executor.handle(make_event()))
    clock.turn(seconds=30)
    (receipt,) = asyncio.run(executor.run_due())
    assert DeliveryStatus.DONE is receipt.status


def test_integration_test(executor, journal, mail):
    """An integration test reaches the provider and is marked in the history."""
    asyncio.run(executor.test("buyers", ANA))
    assert [True, True] == [record.is_test for record in journal.history()]
    assert [True, True] == [call.is_test for _, call in mail.calls]


def test_together(executor, make_event, mail, crm):
    """Tasks that handle the same event concurrently send each action once."""

    async def slow(*_):
        await asyncio.sleep(0)
        mail.calls.append(_)
        return Applied()

    async def together():
        mail.apply = slow
        return await asyncio.gather(*(executor.handle(make_event()) for _ in range(5)))

    asyncio.run(together())
    assert (2, 1) == (len(mail.calls), len(crm.calls))


def test_cancellation(executor, make_event, journal, mail):
    """A task cancelled during a call leaves its action unknown and the others due."""

    async def cancelled():
        started = asyncio.Event()

        async def never(*_):
            started.set()
            await asyncio.Event().wait()

        mail.apply = never
        task = asyncio.create_task(executor.handle(make_event()))
        await started.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert [Status.APPLIED, Status.UNKNOWN, Status.PLANNED] == statuses(journal.receipt("e-1"))


def test_provider_not_here(executor, engine_for_crm, make_event, journal, mail):
    """An action planned elsewhere for a missing provider is refused, not lost."""
    mail.answers = [Throttled(timedelta(seconds=1))]
    waiting = asyncio.run(executor.handle(make_event()))
    other = AsyncExecutor(engine_for_crm, {"crm": mail}, journal)
    (receipt,) = asyncio.run(other.run_due(waiting.next_at))
    assert [Status.APPLIED, Status.REFUSED, Status.REFUSED] == statuses(receipt)


def test_configuration(make_engine, journal, mail):
    """Rules for a missing provider are refused."""
    with pytest.raises(ConfigurationError):
        AsyncExecutor(make_engine(), {"mail": mail}, journal)
