"""`AsyncExecutor`: the same promises, with an event loop."""

import asyncio
from datetime import timedelta
from threading import Event as ThreadEvent

import pytest

from listboss import Contact
from listboss.delivery import AsyncExecutor, DeliveryStatus, MemoryJournal, Status
from listboss.errors import ConfigurationError
from listboss.provider import Applied, Refused, Throttled

ANA = "ana@example.com"
SECOND = timedelta(seconds=1)


@pytest.fixture
def mail(async_account):
    """The asynchronous provider `mail`."""
    return async_account()


@pytest.fixture
def make_executor(make_engine, mail, crm, journal, clock):
    """Make an executor with an asynchronous and a synchronous provider."""

    def make_executor(**more):
        providers = {"mail": mail, "crm": crm}
        return AsyncExecutor(make_engine(), providers, journal, clock=clock, **more)

    return make_executor


@pytest.fixture
def executor(make_executor):
    """An executor with an asynchronous and a synchronous provider."""
    return make_executor()


def statuses(receipt):
    """The status of each action, in the order of the plan."""
    return [state.status for state in receipt.states]


def test_accept(executor, make_event, mail):
    """Accepting an event sends nothing."""
    receipt = asyncio.run(executor.accept(make_event()))
    assert (DeliveryStatus.PENDING, []) == (receipt.status, mail.calls)


def test_handle(executor, make_event, mail, crm):
    """A plan is carried out at synchronous and asynchronous providers."""
    receipt = asyncio.run(executor.handle(make_event()))
    assert (DeliveryStatus.DONE, ["a", "b"], ["c"]) == (receipt.status, mail.tags, crm.tags)


def test_synchronous_provider_that_returns_an_awaitable(executor, make_event, crm):
    """What a plain function returns is awaited if it can be."""

    async def answer():
        return Applied()

    crm.apply = lambda action, call: answer()
    assert DeliveryStatus.DONE is asyncio.run(executor.handle(make_event())).status


def test_redelivery(executor, make_event, mail):
    """A redelivered event does nothing twice."""
    mail.answers = [Refused("no", "contact")]
    first = asyncio.run(executor.handle(make_event()))
    again = asyncio.run(executor.handle(make_event()))
    assert (first, ["a", "b"]) == (again, mail.tags)


def test_conflict(executor, make_event, mail):
    """An event with the id of another one is not carried out."""
    asyncio.run(executor.handle(make_event()))
    other = make_event(contact=Contact("bruno@example.com"))
    receipt = asyncio.run(executor.handle(other))
    assert (DeliveryStatus.CONFLICT, [ANA, ANA]) == (receipt.status, mail.emails)


def test_handle_many(executor, make_event, mail, crm):
    """Many events are carried out, with a receipt for each."""
    events = [make_event(f"e-{n}", contact=Contact(f"{n}@example.com")) for n in range(105)]
    receipts = asyncio.run(executor.handle_many(events))
    assert (105, {DeliveryStatus.DONE}, 210) == (
        len(receipts),
        {receipt.status for receipt in receipts},
        len(mail.calls),
    )


def test_replan(executor, make_event, mail):
    """A replanned event sends only the actions that are not applied."""
    mail.answers = [Refused("no such list", "configuration")]
    asyncio.run(executor.handle(make_event()))
    asyncio.run(executor.replan("e-1"))
    assert ["a", "b", "a"] == mail.tags


def test_exception(executor, make_event, mail):
    """An exception counts as sent without an answer; its class name is kept."""
    mail.answers = [ValueError(ANA)]
    state = asyncio.run(executor.handle(make_event())).states[1]
    assert (Status.WAITING, "ValueError") == (state.status, state.detail)


@pytest.mark.parametrize("answer", ["applied", Applied, object()], ids=["text", "class", "object"])
def test_no_outcome(executor, make_event, mail, answer):
    """An answer that is not an outcome counts as none."""
    mail.answers = [answer]
    state = asyncio.run(executor.handle(make_event())).states[1]
    assert (Status.WAITING, "no outcome") == (state.status, state.detail)


def test_run_due(executor, make_event, mail, clock):
    """A waiting action, and what it held back, is sent when it is due."""
    mail.answers = [Throttled(30 * SECOND)]
    asyncio.run(executor.handle(make_event()))
    clock.turn(seconds=30)
    assert 2 == asyncio.run(executor.run_due())


