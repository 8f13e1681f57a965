"""What the simulation found: each history is as small as it gets."""

from listboss import (
    AddLead,
    AddTag,
    MoveLead,
    Place,
    RemoveTag,
)
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
