"""What a change of the rules would have done to past events."""

from typing import Any

import attrs
import pytest

from listboss import (
    HOTMART,
    AddLead,
    AddTag,
    Capabilities,
    Catalogue,
    Contact,
    MoveLead,
    Product,
    ProviderAction,
    RemoveTag,
    RuleSet,
    where,
)
from listboss.analysis import BacktestReport, backtest
from listboss.errors import ArgumentTypeError
from listboss.rules import Verb

REFUND = "purchase.refunded"


def counts(report):
    """The counts of each rule: added, removed, changed, unchanged."""
    return {
        each.segmentation_id: (each.added, each.removed, each.changed, each.unchanged)
        for each in report.rules
    }


def ends(report):
    """What each contact ends with: what is added and what is removed."""
    return {each.contact: (each.added, each.removed) for each in report.contacts}


class TestWhatDiffers:
    """The lists of a report."""

    def test_nothing(self, rules, rule, event):
        """Equal rules give a report without differences, which is false."""
        report = backtest(rules(rule("buyer")), rules(rule("buyer")), [event("e-1")])
        assert BacktestReport(events=1) == report
        assert not report

    def test_new_rule(self, rules, rule, event):
        """A new rule is reported with its events, its tag and its contacts."""
        events = [event("e-1"), event("e-2", who="bea"), event("e-3", REFUND, who="bea")]
        report = backtest(rules(), rules(rule("buyer")), events)
        assert (3, 2) == (report.events, report.changed)
        assert {"buyer": (2, 0, 0, 0)} == counts(report)
        assert [("tag", "buyer", 2, 0)] == [
            (each.kind, each.name, each.added, each.removed) for each in report.targets
        ]
        tag = ("tag `buyer` at `mail`",)
        assert {"ana@example.com": (tag, ()), "bea@example.com": (tag, ())} == ends(report)

    def test_narrower_condition(self, rules, rule, event):
        """Contacts that a condition leaves out are removed; the others are not in the report."""
        before = rules(rule("buyer"))
        after = rules(rule("buyer", condition=where.country == "BR"))
        events = [event("e-1", facts={"country": "BR"}), event("e-2", who="bea")]
        report = backtest(before, after, events)
        assert {"buyer": (0, 1, 0, 0)} == counts(report)
        assert {"bea@example.com": ((), ("tag `buyer` at `mail`",))} == ends(report)

    def test_other_action(self, rules, rule, event):
        """A rule that asks for something else is changed, and not added or removed."""
        before, after = rules(rule("buyer")), rules(rule("buyer", actions=AddTag("client")))
        report = backtest(before, after, [event("e-1")])
        assert {"buyer": (0, 0, 1, 0)} == counts(report)
        assert {
            "ana@example.com": (("tag `client` at `mail`",), ("tag `buyer` at `mail`",))
        } == ends(report)

    def test_other_data(self, rules, rule, event):
        """A rule that sends less is changed, although the contact ends with the same tags."""
        before, after = rules(rule("buyer")), rules(rule("buyer", send=()))
        report = backtest(before, after, [event("e-1")])
        assert {"buyer": (0, 0, 1, 0)} == counts(report)
        assert (1, (), ()) == (report.changed, report.targets, report.contacts)

    def test_unchanged_rules_count(self, rules, rule, event):
        """`unchanged` counts the events of the contacts that the change concerns."""
        vip = rule("vip", condition=where.country == "BR")
        after = attrs.evolve(vip, actions=AddTag("gold"))
        events = [event("e-1", facts={"country": "BR"}), event("e-2"), event("e-3", who="bea")]
        report = backtest(rules(rule("buyer"), vip), rules(rule("buyer"), after), events)
        assert {"vip": (0, 0, 1, 0)} == counts(report)
        (contact,) = report.contacts
        assert (1, 1) == (contact.events, contact.unchanged)

    def test_lost_conflict(self, rules, rule, event):
        """A rule that now loses a conflict is removed on that event."""
        remover = rule("remover", actions=RemoveTag("buyer"))
        report = backtest(rules(rule("buyer")), rules(rule("buyer"), remover), [event("e-1")])
        assert {"buyer": (0, 1, 0, 0), "remover": (1, 0, 0, 0)} == counts(report)
        (sample,) = report.samples
        assert ["lost conflict", "runs"] == [
            each.after.partition(" over")[0] for each in sample.rules
        ]

    def test_places(self, rules, rule, event):
        """A move to another place takes the contact off the one and puts it onto the other."""
        before = rules(rule("buyer", actions=AddLead("Buyers")))
        after = rules(rule("buyer", actions=MoveLead("Customers", source="Prospects")))
        report = backtest(before, after, [event("e-1")])
        assert {
            "ana@example.com": (("place `Customers` at `mail`",), ("place `Buyers` at `mail`",))
        } == (ends(report))

    def test_own_target(self, rules, rule, event):
        """What a provider's own action declares is a target, too."""
        verb = Verb("acme.enrol", {"course": "text"}, asserts="course")
        account = attrs.evolve(Capabilities.everything(), verbs=(verb,))
        enrol = rule("enrol", actions=ProviderAction("acme.enrol", {"course": "Welcome"}))
        empty = rules(providers={"mail": account})
        report = backtest(empty, empty.add(enrol), [event("e-1")])
        assert [("own", "course=welcome")] == [(each.kind, each.name) for each in report.targets]

    def test_renamed_rule(self, rules, rule, event):
        """A rule that was renamed has both names."""
        after = attrs.evolve(rule("buyer"), name="Clients", actions=AddTag("client"))
        (change,) = backtest(rules(rule("buyer")), rules(after), [event("e-1")]).rules
        assert "Buyer / Clients" == change.name

    def test_automatic_rule(self, rules, event):
        """Automatic rules are reported by their ids, and capture by its own."""
        report = backtest(rules(), rules(capture_provider="mail"), [event("e-1")])
        names = {each.segmentation_id: each.name for each in report.rules}
        assert ("", "") == (names["auto.capture"], names["auto.purchase_approved"])
        assert {"there is no such rule"} == {each.before for each in report.samples[0].rules}


