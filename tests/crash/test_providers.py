"""Providers that answer garbage, raise, block, or end the process."""

import asyncio
import threading
from datetime import timedelta

import attrs
import pytest

from listboss.delivery import AsyncExecutor, DeliveryStatus, Executor, SqliteJournal, Status
from listboss.provider import Applied, Refused, Throttled, Unknown
from tests.crash.host import NOON, approval, engine_of

ENGINE = engine_of(2)
LEASE = timedelta(seconds=60)
CANARY = "ana@example.com was not found"


class Gone(BaseException):
    """What a provider may raise that is not an `Exception`."""


@attrs.frozen
class Done(Applied):
    """An outcome of a provider's own."""

    request_id: str = "r-1"


class Account:
    """An account that does what a test says, and then applies everything."""

    capabilities = ENGINE.rules.providers["mail"]

    def __init__(self, *acts) -> None:
        self.acts = [*acts]
        self.keys: list[str] = []

    def apply(self, planned, call):
        """Do what comes next."""
        self.keys.append(call.key)
        act = self.acts.pop(0) if self.acts else Applied()
        if isinstance(act, BaseException):
            raise act
        return act() if callable(act) else act


class AsyncAccount(Account):
    """The same for an event loop."""

    async def apply(self, planned, call):
        """Do what comes next."""
        return super().apply(planned, call)


@pytest.fixture
def journal(world):
    """An empty journal file, open."""
    with SqliteJournal(world.journal) as journal:
        yield journal


def executor_of(journal, account, now=NOON, **options):
    """Make an executor whose clock does not move."""
    return Executor(ENGINE, {"mail": account}, journal, clock=lambda: now, **options)


def statuses(journal, event_id="e-1"):
    """Return the status of each action of an event."""
    return [str(state.status) for state in journal.receipt(event_id).states]


GARBAGE = {
    "None": None,
    "True": True,
    "0": 0,
    "a string": "applied",
    "bytes": b"",
    "a class": Applied,
    "a list": [Applied()],
    "a dictionary": {"status": 200},
    "an object": object(),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_garbage(journal, answer):
    """What is not an outcome counts as no answer, and is sent again."""
    account = Account(lambda: answer)
    executor_of(journal, account).handle(approval())
    state = journal.receipt("e-1").states[0]
    assert (Status.WAITING, "no outcome") == (state.status, state.detail)
    executor_of(journal, account, NOON + timedelta(minutes=1)).run_due()
    assert ["applied", "applied"] == statuses(journal)


def test_own_outcome(journal):
    """An outcome of a subclass is taken as what it is derived from."""
    executor_of(journal, Account(Done())).handle(approval())
    assert ["applied", "applied"] == statuses(journal)


ERRORS = [
    ValueError(CANARY),
    OSError(5, CANARY),
    ExceptionGroup(CANARY, [KeyError(CANARY)]),
    RecursionError(CANARY),
    MemoryError(CANARY),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, CANARY),
    StopIteration(CANARY),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_raises(world, journal, caplog, error):
    """An exception counts as no answer: its class is kept, and its text nowhere."""
    executor_of(journal, Account(error)).handle(approval(email="bruno@example.com"))
    state = journal.receipt("e-1").states[0]
    assert (Status.WAITING, type(error).__name__) == (state.status, state.detail)
    assert type(error).__name__ in caplog.text
    journal.close()
    assert CANARY not in caplog.text
    assert CANARY.encode() not in world.journal.read_bytes()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, Gone])
