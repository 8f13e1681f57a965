"""An account that throttles, or gives no answer, is left alone for as long as it takes."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from listboss import AddTag, Capabilities, Contact, ProviderAction, Verb
from listboss.delivery import AsyncExecutor, Executor
from listboss.provider import Applied, Throttled

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
TAGS = [AddTag("a"), AddTag("b"), AddTag("c")]
CALL = ProviderAction("acme.call")
WITH_VERB = attrs.evolve(Capabilities.everything(), verbs=(Verb("acme.call"),))


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.fixture
def accepted(make_engine, make_segmentation, make_event, journal, clock):
    """Make an executor of a rule with some actions, which has accepted events of contacts."""

    def accepted(kind, account, actions, contacts, **more):
        rules = make_segmentation("rule", actions)
        engine = make_engine(rules, providers={"mail": account.capabilities})
        executor = kind(engine, {"mail": account}, journal, clock=clock, **more)
        for n in range(contacts):
            event = make_event(f"e-{n}", contact=Contact(f"{n}@example.com"))
            journal.accept(event, engine.plan(event), clock.now)
        return executor

    return accepted


class Gated:
    """An account whose first calls are answered all at the same time."""

    capabilities = Capabilities.everything()

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), 0
        self.gate = asyncio.Event()

    async def apply(self, action, call):
        """Wait for the other first calls; answer the later ones at once."""
        self.calls += 1
        if not self.answers:
            return Applied()
        answer = self.answers.pop(0)
        if not self.answers:
            self.gate.set()
        await self.gate.wait()
        return answer


@pytest.mark.parametrize("in_doubt", [1, 2, 3])
def test_an_account_that_is_down(accepted, account, in_doubt):
    """What was not sent behind an attempt without an answer does not count as an answer."""
    down = account(*[TimeoutError()] * 100)
    executor = accepted(Executor, down, TAGS, 40, in_doubt=in_doubt)
    assert 10 <= executor.run_due() < 40


def test_an_account_that_is_down_and_may_not_be_asked_twice(accepted, account, journal):
    """Attempts without an answer that are not repeated count, too."""
    down = account(*[TimeoutError()] * 100, capabilities=WITH_VERB)
    executor = accepted(Executor, down, [CALL], 40)
    assert 10 <= executor.run_due() < 40
    assert len(down.calls) == len(journal.stuck())


@pytest.mark.parametrize("answers", [(HOUR, SECOND), (SECOND, HOUR)], ids=["shorter", "longer"])
def test_the_longest_pause_counts(accepted, answers, clock):
    """Of two pauses of an account that are recorded together, the longer one is kept."""

    async def main():
        account = Gated(*map(Throttled, answers))
        executor = accepted(AsyncExecutor, account, TAGS[:1], 2)
        await executor.run_due()
        clock.turn(seconds=2)
        return await executor.run_due()

    assert 0 == asyncio.run(main())


def test_a_pause_is_recorded_before_more_is_claimed(accepted):
    """However many results are recorded later, nothing more is claimed for a paused account."""

    async def main():
        account = Gated(*[Applied()] * 30, Throttled(HOUR), Applied())
        executor = accepted(AsyncExecutor, account, TAGS[:1], 80, concurrency=32)
        await executor.run_due()
        return account.calls

    assert 32 == asyncio.run(main())


def test_what_was_claimed_before_a_pause_waits(accepted):
    """Behind another action of its lane, an action does not go to an account that has to wait."""

    class Account(Gated):
        async def apply(self, action, call):
            self.calls += 1
            if action.email == "0@example.com":
                return Throttled(HOUR)
            await asyncio.sleep(0.02)
            return Applied()

    async def main():
        account = Account()
        executor = accepted(AsyncExecutor, account, TAGS, 2, in_doubt=3)
        await executor.run_due()
        return account.calls

    assert 2 == asyncio.run(main())


def test_nothing_is_begun_once_stop_is_set(accepted, account, journal, monkeypatch):
    """What a turn gave out while `stop` was set is not sent."""

    async def main():
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        turn = journal.turn

        def stopping(*args, **kwargs):
            given = turn(*args, **kwargs)
            loop.call_soon_threadsafe(stop.set)
            return given

        mail = account()
        executor = accepted(AsyncExecutor, mail, TAGS, 2)
        monkeypatch.setattr(journal, "turn", stopping)
        await executor.run(stop)
        return mail.calls

    assert [] == asyncio.run(main())
