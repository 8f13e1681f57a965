"""Events that are accepted in one transaction, and what later ones find of them."""

import pytest

from listboss import AddTag, RemoveTag
from listboss.delivery import DeliveryStatus

CART, APPROVED = "purchase.cart_abandoned", "purchase.approved"


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.fixture
def executor(make_executor, make_segmentation):
    """An approval adds a tag; an abandoned cart, which is about no purchase, removes it."""
    return make_executor(
        make_segmentation("add", AddTag("vip")),
        make_segmentation("remove", RemoveTag("vip"), event=CART),
    )


def test_a_new_contact(executor, make_event, mail):
    """What is taken off in the transaction that knew the contact first stays off."""
    executor.handle_many([make_event("e-1"), make_event("e-3", name=CART, day=3)])
    receipt = executor.handle(make_event("e-2", day=2, transaction="HP2"))
    assert ("superseded", "e-3") == (receipt.states[0].status, receipt.states[0].decided_by)
    assert [RemoveTag("vip")] == mail.actions


def test_many_events_of_a_new_contact(executor, make_event, mail):
    """The same holds if the contact begins with more events than are held in memory."""
    bought = [make_event(f"e-{n:02}", day=n, transaction=f"HP{n}") for n in range(90)]
    executor.handle_many([*bought, make_event("e-99", name=CART, day=99)])
    receipt = executor.handle(make_event("e-98", day=98, transaction="HP98"))
    assert "superseded" == receipt.states[0].status
    assert [RemoveTag("vip")] == mail.actions[-1:]


def test_in_the_order_given(executor, make_event, mail):
    """They are sent in the order in which they were given."""
    events = [make_event("e-1"), make_event("e-2", name=CART, day=2)]
    events.append(make_event("e-3", day=3))
    receipts = executor.handle_many(events)
    assert {DeliveryStatus.DONE} == {receipt.status for receipt in receipts}
    assert [AddTag("vip")] == mail.actions[-1:]
