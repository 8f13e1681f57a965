"""The diagram of the life of an action agrees with the table that it is made from."""

import re
import runpy
from pathlib import Path

import pytest

from listboss.delivery import TRANSITIONS

DOCS = Path(__file__).parents[2] / "docs"
DIAGRAM = runpy.run_path(str(DOCS / "diagram.py"))


def test_the_diagram_is_up_to_date():
    """`python docs/tables.py` has written the diagram since the table changed."""
    assert DIAGRAM["life_of_an_action"]() == DIAGRAM["FILE"].read_text("utf-8")


def test_every_status_is_drawn():
    """Each status of the table is in one box."""
    drawn = re.findall(r'class="status">(\w+)<', DIAGRAM["FILE"].read_text("utf-8"))

    assert sorted(TRANSITIONS) == sorted(drawn)


def test_every_move_is_drawn():
    """Each move of the table is on an arrow, which says what leads to the move."""
    moves = {
        (group[0], getattr(cause, "__name__", str(cause)), then)
        for group in DIAGRAM["groups"]()
        for cause, then in TRANSITIONS[group[0]].items()
    }
    labels = [
        (start, label.partition(" ")[0])
        for (start, _), named in DIAGRAM["arrows"]().items()
        for label in named
    ]

    assert sorted((start, cause) for start, cause, _ in moves) == sorted(labels)


@pytest.mark.parametrize("place", ["BOXES", "ARROWS"])
def test_no_place_is_left_over(place: str):
    """A box or arrow that the table does not have any more has no place."""
    needed = {
        "BOXES": {group[0] for group in DIAGRAM["groups"]()},
        "ARROWS": set(DIAGRAM["arrows"]()),
    }

    assert needed[place] == set(DIAGRAM[place])
