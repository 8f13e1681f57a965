"""What the simulation found: each history is as small as it gets."""

from datetime import timedelta

from listboss import (
    AddLead,
    AddTag,
    MoveLead,
    Place,
    RemoveTag,
)
from listboss.delivery import Status
from listboss.provider import Throttled
from tests.simulation.host import Host, engine_of, happened
from tests.simulation.oracle import place_target, tag_target

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


class TestReplan:
    """A plan that is replaced leaves the contact as the other events want it."""

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
