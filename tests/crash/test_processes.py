"""Two processes on one journal file, with kills, pauses beyond the lease, and clock jumps."""

import time
from collections import defaultdict
from random import Random

import pytest

from listboss.delivery import SqliteJournal, Status
from tests.crash.crew import Crew
from tests.crash.host import approval, engine_of

CONTACTS, ACTIONS = 6, 2
ENGINE = engine_of(ACTIONS)


def accept_some(crew, journal, wanted, numbers):
    """Accept events of all contacts; note which actions each contact gets, in order."""
    for number in numbers:
        email = f"{number % CONTACTS}@example.com"
        event = approval(f"e-{number:04}", email, minutes=number)
        journal.accept(event, ENGINE.plan(event), crew.clock())
        wanted[email] += [planned.id for planned in ENGINE.plan(event).actions]


def finish(crew, journal):
    """Wait until everything is done, and end the workers."""
    for _ in range(3_000):
        if journal.due_at() is None:
            break
        time.sleep(0.01)
    assert {0} == set(crew.end())


def check(crew, journal, wanted, events):
    """Compare what the journal and the account have with what was accepted."""
    states = [s for n in range(events) for s in journal.receipt(f"e-{n:04}").states]
    assert {Status.APPLIED} == {state.status for state in states}
    assert sorted(i for ids in wanted.values() for i in ids) == sorted(s.planned.id for s in states)
    outcomes = [r for r in journal.history(status="applied") if "late" not in r.detail]
    assert len(states) == len(outcomes)
    assert {} == crew.out_of_order(wanted)
    assert [] == crew.unexplained()


@pytest.fixture
def crew(world):
    """Two workers on a new journal."""
    crew = Crew(world, ENGINE)
    SqliteJournal(world.journal).close()
    for name in ("one", "two"):
        crew.begin(name)
    yield crew
    crew.end()


def test_nothing_goes_wrong(crew, world):
    """Two workers share the work, and send everything once, in order."""
    wanted: dict[str, list[str]] = defaultdict(list)
    with SqliteJournal(world.journal) as journal:
        accept_some(crew, journal, wanted, range(40))
        finish(crew, journal)
        check(crew, journal, wanted, 40)


@pytest.mark.parametrize("seed", range(3))
def test_everything_goes_wrong(crew, world, amount, seed):
    """Whatever happens to the workers: nothing is lost, and the order of a lane is kept.

    An action is sent again only if its worker was killed, or its lease had ended by the clock.
    """
    chance = Random(seed)
    wanted: dict[str, list[str]] = defaultdict(list)
    rounds = amount(ci=8, soak=100)
    with SqliteJournal(world.journal) as journal:
        for turn in range(rounds):
            accept_some(crew, journal, wanted, range(turn * 10, turn * 10 + 10))
            time.sleep(chance.random() * 0.05)
            name = chance.choice(("one", "two"))
            crew.harm(name, chance.choice(("kill", "kill", "pause", "jump", "back")))
        crew.clock.jump(3_600)  # past what was set when the clock was ahead
        finish(crew, journal)
        check(crew, journal, wanted, rounds * 10)
