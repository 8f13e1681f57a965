import pytest

from listboss import AllOf, AnyOf, where
from listboss.engine.matching.normal_form import MAX_CONJUNCTIONS, MAX_LITERALS, normal_form
from listboss.rules.builtin import HOTMART

FACTS = ("offer", "src", "sck", "xcod", "coupon", "affiliate")


def _either(n):
    return AnyOf(where[FACTS[n % 6]] == f"a{n}", where.price >= n)


def _size(condition):
    form = normal_form(condition, HOTMART)
    return len(form.conjunctions), sum(map(len, form.conjunctions)), form.lossless


class TestLimits:
    """A condition becomes few conjunctions, however its ANDs and ORs are nested."""

    def test_multiplied_out(self):
        """Four ORs of two are sixteen conjunctions, each with four literals."""
        assert (16, 64, True) == _size(AllOf(*map(_either, range(4))))

    def test_one_and(self):
        """If there are more, only some ORs of the AND are multiplied out."""
        assert (4, 8, False) == _size(AllOf(*map(_either, range(5))))

    @pytest.mark.parametrize("groups", [2, 5, 15, 40])
    def test_an_or_of_ands(self, groups):
        """The limit is that of the whole condition, not of each AND in it."""
        condition = AnyOf(*(AllOf(*(_either(6 * g + n) for n in range(6))) for g in range(groups)))
        conjunctions, literals, lossless = _size(condition)
        assert conjunctions <= max(MAX_CONJUNCTIONS, condition.nodes // 4)
        assert literals <= max(MAX_LITERALS, condition.nodes)
        assert not lossless

    def test_an_and_with_many_literals(self):
        """Many literals beside an OR are not repeated for each of its parts."""
        many = [where.offer != f"a{n}" for n in range(400)]
        parts = [where.price.between(3 * n, 3 * n + 1) for n in range(16)]
        assert (1, 400, False) == _size(AllOf(*many, AnyOf(*parts)))

    def test_an_or_of_long_ands(self):
        """Few conjunctions of many literals are multiplied out less far, too."""
        many = [where.offer != f"a{n}" for n in range(30)]
        group = AllOf(*many, (where.price > 3) | (where.installments > 3))
        assert (2, 60, False) == _size(AnyOf(group, group))

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
