import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from listboss import AllOf, AnyOf, Comparison, Condition, Not, where
from listboss.errors import ArgumentTypeError, ConditionError
from listboss.rules import Operator
from listboss.rules.condition import MAX_DEPTH, MAX_NODES, NEGATED, comparisons

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
A, B, C = where.a == 1, where.b == 2, where.c == 3


def nested(depth):
    """Negate `depth` times, without cancelling a negation."""
    condition: Condition = A
    for _ in range(depth):
        condition = Not(condition)
    return condition


class TestWhere:
    """Conditions as a host writes them."""

    @pytest.mark.parametrize(
        ("written", "operator", "value"),
        [
            (where.a == 1, "eq", 1),
            (where.a != 1, "ne", 1),
            (where.a < 1, "lt", 1),
            (where.a <= 1, "le", 1),
            (where.a > 1, "gt", 1),
            (where.a >= 1, "ge", 1),
            (where.a.is_in(1, 2), "in", (1, 2)),
            (where.a.not_in(1), "not_in", (1,)),
            (where.a.between(1, 2), "between", (1, 2)),
            (where.a.contains("x"), "contains", "x"),
            (where.a.starts_with("x"), "starts_with", "x"),
            (where.a.is_set(), "is_set", None),
            (where.a.is_missing(), "is_missing", None),
            (where["a"] == 1, "eq", 1),
        ],
    )
    def test_operators(self, written, operator, value):
        """Each expression gives its comparison."""
        assert Comparison("a", operator, value) == written

    def test_repr(self):
        """A reference to a fact shows how it was made."""
        assert ("where", "where.a", "where['a b']") == (
            repr(where),
            repr(where.a),
            repr(where["a b"]),
        )

    def test_dunder_names(self):
        """Names that Python looks up itself are not facts."""
        with pytest.raises(AttributeError):
            _ = where.__wrapped__

    def test_a_reference_is_not_a_dictionary_key(self):
        """Since `==` builds a condition, a reference has no hash."""
        with pytest.raises(TypeError):
            hash(where.a)


class TestComparison:
    """A comparison of one fact with a value."""

    @pytest.mark.parametrize("fact", ["", " "])
    def test_blank_fact(self, fact):
        """A blank name of a fact is refused."""
        with pytest.raises(ConditionError) as caught:
            Comparison(fact, "eq", 1)
        assert "$.fact" == caught.value.path

    def test_unknown_operator(self):
        """The error for an unknown operator lists the known ones and names the nearest."""
        with pytest.raises(ConditionError) as caught:
            Comparison("a", "start_with", ".*")
        assert ("unknown_operator", "$.operator") == (caught.value.code, caught.value.path)
        assert "`contains`" in caught.value.message
        assert "did you mean `starts_with`?" == caught.value.hint

    @pytest.mark.parametrize(
        ("operator", "value"),
        [
            ("eq", Decimal("NaN")),
            ("eq", Decimal("-Infinity")),
            ("eq", NOON.replace(tzinfo=None)),
            ("eq", "\ud83d"),
            ("in", ["a", Decimal("NaN")]),
            ("between", [1]),
            ("between", [1, 2, 3]),
            ("is_set", 1),
            ("is_missing", False),
        ],
    )
    def test_impossible_values(self, operator, value):
        """A value that no fact can have is refused."""
        with pytest.raises(ConditionError) as caught:
            Comparison("a", operator, value)
        assert caught.value.path.startswith("$.value")

    @pytest.mark.parametrize(
        ("operator", "value"),
        [("eq", 1.5), ("eq", None), ("eq", ["a"]), ("in", "abc"), ("in", b"a"), ("in", 3),
         ("not_in", [1.5]), ("between", None)],
    )  # fmt: skip
    def test_wrong_types(self, operator, value):
        """A float, None, a list instead of one value, and the other way round are refused."""
        with pytest.raises(ArgumentTypeError) as caught:
            Comparison("a", operator, value)
        assert caught.value.path.startswith("$.value")

    def test_instants_are_kept_in_utc(self):
        """Comparisons with the same time in two zones are equal."""
        elsewhere = NOON.astimezone(timezone(timedelta(hours=3)))
        assert (where.a == NOON) == (where.a == elsewhere)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (where.a == 1, where.a == True),  # noqa: E712 # builds a condition
            (where.a == 1, where.a == Decimal(1)),
            (where.a.is_in(1), where.a.is_in(True)),
            (where.a == 1, where.b == 1),
            (where.a == 1, where.a != 1),
        ],
    )
    def test_equality_is_typed(self, one, other):
        """Comparisons with equal values of different types differ."""
        assert (one == other) is False
        assert len({one, other}) == 2

    @pytest.mark.parametrize("operator", NEGATED)
    def test_negation(self, operator):
        """`~` gives the opposite operator, and a second `~` the comparison itself."""
        value = {"is_set": None, "is_missing": None, "in": (1,), "not_in": (1,)}.get(operator, 1)
        comparison = Comparison("a", operator, value)
        assert Comparison("a", NEGATED[operator], value) == ~comparison
        assert comparison == ~~comparison

    @pytest.mark.parametrize(
        "comparison", [where.a.between(1, 2), where.a.contains("x"), where.a.starts_with("x")]
    )
    def test_negation_without_an_opposite(self, comparison):
        """Where no operator is the opposite, `~` gives a `Not`."""
        assert Not(comparison) == ~comparison
        assert comparison == ~~comparison

    def test_every_operator_has_an_opposite_but_three(self):
        """The table is symmetric and has all operators but three."""
        assert {Operator.BETWEEN, Operator.CONTAINS, Operator.STARTS_WITH} == (
            set(Operator) - set(NEGATED)
        )
        assert all(NEGATED[NEGATED[operator]] is operator for operator in NEGATED)


