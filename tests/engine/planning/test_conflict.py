import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Conflict,
    Engine,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.engine import ConflictRule
from listboss.rules import Verb
from listboss.testing import actions

FIRST, REMOVE = ConflictRule.FIRST_WINS, ConflictRule.REMOVE_WINS
ONE_PLACE = attrs.evolve(
    Capabilities.everything(), one_place=True, verbs=(Verb("acme.enrol"), Verb("acme.wave"))
)


@pytest.fixture
def plans(engine, rule, happens):
    """Plan one event with rules `r0`, `r1` and so on, of one action each."""

    def plans(*actions, **options):
        rules = [rule(f"r{n}", action) for n, action in enumerate(actions)]
        return engine(*rules, **options).plan(happens())

    return plans


def _kept(plan):
    return [planned.action for planned in plan.actions]


class TestRemoveWins:
    """Adding to, or moving into, what another rule removes: the removal is kept."""

    ROWS = (
        (AddTag("vip"), RemoveTag("vip"), "vip"),
        (AddTag(" VIP"), RemoveTag("vip "), "vip"),
        (AddLead("Buyers"), RemoveLead("buyers"), "list=buyers"),
        (MoveLead("B"), RemoveLead("B"), "list=b"),
        (MoveLead("B", source="A"), RemoveLead("b"), "list=b"),
        (
            AddLead(Place(machine="7", level="A")),
            RemoveLead(Place(level="a", machine="7")),
            "level=a, machine=7",
        ),
    )

    @pytest.mark.parametrize(("loser", "winner", "target"), ROWS)
    @pytest.mark.parametrize("swapped", [False, True], ids=["add-first", "remove-first"])
    def test_each(self, plans, loser, winner, target, swapped):
        """Whichever was declared first, the removal is kept, and the conflict is reported."""
        actions = (winner, loser) if swapped else (loser, winner)
        plan = plans(*actions)
        conflict = Conflict("mail", target, kept=winner, dropped=loser, rule=REMOVE)
        assert ([winner], (conflict,)) == (_kept(plan), plan.conflicts)

    @pytest.mark.parametrize(
        "actions",
        [
            (RemoveTag("a"), AddTag("b")),
            (RemoveLead("a"), AddLead("b")),
            (RemoveLead("a"), AddLead()),
            (RemoveLead("a"), MoveLead("b", source="a")),
            (RemoveLead("a"), AddTag("a")),
            (RemoveTag("a"), AddLead("a")),
            (RemoveTag("list=a"), AddLead("a")),
        ],
    )
    def test_no_conflict(self, plans, actions):
        """Another tag or place, a move out of the place, and a tag named like the place."""
        plan = plans(*actions)
        assert (list(actions), ()) == (_kept(plan), plan.conflicts)

    def test_other_providers_do_not_conflict(self, engine, rule, happens):
        """Conflicts are per provider."""
        eng = engine(rule("a", AddTag("x")), rule("b", RemoveTag("x"), provider="post"))
        plan = eng.plan(happens())
        assert ([AddTag("x"), RemoveTag("x")], ()) == (_kept(plan), plan.conflicts)

    def test_the_dropped_one_is_reported_once(self, plans):
        """Two rules that add what a third one removes are one conflict."""
        plan = plans(AddTag("vip"), AddTag("VIP"), RemoveTag("Vip"))
        assert (Conflict("mail", "vip", RemoveTag("Vip"), AddTag("VIP"), REMOVE),) == plan.conflicts

    def test_automatic_adds_to_the_contact_base_never_lose(self, engine, rule, happens):
        """Adding to the contact base does not conflict with a removal from a place."""
        eng = engine(rule("r", RemoveLead("Buyers")), capture_provider="mail")
        assert () == eng.plan(happens()).conflicts


