"""Several actions of a lane in one turn: how many, and what a dead worker left of them."""

import asyncio
from datetime import timedelta

import pytest

from listboss import AddTag
from listboss.delivery import AsyncExecutor, Status

TAGS = [f"t-{n:02}" for n in range(12)]


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.fixture
def executor(make_executor, make_segmentation, make_event):
    """An executor that has accepted an event with many actions."""
    executor = make_executor(make_segmentation("rule", [*map(AddTag, TAGS)]), worker="one")
    executor.accept(make_event())
    return executor


@pytest.mark.parametrize("in_doubt", [2, 6, 12, 50])
def test_lowered(executor, journal, clock, mail, in_doubt):
    """All that was being sent is sent again without waiting for another lease."""
    journal.turn("one", [], clock.now, lease=timedelta(seconds=60), in_doubt=in_doubt)
    assert len(TAGS) == executor.resume()
    assert (TAGS, "done") == (mail.tags, journal.receipt("e-1").status)


def test_none_stays_with_a_dead_worker(executor, journal, clock):
    """After a claim, only what was given out is being sent."""
    journal.turn("one", [], clock.now, lease=timedelta(seconds=60), in_doubt=9)
    clock.turn(minutes=2)
    given = journal.turn("two", [], clock.now, lease=timedelta(seconds=60))
    states = [state.status for state in journal.receipt("e-1").states]
    assert (1, 1, 8) == (len(given), states.count(Status.SENDING), states.count(Status.WAITING))


@pytest.mark.parametrize("most", [1, 2, 5])
def test_most(make_executor, make_segmentation, make_event, mail, most):
    """`most` is kept, however many actions of a lane a turn may give out."""
    executor = make_executor(make_segmentation("rule", [*map(AddTag, TAGS)]), in_doubt=4)
    executor.accept(make_event())
    assert most == executor.run_due(most=most) == len(mail.calls)


@pytest.mark.parametrize("most", [1, 2, 5])
def test_most_with_an_event_loop(
    make_engine, make_segmentation, make_event, *, journal, mail, clock, most
):
    """The same with an event loop."""

    async def main():
        rule = make_segmentation("rule", [*map(AddTag, TAGS)])
        engine = make_engine(rule, providers={"mail": mail.capabilities})
        executor = AsyncExecutor(engine, {"mail": mail}, journal, clock=clock, in_doubt=4)
        await executor.accept(make_event())
        return await executor.run_due(most=most)

    assert most == asyncio.run(main()) == len(mail.calls)
