"""What the simulation found: each history is as small as it gets."""

from datetime import timedelta

import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Engine,
    MoveLead,
    Place,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
)
from listboss.delivery import DeliveryStatus, RetryPolicy, Status
from listboss.provider import Applied, Refused, Throttled, Unknown
from tests.simulation.host import ANA, Host, engine_of, happened
from tests.simulation.oracle import place_target, tag_target
from tests.simulation.worlds import PRODUCTS, START

VIP, BUYERS, CLUB = tag_target("vip"), place_target(Place(list="Buyers")), "club"


class TestWhatAnEventAsserts:
    """What an event asserts is asserted for the purchase that it names."""

    def test_an_overdue_payment_that_is_canceled_is_overdue_no_more(self, journal):
        """The event of the overdue payment is about the subscription, its tag about the payment."""
        host = Host(
            journal,
            [
                (CLUB, "purchase.delayed", AddTag("late")),
                (CLUB, "purchase.canceled", RemoveTag("late")),
            ],
        )
        both = {"transaction": "P1", "subscriber_code": "S1", "product_id": CLUB}
        host.executor.handle(happened("purchase.delayed", "e1", day=1, **both))
        host.executor.handle(happened("purchase.canceled", "e2", day=2, **both))
        assert set() == host.held


class TestLinks:
    """A purchase belongs to the subscription that its newest event names."""

    @pytest.mark.parametrize("order", [(1, 2), (2, 1)])
    def test_an_older_event_that_comes_later(self, journal, order):
        """It does not move the purchase to another subscription."""
        host = Host(
            journal,
            [
                (CLUB, "purchase.approved", AddTag("vip")),
                (CLUB, "subscription.canceled", RemoveTag("vip")),
            ],
        )
        named = {1: ("purchase.completed", "S2"), 2: ("purchase.approved", "S1")}
        for day in order:
            name, code = named[day]
            ids = {"transaction": "P1", "subscriber_code": code, "product_id": CLUB}
            host.executor.handle(happened(name, f"e{day}", day=day, **ids))
        canceled = {"subscriber_code": "S1", "product_id": CLUB}
        host.executor.handle(happened("subscription.canceled", "e3", day=3, **canceled))
        assert set() == host.held


class TestForgetDuringASend:
    """Nothing that was accepted before a contact was forgotten is sent after it."""

    RULES = (("c1", "purchase.refunded", RemoveTag("vip")),)

    @pytest.mark.parametrize(
        "answer", [Throttled(timedelta(seconds=5)), Unknown("timeout"), Refused("no", "contact")]
    )
    def test_what_did_not_succeed_is_forgotten_at_its_report(self, journal, answer):
        """The contact is forgotten while the provider is called; the call is not repeated."""
        host = Host(journal, self.RULES, answers=[answer])
        host.in_call = lambda: host.executor.forget(ANA)
        host.executor.handle(happened("purchase.refunded", "e1"))
        journal.retry(host.now)
        host.wait(hours=1)
        assert (1, [Status.FORGOTTEN]) == (len(host.sent), host.statuses("e1"))

    def test_what_was_interrupted_is_forgotten(self, journal):
        """The worker dies during the call, and the contact is forgotten before it comes back."""
        host = Host(journal, self.RULES)
        host.executor.accept(happened("purchase.refunded", "e1"))
        journal.turn("w1", (), host.now)
        host.executor.forget(ANA)
        host.executor.resume()
        assert ([], [Status.FORGOTTEN]) == (host.sent, host.statuses("e1"))

    def test_what_succeeded_stays_so(self, journal):
        """It is known that the provider did it."""
        host = Host(journal, self.RULES)
        host.in_call = lambda: host.executor.forget(ANA)
        host.executor.handle(happened("purchase.refunded", "e1"))
        assert [Status.APPLIED] == host.statuses("e1")