class TestFirstWins:
    """Moves and adds that contradict each other: the first declared is kept."""

    CONFLICTS = (
        # two moves from one source
        (MoveLead("B", source="A"), MoveLead("C", source="a")),
        (MoveLead("B"), MoveLead("C")),
        (MoveLead("B", source="A"), MoveLead("C")),
        # the same move, which differs in what happens when the lead is absent
        (MoveLead("B", source="A"), MoveLead("B", source="A", if_absent="skip")),
        # chained moves
        (MoveLead("B", source="A"), MoveLead("C", source="B")),
        (MoveLead("C", source="B"), MoveLead("B", source="A")),
        # a move out of an added place
        (AddLead("A"), MoveLead("B", source="A")),
        (AddLead("A"), MoveLead("B")),
    )

    @pytest.mark.parametrize("pair", CONFLICTS)
    @pytest.mark.parametrize("swapped", [False, True], ids=["as-written", "swapped"])
    def test_each(self, plans, pair, swapped):
        """The earlier one is planned, and the later one is dropped and reported."""
        first, second = pair[::-1] if swapped else pair
        plan = plans(first, second)
        assert ([first], [(first, second, FIRST)]) == (
            _kept(plan),
            [(c.kept, c.dropped, c.rule) for c in plan.conflicts],
        )

    @pytest.mark.parametrize(
        ("first", "second", "target"),
        [
            (MoveLead("B", source="A"), MoveLead(" C", source="A"), "list=c"),
            (MoveLead("B", source="A"), AddLead("A"), "list=a"),
        ],
    )
    def test_the_target_is_the_place_of_the_dropped(self, plans, first, second, target):
        """A conflict names where the dropped action would have put the lead, folded."""
        (conflict,) = plans(first, second).conflicts
        assert target == conflict.target

    @pytest.mark.parametrize(
        "pair",
        [
            (MoveLead("B", source="A"), MoveLead("D", source="C")),
            (MoveLead("B", source="A"), MoveLead("B", source="C")),
            (MoveLead("B", source="A"), AddLead("B")),
            (MoveLead("B", source="A"), AddLead("C")),
            (MoveLead("B"), AddLead("b")),
            (MoveLead("B"), AddLead()),
            (AddLead("A"), AddLead("B")),
            (AddLead("A"), AddLead()),
        ],
    )
    def test_no_conflict(self, plans, pair):
        """Unrelated moves, adds to the target, and adds where a contact may be at many places."""
        plan = plans(*pair)
        assert (set(pair), ()) == (set(_kept(plan)), plan.conflicts)

    def test_adds_where_a_contact_is_at_one_place(self, plans):
        """Where a contact can be at one place only, adds to two places conflict."""
        plan = plans(AddLead("B"), AddLead("A"), providers={"mail": ONE_PLACE})
        conflict = Conflict("mail", "list=a", AddLead("B"), AddLead("A"), FIRST)
        assert ([AddLead("B")], (conflict,)) == (_kept(plan), plan.conflicts)

    def test_one_place_and_the_contact_base(self, plans):
        """Adding to the contact base never conflicts."""
        plan = plans(AddLead(), AddLead("A"), providers={"mail": ONE_PLACE})
        assert ([AddLead(), AddLead("A")], ()) == (_kept(plan), plan.conflicts)

    def test_other_providers_do_not_conflict(self, engine, rule, happens):
        """Moves at two accounts do not conflict."""
        eng = engine(
            rule("a", MoveLead("B", source="A")),
            rule("b", MoveLead("C", source="A"), provider="post"),
        )
        assert (2, ()) == (len(eng.plan(happens()).actions), eng.plan(happens()).conflicts)

    def test_the_position_of_the_rule_decides(self, engine, rule, happens):
        """The actions of a rule count as declared before those of the next one."""
        eng = engine(
            rule("r", AddTag("x"), MoveLead("Z", source="A")), rule("s", MoveLead("B", source="A"))
        )
        assert [MoveLead("Z", source="A"), AddTag("x")] == _kept(eng.plan(happens()))

    def test_a_merged_action_counts_from_its_first_rule(self, plans):
        """A repeated action counts as declared by the first rule that asks for it."""
        one, other = MoveLead("B", source="A"), MoveLead("C", source="A")
        plan = plans(one, other, one)
        assert ([one], [(one, other)]) == (
            _kept(plan),
            [(c.kept, c.dropped) for c in plan.conflicts],
        )


