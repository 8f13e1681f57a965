"""Actions and providers: statements A1 to A5, P1 and P2."""

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
    def test_supported(self, plan_actions, rule, make_event, action):
        """If the provider can do all of them, each is planned."""
        assert [action] == plan_actions(make_event(), rule("r", action))

    @pytest.mark.parametrize("action", ACTIONS)
    def test_unsupported(self, rule_set, rule, action):
        """If the provider can do nothing, a rule with any of them is flagged."""
        rules = rule_set(rule("r", action), providers={"mail": Capabilities()})
        assert [FindingCode.ACTION_UNSUPPORTED] == _codes(rules)


class TestA2AdditionalActions:
    """A2: Some providers offer additional actions."""

    ENROL = ProviderAction("acme.enrol", {"course": "welcome"})
    OFFERS = attrs.evolve(TAGS_ONLY, verbs=(Verb("acme.enrol", {"course": "text"}),))

    def test_offered(self, rule_set):
        """They are offered after the general ones."""
        rules = rule_set(providers={"mail": self.OFFERS})
        assert ("add_tag", "remove_tag", "acme.enrol") == rules.actions_for("mail")

    def test_planned(self, plan_actions, rule, make_event):
        """A segmentation can use them like any other action."""
        options = {"providers": {"mail": self.OFFERS}}
        assert [self.ENROL] == plan_actions(make_event(), rule("r", self.ENROL), **options)

    def test_flagged_at_another_provider(self, rule_set, rule):
        """A rule for a provider that does not offer them is flagged."""
        rules = rule_set(rule("r", self.ENROL), providers={"mail": TAGS_ONLY})
        assert [FindingCode.ACTION_UNSUPPORTED] == _codes(rules)

    def test_a_lead_can_be_removed_from_a_place(self, plan_actions, rule, make_event):
        """Removing a lead from a place is an additional action of several providers."""
        options = {"providers": {"mail": FUNNELS}}
        removing = rule("r", RemoveLead("A"), send=("email",))
        assert [RemoveLead("A")] == plan_actions(make_event(), removing, **options)


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
        """Each account offers its own actions."""
        assert offered == rule_set(providers=self.ACCOUNTS).actions_for(account)

    def test_planned(self, rule_set, rule, make_event):
        """A plan has the actions that each account can do; the other rules are flagged."""
        rules = rule_set(
            *(
                rule(f"{account} {action}", action, provider=account, send=("email", "name"))
                for account in self.ACCOUNTS
                for action in (AddTag("x"), AddLead("A"))
            ),
            providers=self.ACCOUNTS,
        )
        planned = [(p.provider, p.action) for p in Engine(rules).plan(make_event()).actions]
        assert ([("funnels", AddLead("A")), ("tags", AddTag("x"))], 2) == (
            planned,
            len(rules.findings),
        )


class TestA4SendHasTags:
    """A4: In Hotmart Send the actions are adding and removing tags."""

    def test_offered(self, rule_set):
        """An account with the capabilities of Hotmart Send offers these two."""
        rules = rule_set(providers={"mail": TAGS_ONLY})
        assert ("add_tag", "remove_tag") == rules.actions_for("mail")

    @pytest.mark.parametrize("action", [AddLead("A"), MoveLead("A"), RemoveLead("A")])
    def test_others_are_flagged(self, rule_set, rule, action):
        """A rule with another action is flagged; nothing similar is done instead."""
        rules = rule_set(rule("r", action), providers={"mail": TAGS_ONLY})
        assert [FindingCode.ACTION_UNSUPPORTED] == _codes(rules)

    def test_the_embedded_provider_does_them(self, host, rule, make_event):
        """It adds and removes tags."""
        shop = host(
            rule("on", AddTag("a"), AddTag("b")),
            rule("off", RemoveTag("a"), event="purchase.refunded"),
        )
        shop.handle(make_event(), make_event("purchase.refunded"))
        assert ("b",) == shop.send.tags("ana@example.com")


class TestA5DataToSend:
    """A5: A segmentation also says which data to send."""

    def test_planned(self, rule_set, rule, make_event):
        """A planned action has the data that the segmentation names, and no more."""
        sending = rule("r", AddTag("x"), send=("email", "offer"))
        event = make_event(facts={"offer": "abc", "country": "BR"})
        (planned,) = Engine(rule_set(sending)).plan(event).actions
        assert {"email": "ana@example.com", "offer": "abc"} == dict(planned.data)

    def test_stored(self, host, rule, make_event):
        """The embedded provider stores the data with the contact."""
        shop = host(rule("r", AddTag("x"), send=("email", "name", "offer")))
        shop.handle(make_event(facts={"offer": "abc"}))
        assert {"name": "Ana", "offer": "abc"} == dict(shop.send.contact("ana@example.com").data)

    def test_flagged(self, rule_set, rule):
        """A rule that sends data which the account does not accept is flagged."""
        rules = rule_set(
            rule("r", AddTag("x"), send=("email", "offer")), providers={"mail": TAGS_ONLY}
        )
        assert [FindingCode.DATA_UNSUPPORTED] == _codes(rules)


class TestP1SeveralProviders:
    """P1: Several providers can be integrated; availability may change over time."""

    def test_several_at_once(self, rule_set, rule, make_event):
        """One event leads to an action at each of them."""
        accounts = {"first": TAGS_ONLY, "second": TAGS_ONLY}
        rules = rule_set(
            *(rule(name, AddTag("x"), provider=name) for name in accounts), providers=accounts
        )
        planned = Engine(rules).plan(make_event()).actions
        assert ["first", "second"] == [action.provider for action in planned]

    def test_disconnected_and_connected_again(self, rule_set, rule, make_event):
        """Rules of a disconnected provider do not run until it is connected again; others do."""
        accounts = {"first": TAGS_ONLY, "second": TAGS_ONLY}
        rules = rule_set(
            *(rule(name, AddTag("x"), provider=name) for name in accounts), providers=accounts
        )
        without = rules.without_provider("first")
        again = without.with_provider("first", TAGS_ONLY)
        assert [["first", "second"], ["second"], ["first", "second"]] == [
            [planned.provider for planned in Engine(now).plan(make_event()).actions]
            for now in (rules, without, again)
        ]

    def test_fewer_capabilities(self, rule_set, rule):
        """If a provider loses a capability, the rules that need it are flagged."""
        rules = rule_set(rule("r", AddTag("x")))
        reduced = rules.with_provider("mail", Capabilities(add_lead="native"))
        assert ([], [FindingCode.ACTION_UNSUPPORTED]) == (_codes(rules), _codes(reduced))


class TestP2IntegratedFirst:
    """P2: The provider must be integrated before a segmentation for it is made."""

    def test_nothing_is_offered_before(self, rule_set):
        """Neither events nor actions are offered for it."""
        rules = rule_set(providers={})
        assert ((), ()) == (rules.events_for("course", "mail"), rules.actions_for("mail"))

    def test_flagged_before(self, rule_set, rule):
        """A rule for a provider that is not integrated is flagged and cannot be enabled."""
        rules = rule_set(rule("r", AddTag("x"), enabled=False), providers={})
        with pytest.raises(FlaggedSegmentationError):
            rules.enable("r")
        assert [FindingCode.PROVIDER_MISSING] == _codes(rules)

    def test_enabled_afterwards(self, rule_set, rule):
        """Once the provider is integrated, the rule can be enabled."""
        rules = rule_set(rule("r", AddTag("x"), enabled=False), providers={})
        ready = rules.with_provider("mail", TAGS_ONLY).enable("r")
        assert ready.segmentation("r").enabled