class TestLikeInLife:
    """Late, repeated and strange events count as in delivery."""

    @pytest.fixture
    def owner(self, rule):
        """A rule that adds a tag, and one that removes it."""
        return rule("owner"), rule("gone", event=REFUND, actions=RemoveTag("owner"))

    def test_repeated(self, rules, owner, event):
        """A repeated event counts once."""
        report = backtest(rules(), rules(*owner), [event("e-1"), event("e-1")])
        assert {"owner": (1, 0, 0, 0)} == counts(report)

    def test_late(self, rules, owner, event):
        """An approval that arrives after its refund leaves no tag."""
        late = [event("e-2", REFUND, day=2), event("e-1", day=1)]
        report = backtest(rules(), rules(*owner), late)
        assert (1, ()) == (report.changed, report.contacts)
        assert {"owner": (1, 0, 0, 0), "gone": (1, 0, 0, 0)} == counts(report)

    def test_enriched(self, rules, rule, event):
        """An event without actions is planned anew when it is redelivered with more facts."""
        brazil = rule("brazil", condition=where.country == "BR")
        events = [event("e-1"), event("e-1", facts={"country": "BR"})]
        assert {"brazil": (1, 0, 0, 0)} == counts(backtest(rules(), rules(brazil), events))

    def test_enriched_takes_the_old_count_back(self, rules, rule, event):
        """What the first delivery counted is taken back when the event is planned anew."""
        before = rules(rule("buyer", condition=where.country == "BR"))
        after = rules(rule("buyer"))
        events = [event("e-1"), event("e-1", facts={"country": "BR"})]
        report = backtest(before, after, events)
        assert ((), (), 0) == (report.rules, report.samples, report.changed)

    def test_enriched_keeps_other_samples(self, rules, rule, event):
        """Only the sample of the event that is planned anew is dropped."""
        before = rules(rule("buyer", condition=where.country == "BR"))
        after = rules(rule("buyer"))
        first, second = event("e-1", who="bea"), event("e-1")
        report = backtest(before, after, [first, second, second.with_facts(country="BR")])
        assert [1] == [sample.number for sample in report.samples]

    def test_id_of_another_event(self, rules, owner, event):
        """Of two events of a contact with one id, the first counts."""
        report = backtest(rules(), rules(*owner), [event("e-1"), event("e-1", REFUND, day=1)])
        assert {"owner": (1, 0, 0, 0)} == counts(report)

    def test_tests_and_unaddressed(self, rules, owner, event):
        """Test events and events without a contact change nothing."""
        events = [event("e-1", is_test=True), event("e-2", contact=None), event("e-3", who="bea")]
        report = backtest(rules(), rules(*owner), [*events, event("e-4", who="bea", is_test=True)])
        assert (4, 1) == (report.events, report.changed)

    def test_two_spellings_of_a_contact(self, rules, owner, event):
        """Two spellings of an address are one contact."""
        other = event("e-2", contact=Contact("Ana@Example.com"))
        report = backtest(rules(), rules(*owner), [event("e-1"), other])
        assert ["ana@example.com"] == [each.contact for each in report.contacts]

    def test_link(self, rules, owner, event):
        """An event that names both links a purchase to its subscription; the newest one counts."""
        subscription = {"subscriber_code": "S-1"}
        events = [
            event("e-1", **subscription),
            event("e-2", day=1, subscriber_code="S-2"),
            event("e-3", day=-1, subscriber_code="S-3"),
            event("e-4", "subscription.canceled", day=3, transaction=None, **subscription),
        ]
        off = attrs.evolve(owner[1], event="subscription.canceled")
        report = backtest(rules(), rules(owner[0], off), events)
        assert ["tag `owner` at `mail`"] == [*report.contacts[0].added]


