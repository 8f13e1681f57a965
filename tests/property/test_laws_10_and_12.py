from hypothesis import given, settings

from listboss import Event, RuleSet
from listboss.codec import (
    dump_event,
    dump_plan,
    dump_rules,
    load_event,
    load_plan,
    load_rules,
)
from listboss.testing import events, rule_sets

EACH = max(400, settings().max_examples)  # on top of the 2,000 from worlds


class TestLaw10RoundTrip:
    """Law 10: `load(dump(x)) == x`, and equal values have equal bytes."""

    @given(events())
    @settings(max_examples=EACH)
    def test_events(self, event: Event) -> None:
        """A loaded event equals the event, and is dumped to the same text."""
        text = dump_event(event)
        assert event == load_event(text)
        assert text == dump_event(load_event(text))

    @given(rule_sets())
    @settings(max_examples=EACH)
    def test_any_rules(self, rules: RuleSet) -> None:
        """A loaded rule set, even with flagged rules, equals the rule set; its text is the same."""
        text = dump_rules(rules)
        assert rules == load_rules(text, catalogue=rules.catalogue)
        assert text == dump_rules(load_rules(text, catalogue=rules.catalogue))

    def test_well_typed_events(self, worlds, amount):
        """Loaded events of small worlds are equal, and their facts keep their types."""
        for _, happened, _ in worlds(104, amount(ci=100, soak=5_000), events=20):
            for event in happened:
                assert event == load_event(dump_event(event))

    def test_rules(self, worlds, amount):
        """Loaded rules of small worlds are equal, and have the same findings."""
        for rules, _, _ in worlds(100, amount(ci=2_000, soak=100_000), events=0, size=6):
            read = load_rules(dump_rules(rules), catalogue=rules.catalogue)
            assert rules == read
            assert set(rules.findings) == set(read.findings)

    def test_plans(self, worlds, planned, amount):
        """A loaded plan equals the plan, with the types of its data, and has the same text."""
        for rules, happened, _ in worlds(101, amount(ci=200, soak=10_000)):
            for event in happened:
                plan = planned(rules, event)
                text = dump_plan(plan)
                assert plan == load_plan(text)
                assert text == dump_plan(load_plan(text))

    def test_canonical(self, worlds, with_rules):
        """Equal rule sets have equal texts, in whatever order their parts were given."""
        for rules, _, _ in worlds(102, 100, events=0):
            products = tuple(reversed(rules.products))
            other = RuleSet(
                products,
                [rule for product in products for rule in rules.rules_of(product.id)]
                + [r for r in rules.segmentations if rules.product(r.product_id) is None],
                providers=dict(reversed(rules.providers.items())),
                catalogue=rules.catalogue,
                capture_provider=rules.capture_provider,
            )
            assert rules == other
            assert dump_rules(rules) == dump_rules(other)

    def test_plans_of_loaded_rules(self, worlds, planned):
        """Loaded rules and events give the same plans as the original ones."""
        for rules, happened, _ in worlds(103, 60):
            read = load_rules(dump_rules(rules), catalogue=rules.catalogue)
            for event in happened:
                again = load_event(dump_event(event))
                assert dump_plan(planned(rules, event)) == dump_plan(planned(read, again))


class TestLaw12Slicing:
    """Law 12: only the rules of the event's product, name and provider matter."""

    def test_one_product(self, worlds, planned, amount):
        """A rule set with only the event's product and its rules gives the same plan."""
        for rules, happened, _ in worlds(120, amount(ci=100, soak=5_000)):
            for event in happened:
                slice_ = RuleSet(
                    [product for product in rules.products if product.id == event.product_id],
                    rules.rules_of(event.product_id),
                    providers=rules.providers,
                    catalogue=rules.catalogue,
                    capture_provider=rules.capture_provider,
                )
                assert planned(rules, event) == planned(slice_, event)

    def test_one_event(self, worlds, planned, with_rules, amount):
        """A rule set with only the rules for the event's name gives the same plan."""
        for rules, happened, _ in worlds(121, amount(ci=100, soak=5_000)):
            for event in happened:
                own = [rule for rule in rules.segmentations if rule.event == event.name]
                assert planned(rules, event) == planned(with_rules(rules, own), event)

    def test_one_provider(self, worlds, planned, with_rules, amount):
        """The actions at one provider do not depend on the rules of other providers."""
        for rules, happened, _ in worlds(122, amount(ci=60, soak=5_000)):
            for event in happened:
                plan = planned(rules, event)
                for name in rules.providers:
                    own = [rule for rule in rules.segmentations if rule.provider == name]
                    part = planned(with_rules(rules, own), event)
                    assert [a for a in plan.actions if a.provider == name] == [
                        a for a in part.actions if a.provider == name
                    ]
                    assert [c for c in plan.conflicts if c.provider == name] == list(part.conflicts)