def test_run_due_at(executor, make_event, mail, clock):
    """The host may pass the time."""
    mail.answers = [Throttled(30 * SECOND)]
    asyncio.run(executor.handle(make_event()))
    assert 2 == asyncio.run(executor.run_due(clock.now + 30 * SECOND))


@pytest.mark.parametrize(("most", "sent"), [(0, 0), (1, 1), (3, 3), (9, 3)])
def test_most(executor, make_event, mail, crm, *, most, sent):
    """At most `most` actions are sent."""

    async def work():
        await executor.accept(make_event())
        return await executor.run_due(most=most)

    assert (sent, sent) == (asyncio.run(work()), len(mail.calls + crm.calls))


def test_integration_test(executor, journal, mail):
    """An integration test reaches the provider and is marked in the history."""
    asyncio.run(executor.test("buyers", ANA))
    assert ([True, True], [True, True]) == (
        [record.is_test for record in journal.history()],
        [call.is_test for _, call in mail.calls],
    )


def test_together(executor, make_event, mail, crm):
    """Tasks that handle the same event concurrently send each action once."""

    async def together():
        return await asyncio.gather(*(executor.handle(make_event()) for _ in range(5)))

    asyncio.run(together())
    assert (2, 1) == (len(mail.calls), len(crm.calls))


@pytest.mark.parametrize("concurrency", [1, 3])
def test_concurrency(make_executor, make_event, mail, concurrency):
    """At most `concurrency` actions are on their way at once."""
    running, seen = set(), []

    async def apply(action, call):
        running.add(call.key)
        seen.append(len(running))
        for _ in range(20):
            await asyncio.sleep(0)
        running.discard(call.key)
        return Applied()

    mail.apply = apply
    events = [make_event(f"e-{n}", contact=Contact(f"{n}@example.com")) for n in range(12)]
    asyncio.run(make_executor(concurrency=concurrency).handle_many(events))
    assert (24, True) == (len(seen), max(seen) <= concurrency)


class Counting(MemoryJournal):
    """A journal that knows how many actions were in doubt at most."""

    in_doubt = most = 0

    def turn(self, worker, results, now, **terms):
        """See `Journal.turn`."""
        given = super().turn(worker, results, now, **terms)
        self.in_doubt += len(given) - len(results)
        self.most = max(self.most, self.in_doubt)
        return given


def test_in_doubt(make_engine, make_event, mail, crm, clock):
    """No more actions than may be sent at once are in doubt, also while outcomes are recorded."""
    journal = Counting()
    providers = {"mail": mail, "crm": crm}
    executor = AsyncExecutor(make_engine(), providers, journal, clock=clock, concurrency=8)

    async def work():
        for number in range(20):
            contact = Contact(f"{number}@example.com")
            await executor.accept(make_event(f"e-{number}", contact=contact))
        return await executor.run_due()

    assert (60, 8, 0) == (asyncio.run(work()), journal.most, journal.in_doubt)


def test_one_slow_contact(executor, make_event, mail, crm):
    """While one contact's call takes long, those of others are sent."""

    async def work():
        others = asyncio.Event()
        emails = []

        async def apply(action, call):
            emails.append(action.email)
            if action.email == ANA:
                await others.wait()
            elif len([email for email in emails if email != ANA]) == 2:
                others.set()
            return Applied()

        mail.apply = apply
        await executor.accept(make_event("e-1"))
        await executor.accept(make_event("e-2", contact=Contact("bruno@example.com")))
        return await asyncio.wait_for(executor.run_due(), 30)

    assert 6 == asyncio.run(work())


class TestCancellation:
    """A task that is cancelled during a call."""

    @pytest.fixture(autouse=True)
    def _cancelled(self, executor, make_event, mail):
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

    def test_recorded(self, journal):
        """Its action is recorded as interrupted, and what comes after it stays planned."""
        first, second = journal.receipt("e-1").states[1:]
        assert (Status.WAITING, "interrupted", Status.PLANNED) == (
            first.status,
            first.detail,
            second.status,
        )

    def test_sent_again(self, executor, journal, mail, clock):
        """Its action is sent again when it is due."""
        del mail.apply
        clock.turn(minutes=5)
        asyncio.run(executor.run_due())
        assert ["a", "b"] == mail.tags


def test_cancelled_during_a_call_in_a_thread(executor, make_event, journal, crm):
    """What a call in a thread answers before its deadline counts, though its task was cancelled."""
    began, ends = ThreadEvent(), ThreadEvent()

    def answer():
        began.set()
        ends.wait(30)
        return Applied()

    crm.answers = [answer]

    async def cancelled():
        task = asyncio.create_task(executor.handle(make_event()))
        await asyncio.to_thread(began.wait, 30)
        task.cancel()
        asyncio.get_running_loop().call_later(0.05, ends.set)
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert Status.APPLIED is statuses(journal.receipt("e-1"))[0]


