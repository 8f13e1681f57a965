"""Which actions of one segmentation never run, because another one of it contradicts them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import (
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.rules._contradiction import contradictions, losers
from listboss.rules.action import place_key
from listboss.testing import actions, reference

PLACES = ("Buyers", " buyers", "Customers", Place(level="1"))
MOVES = [
    MoveLead(to, source, if_absent=if_absent)
    for to in PLACES
    for source in (None, *PLACES)
    for if_absent in ("add", "skip")
]
EVERY = [
    *(kind(tag) for kind in (AddTag, RemoveTag) for tag in ("a", "A ", "b")),
    *(kind(place) for kind in (AddLead, RemoveLead) for place in PLACES),
    AddLead(),
    *MOVES,
    ProviderAction("acme.enrol"),
]
ODD = actions().filter(lambda action: Place() not in places_of(action))
"""A place without parts is an error of its own, and has the key of the contact base."""


def places_of(action):
    """The places that an action names."""
    names = ("place", "to", "source")
    return [getattr(action, name) for name in names if getattr(action, name, None)]


def found(*pair, one_place=False):
    """The positions of the actions that never run."""
    return [n for n, _ in losers(pair, one_place=one_place)]


class TestEach:
    """What one segmentation cannot do at once."""

    @pytest.mark.parametrize(
        ("pair", "expected"),
        [
            ((RemoveTag("cart"), AddTag(" Cart")), [(1, 0)]),
            ((AddTag("a"), AddTag("b"), RemoveTag("b")), [(1, 2)]),
            ((AddLead("A"), RemoveLead("a")), [(0, 1)]),
            ((MoveLead("A", source="B"), RemoveLead("a")), [(0, 1)]),
            ((AddLead("A"), MoveLead("B", source="a")), [(1, 0)]),
            ((MoveLead("B", source="a"), AddLead("A")), [(1, 0)]),
            ((MoveLead("B"), AddLead("A")), [(1, 0)]),
            ((AddLead("A"), AddLead("B"), MoveLead("A")), [(2, 1)]),
            ((MoveLead("A"), MoveLead("B")), [(1, 0)]),
            ((MoveLead("A", source="C"), MoveLead("B", source="c")), [(1, 0)]),
            ((MoveLead("A", source="B"), MoveLead("C", source="A")), [(1, 0)]),
            ((MoveLead("A", source="B"), MoveLead("B", source="C")), [(1, 0)]),
            ((MoveLead("A", source=" a"),), [(0, 0)]),
            ((RemoveLead("A"), MoveLead("B", source="a", if_absent="skip")), [(1, 0)]),
        ],
    )
    def test_contradiction(self, pair, expected):
        """The one that never runs is found, with one that keeps it from running."""
        assert expected == list(losers(pair, one_place=False))

    @pytest.mark.parametrize(
        "pair",
        [
            (AddTag("a"), RemoveTag("b")),
            (AddTag("a"), AddTag("A")),
            (AddTag("a"), RemoveLead("a")),
            (AddLead("a"), AddLead("b")),
            (AddLead(), RemoveLead("a")),
            (AddLead("a"), MoveLead("A")),
            (RemoveLead("a"), MoveLead("b", source="a")),
            (MoveLead("a", source="b"), MoveLead("c", source="d")),
            (MoveLead("a", source="b"), MoveLead("A", source="B")),
            (MoveLead("a", source="b"), MoveLead("a", source="c")),
            (ProviderAction("acme.enrol"), ProviderAction("acme.enrol", {"x": 1})),
            (),
        ],
    )
    def test_no_contradiction(self, pair):
        """Other targets, equal actions and a removal beside a move that can still add."""
        assert [] == found(*pair)

    def test_one_place(self):
        """Where a contact is at one place, only the first place is kept, and the base."""
        assert ([2], []) == (
            found(AddLead("a"), AddLead(), AddLead("b"), one_place=True),
            found(AddLead("a"), AddLead(), AddLead("b")),
        )


def by_the_table(pair, *, one_place):
    """The positions of the actions that lose by the conflict table of the reference."""
    return [
        n
        for n, other in enumerate(pair)
        if any(
            reference.beats(one, other, earlier=m < n, one_place=one_place)
            for m, one in enumerate(pair)
            if reference.key_of(one) != reference.key_of(other)
        )
    ]


def within_one_segmentation(pair):
    """The positions of the moves to their own source, and of those that find nothing there."""
    removed = [place_key(each.place) for each in pair if isinstance(each, RemoveLead)]
    return [
        n
        for n, each in enumerate(pair)
        if isinstance(each, MoveLead)
        and each.source is not None
        and (
            place_key(each.to) == place_key(each.source)
            or (each.if_absent == "skip" and place_key(each.source) in removed)
        )
    ]


class TestTable:
    """What is found is what the conflict table drops, and two more kinds of move."""

    @pytest.mark.parametrize("one_place", [False, True])
    def test_every_pair(self, one_place):
        """Of all pairs of some actions, the table drops the same ones."""
        for pair in itertools.product(EVERY, repeat=2):
            if reference.key_of(pair[0]) != reference.key_of(pair[1]):
                expected = {
                    *by_the_table(pair, one_place=one_place),
                    *within_one_segmentation(pair),
                }
                assert sorted(expected) == found(*pair, one_place=one_place)

    @given(st.lists(st.sampled_from(EVERY) | ODD, max_size=6), st.booleans())
    def test_any_number(self, given_actions, one_place):
        """Of several different actions, too."""
        distinct = list({reference.key_of(each): each for each in given_actions}.values())
        expected = {
            *by_the_table(distinct, one_place=one_place),
            *within_one_segmentation(distinct),
        }
        assert sorted(expected) == found(*distinct, one_place=one_place)


def test_messages():
    """A move to its own source says so; any other fault names both actions."""
    itself = list(contradictions((MoveLead("A", source="a"),), one_place=False))
    other = list(contradictions((AddTag("a"), RemoveTag("a")), one_place=False))
    assert ["move from `a` to `A`: the contact is there already"] == [each[1] for each in itself]
    assert ["add tag `a` never runs beside remove tag `a`"] == [each[1] for each in other]
