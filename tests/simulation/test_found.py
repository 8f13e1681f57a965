"""What the simulation found: each history is as small as it gets."""

from listboss import (
    AddTag,
    Place,
    RemoveTag,
)
from tests.simulation.host import Host, happened
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
