from datetime import timedelta

import pytest

from listboss import AddLead, AddTag, Contact, Engine, Idle, RuleSet
from listboss.delivery import DeliveryStatus, Executor, MemoryJournal, Record, Status
from listboss.errors import UnknownIdError
from listboss.provider import Accepted, Applied, Refused, Throttled

ANA, BRUNO = "ana@example.com", "bruno@example.com"


class TestHistory:
    """Recorded outcomes."""

    def test_record(self, executor, journal, make_event, clock):
        """A record has the time, reasons, contact, action, provider and status."""
        executor.handle(make_event(transaction="HP1"))
        assert (
            Record(
                time=clock.now,
                segmentation_ids=("crm",),
                automatic=False,
                product_id="42",
                subscription_plan=None,
                contact=ANA,
                event_name="purchase.approved",
                event_id="e-1",
                provider="crm",
                action=AddTag("c"),
                status=Status.APPLIED,
                detail="",
                is_test=False,
            )
            == journal.history()[0]
        )

    def test_every_attempt(self, executor, journal, make_event, crm):
        """Every attempt has a record, oldest first."""
        crm.answers = [Refused("full", "limit"), Accepted("7")]
        executor.handle(make_event())
        executor.handle(make_event(), replan=True)
        assert [(Status.REFUSED, "limit: full"), (Status.ACCEPTED, "job 7")] == [
            (record.status, record.detail) for record in journal.history(provider="crm")
        ]

    def test_idle_event(self, executor, journal, make_event):
        """An event without actions is in the history, with the reason."""
        executor.handle(make_event(name="purchase.refunded", plan_name="Gold"))
        (record,) = journal.history("42")
        assert (DeliveryStatus.IDLE, Idle.NO_RULE, None, None, ANA, "Gold") == (
            record.status,
            record.detail,
            record.provider,
            record.action,
            record.contact,
            record.subscription_plan,
        )

    def test_automatic(self, make_engine, journal, make_event, mail, crm):
        """Records of automatic segmentations are marked as automatic."""
        rules = make_engine().rules
        capturing = RuleSet(rules.products, (), providers=rules.providers, capture_provider="mail")
        executor = Executor(Engine(capturing), {"mail": mail, "crm": crm}, journal)
        executor.handle(make_event())
        assert {True} == {record.automatic for record in journal.history()}
        assert [AddLead()] == [
            record.action for record in journal.history(segmentation_id="auto.capture")
        ]

    def test_repr_is_masked(self, executor, journal, make_event):
        """The repr of a record shows no e-mail."""
        executor.handle(make_event())
        assert "ana@" not in repr(journal.history())


class TestFilters:
    """Filtering the history."""

    @pytest.fixture(autouse=True)
    def _some(self, executor, make_event, mail):
        mail.answers = [Refused("no", "contact")]
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))
        executor.handle(make_event("e-3", product_id="7"))
        executor.handle(make_event("e-4", contact=None))
        executor.test("crm", BRUNO)

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            ({}, 9),
            ({"product_id": "42"}, 8),
            ({"product_id": "7"}, 1),
            ({"contact": ANA}, 4),
            ({"contact": " BRUNO@example.com"}, 4),
            ({"contact": Contact(BRUNO)}, 4),
            ({"contact": "nobody@example.com"}, 0),
            ({"event_id": "e-1"}, 3),
            ({"segmentation_id": "buyers"}, 4),
            ({"provider": "crm"}, 3),
            ({"status": "refused"}, 1),
            ({"status": DeliveryStatus.IDLE}, 2),
            ({"is_test": True}, 1),
            ({"is_test": False}, 8),
            ({"product_id": "42", "contact": ANA, "status": Status.APPLIED}, 2),
        ],
        ids=repr,
    )
    def test_filter(self, journal, wanted, count):
        """A record must match every given filter."""
        assert count == len(journal.history(**wanted))


