from decimal import Decimal
from itertools import combinations
from random import Random

import pytest

from listboss import HOTMART, AllOf, AnyOf, Comparison, Condition, FactType, Not, where
from listboss.analysis import Region
from listboss.errors import ConditionError
from listboss.rules._boxes import Budget, Space, are_disjoint
from listboss.testing import random_condition, reference
from listboss.testing._worlds import CATALOGUE, FACTS
from tests.analysis.brute import Combinations, event_with


def random_pairs(seed: str, count: int):
    """Make pairs of conditions on one to three facts, closed choices among them."""
    for n in range(count):
        dice = Random(f"{seed}/{n}")
        facts = dice.sample(FACTS, dice.choice([1, 1, 2, 2, 3]))
        yield [random_condition(dice, facts, depth=dice.choice([0, 1, 2, 3])) for _ in range(2)]


def holds(condition: Condition, facts: dict) -> bool:
    """Say with the reference whether a condition holds."""
    rules: object = Combinations([], CATALOGUE).rules
    return reference.holds(condition, rules, event_with(facts))  # type: ignore[arg-type]


class TestBruteForce:
    """What a region says about conditions is what trying all values says."""

    def test_pairs(self, amount):
        """Emptiness, implication, overlap, union, complement and members, for random pairs."""
        for one, other in random_pairs("regions", amount(ci=2_000, soak=100_000)):
            tried = Combinations([one, other], CATALOGUE)
            a, b = tried.holds(one), tried.holds(other)
            first, second = Region.of(one, CATALOGUE), Region.of(other, CATALOGUE)
            seen = {
                "empty": (first.is_empty(), second.is_empty()),
                "implies": (first.implies(second), second.implies(first)),
                "equals": first.equals(second),
                "overlaps": first.overlaps(second),
                "never both": (first & second).is_empty(),
                "either is all": (~(first | second)).is_empty(),
                "neither": (~first & ~second).is_empty(),
                "only first": (first - second).is_empty(),
                "double": (~~first).equals(first),
            }
            assert {
                "empty": (not a, not b),
                "implies": (not a & ~b, not b & ~a),
                "equals": a == b,
                "overlaps": bool(a & b),
                "never both": not a & b,
                "either is all": a | b == tried.everything,
                "neither": not tried.everything & ~a & ~b,
                "only first": not a & ~b,
                "double": True,
            } == seen, (one, other)
            for region, expected in (
                (first, (True, None)),
                (first & second, (True, True)),
                (first - second, (True, False)),
                (~first, (False, None)),
            ):
                facts = region.member()
                if facts is not None:
                    found = holds(one, facts), holds(other, facts)
                    assert expected == (found[0], None if expected[1] is None else found[1]), (
                        one,
                        other,
                        facts,
                    )


class TestNearest:
    """What to change in the facts of an event for a condition to hold."""

    def test_fewest_changes(self, amount):
        """No other facts need fewer changes, and the changed facts meet the condition."""
        for one, other in random_pairs("nearest", amount(ci=1_000, soak=50_000)):
            tried = Combinations([one, other], CATALOGUE)
            finer = Region.of(other, CATALOGUE)
            region = Region.of(one, CATALOGUE) & (finer | ~finer)
            holding = tried.holds(one)
            dice = Random(repr(one))
            number = dice.randrange(len(tried.maps))
            changes = region.nearest(tried.facts(number))
            if changes is None:
                assert not holding, one
                continue
            changed = {**tried.facts(number), **changes}
            assert holds(one, {k: v for k, v in changed.items() if v is not None}), (one, changed)
            here = tried.maps[number]
            fewest = min(
                sum(a is not b for a, b in zip(here, there, strict=True))
                for n, there in enumerate(tried.maps)
                if holding >> n & 1
            )
            assert fewest == len(changes), (one, tried.facts(number), changes)

    @pytest.mark.parametrize(
        ("condition", "facts", "expected"),
        [
            (where.price >= 250, {"price": 120}, {"price": 250}),
            (where.price <= 100, {"price": 120}, {"price": 100}),
            (where.price > 100, {"price": 20}, {"price": 101}),
            (where.price.between(10, 20), {"price": Decimal(30)}, {"price": 20}),
            (where.price.between(10, 20), {}, {"price": 10}),
            (where.price.between(10, 20), {"price": "12"}, {"price": 10}),
            (where.coupon.is_missing(), {"coupon": "x"}, {"coupon": None}),
            (where.coupon.is_set(), {"coupon": " "}, {"coupon": "other"}),
            (where.coupon.contains("vip"), {"coupon": "a-VIP"}, {}),
            (where.coupon.contains("vip"), {"coupon": "a"}, {"coupon": "vip"}),
            (Not(where.coupon.contains("vip")), {"coupon": "a-VIP"}, {"coupon": "other"}),
            ((where.country == "BR") | (where.country == "PT"), {"country": "pt"}, {}),
            (
                (where.country == "BR") & (where.price > 1) | (where.language == "en"),
                {"country": "PT"},
                {"language": "en"},
            ),
        ],
    )
    def test_each(self, condition, facts, expected):
        """A number changes to the nearest one that fits; blank text is missing."""
        assert expected == Region.of(condition, HOTMART).nearest(facts)

    def test_an_empty_region(self):
        """No change leads to a condition that can never hold."""
        never = (where.price < 1) & (where.price > 2)
        assert Region.of(never, HOTMART).nearest({}) is None


