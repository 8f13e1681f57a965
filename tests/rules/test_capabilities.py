from typing import Any

import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.errors import ActionError, ArgumentTypeError
from listboss.rules import Verb
from listboss.rules._facts import MAX_TEXT_LENGTH
from listboss.rules.capabilities import GENERAL_ACTIONS

account_of: Any = Capabilities
"""A constructor without types, for arguments that a type checker would refuse."""
ENROL: Any = Verb("acme.enrol", {"course": "text", "seats": "integer"}, optional=("seats",))
EVERY = [AddTag("a"), RemoveTag("a"), AddLead("a"), MoveLead("a", source="b"), RemoveLead("a")]


class TestVerb:
    """A provider's own action."""

    @pytest.mark.parametrize(
        ("faults", "parameters"),
        [
            ((), {"course": "x"}),
            ((), {"course": "x", "seats": 3}),
            (("course",), {}),
            (("course",), {"course": " "}),
            (("seats",), {"course": "x", "seats": "3"}),
            (("other",), {"course": "x", "other": 1}),
            (("course", "other"), {"other": 1}),
        ],
    )
    def test_faults(self, faults, parameters):
        """Missing, unknown and wrong parameters are named."""
        assert faults == ENROL.faults(ProviderAction("acme.enrol", parameters))

    def test_bare_string(self):
        """A string is not a list of optional parameters."""
        with pytest.raises(ArgumentTypeError):
            Verb("acme.enrol", optional="seats")

    @pytest.mark.parametrize(("name", "error"), [(1, ArgumentTypeError), ("\ud83d", ActionError)])
    def test_wrong_optional_parameter(self, name, error):
        """An optional parameter is a string that can be stored."""
        wrong: Any = {"optional": ["seats", name]}
        with pytest.raises(error) as caught:
            Verb("acme.enrol", **wrong)
        assert "$.optional[1]" == caught.value.path

    def test_blank(self):
        """A blank name is refused."""
        with pytest.raises(ActionError):
            Verb(" ")


class TestFields:
    """What an account declares."""

    @pytest.mark.parametrize("kind", GENERAL_ACTIONS)
    def test_ability(self, kind):
        """Each ability is native, emulated or none."""
        for ability in ("native", "emulated", "none"):
            assert ability == account_of(**{kind: ability}).ability(kind)
        with pytest.raises(ActionError) as caught:
            account_of(**{kind: "yes"})
        assert f"$.{kind}" == caught.value.path

    @pytest.mark.parametrize("field", ["rate", "batch"])
    def test_numbers(self, field):
        """An integer of at least 1; only the rate may be None, for no limit."""
        assert 1 == getattr(account_of(**{field: 1}), field)
        for wrong in (0, -1, True, 1.5, "1"):
            with pytest.raises(ActionError):
                account_of(**{field: wrong})
        with pytest.raises(ActionError) as caught:
            account_of(**{field: 2**128})
        assert f"$.{field}" == caught.value.path
        assert account_of(rate=None).rate is None
        with pytest.raises(ActionError):
            account_of(batch=None)

    @pytest.mark.parametrize("field", ["tags", "data", "events"])
    def test_strings(self, field):
        """None or a list of strings; a bare string is refused."""
        assert getattr(account_of(**{field: None}), field) is None
        assert ("a",) == getattr(account_of(**{field: ["a"]}), field)
        for wrong in ("a", [1], 3):
            with pytest.raises(ArgumentTypeError):
                account_of(**{field: wrong})
        with pytest.raises(ActionError) as caught:
            account_of(**{field: ["a", "a\0"]})
        assert f"$.{field}[1]" == caught.value.path

    def test_places(self):
        """A string names a list; one place may be given instead of a list."""
        assert (Place(list="a"), Place(x="1")) == account_of(places=["a", Place(x="1")]).places
        assert (Place(x="1"),) == account_of(places=Place(x="1")).places
        with pytest.raises(ArgumentTypeError):
            account_of(places="a")

    def test_verbs(self):
        """A string names a verb without parameters; one verb may be given instead of a list."""
        assert (Verb("a.b"), ENROL) == account_of(verbs=["a.b", ENROL]).verbs
        assert (ENROL,) == account_of(verbs=ENROL).verbs

    def test_value(self):
        """Equal fields make equal capabilities, with an equal hash."""
        one, other = account_of(tags=["a"]), account_of(tags=("a",))
        assert one == other
        assert hash(one) == hash(other)


