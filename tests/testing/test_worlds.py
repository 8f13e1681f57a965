"""The random worlds reach every case that the property tests need."""

from collections import Counter
from random import Random

import pytest

from listboss import Engine, Idle, RuleSet, Severity
from listboss.rules._facts import READERS, is_present
from listboss.rules.condition import AllOf, AnyOf, Comparison, Not, Operator, comparisons
from listboss.rules.finding import FindingCode
from listboss.testing import random_condition, random_event, random_facts, random_rules
from listboss.testing._worlds import FACTS


@pytest.fixture(scope="module")
def rule_sets() -> list[RuleSet]:
    """Make three hundred rule sets."""
    return [random_rules(Random(seed)) for seed in range(300)]


@pytest.fixture(scope="module")
def plans(rule_sets):
    """Make forty plans with each rule set."""
    planned = []
    for seed, rules in enumerate(rule_sets):
        dice, engine = Random(seed), Engine(rules)
        planned += [engine.plan(random_event(dice, rules)) for _ in range(40)]
    return planned


class TestRules:
    """The rule sets are varied."""

    def test_reproducible(self):
        """Equal dice make equal rule sets and events."""
        one, two = Random(3), Random(3)
        rules = random_rules(one)
        assert rules == random_rules(two)
        assert random_event(one, rules) == random_event(two, rules)

    def test_most_rules_run(self, rule_sets):
        """More than half of all rules are enabled and free of errors, and some are not."""
        runs: Counter[bool] = Counter()
        for rules in rule_sets:
            errors = {f.segmentation_id for f in rules.findings if f.severity is Severity.ERROR}
            runs.update(rule.enabled and rule.id not in errors for rule in rules.segmentations)
        assert 0.5 < runs[True] / runs.total() < 0.9

    @pytest.mark.parametrize(
        "code",
        [
            FindingCode.PROVIDER_MISSING,
            FindingCode.PRODUCT_UNKNOWN,
            FindingCode.PRODUCT_NOT_APPROVED,
            FindingCode.EVENT_UNKNOWN,
            FindingCode.EVENT_INCOMPATIBLE,
            FindingCode.EVENT_UNSUPPORTED,
            FindingCode.FACT_NOT_CARRIED,
            FindingCode.ACTION_UNSUPPORTED,
            FindingCode.DATA_UNSUPPORTED,
            FindingCode.PLAN_REQUIRED,
            FindingCode.RESERVED_TAG,
            FindingCode.VALUE_EMPTY,
            FindingCode.NAME_DUPLICATE,
            FindingCode.ACTIONS_CONTRADICT,
            FindingCode.NEVER_HOLDS,
            FindingCode.GROUP_EMPTY,
            FindingCode.CURRENCY_MISSING,
            FindingCode.CAPTURE_PROVIDER_MISSING,
        ],
    )
    def test_findings(self, rule_sets, code):
        """Rules are flagged for many reasons."""
        assert any(finding.code is code for rules in rule_sets for finding in rules.findings)

    def test_conditions(self, rule_sets):
        """Every operator is used, and the common ones on every kind of fact."""
        kind_of = {fact.name: fact.kind for fact in FACTS}
        used = {
            (kind_of[comparison.fact], comparison.operator)
            for rules in rule_sets
            for rule in rules.segmentations
            for _, comparison in comparisons(rule.condition)
        }
        kinds = set(kind_of.values())
        assert {(kind, op) for kind in kinds for op in (Operator.EQ, Operator.NOT_IN)} <= used
        assert {op for _, op in used} == set(Operator)

    def test_nesting(self):
        """Conditions are nested up to three levels, and some are empty."""
        seen: Counter[object] = Counter()
        for seed in range(500):
            condition = random_condition(Random(seed))
            seen[type(condition)] += 1
            seen[condition.depth] += 1
            seen["empty"] += condition in (AllOf(), AnyOf())
        assert {AllOf, AnyOf, Comparison, Not, 1, 2, 3} < set(seen)
        assert seen["empty"] > 0


class TestEvents:
    """The events match the rules."""

    def test_facts(self):
        """Each fact is sometimes known, missing, blank, and of a wrong type."""
        seen: Counter[object] = Counter()
        for seed in range(300):
            facts = random_facts(Random(seed))
            for fact in FACTS:
                raw = facts.get(fact.name)
                if fact.name not in facts:
                    seen[fact.name, "missing"] += 1
                elif not is_present(raw):
                    seen[fact.name, "blank"] += 1
                else:
                    readable = READERS[fact.kind](raw) is not None
                    seen[fact.name, "known" if readable else "wrong type"] += 1
        states = ("missing", "blank", "known", "wrong type")
        expected = {(fact.name, state) for fact in FACTS for state in states}
        assert expected == set(seen)

    @pytest.mark.parametrize("idle", [None, *Idle])
    def test_idle(self, plans, idle):
        """Some plans have actions, and some have none, for each of the reasons."""
        assert any(plan.idle is idle for plan in plans)

    def test_most_events_have_something_to_do(self, plans):
        """More than half of the plans have actions, and some have many."""
        assert sum(1 for plan in plans if plan.actions) > len(plans) / 2
        assert max(len(plan.actions) for plan in plans) > 10

    @pytest.mark.parametrize(
        "row",
        [
            ("remove_wins", "RemoveTag", "AddTag"),
            ("remove_wins", "RemoveLead", "AddLead"),
            ("remove_wins", "RemoveLead", "MoveLead"),
            ("first_wins", "MoveLead", "MoveLead"),
            ("first_wins", "MoveLead", "AddLead"),
            ("first_wins", "AddLead", "MoveLead"),
            ("first_wins", "AddLead", "AddLead"),
        ],
    )
    def test_conflicts(self, plans, row):
        """Every row of the conflict table decides some conflict."""
        assert row in {
            (str(c.rule), type(c.kept).__name__, type(c.dropped).__name__)
            for plan in plans
            for c in plan.conflicts
        }

    def test_merging(self, plans):
        """Some actions have several rules as reasons, and some have capture and a rule."""
        reasons = [action.because for plan in plans for action in plan.actions]
        assert any(len(because) > 2 for because in reasons)
        assert any(
            because[0].startswith("auto.") and not because[-1].startswith("auto.")
            for because in reasons
        )

    def test_data(self, plans):
        """Facts and contact fields are sent, and missing ones are left out."""
        sent = [tuple(action.data) for plan in plans for action in plan.actions]
        assert {"email", "name", "phone", "offer", "price", "note"} <= {f for s in sent for f in s}
        assert () in sent
