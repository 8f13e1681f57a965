"""Python that looks like a condition and is not one: each slip raises, and says what to write."""

import operator
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from listboss import AddTag, AllOf, Segmentation, where
from listboss.errors import ArgumentTypeError, ConditionError

FACT: Any = where.price
MORE: Any = where.price > 1
PARENTHESES = "put each comparison in parentheses"
SLIPS: dict[str, tuple[Callable[[], object], str, str]] = {
    "and": (lambda: MORE and MORE, "neither true nor false", "`&`, `|` and `~` instead of `and`"),
    "or": (lambda: MORE or MORE, "neither true nor false", PARENTHESES),
    "not": (lambda: not MORE, "neither true nor false", "`&`, `|` and `~` instead of `and`"),
    "in a tuple": (lambda: where.country in ("BR", "PT"), "neither true", "`is_in` instead of"),
    "chained": (lambda: 1 < FACT < 5, "neither true nor false", "`between` instead of"),
    "precedence of &": (
        lambda: where.price >= 100 & where.installments == 1,
        "`where.installments` is a fact, not a condition",
        PARENTHESES,
    ),
    "precedence of |": (
        lambda: where.country == "BR" | FACT,
        "`where.price` is a fact",
        PARENTHESES,
    ),
    "precedence before a comparison": (
        lambda: 100 & MORE,
        "expected a condition, got an integer",
        PARENTHESES,
    ),
    "a fact & a condition": (
        lambda: FACT & MORE,
        "`where.price` is a fact",
        "`where.price == True`",
    ),
    "a condition & a fact": (
        lambda: MORE & FACT,
        "expected a condition, got a fact",
        "`where.price == True`",
    ),
    "~ of a fact": (lambda: ~FACT, "`where.price` is a fact", "`where.price == True`"),
    "truth of a fact": (lambda: bool(FACT), "`where.price` is a fact", "`where.price == True`"),
    "in a fact": (lambda: "x" in FACT, "`where.price` is a fact", PARENTHESES),
    "another name": (lambda: ~where["a b"], "`where['a b']` is a fact", "`where['a b'] == True`"),
    "== None": (lambda: FACT == None, "got None", "`is_missing()`"),  # noqa: E711 # wrong on purpose
    "!= None": (lambda: FACT != None, "got None", "`is_set()`"),  # noqa: E711 # wrong on purpose
    "is_in with a list": (lambda: FACT.is_in([1, 2]), "got a list", '`is_in("BR", "PT")`'),
    "a list": (lambda: FACT == [1, 2], "got a list", "`is_in` for several values"),
    "a float": (lambda: FACT == 49.9, "got a float", '`Decimal("49.90")`'),
    "a date": (lambda: FACT > date(2026, 5, 4), "got a date", "a datetime with a time zone"),
    "two facts": (lambda: FACT == where.full_price, "got a fact", "cannot compare two facts"),
    "a mapping": (lambda: FACT == {}, "got a mapping", ""),
    "AllOf of a list": (
        lambda: AllOf([MORE, MORE]),  # type: ignore[arg-type] # wrong on purpose
        "expected a condition, got a list",
        "`AllOf(*conditions)`",
    ),
    "a bare fact": (
        lambda: _rule(where.is_order_bump),
        "expected a condition, got a fact",
        "such as `where.is_order_bump == True`",
    ),
    "a method": (
        lambda: _rule(where.offer.is_set),
        "expected a condition, got something else",
        "`where.offer.is_set()`",
    ),
    "a boolean": (lambda: _rule(True), "expected a condition, got a boolean", PARENTHESES),
    "a string": (lambda: _rule("x"), "expected a condition, got a string", PARENTHESES),
}


def _rule(condition: Any) -> Segmentation:
    return Segmentation(
        "Rule",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        condition=condition,
        actions=AddTag("x"),
    )


@pytest.mark.parametrize("name", SLIPS)
def test_slip(name: str):
    """The message says what was found, and the hint what to write instead."""
    write, message, hint = SLIPS[name]
    with pytest.raises(ArgumentTypeError) as caught:
        write()
    assert (True, True) == (message in caught.value.message, hint in caught.value.hint)


@pytest.mark.parametrize("name", [0, None, ("a",)])
def test_a_fact_without_a_name(name: Any):
    """A fact is named by a string, so that a loop over `where` ends at once."""
    with pytest.raises(ArgumentTypeError) as caught:
        operator.getitem(where, name)
    assert "$.fact" == caught.value.path


def test_a_blank_name():
    """A blank name of a fact is refused before it is compared."""
    with pytest.raises(ConditionError) as caught:
        where[" "]
    assert "$.fact" == caught.value.path
