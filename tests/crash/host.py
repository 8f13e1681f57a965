"""A host that can be killed: rules, events, an account outside the process, and lives.

Each life is a forked process that works on the same journal file. The account is a file of
its own: a line for each call, written before the call returns, so that it survives whatever
happens to the process.
"""

import os
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import attrs

from listboss import (
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
)
from listboss.delivery import Executor, SqliteJournal, Status
from listboss.provider import Applied

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ANA = "ana@example.com"
COURSE = Product("42", "Course", approved_at=date(2025, 1, 1))


def engine_of(actions: int) -> Engine:
    """Make an engine whose plans of an approval have that many actions."""
    add = Segmentation(
        "buyers",
        id="buyers",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        actions=[AddTag(f"tag {number}") for number in range(actions)],
        enabled=True,
    )
    remove = attrs.evolve(
        add, id="back", name="back", event="purchase.refunded", actions=[RemoveTag("tag 0")]
    )
    return Engine(RuleSet([COURSE], [add, remove], providers={"mail": Capabilities.everything()}))


def approval(event_id: str = "e-1", email: str = ANA, *, minutes: int = 0) -> Event:
    """Make an approval of the course."""
    return event_of("purchase.approved", event_id, email, minutes=minutes)


def refund(event_id: str, email: str = ANA, *, minutes: int = 0) -> Event:
    """Make the refund of the same purchase."""
    return event_of("purchase.refunded", event_id, email, minutes=minutes)


def event_of(name: str, event_id: str, email: str, *, minutes: int) -> Event:
    """Make an event of the course, some minutes after eleven o'clock."""
    at = NOON - timedelta(hours=1) + timedelta(minutes=minutes)
    return Event(
        name,
        id=event_id,
        product_id="42",
        contact=Contact(email, name="Ana"),
        occurred_at=at,
        transaction="HP-1",
    )


class Steps:
    """Counts the steps of a life, and ends it with the signal that nobody can catch."""

    def __init__(self, fatal: int | None = None) -> None:
        self.fatal = fatal
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        """Take a step."""
        self.names.append(name)
        if len(self.names) == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


class Outside:
    """The account: a file with a line for each call."""

    capabilities = Capabilities.everything()

    def __init__(self, path: Path, steps: Callable[[str], object] = len) -> None:
        self.steps = steps
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def apply(self, planned, call):
        """Write the call down, and answer."""
        self.steps("before send")
        os.write(self._file, f"{call.key} {call.attempt} {planned.action.tag}\n".encode())
        self.steps("after send")
        return Applied()


def calls_of(path: Path) -> list[str]:
    """Return the keys of the calls that the account has got, in order."""
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


class MortalJournal(SqliteJournal):
    """A journal that takes a step before and after each transaction of a worker."""

    steps: Steps

    def accept(self, *args, **kwargs):
        """Accept an event."""
        self.steps("before accept")
        receipt = super().accept(*args, **kwargs)
        self.steps("after accept")
        return receipt

    def turn(self, *args, **kwargs):
        """Take a turn."""
        self.steps("before turn")
        turn = super().turn(*args, **kwargs)
        self.steps("after turn")
        return turn

    def resume(self, *args, **kwargs):
        """End the leases of the dead."""
        self.steps("before resume")
        count = super().resume(*args, **kwargs)
        self.steps("after resume")
        return count


@attrs.frozen
class World:
    """The files that outlive the processes."""

    folder: Path

    @property
    def journal(self) -> Path:
        """The journal file."""
        return self.folder / "journal.db"

    @property
    def account(self) -> Path:
        """What the account was asked for."""
        return self.folder / "account.log"

    def statuses(self) -> dict[str, Status]:
        """Return the status of each action, by its id, as the journal has it now."""
        with SqliteJournal(self.journal) as journal:
            events = [event.id for event in journal.events()]
            states = [state for each in events for state in journal.receipt(each).states]
        return {state.planned.id: state.status for state in states}


def forked(work: Callable[[], object]) -> int:
    """Do something in a forked process; return its id."""
    with warnings.catch_warnings():
        # Some Pythons warn of a fork in a process with threads, as a worker of xdist has.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    return pid


def in_child(work: Callable[[], object]) -> int:
    """Do something in a forked process; return its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(forked(work), 0)[1])


def live(
    world: World, engine: Engine, events: Sequence[Event], *, fatal: int | None, by: str
) -> list[str]:
    """Live once: take up what is left, deliver the events again, send; return the steps.

    `by` is `handle`, or `accept` followed by `run_due`.
    """
    steps = Steps(fatal)
    journal = MortalJournal(world.journal)
    journal.steps = steps
    with journal:
        account = Outside(world.account, steps)
        executor = Executor(engine, {"mail": account}, journal, clock=lambda: NOON, worker="worker")
        executor.resume()
        for event in events:
            executor.handle(event) if by == "handle" else executor.accept(event)
        executor.run_due()
    return steps.names


@attrs.define
class Lives:
    """Lives that end at given steps, and what may have happened twice because of it."""

    world: World
    engine: Engine
    events: Sequence[Event]
    by: str
    in_doubt: Counter[str] = attrs.Factory(Counter)

    def die_at(self, step: int) -> bool:
        """Live until a step; return whether the life was long enough to get there."""
        before = Counter(calls_of(self.world.account))
        code = in_child(lambda: live(self.world, self.engine, self.events, fatal=step, by=self.by))
        assert code in (0, -signal.SIGKILL)
        sent = Counter(calls_of(self.world.account)) - before
        for action, status in self.world.statuses().items():
            if status is Status.SENDING and sent[action]:
                self.in_doubt[action] += 1
        return code != 0

    def finish(self) -> None:
        """Live to the end, and check every promise."""
        live(self.world, self.engine, self.events, fatal=None, by=self.by)
        plans = [self.engine.plan(event).actions for event in self.events]
        wanted = [planned.id for actions in plans for planned in actions]
        statuses = self.world.statuses()
        assert dict.fromkeys(wanted, Status.APPLIED) == statuses
        calls = calls_of(self.world.account)
        assert wanted == [*dict.fromkeys(calls)]
        allowed = {action: 1 + self.in_doubt[action] for action in wanted}
        assert {action: n for action, n in Counter(calls).items() if n > allowed[action]} == {}
        with SqliteJournal(self.world.journal) as journal:
            applied = journal.history(status="applied")
            assert len(wanted) == len(applied)
            assert journal.due_at() is None
