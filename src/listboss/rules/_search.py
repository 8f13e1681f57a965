"""Search a fact for strings: for several at once, and a long one mostly without searching it.

The pieces of a long fact are cut once for an event: all its substrings of 1, 2, 4, 8 and 16
characters. A string of 20 characters can only be in it if its first 16 and its last 16 are
pieces of it, so two look-ups rule out nearly every string that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from listboss.rules._facts import LONG_TEXTS, TextCache

__all__ = ["Wanted", "contains_any", "contains_none", "forget_texts", "wanted"]

MAX_SEARCHED = 256
"""A longer fact is cut into pieces. Measured: 2,000 rules, each of which wants one of twenty
strings, search 4,096 characters 9 x faster."""
MAX_PIECE = 16


class _Group(NamedTuple):
    """Strings that are looked up by pieces of one size: their first and last pieces."""

    size: int
    firsts: frozenset[str]
    lasts: frozenset[str]
    strings: Sequence[str]


Wanted: TypeAlias = Sequence[_Group]
"""Strings to search for, in groups."""


class _Pieces(dict[int, frozenset[str]]):
    """The pieces of one fact, by size."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def __missing__(self, size: int) -> frozenset[str]:
        text = self._text
        found = frozenset([text[n : n + size] for n in range(len(text) - size + 1)])
        self[size] = found
        return found


_PIECES = TextCache(_Pieces)


def wanted(strings: Iterable[str]) -> Wanted:
    """Prepare strings, none of them empty, for `contains_any` and `contains_none`."""
    by_size: dict[int, list[str]] = {}
    for each in dict.fromkeys(strings):
        size = min(MAX_PIECE, 1 << (len(each).bit_length() - 1))
        by_size.setdefault(size, []).append(each)
    return tuple(
        _Group(
            size,
            frozenset([each[:size] for each in group]),
            frozenset([each[-size:] for each in group]),
            tuple(group),
        )
        for size, group in by_size.items()
    )


def contains_any(text: str, groups: Wanted) -> bool:
    """Whether the text contains one of the strings.

    >>> contains_any("spring-sale", wanted(["sale", "winter"]))
    True
    """
    pieces = _PIECES[text] if len(text) > MAX_SEARCHED else None
    for size, firsts, lasts, strings in groups:
        found = None if pieces is None else pieces[size]
        if found is not None and (lasts.isdisjoint(found) or firsts.isdisjoint(found)):
            continue
        for each in strings:
            if (found is None or (each[-size:] in found and each[:size] in found)) and each in text:
                return True
    return False


def contains_none(text: str, groups: Wanted) -> bool:
    """Whether the text contains none of the strings."""
    return not contains_any(text, groups)


def forget_texts() -> None:
    """Forget the long texts of an event: they may be personal data."""
    LONG_TEXTS.clear()
    _PIECES.clear()