class TestKeys:
    """A call that is repeated has the same key, and a call that asks for something else another."""

    RULES = (
        ("c1", "purchase.approved", MoveLead("Buyers", source="Leads")),
        ("c1", "purchase.refunded", RemoveLead("Buyers")),
    )

    def test_the_same_again(self, journal):
        """Nothing has happened meanwhile, so the account can see that it was done already."""
        host = Host(journal, self.RULES, answers=[Unknown("timeout")])
        host.executor.handle(happened("purchase.approved", "e1", day=1))
        host.wait(minutes=20)
        assert ([host.sent[0]] * 2, 1) == (host.sent, len({*host.keys}))

    def test_less_than_before(self, journal):
        """The refund leaves only a part of the move to be done."""
        host = Host(journal, self.RULES, answers=[Unknown("timeout")])
        host.executor.handle(happened("purchase.approved", "e1", day=1))
        host.executor.handle(happened("purchase.refunded", "e2", day=2))
        host.wait(minutes=20)
        assert str(RemoveLead("Leads")) == host.sent[1]
        assert (len(host.sent), host.keys) == (len({*host.keys}), host.ids)


class TestForgetTwice:
    """A contact that is forgotten again stays forgotten up to the later of both times."""

    def test_the_clock_was_turned_back_in_between(self, journal):
        """An event between the two times is not planned."""
        host = Host(journal, [("c1", "purchase.approved", AddTag("vip"))])
        host.executor.forget(ANA)
        host.now -= timedelta(days=5)
        host.executor.forget(ANA)
        receipt = host.executor.handle(happened("purchase.approved", "e1", day=8))
        assert (DeliveryStatus.FORGOTTEN, []) == (receipt.status, host.sent)


class TestReplan:
    """A plan that is replaced leaves the contact as the other events want it."""

    def test_a_rule_that_comes_back(self, journal):
        """What was given up because no rule asked for it is done once a rule asks again."""
        rules = [("c1", "purchase.approved", AddLead())]
        host = Host(journal, rules, answers=[Throttled(timedelta(hours=1), "contact")])
        host.executor.handle(happened("purchase.approved", "e1"))
        host.executor.use_engine(engine_of([], host.capabilities))
        host.executor.replan("e1")
        assert [Status.SUPERSEDED] == host.statuses("e1")
        host.executor.use_engine(engine_of(rules, host.capabilities))
        host.executor.replan("e1")
        assert ([Status.APPLIED], 2) == (host.statuses("e1"), len(host.sent))

    def test_a_place_of_another_product_is_put_back(self, journal):
        """The rule that moved the contact away from everywhere is gone."""
        stay = (CLUB, "purchase.approved", AddLead("Buyers"))
        host = Host(journal, [stay, ("c1", "purchase.refunded", MoveLead("Leavers"))])
        host.executor.handle(happened("purchase.approved", "e1", product_id=CLUB))
        host.executor.handle(happened("purchase.refunded", "e2", day=1))
        host.executor.use_engine(engine_of([stay], host.capabilities))
        host.executor.replan("e2")
        assert BUYERS in host.held

    def test_what_another_event_asked_for_is_sent_in_the_place_of_what_was_given_up(self, journal):
        """The tag of the newer event was sent in vain, so the older one had nothing to do."""
        older = ("c1", "purchase.approved", AddTag("vip"))
        newer = ("c1", "purchase.completed", AddTag("vip"))
        tomorrow = Throttled(timedelta(days=1), "contact")
        host = Host(journal, [older, newer], answers=[tomorrow])
        host.executor.handle(happened("purchase.completed", "e2", day=2))
        host.executor.handle(happened("purchase.approved", "e1", day=1))
        host.wait(minutes=16)
        assert [Status.SUPERSEDED] == host.statuses("e1")
        host.executor.use_engine(engine_of([older], host.capabilities))
        host.executor.replan("e2")
        host.executor.run_due()
        assert VIP in host.held

    def test_an_older_event_is_sent_after_one_that_was_given_up_during_its_call(self, journal):
        """The plan is replaced during the call, which has no success and is not repeated."""
        older = ("c1", "purchase.approved", AddTag("vip"))
        newer = ("c1", "purchase.completed", AddTag("vip"))
        host = Host(journal, [older, newer], answers=[Throttled(timedelta(hours=1), "contact")])
        event = happened("purchase.completed", "e2", day=2)
        without = engine_of([older], host.capabilities).plan(event)
        host.in_call = lambda: journal.accept(event, without, host.now, replan=True)
        host.executor.handle(event)
        host.wait(hours=2)
        host.executor.handle(happened("purchase.approved", "e1", day=1))
        assert ({VIP}, [Status.SUPERSEDED]) == (host.held, host.statuses("e2"))


