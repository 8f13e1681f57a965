"""What a journal answers: history, counts, events, stuck actions, standing; and what it drops."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from listboss import AddLead, AddTag, Contact, Engine, Idle, ProviderAction, RemoveTag, RuleSet
from listboss.delivery import (
    ActionState,
    DeliveryStatus,
    Executor,
    MemoryJournal,
    PostgresJournal,
    Receipt,
    Record,
    SqliteJournal,
    StandingEntry,
    Status,
    Stuck,
)
from listboss.delivery._sql_history import EVENTS_PER_PAGE
from listboss.errors import ArgumentTypeError, UnknownIdError
from listboss.plan import PlannedAction
from listboss.provider import Accepted, Refused, Throttled, Unknown
from listboss.rules._mapping import FrozenMap

ANA, BRUNO = "ana@example.com", "bruno@example.com"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
REFUND = "purchase.refunded"


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


class TestHistory:
    """Recorded outcomes."""

    def test_record(self, executor, journal, make_event, clock):
        """A record has the time, reasons, contact, action, provider and status."""
        executor.handle(make_event(transaction="HP1"))
        (record,) = journal.history(provider="crm")
        expected = Record(
            time=clock.now,
            segmentation_ids=("crm",),
            product_id="42",
            contact=ANA,
            event_name="purchase.approved",
            event_id="e-1",
            provider="crm",
            action=AddTag("c"),
            status=Status.APPLIED,
            number=record.number,
        )
        assert expected == record

    def test_every_attempt(self, executor, journal, make_event, crm):
        """Every attempt has a record, oldest first."""
        crm.answers = [Refused("full", "limit"), Accepted("7")]
        executor.handle(make_event())
        executor.replan("e-1")
        assert [(Status.REFUSED, "limit: full"), (Status.ACCEPTED, "job 7")] == [
            (record.status, record.detail) for record in journal.history(provider="crm")
        ]

    def test_idle_event(self, executor, journal, make_event):
        """An event without actions is in the history, with the reason."""
        executor.handle(make_event(name=REFUND, plan_name="Gold"))
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

    def test_repr_is_masked(self, executor, journal, make_event):
        """The repr of a record shows no e-mail."""
        executor.handle(make_event())
        assert "ana@" not in repr(journal.history())


class TestFilters:
    """Filtering the history."""

    @pytest.fixture(autouse=True)
    def _some(self, executor, make_event, mail, clock):
        mail.answers = [Refused("no", "contact")]
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))
        clock.turn(hours=1)
        executor.handle(make_event("e-3", product_id="7"))
        executor.handle(make_event("e-4", contact=None))
        executor.test("crm", BRUNO)

    @pytest.mark.parametrize("method", ["history", "count"])
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
            ({"segmentation_id": "buyer"}, 0),
            ({"provider": "crm"}, 3),
            ({"status": "refused"}, 1),
            ({"status": DeliveryStatus.IDLE}, 2),
            ({"is_test": True}, 1),
            ({"is_test": False}, 8),
            ({"since": NOON + timedelta(hours=1)}, 3),
            ({"until": NOON + timedelta(hours=1)}, 6),
            ({"since": NOON, "until": NOON}, 0),
            ({"product_id": "42", "contact": ANA, "status": Status.APPLIED}, 2),
        ],
        ids=str,
    )
    def test_filter(self, journal, method, wanted, count):
        """A record must match every given filter; a count is the number of these."""
        found = getattr(journal, method)(**wanted)
        assert count == (found if method == "count" else len(found))

    def test_limit(self, journal):
        """With a limit the newest records come, oldest first."""
        assert journal.history()[-4:] == journal.history(limit=4)

    def test_pages(self, journal):
        """The number of a page's first record gives the page before it."""
        pages, before = [], None
        while page := journal.history(limit=4, before=before):
            pages.append(page)
            before = page[0].number
        assert ([1, 4, 4], journal.history()) == (
            [len(page) for page in reversed(pages)],
            tuple(record for page in reversed(pages) for record in page),
        )

    def test_page_of_a_filter(self, journal):
        """Pages may be filtered."""
        (*_, before, last) = journal.history(contact=ANA)
        assert (before,) == journal.history(contact=ANA, before=last.number, limit=1)


