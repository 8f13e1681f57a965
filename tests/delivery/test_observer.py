"""What a host sees of delivery: in its observer, or in `logging`."""

import logging
from datetime import timedelta

import pytest

from listboss import AddTag, Contact, RemoveTag
from listboss.delivery import DeliveryStatus, LoggingObserver, Status
from listboss.provider import Applied, Refused, Throttled

ANA, BRUNO = "ana@example.com", "bruno@example.com"


class Notes:
    """An observer that notes everything, and raises `error` each time if there is one."""

    def __init__(self, *, personal_data=False, error=None):
        self.personal_data = personal_data
        self.error = error
        self.receipts, self.attempts, self.records = [], [], []

    def note(self, notes, fact):
        """Note a fact."""
        notes.append(fact)
        if self.error is not None:
            raise self.error

    def accepted(self, receipt):
        """Note a receipt."""
        self.note(self.receipts, receipt)

    def attempt(self, attempt):
        """Note an attempt."""
        self.note(self.attempts, attempt)

    def recorded(self, record):
        """Note a record."""
        self.note(self.records, record)


@pytest.fixture
def observe(make_executor):
    """Make an observer, and an executor that it sees."""

    def observe(**more):
        notes = Notes(**more)
        return notes, make_executor(observer=notes)

    return observe


class TestObserver:
    """An observer of the host."""

    def test_accepted(self, observe, make_event):
        """The observer sees each receipt as the event was accepted."""
        notes, executor = observe()
        executor.handle(make_event())
        expected = [("e-1", DeliveryStatus.PENDING)]
        assert expected == [(receipt.event_id, receipt.status) for receipt in notes.receipts]

    def test_accepted_many(self, observe, make_event):
        """The observer sees a receipt for each event of a group."""
        notes, executor = observe()
        executor.handle_many([make_event("e-1"), make_event("e-2")])
        assert ["e-1", "e-2"] == [receipt.event_id for receipt in notes.receipts]

    def test_conflict(self, observe, make_event):
        """The observer sees an event with the id of another one."""
        notes, executor = observe()
        executor.handle(make_event())
        executor.handle(make_event(contact=Contact(BRUNO)))
        assert DeliveryStatus.CONFLICT is notes.receipts[-1].status

    def test_attempt(self, observe, make_event, crm, mail):
        """The observer sees each attempt."""
        notes, executor = observe()
        executor.handle(make_event())
        sent = [call.key for _, call in crm.calls + mail.calls]
        assert sorted(sent) == sorted(attempt.call.key for attempt in notes.attempts)

    def test_recorded(self, observe, make_event, journal, mail):
        """The observer sees what the history has, without the contact."""
        notes, executor = observe()
        mail.answers = [Refused("full", "limit")]
        executor.handle(make_event())
        assert [(record.status, record.detail) for record in journal.history()] == [
            (record.status, record.detail) for record in notes.records
        ]

    @pytest.mark.parametrize(("personal_data", "contact"), [(False, None), (True, ANA)])
    def test_personal_data(self, observe, make_event, personal_data, contact):
        """Records come with the contact only if the observer asks for personal data."""
        notes, executor = observe(personal_data=personal_data)
        executor.handle(make_event())
        assert {contact} == {record.contact for record in notes.records}

    def test_superseded(self, make_executor, make_segmentation, make_event):
        """The observer sees an action that was superseded."""
        notes = Notes()
        rules = [
            make_segmentation("buy", AddTag("owner")),
            make_segmentation("back", RemoveTag("owner"), event="purchase.refunded"),
        ]
        executor = make_executor(*rules, observer=notes)
        more = {"transaction": "P1", "contact": Contact(ANA)}
        executor.accept(make_event("e-1", **more))
        executor.accept(make_event("e-2", name="purchase.refunded", day=1, **more))
        executor.run_due()
        assert [("e-1", Status.SUPERSEDED), ("e-2", Status.APPLIED)] == [
            (record.event_id, record.status) for record in notes.records
        ]

    def test_raising(self, observe, make_event, mail, crm):
        """What an observer raises does not stop delivery."""
        _, executor = observe(error=ValueError("no"))
        receipt = executor.handle(make_event())
        assert (DeliveryStatus.DONE, ["a", "b"], ["c"]) == (receipt.status, mail.tags, crm.tags)

    def test_raising_is_logged(self, observe, make_event, caplog):
        """What an observer raises is logged, without its text."""
        _, executor = observe(error=ValueError(ANA))
        executor.accept(make_event())
        assert ["the observer raised ValueError"] == [
            record.getMessage() for record in caplog.records
        ]


class TestLogging:
    """The default observer, which writes to `logging`."""

    @pytest.fixture(autouse=True)
    def _level(self, caplog):
        caplog.set_level(logging.INFO, "listboss.delivery")

    def lines(self, caplog):
        """The level and text of each line of the log."""
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    def test_success(self, executor, make_event, caplog):
        """What succeeds is not logged."""
        executor.handle(make_event())
        assert [] == self.lines(caplog)

    def test_failure(self, executor, make_event, crm, caplog):
        """An action that needs the host is logged as a warning."""
        crm.answers = [Refused("full", "limit")]
        executor.handle(make_event())
        text = "2026-05-04 12:00 `purchase.approved` `e-1`: add tag `c` at `crm`: refused"
        assert [("WARNING", f"{text} (limit: full)")] == self.lines(caplog)

    def test_waiting(self, executor, make_event, crm, caplog):
        """An action that will be tried again is logged as information."""
        crm.answers = [Throttled(timedelta(seconds=9))]
        executor.handle(make_event())
        text = "2026-05-04 12:00 `purchase.approved` `e-1`: add tag `c` at `crm`: waiting"
        assert [("INFO", f"{text} (retry after 9 s)")] == self.lines(caplog)

    def test_conflict(self, executor, make_event, caplog):
        """An event with the id of another one is logged as a warning."""
        executor.handle(make_event())
        executor.handle(make_event(contact=Contact(BRUNO)))
        expected = [("WARNING", "event `e-1`: its id is that of another event")]
        assert expected == self.lines(caplog)

    def test_no_personal_data(self, executor, make_event, crm, caplog):
        """No line shows whom it is about."""
        crm.answers = [Refused("full", "limit"), Throttled(timedelta(seconds=9)), Applied()]
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))
        assert "@" not in caplog.text

    def test_ids_with_an_address(self, executor, make_event, crm, caplog):
        """An event id that contains an e-mail address is masked."""
        crm.answers = [Refused("full", "limit")]
        executor.handle(make_event("quiz:ana@example.com"))
        executor.handle(make_event("quiz:ana@example.com", contact=Contact(BRUNO)))
        assert [
            (
                "WARNING",
                "2026-05-04 12:00 `purchase.approved` `***`: add tag `c` at `crm`: refused"
                " (limit: full)",
            ),
            ("WARNING", "event `***`: its id is that of another event"),
        ] == self.lines(caplog)

    def test_asks_for_no_personal_data(self):
        """It does not ask for personal data."""
        assert False is LoggingObserver.personal_data
