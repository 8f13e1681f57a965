"""Encoders: every raw value has its cell, and the cache of spellings is bounded."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from listboss import HOTMART, where
from listboss.engine.matching.encoder import MAX_CACHED_SPELLINGS, encoder_of
from listboss.rules._literal import literal
from listboss.rules._partition import Partition

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOOK_ALIKE = (
    *("pis", "PI\u017f", "\xa0Pis"),  # first, since few spellings are cached
    *(None, "", " ", "1", "x", 0, 1, 2, True, False, Decimal(1), Decimal("1.5"), NOON),
)
CONDITIONS = {
    "coupon": [where.coupon == "1", where.coupon == "x"],
    "offer": [where.offer == "1", where.offer == "x"],
    "payment_method": [where.payment_method == "pix", where.payment_method == "PIS"],
    "country": [where.country == "BR", where.country == "PT"],
    "language": [where.language == "pt", where.language == "en-us"],
    "installments": [where.installments >= 1, where.installments < 7],
    "price": [where.price >= 1, where.price < Decimal("9.90")],
}


def _partition(*conditions):
    return Partition([literal(condition, HOTMART) for condition in conditions])


@pytest.mark.parametrize("fact", CONDITIONS)
def test_look_alikes_have_their_own_cells(fact):
    """1, True, Decimal(1) and "1" are four values, whatever came before."""
    partition = _partition(*CONDITIONS[fact])
    fresh = [encoder_of(partition)(raw) for raw in LOOK_ALIKE]
    used = encoder_of(partition)
    for order in (LOOK_ALIKE, LOOK_ALIKE[::-1], LOOK_ALIKE):
        assert dict(zip(map(repr, LOOK_ALIKE), fresh, strict=True)) == {
            repr(raw): used(raw) for raw in order
        }


@pytest.mark.parametrize("fact", CONDITIONS)
def test_missing_and_wrong_values(fact):
    """Both have cells of their own, after all others."""
    partition = _partition(*CONDITIONS[fact])
    encode = encoder_of(partition)
    wrong = "?" if fact in {"installments", "price"} else 7
    assert [partition.missing] * 3 == [encode(raw) for raw in (None, "", " ")]
    assert partition.missing + 1 == encode(wrong) == partition.size - 1


def test_cells_are_counted_from_the_base():
    """A fact with shared rows counts its cells from its first row."""
    partition = _partition(*CONDITIONS["price"], *CONDITIONS["price"])
    near, far = encoder_of(partition), encoder_of(partition, 100)
    assert [near(raw) + 100 for raw in LOOK_ALIKE] == [far(raw) for raw in LOOK_ALIKE]


@pytest.mark.parametrize(
    ("coupons", "most"),
    [(2, 2 * (2 + 1 + 2)), (100, 2 * (100 + 1 + 2)), (400, MAX_CACHED_SPELLINGS)],
)
def test_the_cache_of_spellings_is_bounded(coupons, most):
    """Spellings beyond the limit are encoded each time."""
    partition = _partition(*(where.coupon == f"coupon {n}" for n in range(coupons)))
    encode = encoder_of(partition)
    others = [f"{other} ".upper() for other in range(1_000)]
    known = ["Coupon 1".ljust(n) for n in range(9, 41)]
    before = [sys.getrefcount(raw) for raw in others]

    assert {partition.count - 1} == {encode(raw) for raw in others}
    assert partition.cells["coupon 1"] == encode("coupon 1")
    assert {encode("coupon 1")} == {encode(raw) for raw in known}
    kept = [sys.getrefcount(raw) for raw in others]
    assert most == sum(kept) - sum(before)


@pytest.mark.parametrize("base", [0, 100])
def test_an_event_without_the_fact_costs_nothing_more(base):
    """The first of them does not make Python copy the cells of thousands of strings."""
    partition = _partition(*(where.coupon == f"coupon {n}" for n in range(5_000)))
    encode: Any = encoder_of(partition, base)
    before = sys.getsizeof(encode.__self__)
    assert base + partition.missing == encode(None)
    assert before == sys.getsizeof(encode.__self__)
