"""Several actions in one call, for accounts that take them."""

import asyncio

import attrs
import pytest

from listboss import AddTag, Capabilities, Contact, PlannedAction
from listboss.delivery import AsyncExecutor, Executor, Status
from listboss.errors import ConfigurationError
from listboss.provider import Applied, Call, NoChange, Refused, Throttled, Unknown

EMAILS = [f"{n}@example.com" for n in range(7)]


class Bulk:
    """An account that takes up to three actions in one call; `answer` makes the outcomes."""

    capabilities = attrs.evolve(Capabilities.everything(), batch=3)

    def __init__(self, answer=lambda actions: [Applied()] * len(actions)) -> None:
        self.answer = answer
        self.batches: list[tuple[list[PlannedAction], Call]] = []
        self.singles: list[PlannedAction] = []
        self.sent: list[PlannedAction] = []

    def apply(self, action, call):
        """Take one action."""
        self.singles.append(action)
        self.sent.append(action)
        return Applied()

    def apply_many(self, actions, call):
        """Take several actions."""
        self.batches.append((list(actions), call))
        self.sent += actions
        return self.answer(actions)

    @property
    def sizes(self):
        """How many actions came with each call."""
        return [len(actions) for actions, _ in self.batches]


class AsyncBulk(Bulk):
    """The same, asynchronous."""

    async def apply(self, action, call):
        """Take one action."""
        return super().apply(action, call)

    async def apply_many(self, actions, call):
        """Take several actions."""
        await asyncio.sleep(0)
        return super().apply_many(actions, call)


@pytest.fixture
def journal(any_journal):
    """Each journal in turn."""
    return any_journal


@pytest.fixture
def deliver(make_engine, make_segmentation, make_event, journal, clock):
    """Accept one purchase of each contact, and send with an account; return the receipts."""

    def deliver(mail, *, kind="sync", tags=("a",), **more):
        rules = make_segmentation("r", [AddTag(tag) for tag in tags])
        engine = make_engine(rules, providers={"mail": mail.capabilities})
        events = [make_event(f"e-{n}", contact=Contact(email)) for n, email in enumerate(EMAILS)]
        if kind == "sync":
            return Executor(engine, {"mail": mail}, journal, clock=clock, **more).handle_many(
                events
            )
        executor = AsyncExecutor(engine, {"mail": mail}, journal, clock=clock, **more)
        return asyncio.run(executor.handle_many(events))

    return deliver


KINDS = pytest.mark.parametrize(
    ("kind", "make"),
    [("sync", Bulk), ("async", Bulk), ("async", AsyncBulk)],
    ids=["sync", "async, in a thread", "async"],
)


@KINDS
class TestBatches:
    """What is sent in one call, and what becomes of it."""

    def test_sizes(self, deliver, kind, make):
        """Each call has as many actions as the account takes; the last one goes alone."""
        mail = make()
        receipts = deliver(mail, kind=kind)
        assert ([3, 3], 1) == (mail.sizes, len(mail.singles))
        assert {Status.APPLIED} == {s.status for r in receipts for s in r.states}

    @pytest.mark.parametrize("in_doubt", [1, 4])
    def test_one_of_each_contact(self, deliver, kind, make, in_doubt):
        """A call never has two actions of one contact, and the order of each stays."""
        mail = make()
        deliver(mail, kind=kind, tags="abcd", in_doubt=in_doubt)
        for actions, _ in mail.batches:
            assert len(actions) == len({each.email for each in actions})
        for email in EMAILS:
            assert [*"abcd"] == [each.action.tag for each in mail.sent if each.email == email]

    def test_each_has_its_outcome(self, deliver, kind, make):
        """The outcomes come in the order of the actions."""

        def answer(actions):
            refused = Refused("no", "contact")
            return [NoChange() if each.email < "3" else refused for each in actions]

        receipts = deliver(make(answer), kind=kind)
        found = [state.status for receipt in receipts for state in receipt.states]
        assert {Status.UNCHANGED} == {*found[:3]}
        assert {Status.REFUSED} == {*found[3:6]}

    @pytest.mark.parametrize(
        "answer",
        [lambda actions: [Applied()], lambda actions: None, lambda actions: "ok"],
        ids=["too few", "nothing", "text"],
    )
    def test_another_answer(self, deliver, kind, make, answer):
        """An answer that is not one outcome for each action says nothing of any."""
        receipts = deliver(make(answer), kind=kind)
        waiting = [s.detail for r in receipts for s in r.states if s.status is Status.WAITING]
        assert ["no outcome for each action"] * 6 == waiting

    def test_an_error(self, deliver, kind, make):
        """What `apply_many` raises counts for all of its actions."""

        def fail(actions):
            raise ValueError("ana@example.com")

        receipts = deliver(make(fail), kind=kind)
        waiting = [s.detail for r in receipts for s in r.states if s.status is Status.WAITING]
        assert ["ValueError"] * 6 == waiting

    def test_the_call(self, deliver, kind, make, clock):
        """A call has a deadline; each action brings its own key."""
        mail = make()
        deliver(mail, kind=kind)
        actions, call = mail.batches[0]
        assert (1, False, "") == (call.attempt, call.is_test, call.key)
        assert clock.now < call.deadline
        assert 3 == len({each.id for each in actions})


