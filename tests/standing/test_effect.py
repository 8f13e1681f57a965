"""What each kind of action says of tags and places."""

import attrs
import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    MoveLead,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    Verb,
)
from listboss.standing import ANY_PLACE, Effect, effects_of, single_effect

ALONE = attrs.evolve(Capabilities.everything(), one_place=True)
BUYERS, LEAVERS = "place:list/buyers", "place:list/leavers"
ON, OFF = True, False


class TestEffects:
    """Effects of actions at an account where a contact may be at many places."""

    @pytest.mark.parametrize(
        ("action", "expected"),
        [
            (AddTag(" VIP"), [Effect("tag:vip", ON)]),
            (RemoveTag("Vip"), [Effect("tag:vip", OFF)]),
            (AddLead("Buyers "), [Effect(BUYERS, ON)]),
            (AddLead(), []),
            (RemoveLead("buyers"), [Effect(BUYERS, OFF)]),
            (MoveLead("Buyers", source="Leavers"), [Effect(LEAVERS, OFF), Effect(BUYERS, ON)]),
            (MoveLead("Buyers", source="buyers"), [Effect(BUYERS, ON)]),
            (MoveLead("Buyers"), [Effect(ANY_PLACE, OFF, keep=BUYERS), Effect(BUYERS, ON)]),
            (MoveLead("Buyers", source="Leavers", if_absent="skip"), []),
            (MoveLead("Buyers", if_absent="skip"), []),
        ],
        ids=str,
    )
    def test_action(self, action, expected):
        """Clears come before what the action asserts."""
        assert tuple(expected) == effects_of(action, Capabilities.everything())

    @pytest.mark.parametrize(
        "action", [AddLead("Buyers"), MoveLead("Buyers", source="Leavers"), MoveLead("Buyers")]
    )
    def test_at_one_place(self, action):
        """Where a contact is at one place, being put there clears every other place for all."""
        others = Effect(ANY_PLACE, OFF, keep=BUYERS, absolute=True)
        assert (others, Effect(BUYERS, ON)) == effects_of(action, ALONE)

    @pytest.mark.parametrize(
        "action", [AddTag("a"), RemoveTag("a"), RemoveLead("a"), AddLead(), MoveLead("a", "b")]
    )
    def test_unknown_account(self, action):
        """Without the account's capabilities, a contact may be at many places."""
        assert effects_of(action, Capabilities.everything()) == effects_of(action)


class TestVerbs:
    """Effects of a provider's own actions are what their verbs declare."""

    VERBS = (
        Verb("acme.enrol", {"course": "text"}, asserts="course"),
        Verb("acme.drop", {"course": "text"}, clears="course"),
        Verb("acme.invite", {}, asserts="invited"),
        Verb("acme.swap", {"old": "text", "new": "text"}, asserts="new", clears="old"),
        Verb("acme.letter", {}),
    )
    ACCOUNT = Capabilities(verbs=VERBS)

    @pytest.mark.parametrize(
        ("action", "expected"),
        [
            (ProviderAction("acme.enrol", {"course": "Go"}), [Effect("own:course=go", ON)]),
            (ProviderAction("acme.drop", {"course": " go"}), [Effect("own:course=go", OFF)]),
            (ProviderAction("acme.invite"), [Effect("own:invited", ON)]),
            (
                ProviderAction("acme.swap", {"old": "a", "new": "b"}),
                [Effect("own:old=a", OFF), Effect("own:new=b", ON)],
            ),
            (ProviderAction("acme.letter"), []),
            (ProviderAction("acme.unknown"), []),
        ],
        ids=str,
    )
    def test_declared(self, action, expected):
        """The name is that of a parameter, or a word of its own."""
        assert tuple(expected) == effects_of(action, self.ACCOUNT)

    def test_unknown_account(self):
        """Nothing is declared without the account's capabilities."""
        assert () == effects_of(ProviderAction("acme.enrol", {"course": "go"}))


class TestSingleEffect:
    """The action that has one effect alone."""

    @pytest.mark.parametrize(
        ("action", "effect", "expected"),
        [
            (AddTag("VIP"), Effect("tag:vip", ON), AddTag("VIP")),
            (AddTag("VIP"), Effect("tag:vip", OFF), RemoveTag("VIP")),
            (RemoveTag("VIP"), Effect("tag:vip", ON), AddTag("VIP")),
            (AddLead("Buyers"), Effect(BUYERS, ON), AddLead("Buyers")),
            (RemoveLead("Buyers"), Effect(BUYERS, OFF), RemoveLead("Buyers")),
            (AddLead("Buyers"), Effect(BUYERS, OFF), RemoveLead("Buyers")),
            (MoveLead("Buyers", "Leavers"), Effect(BUYERS, ON), AddLead("Buyers")),
            (MoveLead("Buyers", "Leavers"), Effect(BUYERS, OFF), RemoveLead("Buyers")),
            (MoveLead("Buyers", "Leavers"), Effect(LEAVERS, OFF), RemoveLead("Leavers")),
            (MoveLead("Buyers", "Leavers"), Effect(LEAVERS, ON), AddLead("Leavers")),
            (ProviderAction("acme.a"), Effect("own:a", ON), ProviderAction("acme.a")),
        ],
        ids=str,
    )
    def test_of_the_action(self, action, effect, expected):
        """It is spelled as the action is."""
        assert expected == single_effect(action, effect, None)

    @pytest.mark.parametrize("action", [MoveLead("Buyers"), AddTag("other"), AddLead()], ids=str)
    def test_of_another_action(self, action):
        """A place that the action does not name is spelled as another action spells it."""
        assert RemoveLead("Leavers") == single_effect(
            action, Effect(LEAVERS, OFF), AddLead("Leavers")
        )

    def test_nobody_names_it(self):
        """A place that only its key is known of cannot be named."""
        assert None is single_effect(MoveLead("Buyers"), Effect(LEAVERS, OFF), None)
