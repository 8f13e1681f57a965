from collections.abc import Iterable

from listboss import Plan
from listboss.plan import ConflictRule
from listboss.rules.action import Action, action_key

Key = tuple[str, tuple[str, ...]]


def keys(pairs: Iterable[tuple[str, Action]]) -> set[Key]:
    """Return the providers and the keys of actions."""
    return {(provider, action_key(action)) for provider, action in pairs}


def kept(plan: Plan) -> set[Key]:
    """Return the keys of the actions of a plan."""
    return keys((a.provider, a.action) for a in plan.actions)


def dropped(plan: Plan) -> set[Key]:
    """Return the keys of the actions that lost a conflict."""
    return keys((c.provider, c.dropped) for c in plan.conflicts)


class TestLaw02OrderFree:
    """Law 2: reordering rules changes nothing, unless the first of two actions wins."""

    def test_without_a_first_winner_plans_are_equal(self, worlds, planned, reordered, amount):
        """A plan is the same in any order if the order decides no conflict."""
        compared = 0
        for rules, events, dice in worlds(20, amount(ci=150, soak=5_000)):
            other = reordered(rules, dice)
            for event in events:
                one, two = planned(rules, event), planned(other, event)
                rows = {conflict.rule for conflict in one.conflicts + two.conflicts}
                if ConflictRule.FIRST_WINS not in rows:
                    assert one == two
                    compared += 1
        assert compared > 20

    def test_with_a_first_winner_only_reported_actions_differ(
        self, worlds, planned, reordered, amount
    ):
        """An action that only one order keeps is a reported conflict of the other."""
        differing = 0
        for rules, events, dice in worlds(21, amount(ci=300, soak=5_000), size=48):
            other = reordered(rules, dice)
            for event in events:
                one, two = planned(rules, event), planned(other, event)
                differing += one != two
                assert kept(one) | dropped(one) == kept(two) | dropped(two)
                assert kept(one) - kept(two) <= dropped(two)
                assert kept(two) - kept(one) <= dropped(one)
                theirs = {action.id: action for action in two.actions}
                shared = [action for action in one.actions if action.id in theirs]
                assert shared == [theirs[action.id] for action in shared]
        assert differing > 0
