"""What a journal keeps of old events: what still explains a tag or place, and no more."""

from datetime import timedelta
from functools import partial
from random import Random

import pytest

from listboss import AddTag, Engine, RemoveTag
from listboss.delivery import DeliveryStatus, Executor, MemoryJournal
from listboss.errors import ConfigurationError, UnknownIdError
from listboss.provider import Applied, Throttled
from tests.simulation.worlds import START, random_event, random_rules, random_world

ANA = "ana@example.com"
CLUB = {"product_id": "club", "plan_id": "10"}


@pytest.fixture
def journal(any_journal):
    """A journal of each kind, which prunes nothing by itself."""
    return any_journal


@pytest.fixture
def executor(make_executor, make_segmentation):
    """An approval makes an owner, a refund ends that; the same for a membership."""
    rule = make_segmentation
    return make_executor(
        rule("add", AddTag("owner")),
        rule("remove", RemoveTag("owner"), event="purchase.refunded"),
        rule("join", AddTag("member"), product_id="club", plan_ids=["10"]),
        rule("back", RemoveTag("member"), **_club("purchase.refunded")),
        rule("leave", RemoveTag("member"), **_club("subscription.canceled")),
    )


def _club(event):
    return {"product_id": "club", "plan_ids": ["10"], "event": event}


@pytest.fixture
def prune(journal, clock):
    """Prune what is older than 60 days."""
    return lambda: journal.prune(clock.now - timedelta(days=60))


def is_on(journal):
    """Return what the contact should have."""
    return {entry.target.tag for entry in journal.standing(ANA) if entry.on}


class TestWhatExplains:
    """Events that still say something of a tag."""

    @pytest.fixture(autouse=True)
    def _bought(self, executor, make_event, clock, prune):
        executor.handle(make_event("e-1", transaction="HP1"))
        clock.turn(days=100)
        prune()

    def test_stays(self, journal):
        """The event that explains a tag stays, with its actions and reasons."""
        (entry,) = journal.standing(ANA)
        assert (True, "e-1", ("add",)) == (entry.on, entry.event_id, entry.segmentation_ids)
        assert DeliveryStatus.DONE is journal.receipt("e-1").status

    def test_without_its_data(self, executor, journal):
        """What the webhook said goes all the same, so the event cannot be planned again."""
        assert (None, []) == (journal.event("e-1"), [*journal.events()])
        with pytest.raises(ConfigurationError) as caught:
            executor.replan("e-1")
        assert "event_not_kept" == caught.value.code

    def test_redelivered(self, executor, make_event, mail):
        """Delivered again after all that time, it does nothing twice."""
        calls = len(mail.calls)
        receipt = executor.handle(make_event("e-1", transaction="HP1"))
        assert (DeliveryStatus.DONE, calls) == (receipt.status, len(mail.calls))

    def test_ended_later(self, executor, journal, make_event):
        """A refund of the old purchase takes the tag off."""
        executor.handle(make_event("e-2", name="purchase.refunded", day=100, transaction="HP1"))
        assert set() == is_on(journal)

    def test_another_one_ended(self, executor, journal, make_event):
        """A refund of another purchase does not."""
        executor.handle(make_event("e-2", day=100, transaction="HP2"))
        executor.handle(make_event("e-3", name="purchase.refunded", day=101, transaction="HP2"))
        assert {"owner"} == is_on(journal)


