"""Search a fact for many strings at once.

A long fact is searched for a few strings one by one. For more of them, its suffixes are sorted,
so that each string is looked up by bisection, whatever the fact and the strings are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

__all__ = ["contained", "contains_any", "contains_none", "starting"]

MAX_SEARCHED = 256
"""A shorter text is searched for one string after the other."""
MIN_SORTED = 16
"""So is any text for fewer strings than this."""
MAX_SUFFIX = 256
"""Suffixes are cut to this length; longer strings are searched one by one."""


def contains_any(text: str, strings: Iterable[str]) -> bool:
    """Whether the text contains one of the strings.

    >>> contains_any("spring-sale", ["winter", "sale"])
    True
    """
    return any(each in text for each in strings)


def contains_none(text: str, strings: Iterable[str]) -> bool:
    """Whether the text contains none of the strings."""
    return not contains_any(text, strings)


def contained(text: str, strings: Sequence[str]) -> list[str]:
    """Return those of the strings that the text contains.

    >>> contained("spring-sale", ["winter", "sale"])
    ['sale']
    """
    if len(text) <= MAX_SEARCHED or len(strings) < MIN_SORTED:
        return [each for each in strings if each in text]
    suffixes = sorted([text[n : n + MAX_SUFFIX] for n in range(len(text))])
    suffixes.append("")  # which is next to strings that follow all suffixes
    found: list[str] = []
    for each in strings:
        start = each[:MAX_SUFFIX]
        if suffixes[bisect_left(suffixes, start, hi=len(text))].startswith(start) and (
            start is each or each in text
        ):
            found.append(each)
    return found


def starting(text: str, strings: Iterable[str]) -> list[str]:
    """Return those of the strings that the text starts with.

    >>> starting("spring-sale", ["spring", "winter"])
    ['spring']
    """
    return [each for each in strings if text.startswith(each)]