class TestEvents:
    """The events that are kept."""

    @pytest.fixture(autouse=True)
    def _some(self, executor, make_event):
        executor.accept(make_event("e-3", day=3))
        executor.accept(make_event("e-1", day=1, contact=Contact(BRUNO)))
        executor.accept(make_event("e-2", day=2, product_id="7"))

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({}, ["e-1", "e-2", "e-3"]),
            ({"product_id": "42"}, ["e-1", "e-3"]),
            ({"contact": "BRUNO@example.com"}, ["e-1"]),
            ({"contact": Contact(ANA)}, ["e-2", "e-3"]),
            ({"since": NOON + timedelta(days=2, hours=-1)}, ["e-2", "e-3"]),
            ({"until": NOON + timedelta(days=2, hours=-1)}, ["e-1"]),
            ({"product_id": "42", "contact": ANA}, ["e-3"]),
        ],
        ids=str,
    )
    def test_filter(self, journal, wanted, expected):
        """Events that fit everything given come in the order in which they happened."""
        assert expected == [event.id for event in journal.events(**wanted)]

    def test_pages(self, journal, make_engine, make_event):
        """Any number of events comes once each and in order, also from the middle of a second."""
        events = [make_event(f"n-{n:04}", contact=None) for n in range(2 * EVENTS_PER_PAGE + 1)]
        engine = make_engine()
        plans = [(event, engine.plan(event)) for event in events]
        journal.turn("w", [], NOON, want=0, accept=plans)
        assert [event.id for event in events] == [
            event.id for event in journal.events() if event.id.startswith("n-")
        ]

    def test_work_goes_on_meanwhile(self, journal, executor, make_event):
        """While events are read, others are accepted and forgotten."""
        events = journal.events()
        first = next(events)
        executor.accept(make_event("e-0", day=1, contact=Contact("carla@example.com")))
        journal.forget(ANA)
        assert ("e-1", False) == (first.id, "e-0" in [event.id for event in events])


class TestStuck:
    """Actions that wait for the host."""

    @pytest.fixture(autouse=True)
    def _some(self, executor, make_event, mail, crm):
        crm.answers = [Refused("full", "limit"), Refused("full", "limit")]
        mail.answers = [Refused("no", "contact"), Throttled(timedelta(hours=1), "contact")]
        executor.handle(make_event("e-1"))
        executor.handle(make_event("e-2", contact=Contact(BRUNO)))

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            ({}, 3),
            ({"account": "crm"}, 2),
            ({"account": "mail"}, 1),
            ({"account": "sms"}, 0),
            ({"product_id": "42"}, 3),
            ({"product_id": "7"}, 0),
            ({"account": "crm", "product_id": "42"}, 2),
            ({"limit": 2}, 2),
        ],
        ids=str,
    )
    def test_filter(self, journal, wanted, count):
        """Those that fit everything given come; a waiting action is not among them."""
        assert count == len(journal.stuck(**wanted))

    def test_state(self, journal):
        """Each comes with its event and its state."""
        (stuck,) = journal.stuck("mail")
        assert ("e-1", Status.REFUSED, "contact: no", AddTag("a")) == (
            stuck.event_id,
            stuck.state.status,
            stuck.state.detail,
            stuck.state.planned.action,
        )

    def test_gone_when_applied(self, executor, journal):
        """An action that was applied after all is not stuck any more."""
        executor.retry(account="crm")
        executor.run_due()
        assert () == journal.stuck("crm")


class TestStanding:
    """What a contact should have."""

    def test_entry(self, owners, journal, make_event):
        """An entry says what, since when, and which event and rules decided."""
        owners.handle(make_event())
        expected = StandingEntry(
            "mail",
            AddTag("owner"),
            on=True,
            since=make_event().occurred_at,
            event_id="e-1",
            segmentation_ids=("buy",),
            sent=True,
            confirmed=True,
        )
        assert (expected,) == journal.standing(ANA)

    @pytest.mark.parametrize(
        ("answers", "sent", "confirmed"),
        [
            ([], True, True),
            ([Unknown("timeout")], True, False),
            ([Refused("no", "contact")], True, False),
        ],
        ids=["applied", "unknown", "refused"],
    )
    def test_confirmed(self, owners, journal, make_event, mail, *, answers, sent, confirmed):
        """An entry says whether the provider confirmed what was sent."""
        mail.answers = [*answers]
        owners.handle(make_event())
        (entry,) = journal.standing(ANA)
        assert (sent, confirmed) == (entry.sent, entry.confirmed)

    def test_not_sent_yet(self, owners, journal, make_event):
        """What was not sent yet should be on, and is not confirmed."""
        owners.accept(make_event())
        (entry,) = journal.standing(ANA)
        assert (True, None, False) == (entry.on, entry.sent, entry.confirmed)

    def test_off(self, owners, journal, make_event):
        """What was taken away is off."""
        owners.handle(make_event("e-1", transaction="P1"))
        owners.handle(make_event("e-2", day=1, name=REFUND, transaction="P1"))
        (entry,) = journal.standing(ANA)
        assert (False, "e-2", ("back",)) == (entry.on, entry.event_id, entry.segmentation_ids)

    @pytest.mark.parametrize("contact", [" ANA@example.com", Contact(ANA)], ids=str)
    def test_contact(self, owners, journal, make_event, contact):
        """The contact is given as an address or a `Contact`."""
        owners.handle(make_event())
        assert 1 == len(journal.standing(contact))

    def test_unknown_contact(self, journal):
        """Nothing is known of an unknown contact."""
        assert () == journal.standing("nobody@example.com")

    def test_accounts(self, executor, journal, make_event):
        """There is an entry for each tag of each account."""
        executor.handle(make_event())
        assert [("crm", "c"), ("mail", "a"), ("mail", "b")] == [
            (entry.provider, entry.target.tag) for entry in journal.standing(ANA)
        ]