class TestOutlived:
    """Events that a newer one of the same kind outlives."""

    @pytest.fixture(autouse=True)
    def _twice(self, executor, make_event, clock):
        executor.handle(make_event("e-1", transaction="HP1"))
        clock.turn(days=30)
        executor.handle(make_event("e-2", day=30, transaction="HP1"))

    def test_goes(self, journal, clock, prune):
        """When both are old, the older one goes."""
        clock.turn(days=61)
        prune()
        with pytest.raises(UnknownIdError):
            journal.receipt("e-1")
        assert ({"owner"}, DeliveryStatus.DONE) == (is_on(journal), journal.receipt("e-2").status)

    def test_not_before_the_newer_one_is_old(
        self, executor, journal, clock, prune, *, make_engine, make_segmentation
    ):
        """While the newer one may be planned again, and say something else, both stay."""
        clock.turn(days=35)
        prune()
        back = make_segmentation("remove", RemoveTag("owner"), event="purchase.refunded")
        executor.use_engine(make_engine(back))
        executor.replan("e-2")
        assert {"owner"} == is_on(journal)

    def test_delivered_again(self, executor, make_event, clock, prune, *, mail):
        """What was dropped counts as new, and what it asks for is stale."""
        clock.turn(days=61)
        prune()
        calls = len(mail.calls)
        receipt = executor.handle(make_event("e-1", transaction="HP1"))
        assert (["superseded"], calls) == (
            [str(state.status) for state in receipt.states],
            len(mail.calls),
        )


class TestOpen:
    """Events that are not over."""

    def test_stays_until_it_is(self, executor, journal, make_event, *, clock, prune, mail):
        """A waiting event stays, however old, and goes once it is over."""
        mail.answers = [Throttled(timedelta(days=90), "contact")]
        event_id = executor.test("add", ANA).event_id
        clock.turn(days=80)
        prune()
        assert DeliveryStatus.PENDING is journal.receipt(event_id).status
        clock.turn(days=20)
        executor.run_due()
        clock.turn(days=2)
        prune()
        with pytest.raises(UnknownIdError):
            journal.receipt(event_id)

    def test_over_at_once(self, executor, journal, clock, prune, mail):
        """It goes at the next call of `prune`, however soon that is."""
        mail.answers = [Throttled(timedelta(days=90), "contact")]
        event_id = executor.test("add", ANA).event_id
        clock.turn(days=80)
        prune()
        executor.retry()
        executor.run_due()
        prune()
        with pytest.raises(UnknownIdError):
            journal.receipt(event_id)


