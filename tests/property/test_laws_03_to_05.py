import pickle

import attrs

from listboss import AddLead, AllOf, Engine
from listboss.rules.action import action_key
from listboss.rules.condition import comparisons


class TestLaw03Idempotent:
    """Law 3: planning a redelivered event gives the same ids."""

    def test_the_same_event_again(self, worlds):
        """Planning twice with one engine, or with another of the same rules, gives equal plans."""
        for rules, events, _ in worlds(30, 60):
            engine = Engine(rules)
            first = [engine.plan(event) for event in events]
            assert first == [engine.plan(event) for event in reversed(events)][::-1]
            assert first == list(Engine(rules).plan_many(events))

    def test_a_redelivery_with_more_facts(self, worlds, planned):
        """Ids depend on event id, provider, contact and action, but not on facts."""
        shared = 0
        for rules, events, _ in worlds(31, 60):
            for event in events:
                later = attrs.evolve(event.with_facts(xcod="x"), transaction="HP1")
                before = {a.id: a.action for a in planned(rules, event).actions}
                after = {a.id: a.action for a in planned(rules, later).actions}
                assert before == after
                shared += len(before)
        assert shared > 100

    def test_ids_are_unique(self, worlds, planned):
        """Two actions never have the same id, in one plan or in the plans of two events."""
        for rules, events, _ in worlds(32, 60):
            ids = [action.id for event in events for action in planned(rules, event).actions]
            assert sorted(set(ids)) == sorted(ids)

    def test_a_pickled_engine(self, worlds):
        """A pickled engine makes the same plans when it is loaded."""
        for rules, events, _ in worlds(33, 20):
            engine = Engine(rules)
            other = pickle.loads(pickle.dumps(engine))
            assert [engine.plan(e) for e in events] == [other.plan(e) for e in events]


class TestLaw04NoCondition:
    """Law 4: no condition means all."""

    def test_no_condition_is_the_empty_one(self, worlds, planned, with_rules):
        """A rule without a condition runs exactly if the same rule with an empty `AllOf` runs."""
        for rules, events, _ in worlds(40, 60):
            bare = [attrs.evolve(rule, condition=None) for rule in rules.segmentations]
            empty = [attrs.evolve(rule, condition=AllOf()) for rule in rules.segmentations]
            for event in events:
                expected = planned(with_rules(rules, bare), event)
                assert expected == planned(with_rules(rules, empty), event)

    def test_facts_decide_nothing(self, worlds, planned, with_rules):
        """Without conditions, facts change the data that is sent and nothing else."""
        for rules, events, _ in worlds(41, 60):
            bare = with_rules(rules, [attrs.evolve(r, condition=None) for r in rules.segmentations])
            for event in events:
                one = planned(bare, event)
                two = planned(bare, attrs.evolve(event, facts={}))
                assert [(a.id, a.because) for a in one.actions] == [
                    (a.id, a.because) for a in two.actions
                ]

    def test_a_condition_only_takes_away(self, worlds, planned, with_rules, enabled):
        """Without conditions, the same rules run and more, unless their actions lose conflicts."""
        for original, events, _ in worlds(42, 60):
            rules = enabled(original)
            bare = with_rules(rules, [attrs.evolve(r, condition=None) for r in rules.segmentations])
            for event in events:
                ran = {id for action in planned(rules, event).actions for id in action.because}
                plan = planned(bare, event)
                ran_bare = {id for action in plan.actions for id in action.because}
                lost = {action_key(conflict.dropped) for conflict in plan.conflicts}
                for rule_id in ran - ran_bare:
                    rule = bare.segmentation(rule_id)
                    assert {action_key(action) for action in rule.actions} <= lost


class TestLaw05Frame:
    """Law 5: a plan touches only what matching rules name."""

    def test_reasons_name_the_action(self, worlds, planned):
        """Each reason for an action is a rule for this event and provider with that action."""
        for rules, events, _ in worlds(50, 100):
            for event in events:
                for planned_action in planned(rules, event).actions:
                    for rule_id in planned_action.because:
                        if rule_id.startswith("auto."):
                            continue
                        rule = rules.segmentation(rule_id)
                        assert (event.product_id, event.name) == (rule.product_id, rule.event)
                        assert planned_action.provider == rule.provider
                        assert planned_action.action in rule.actions or action_key(
                            planned_action.action
                        ) in {action_key(action) for action in rule.actions}

    def test_automatic_actions_touch_only_reserved_tags(self, worlds, planned):
        """Capture alone adds the contact, and adds or removes automatic tags of the product."""
        seen = 0
        for rules, events, _ in worlds(51, 100):
            for event in events:
                for planned_action in planned(rules, event).actions:
                    if all(id.startswith("auto.") for id in planned_action.because):
                        seen += 1
                        tag = getattr(planned_action.action, "tag", None)
                        assert rules.capture_provider == planned_action.provider
                        if tag is None:
                            assert AddLead() == planned_action.action
                        else:
                            assert tag.startswith("auto:")
                            assert tag.endswith(f":{event.product_id}")
        assert seen > 100

    def test_other_facts_change_nothing(self, worlds, planned):
        """Removing every fact that no rule compares or sends gives the same plan."""
        for rules, events, _ in worlds(52, 100):
            for event in events:
                named = {
                    name
                    for rule in rules.rules_of(event.product_id)
                    for name in (
                        *rule.send,
                        *(comparison.fact for _, comparison in comparisons(rule.condition)),
                    )
                }
                facts = {name: value for name, value in event.facts.items() if name in named}
                expected = planned(rules, event)
                assert expected == planned(rules, attrs.evolve(event, facts=facts))
