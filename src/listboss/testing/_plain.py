"""Strategies for the parts of values: strings, times, values of facts, and contacts.

About half of the values come from short lists, so that values are often equal, or differ
only in case or white space; the rest is whatever a constructor accepts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from listboss.rules import HOTMART, Contact, FactValue
from listboss.testing import _worlds

__all__ = ["DrawnDice", "contacts", "fact_values", "facts", "ids", "lists", "texts", "times"]

T = TypeVar("T")


class DrawnDice:
    """Dice whose choices Hypothesis makes, so that it can shrink a failing world."""

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw

    def choice(self, seq: Sequence[T], /) -> T:
        """Choose one item; shrinks towards the first."""
        return self._draw(st.sampled_from(seq))

    def randint(self, a: int, b: int, /) -> int:
        """Choose an integer from `a` to `b`, both included; shrinks towards `a`."""
        return self._draw(st.integers(a, b))


_ALPHABET = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_ZONES = st.just(UTC) | st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
MAX_INTEGER = 2**128 - 1


def _decimal(digits: int, exponent: int) -> Decimal:
    return Decimal(f"{digits}E{exponent}")


def texts() -> SearchStrategy[str]:
    """Generate strings that can be stored; some are blank."""
    return st.text("aA bÀß\u0301", max_size=4) | st.text(_ALPHABET, max_size=12)


def ids() -> SearchStrategy[str]:
    """Generate names and ids: strings that are not blank."""
    return st.text("ab1", min_size=1, max_size=2) | texts().filter(str.strip)


def times() -> SearchStrategy[datetime]:
    """Generate times with any time zone, in any year that can be converted to UTC."""
    first, last = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 # bounds are naive
    return st.datetimes(first, last, timezones=_ZONES)


def lists(items: SearchStrategy[T]) -> SearchStrategy[list[T]]:
    """Generate lists of up to three items."""
    return st.lists(items, max_size=3)


def fact_values() -> SearchStrategy[FactValue]:
    """Generate any value of a fact; about half of them are those of the small worlds."""
    known = [value for values in _worlds.RULE_VALUES.values() for value in values]
    other = [value for values in _worlds.OTHER_VALUES.values() for value in values]
    return st.sampled_from([*_worlds.ANY_VALUES, *known, *other]) | st.one_of(
        texts(),
        st.integers(-MAX_INTEGER, MAX_INTEGER),
        st.booleans(),
        st.builds(_decimal, st.integers(-(10**40), 10**40), st.integers(-80, 80)),
        times(),
    )


def facts() -> SearchStrategy[Mapping[str, FactValue]]:
    """Generate the facts of one event, with some unknown names and values of wrong types."""
    names = st.sampled_from([fact.name for fact in HOTMART.facts])
    return st.dictionaries(names | ids(), fact_values(), max_size=6)


def contacts() -> SearchStrategy[Contact]:
    """Generate contacts: often one of three addresses, in several spellings."""
    known = st.sampled_from([person.email for person in _worlds.PEOPLE])
    field = st.none() | ids()
    return st.builds(
        Contact,
        known | st.emails(),
        name=field,
        first_name=field,
        last_name=field,
        phone=field,
    )
