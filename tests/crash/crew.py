"""Several worker processes on one journal, which are killed, stopped and given a wrong time.

The workers share a clock that can jump. Their account is a file with a line for each call:
who called, for which action, and when the action was claimed by that clock.
"""

import itertools
import mmap
import os
import signal
import struct
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import attrs

from listboss import Capabilities, Engine
from listboss.delivery import Executor, PostgresJournal, SqliteJournal
from listboss.errors import StorageError
from listboss.provider import Applied
from tests.crash.host import World, forked

LEASE = timedelta(seconds=0.6)
POLL = timedelta(milliseconds=10)
START = datetime(2026, 5, 4, 12, tzinfo=UTC)


class SharedClock:
    """The time that all processes see: it runs as usual, and jumps when a test asks for it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        """Return the current time."""
        (jumped,) = struct.unpack("d", self._memory[:8])
        return START + timedelta(seconds=time.monotonic() - self._began + jumped)

    def jump(self, seconds: float) -> None:
        """Let the time of every process jump."""
        (jumped,) = struct.unpack("d", self._memory[:8])
        self._memory[:8] = struct.pack("d", jumped + seconds)


class Line(NamedTuple):
    """A call, as the account saw it."""

    pid: int
    action: str
    attempt: int
    lane: str
    claimed: float


class SlowAccount:
    """The account: it takes some milliseconds to answer."""

    capabilities = Capabilities.everything()

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def apply(self, planned, call):
        """Write the call down, and answer after a while."""
        claimed = (call.deadline - LEASE / 2 - START).total_seconds()
        line = f"{os.getpid()} {call.key} {call.attempt} {planned.email} {claimed}\n"
        os.write(self._file, line.encode())
        time.sleep(0.003)
        return Applied()


def lines_of(path: Path) -> Iterator[Line]:
    """Return all calls, in the order in which the account saw them."""
    for line in path.read_text().splitlines():
        pid, action, attempt, lane, claimed = line.split()
        yield Line(int(pid), action, int(attempt), lane, float(claimed))


@attrs.define
class Crew:
    """The worker processes, by the name under which each works; each opens the journal anew."""

    world: World
    engine: Engine
    open_journal: Callable[[], PostgresJournal] | None = None
    clock: SharedClock = attrs.Factory(SharedClock)
    pids: dict[str, int] = attrs.Factory(dict)
    killed: set[int] = attrs.Factory(set)

    def executor(
        self, journal: SqliteJournal | PostgresJournal, worker: str | None = None
    ) -> Executor:
        """Make an executor as each process has it."""
        account = SlowAccount(self.world.account)
        return Executor(
            self.engine, {"mail": account}, journal, clock=self.clock, worker=worker, lease=LEASE
        )

    def opened(self) -> SqliteJournal | PostgresJournal:
        """Open the journal, as soon as it can be opened."""
        while self.open_journal is not None:
            with suppress(StorageError):
                return self.open_journal()
            time.sleep(0.02)
        return SqliteJournal(self.world.journal)

    def begin(self, name: str) -> None:
        """Begin a worker process, which takes up what a former one of that name left."""

        def work() -> None:
            stop = _Term()
            with self.opened() as journal:
                executor = self.executor(journal, name)
                with suppress(StorageError):
                    executor.resume()
                executor.run(stop, POLL)

        self.pids[name] = forked(work)

    def kill(self, name: str) -> None:
        """Kill a worker."""
        pid = self.pids.pop(name)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.killed.add(pid)

    def pause(self, name: str) -> None:
        """Stop a worker for longer than its lease."""
        os.kill(self.pids[name], signal.SIGSTOP)
        time.sleep(LEASE.total_seconds() * 1.5)
        os.kill(self.pids[name], signal.SIGCONT)

    def harm(self, name: str, trouble: str) -> None:
        """Kill or pause a worker, or set its clock; what has another name is somebody else's."""
        match trouble:
            case "kill":
                self.kill(name)
                self.begin(name)
            case "pause":
                self.pause(name)
            case "jump":
                self.clock.jump(3_600)
            case "back":
                self.clock.jump(-60)

    def end(self) -> list[int]:
        """Ask all workers to end; return their exit statuses."""
        codes = []
        for pid in self.pids.values():
            os.kill(pid, signal.SIGTERM)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        self.pids.clear()
        return codes

    def unexplained(self) -> list[tuple[Line, Line]]:
        """Return the calls that came twice though nobody was killed and no lease had ended."""
        calls: Mapping[str, list[Line]] = defaultdict(list)
        for line in lines_of(self.world.account):
            calls[line.action].append(line)
        return [
            (one, two)
            for lines in calls.values()
            for one, two in itertools.pairwise(lines)
            if one.pid not in self.killed and abs(two.claimed - one.claimed) < LEASE.total_seconds()
        ]

    def out_of_order(self, wanted: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Return the lanes whose actions did not begin in the order of acceptance."""
        began: Mapping[str, list[str]] = defaultdict(list)
        for line in lines_of(self.world.account):
            if line.action not in began[line.lane]:
                began[line.lane].append(line.action)
        return {lane: actions for lane, actions in wanted.items() if began[lane] != actions}


class _Term:
    """A `Stop` that a signal sets."""

    def __init__(self) -> None:
        self._set = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(timeout or 0)
        return self._set
