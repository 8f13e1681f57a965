"""Erasing a person from a journal, at any moment of delivery."""

import gc
from datetime import timedelta
from types import FunctionType, ModuleType

import pytest

from listboss import AddLead, AddTag, Contact, ProviderAction, RemoveTag
from listboss.delivery import DeliveryStatus, Forgotten, RetryPolicy, Status
from listboss.provider import Accepted, Applied, Refused, Throttled, Unknown
from listboss.rules.capabilities import Verb

ANA, BRUNO = "ana@example.com", "bruno@example.com"
SECOND = timedelta(seconds=1)


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.fixture
def one(make_executor, make_segmentation):
    """An executor with one rule of one action."""
    return make_executor(make_segmentation("buyers", AddTag("a")))


def statuses(receipt):
    """The status of each action, in the order of the plan."""
    return [state.status for state in receipt.states]


class TestErased:
    """What is gone, and what stays."""

    @pytest.mark.parametrize("contact", [ANA, " ANA@example.com", Contact(ANA)], ids=str)
    def test_result(self, executor, journal, make_event, contact):
        """The result says how many records were about the contact."""
        executor.handle(make_event())
        assert Forgotten(3) == journal.forget(contact)

    def test_unknown_contact(self, journal):
        """Forgetting a contact that the journal does not know changes nothing."""
        assert Forgotten(0) == journal.forget("nobody@example.com")

    def test_history(self, executor, journal, make_event, mail):
        """Records stay, without the contact and what providers said."""
        mail.answers = [Refused("it said: ana@example.com is blocked", "suppressed")]
        executor.handle(make_event())
        journal.forget(ANA)
        assert {(None, "")} == {(record.contact, record.detail) for record in journal.history()}

    def test_receipt(self, executor, journal, make_event):
        """A receipt stays, without address and data."""
        executor.handle(make_event())
        journal.forget(ANA)
        assert [("", {}, Status.APPLIED)] * 3 == [
            (state.planned.email, dict(state.planned.data), state.status)
            for state in journal.receipt("e-1").states
        ]

    def test_event(self, executor, journal, make_event):
        """The event itself is gone."""
        executor.handle(make_event())
        journal.forget(ANA)
        assert (None, []) == (journal.event("e-1"), list(journal.events()))

    def test_standing(self, executor, journal, make_event):
        """Nothing is known of what the contact should have."""
        executor.handle(make_event())
        journal.forget(ANA)
        assert () == journal.standing(ANA)

    def test_subscription(self, make_executor, make_segmentation, make_event, journal):
        """Nor is it known which subscription a purchase belonged to."""
        club = {"product_id": "club", "plan_ids": ["10"]}
        executor = make_executor(
            make_segmentation("join", AddTag("member"), **club),
            make_segmentation("leave", RemoveTag("member"), event="subscription.canceled", **club),
        )
        codes = {"product_id": "club", "plan_id": "10"}
        executor.handle(make_event("e-1", transaction="P1", subscriber_code="S1", **codes))
        executor.forget(ANA)
        executor.handle(make_event("e-2", day=1, transaction="P1", **codes))
        end = {"name": "subscription.canceled", "subscriber_code": "S2", **codes}
        executor.handle(make_event("e-3", day=2, **end))
        assert [False] == [entry.on for entry in journal.standing(ANA)]

    def test_counts(self, executor, journal, make_event):
        """Records stay counted."""
        executor.handle(make_event())
        journal.forget(ANA)
        assert 3 == journal.count("42", status=Status.APPLIED)

    def test_others_stay(self, executor, journal, make_event):
        """Other contacts are kept."""
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))
        journal.forget(ANA)
        assert (3, ["e-2"]) == (
            journal.count(contact=BRUNO),
            [event.id for event in journal.events()],
        )

    def test_twice(self, executor, journal, make_event):
        """Forgetting again finds nothing."""
        executor.handle(make_event())
        journal.forget(ANA)
        assert Forgotten(0) == journal.forget(ANA)


