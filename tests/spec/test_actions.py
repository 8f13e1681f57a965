"""What happens at the provider: statements A1 to A5, P1 and P2."""

from typing import ClassVar

import attrs
import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Engine,
    MoveLead,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.errors import FlaggedSegmentationError
from listboss.rules import FindingCode, Verb

TAGS_ONLY = Capabilities(add_tag="native", remove_tag="native")
FUNNELS = Capabilities(add_lead="native", move_lead="native", remove_lead="native", data=("name",))


def _codes(rules):
    return [finding.code for finding in rules.findings]


class TestA1GeneralActions:
    """A1: Actions depend on the provider; in general: add tag, remove tag, add lead, move lead."""

    ACTIONS = (AddTag("x"), RemoveTag("x"), AddLead("A"), MoveLead("B", source="A"))

    @pytest.mark.parametrize("action", ACTIONS)
    def test_each_where_the_provider_does_it(self, asks, rule, happens, action):
        """A provider that does all of them is asked for each."""
        assert [action] == asks(happens(), rule("r", action))

    @pytest.mark.parametrize("action", ACTIONS)
    def test_none_where_it_does_not(self, rule_set, rule, action):
        """A provider that does nothing flags each."""
        rules = rule_set(rule("r", action), providers={"mail": Capabilities()})
        assert [FindingCode.ACTION_UNSUPPORTED] == _codes(rules)


class TestA2AdditionalActions:
    """A2: Some providers offer additional actions."""

    ENROL = ProviderAction("acme.enrol", {"course": "welcome"})
    OFFERS = attrs.evolve(TAGS_ONLY, verbs=(Verb("acme.enrol", {"course": "text"}),))

    def test_offered(self, rule_set):
        """They stand on the form after the general ones."""
        rules = rule_set(providers={"mail": self.OFFERS})
        assert ("add_tag", "remove_tag", "acme.enrol") == rules.actions_for("mail")

    def test_planned(self, asks, rule, happens):
        """A segmentation asks for them like for any other."""
        options = {"providers": {"mail": self.OFFERS}}
        assert [self.ENROL] == asks(happens(), rule("r", self.ENROL), **options)

    def test_elsewhere_flagged(self, rule_set, rule):
        """Another provider does not know them."""
        rules = rule_set(rule("r", self.ENROL), providers={"mail": TAGS_ONLY})
        assert [FindingCode.ACTION_UNSUPPORTED] == _codes(rules)

    def test_a_lead_can_be_removed_from_a_place(self, asks, rule, happens):
        """Removing a lead is one that several providers have."""
        options = {"providers": {"mail": FUNNELS}}
        gone = rule("r", RemoveLead("A"), send=("email",))
        assert [RemoveLead("A")] == asks(happens(), gone, **options)


class TestA3OwnCapabilities:
    """A3: Not all providers offer the same actions: each has its own capabilities."""

    ACCOUNTS: ClassVar = {"tags": TAGS_ONLY, "funnels": FUNNELS}

    @pytest.mark.parametrize(
        ("account", "offered"),
        [
            ("tags", ("add_tag", "remove_tag")),
            ("funnels", ("add_lead", "move_lead", "remove_lead")),
        ],
    )
    def test_offered(self, rule_set, account, offered):
        """What the form offers depends on the account chosen."""
        assert offered == rule_set(providers=self.ACCOUNTS).actions_for(account)

    def test_a_plan_asks_for_nothing_that_cannot_be_done(self, rule_set, rule, happens):
        """Each of two accounts is asked for what it can do; the rest is flagged."""
        rules = rule_set(
            *(
                rule(f"{account} {action}", action, provider=account, send=("email", "name"))
                for account in self.ACCOUNTS
                for action in (AddTag("x"), AddLead("A"))
            ),
            providers=self.ACCOUNTS,
        )
        planned = [(p.provider, p.action) for p in Engine(rules).plan(happens()).actions]
        assert ([("funnels", AddLead("A")), ("tags", AddTag("x"))], 2) == (
            planned,
            len(rules.findings),
        )


