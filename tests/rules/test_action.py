import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest

from listboss import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.errors import ActionError, ArgumentTypeError
from listboss.rules.action import ACTION_KINDS, action_key, action_kind, place_key

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ELSEWHERE = NOON.astimezone(timezone(timedelta(hours=9)))


class TestPlace:
    """Where a lead stands."""

    def test_parts(self):
        """Parts are sorted by name, and equal whatever the order."""
        assert Place(b="2", a="1") == Place(a="1", b="2")
        assert "Place(a='1', b='2')" == repr(Place(b="2", a="1"))

    def test_a_bare_text_is_a_list(self):
        """Wherever a place is meant."""
        assert Place(list="x") == AddLead("x").place == RemoveLead("x").place == MoveLead("x").to
        assert Place(list="y") == MoveLead("x", source="y").source

    @pytest.mark.parametrize("make", [AddLead, RemoveLead, MoveLead])
    def test_no_place(self, make):
        """Anything else is refused."""
        with pytest.raises(ArgumentTypeError):
            make(3)

    def test_parts_are_texts(self):
        """A part is a text that can be stored."""
        wrong: Any = {"machine": 7}
        with pytest.raises(ArgumentTypeError) as caught:
            Place(**wrong)
        assert "$.machine" == caught.value.path
        with pytest.raises(ActionError):
            Place(machine="\0")

    @pytest.mark.parametrize(
        ("place", "key"),
        [
            (None, ()),
            (Place(), ()),
            (Place(list=" A "), ("list", "a")),
            (Place(b="2", a="X"), ("a", "x", "b", "2")),
        ],
    )
    def test_key(self, place, key):
        """Names as they are, values folded."""
        assert key == place_key(place)


class TestActions:
    """The six kinds."""

    def test_kinds(self):
        """Every action has a kind, in the order of a plan."""
        assert set(get_args(Action)) == set(ACTION_KINDS.values())
        assert [
            "remove_tag", "remove_lead", "move_lead", "add_lead", "add_tag", "provider_action",
        ] == list(ACTION_KINDS)  # fmt: skip
        assert "provider_action" == action_kind(ProviderAction("a.b"))

    @pytest.mark.parametrize("make", [AddTag, RemoveTag])
    def test_tags(self, make):
        """A tag is a text that can be stored; a blank one is for the review to flag."""
        assert " " == make(" ").tag
        with pytest.raises(ArgumentTypeError):
            make(None)
        with pytest.raises(ActionError):
            make("\ud83d")

    @pytest.mark.parametrize("if_absent", ["add", "skip"])
    def test_if_absent(self, if_absent):
        """A move adds or skips."""
        assert if_absent == MoveLead("a", if_absent=if_absent).if_absent

    @pytest.mark.parametrize("if_absent", ["", "ADD", None, True])
    def test_if_absent_wrong(self, if_absent):
        """And nothing else."""
        with pytest.raises(ActionError) as caught:
            MoveLead("a", if_absent=if_absent)
        assert "$.if_absent" == caught.value.path

    @pytest.mark.parametrize("verb", ["acme.enrol", "a.b.c"])
    def test_verbs(self, verb):
        """A verb reads `vendor.verb`."""
        assert verb == ProviderAction(verb).verb

    @pytest.mark.parametrize("verb", ["", " ", "enrol", ".enrol", "acme."])
    def test_wrong_verbs(self, verb):
        """With a vendor and a verb."""
        with pytest.raises(ActionError) as caught:
            ProviderAction(verb)
        assert "$.verb" == caught.value.path

    @pytest.mark.parametrize("value", ["", True, 3, Decimal("1.0"), NOON])
    def test_parameters(self, value):
        """A parameter is what a fact may be."""
        assert {"p": value} == ProviderAction("a.b", {"p": value}).parameters

    @pytest.mark.parametrize(
        ("error", "parameters"),
        [
            (ArgumentTypeError, ["p"]),
            (ArgumentTypeError, {"p": 1.5}),
            (ArgumentTypeError, {"p": None}),
            (ArgumentTypeError, {1: "p"}),
            (ActionError, {" ": 1}),
            (ActionError, {"p": Decimal("NaN")}),
            (ActionError, {"p": "\ud83d"}),
            (ValueError, {"p": NOON.replace(tzinfo=None)}),
        ],
    )
    def test_wrong_parameters(self, error, parameters):
        """And nothing else."""
        with pytest.raises(error):
            ProviderAction("a.b", parameters)

    def test_repr_masks_parameters(self):
        """They may be personal data."""
        assert "secret" not in repr(ProviderAction("a.b", {"p": "secret"}))

    @pytest.mark.parametrize(
        "action",
        [AddTag("x"), RemoveLead(Place(a="1")), MoveLead("a", source="b", if_absent="skip"),
         ProviderAction("a.b", {"p": True})],
    )  # fmt: skip
    def test_value(self, action):
        """Actions hash and pickle."""
        assert action == pickle.loads(pickle.dumps(action))
        assert hash(action) == hash(pickle.loads(pickle.dumps(action)))


class TestKey:
    """When two actions are the same."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (AddTag(" VIP"), AddTag("vip")),
            (RemoveTag("Straße"), RemoveTag("STRASSE")),
            (AddLead(" A"), AddLead("a ")),
            (MoveLead("A", source="B"), MoveLead("a", source="b")),
            (RemoveLead(Place(x="A", y="b")), RemoveLead(Place(y="B", x="a"))),
            (ProviderAction("a.b", {"p": NOON}), ProviderAction("a.b", {"p": ELSEWHERE})),
            (ProviderAction("a.b", {"q": 1, "p": 2}), ProviderAction("a.b", {"p": 2, "q": 1})),
        ],
    )
    def test_equal(self, one, other):
        """Tags and places trimmed and folded, instants by the instant."""
        assert action_key(one) == action_key(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (AddTag("vip"), RemoveTag("vip")),
            (AddTag("a b"), AddTag("ab")),
            (AddLead(), AddLead("a")),
            (AddLead(Place(a="b", c="d")), AddLead(Place(a="b=d", c=""))),
            (MoveLead("a"), MoveLead("a", source="b")),
            (MoveLead("a"), MoveLead("a", if_absent="skip")),
            (MoveLead("a", source="b"), MoveLead("b", source="a")),
            (MoveLead(Place(a="1", b="2")), MoveLead(Place(a="1"), source=Place(b="2"))),
            (ProviderAction("a.b"), ProviderAction("a.c")),
            (ProviderAction("a.b", {"p": 1}), ProviderAction("a.b", {"p": True})),
            (ProviderAction("a.b", {"p": 1}), ProviderAction("a.b", {"p": "1"})),
            (ProviderAction("a.b", {"p": "X"}), ProviderAction("a.b", {"p": "x"})),
        ],
    )
    def test_different(self, one, other):
        """Everything an action says counts."""
        assert action_key(one) != action_key(other)