class TestCombinations:
    """`&`, `|`, `~`."""

    def test_and_or_flatten(self):
        """A chain of one kind is one combination."""
        assert AllOf(A, B, C) == (A & B) & C == A & (B & C)
        assert AnyOf(A, B, C) == (A | B) | C == A | (B | C)

    def test_mixed_ones_nest(self):
        """A combination of another kind is nested."""
        assert AllOf(AnyOf(A, B), C) == (A | B) & C
        assert AllOf(Not(A), B) == Not(A) & B

    def test_negation(self):
        """`~` follows De Morgan and cancels a `Not`."""
        assert AnyOf(~A, ~B) == ~(A & B)
        assert AllOf(~A, ~B) == ~(A | B)
        assert A & B == ~Not(A & B)

    @pytest.mark.parametrize("condition", [A, A & B, A | B, Not(A), AllOf()])
    def test_no_truth_value(self, condition):
        """`and`, `or`, `not` and `if` on a condition raise, and the hint says what to write."""
        with pytest.raises(ArgumentTypeError) as caught:
            bool(condition)
        assert "parentheses" in caught.value.hint

    @pytest.mark.parametrize("make", [AllOf, AnyOf, Not, A.__and__, A.__or__])
    @pytest.mark.parametrize("part", ["a", None, True, where.a])
    def test_only_conditions(self, make, part):
        """Anything but a condition is refused."""
        with pytest.raises(ArgumentTypeError):
            make(part)

    def test_repr(self):
        """A combination shows how it was made."""
        expected = f"AllOf({A!r}, AnyOf({B!r}, {C!r}))"
        assert expected == repr(A & (B | C))

    @pytest.mark.parametrize("condition", [A, A & B, A | (B & ~C), Not(A)])
    def test_value(self, condition):
        """Conditions can be hashed and pickled."""
        assert condition == pickle.loads(pickle.dumps(condition))
        assert hash(condition) == hash(pickle.loads(pickle.dumps(condition)))


class TestLimits:
    """Size is bounded at construction."""

    def test_depth(self):
        """At most 32 combinators are nested."""
        assert MAX_DEPTH - 1 == nested(MAX_DEPTH - 1).depth
        deepest = nested(MAX_DEPTH)
        assert MAX_DEPTH == deepest.depth == 32
        for make in (Not, AllOf, AnyOf, lambda part: B & part, lambda part: B | part):
            with pytest.raises(ConditionError) as caught:
                make(deepest)
            assert "too_deep" == caught.value.code

    def test_nodes(self):
        """A condition has at most 1,000 comparisons and combinators."""
        assert MAX_NODES - 1 == AllOf(*[A] * (MAX_NODES - 2)).nodes
        largest = AllOf(*[A] * (MAX_NODES - 1))
        assert MAX_NODES == largest.nodes == 1_000
        for make in (
            Not,
            AnyOf,
            AllOf,
            lambda part: part & B,
            lambda part: AllOf(*[A] * MAX_NODES),
        ):
            with pytest.raises(ConditionError) as caught:
                make(largest)
            assert "too_large" == caught.value.code

    def test_negating_the_largest(self):
        """`~` of a condition at a limit stays within it."""
        assert MAX_NODES == (~AllOf(*[A] * (MAX_NODES - 1))).nodes
        assert MAX_DEPTH - 1 == (~nested(MAX_DEPTH)).depth

    def test_negating_what_has_no_opposite(self):
        """`~` of a combination that needs a `Not` for each part is bounded too."""
        many = AllOf(*[where.a.between(1, 2)] * 600)
        with pytest.raises(ConditionError):
            _ = ~many
        assert 602 == Not(many).nodes


class TestComparisons:
    """The comparisons of a condition with their paths."""

    def test_paths(self):
        """Each comparison has its path in the written format."""
        condition = AllOf(A, AnyOf(B, Not(C)))
        assert [("$.all[0]", A), ("$.all[1].any[0]", B), ("$.all[1].any[1].not", C)] == list(
            comparisons(condition)
        )

    def test_none(self):
        """Without a condition there are no comparisons."""
        assert [] == list(comparisons(None))

    def test_a_single_one(self):
        """A single comparison has the given path."""
        assert [("$.condition", A)] == list(comparisons(A, "$.condition"))
