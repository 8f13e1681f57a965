"""The plain parts of every strategy: texts, times, values of facts, and contacts.

Half of what they give comes out of short lists, so that equal values, and values that
differ only in capitals or blanks, are frequent; the other half is whatever a noun accepts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from listboss.rules import HOTMART, Contact, FactValue
from listboss.testing import _worlds as worlds

__all__ = ["Drawn", "contacts", "fact_values", "facts", "few", "ids", "texts", "times"]

T = TypeVar("T")


class Drawn:
    """The choices of Hypothesis, in the form in which `worlds` asks for them."""

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw

    def choice(self, seq: Sequence[T], /) -> T:
        """Choose one item; the first is the simplest."""
        return self._draw(st.sampled_from(seq))

    def randint(self, a: int, b: int, /) -> int:
        """Choose a whole number; the lowest is the simplest."""
        return self._draw(st.integers(a, b))


_ALPHABET = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_ZONES = st.just(UTC) | st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
_LIMIT = 2**128 - 1


def _decimal(digits: int, exponent: int) -> Decimal:
    return Decimal(f"{digits}E{exponent}")


def texts() -> SearchStrategy[str]:
    """Give texts that a noun accepts, blank ones among them."""
    return st.text("aA bÀß", max_size=4) | st.text(_ALPHABET, max_size=12)


def ids() -> SearchStrategy[str]:
    """Give names and ids: texts that are not blank."""
    return st.text("ab1", min_size=1, max_size=2) | texts().filter(str.strip)


def times() -> SearchStrategy[datetime]:
    """Give aware times of any year and zone that can be told in UTC."""
    first, last = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 # bounds of aware ones
    return st.datetimes(first, last, timezones=_ZONES)


def few(inner: SearchStrategy[T]) -> SearchStrategy[list[T]]:
    """Give up to three of something."""
    return st.lists(inner, max_size=3)


def fact_values() -> SearchStrategy[FactValue]:
    """Give anything that a fact may be; half of it as in small worlds, so that it repeats."""
    known = [value for values in worlds.RULE_VALUES.values() for value in values]
    odd = [value for values in worlds.OTHER_VALUES.values() for value in values]
    return st.sampled_from([*worlds.ANY_VALUES, *known, *odd]) | st.one_of(
        texts(),
        st.integers(-_LIMIT, _LIMIT),
        st.booleans(),
        st.builds(_decimal, st.integers(-(10**40), 10**40), st.integers(-80, 80)),
        times(),
    )


def facts() -> SearchStrategy[Mapping[str, FactValue]]:
    """Give facts of one event: known and unknown names, values of right and wrong types."""
    names = st.sampled_from([fact.name for fact in HOTMART.facts])
    return st.dictionaries(names | ids(), fact_values(), max_size=6)


def contacts() -> SearchStrategy[Contact]:
    """Give contacts: a few spellings of few addresses, and any address."""
    known = st.sampled_from([person.email for person in worlds.PEOPLE])
    field = st.none() | ids()
    return st.builds(
        Contact,
        known | st.emails(),
        name=field,
        first_name=field,
        last_name=field,
        phone=field,
    )
