from listboss import AddLead, AddTag, MoveLead, RemoveLead, RemoveTag
from listboss.rules._text import fold
from listboss.rules.action import action_key, place_key


class TestLaw07NetEffect:
    """Law 7: no plan both adds and removes one tag at one provider."""

    def test_tags_and_places(self, worlds, planned, enabled, amount):
        """No tag or place is both added and removed at one provider."""
        removals = 0
        for rules, events, _ in worlds(70, amount(ci=150, soak=5_000)):
            for event in events:
                added: set[tuple[object, ...]] = set()
                removed: set[tuple[object, ...]] = set()
                for a in planned(enabled(rules), event).actions:
                    match a.action:
                        case AddTag(tag):
                            added.add((a.provider, "tag", fold(tag)))
                        case RemoveTag(tag):
                            removed.add((a.provider, "tag", fold(tag)))
                        case AddLead(place) | MoveLead(place):
                            added.add((a.provider, "place", place_key(place)))
                        case RemoveLead(place):
                            removed.add((a.provider, "place", place_key(place)))
                        case _:
                            pass
                assert set() == added & removed
                removals += len(removed)
        assert removals > 20

    def test_dropped_actions_are_not_in_the_plan(self, worlds, planned, amount):
        """The dropped action of a conflict is not in the plan; a kept removal is."""
        for rules, events, _ in worlds(71, amount(ci=150, soak=5_000)):
            for event in events:
                plan = planned(rules, event)
                actions = {(action.provider, repr(action.action)) for action in plan.actions}
                for conflict in plan.conflicts:
                    assert (conflict.provider, repr(conflict.dropped)) not in actions
                    if isinstance(conflict.kept, (RemoveLead, RemoveTag)):
                        assert (conflict.provider, repr(conflict.kept)) in actions


class TestLaw08CapabilitySafety:
    """Law 8: a plan has no action that its provider cannot do."""

    def test_actions_events_and_data(self, worlds, planned, enabled, amount):
        """The account can do each action, takes its event, and accepts its data."""
        for original, events, _ in worlds(80, amount(ci=150, soak=5_000)):
            rules = enabled(original)
            for event in events:
                for action in planned(rules, event).actions:
                    account = rules.providers[action.provider]
                    assert account.can(action.action)
                    assert account.takes_event(event.name)
                    assert account.data is None or set(action.data) <= {"email", *account.data}

    def test_a_disconnected_account(self, worlds, planned):
        """Nothing is planned at a disconnected account; the rest of the plan is the same."""
        for rules, events, _ in worlds(81, 60):
            for name in rules.providers:
                others = rules.without_provider(name)
                for event in events:
                    expected = [a for a in planned(rules, event).actions if a.provider != name]
                    assert expected == list(planned(others, event).actions)


class TestLaw09Monotone:
    """Law 9: disabling a rule removes its own actions, and brings back those that lost to it."""

    def test_disabling(self, worlds, planned, enabled, amount):
        """Actions of other rules stay the same, and each new action had lost a conflict before."""
        brought_back = 0
        for original, events, dice in worlds(90, amount(ci=600, soak=5_000), size=48):
            rules = enabled(original)
            for event in events:
                rule = dice.choice(rules.segmentations)
                before = planned(rules, event)
                after = planned(rules.disable(rule.id), event)
                others = [a for a in before.actions if rule.id not in a.because]
                left = {action.id: action for action in after.actions}
                assert others == [left.get(action.id) for action in others]
                old = {action.id for action in before.actions}
                lost = {(c.provider, action_key(c.dropped)) for c in before.conflicts}
                for action in after.actions:
                    assert rule.id not in action.because
                    if action.id not in old:
                        brought_back += 1
                        assert (action.provider, action_key(action.action)) in lost
        assert brought_back > 0

    def test_disabling_is_removing(self, worlds, planned):
        """Disabling a rule gives the same plan as removing it."""
        for rules, events, dice in worlds(91, 60):
            rule = dice.choice(rules.segmentations)
            for event in events:
                expected = planned(rules.disable(rule.id), event)
                assert expected == planned(rules.remove(rule.id), event)

    def test_shared_actions_keep_their_other_reasons(self, worlds, planned, enabled):
        """An action of several rules stays, with one reason less, unless it now loses."""
        for original, events, dice in worlds(92, 60):
            rules = enabled(original)
            for event in events:
                rule = dice.choice(rules.segmentations)
                after = planned(rules.disable(rule.id), event)
                left = {action.id: action for action in after.actions}
                lost = {c.provider for c in after.conflicts}
                for action in planned(rules, event).actions:
                    reasons = tuple(id for id in action.because if id != rule.id)
                    if reasons and action.id in left:
                        assert reasons == left[action.id].because
                    elif reasons:
                        assert action.provider in lost
