from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random

import pytest

from listboss import (
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Comparison,
    Condition,
    Contact,
    Engine,
    Event,
    Not,
    Product,
    RuleSet,
    Segmentation,
    where,
)
from listboss.rules._facts import READERS, is_present
from listboss.testing import random_condition, random_facts
from listboss.testing._worlds import CATALOGUE, random_comparison

COURSE = Product("1", "Course", approved_at=date(2025, 1, 1))
MAIL = Capabilities.everything()


def which_hold(facts: dict, *conditions: Condition) -> list[bool]:
    """Return whether each condition holds: the engine gets a rule for each, and one event."""
    rules = RuleSet(
        [COURSE],
        [
            Segmentation(
                f"Rule {n}",
                id=str(n),
                product_id="1",
                provider="mail",
                event="quiz.passed",
                condition=condition,
                actions=AddTag(str(n)),
                enabled=True,
            )
            for n, condition in enumerate(conditions)
        ],
        providers={"mail": MAIL},
        catalogue=CATALOGUE,
    )
    event = Event(
        "quiz.passed",
        id="e-1",
        product_id="1",
        contact=Contact("ana@example.com"),
        occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
        facts=facts,
    )
    matched = Engine(rules).match(event)
    return [str(n) in matched for n in range(len(conditions))]


@pytest.fixture
def cases(amount) -> Callable[[int], list[tuple[dict, list[Condition], Random]]]:
    """Make many cases: facts, three conditions on them, and dice."""

    def cases(seed: int) -> list[tuple[dict, list[Condition], Random]]:
        made = []
        for n in range(amount(ci=600, soak=50_000)):
            dice = Random(f"{seed}/{n}")
            three = [random_condition(dice, depth=2) for _ in range(3)]
            made.append((random_facts(dice), three, dice))
        return made

    return cases


def assert_equivalent(facts: dict, one: Condition, two: Condition) -> None:
    """Check that two conditions both hold, or both do not."""
    first, second = which_hold(facts, one, two)
    assert first is second


class TestLaw16Algebra:
    """Law 16: conditions obey the laws of Boolean algebra, as far as the facts are known."""

    def test_de_morgan(self, cases):
        """`~(a & b)` is `~a | ~b`, and `~(a | b)` is `~a & ~b`; the same with `Not`."""
        for facts, (a, b, _), _ in cases(1):
            assert which_hold(facts, ~a | ~b) * 2 == which_hold(facts, ~(a & b), Not(a & b))
            assert which_hold(facts, ~a & ~b) * 2 == which_hold(facts, ~(a | b), Not(a | b))

    def test_distributivity(self, cases):
        """`a & (b | c)` is `(a & b) | (a & c)`, and the other way round."""
        for facts, (a, b, c), _ in cases(2):
            assert_equivalent(facts, a & (b | c), (a & b) | (a & c))
            assert_equivalent(facts, a | (b & c), (a | b) & (a | c))

    def test_double_negation(self, cases):
        """`~~a` is `a`, in each spelling."""
        for facts, (a, _, _), _ in cases(3):
            assert which_hold(facts, a) * 4 == which_hold(facts, ~~a, Not(Not(a)), ~Not(a), Not(~a))

    def test_order_and_grouping(self, cases):
        """`&` and `|` are commutative, associative and idempotent."""
        for facts, (a, b, c), _ in cases(4):
            assert_equivalent(facts, a & b, b & a)
            assert_equivalent(facts, a | b, b | a)
            assert_equivalent(facts, (a & b) & c, AllOf(a, AllOf(b, c)))
            assert_equivalent(facts, (a | b) | c, AnyOf(a, AnyOf(b, c)))
            assert which_hold(facts, a) * 2 == which_hold(facts, a & a, a | a)

    def test_empty_combinations(self, cases):
        """An empty `AllOf` always holds, an empty `AnyOf` never, also inside others."""
        for facts, (a, _, _), _ in cases(5):
            assert [True, False, False, True] == which_hold(
                facts, AllOf(), AnyOf(), Not(AllOf()), ~AnyOf()
            )
            assert which_hold(facts, a) * 2 == which_hold(facts, AllOf() & a, AnyOf() | a)

    def test_never_both(self, cases):
        """`c & ~c` never holds."""
        for facts, (a, _, _), _ in cases(6):
            assert [False] == which_hold(facts, a & ~a)

    def test_excluded_middle(self, cases):
        """`c | ~c` holds exactly if the fact that `c` compares is known."""
        known_and_not = set()
        for facts, _, dice in cases(7):
            c = random_comparison(dice)
            fact = CATALOGUE.fact(c.fact)
            assert fact is not None
            known = c.operator in {"is_set", "is_missing"} or (
                is_present(facts.get(c.fact)) and READERS[fact.kind](facts[c.fact]) is not None
            )
            known_and_not.add(known)
            assert [known, known] == which_hold(facts, AnyOf(c, ~c), AnyOf(c, Not(c)))
        assert {True, False} == known_and_not

    def test_excluded_middle_of_combinations(self, cases):
        """If all facts are known, `c | ~c` holds for every condition."""
        full = {
            "approved_at": datetime(2026, 5, 4, 12, tzinfo=UTC),
            "country": "BR",
            "currency": "BRL",
            "grade": "Gold",
            "installments": 6,
            "is_order_bump": True,
            "language": "pt-BR",
            "note": "ab",
            "offer": "abc",
            "payment_method": "BILLET",
            "price": 50,
            "score": 2,
            "state": "paid",
        }
        for _, (a, _, _), _ in cases(8):
            assert [True] == which_hold(full, a | ~a)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (~(where.score == 2), where.score != 2),
            (~(where.score != 2), where.score == 2),
            (~(where.score < 2), where.score >= 2),
            (~(where.score <= 2), where.score > 2),
            (~(where.score > 2), where.score <= 2),
            (~(where.score >= 2), where.score < 2),
            (~where.score.is_in(1, 2), where.score.not_in(1, 2)),
            (~where.score.not_in(1, 2), where.score.is_in(1, 2)),
            (~where.score.is_set(), where.score.is_missing()),
            (~where.score.is_missing(), where.score.is_set()),
        ],
    )
    def test_negated_comparisons(self, one: Comparison, other: Comparison) -> None:
        """`~` of a comparison equals the opposite comparison, and holds for the same facts."""
        assert other == one
        for facts in ({}, {"score": 1}, {"score": 2}, {"score": 3}, {"score": "2"}):
            assert_equivalent(facts, one, other)
            assert_equivalent(facts, Not(~one), other)

    @pytest.mark.parametrize("score", [0, 1, 2, 3, 4])
    def test_between_has_no_opposite_operator(self, score: int) -> None:
        """`~between` holds outside the bounds, if the value is known."""
        inside = where.score.between(1, 3)
        assert [1 <= score <= 3, not 1 <= score <= 3] == which_hold(
            {"score": score}, inside, ~inside
        )
        assert [False, False] == which_hold({"score": True}, inside, ~inside)
