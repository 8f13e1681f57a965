"""What one process reads of a journal file while another one works on it.

Rows are held in memory between transactions, but only as long as nobody else writes.
"""

import pytest

from listboss import AddTag, Contact, RemoveTag
from listboss.delivery import DeliveryStatus, Executor, SqliteJournal
from tests.delivery.conftest import OWNER


@pytest.fixture
def journals(tmp_path):
    """Two connections to one file."""
    with (
        SqliteJournal(tmp_path / "journal.db", keep=None) as one,
        SqliteJournal(tmp_path / "journal.db", keep=None) as other,
    ):
        yield one, other


@pytest.fixture
def owners(make_engine, mail, crm, clock):
    """Make an executor with a journal; an approval adds a tag, a refund removes it."""
    engine = make_engine(*OWNER)
    return lambda journal: Executor(engine, {"mail": mail, "crm": crm}, journal, clock=clock)


def test_a_receipt(journals, owners, make_event):
    """A receipt that was read before is read again once another process has delivered."""
    one, other = journals
    owners(one).accept(make_event())
    before = other.receipt("e-1").status
    owners(one).run_due()
    assert (DeliveryStatus.PENDING, DeliveryStatus.DONE) == (before, other.receipt("e-1").status)


def test_a_standing(journals, owners, make_event, mail):
    """What another process accepted decides what this one sends."""
    one, other = journals
    here, there = owners(one), owners(other)
    here.handle(make_event("e-1", transaction="P1"))
    there.handle(make_event("e-3", day=3, name="purchase.refunded", transaction="P1"))
    here.handle(make_event("e-2", day=2, transaction="P1"))
    assert [AddTag("owner"), RemoveTag("owner")] == mail.actions


def test_forgotten(journals, owners, make_event, mail):
    """What another process forgot is not sent by this one."""
    one, other = journals
    owners(one).accept(make_event(contact=Contact("ana@example.com")))
    other.forget("ana@example.com")
    owners(one).run_due()
    assert [] == mail.actions