class TestA4SendHasTags:
    """A4: In Hotmart Send the actions are adding and removing tags."""

    def test_offered(self, rule_set):
        """An account with the abilities of Hotmart Send offers these two."""
        rules = rule_set(providers={"mail": TAGS_ONLY})
        assert ("add_tag", "remove_tag") == rules.actions_for("mail")

    @pytest.mark.parametrize("action", [AddLead("A"), MoveLead("A"), RemoveLead("A")])
    def test_others_are_flagged(self, rule_set, rule, action):
        """Nothing is quietly replaced by something similar."""
        rules = rule_set(rule("r", action), providers={"mail": TAGS_ONLY})
        assert [FindingCode.ACTION_UNSUPPORTED] == _codes(rules)

    def test_the_embedded_provider_does_them(self, host, rule, happens):
        """Tags come and go."""
        shop = host(
            rule("on", AddTag("a"), AddTag("b")),
            rule("off", RemoveTag("a"), event="purchase.refunded"),
        )
        shop.handle(happens(), happens("purchase.refunded"))
        assert ("b",) == shop.send.tags("ana@example.com")


class TestA5DataToSend:
    """A5: A segmentation also says which data to send."""

    def test_what_it_says_and_no_more(self, rule_set, rule, happens):
        """The plan carries the data that the segmentation names."""
        sending = rule("r", AddTag("x"), send=("email", "offer"))
        event = happens(facts={"offer": "abc", "country": "BR"})
        (planned,) = Engine(rule_set(sending)).plan(event).actions
        assert {"email": "ana@example.com", "offer": "abc"} == dict(planned.data)

    def test_the_provider_gets_them(self, host, rule, happens):
        """They arrive at the provider with the contact."""
        shop = host(rule("r", AddTag("x"), send=("email", "name", "offer")))
        shop.handle(happens(facts={"offer": "abc"}))
        assert {"name": "Ana", "offer": "abc"} == dict(shop.send.contact("ana@example.com").data)

    def test_what_the_provider_does_not_take_is_flagged(self, rule_set, rule):
        """A datum that the account has no field for is found before the rule runs."""
        rules = rule_set(
            rule("r", AddTag("x"), send=("email", "offer")), providers={"mail": TAGS_ONLY}
        )
        assert [FindingCode.DATA_UNSUPPORTED] == _codes(rules)


class TestP1SeveralProviders:
    """P1: Several providers can be integrated; availability may change over time."""

    def test_several_at_once(self, rule_set, rule, happens):
        """One event acts at each of them."""
        accounts = {"first": TAGS_ONLY, "second": TAGS_ONLY}
        rules = rule_set(
            *(rule(name, AddTag("x"), provider=name) for name in accounts), providers=accounts
        )
        planned = Engine(rules).plan(happens()).actions
        assert ["first", "second"] == [action.provider for action in planned]

    def test_one_goes_and_comes_back(self, rule_set, rule, happens):
        """While a provider is away its rules are flagged and the others run; then all run again."""
        accounts = {"first": TAGS_ONLY, "second": TAGS_ONLY}
        rules = rule_set(
            *(rule(name, AddTag("x"), provider=name) for name in accounts), providers=accounts
        )
        without = rules.without_provider("first")
        again = without.with_provider("first", TAGS_ONLY)
        assert [["first", "second"], ["second"], ["first", "second"]] == [
            [planned.provider for planned in Engine(now).plan(happens()).actions]
            for now in (rules, without, again)
        ]

    def test_abilities_change(self, rule_set, rule):
        """A provider that loses an ability flags the rules that need it."""
        rules = rule_set(rule("r", AddTag("x")))
        poorer = rules.with_provider("mail", Capabilities(add_lead="native"))
        assert ([], [FindingCode.ACTION_UNSUPPORTED]) == (_codes(rules), _codes(poorer))


class TestP2IntegratedFirst:
    """P2: The provider must be integrated before a segmentation for it is made."""

    def test_nothing_is_offered_before(self, rule_set):
        """The form has neither events nor actions for it."""
        rules = rule_set(providers={})
        assert ((), ()) == (rules.events_for("course", "mail"), rules.actions_for("mail"))

    def test_it_is_flagged_and_cannot_be_enabled(self, rule_set, rule):
        """A rule for a provider that is not there is kept, flagged, and stays off."""
        rules = rule_set(rule("r", AddTag("x"), enabled=False), providers={})
        with pytest.raises(FlaggedSegmentationError):
            rules.enable("r")
        assert [FindingCode.PROVIDER_MISSING] == _codes(rules)

    def test_once_it_is_integrated(self, rule_set, rule):
        """After that, the rule can be enabled."""
        rules = rule_set(rule("r", AddTag("x"), enabled=False), providers={})
        ready = rules.with_provider("mail", TAGS_ONLY).enable("r")
        assert ready.segmentation("r").enabled