class TestForget:
    """Erasing a person."""

    def test_personal_data_go(self, executor, journal, make_event, mail):
        """The contact is not found any more, and no personal data is kept."""
        mail.answers = [Refused("it said: ana@example.com is blocked", "suppressed")]
        executor.handle(make_event())
        assert 3 == journal.forget("ANA@example.com")
        assert () == journal.history(contact=ANA)
        kept = journal.history(), journal.receipt("e-1")
        assert {None} == {record.contact for record in kept[0]}
        assert {"": 3} == {state.planned.email: 3 for state in kept[1].states}
        assert [{}] * 3 == [state.planned.data for state in kept[1].states]
        assert "ana" not in "".join(record.detail for record in kept[0])
        assert "ana" not in "".join(state.detail for state in kept[1].states)

    def test_counts_stay(self, executor, journal, make_event):
        """Records stay counted."""
        executor.handle(make_event())
        journal.forget(Contact(ANA))
        assert 3 == len(journal.history("42", status=Status.APPLIED))

    def test_others_stay(self, executor, journal, make_event):
        """Other contacts are kept."""
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))
        journal.forget(ANA)
        assert 3 == len(journal.history(contact=BRUNO))

    def test_redelivered(self, executor, journal, make_event, mail):
        """A redelivered event of a forgotten contact does nothing."""
        executor.handle(make_event())
        journal.forget(ANA)
        executor.handle(make_event())
        assert (["a", "b"], ()) == (mail.tags, journal.history(contact=ANA))

    def test_not_sent_yet(self, executor, journal, make_event, mail, clock):
        """An action that was not sent yet never will be."""
        mail.answers = [Throttled(timedelta(seconds=30))]
        executor.handle(make_event())
        journal.forget(ANA)
        assert () == executor.run_due(clock.turn(days=1))
        assert [Status.APPLIED, Status.REFUSED, Status.REFUSED] == [
            state.status for state in journal.receipt("e-1").states
        ]

    def test_while_being_sent(self, executor, journal, make_event, mail):
        """A contact forgotten during a call is not in the record of its outcome."""
        mail.answers = [lambda: journal.forget(ANA) and Applied()]
        executor.handle(make_event())
        assert () == journal.history(contact=ANA)
        assert [Status.APPLIED] == [r.status for r in journal.history(provider="mail")]

    def test_unknown(self, journal):
        """Forgetting an unknown contact changes no record."""
        assert 0 == journal.forget(ANA)


class TestKeeping:
    """How long a journal keeps records and events."""

    def test_old_events_go(self, executor, journal, make_event, clock, mail):
        """After 60 days an event is dropped with its records; later events stay."""
        executor.handle(make_event("e-1"))
        clock.turn(days=30)
        executor.handle(make_event("e-2"))
        clock.turn(days=30, seconds=1)
        executor.handle(make_event("e-3"))
        assert {"e-2", "e-3"} == {record.event_id for record in journal.history()}
        with pytest.raises(UnknownIdError):
            journal.receipt("e-1")

    def test_open_events_stay(self, executor, journal, make_event, clock, mail):
        """An event with open actions is kept, however old it is."""
        mail.answers = [Throttled(timedelta(days=30))]
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", product_id="7"))
        clock.turn(days=90)
        executor.handle(make_event("e-3"))
        assert ("e-1",) == journal.due(clock.now)

    def test_for_ever(self, make_engine, make_event, mail, crm, clock):
        """With `keep=None` a journal keeps everything."""
        journal = MemoryJournal(keep=None)
        executor = Executor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)
        executor.handle(make_event("e-1"))
        clock.turn(days=9999)
        executor.handle(make_event("e-2"))
        assert 6 == len(journal.history())

    def test_replanned_is_new(self, executor, journal, make_event, clock):
        """The time of a replanned event starts again."""
        executor.handle(make_event("e-1"))
        clock.turn(days=40)
        executor.handle(make_event("e-1"), replan=True)
        clock.turn(days=40)
        executor.handle(make_event("e-2"))
        assert DeliveryStatus.DONE is journal.receipt("e-1").status

    def test_replanned_keeps_nothing_else(self, executor, journal, make_event, clock):
        """A replanned event does not keep older events from being dropped."""
        for event_id in ("e-1", "e-2"):
            executor.handle(make_event(event_id))
        clock.turn(days=40)
        executor.handle(make_event("e-1"), replan=True)
        clock.turn(days=40)
        executor.handle(make_event("e-3"))
        with pytest.raises(UnknownIdError):
            journal.receipt("e-2")


@pytest.mark.parametrize("method", ["receipt", "intend"])
def test_unknown_event(journal, clock, method):
    """An event that the journal does not have raises an error."""
    arguments = {"receipt": ("e-9",), "intend": ("e-9", clock.now)}[method]
    with pytest.raises(UnknownIdError, match="`e-9`"):
        getattr(journal, method)(*arguments)
