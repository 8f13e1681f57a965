"""Whether a condition can hold at all: what is decided at once, by a search, or not at all."""

from random import Random

import pytest

from listboss import HOTMART, AllOf, AnyOf, Not, where
from listboss.analysis import Region
from listboss.rules import _satisfiable
from listboss.rules._satisfiable import can_hold, never_hint
from listboss.testing import random_condition
from listboss.testing._worlds import CATALOGUE, FACTS

BR, PT = where.country == "BR", where.country == "PT"


class TestCanHold:
    """`can_hold` returns True, False, or None if it takes too long."""

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (BR, True),
            (BR & (where.offer != "a") & (where.installments > 3), True),
            (BR & PT, False),
            (Not(Not(BR & PT)), False),
            (Not(AnyOf(BR, where.country != "BR")), False),
            ((BR | (where.offer == "a")) & PT & where.offer.is_missing(), False),
            (AllOf(*[BR] * 120), None),
            (AnyOf(AllOf(BR, PT), where.offer == "a") & BR, True),
            (AllOf(*(BR | PT | (where.offer == f"a{n}") for n in range(2))), True),
            (AllOf(*(where.offer != f"a{n}" for n in range(110))), True),
            (AllOf(*(where.offer != f"a{n}" for n in range(601))), None),
            (AllOf(*(Not(where.src.contains(f"a{n}")) for n in range(20))), True),
            (AllOf(*(where.src.contains(f"a{n}") for n in range(8))), True),
            (AllOf(*(where.src.contains(f"a{n}") for n in range(9))), None),
            (AllOf(*(Not(where.price.between(n, 2 * n)) for n in range(90))), True),
            (AllOf(*(Not(where.price.between(n, 10**9)) for n in range(60))), None),
            (where.src.contains("ab") & Not(where.src.contains("a")), False),
            (where.src.contains("ab") & (where.src == "b"), False),
            (where.src.starts_with("ab") & where.src.is_missing(), False),
            (where.offer.starts_with("ab") & where.offer.starts_with("b"), False),
            (AllOf(where.src.starts_with("a"), *(where.src != f"a{n}" for n in range(110))), True),
        ],
    )
    def test_each(self, condition, expected):
        """Comparisons that exclude each other are found, however they are nested."""
        assert expected is can_hold(condition, HOTMART)

    def test_a_long_search(self):
        """The search gives up after some steps."""
        parts = [(where.price > n) | (where.full_price > n) for n in range(20, 44)]
        never = AllOf(*parts, where.price < 10, where.full_price.between(50, 60), where.price > 11)

        assert can_hold(never, HOTMART) is None

    def test_what_is_decided_at_once_is_right(self, amount, monkeypatch):
        """The region of a condition says the same, with the short cut and without."""
        for n in range(amount(ci=400, soak=20_000)):
            dice = Random(f"satisfiable/{n}")
            condition = random_condition(dice, dice.sample(FACTS, 3), depth=2)
            expected = not Region.of(condition, CATALOGUE).is_empty()
            assert expected is can_hold(condition, CATALOGUE)
            with monkeypatch.context() as patched:
                patched.setattr(_satisfiable, "_is_simple", lambda *_: False)
                assert expected is can_hold(condition, CATALOGUE)


class TestHint:
    """`never_hint` says what to do."""

    def test_facts(self):
        """It names the facts that are compared more than once."""
        hint = never_hint(BR & PT & (where.offer == "a"))

        assert hint.startswith("comparisons of `country` exclude each other")

    def test_one_comparison(self):
        """If there are none, a comparison alone never holds."""
        hint = never_hint(where.is_order_bump.not_in(True, False))

        assert "remove the comparison that no value meets" == hint
