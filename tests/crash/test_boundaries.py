"""A worker is killed between any two steps: nothing is lost, and little is sent twice.

A step is what happens before or after a transaction of the journal or a call of the account.
"""

from itertools import count

import pytest

from tests.crash.host import Lives, World, approval, engine_of, live, refund

EVENTS = [approval()]
WAYS = [(by, actions) for by in ("handle", "accept") for actions in (1, 2, 3)]


def steps_of(folder, by, actions):
    """The steps of a life that nothing ends early."""
    return live(World(folder), engine_of(actions), EVENTS, fatal=None, by=by)


@pytest.mark.parametrize(("by", "actions"), WAYS)
def test_every_boundary(folder, by, actions):
    """Killed at any one step, the next life finishes what the first one began."""
    folder.joinpath("whole").mkdir()
    steps = steps_of(folder / "whole", by, actions)
    for step in range(1, len(steps) + 1):
        place = folder / str(step)
        place.mkdir()
        lives = Lives(World(place), engine_of(actions), EVENTS, by)
        assert lives.die_at(step), steps[step - 1]
        lives.finish()


def test_transactions_of_a_plan(folder):
    """A plan of three actions takes four transactions: each intent is in one with another step."""
    turn, send = ["before turn", "after turn"], ["before send", "after send"]
    resumed, nothing_left = ["before resume", "after resume", *turn], turn
    handled = [*turn, *send, *turn, *send, *turn, *send, *turn]
    assert [*resumed, *handled, *nothing_left] == steps_of(folder, "handle", 3)


@pytest.mark.parametrize(("by", "actions"), WAYS)
def test_pairs_of_boundaries(folder, amount, by, actions):
    """Killed again at any step of the second life, the third one finishes it."""
    pairs = amount(ci=6, soak=10_000)
    folder.joinpath("whole").mkdir()
    first = len(steps_of(folder / "whole", by, actions))
    every = max(1, first * first // pairs)
    number = count()
    for one in range(1, first + 1):
        for two in range(1, first + 1):
            if next(number) % every:
                continue
            place = folder / f"{one}-{two}"
            place.mkdir()
            lives = Lives(World(place), engine_of(actions), EVENTS, by)
            assert lives.die_at(one)
            lives.die_at(two)
            lives.finish()


def test_several_events_of_a_contact(folder):
    """Killed anywhere in a history, the contact's actions still go out in order."""
    events = [approval("e-1"), refund("e-2", minutes=1)]
    events.append(approval("e-3", minutes=2))
    folder.joinpath("whole").mkdir()
    steps = live(World(folder / "whole"), engine_of(1), events, fatal=None, by="handle")
    for step in range(1, len(steps) + 1):
        place = folder / str(step)
        place.mkdir()
        lives = Lives(World(place), engine_of(1), events, "handle")
        assert lives.die_at(step)
        lives.finish()