class TestDueAt:
    """When there is something to do next."""

    def test_nothing(self, journal):
        """An empty journal has nothing to do."""
        assert None is journal.due_at()

    def test_planned(self, executor, journal, make_event, clock):
        """What was accepted is due at once."""
        executor.accept(make_event())
        assert clock.now == journal.due_at()

    def test_in_flight(self, executor, journal, make_event, clock):
        """What is in flight is due when its lease is over."""
        executor.accept(make_event())
        journal.turn("w-1", (), clock.now, want=9)
        assert clock.now + timedelta(seconds=60) == journal.due_at()

    def test_done(self, executor, journal, make_event):
        """What is over or stuck is not due."""
        executor.handle(make_event())
        assert None is journal.due_at()


class TestPrune:
    """Dropping what is old."""

    LATER = NOON + timedelta(days=1)

    def test_event_without_actions(self, executor, journal, make_event):
        """An old event that asked for nothing is dropped with its record."""
        executor.handle(make_event(name=REFUND))
        assert (2, 0) == (journal.prune(self.LATER), journal.count())

    def test_dropped_event_is_unknown(self, executor, journal, make_event):
        """A dropped event is unknown."""
        executor.handle(make_event(name=REFUND))
        journal.prune(self.LATER)
        with pytest.raises(UnknownIdError):
            journal.receipt("e-1")

    def test_what_explains_a_tag(self, owners, journal, make_event):
        """An event that explains a tag is kept; only its records are dropped."""
        owners.handle(make_event())
        journal.prune(self.LATER)
        assert (0, 1, DeliveryStatus.DONE) == (
            journal.count(),
            len(journal.standing(ANA)),
            journal.receipt("e-1").status,
        )

    @pytest.mark.parametrize(
        "answer", [Throttled(timedelta(hours=1)), Refused("no", "contact")], ids=repr
    )
    def test_not_over(self, executor, journal, make_event, mail, answer):
        """A waiting or stuck action is never dropped."""
        mail.answers = [answer]
        executor.test("buyers", ANA)
        (event_id,) = {record.event_id for record in journal.history()}
        journal.prune(self.LATER)
        assert DeliveryStatus.DONE is not journal.receipt(event_id).status

    def test_finished_test(self, executor, journal):
        """An integration test that is over is dropped."""
        event_id = executor.test("buyers", ANA).event_id
        journal.prune(self.LATER)
        with pytest.raises(UnknownIdError):
            journal.receipt(event_id)

    def test_younger(self, executor, journal, make_event):
        """What is younger is kept."""
        executor.handle(make_event(name=REFUND))
        assert (0, 1) == (journal.prune(NOON), journal.count())


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize(
    ("keep", "days", "count"),
    [
        (timedelta(days=60), 59, 2),
        (timedelta(days=60), 62, 1),
        (None, 9999, 2),
        (timedelta.max, 9999, 2),
    ],
    ids=["young", "old", "for ever", "longer than there is time"],
)
def test_keep(make_engine, mail, crm, clock, make_event, *, open_journal, kind, keep, days, count):
    """A journal drops by itself what is older than `keep`."""
    with open_journal(kind, keep=keep) as journal:
        executor = Executor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)
        executor.handle(make_event("e-1", name=REFUND))
        clock.turn(days=days)
        executor.handle(make_event("e-2", name=REFUND))
        assert count == journal.count()


@pytest.mark.parametrize("keep", [0, 60, "60", timedelta(0), timedelta(days=-1)], ids=repr)
@pytest.mark.parametrize(
    "make",
    [MemoryJournal, partial(SqliteJournal, "journal.db"), partial(PostgresJournal, "host=nowhere")],
    ids=["memory", "sqlite", "postgres"],
)
def test_odd_keep(make, keep):
    """A journal keeps for a duration above zero, or for ever."""
    with pytest.raises(ArgumentTypeError, match="expected a duration above zero"):
        make(keep=keep)


