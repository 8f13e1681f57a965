from datetime import timedelta

import pytest

from listboss import AddLead, AddTag, Contact, Engine, Idle, RuleSet
from listboss.delivery import DeliveryStatus, Executor, MemoryJournal, Record, Status
from listboss.errors import UnknownIdError
from listboss.provider import Accepted, Applied, Refused, Throttled

ANA, BRUNO = "ana@example.com", "bruno@example.com"


class TestHistory:
    """What is recorded."""

    def test_record(self, executor, journal, make_event, clock):
        """A record tells when, why, for whom, what, where and how it went."""
        executor.handle(make_event(transaction="HP1"))
        assert (
            Record(
                time=clock.now,
                segmentation_ids=("crm",),
                automatic=False,
                product_id="42",
                plan=None,
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
        """Every attempt has its record, oldest first."""
        crm.answers = [Refused("full", "limit"), Accepted("7")]
        executor.handle(make_event())
        executor.handle(make_event(), again=True)
        assert [(Status.REFUSED, "limit: full"), (Status.ACCEPTED, "job 7")] == [
            (record.status, record.detail) for record in journal.history(provider="crm")
        ]

    def test_idle_event(self, executor, journal, make_event):
        """An event that asks for nothing is in the history, with the reason."""
        executor.handle(make_event(name="purchase.refunded", plan_name="Gold"))
        (record,) = journal.history("42")
        assert (DeliveryStatus.IDLE, Idle.NO_RULE, None, None, ANA, "Gold") == (
            record.status,
            record.detail,
            record.provider,
            record.action,
            record.contact,
            record.plan,
        )

    def test_automatic(self, make_engine, journal, make_event, mail, crm):
        """What automatic segmentations did is told apart."""
        rules = make_engine().rules
        capturing = RuleSet(rules.products, (), providers=rules.providers, capture_provider="mail")
        executor = Executor(Engine(capturing), {"mail": mail, "crm": crm}, journal)
        executor.handle(make_event())
        assert {True} == {record.automatic for record in journal.history()}
        assert [AddLead()] == [
            record.action for record in journal.history(segmentation_id="auto.capture")
        ]

    def test_repr_is_masked(self, executor, journal, make_event):
        """A record does not show who it is about in its repr."""
        executor.handle(make_event())
        assert "ana@" not in repr(journal.history())


class TestFilters:
    """Asking for a part of the history."""

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
        """The history is narrowed by everything that is given."""
        assert count == len(journal.history(**wanted))


class TestForget:
    """Erasing a person."""

    def test_personal_data_go(self, executor, journal, make_event, mail):
        """Nobody is found in the history any more, and nothing personal is kept anywhere."""
        mail.answers = [Refused("it said: ana@example.com is blocked", "suppressed")]
        executor.handle(make_event())
        assert 3 == journal.forget("ANA@example.com")
        assert () == journal.history(contact=ANA)
        kept = journal.history(), journal.receipt("e-1")
        assert {None} == {record.contact for record in kept[0]}
        assert {"": 3} == {step.action.email: 3 for step in kept[1].actions}
        assert [{}] * 3 == [step.action.data for step in kept[1].actions]
        assert "ana" not in "".join(record.detail for record in kept[0])
        assert "ana" not in "".join(step.detail for step in kept[1].actions)

    def test_counts_stay(self, executor, journal, make_event):
        """What was done stays counted."""
        executor.handle(make_event())
        journal.forget(Contact(ANA))
        assert 3 == len(journal.history("42", status=Status.APPLIED))

    def test_others_stay(self, executor, journal, make_event):
        """Other contacts are untouched."""
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))
        journal.forget(ANA)
        assert 3 == len(journal.history(contact=BRUNO))

    def test_redelivered(self, executor, journal, make_event, mail):
        """An event of a forgotten contact that is redelivered does nothing."""
        executor.handle(make_event())
        journal.forget(ANA)
        executor.handle(make_event())
        assert (["a", "b"], ()) == (mail.tags, journal.history(contact=ANA))

    def test_not_sent_yet(self, executor, journal, make_event, mail, clock):
        """What was not sent yet never will be."""
        mail.answers = [Throttled(timedelta(seconds=30))]
        executor.handle(make_event())
        journal.forget(ANA)
        assert () == executor.run_due(clock.turn(days=1))
        assert [Status.APPLIED, Status.REFUSED, Status.REFUSED] == [
            step.status for step in journal.receipt("e-1").actions
        ]

    def test_while_being_sent(self, executor, journal, make_event, mail):
        """Who is forgotten while an action is being sent is not in its record, either."""
        mail.answers = [lambda: journal.forget(ANA) and Applied()]
        executor.handle(make_event())
        assert () == journal.history(contact=ANA)
        assert [Status.APPLIED] == [r.status for r in journal.history(provider="mail")]

    def test_unknown(self, journal):
        """There is nothing to forget of an unknown contact."""
        assert 0 == journal.forget(ANA)


class TestKeeping:
    """How long a journal keeps things."""

    def test_old_events_go(self, executor, journal, make_event, clock, mail):
        """After 60 days an event is forgotten, with its records; later ones stay."""
        executor.handle(make_event("e-1"))
        clock.turn(days=30)
        executor.handle(make_event("e-2"))
        clock.turn(days=30, seconds=1)
        executor.handle(make_event("e-3"))
        assert {"e-2", "e-3"} == {record.event_id for record in journal.history()}
        with pytest.raises(UnknownIdError):
            journal.receipt("e-1")

    def test_open_events_stay(self, executor, journal, make_event, clock, mail):
        """What is still to be done is kept, however old."""
        mail.answers = [Throttled(timedelta(days=30))]
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", product_id="7"))
        clock.turn(days=90)
        executor.handle(make_event("e-3"))
        assert ("e-1",) == journal.due(clock.now)

    def test_for_ever(self, make_engine, make_event, mail, crm, clock):
        """A journal may keep everything."""
        journal = MemoryJournal(keep=None)
        executor = Executor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)
        executor.handle(make_event("e-1"))
        clock.turn(days=9999)
        executor.handle(make_event("e-2"))
        assert 6 == len(journal.history())

    def test_done_again_is_new(self, executor, journal, make_event, clock):
        """An event that was done again is kept from then on."""
        executor.handle(make_event("e-1"))
        clock.turn(days=40)
        executor.handle(make_event("e-1"), again=True)
        clock.turn(days=40)
        executor.handle(make_event("e-2"))
        assert DeliveryStatus.DONE is journal.receipt("e-1").status

    def test_done_again_keeps_nothing_else(self, executor, journal, make_event, clock):
        """An event that was done again holds no older one back from going."""
        for event_id in ("e-1", "e-2"):
            executor.handle(make_event(event_id))
        clock.turn(days=40)
        executor.handle(make_event("e-1"), again=True)
        clock.turn(days=40)
        executor.handle(make_event("e-3"))
        with pytest.raises(UnknownIdError):
            journal.receipt("e-2")


@pytest.mark.parametrize("ask", ["receipt", "intend"])
def test_unknown_event(journal, clock, ask):
    """An event that the journal does not have is told so."""
    arguments = {"receipt": ("e-9",), "intend": ("e-9", clock.now)}[ask]
    with pytest.raises(UnknownIdError, match="`e-9`"):
        getattr(journal, ask)(*arguments)
