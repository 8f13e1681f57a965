"""Rules for two providers, providers with scripted answers, and a clock that tests set."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

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
    RuleSet,
    Segmentation,
    where,
)
from listboss.delivery import Executor, MemoryJournal
from listboss.provider import Applied, Call

APPROVED = EventName.PURCHASE_APPROVED


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

    def __init__(self, *answers) -> None:
        self.capabilities = Capabilities.everything()
        self.answers = list(answers)
        self.calls: list[tuple[PlannedAction, Call]] = []

    @property
    def tags(self):
        """The tags that it received, in order."""
        actions = [planned.action for planned, _ in self.calls]
        return [action.tag for action in actions if isinstance(action, AddTag)]

    def apply(self, action, call):
        """Return the next answer."""
        self.calls.append((action, call))
        answer = self.answers.pop(0) if self.answers else Applied()
        if callable(answer):
            return answer()
        if isinstance(answer, BaseException):
            raise answer
        return answer


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


@pytest.fixture
def clock() -> Clock:
    """A clock at noon of 2026-05-04, UTC."""
    return Clock()


@pytest.fixture
def make_engine() -> Callable[..., Engine]:
    """Make an engine for the providers mail and crm, by default with the rules above."""

    def make_engine(*segmentations: Segmentation, providers=("mail", "crm")) -> Engine:
        return Engine(
            RuleSet(
                [Product("42", "Course", approved_at=date(2025, 1, 1))],
                segmentations or SEGMENTATIONS,
                providers={name: Capabilities.everything() for name in providers},
            )
        )

    return make_engine


@pytest.fixture
def make_segmentation():
    """Make an enabled rule on product 42."""
    return segmentation


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """Make an approval of product 42 for ana@example.com."""

    def make_event(id: str = "e-1", *, name=APPROVED, product_id="42", **more) -> Event:
        more.setdefault("contact", Contact("ana@example.com", name="Ana"))
        at = datetime(2026, 5, 4, 11, tzinfo=UTC)
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
    """An empty journal."""
    return MemoryJournal()


@pytest.fixture
def executor(make_engine, mail, crm, journal, clock) -> Executor:
    """An executor of the rules above with both providers."""
    return Executor(make_engine(), {"mail": mail, "crm": crm}, journal, clock=clock)


@pytest.fixture
def engine_for_crm(make_engine: Callable[..., Engine]) -> Engine:
    """An engine that knows only the provider `crm`."""
    return make_engine(providers=("crm",))