class TestRegion:
    """What is not compared with brute force."""

    def test_without_a_condition(self):
        """No condition always holds; the fewest facts are none."""
        region = Region.of(None, CATALOGUE)

        assert (False, {}) == (region.is_empty(), region.member())
        assert (~region).member() is None

    def test_repr(self):
        """The `repr` counts boxes; it shows no values."""
        assert "<Region of 1 boxes>" == repr(Region.of(where.score == 5, CATALOGUE))

    def test_conditions_of_different_facts(self):
        """Regions over different facts are combined in a space with both."""
        one, other = (Region.of(each, CATALOGUE) for each in (where.score > 1, where.note == "a"))

        assert {"score": 2, "note": "a"} == (one & other).member()
        assert (False, True) == (one.implies(other), one.overlaps(other))

    def test_a_difference_is_disjoint(self):
        """What is left of a box is divided into boxes without a common event."""
        inner = (where.score == 5) & (where.installments > 2) & (where.country == "BR")
        space = Space.of([inner], CATALOGUE)
        pieces = [*space.difference({}, space.boxes(inner, Budget())[0])]

        assert 3 == len(pieces)
        assert all(are_disjoint(one, other) for one, other in combinations(pieces, 2))

    def test_many_cases(self):
        """Boxes of many cases are kept as they are; what is inside another one changes nothing."""
        cases = [(where.score > n) & (where.installments != n) for n in range(70)]
        region = Region.of(AnyOf(*cases), CATALOGUE)

        assert region.equals(Region.of(AnyOf(*reversed(cases)), CATALOGUE))
        assert Region.of(cases[69], CATALOGUE).implies(region)
        assert {"installments": 0, "score": 2} == Region.of(cases[1], CATALOGUE).member()

    def test_too_complex(self):
        """A region of too many cases raises an error; nothing is guessed."""
        cases = AllOf(
            *(Comparison(f"f{n}", "is_set") | Comparison(f"g{n}", "is_set") for n in range(13))
        )
        facts = [FactType(f"{letter}{n}", "text") for n in range(13) for letter in "fg"]
        with pytest.raises(ConditionError) as caught:
            Region.of(cases, HOTMART.extended(facts=facts))

        assert "too_complex" == caught.value.code

    def test_too_complex_together(self):
        """So does a combination of two regions that are fine alone."""
        facts = [FactType(f"{letter}{n}", "text") for n in range(14) for letter in "fg"]
        catalogue = HOTMART.extended(facts=facts)
        one, other = (
            Region.of(
                AllOf(
                    *(
                        Comparison(f"f{n}", "is_set") | Comparison(f"g{n}", "is_set")
                        for n in numbers
                    )
                ),
                catalogue,
            )
            for numbers in (range(7), range(7, 14))
        )
        with pytest.raises(ConditionError):
            _ = one & other
        assert not one.implies(other)
