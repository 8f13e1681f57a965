"""Rules, events, journals, providers with scripted answers, and a clock that tests set."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import count

import attrs
import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    EventName,
    MoveLead,
    PlannedAction,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    where,
)
from listboss.delivery import Executor, MemoryJournal, PostgresJournal, SqliteJournal
from listboss.provider import Applied, Call

APPROVED = EventName.PURCHASE_APPROVED
DAY = datetime(2026, 5, 4, 11, tzinfo=UTC)
"""When events without a `day` happen; the clock starts an hour later."""


class Clock:
    """A clock that moves only when a test turns it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the current time."""
        return self.now

    def turn(self, **by: float) -> datetime:
        """Let time pass; return the new time."""
        self.now += timedelta(**by)
        return self.now


class Account:
    """A provider that records its calls and returns `answers`, then `Applied()`.

    An answer may be an exception, which is raised, or a function, which is called.
    """

    def __init__(self, *answers, capabilities=None) -> None:
        self.capabilities = capabilities or Capabilities.everything()
        self.answers = list(answers)
        self.calls: list[tuple[PlannedAction, Call]] = []

    @property
    def actions(self):
        """The actions that it received, in order."""
        return [planned.action for planned, _ in self.calls]

    @property
    def sent(self):
        """The actions that it received, in order, as a person writes them."""
        return [str(action) for action in self.actions]

    @property
    def tags(self):
        """The tags that it was asked to add, in order."""
        return [action.tag for action in self.actions if isinstance(action, AddTag)]

    @property
    def emails(self):
        """The addresses of its calls, in order."""
        return [planned.email for planned, _ in self.calls]

    def apply(self, action, call):
        """Return the next answer."""
        self.calls.append((action, call))
        answer = self.answers.pop(0) if self.answers else Applied()
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) and not isinstance(answer, type) else answer


class AsyncAccount(Account):
    """An asynchronous `Account`."""

    async def apply(self, action, call):
        """Return the next answer."""
        return super().apply(action, call)


def segmentation(name, actions, *, provider="mail", **more):
    """An enabled rule on the approval of product 42, with its name as id."""
    settings = {"product_id": "42", "event": APPROVED, "enabled": True, **more}
    return Segmentation(name, id=name, provider=provider, actions=actions, **settings)


SEGMENTATIONS = [
    segmentation("buyers", [AddTag("a"), AddTag("b")]),
    segmentation("crm", AddTag("c"), provider="crm"),
    segmentation("off", MoveLead("Customers", source="Prospects"), enabled=False),
    segmentation("english", AddLead("English"), condition=where.language == "en", enabled=False),
]
OWNER = [
    segmentation("buy", AddTag("owner")),
    segmentation("back", RemoveTag("owner"), event="purchase.refunded"),
]
"""A buyer is tagged; a refund takes the tag away."""
PRODUCTS = [
    Product("42", "Course", approved_at=date(2025, 1, 1)),
    Product(
        "club",
        "Club",
        kind="subscription",
        approved_at=date(2025, 1, 1),
        plans=[SubscriptionPlan("10", "Monthly")],
    ),
]


@pytest.fixture
def clock() -> Clock:
    """A clock at noon of 2026-05-04, UTC."""
    return Clock()


@pytest.fixture
def make_engine() -> Callable[..., Engine]:
    """Make an engine for the providers mail and crm, by default with the rules above."""

    def make_engine(*segmentations: Segmentation, providers=("mail", "crm"), **more) -> Engine:
        accounts = (
            providers
            if isinstance(providers, dict)
            else {name: Capabilities.everything() for name in providers}
        )
        rules = RuleSet(PRODUCTS, segmentations or SEGMENTATIONS, providers=accounts, **more)
        return Engine(rules)

    return make_engine


@pytest.fixture
def make_segmentation():
    """Make an enabled rule on product 42."""
    return segmentation


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """Make an approval of product 42 for ana@example.com, that many days after the first."""

    def make_event(id: str = "e-1", *, name=APPROVED, product_id="42", day=0.0, **more) -> Event:
        more.setdefault("contact", Contact("ana@example.com", name="Ana"))
        at = DAY + timedelta(days=day)
        return Event(name, id=id, product_id=product_id, occurred_at=at, **more)

    return make_event


@pytest.fixture
def account() -> type[Account]:
    """The class of the providers with scripted answers."""
    return Account


@pytest.fixture
def async_account() -> type[AsyncAccount]:
    """The asynchronous class of providers with scripted answers."""
    return AsyncAccount


@pytest.fixture
def mail() -> Account:
    """The provider `mail`."""
    return Account()


@pytest.fixture
def crm() -> Account:
    """The provider `crm`."""
    return Account()


@pytest.fixture
def journal() -> MemoryJournal:
    """An empty journal in memory; modules that test journals replace it by `any_journal`."""
    return MemoryJournal()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_journal(request, tmp_path):
    """An empty journal of each kind, which keeps everything."""
    if request.param == "memory":
        yield MemoryJournal(keep=None)
        return
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_journal")
        return
    with SqliteJournal(tmp_path / "journal.db", keep=None) as journal:
        yield journal


@pytest.fixture
def open_journal(request, tmp_path):
    """Open an empty journal of a kind, as a context."""
    numbers = count()

    def open_journal(kind, *, keep=None):
        if kind == "memory":
            return nullcontext(MemoryJournal(keep=keep))
        if kind == "postgres":
            return request.getfixturevalue("new_postgres_journal")(keep=keep)
        return SqliteJournal(tmp_path / f"journal-{next(numbers)}.db", keep=keep)

    return open_journal


@pytest.fixture
def make_executor(make_engine, mail, crm, journal, clock):
    """Make an executor of some rules, or of those above, with both providers."""

    def make_executor(*segmentations, providers=None, engine=None, **more) -> Executor:
        accounts = providers or {"mail": mail, "crm": crm}
        capabilities = {name: each.capabilities for name, each in accounts.items()}
        engine = engine or make_engine(*segmentations, providers=capabilities)
        settings = {"clock": clock, **more}
        return Executor(engine, accounts, journal, **settings)

    return make_executor


@pytest.fixture
def executor(make_executor: Callable[..., Executor]) -> Executor:
    """An executor of the rules above with both providers."""
    return make_executor()


@pytest.fixture
def owners(make_executor: Callable[..., Executor]) -> Executor:
    """An executor that tags buyers of product 42, and takes the tag away after a refund."""
    return make_executor(*OWNER)


@pytest.fixture
def engine_for_crm(make_engine: Callable[..., Engine]) -> Engine:
    """An engine that knows only the provider `crm`."""
    return make_engine(providers=("crm",))


@pytest.fixture
def without():
    """Return the capabilities of an account that can do everything but some things."""

    def without(**changes) -> Capabilities:
        return attrs.evolve(Capabilities.everything(), **changes)

    return without


@pytest.fixture
def other(postgres, postgres_schema) -> Iterator[PostgresJournal]:
    """The journal of `postgres_journal`, as another process has it."""
    with PostgresJournal(postgres.dsn, schema=postgres_schema, keep=None) as journal:
        yield journal
