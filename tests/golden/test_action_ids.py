import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from listboss import Engine, Event, Plan, RuleSet
from listboss.codec import load_event, load_rules
from listboss.rules.action import ACTION_KINDS, action_kind
from listboss.testing import reference

GOLDEN: dict[str, Any] = json.loads(
    Path(__file__).with_name("action_ids.json").read_text(encoding="utf-8")
)
RULE_SETS = {name: load_rules(json.dumps(rules)) for name, rules in GOLDEN["rule_sets"].items()}
CASES = [
    (RULE_SETS[case["rules"]], load_event(json.dumps(case["event"])), case["ids"])
    for case in GOLDEN["cases"]
]


def planned_by_the_engine(rules: RuleSet, event: Event) -> Plan:
    """Plan an event with an engine; test events count."""
    return Engine(rules).plan(event, include_tests=True)


def planned_by_the_reference(rules: RuleSet, event: Event) -> Plan:
    """Plan an event with the reference; test events count."""
    return reference.plan(rules, event, include_tests=True)


@pytest.mark.parametrize("plan", [planned_by_the_engine, planned_by_the_reference])
class TestActionIds:
    """Action ids are the same in every release, since journals and providers keep them."""

    def test_ids(self, plan: Callable[[RuleSet, Event], Plan]):
        """Each case has the ids that the file says, in the order of the plan."""
        for rules, event, ids in CASES:
            assert ids == [action.id for action in plan(rules, event).actions]

    def test_coverage(self, plan: Callable[[RuleSet, Event], Plan]):
        """The file has actions of every kind, and parameters of every type."""
        actions = [
            planned.action for rules, event, _ in CASES for planned in plan(rules, event).actions
        ]
        parameters = [getattr(action, "parameters", {}) for action in actions]

        assert set(ACTION_KINDS) == {action_kind(action) for action in actions}
        assert {"str", "int", "Decimal", "bool", "datetime"} == {
            type(value).__name__ for mapping in parameters for value in mapping.values()
        }