class TestInterrupted:
    """Exceptions that end a program."""

    def test_is_raised(self, journal, error):
        """It is raised; its action counts as sent, and what was not begun is due."""
        with pytest.raises(error):
            executor_of(journal, Account(error())).handle(approval())
        states = journal.receipt("e-1").states
        assert [("waiting", "interrupted"), ("planned", "")] == [
            (state.status, state.detail) for state in states
        ]

    def test_nothing_of_the_pass_is_lost(self, journal, error):
        """What was sent before it in the same pass is recorded, what comes after it is not sent."""
        account = Account(Applied(), Refused("no", "contact"), error())
        executor = executor_of(journal, account)
        for n in range(5):
            executor.accept(approval(f"e-{n}", f"{n}@example.com"))
        with pytest.raises(error):
            executor.run_due()
        first = [statuses(journal, f"e-{n}")[0] for n in range(5)]
        assert ["applied", "refused", "waiting", "waiting", "waiting"] == first
        assert 3 == len(account.keys)
        details = [journal.receipt(f"e-{n}").states[0].detail for n in (2, 3, 4)]
        assert ["interrupted", "not sent: interrupted", "not sent: interrupted"] == details

    def test_afterwards(self, journal, error):
        """Everything is sent in the end, and only what was interrupted twice."""
        account = Account(Applied(), error())
        executor = executor_of(journal, account)
        for n in range(5):
            executor.accept(approval(f"e-{n}", f"{n}@example.com"))
        with pytest.raises(error):
            executor.run_due()
        executor_of(journal, account, NOON + timedelta(minutes=1)).run_due()
        done = {journal.receipt(f"e-{n}").status for n in range(5)}
        assert ({DeliveryStatus.DONE}, 11) == (done, len(account.keys))


def test_interrupted_task(journal):
    """An interruption of one of several calls is raised, after the others are recorded."""
    account = AsyncAccount(Applied(), Gone(), Applied())
    clock = NOON + timedelta(seconds=1)
    executor = AsyncExecutor(ENGINE, {"mail": account}, journal, clock=lambda: clock)

    async def main():
        for n in range(3):
            await executor.accept(approval(f"e-{n}", f"{n}@example.com"))
        with pytest.raises(Gone):
            await executor.run_due()

    asyncio.run(main())
    states = [journal.receipt(f"e-{n}").states[0] for n in range(3)]
    assert ["applied", "waiting", "applied"] == [str(state.status) for state in states]
    assert "interrupted" == states[1].detail


class TestBlocks:
    """A call that does not return."""

    @pytest.fixture
    def blocked(self, journal):
        """A thread whose call is under way, until the test lets it end."""
        began, ends = threading.Event(), threading.Event()

        def block():
            began.set()
            ends.wait(30)
            return Applied()

        account = Account(block)
        executor = executor_of(journal, account, worker="blocked")
        thread = threading.Thread(target=executor.handle, args=[approval()])
        thread.start()
        began.wait(30)
        yield account, ends, thread
        ends.set()
        thread.join()

    def test_others_go_on(self, journal, blocked):
        """Other contacts are not behind it, and its own contact waits."""
        other = executor_of(journal, account := Account())
        other.handle(approval("e-2", "bruno@example.com"))
        other.handle(approval("e-3", minutes=1))
        assert ["applied", "applied"] == statuses(journal, "e-2")
        assert ["planned", "planned"] == statuses(journal, "e-3")
        assert 2 == len(account.keys)

    def test_until_the_lease_ends(self, journal, blocked):
        """When its lease has ended, another worker sends the action again, and goes on."""
        other = executor_of(journal, account := Account(), NOON + LEASE, worker="other")
        other.run_due()
        assert (["applied", "applied"], 2) == (statuses(journal), len(account.keys))

    def test_it_returns_late(self, journal, blocked):
        """What it says then changes nothing, and it goes on with nothing."""
        first, ends, thread = blocked
        executor_of(journal, Account(), NOON + LEASE, worker="other").run_due()
        before = journal.receipt("e-1")
        ends.set()
        thread.join()
        assert (before, 1) == (journal.receipt("e-1"), len(first.keys))
        late = [record for record in journal.history() if "reported late" in record.detail]
        assert 1 == len(late)


@pytest.mark.parametrize("outcome", [Unknown("x"), Throttled(timedelta(seconds=5))], ids=repr)
def test_a_provider_that_is_gone(journal, outcome):
    """An action planned for a provider that this executor does not have is refused, not lost."""
    executor_of(journal, Account(outcome)).handle(approval())
    other = Executor(
        type(ENGINE)(type(ENGINE.rules)()), {}, journal, clock=lambda: NOON + timedelta(hours=1)
    )
    other.run_due()
    assert ["refused", "refused"] == statuses(journal)
    executor = executor_of(journal, Account(), NOON + timedelta(hours=2))
    executor.retry()
    executor.run_due()
    assert ["applied", "applied"] == statuses(journal)
