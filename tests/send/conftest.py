"""An embedded provider with a clock that tests set, and actions to apply to it."""

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


@pytest.fixture
def clock() -> Clock:
    """A clock at noon of 2026-05-04, UTC."""
    return Clock()


@pytest.fixture
def planned() -> Callable[..., PlannedAction]:
    """Make a planned action, by default with a new id."""
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
            data=FrozenMap(data),  # type: ignore[arg-type] # tests pass values that facts may have
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
    """Apply one action to the store."""

    def do(
        action: Action, email: str = "ana@example.com", *, is_test: bool = False, **more
    ) -> Outcome:
        return send.apply(planned(action, email, **more), Call(is_test=is_test))

    return do