class TestRun:
    """The worker loop."""

    def test_sends_until_stopped(self, executor, make_event, mail):
        """The loop sends what is accepted, and ends when it is to stop."""

        async def work():
            stop = asyncio.Event()

            async def apply(action, call):
                mail.calls.append((action, call))
                if len(mail.calls) == 2:
                    stop.set()
                return Applied()

            mail.apply = apply
            await executor.accept(make_event())
            await asyncio.wait_for(executor.run(stop), 30)

        asyncio.run(work())
        assert ["a", "b"] == mail.tags

    def test_stopped_already(self, executor, make_event, mail):
        """A loop that is to stop sends nothing."""

        async def work():
            stop = asyncio.Event()
            stop.set()
            await executor.accept(make_event())
            await executor.run(stop)

        asyncio.run(work())
        assert [] == mail.calls

    def test_ends_gracefully(self, executor, make_event, journal, mail, crm):
        """What is being sent when the loop is to stop is recorded, and nothing new is begun."""

        async def work():
            stop = asyncio.Event()
            crm_called = ThreadEvent()

            def answer():
                crm_called.set()
                return Applied()

            crm.answers = [answer]

            async def apply(action, call):
                await asyncio.to_thread(crm_called.wait, 30)
                stop.set()
                return Applied()

            mail.apply = apply
            await executor.accept(make_event())
            await asyncio.wait_for(executor.run(stop), 30)

        asyncio.run(work())
        receipt = journal.receipt("e-1")
        assert [Status.APPLIED, Status.APPLIED, Status.PLANNED] == statuses(receipt)


def test_resume(make_executor, make_engine, make_event, journal, clock):
    """A worker that starts anew sends at once what its last life left."""
    journal.accept(make_event(), make_engine().plan(make_event()), clock.now)
    journal.turn("w-1", (), clock.now, want=9)
    assert 3 == asyncio.run(make_executor(worker="w-1").resume())


def test_too_late(make_executor, make_event, mail, crm, clock):
    """An action whose deadline has passed is not sent."""
    slow = [lambda: clock.turn(seconds=30) and Applied()]
    mail.answers, crm.answers = [*slow], [*slow]
    executor = make_executor(concurrency=1)

    async def work():
        await executor.accept(make_event())
        await executor.run_due(clock.now - 30 * SECOND, most=1)

    asyncio.run(work())
    assert [] == mail.calls + crm.calls


def test_forget(executor, make_event, journal):
    """A contact is forgotten without holding the event loop."""
    asyncio.run(executor.handle(make_event()))
    forgotten = asyncio.run(executor.forget_async(ANA))
    assert (3, ()) == (forgotten.records, journal.history(contact=ANA))


def test_provider_not_here(executor, engine_for_crm, make_event, journal, *, crm, clock):
    """An action that was planned for a missing provider is refused, not lost."""
    asyncio.run(executor.accept(make_event()))
    other = AsyncExecutor(engine_for_crm, {"crm": crm}, journal, clock=clock)
    asyncio.run(other.run_due())
    assert [Status.APPLIED, Status.REFUSED, Status.REFUSED] == statuses(journal.receipt("e-1"))


def test_refusals_are_not_counted(executor, engine_for_crm, make_event, journal, *, crm, clock):
    """What no provider was called for does not count as sent."""
    asyncio.run(executor.accept(make_event()))
    other = AsyncExecutor(engine_for_crm, {"crm": crm}, journal, clock=clock)
    assert 1 == asyncio.run(other.run_due()) == len(crm.calls)


def test_stopped_resume(executor, make_event, mail):
    """`resume` with something that stops it begins nothing once it is set."""

    async def work():
        stop = asyncio.Event()
        stop.set()
        await executor.accept(make_event())
        return await executor.resume(stop)

    assert (0, []) == (asyncio.run(work()), mail.calls)


def test_configuration(make_engine, journal, mail):
    """Rules for a missing provider are refused."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncExecutor(make_engine(), {"mail": mail}, journal)
    assert "provider_missing" == caught.value.code


def test_concurrency_of_zero(make_executor):
    """At least one action must be allowed at once."""
    with pytest.raises(ConfigurationError) as caught:
        make_executor(concurrency=0)
    assert "$.concurrency" == caught.value.path
