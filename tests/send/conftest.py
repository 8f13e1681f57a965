"""An embedded provider with a clock that the test turns, and actions to give it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from listboss import PlannedAction
from listboss.provider import Call, Outcome
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import Action
from listboss.send import Send


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Read it."""
        return self.now

    def turn(self, **by: float) -> datetime:
        """Let time pass; returns the new time."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at noon of 2026-05-04, UTC."""
    return Clock()


@pytest.fixture
def planned() -> Callable[..., PlannedAction]:
    """Make a planned action with an id of its own."""
    numbers = count()

    def planned(
        action: Action,
        email: str = "ana@example.com",
        *,
        automatic: bool = False,
        id: str | None = None,
        **data: object,
    ) -> PlannedAction:
        return PlannedAction(
            provider="mail",
            email=email,
            action=action,
            data=FrozenMap(data),  # type: ignore[arg-type] # the tests give values that facts may have
            because=("auto.capture",) if automatic else ("rule",),
            automatic=automatic,
            id=f"action-{next(numbers)}" if id is None else id,
        )

    return planned


@pytest.fixture
def send(clock: Clock) -> Iterator[Send]:
    """An empty store in memory."""
    with Send(":memory:", clock=clock) as store:
        yield store


@pytest.fixture
def do(send: Send, planned: Callable[..., PlannedAction]) -> Callable[..., Outcome]:
    """Have the store carry out one action."""

    def do(
        action: Action, email: str = "ana@example.com", *, is_test: bool = False, **more
    ) -> Outcome:
        return send.apply(planned(action, email, **more), Call(is_test=is_test))

    return do
