"""No look-up of a journal in a file reads a table from its beginning to its end."""

import re
from datetime import timedelta

import pytest

from listboss.delivery import SqliteJournal, Status, _sqlite_store
from listboss.provider import Refused, Throttled, Unknown

ANA = "ana@example.com"
SMALL = {"journal", "json_each", "name"}
"""Tables with one row, and lists of what was passed or of accounts."""


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """An empty journal in a file, which holds nothing in memory between transactions."""
    monkeypatch.setattr(_sqlite_store, "MAX_ROWS", -1)
    with SqliteJournal(tmp_path / "journal.db", keep=None) as journal:
        yield journal


@pytest.fixture
def scans(journal):
    """Begin to watch what the journal asks the file; return the scans of whole tables."""
    asked: dict[str, None] = {}
    journal._connection.set_trace_callback(asked.setdefault)

    def scans():
        journal._connection.set_trace_callback(None)
        look_ups = [sql for sql in asked if re.match("SELECT|UPDATE|DELETE|WITH", sql)]
        assert len(look_ups) > 40
        return {
            (row["detail"], sql)
            for sql in look_ups
            for row in journal._connection.execute(f"EXPLAIN QUERY PLAN {sql}")
            if row["detail"].startswith("SCAN")
            and "USING" not in row["detail"]  # an index of open or stuck actions has no others
            and row["detail"].split()[1] not in SMALL
        }

    return scans


def test_delivery(owners, scans, make_event, mail, clock):
    """Accepting, sending, failing, retrying, and a late event."""
    mail.answers += [Throttled(timedelta(seconds=30)), Unknown("timeout"), Refused("no", "contact")]
    owners.handle(make_event("late", name="purchase.refunded", day=2, transaction="HP1"))
    owners.handle(make_event("e-1", transaction="HP1"))
    owners.handle_many([make_event(f"e-{n}", day=n, transaction=f"HP{n}") for n in range(2, 9)])
    for _ in range(3):
        clock.turn(hours=2)
        owners.run_due()
    owners.retry()
    owners.retry(event_id="e-1")
    owners.replan("e-2")
    owners.resume()
    assert scans() == set()


def test_questions(owners, journal, scans, make_event, mail):
    """What a host asks of a journal, and what it forgets."""
    mail.answers += [Refused("no", "contact")]
    owners.handle_many([make_event(f"e-{n}", transaction=f"HP{n}") for n in range(5)])
    journal.receipt("e-1")
    journal.standing(ANA)
    journal.stuck()
    journal.stuck("mail", "42", limit=5)
    for wanted in ({"product_id": "42"}, {"contact": ANA}, {"event_id": "e-1"}):
        assert journal.history(**wanted, limit=5)
        assert journal.count(**wanted)
    assert journal.history(status=Status.REFUSED, limit=5)
    assert [*journal.events("42", ANA)]
    journal.forget(ANA)
    assert scans() == set()
