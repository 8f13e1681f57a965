"""Which cells of a fact have a value at all, and the value that is shown for each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from string import ascii_uppercase
from typing import Any

import pytest

from listboss import HOTMART, AnyOf, Comparison, Condition, Contact, Event, where
from listboss.analysis import Region
from listboss.rules._cells import SEPARATORS
from listboss.rules._literal import literal
from listboss.rules._partition import Partition
from listboss.rules._satisfiable import can_hold
from listboss.testing._worlds import CATALOGUE

COUNTRIES = ["".join(letters) for letters in product(ascii_uppercase, repeat=2)]
TICK = timedelta(microseconds=1)
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
HUGE = Decimal("9" * 128 + "E+1")
TINY = Decimal("1E-128")
LOWEST = HUGE.copy_negate()
LONG = "1." + "0" * 126 + "1"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def member(condition: Condition) -> dict[str, Any] | None:
    """Return the facts of an event that meets a condition; an event accepts them."""
    facts = Region.of(condition, HOTMART).member()
    assert can_hold(condition, HOTMART) is (facts is not None)
    if facts is not None:
        Event(
            "purchase.approved",
            id="e",
            product_id="42",
            contact=Contact("ana@example.com"),
            occurred_at=NOON,
            facts=facts,
        )
    return facts


class TestSamples:
    """A value that is shown for a cell without a value of its own."""

    @pytest.mark.parametrize(
        ("condition", "value"),
        [
            (where.country != "BR", "PT"),
            (where.country.not_in("BR", "PT", "US", "ES", "MX"), "AA"),
            (where.currency.not_in("BRL", "EUR", "USD", "MXN"), "AAA"),
            (where.language != "pt", "en"),
            (where.language.not_in("pt", "en", "es", "fr", "aa"), "ab"),
            (where.coupon != "Spring", "other"),
            (where.coupon.not_in("other", "OTHER 2"), "other 3"),
            (where.offer != "a", "other"),
            (where.payment_method != "PIX", "BILLET"),
            (where.is_order_bump != True, False),  # noqa: E712 # a condition, no test of truth
            (where.installments < 3, 2),
            (where.installments > 3, 4),
            ((where.installments > 3) & (where.installments < 6), 4),
            (where.installments != 3, 2),
            (where.price > Decimal("49.90"), Decimal("50.9")),
            (where.price < 10, Decimal(9)),
            ((where.price > 2) & (where.price < 3), Decimal("2.1")),
            ((where.price > -3) & (where.price < 5), Decimal(0)),
            ((where.price > Decimal("49.90")) & (where.price < 50), Decimal("49.91")),
            (where.approved_at < NOON, NOON - timedelta(days=1)),
            (where.approved_at > NOON, NOON + timedelta(days=1)),
            ((where.approved_at > NOON) & (where.approved_at < NOON + 2 * TICK), NOON + TICK),
        ],
    )
    def test_value(self, condition, value):
        """It reads well, and an event can have it."""
        assert [value] == list((member(condition) or {}).values())

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("installments", 1),
            ("price", Decimal(1)),
            ("approved_at", datetime(2026, 1, 1, tzinfo=UTC)),
            ("country", "BR"),
            ("is_order_bump", True),
            ("offer", "other"),
        ],
    )
    def test_any_value(self, name, value):
        """A fact that only has to be there gets any value."""
        assert {name: value} == member(where[name].is_set())

    @pytest.mark.parametrize(
        ("name", "value"),
        [("installments", "text"), ("price", "text"), ("is_order_bump", "text"), ("country", 0)],
    )
    def test_wrong_type(self, name, value):
        """What is set, and is neither one thing nor the other, has a wrong type."""
        other: Any = {"installments": 1, "price": 1, "is_order_bump": True, "country": "BR"}[name]
        equal = Comparison(name, "eq", other)
        region = Region.of(where[name].is_set(), HOTMART)
        known = Region.of(equal | ~equal, HOTMART)

        assert {name: value} == (region - known).member()


class TestLimits:
    """Between two values there may be no third one."""

    @pytest.mark.parametrize(
        "condition",
        [
            (where.installments > 2) & (where.installments < 3),
            where.installments > 2**128 - 1,
            where.installments < 1 - 2**128,
            where.price > HUGE,
            where.price < LOWEST,
            (where.price > 0) & (where.price < TINY),
            (where.price > 1) & (where.price < Decimal(LONG)),
            (where.price > TINY) & (where.price < Decimal(LONG + "E-128")),
            where.approved_at < FIRST,
            where.approved_at > LAST,
            (where.approved_at > NOON) & (where.approved_at < NOON + TICK),
            where.country.not_in(*COUNTRIES),
            where.is_order_bump.not_in(True, False),
            where.smart_payment_status.not_in(
                "started",
                "active",
                "inactive",
                "delayed",
                "cancelled_by_admin",
                "cancelled by seller",
            ),
        ],
    )
    def test_no_value(self, condition):
        """No event has such a value, so the condition can never hold."""
        assert member(condition) is None

    @pytest.mark.parametrize(
        ("condition", "value"),
        [
            (where.installments > 2**128 - 2, 2**128 - 1),
            (where.price > Decimal("9E+128"), HUGE),
            (where.price < Decimal("-9E+128"), LOWEST),
            ((where.price > 0) & (where.price < 2 * TINY), TINY),
            (where.approved_at < FIRST + TICK, FIRST),
            (where.approved_at > LAST - TICK, LAST),
            (where.country.not_in(*COUNTRIES[:-1]), "ZZ"),
        ],
    )
    def test_the_last_value(self, condition, value):
        """The last value that an event can have is found."""
        assert [value] == list((member(condition) or {}).values())


class TestText:
    """Strings that contain some strings and not others."""

    @pytest.mark.parametrize(
        ("condition", "value"),
        [
            (where.coupon.contains("sum"), "sum"),
            (where.coupon.contains("ab") & where.coupon.contains("bc"), "-ab-bc"),
            (where.coupon.starts_with("x") & where.coupon.contains("-"), "x_-"),
            (where.coupon.starts_with("sum") & (where.coupon != "sum"), "sum-"),
            (where.coupon.starts_with("sum") & where.coupon.not_in("sum", "sum-"), "sum--"),
            (~where.coupon.contains("other"), "-"),
            (where.offer.starts_with("aB") & ~where.offer.starts_with("aBc"), "aB"),
            (where.coupon.starts_with("A") & where.coupon.starts_with("ab"), "ab"),
        ],
    )
    def test_possible(self, condition, value):
        """The string is made of the parts that it must have."""
        assert [value] == list((member(condition) or {}).values())

    @pytest.mark.parametrize(
        "condition",
        [
            where.coupon.starts_with("a") & where.coupon.starts_with("b"),
            where.coupon.starts_with("summer") & ~where.coupon.contains("SUM"),
            where.coupon.contains("summer") & ~where.coupon.contains("mm"),
            where.offer.starts_with("ab") & ~where.offer.starts_with("a"),
            (where.coupon == "summer") & where.coupon.contains("winter"),
            where.coupon.contains("a") & where.coupon.is_missing(),
            where.coupon.contains("a") & ~where.coupon.is_set(),
        ],
    )
    def test_impossible(self, condition):
        """No string meets all of it."""
        assert member(condition) is None

    def test_patterns_with_all_separators(self):
        """Parts are joined by two characters if patterns have each character that joins them."""
        joiners = "".join(SEPARATORS)
        pieces = [joiners[n : n + 4_000] for n in range(0, len(joiners), 4_000)]
        parts = where.coupon.contains("ab") & where.coupon.contains("cd")
        condition = parts & ~AnyOf(*map(where.coupon.contains, pieces))
        assert {"coupon": "-.ab-.cd"} == member(condition)


class TestPartition:
    """Cells of a coarse partition and of a finer one."""

    @pytest.mark.parametrize(
        ("few", "more"),
        [
            ([where.score == 2], [where.score >= 6, where.score < 0, where.score == 3]),
            ([where.language == "pt"], [where.language == "pt-BR", where.language == "en"]),
            ([where.offer == "a"], [where.offer.is_in("b", "a")]),
            ([where.score.is_set()], [where.score == 1]),
        ],
    )
    def test_finer(self, few, more):
        """Each cell of the finer partition is in one cell of the coarse one."""
        coarse = Partition([literal(each, CATALOGUE) for each in few])
        finer = Partition([literal(each, CATALOGUE) for each in (*few, *more)])
        cells = coarse.cells_of_finer(finer)

        assert finer.size == len(cells)
        assert [coarse.missing, coarse.missing + 1] == cells[-2:]
        for point in finer.points:
            assert coarse.cell_of(point) == cells[finer.cell_of(point)]
