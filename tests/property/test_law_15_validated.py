"""Law 15: rules without error findings never fail, whatever the event."""

from typing import assert_never

from hypothesis import given

from listboss import (
    AddLead,
    AddTag,
    Engine,
    Idle,
    MoveLead,
    Plan,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Severity,
)
from listboss.analysis import Region, analyse
from listboss.testing import strategies


def check(plan: Plan) -> int:
    """Take a plan apart, without a case for anything else; return how many actions it has."""
    match plan.idle:
        case None:
            assert plan.actions
        case (
            Idle.UNADDRESSED
            | Idle.TEST
            | Idle.UNKNOWN_PRODUCT
            | Idle.UNKNOWN_PLAN
            | Idle.UNKNOWN_EVENT
            | Idle.NO_RULE
        ):
            assert not plan.actions
        case _:
            assert_never(plan.idle)
    for planned in plan.actions:
        match planned.action:
            case AddTag() | RemoveTag() | AddLead() | MoveLead() | RemoveLead() | ProviderAction():
                pass
            case _:
                assert_never(planned.action)
    return len(plan.actions)


def usable(rules: RuleSet) -> set[str]:
    """Return the ids of the rules without error findings."""
    flagged = {f.segmentation_id for f in rules.findings if f.severity is Severity.ERROR}
    return {rule.id for rule in rules} - flagged


class TestLaw15Validated:
    """Law 15: a rule without error findings never fails, when it is planned or analysed."""

    def test_small_worlds(self, worlds, enabled, amount):
        """50,000 pairs of rules and events by default: plans are made, and nothing is raised."""
        actions = 0
        for rules, events, _ in worlds(150, amount(ci=250, soak=5_000), events=200):
            engine = Engine(enabled(rules))
            for event in events:
                actions += check(engine.plan(event, include_tests=True))
        assert actions > 0

    @given(strategies.rule_sets())
    def test_analysis(self, rules: RuleSet):
        """Any rule set can be analysed, and every usable condition has a region."""
        report = analyse(rules, include_disabled=True)
        known = usable(rules)
        regions = [Region.of(rule.condition, rules.catalogue) for rule in rules if rule.id in known]

        assert set(rules.findings) <= set(report.findings)
        assert all(region.is_empty() is (region.member() is None) for region in regions)

    def test_the_worlds_have_usable_rules(self, worlds):
        """The test is about something: most rules of the worlds are usable."""
        all_rules = [rules for rules, _, _ in worlds(150, 20, events=1)]
        known = sum(len(usable(rules)) for rules in all_rules)

        assert known > sum(len(rules) for rules in all_rules) / 2
