from listboss import AddLead, AddTag, MoveLead, RemoveLead, RemoveTag
from listboss.rules._text import fold
from listboss.rules.action import place_key


class TestLaw07NetEffect:
    """Law 7: no plan both adds and removes one tag at one provider."""

    def test_tags_and_places(self, worlds, planned, enabled, amount):
        """Neither a tag nor a place is both added to and removed from."""
        removed = 0
        for rules, events, _ in worlds(70, amount(ci=150, soak=5_000)):
            for event in events:
                added: set[tuple[object, ...]] = set()
                taken: set[tuple[object, ...]] = set()
                for a in planned(enabled(rules), event).actions:
                    match a.action:
                        case AddTag(tag):
                            added.add((a.provider, "tag", fold(tag)))
                        case RemoveTag(tag):
                            taken.add((a.provider, "tag", fold(tag)))
                        case AddLead(place) | MoveLead(place):
                            added.add((a.provider, "place", place_key(place)))
                        case RemoveLead(place):
                            taken.add((a.provider, "place", place_key(place)))
                        case _:
                            pass
                assert set() == added & taken
                removed += len(taken)
        assert removed > 20

    def test_what_was_dropped_stays_out(self, worlds, planned, amount):
        """An action that lost a conflict is not in the plan, and one that removes is."""
        for rules, events, _ in worlds(71, amount(ci=150, soak=5_000)):
            for event in events:
                plan = planned(rules, event)
                actions = {(action.provider, repr(action.action)) for action in plan.actions}
                for conflict in plan.conflicts:
                    assert (conflict.provider, repr(conflict.dropped)) not in actions
                    if isinstance(conflict.kept, (RemoveLead, RemoveTag)):
                        assert (conflict.provider, repr(conflict.kept)) in actions


class TestLaw08CapabilitySafety:
    """Law 8: no action in a plan that its provider cannot do."""

    def test_actions_events_and_data(self, worlds, planned, enabled, amount):
        """Action, tag, place, verb, event and data of each action fit the account."""
        for given, events, _ in worlds(80, amount(ci=150, soak=5_000)):
            rules = enabled(given)
            for event in events:
                for action in planned(rules, event).actions:
                    account = rules.providers[action.provider]
                    assert account.can(action.action)
                    assert account.takes_event(event.name)
                    assert account.data is None or set(action.data) <= {"email", *account.data}

    def test_an_account_that_is_gone(self, worlds, planned):
        """Without its provider, nothing is planned there, and the rest as before."""
        for rules, events, _ in worlds(81, 60):
            for name in rules.providers:
                left = rules.without_provider(name)
                for event in events:
                    expected = [a for a in planned(rules, event).actions if a.provider != name]
                    assert expected == list(planned(left, event).actions)


class TestLaw09Monotone:
    """Law 9: disabling a rule removes only its own actions, and frees those it had beaten."""

    def test_disabling(self, worlds, planned, enabled, amount):
        """What the rule did not ask for stays as it was; what is new had lost to the rule."""
        freed = 0
        for given, events, dice in worlds(90, amount(ci=600, soak=5_000)):
            rules = enabled(given)
            for event in events:
                rule = dice.choice(rules.segmentations)
                before = planned(rules, event)
                after = planned(rules.disable(rule.id), event)
                others = [a for a in before.actions if rule.id not in a.because]
                left = {action.id: action for action in after.actions}
                assert others == [left.get(action.id) for action in others]
                old = {action.id for action in before.actions}
                lost = {(c.provider, repr(c.dropped)) for c in before.conflicts}
                for action in after.actions:
                    assert rule.id not in action.because
                    if action.id not in old:
                        freed += 1
                        assert (action.provider, repr(action.action)) in lost
        assert freed > 0

    def test_disabling_is_removing(self, worlds, planned):
        """A disabled rule leaves what a removed one leaves."""
        for rules, events, dice in worlds(91, 60):
            rule = dice.choice(rules.segmentations)
            for event in events:
                expected = planned(rules.disable(rule.id), event)
                assert expected == planned(rules.remove(rule.id), event)

    def test_shared_actions_keep_their_other_reasons(self, worlds, planned, enabled):
        """An action that others ask for too stays, without the reason, unless it now loses."""
        for given, events, dice in worlds(92, 60):
            rules = enabled(given)
            for event in events:
                rule = dice.choice(rules.segmentations)
                after = planned(rules.disable(rule.id), event)
                left = {action.id: action for action in after.actions}
                lost = {(c.provider, repr(c.dropped)) for c in after.conflicts}
                for action in planned(rules, event).actions:
                    reasons = tuple(why for why in action.because if why != rule.id)
                    if reasons and action.id in left:
                        assert reasons == left[action.id].because
                    elif reasons:
                        assert any(provider == action.provider for provider, _ in lost)