class TestAbilities:
    """Whether an account supports the events, tags, places and actions of a rule."""

    def test_kinds(self):
        """General kinds come first, then own verbs; emulated kinds are included."""
        account = Capabilities(remove_tag="emulated", add_tag="native", verbs=["z.y"])
        assert ("add_tag", "remove_tag", "z.y") == account.kinds()
        assert () == Capabilities().kinds()

    def test_verb(self):
        """A verb is found by its name."""
        account = Capabilities(verbs=["a.b", ENROL])
        assert ENROL is account.verb("acme.enrol")
        assert account.verb("c.d") is None

    def test_events(self):
        """With None the account supports every event."""
        assert Capabilities().takes_event("quiz.passed")
        assert Capabilities(events=["quiz.passed"]).takes_event("quiz.passed")
        assert not Capabilities(events=[]).takes_event("quiz.passed")

    def test_places_compare_folded(self):
        """Places compare folded, and every account has the contact base."""
        account = Capabilities(places=["Buyers"])
        assert account.takes_place(Place(list=" buyers"))
        assert account.takes_place(None)
        assert not account.takes_place(Place(list="Others"))

    def test_takes_field(self):
        """Data that is not listed is not taken, apart from the e-mail address."""
        account = Capabilities(data=["name"])
        taken = [account.takes_field(field) for field in ("name", "email", "phone")]
        assert [True, True, False] == taken
        assert Capabilities.everything().takes_field("offer")

    def test_the_first_of_equal_verbs(self):
        """Of two verbs with one name, the first counts."""
        first, second = Verb("acme.enrol", {"course": "text"}), Verb("acme.enrol")
        assert first == Capabilities(verbs=[first, second]).verb("acme.enrol")

    def test_a_long_parameter(self):
        """The text of a parameter may be longer than that of a fact: it is not compared."""
        verb = Verb("acme.note", {"text": "text", "count": "integer"})
        long = "x" * (MAX_TEXT_LENGTH + 1)
        action = ProviderAction("acme.note", {"text": long, "count": long})
        assert ("count",) == verb.faults(action)

    def test_tags_compare_folded(self):
        """Tags compare folded."""
        account = Capabilities(tags=["VIP"])
        assert account.takes_tag(" vip")
        assert not account.takes_tag("other")
        assert Capabilities().takes_tag("any")

    @pytest.mark.parametrize("action", EVERY)
    def test_everything_can(self, action):
        """An account without limits can do every general action; one without abilities, none."""
        assert Capabilities.everything().can(action)
        assert not Capabilities().can(action)
        assert Capabilities.everything().data is None

    @pytest.mark.parametrize(
        "action",
        [AddTag("b"), RemoveTag("b"), AddLead("b"), RemoveLead("b"), MoveLead("b", source="a"),
         MoveLead("a", source="b")],
    )  # fmt: skip
    def test_tags_and_places_limit(self, action):
        """An account with declared tags and places supports no others."""
        account = account_of(**dict.fromkeys(GENERAL_ACTIONS, "native"), tags=["a"], places=["a"])
        assert not account.can(action)
        assert account.can(AddLead())
        assert account.can(MoveLead("a"))

    def test_own_verbs(self):
        """An account can do a declared verb if the parameters fit."""
        account = Capabilities(verbs=[ENROL])
        assert account.can(ProviderAction("acme.enrol", {"course": "x"}))
        assert not account.can(ProviderAction("acme.enrol"))
        assert not account.can(ProviderAction("acme.other"))
