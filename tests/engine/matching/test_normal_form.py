from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from listboss import AllOf, AnyOf, Comparison, FactValue, Operator, where
from listboss.engine.matching.normal_form import (
    MAX_CONJUNCTIONS,
    MAX_FILTER,
    MAX_LITERALS,
    NOT_INDEXED,
    normal_form,
)
from listboss.engine.matching.predicate import predicate
from listboss.rules._facts import operators_of
from listboss.rules._literal import hold
from listboss.rules.builtin import HOTMART
from listboss.rules.condition import LISTS, NO_VALUE

FACTS = ("offer", "src", "sck", "xcod", "coupon", "affiliate")


def _either(n):
    return AnyOf(where[FACTS[n % 6]] == f"a{n}", where.price >= n)


def _size(condition):
    form = normal_form(condition, HOTMART)
    return len(form.conjunctions), sum(map(len, form.conjunctions)), form.lossless


class TestLimits:
    """A condition becomes few conjunctions, however its ANDs and ORs are nested."""

    def test_multiplied_out(self):
        """Three ORs of two are eight conjunctions, each with three literals."""
        assert (8, 24, True) == _size(AllOf(*map(_either, range(3))))

    def test_one_and(self):
        """If there are more, only some ORs of the AND are multiplied out."""
        assert (4, 8, False) == _size(AllOf(*map(_either, range(4))))

    @pytest.mark.parametrize("groups", [2, 5, 15, 40])
    def test_an_or_of_ands(self, groups):
        """The limit is that of the whole condition, not of each AND in it."""
        condition = AnyOf(*(AllOf(*(_either(6 * g + n) for n in range(6))) for g in range(groups)))
        conjunctions, literals, lossless = _size(condition)
        assert conjunctions <= max(MAX_CONJUNCTIONS, condition.nodes // 4)
        assert literals <= max(MAX_LITERALS, condition.nodes)
        assert not lossless

    def test_an_and_with_many_literals(self):
        """Many literals beside an OR are not repeated for each of its parts, and few are kept."""
        many = [where.offer != f"a{n}" for n in range(400)]
        parts = [where.price.between(3 * n, 3 * n + 1) for n in range(16)]
        assert (1, MAX_FILTER, False) == _size(AllOf(*many, AnyOf(*parts)))
        assert (1, 400, True) == _size(AllOf(*many))

    def test_an_or_of_long_ands(self):
        """Few conjunctions of many literals are multiplied out less far, too."""
        many = [where.offer != f"a{n}" for n in range(29)]
        either = (where.price > 3) | (where.installments > 3)
        groups = [AllOf(*many, where.coupon == f"b{n}", either) for n in range(2)]
        assert (2, 2 * MAX_FILTER, False) == _size(AnyOf(*groups))

    def test_the_literals_of_a_filter(self):
        """Those are kept that let the fewest events through."""
        others = [where.offer != f"a{n}" for n in range(9)] + [where.price > 3]
        equal = [where.country == "BR", where.currency == "BRL"]
        condition = AllOf(where.src.contains("x"), *others, *equal)
        (kept,) = normal_form(condition, HOTMART).conjunctions
        assert ["country", "currency", "price", "offer"] == [literal.fact for literal in kept]

    def test_a_list_counts_as_several(self):
        """A list of many values is not repeated for each part of an OR, either."""
        ranges = [where.price.between(3 * n, 3 * n + 1) for n in range(16)]
        long, short = (where.offer.is_in(*(f"a{n}" for n in range(k))) for k in (400, 3))
        assert (1, 1, False) == _size(AllOf(long, AnyOf(*ranges)))
        assert (16, 32, True) == _size(AllOf(short, AnyOf(*ranges)))

    def test_as_many_as_are_written(self):
        """An OR of many comparisons keeps all of them."""
        parts = [where.price.between(3 * n, 3 * n + 1) for n in range(900)]
        assert (900, 900, True) == _size(AnyOf(*parts))

    def test_a_part_that_is_not_indexed(self):
        """An OR with a part that any event may meet is one empty conjunction."""
        parts = [where.src.contains(f"a{n}") for n in range(20)]
        assert (1, 0, False) == _size(AnyOf(*parts, where.price >= 9))

    def test_no_conjunction(self):
        """A condition that never holds has no conjunctions."""
        assert (0, 0, True) == _size(AllOf(AnyOf(), where.offer == "x", _either(1)))


VALUES: dict[str, list[FactValue]] = {
    "installments": [1, 2, 3],
    "offer": ["a", "b", "c"],
    "language": ["pt", "pt-BR", "en"],
    "product_name": ["a", "b", "ab"],
}
"""Values of facts of several kinds."""


def _comparisons(fact: str) -> Iterator[Comparison]:
    """Return comparisons of a fact with each of its values, and with lists of them."""
    known = HOTMART.fact(fact)
    assert known is not None
    for operator in [each for each in operators_of(known.kind) if each not in NOT_INDEXED]:
        if operator in NO_VALUE:
            yield Comparison(fact, operator)
        elif operator is Operator.BETWEEN:
            yield Comparison(fact, operator, VALUES[fact][:2])
        elif operator in LISTS:
            yield from (Comparison(fact, operator, pair) for pair in combinations(VALUES[fact], 2))
        else:
            yield from (Comparison(fact, operator, value) for value in VALUES[fact])


class TestAlternatives:
    """The alternatives of an OR on one fact become one literal if their operators are similar."""

    @pytest.mark.parametrize("fact", VALUES)
    @pytest.mark.parametrize("several", [2, 3])
    def test_holds_where_one_of_them_does(self, fact, several):
        """The joined literals hold on the same values, on none, and on one of a wrong type."""
        facts: list[dict[str, Any]] = [
            {},
            {fact: True},
            *({fact: value} for value in [*VALUES[fact], 4, "d", "pt-PT"]),
        ]
        for parts in combinations(list(_comparisons(fact)), several):
            condition = AnyOf(*parts)
            form, test = normal_form(condition, HOTMART), predicate(condition, HOTMART)
            held = [any(hold(each, event) for each in form.conjunctions) for event in facts]
            assert held == [test(event) for event in facts], parts

    @pytest.mark.parametrize(
        ("condition", "size"),
        [
            (AnyOf(*(where.price >= n for n in range(28))), 1),
            (AnyOf(where.price >= 3, where.price > 2, where.price < 1, where.price <= 1), 2),
            (AnyOf(*(where.offer != f"a{n}" for n in range(28))), 1),
            (AnyOf(where.offer.not_in("a", "b"), where.offer != "b", where.src != "b"), 2),
            (AnyOf(where.offer == "a", where.offer.is_in("b", "c"), where.offer != "d"), 2),
            (AnyOf(*(where.language != tag for tag in ("pt", "pt-BR", "pt"))), 2),
            (AnyOf(*(where.offer.is_set() for _ in range(28))), 1),
            (AnyOf(*(where.price.between(n, 9) for n in (1, 2, 1))), 2),
        ],
    )
    def test_are_few(self, condition, size):
        """Bounds, exclusions, equalities and equal literals are joined; ranges are not."""
        assert (size, size, True) == _size(condition)
