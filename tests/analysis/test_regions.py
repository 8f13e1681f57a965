from random import Random

from listboss import Condition
from listboss.analysis import Region
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
