"""The power fails at any moment: only what was synced is certain to be there.

After each step of the disk, the files are made as they may be then, in another folder. The
journal must open, know every event for which `accept` had returned, and know every call that
the account has got as being sent. A host then finishes the work.
"""

import shutil
from collections import Counter
from random import Random

import pytest

from listboss.delivery import Executor, SqliteJournal, Status
from tests.crash.host import NOON, Outside, calls_of, engine_of
from tests.crash.power import Disk, build, run
from tests.crash.power_host import ACTIONS, EVENTS

COMPILER = shutil.which("gcc") or shutil.which("cc")
SHARES = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """What a host did to its files while it handled its events."""
    if COMPILER is None:
        pytest.skip("the shim that records what is synced needs a C compiler")
    folder = tmp_path_factory.mktemp("power")
    folder.joinpath("disk").mkdir()
    library = build(COMPILER, folder)
    return run(library, "tests.crash.power_host", folder / "disk", folder / "log")


def lines_of(disk_file, steps):
    """The lines that were written to a file by then, synced or not: others have read them."""
    written = b"".join(step.data for step in steps if step.name == disk_file)
    return written.decode().splitlines()


def test_the_shim_sees_everything(steps):
    """The recorded steps make the promises and calls of the whole run, and sync the journal."""
    assert [event.id for event in EVENTS] == lines_of("promises", steps)
    assert 9 == len(lines_of("account", steps))
    synced = {step.name for step in steps if step.kind == "s"}
    assert {"journal.db", "journal.db-wal"} <= synced


def test_every_moment(steps, folder, amount):
    """Whenever the power fails, nothing that was promised is lost, and nothing sent is unknown."""
    moments = [n for n, step in enumerate(steps, 1) if step.kind in "wst"]
    every = max(1, len(moments) * len(SHARES) // amount(ci=200, soak=100_000))
    chance = Random(11)
    disk, case = Disk(), 0
    for moment, step in enumerate(steps, 1):
        disk.take(step)
        for share in SHARES if step.kind in "wst" else ():
            case += 1
            if case % every == 0:
                place = folder / f"{moment}-{share}"
                place.mkdir()
                for name, data in disk.after_power_cut(chance, share).items():
                    place.joinpath(name).write_bytes(data)
                check(place, steps[:moment])
                shutil.rmtree(place)
    assert case > 300


def check(place, past):
    """Open what is left, compare it with what others know, and finish the work."""
    place.joinpath("account").unlink(missing_ok=True)
    promised, called = lines_of("promises", past), lines_of("account", past)
    engine = engine_of(ACTIONS)
    with SqliteJournal(place / "journal.db", keep=None) as journal:
        kept = {event.id for event in journal.events()}
        assert set(promised) <= kept
        attempts = {
            state.planned.id: state.attempts
            for event_id in kept
            for state in journal.receipt(event_id).states
        }
        last = {line.split()[0]: int(line.split()[1]) for line in called}
        unknown = {key: n for key, n in last.items() if attempts.get(key, 0) < n}
        assert {} == unknown
        account = Outside(place / "account")
        executor = Executor(engine, {"mail": account}, journal, clock=lambda: NOON, worker="w")
        executor.resume()
        for event in EVENTS:
            executor.handle(event)
        executor.run_due()
        statuses = [s.status for e in EVENTS for s in journal.receipt(e.id).states]
        assert {Status.APPLIED} == set(statuses)
    sends = Counter(line.split()[0] for line in called) + Counter(calls_of(place / "account"))
    assert {} == {key: n for key, n in sends.items() if n > 2}