class TestOrder:
    """What a lane or an account has to do is sent in the same order by every journal."""

    RULES = tuple(("c1", "purchase.approved", AddTag(tag)) for tag in "abc")

    def test_what_is_retried_goes_out_in_the_order_of_the_plan(self, journal):
        """The second action became stuck last."""
        no = Refused("no", "contact")
        host = Host(journal, self.RULES, answers=[no, Throttled(timedelta(hours=1), "contact"), no])
        host.executor.handle(happened("purchase.approved", "e1"))
        host.wait(minutes=16)
        host.answers.append(no)
        host.wait(hours=1)
        host.sent.clear()
        journal.retry(host.now)
        host.executor.run_due()
        assert [f"add tag `{tag}`" for tag in "abc"] == host.sent

    def test_an_interrupted_action_holds_its_lane_when_the_clock_is_turned_back(self, journal):
        """Two actions were in flight; what comes after them is not sent before them."""
        host = Host(journal, self.RULES)
        host.executor.accept(happened("purchase.approved", "e1"))
        journal.turn("w1", (), host.now, in_doubt=2)
        (attempt,) = journal.turn("w2", (), host.now + timedelta(minutes=5))
        done = RetryPolicy().settle(attempt, Applied(), host.now)
        assert () == journal.turn("w2", [done], host.now)
        (attempt,) = journal.turn("w2", (), host.now + timedelta(minutes=5))
        assert AddTag("b") == attempt.planned.action

    def test_accounts_take_turns_whatever_the_time_is(self, journal):
        """A clock that counts whole seconds favours no account."""
        accounts = {name: Capabilities.everything() for name in ("crm", "mail")}
        rules = [
            Segmentation(
                name,
                id=name,
                product_id="c1",
                provider=name,
                event="purchase.approved",
                actions=AddTag("vip"),
                enabled=True,
            )
            for name in accounts
        ]
        engine = Engine(RuleSet(PRODUCTS, rules, providers=accounts))
        for n in range(4):
            event = happened("purchase.approved", f"e{n}", email=f"{n}@example.com")
            journal.accept(event, engine.plan(event), START)
        turns = [journal.turn("w1", (), START + timedelta(seconds=2 * n)) for n in range(4)]
        assert 2 == [attempt.planned.provider for (attempt,) in turns].count("mail")


class TestOneTransaction:
    """Events that are accepted together end as they do one by one."""

    def test_clears_of_a_new_contact(self, journal):
        """The newest clear counts, although it had covered one, and another came after it."""
        clear, add = "purchase.completed", "purchase.approved"
        host = Host(journal, [("c1", clear, RemoveTag("vip")), ("c1", add, AddTag("vip"))])
        days = [(clear, 1), (clear, 4), (clear, 2), (add, 3)]
        host.executor.handle_many([happened(name, f"e{day}", day=day) for name, day in days])
        assert set() == host.held


class TestPrune:
    """What is finished and old goes."""

    def test_an_event_that_was_planned_twice_at_one_time(self, journal):
        """It is deleted once."""
        host = Host(journal, [])
        host.executor.accept(happened("own.seen", "e1"))
        host.executor.accept(happened("own.seen", "e1"), replan=True)
        assert (3, ()) == (journal.prune(host.now + timedelta(days=1)), journal.history())

    def test_what_an_unfinished_event_says_may_be_taken_back(self, journal):
        """So the older event that says the same stays."""
        bought = ("c1", "purchase.approved", AddTag("vip"))
        done = [("c1", "purchase.completed", action) for action in (AddTag("vip"), AddLead("a"))]
        host = Host(journal, [bought, *done])
        host.executor.handle(happened("purchase.approved", "e1", day=1))
        host.answers.append(Refused("no", "configuration"))
        host.executor.handle(happened("purchase.completed", "e2", day=2))
        journal.prune(host.now + timedelta(days=1))
        host.executor.use_engine(engine_of([bought], host.capabilities))
        host.executor.replan("e2")
        assert ["e1"] == [each.event_id for each in journal.standing(ANA) if each.on]