ACTION = PlannedAction("mail", ANA, AddTag("vip"), FrozenMap(), ("buyers",), False, "a-1")
RECORD = Record(
    time=NOON,
    product_id="42",
    contact=ANA,
    event_name="purchase.approved",
    event_id="e-1",
    provider="mail",
    action=AddTag("vip"),
    status=Status.REFUSED,
    detail="limit: full",
)


class TestText:
    """What the answers say to a person."""

    def test_record(self):
        """A record says when, which event, what, where, and how it went; not for whom."""
        expected = (
            "2026-05-04 12:00 `purchase.approved` `e-1`: add tag `vip` at `mail`: refused"
            " (limit: full)"
        )
        assert expected == str(RECORD)

    def test_record_of_an_idle_event(self):
        """A record without an action says why nothing was done."""
        record = Record(
            time=NOON,
            product_id="42",
            event_name=REFUND,
            event_id="e-1",
            status=DeliveryStatus.IDLE,
            detail="no_rule",
        )
        assert "2026-05-04 12:00 `purchase.refunded` `e-1`: idle (no rule)" == str(record)

    def test_record_without_contact(self):
        """A record can be had without its contact."""
        assert (None, "e-1") == (
            RECORD.without_contact().contact,
            RECORD.without_contact().event_id,
        )

    def test_stuck(self):
        """A stuck action says what, where, and after how many attempts."""
        state = ActionState(ACTION, Status.DEAD, 7, detail="timeout")
        expected = "`e-1`: add tag `vip` at `mail`: dead after 7 attempts (timeout)"
        assert expected == str(Stuck("e-1", state))

    def test_receipt(self):
        """A receipt says how far the event is, and has a line for each action."""
        states = (
            ActionState(ACTION, Status.WAITING, 2, until=NOON, detail="retry\nlater"),
            ActionState(ACTION, Status.PLANNED),
        )
        receipt = Receipt("e-1", DeliveryStatus.PENDING, states, NOON)
        assert [
            "`e-1`: pending",
            "  add tag `vip` at `mail`: waiting after 2 attempts, due at 2026-05-04 12:00"
            r" (retry\nlater)",
            "  add tag `vip` at `mail`: planned",
        ] == str(receipt).splitlines()

    def test_receipt_of_an_idle_event(self):
        """A receipt without actions says why nothing is done; an address in its id is masked."""
        receipt = Receipt("quiz:ana@example.com", DeliveryStatus.IDLE, idle=Idle.UNKNOWN_PLAN)
        assert "`***`: idle (unknown plan)" == str(receipt)

    @pytest.mark.parametrize(
        ("target", "on", "event_id", "confirmed", "expected"),
        [
            (
                AddTag("vip"),
                True,
                "e-1",
                True,
                "`mail`: tag `vip` on since 2026-05-04 12:00, confirmed",
            ),
            (
                RemoveTag("vip"),
                False,
                "e-1",
                False,
                "`mail`: tag `vip` off since 2026-05-04 12:00, not confirmed",
            ),
            (AddLead("News"), True, None, True, "`mail`: place `News` on, confirmed"),
        ],
        ids=["on", "off", "without an event"],
    )
    def test_standing(self, *, target, on, event_id, confirmed, expected):
        """An entry says which tag or place, on or off, since when, and whether confirmed."""
        since = None if event_id is None else NOON
        entry = StandingEntry("mail", target, on, since, event_id, (), on, confirmed)
        assert expected == str(entry)


class TestVerbText:
    """Targets that a provider's own action declares."""

    def test_standing(self):
        """An entry of a verb names its action."""
        action = ProviderAction("acme.enrol")
        entry = StandingEntry("mail", action, True, NOON, "e-1", (), True, True)
        assert f"`mail`: {action} on since 2026-05-04 12:00, confirmed" == str(entry)


class TestSqlite:
    """What only a journal file has."""

    def test_opened_again(self, make_engine, make_event, mail, crm, clock, *, tmp_path):
        """Another journal of the same file has the same answers."""
        path = tmp_path / "journal.db"
        with SqliteJournal(path) as journal:
            executor = Executor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)
            receipt = executor.handle(make_event())
            history, standing = journal.history(), journal.standing(ANA)
        with SqliteJournal(path) as again:
            assert (receipt, history, standing) == (
                again.receipt("e-1"),
                again.history(),
                again.standing(ANA),
            )

    def test_forgotten_bytes(self, make_engine, make_event, mail, crm, clock, *, tmp_path):
        """After `forget`, no byte of the address is left in any file."""
        with SqliteJournal(tmp_path / "journal.db") as journal:
            executor = Executor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)
            executor.handle(make_event())
            pending = executor.forget(ANA).pending
            left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert (False, False) == (pending, b"ana@" in left.lower())
