"""A provider's text that was cut within a character does not keep a journal from recording."""

import pytest

from listboss import Contact
from listboss.delivery import DeliveryStatus
from listboss.provider import Accepted, Refused, Unknown

HALF = "no list \ud83d"


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.mark.parametrize(
    "answer",
    [Refused(HALF, "contact"), Unknown(HALF), Accepted(HALF)],
    ids=["refused", "unknown", "accepted"],
)
def test_half_a_character(executor, make_event, mail, answer):
    """Half a character is replaced, and delivery goes on."""
    mail.answers = [answer]
    receipt = executor.handle(make_event())
    other = executor.handle(make_event("e-2", contact=Contact("bruno@example.com")))
    assert ("no list ?" in receipt.states[1].detail, other.status) == (True, DeliveryStatus.DONE)