class TestNotSent:
    """Nothing accepted before the forget is sent after it."""

    def test_planned(self, executor, make_event, mail, crm):
        """What was planned is not sent."""
        executor.accept(make_event())
        executor.forget(ANA)
        executor.run_due()
        assert [] == mail.calls + crm.calls

    def test_planned_is_recorded(self, executor, journal, make_event):
        """What was planned is recorded as forgotten."""
        executor.accept(make_event())
        executor.forget(ANA)
        assert [Status.FORGOTTEN] * 3 == statuses(journal.receipt("e-1"))

    @pytest.mark.parametrize("outcome", [Throttled(SECOND), Unknown("timeout")], ids=repr)
    def test_waiting(self, one, journal, make_event, mail, clock, *, outcome):
        """What was waiting is not sent."""
        mail.answers = [outcome]
        one.handle(make_event())
        one.forget(ANA)
        clock.turn(days=1)
        one.run_due()
        assert ([Status.FORGOTTEN], 1) == (statuses(journal.receipt("e-1")), len(mail.calls))

    def test_stuck(self, one, journal, make_event, mail):
        """What was refused is not sent again, whatever the host retries."""
        mail.answers = [Refused("no", "contact")]
        one.handle(make_event())
        one.forget(ANA)
        assert (0, [Status.FORGOTTEN]) == (one.retry(), statuses(journal.receipt("e-1")))

    def test_nothing_is_due(self, executor, journal, make_event):
        """Nothing is due any more."""
        executor.accept(make_event())
        executor.forget(ANA)
        assert None is journal.due_at()


class TestWhileSending:
    """A contact that is forgotten while an action is in flight."""

    @pytest.fixture
    def attempt(self, one, journal, make_event, clock):
        """An attempt in flight, whose contact is forgotten."""
        one.accept(make_event())
        (attempt,) = journal.turn("w-1", (), clock.now)
        one.forget(ANA)
        return attempt

    @pytest.mark.parametrize(
        ("outcome", "status"),
        [
            (Applied(), Status.APPLIED),
            (Refused("no", "contact"), Status.FORGOTTEN),
            (Throttled(SECOND, "contact"), Status.FORGOTTEN),
            (Unknown("timeout"), Status.FORGOTTEN),
        ],
        ids=repr,
    )
    def test_report(self, journal, attempt, clock, outcome, status):
        """The outcome is recorded; what would be sent again is forgotten instead."""
        result = RetryPolicy().settle(attempt, outcome, clock.now)
        journal.turn("w-1", [result], clock.now, want=0)
        assert [status] == statuses(journal.receipt("e-1"))

    @pytest.mark.parametrize(
        "outcome", [Applied(), Throttled(SECOND), Unknown("timeout")], ids=repr
    )
    def test_not_sent_again(self, one, journal, attempt, clock, *, mail, outcome):
        """Nothing is sent after the report."""
        result = RetryPolicy().settle(attempt, outcome, clock.now)
        journal.turn("w-1", [result], clock.now, want=0)
        clock.turn(days=1)
        assert (0, []) == (one.run_due(), mail.calls)

    def test_worker_that_died(self, one, journal, attempt, mail, clock):
        """If the report never comes, nothing is sent either."""
        clock.turn(days=1)
        assert (0, []) == (one.run_due(), mail.calls)

    def test_worker_that_died_is_recorded(self, one, journal, attempt, clock):
        """If the report never comes, the action is recorded as forgotten."""
        clock.turn(days=1)
        one.run_due()
        assert [Status.FORGOTTEN] == statuses(journal.receipt("e-1"))

    @pytest.mark.parametrize("reports", [True, False], ids=["reported", "worker died"])
    def test_verb(
        self,
        make_executor,
        make_segmentation,
        journal,
        make_event,
        *,
        clock,
        without,
        account,
        reports,
    ):
        """An action without a tag or place is not sent again either."""
        verb = Verb("acme.enrol", always=True, idempotent=True)
        mail = account(capabilities=without(verbs=(verb,)))
        rule = make_segmentation("enrol", ProviderAction("acme.enrol"))
        executor = make_executor(rule, providers={"mail": mail})
        executor.accept(make_event("e-8"))
        (attempt,) = journal.turn("w-1", (), clock.now)
        executor.forget(ANA)
        result = RetryPolicy().settle(attempt, Throttled(SECOND), clock.now)
        journal.turn("w-1", [result] if reports else (), clock.now, want=0)
        clock.turn(days=1)
        executor.run_due()
        assert ([], [Status.FORGOTTEN]) == (mail.calls, statuses(journal.receipt("e-8")))

    def test_no_contact_in_the_history(self, journal, attempt, clock):
        """The record of the report has no contact."""
        result = RetryPolicy().settle(attempt, Applied(), clock.now)
        journal.turn("w-1", [result], clock.now, want=0)
        assert [None] == [record.contact for record in journal.history()]


