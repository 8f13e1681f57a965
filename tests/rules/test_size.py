"""How large a rule set may be: exactly that, however it is made, and small rules without end."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import pytest

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    MoveLead,
    Not,
    RemoveLead,
    RuleSet,
    Segmentation,
    where,
)
from listboss.errors import RuleError
from listboss.rules._search import COST, MAX_COST
from listboss.rules._size import (
    ACTIONS_PER_FACT,
    MAX_ACTIONS,
    MAX_ACTIONS_PER_RULE,
    MAX_FACTS,
    MAX_PARTS,
    MAX_PARTS_PER_RULE,
    size_of,
)

NOW = datetime(2026, 5, 4, tzinfo=UTC)
LARGEST = AllOf(*(where.offer != f"offer {n}" for n in range(999)))
"""The largest condition that can be made: 1,000 parts."""


def rule(n: int, condition: Condition | None = None, **changes: Any) -> Segmentation:
    """Make a rule, for the first product on the approval by default, with one tag."""
    fields: dict[str, Any] = {
        "id": f"r{n}",
        "product_id": "42",
        "provider": "mail",
        "event": "purchase.approved",
        "actions": [AddTag(f"tag {n}")],
        "condition": condition,
    }
    return Segmentation(f"Rule {n}", **{**fields, **changes})


def with_parts(parts: int) -> list[Segmentation]:
    """Make rules that have exactly this many parts; an action is one of them."""
    whole, left = divmod(parts, size_of(LARGEST) + 1)
    rules = [rule(n, LARGEST) for n in range(whole)]
    return [*rules, rule(whole, AllOf(*LARGEST.conditions[: left - 2]))]


def with_actions(actions: int) -> Segmentation:
    """Make a rule of this many actions."""
    return rule(0, actions=[AddTag(f"tag {n}") for n in range(actions)])


def error_of(make: Callable[[], RuleSet]) -> tuple[str, str] | None:
    """Return the code and the path of the error that making a rule set raises, or None."""
    try:
        make()
    except RuleError as error:
        return error.code, error.path
    return None


def refused(*rules: Segmentation) -> tuple[str, str] | None:
    """Return the error of a rule set of some rules, which is the same if they are added."""
    error = error_of(lambda: RuleSet([], rules))
    assert error == error_of(lambda: RuleSet().add(*rules))
    return error


class TestSizeOfACondition:
    """A comparison is one part; whatever takes longer counts for more."""

    @pytest.mark.parametrize(
        ("condition", "size"),
        [
            (where.price > 5, 1),
            (where.offer.is_set(), 1),
            (where.price.between(1, 2), 2),
            (~where.price.between(1, 2), 3),
            (Not(where.offer.is_set()), 2),
            (AllOf(), 1),
            (AnyOf(where.offer == "a", AllOf(where.src == "b", where.sck != "c")), 5),
            (where.offer.is_in(*"abc"), 1),
            (where.offer.is_in(*"abcd"), 2),
            (where.offer.not_in(*map(str, range(41))), 11),
            (where.offer.is_in("a" * 31, "b" * 31), 1),
            (where.offer.is_in("a" * 64, "b", "c"), 2),
            (where.price.is_in(*range(100)), 26),
            (where.price == 10**18 - 1, 1),
            (where.price == -(10**18), 33),
            (where.price == Decimal("0." + "1" * 18), 1),
            (where.price == Decimal("0." + "1" * 19), 33),
            (where.price.between(Decimal(1), 10**18), 2 + 32),
            (where.price.is_in(*range(10**18, 10**18 + 4)), 1 + 4 * 129 // 4),
            (where.is_funnel.is_in(True, False), 1),
            (where.ordered_at < NOW, 1),
            (where.src.starts_with("a" * 511), 1),
            (where.src == "a" * 4_096, 9),
            (where.src.contains("abc"), 17),
            (where.src.contains("a" * 16), 24),
            (~where.src.contains("a" * 4_096), 1 + 16 + 2_048),
            (Comparison("src", "contains", 5), 1),
        ],
    )
    def test_each(self, condition, size):
        """Each kind of part counts as documented."""
        assert size == size_of(condition)


class TestParts:
    """The parts of all rules together are limited, and those on one event of a product."""

    def test_exact(self):
        """As many as allowed are accepted, and one more is not."""
        assert [None, ("too_complex", "$.segmentations[59]")] == [
            refused(*with_parts(MAX_PARTS)),
            refused(*with_parts(MAX_PARTS + 1)),
        ]

    def test_message(self):
        """The error names the rule that exceeds the limit, its event and its product."""
        with pytest.raises(RuleError) as caught:
            RuleSet([], [*with_parts(MAX_PARTS), rule(99)])
        assert "with `Rule 99`, the segmentations have more than 60,000 parts" == (
            caught.value.message
        )
        assert "shorten the longest conditions" in caught.value.hint

    def test_over_several_events(self):
        """Rules on different events of different products count together."""
        rules = [
            rule(n, LARGEST, product_id=f"p{n}", event=f"acme.e{n}")
            for n in range(MAX_PARTS // 1_000)
        ]
        assert ("too_complex", "$.segmentations[59]") == refused(*rules)

    def test_many_rules(self):
        """If the rules are many, each may have 30 parts on average."""
        condition = AllOf(*LARGEST.conditions[: MAX_PARTS_PER_RULE - 2])
        rules = [rule(n, condition) for n in range(2_100)]
        more = rule(-1, AllOf(*condition.conditions, where.price > 5))
        assert [None, ("too_complex", "$.segmentations[2100]")] == [
            refused(*rules),
            refused(*rules, more),
        ]

    def test_many_rules_beside_one_large_product(self):
        """Small rules of other products do not make room for those on one event."""
        others = [rule(1_000 + n, product_id="43") for n in range(5_000)]
        with pytest.raises(RuleError) as caught:
            RuleSet([], [*others, *with_parts(MAX_PARTS), rule(99)])
        assert "on `purchase.approved` of product `42` have more than 60,000 parts" in str(
            caught.value
        )

    def test_plans_and_actions_count(self):
        """A rule for several plans counts as often as it may be indexed, and actions count once."""
        condition = AllOf(*LARGEST.conditions[:99])  # 100 parts, and 400 for four plans
        plans = [f"plan {n}" for n in range(32)]  # which count for two more
        wide = [rule(n, condition, plan_ids=plans) for n in range(148)]  # and 403 with the action
        assert [None, ("too_complex", "$.segmentations[148]")] == [
            refused(*wide),
            refused(*wide, rule(148, condition, plan_ids=plans[:4])),
        ]


class TestActions:
    """The actions on one event of a product are limited, too."""

    def test_exact(self):
        """As many as allowed are accepted, and one more is not."""
        assert [None, ("too_complex", "$.segmentations[0]")] == [
            refused(with_actions(MAX_ACTIONS)),
            refused(with_actions(MAX_ACTIONS + 1)),
        ]

    def test_message(self):
        """The error names the rule that exceeds the limit, its event and its product."""
        with pytest.raises(RuleError) as caught:
            RuleSet([], [with_actions(MAX_ACTIONS), rule(7)])
        assert (
            "with `Rule 7`, the segmentations on `purchase.approved` of product `42` have more"
            " than 4,000 actions @ $.segmentations[1] (take fewer actions on one event, or search"
            " fewer facts with `contains`)"
        ) == str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "rules"),
        [
            ({"actions": [AddLead("a")]}, MAX_ACTIONS // 2),
            ({"actions": [MoveLead("a", source="b")]}, MAX_ACTIONS // 2),
            ({"actions": [RemoveLead("a"), AddTag("b"), AddTag("c")]}, MAX_ACTIONS // 3),
            ({"send": [f"fact {n}" for n in range(16)]}, MAX_ACTIONS // 3),
        ],
    )
    def test_what_counts_twice(self, changes, rules):
        """Additions and moves may contradict many others, and fields to send take time."""
        made = [rule(n, **changes) for n in range(rules + 1)]
        accepted = refused(*made[:-1])
        more = refused(*made, rule(-1, actions=[AddTag(f"tag {n}") for n in range(4)]))
        assert [None, "too_complex"] == [accepted, more and more[0]]

    def test_many_rules(self):
        """If the rules are many, each may have 2 actions on average."""
        actions = [AddTag(f"tag {n}") for n in range(MAX_ACTIONS_PER_RULE)]
        rules = [rule(n, actions=actions) for n in range(3_000)]
        more = rule(-1, actions=[*actions, AddTag("another")])
        assert [None, ("too_complex", "$.segmentations[3000]")] == [
            refused(*rules),
            refused(*rules, more),
        ]

    def test_other_events(self):
        """Other events and other products have their own limits."""
        actions = with_actions(MAX_ACTIONS).actions
        others: list[dict[str, Any]] = [{}, {"event": "purchase.refunded"}, {"product_id": "43"}]
        rules = [rule(n, actions=actions, **other) for n, other in enumerate(others)]
        assert refused(*rules) is None


def searching(n: int, fact: str, *lengths: int) -> Segmentation:
    """Make a rule that searches a fact for strings of these lengths."""
    strings = (chr(97 + k) * length for k, length in enumerate(lengths))
    return rule(n, AnyOf(*(where[fact].contains(each) for each in strings), where.price > 5))


FULL = [MAX_COST - COST]
"""The length of the longest single string that does not count as many."""


class TestFactsToSearch:
    """The facts that the segmentations on one event of a product search for many strings."""

    def many(self, number: int) -> list[Segmentation]:
        """Make rules that search this many facts for many strings, and three more for few."""
        lengths = [13] * (MAX_COST // (COST + 13) + 1)
        few = [searching(100 + n, f"other {n}", *FULL) for n in range(3)]
        return [*few, *(searching(n, f"fact {n}", *lengths) for n in range(number))]

    def test_exact(self):
        """As many as allowed are accepted, and one more is not."""
        assert [None, ("too_complex", f"$.segmentations[{MAX_FACTS + 3}]")] == [
            refused(*self.many(MAX_FACTS)),
            refused(*self.many(MAX_FACTS + 1)),
        ]

    def test_message(self):
        """The error names the rule that exceeds the limit, its event and its product."""
        with pytest.raises(RuleError) as caught:
            RuleSet([], [*self.many(MAX_FACTS), searching(-1, "other 1", 2)])
        assert (
            "with `Rule -1`, the segmentations on `purchase.approved` of product `42` search more"
            " than 8 facts for many strings @ $.segmentations[11] (search fewer facts with"
            " `contains`, or use `==` or `starts_with`)"
        ) == str(caught.value)

    def test_beside_actions(self):
        """Each of them leaves room for fewer actions."""
        searches = self.many(3)
        room = MAX_ACTIONS - 3 * ACTIONS_PER_FACT - len(searches)
        assert [None, ("too_complex", "$.segmentations[6]")] == [
            refused(*searches, attrs.evolve(with_actions(room), id="more")),
            refused(*searches, attrs.evolve(with_actions(room + 1), id="more")),
        ]

    def test_over_several_rules(self):
        """The strings of several rules for one fact count together."""
        rules = RuleSet([], self.many(MAX_FACTS))
        words = [f"word {n}" for n in range(MAX_COST // (COST + 6))]
        changed = rules.add(
            *(rule(200 + n, where["another"].contains(word)) for n, word in enumerate(words))
        )
        more = rule(300, ~where["another"].contains("another word"))
        with pytest.raises(RuleError, match="more than 8 facts"):
            changed.add(more)
        assert len(changed.remove("r200").add(more)) == len(changed)

    def test_equal_strings(self):
        """A string counts once, however many rules have it, and until none of them has it."""
        rules = RuleSet([], self.many(MAX_FACTS))
        word = where["another"].contains("x" * 70)
        changed = rules.add(rule(200, word), rule(201, word), rule(202, word & (where.price > 5)))
        more = rule(300, where["another"].contains("y" * 70))
        for removed in ("r200", "r201"):
            changed = changed.remove(removed)
            with pytest.raises(RuleError, match="more than 8 facts"):
                changed.add(more)
        assert len(changed.remove("r202").add(more)) == len(rules) + 1

    def test_other_events(self):
        """Other events and other products have their own limits."""
        others: list[dict[str, Any]] = [{}, {"event": "purchase.refunded"}, {"product_id": "43"}]
        rules = [
            attrs.evolve(each, id=f"{n}.{each.id}", **other)
            for n, other in enumerate(others)
            for each in self.many(MAX_FACTS)
        ]
        assert refused(*rules) is None

    def test_changed_step_by_step(self):
        """The sizes of a changed rule set equal those of a new one with the same rules."""
        dice = Random(5)
        rules = RuleSet()
        made = [searching(n, f"fact {n % 4}", *dice.choices(range(1, 300), k=3)) for n in range(60)]
        for each in made:
            rules = rules.add(each)
        for each in dice.sample(made, 40):
            rules = rules.remove(each.id)
        left = RuleSet([], rules.segmentations)._sizes
        assert left._totals == rules._sizes._totals
        assert [left._strings[key]._counts for key in left._strings] == [
            rules._sizes._strings[key]._counts for key in left._strings
        ]
        for each in rules.segmentations:
            rules = rules.remove(each.id)
        assert not rules._sizes._strings

    def test_other_operators(self):
        """Only `contains` counts."""
        conditions = [
            AnyOf(*(where[f"fact {n}"].starts_with("a" * k) for k in range(1, 60)))
            for n in range(20)
        ]
        assert refused(*(rule(n, each) for n, each in enumerate(conditions))) is None


class TestChanges:
    """A rule set that was accepted can be changed, and cannot grow beyond the limits."""

    full = RuleSet([], with_parts(MAX_PARTS))

    def test_add(self):
        """A rule that is added is counted; the path says which of those added."""
        assert ("too_complex", "$.segmentations[1]") == error_of(
            lambda: self.full.add(rule(98, actions=[]), rule(99))
        )

    def test_replace(self):
        """The rule that is replaced is no longer counted."""
        smaller = self.full.replace(rule(0, where.price > 5))
        assert smaller.add(rule(99, AllOf(*LARGEST.conditions[:997]))).replace(rule(0)) is not None
        with pytest.raises(RuleError, match="more than 60,000 parts"):
            smaller.replace(rule(0, LARGEST)).add(rule(99))

    def test_a_larger_replacement(self):
        """A replacement that is too large is refused."""
        with pytest.raises(RuleError, match="with `Rule 0`"):
            self.full.replace(rule(0, LARGEST, actions=[AddTag("a"), AddTag("b")]))

    def test_another_product(self):
        """A rule that goes to another product is counted there."""
        moved = self.full.replace(rule(0, LARGEST, product_id="43"))
        assert {"42", "43"} == set(moved.rules_by_product)

    def test_remove(self):
        """A removed rule makes room for another of its size."""
        assert self.full == self.full.remove("r59").add(self.full.segmentation("r59"))

    def test_never_in_the_way(self):
        """Rules can be removed, disabled and enabled, even if the limit then shrinks below."""
        condition = AllOf(*LARGEST.conditions[: MAX_PARTS_PER_RULE - 1])
        small = [rule(n, actions=[]) for n in range(100)]
        large = [rule(100 + n, condition) for n in range(2_000)]
        rules = RuleSet([], [*small, *large])
        for each in small:
            rules = rules.remove(each.id)
        rules = rules.replace(rule(100, condition, enabled=True)).disable("r100")
        assert 2_000 == len(rules)
        more = [rule(-1, actions=[], product_id="43"), rule(-2), rule(-3)]
        assert ("too_complex", "$.segmentations[1]") == error_of(lambda: rules.add(*more))
