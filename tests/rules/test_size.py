"""How large a rule set may be: exactly that, however it is made, and small rules without end."""

from collections.abc import Callable
from typing import Any

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
from listboss.rules._size import (
    MAX_ACTIONS,
    MAX_ACTIONS_PER_RULE,
    MAX_PARTS,
    MAX_PARTS_PER_RULE,
    size_of,
)

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
            (where.src.starts_with("a" * 4_096), 1),
            (where.src.contains("abc"), 16),
            (where.src.contains("a" * 16), 19),
            (~where.src.contains("a" * 4_096), 1 + 16 + 819),
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
        """The error names the rule that is too much, its event and its product."""
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
        """The error names the rule that is too much, its event and its product."""
        with pytest.raises(RuleError) as caught:
            RuleSet([], [with_actions(MAX_ACTIONS), rule(7)])
        assert (
            "with `Rule 7`, the segmentations on `purchase.approved` of product `42` have more"
            " than 4,000 actions @ $.segmentations[1] (take fewer actions on one event: an"
            " addition and a move count twice)"
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
        """Other events and other products have their own."""
        actions = with_actions(MAX_ACTIONS).actions
        others: list[dict[str, Any]] = [{}, {"event": "purchase.refunded"}, {"product_id": "43"}]
        rules = [rule(n, actions=actions, **other) for n, other in enumerate(others)]
        assert refused(*rules) is None


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
        with pytest.raises(RuleError, match="more than 60,030 parts"):
            rules.add(rule(-1))