class TestLateEvents:
    """Events of a forgotten contact that arrive afterwards."""

    @pytest.fixture(autouse=True)
    def _forgotten(self, one, make_event, clock):
        one.handle(make_event("e-1"))
        one.forget(ANA)

    def test_happened_before(self, one, journal, make_event, mail):
        """An event that happened before is recorded as forgotten, and nothing is sent."""
        receipt = one.handle(make_event("e-2"))
        assert (DeliveryStatus.FORGOTTEN, (), 1) == (
            receipt.status,
            receipt.states,
            len(mail.calls),
        )

    def test_record(self, one, journal, make_event):
        """Its record has no contact."""
        one.handle(make_event("e-2"))
        (record,) = journal.history(event_id="e-2")
        assert (DeliveryStatus.FORGOTTEN, None) == (record.status, record.contact)

    def test_nothing_is_kept(self, one, journal, make_event):
        """The event itself is not kept."""
        one.handle(make_event("e-2"))
        assert (None, []) == (journal.event("e-2"), list(journal.events()))

    def test_redelivered(self, one, journal, make_event):
        """A redelivered event is recorded once."""
        one.handle(make_event("e-2"))
        one.handle(make_event("e-2"))
        assert 1 == journal.count(event_id="e-2")

    def test_known_event(self, one, make_event, mail):
        """An event that was carried out before does not come back."""
        one.handle(make_event("e-1"), replan=True)
        assert [ANA] == mail.emails

    def test_never_a_conflict(self, one, make_event):
        """An event of a forgotten contact is never a conflict."""
        receipt = one.handle(make_event("e-1", contact=Contact(BRUNO)))
        assert DeliveryStatus.CONFLICT is not receipt.status

    def test_happened_at_that_moment(self, one, make_event, clock):
        """An event that happened just when the contact was forgotten belongs to the past."""
        passed = (clock.now - make_event().occurred_at) / timedelta(days=1)
        moments = [passed, passed + SECOND / timedelta(days=1)]
        receipts = [one.handle(make_event(f"e-{day}", day=day)) for day in moments]
        assert ["forgotten", "done"] == [str(receipt.status) for receipt in receipts]

    def test_happened_later(self, one, make_event, mail):
        """An event that happened later starts anew."""
        receipt = one.handle(make_event("e-2", day=1))
        assert (DeliveryStatus.DONE, 2) == (receipt.status, len(mail.calls))

    def test_standing_starts_anew(self, one, journal, make_event):
        """What the contact should have is known from later events alone."""
        one.handle(make_event("e-2", day=1))
        assert ["e-2"] == [entry.event_id for entry in journal.standing(ANA)]

    def test_others(self, one, make_event, mail):
        """Other contacts are handled as usual."""
        one.handle(make_event("e-2", contact=Contact(BRUNO)))
        assert [ANA, BRUNO] == mail.emails


