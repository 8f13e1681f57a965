"""The printed index: what a person reads about how rules are found."""

import pytest

from listboss import AddTag, where
from listboss.engine.matching.show import show_index
from listboss.errors import UnknownIdError


@pytest.fixture
def shown(rule_set, rule):
    """Print the index of rules with these conditions."""

    def shown(*conditions, event="purchase.approved", plan_id=None, product_id="42", **changes):
        rules = [
            rule(f"r{n}", AddTag("t"), condition=condition, product_id=product_id, **changes)
            for n, condition in enumerate(conditions)
        ]
        return show_index(rule_set(*rules), product_id, event, plan_id).splitlines()

    return shown


def test_cells_of_numbers_are_points_and_gaps(shown):
    """Each mentioned number is a cell, and so is each gap between two of them."""
    lines = shown(where.installments >= 6, where.installments.between(2, 5))
    assert [
        "scan bucket: 2 rules, 2 entries",
        "entry 0  r0  installments ge 6",
        "entry 1  r1  installments between 2 5",
        "installments      x < 2  0b00",
        "installments          2  0b10",
        "installments  2 < x < 5  0b10",
        "installments          5  0b10",
        "installments  5 < x < 6  0b00",
        "installments          6  0b01",
        "installments      x > 6  0b01",
        "installments       none  0b00",
        "installments      wrong  0b00",
    ] == lines


def test_a_rule_with_alternatives_has_several_entries(shown):
    """Each conjunction of a normal form is an entry of its rule."""
    lines = shown((where.country == "BR") | where.language.is_missing())
    assert ["entry 0  r0  language is_missing", "entry 1  r0  country eq BR"] == lines[1:3]


def test_a_rule_that_is_rechecked_says_so(shown):
    """A condition that cells do not decide is rechecked."""
    assert "entry 0  r0 (rechecked)  " == shown(where.coupon.contains("x"))[1]


def test_a_rule_without_condition(shown):
    """It has one entry without literals, and no cells."""
    assert ["scan bucket: 1 rule, 1 entry", "entry 0  r0  "] == shown(None)


def test_selective_facts_have_bins(shown):
    """Entries that one string decides are in bins of one cell, and in no bitmap."""
    lines = shown(*(where.offer == f"o{n:02}" for n in range(40)))
    assert "scan bucket: 40 rules, 40 entries" == lines[0]
    assert "bin offer o00: 1 entry" == lines[41]


def test_selective_ranges_have_bins_of_several_cells(shown):
    """Narrow ranges are in bins of a run of cells; many of them make an indexed bucket."""
    lines = shown(*(where.price.between(n, n + 1) for n in range(0, 1_200, 2)))
    assert "indexed bucket: 600 rules, 600 entries" == lines[0]
    assert "bin price x < 0 … 31: 16 entries" == next(x for x in lines if x.startswith("bin"))


def test_a_subscription_plan_has_its_own_bucket(shown):
    """The rules of a plan are shown for that plan, and for no other."""
    inside = {"product_id": "77", "plan_ids": ("10",)}
    assert ["1 rule", "0 rules"] == [
        shown(where.country == "BR", plan_id=plan, **inside)[0].split(": ")[1].split(",")[0]
        for plan in ("10", "20")
    ]


def test_an_unknown_product(rule_set):
    """A product that the rule set does not have is an error."""
    with pytest.raises(UnknownIdError, match="unknown product `9`"):
        show_index(rule_set(), "9", "purchase.approved")