class TestDroppedWinners:
    """An action also loses to one that is dropped itself."""

    def test_losing_to_a_dropped_action(self, plans):
        """Of three chained moves, only the first is kept."""
        moves = [MoveLead("B", source="A"), MoveLead("C", source="B"), MoveLead("D", source="C")]
        plan = plans(*moves)
        assert ([moves[0]], [moves[1], moves[2]]) == (
            _kept(plan),
            [c.dropped for c in plan.conflicts],
        )

    def test_kept_is_a_planned_winner_if_there_is_one(self, plans):
        """The conflict names the first winner that is itself in the plan."""
        moves = [
            RemoveLead("C"),
            MoveLead("C", source="A"),  # dropped: C is removed
            MoveLead("D", source="E"),
            MoveLead("A", source="E"),  # loses to both moves, and only one of them is planned
        ]
        plan = plans(*moves)
        assert {moves[1]: moves[0], moves[3]: moves[2]} == {
            c.dropped: c.kept for c in plan.conflicts
        }

    def test_kept_is_the_first_if_none_is_planned(self, plans):
        """If every winner is dropped, too, the conflict names the first one declared."""
        moves = [MoveLead("B", source="A"), MoveLead("C", source="B"), MoveLead("D", source="C")]
        plan = plans(*moves)
        assert moves[1] == plan.conflicts[1].kept

    def test_removal_comes_before_the_order_declared(self, plans):
        """An action that loses both ways is reported as lost to the removal."""
        plan = plans(
            MoveLead("B", source="A"),
            MoveLead("C", source="A"),
            RemoveLead("C"),
        )
        assert [(RemoveLead("C"), REMOVE)] == [(c.kept, c.rule) for c in plan.conflicts]

    def test_monotone(self, engine, rule_set, rule, happens):
        """Disabling a rule removes only its own action; others may come back."""
        actions = (
            RemoveLead("C"),
            MoveLead("B", source="A"),
            MoveLead("C", source="B"),
            MoveLead("D", source="C"),
            AddLead("B"),
            AddLead("C"),
            AddTag("x"),
            RemoveTag("x"),
        )
        for order in itertools.permutations(actions, 3):
            rules = rule_set(*(rule(f"r{n}", action) for n, action in enumerate(order)))
            before = set(_kept(Engine(rules).plan(happens())))
            for n, action in enumerate(order):
                after = set(_kept(Engine(rules.disable(f"r{n}")).plan(happens())))
                assert before - {action} <= after


class TestReport:
    """The conflicts of a plan are values in a fixed order."""

    def test_sorted_by_the_dropped_action(self, engine, rule, happens):
        """Conflicts are sorted by provider, kind and target of the dropped action."""
        eng = engine(
            rule("a", AddTag("y"), AddTag("x"), provider="post"),
            rule("b", RemoveTag("x"), RemoveTag("y"), provider="post"),
            rule("c", AddTag("z"), AddLead("L")),
            rule("d", RemoveTag("z"), RemoveLead("L")),
        )
        assert [
            ("mail", AddLead("L")),
            ("mail", AddTag("z")),
            ("post", AddTag("x")),
            ("post", AddTag("y")),
        ] == [(c.provider, c.dropped) for c in eng.plan(happens()).conflicts]

    def test_net_effect(self, plans):
        """No plan both adds and removes one tag or place at one provider."""
        actions = (AddTag("x"), RemoveTag("x"), AddLead("L"), RemoveLead("L"), MoveLead("L"))
        for order in itertools.permutations(actions):
            plan = plans(*order)
            assert {RemoveTag("x"), RemoveLead("L")} == set(_kept(plan))

    def test_own_verbs_never_conflict(self, plans):
        """A provider's own actions never conflict."""
        actions = (ProviderAction("acme.enrol"), ProviderAction("acme.wave"))
        plan = plans(*actions, providers={"mail": ONE_PLACE})
        assert (list(actions), ()) == (_kept(plan), plan.conflicts)


class TestOneRule:
    """A rule that contradicts itself is flagged, so that none loses to its own actions."""

    @given(chosen=st.lists(actions(Capabilities.everything()), min_size=1, max_size=3))
    def test_no_conflict_within_a_rule(self, engine, rule, happens, chosen):
        """A rule alone never has a conflict in its plan, wherever the account allows one place."""
        eng = engine(rule("r", *chosen), providers={"mail": ONE_PLACE})
        assert () == eng.plan(happens()).conflicts

    def test_one_place_of_its_account(self, engine, rule):
        """Two places are a contradiction only where a contact is at one place at a time."""
        eng = engine(
            rule("r", AddLead("a"), AddLead("b")),
            rule("s", AddLead("a"), AddLead("b"), provider="post"),
            providers={"mail": Capabilities.everything(), "post": ONE_PLACE},
        )
        assert [("s", "actions_contradict", "$.actions[1]")] == [
            (finding.segmentation_id, finding.code, finding.path) for finding in eng.rules.findings
        ]