class TestSettings:
    """Other parts of a rule set can differ, too."""

    def test_new_product(self, rules, rule, event):
        """A product that is new makes its rules run."""
        after = rules(rule("buyer"))
        before = RuleSet(segmentations=[rule("buyer")], providers=after.providers)
        assert {"buyer": (1, 0, 0, 0)} == counts(backtest(before, after, [event("e-1")]))

    def test_provider(self, rules, rule, event):
        """An account that is gone flags its rules."""
        before = rules(rule("buyer"))
        report = backtest(before, before.without_provider("mail"), [event("e-1")])
        assert {"buyer": (0, 1, 0, 0)} == counts(report)
        assert "flagged: " == report.samples[0].rules[0].after[:9]

    def test_one_place(self, rules, rule, event):
        """Equal actions can mean more at an account where a contact has one place."""
        before = rules(
            rule("a", actions=AddLead("A")), rule("b", event=REFUND, actions=AddLead("B"))
        )
        account = attrs.evolve(Capabilities.everything(), one_place=True)
        report = backtest(
            before,
            before.with_provider("mail", account),
            [event("e-1"), event("e-2", REFUND, day=1)],
        )
        assert ((), {"ana@example.com": ((), ("place `A` at `mail`",))}) == (
            report.rules,
            ends(report),
        )

    def test_meaning_of_an_event(self, rules, rule, event):
        """An event that does not end the purchase any more leaves its tag on."""
        kinds = [
            attrs.evolve(kind, ends=False) if kind.name == REFUND else kind
            for kind in HOTMART.events
        ]
        canceled = "purchase.canceled"
        added = (rule("a"), rule("b", event=canceled, actions=RemoveTag("a")))
        before = rules(*added)
        after = rules(*added, catalogue=Catalogue(kinds, HOTMART.facts))
        events = [
            event("e-1"),
            event("e-2", REFUND, day=1),
            event("e-3", canceled, day=2, transaction="P-other"),
        ]
        assert [("ana@example.com", (("tag `a` at `mail`",), ()))] == [
            *ends(backtest(before, after, events)).items()
        ]


class TestArguments:
    """What can be replayed."""

    def test_iterator(self, rules):
        """Events that can be read only once are refused before anything is read."""
        with pytest.raises(ArgumentTypeError, match="the events can be read only once") as raised:
            backtest(rules(), rules(), iter([]))
        assert "$.events" == raised.value.path

    @pytest.mark.parametrize(
        ("arguments", "path"),
        [((None, RuleSet(), []), "$.before"), ((RuleSet(), 1, []), "$.after")],
    )
    def test_rule_sets(self, arguments, path):
        """Both sides are rule sets."""
        with pytest.raises(ArgumentTypeError, match="expected a rule set") as raised:
            backtest(*arguments)
        assert path == raised.value.path

    def test_events(self):
        """The events are a list, or something like it."""
        number: Any = 7
        with pytest.raises(ArgumentTypeError, match="expected a list of events, got an integer"):
            backtest(RuleSet(), RuleSet(), number)

    def test_progress(self, rules, event):
        """The progress counts both passes, and knows the total in the second one."""
        seen: list[tuple[int, int | None]] = []
        events = [event(f"e-{n}") for n in range(1_500)]
        backtest(rules(), rules(), events, progress=lambda done, total: seen.append((done, total)))
        assert [
            (1_000, None),
            (1_500, None),
            (2_000, 3_000),
            (3_000, 3_000),
            (3_000, 3_000),
        ] == seen


class TestSamples:
    """One event for each kind of difference."""

    def test_kinds(self, rules, rule, event):
        """Equal kinds of difference share a sample; at most ten kinds have one."""
        chosen = [rule(f"r{n}", condition=where.price == n) for n in range(12)]
        events = [
            event(f"e-{n}-{again}", facts={"price": n}) for n in range(12) for again in range(2)
        ]
        report = backtest(rules(), rules(*chosen), events)
        assert [f"e-{n}-0" for n in range(10)] == [sample.event_id for sample in report.samples]

    def test_actions(self, rules, rule, event):
        """A sample has the actions that differ alone; where only the data does, its fields."""
        before = rules(rule("same"), rule("buyer"), rule("data"))
        after = rules(rule("same"), rule("buyer", actions=AddTag("client")), rule("data", send=()))
        (sample,) = backtest(before, after, [event("e-1")]).samples
        assert 2 == len(sample.before) == len(sample.after)
        assert [", with email", ", with no data"] == [
            text[text.index(", with") :]
            for text in (*sample.before, *sample.after)
            if ", with" in text
        ]


def test_product_of_another_id(rules, rule, event):
    """Events of products whose rules are equal differ in nothing, even if others do."""
    other = rules(rule("buyer")).with_product(Product("43", "Club"))
    assert not backtest(rules(rule("buyer")), other, [event("e-1")])
