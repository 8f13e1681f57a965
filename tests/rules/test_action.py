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
    """A place at a provider."""

    def test_parts(self):
        """Parts are sorted by name, so their order does not matter."""
        assert Place(b="2", a="1") == Place(a="1", b="2")
        assert "Place(a='1', b='2')" == repr(Place(b="2", a="1"))

    def test_a_string_names_a_list(self):
        """Every action with a place accepts the name of a list."""
        assert Place(list="x") == AddLead("x").place == RemoveLead("x").place == MoveLead("x").to
        assert Place(list="y") == MoveLead("x", source="y").source

    @pytest.mark.parametrize("make", [AddLead, RemoveLead, MoveLead])
    def test_wrong_place(self, make):
        """Anything but a place or a string is refused."""
        with pytest.raises(ArgumentTypeError):
            make(3)

    def test_parts_are_strings(self):
        """A part is a string that can be stored."""
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
        """The key has the names of the parts as given, and the values folded."""
        assert key == place_key(place)


class TestActions:
    """The six kinds of action."""

    def test_kinds(self):
        """Every action has a kind; the kinds are in the order of a plan."""
        assert set(get_args(Action)) == set(ACTION_KINDS.values())
        assert [
            "remove_tag", "remove_lead", "move_lead", "add_lead", "add_tag", "provider_action",
        ] == list(ACTION_KINDS)  # fmt: skip
        assert "provider_action" == action_kind(ProviderAction("a.b"))

    @pytest.mark.parametrize("make", [AddTag, RemoveTag])
    def test_tags(self, make):
        """A tag is a string that can be stored, and is trimmed; the review flags a blank one."""
        assert ("VIP", "") == (make(" VIP\t").tag, make(" ").tag)
        with pytest.raises(ArgumentTypeError):
            make(None)
        with pytest.raises(ActionError):
            make("\ud83d")

    @pytest.mark.parametrize("if_absent", ["add", "skip"])
    def test_if_absent(self, if_absent):
        """`add` and `skip` are accepted."""
        assert if_absent == MoveLead("a", if_absent=if_absent).if_absent

    @pytest.mark.parametrize("if_absent", ["", "ADD", None, True])
    def test_if_absent_wrong(self, if_absent):
        """Anything else is refused."""
        with pytest.raises(ActionError) as caught:
            MoveLead("a", if_absent=if_absent)
        assert "$.if_absent" == caught.value.path

    @pytest.mark.parametrize("verb", ["acme.enrol", "a.b.c"])
    def test_verbs(self, verb):
        """A verb has the form `vendor.verb`."""
        assert verb == ProviderAction(verb).verb

    @pytest.mark.parametrize("verb", ["", " ", "enrol", ".enrol", "acme.", " .a", "acme. "])
    def test_wrong_verbs(self, verb):
        """A verb without a vendor, a dot or a name is refused."""
        with pytest.raises(ActionError) as caught:
            ProviderAction(verb)
        assert "$.verb" == caught.value.path

    @pytest.mark.parametrize("value", ["", True, 3, Decimal("1.0"), NOON])
    def test_parameters(self, value):
        """A parameter has a type that a fact may have."""
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
            (ActionError, {"p": NOON.replace(tzinfo=None)}),
        ],
    )
    def test_wrong_parameters(self, error, parameters):
        """Any other parameter is refused."""
        with pytest.raises(error):
            ProviderAction("a.b", parameters)

    def test_parameters_in_utc(self):
        """A date and time is kept in UTC, as in a fact, whatever its zone."""
        kept: Any = ProviderAction("a.b", {"p": ELSEWHERE}).parameters["p"]
        assert (NOON, UTC) == (kept, kept.tzinfo)

    def test_repr_masks_parameters(self):
        """Parameters may be personal data, so the repr masks them."""
        assert "secret" not in repr(ProviderAction("a.b", {"p": "secret"}))

    @pytest.mark.parametrize(
        "action",
        [AddTag("x"), RemoveLead(Place(a="1")), MoveLead("a", source="b", if_absent="skip"),
         ProviderAction("a.b", {"p": True})],
    )  # fmt: skip
    def test_value(self, action):
        """Actions can be hashed and pickled."""
        assert action == pickle.loads(pickle.dumps(action))
        assert hash(action) == hash(pickle.loads(pickle.dumps(action)))


class TestKey:
    """When two actions are equal."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (AddTag(" VIP"), AddTag("vip")),
            (RemoveTag("Straße"), RemoveTag("STRASSE")),
            (AddTag("Jose\u0301"), AddTag("JOS\u00c9")),
            (AddLead(" A"), AddLead("a ")),
            (MoveLead("A", source="B"), MoveLead("a", source="b")),
            (RemoveLead(Place(x="A", y="b")), RemoveLead(Place(y="B", x="a"))),
            (ProviderAction("a.b", {"p": NOON}), ProviderAction("a.b", {"p": ELSEWHERE})),
            (ProviderAction("a.b", {"q": 1, "p": 2}), ProviderAction("a.b", {"p": 2, "q": 1})),
            (
                ProviderAction("a.b", {"p": Decimal("49.90")}),
                ProviderAction("a.b", {"p": Decimal("49.9")}),
            ),
            (
                ProviderAction("a.b", {"p": Decimal("1E+1")}),
                ProviderAction("a.b", {"p": Decimal(10)}),
            ),
            (
                ProviderAction("a.b", {"p": Decimal("-0.0")}),
                ProviderAction("a.b", {"p": Decimal(0)}),
            ),
        ],
    )
    def test_equal(self, one, other):
        """Tags and places compare trimmed and folded, times in UTC, decimals by value."""
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
            (ProviderAction("a.b", {"p": 1}), ProviderAction("a.b", {"p": Decimal(1)})),
            (ProviderAction("a.b", {"p": "X"}), ProviderAction("a.b", {"p": "x"})),
        ],
    )
    def test_different(self, one, other):
        """Actions differ if any of their values differs."""
        assert action_key(one) != action_key(other)
