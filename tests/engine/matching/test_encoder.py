"""Doors: every raw value finds its place, and what they remember is bounded."""

import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from listboss import HOTMART, where
from listboss.engine.matching.encoder import MOST_REMEMBERED, door_of
from listboss.engine.matching.normal_form import literal
from listboss.engine.matching.partition import Domain

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOOK_ALIKE = (None, "", " ", "1", "x", 0, 1, 2, True, False, Decimal(1), Decimal("1.5"), NOON)
CONDITIONS = {
    "offer": [where.offer == "1", where.offer == "x"],
    "country": [where.country == "BR", where.country == "PT"],
    "language": [where.language == "pt", where.language == "en-us"],
    "installments": [where.installments >= 1, where.installments < 7],
    "price": [where.price >= 1, where.price < Decimal("9.90")],
}


def _domain(*conditions):
    return Domain([literal(condition, HOTMART) for condition in conditions])


@pytest.mark.parametrize("fact", CONDITIONS)
def test_look_alikes_have_their_own_places(fact):
    """Whatever came before: 1, True, Decimal(1) and "1" are four values."""
    domain = _domain(*CONDITIONS[fact])
    fresh = [door_of(domain)(raw) for raw in LOOK_ALIKE]
    used = door_of(domain)
    for order in (LOOK_ALIKE, LOOK_ALIKE[::-1], LOOK_ALIKE):
        assert dict(zip(map(repr, LOOK_ALIKE), fresh, strict=True)) == {
            repr(raw): used(raw) for raw in order
        }


@pytest.mark.parametrize("fact", CONDITIONS)
def test_no_value_and_a_wrong_one(fact):
    """Both have places of their own, after all others."""
    domain = _domain(*CONDITIONS[fact])
    door = door_of(domain)
    wrong = "?" if fact in {"installments", "price"} else 7
    assert [domain.missing] * 3 == [door(raw) for raw in (None, "", " ")]
    assert domain.missing + 1 == door(wrong) == domain.places - 1


def test_places_are_counted_from_a_base():
    """Facts that share a row of masks stand one after the other."""
    domain = _domain(*CONDITIONS["price"], *CONDITIONS["price"])
    near, far = door_of(domain), door_of(domain, 100)
    assert [near(raw) + 100 for raw in LOOK_ALIKE] == [far(raw) for raw in LOOK_ALIKE]


@pytest.mark.parametrize(
    ("offers", "most"), [(2, 2 * (2 + 1 + 2)), (100, 2 * (100 + 1 + 2)), (400, MOST_REMEMBERED)]
)
def test_few_spellings_are_remembered(offers, most):
    """At most so many, and all the others are found all the same."""
    domain = _domain(*(where.offer == f"offer {n}" for n in range(offers)))
    door = door_of(domain)
    others = [f"{other} ".upper() for other in range(1_000)]
    known = ["Offer 1".ljust(n) for n in range(8, 40)]
    before = [sys.getrefcount(raw) for raw in others]

    assert {domain.count - 1} == {door(raw) for raw in others}
    assert domain.known["offer 1"] == door("offer 1")
    assert {door("offer 1")} == {door(raw) for raw in known}
    kept = [sys.getrefcount(raw) for raw in others]
    assert most == sum(kept) - sum(before)