class TestIds:
    """Ids of events that contain the address: they are the person's, too."""

    ID = "quiz:7:Ana@example.com"

    @pytest.fixture
    def forgotten(self, one, journal, make_event):
        """An event with such an id, whose contact was forgotten; return the id that is kept."""
        one.handle(make_event(self.ID))
        one.forget(ANA)
        (record,) = journal.history()
        return record.event_id

    def test_replaced(self, forgotten):
        """The history has another id, which says nothing of the person."""
        assert (True, False) == (forgotten.startswith("forgotten-"), "ana" in forgotten)

    def test_other_ids_stay(self, one, journal, make_event):
        """An id without an address stays as it is."""
        one.handle(make_event("e-1"))
        one.forget(ANA)
        assert ["e-1"] == [record.event_id for record in journal.history()]

    def test_still_known(self, forgotten, journal):
        """The event is still found by the id that it came with."""
        found = journal.receipt(self.ID), journal.history(event_id=self.ID)
        assert (self.ID, 1, None) == (found[0].event_id, len(found[1]), journal.event(self.ID))

    def test_by_the_kept_id(self, forgotten, journal):
        """The id that the history shows finds the same."""
        assert (1, [Status.APPLIED]) == (
            journal.count(event_id=forgotten),
            statuses(journal.receipt(forgotten)),
        )

    @pytest.mark.parametrize("replan", [False, True])
    def test_redelivered(self, forgotten, one, make_event, mail, *, replan):
        """The event does not come back."""
        receipt = one.handle(make_event(self.ID), replan=replan)
        assert (DeliveryStatus.DONE, [ANA]) == (receipt.status, mail.emails)

    def test_no_conflict(self, forgotten, one, journal, make_event):
        """It does not conflict with an event of another contact."""
        one.handle(make_event(self.ID, contact=Contact(BRUNO)))
        assert 0 == journal.count(status="conflict")

    def test_conflict_before(self, one, journal, make_event):
        """A record that another event came with this id has the other id, too."""
        one.handle(make_event(self.ID))
        one.handle(make_event(self.ID, contact=Contact(BRUNO)))
        one.forget(ANA)
        assert (2, 1) == (
            journal.count(event_id=self.ID),
            len({record.event_id for record in journal.history()}),
        )

    def test_late_event(self, forgotten, one, journal, make_event):
        """An event that happened before and arrives now is recorded under such an id at once."""
        receipt = one.handle(make_event("quiz:8:ana@example.com"))
        ids = {record.event_id.split("-")[0] for record in journal.history()}
        assert (DeliveryStatus.FORGOTTEN, {"forgotten"}) == (receipt.status, ids)

    def test_late_event_again(self, forgotten, one, journal, make_event):
        """It is recorded once."""
        one.handle(make_event("quiz:8:ana@example.com"))
        one.handle(make_event("quiz:8:ana@example.com"))
        assert 1 == journal.count(status="forgotten")

    @pytest.mark.parametrize(
        ("outcome", "status"),
        [(Applied(), Status.APPLIED), (Throttled(SECOND), Status.FORGOTTEN)],
        ids=repr,
    )
    def test_in_flight(self, one, journal, make_event, clock, *, outcome, status):
        """The outcome of a call that is on its way is recorded under the other id."""
        one.accept(make_event(self.ID))
        (attempt,) = journal.turn("w-1", (), clock.now)
        one.forget(ANA)
        result = RetryPolicy().settle(attempt, outcome, clock.now)
        journal.turn("w-1", [result], clock.now, want=0)
        (record,) = journal.history()
        assert (status, False) == (record.status, "@" in record.event_id)

    def test_late_report(self, one, journal, make_event, clock):
        """So is a report that comes too late."""
        one.accept(make_event(self.ID))
        (attempt,) = journal.turn("w-1", (), clock.now)
        one.forget(ANA)
        clock.turn(days=1)
        one.run_due()
        result = RetryPolicy().settle(attempt, Applied(), clock.now)
        journal.turn("w-1", [result], clock.now, want=0)
        assert [False] * 3 == ["@" in record.event_id for record in journal.history()]

    def test_decided_by(self, owners, journal, make_event):
        """An action does not say which event superseded it, if that id has the address."""
        owners.handle(make_event(self.ID, name="purchase.refunded", day=1, transaction="HP1"))
        owners.handle(make_event("e-1", transaction="HP1"))
        before = journal.receipt("e-1").states[0].decided_by
        owners.forget(ANA)
        after = journal.receipt("e-1").states[0].decided_by
        assert (self.ID, "forgotten") == (before, after.split("-")[0])

    def test_retry(self, one, journal, make_event, mail):
        """Nothing of it is taken up again."""
        mail.answers = [Refused("no", "contact")]
        one.handle(make_event(self.ID))
        one.forget(ANA)
        assert 0 == one.retry(event_id=self.ID)


def _strings(root):
    """Return every string that an object leads to, through what modules and classes do not."""
    seen, left, found = set(), [root], set()
    while left:
        each = left.pop()
        if id(each) in seen or isinstance(each, type | ModuleType | FunctionType):
            continue
        seen.add(id(each))
        if isinstance(each, str):
            found.add(each)
        left += gc.get_referents(each)
    return found


@pytest.mark.parametrize("any_journal", ["memory"], indirect=True)
def test_nothing_is_left_in_memory(make_executor, make_segmentation, make_event, journal):
    """The journal in memory keeps no text about the contact, wherever it was."""
    executor = make_executor(
        make_segmentation("add", [AddTag("a"), AddLead("Buyers")]),
        make_segmentation("remove", RemoveTag("a"), event="purchase.refunded"),
        make_segmentation("crm", AddTag("c"), provider="crm"),
    )
    codes = {"transaction": "P1", "subscriber_code": "S1"}
    executor.handle(make_event("e-1", **codes))
    executor.accept(make_event("e-2", day=1, name="purchase.refunded", **codes))
    before = [text for text in _strings(journal) if ANA in text]
    executor.forget(ANA)
    assert before
    assert [] == [text for text in _strings(journal) if ANA in text or "Ana" in text]


def test_a_job_that_is_reported_after_the_contact_was_forgotten(one, journal, make_event, mail):
    """What a provider says of somebody who is forgotten is not kept."""

    def answer():
        journal.forget(ANA)
        return Accepted("import of ana@example.com")

    mail.answers = [answer]
    state = one.handle(make_event()).states[0]
    assert (Status.ACCEPTED, "") == (state.status, state.detail)
    assert {""} == {record.detail for record in journal.history()}