def test_a_batch_counts_its_actions(make_engine, make_segmentation, make_event, journal, clock):
    """The rate of an account counts actions, not calls."""
    mail = Bulk()
    mail.capabilities = attrs.evolve(Capabilities.everything(), batch=3, rate=120)
    engine = make_engine(make_segmentation("r", AddTag("a")), providers={"mail": mail.capabilities})
    executor = Executor(engine, {"mail": mail}, journal, clock=clock)
    executor.handle_many(
        make_event(f"e-{n}", contact=Contact(email)) for n, email in enumerate(EMAILS)
    )
    assert [2] == mail.sizes


def test_all_wait(deliver, clock):
    """A throttled batch pauses the account, so that nothing more is sent to it."""
    mail = Bulk(lambda actions: [Throttled(clock.turn(seconds=0) - clock.now)] * len(actions))
    receipts = deliver(mail)
    assert ([3], []) == (mail.sizes, mail.singles)
    assert {Status.WAITING} == {state.status for receipt in receipts for state in receipt.states}


def test_an_interruption(deliver, journal):
    """What was on its way counts as sent without an answer; the others were not sent."""

    def interrupt(actions):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(Bulk(interrupt))
    details = sorted(record.detail for record in journal.history(status="waiting"))
    assert ["interrupted"] * 3 + ["not sent: interrupted"] * 4 == details


def test_an_asynchronous_one_is_refused(deliver):
    """`Executor` cannot await."""

    class Half(Bulk):
        async def apply_many(self, actions, call):
            return [Unknown("never")]

    with pytest.raises(ConfigurationError, match="provider `mail` is asynchronous"):
        deliver(Half())


def test_a_cancelled_task(make_engine, make_segmentation, make_event, journal, clock):
    """A task that is cancelled during a call leaves its actions to be repeated."""

    class Slow(AsyncBulk):
        async def apply_many(self, actions, call):
            self.batches.append((list(actions), call))
            await asyncio.sleep(60)

    mail = Slow()
    engine = make_engine(make_segmentation("r", AddTag("a")), providers={"mail": mail.capabilities})
    events = [make_event(f"e-{n}", contact=Contact(email)) for n, email in enumerate(EMAILS)]

    async def main():
        executor = AsyncExecutor(engine, {"mail": mail}, journal, clock=clock)
        task = asyncio.ensure_future(executor.handle_many(events))
        while len(mail.batches) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    details = [record.detail for record in journal.history(status="waiting")]
    assert ["interrupted"] * 6 == details


def test_a_test_in_its_place(make_engine, make_segmentation, make_event, journal, clock):
    """An integration test goes out before what was accepted after it, also in other batches."""
    rules = make_segmentation("r", [AddTag("a"), AddTag("b")])
    mail = Bulk()
    engine = make_engine(rules, providers={"mail": mail.capabilities})
    executor = Executor(engine, {"mail": mail}, journal, clock=clock, in_doubt=4)
    executor.accept(make_event("e-1", contact=Contact(EMAILS[1])))
    event, plan = executor._test("r", EMAILS[0])
    journal.accept(event, plan, clock.now)
    mine = {planned.id for planned in plan.actions}
    executor.accept(make_event("e-2", contact=Contact(EMAILS[0])))
    executor.run_due()
    sent = [planned.id in mine for planned in mail.sent if planned.email == EMAILS[0]]
    assert [True, True, False, False] == sent