class TestPayments:
    """A subscription that was paid many times."""

    def pay(self, executor, make_event, numbers, **more):
        """Pay a month, every thirty days."""
        for n in numbers:
            codes = {"transaction": f"HP{n}", "subscriber_code": "S1", **CLUB, **more}
            executor.handle(make_event(f"e-{n}", day=30 * n, **codes))

    def events_left(self, journal, numbers):
        """Return how many of the payments the journal still knows."""
        count = 0
        for n in numbers:
            try:
                journal.receipt(f"e-{n}")
            except UnknownIdError:
                continue
            count += 1
        return count

    def test_old_ones_count_as_the_subscriptions(self, executor, journal, make_event, clock, prune):
        """After 400 days only the newest old payment is kept; the member stays one."""
        self.pay(executor, make_event, range(24))
        clock.turn(days=30 * 24)
        prune()
        recent = sum(30 * (24 - n) <= 400 for n in range(24))
        assert (recent + 1, {"member"}) == (self.events_left(journal, range(24)), is_on(journal))

    def test_then_canceled(self, executor, journal, make_event, clock, prune):
        """The end of the subscription ends all of it."""
        self.pay(executor, make_event, range(24))
        clock.turn(days=30 * 24)
        prune()
        end = {"name": "subscription.canceled", "subscriber_code": "S1", **CLUB}
        executor.handle(make_event("end", day=30 * 24, **end))
        assert set() == is_on(journal)

    def test_a_refunded_one(self, executor, journal, make_event, clock, prune):
        """A payment that was refunded does not come back as the subscription's."""
        self.pay(executor, make_event, [0])
        back = {"name": "purchase.refunded", "transaction": "HP0", "subscriber_code": "S1"}
        executor.handle(make_event("back", day=1, **back, **CLUB))
        before = is_on(journal)
        clock.turn(days=500)
        prune()
        assert (set(), set()) == (before, is_on(journal))

    def test_another_one_refunded(self, executor, journal, make_event, clock, prune):
        """The refund of one payment stays that payment's, and takes no other one away."""
        self.pay(executor, make_event, [0, 1])
        back = {"name": "purchase.refunded", "transaction": "HP0", "subscriber_code": "S1"}
        executor.handle(make_event("back", day=40, **back, **CLUB))
        before = is_on(journal)
        clock.turn(days=500)
        prune()
        assert ({"member"}, {"member"}) == (before, is_on(journal))

    def test_no_subscription(self, executor, journal, make_event, clock, prune):
        """An old payment whose subscription nobody named stays the purchase's."""
        self.pay(executor, make_event, [0], subscriber_code=None)
        clock.turn(days=500)
        prune()
        before = is_on(journal)
        back = {"name": "purchase.refunded", "transaction": "HP0", **CLUB}
        executor.handle(make_event("back", day=500, **back))
        assert ({"member"}, set()) == (before, is_on(journal))

    def test_no_payment(self, executor, journal, make_event, clock, prune):
        """What an event says of the subscription alone stays the subscription's."""
        self.pay(executor, make_event, [0], transaction=None)
        clock.turn(days=500)
        prune()
        before = is_on(journal)
        end = {"name": "subscription.canceled", "subscriber_code": "S1", **CLUB}
        executor.handle(make_event("end", day=500, **end))
        assert ({"member"}, set()) == (before, is_on(journal))

    def test_another_subscription(self, executor, journal, make_event, clock, prune):
        """The old payments of one subscription outlive the end of another."""
        self.pay(executor, make_event, range(3))
        self.pay(executor, make_event, [90], subscriber_code="S2")
        clock.turn(days=30 * 100)
        prune()
        end = {"name": "subscription.canceled", "subscriber_code": "S2", **CLUB}
        executor.handle(make_event("end", day=30 * 100, **end))
        assert {"member"} == is_on(journal)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_in_small_steps(make_engine, make_event, mail, crm, *, clock, open_journal, kind):
    """What is old in a database goes little by little, with the turns of a worker."""
    with open_journal(kind, keep=timedelta(days=60)) as journal:
        executor = Executor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)
        executor.handle_many([make_event(f"e-{n}", name="purchase.refunded") for n in range(450)])
        clock.turn(days=61)
        left = []
        for _ in range(4):
            journal.turn("worker", (), clock.now)
            left.append((journal.count(), len([*journal.events()])))
    assert [(250, 250), (50, 50), (0, 0), (0, 0)] == left


class Yes:
    """An account that applies everything."""

    def __init__(self, capabilities) -> None:
        self.capabilities = capabilities

    def apply(self, planned, call):
        """Apply the action."""
        return Applied()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_pruning_decides_nothing(amount, open_journal, kind):
    """Whenever old events are pruned, the contact should have the same as without it."""
    for seed in range(amount(ci=40, soak=5_000)):
        dice = Random(seed)
        world = random_world(dice)
        engine = Engine(random_rules(dice, world))
        accounts = {name: Yes(each) for name, each in world.accounts.items()}
        now = [START + timedelta(days=5)]
        kept, in_memory = MemoryJournal(keep=None), MemoryJournal(keep=None)
        with open_journal(kind) as in_file:
            clock = partial(now.__getitem__, 0)
            executors = [
                Executor(engine, accounts, journal, clock=clock)
                for journal in (kept, in_memory, in_file)
            ]
            for number in range(12):
                event = random_event(dice, world, f"e{number}")
                now[0] += timedelta(days=dice.choice((0, 1, 20)))
                for executor in executors:
                    executor.handle(event)
                before = now[0] - timedelta(days=dice.choice((0, 10)))
                if dice.random() < 0.5:
                    assert in_memory.prune(before) == in_file.prune(before), seed
            assert _on(kept) == _on(in_memory) == _on(in_file), seed


def _on(journal):
    return {(each.provider, repr(each.target)) for each in journal.standing(ANA) if each.on}
