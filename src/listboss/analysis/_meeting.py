"""Which rules of a group may hold on one event: an index, so that not all pairs are compared.

For each fact, a rule allows an interval of cells, from the first to the last cell of its boxes.
Two rules can only meet if their intervals overlap for every fact: if no interval ends before the
other one begins. Sets of rules are masks, as in the engine's bitmap index: for the ends and for
the beginnings of the intervals, some of the masks of all rules up to there are kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from listboss.analysis._group import Member

__all__ = ["Meeting", "numbers_in"]

MIN_INDEXED = 32
"""In a group of fewer rules, all of them are compared."""
MAX_KEPT = 256
"""About this many masks are kept for each end of the intervals of a fact."""


def numbers_in(mask: int) -> Iterator[int]:
    """Yield the numbers in a mask.

    >>> list(numbers_in(0b1010))
    [1, 3]
    """
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class _Sorted:
    """Rules by one end of their intervals; `upto` returns those before a position."""

    def __init__(self, ends: Sequence[tuple[int, int]]) -> None:
        ordered = sorted(ends)
        self.values = [value for value, _ in ordered]
        self._numbers = [number for _, number in ordered]
        self._step = len(ordered) // MAX_KEPT + 1
        self._kept = [0]
        mask = 0
        for n, number in enumerate(self._numbers, 1):
            mask |= 1 << number
            if n % self._step == 0:
                self._kept.append(mask)
        self.all = mask

    def upto(self, position: int) -> int:
        """Return the mask of the first rules."""
        kept = position // self._step
        mask = self._kept[kept]
        for number in self._numbers[kept * self._step : position]:
            mask |= 1 << number
        return mask


class Meeting:
    """An index of the rules of one group, by their numbers."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._all = (1 << len(members)) - 1
        self._intervals: dict[str, dict[int, tuple[int, int]]] = {}
        if len(members) >= MIN_INDEXED:
            for n, member in enumerate(members):
                for fact, mask in _restricted(member).items():
                    interval = ((mask & -mask).bit_length() - 1, mask.bit_length() - 1)
                    self._intervals.setdefault(fact, {})[n] = interval
        self._lows: dict[str, _Sorted] = {}
        self._highs: dict[str, _Sorted] = {}
        for fact, intervals in self._intervals.items():
            self._lows[fact] = _Sorted([(low, n) for n, (low, _) in intervals.items()])
            self._highs[fact] = _Sorted([(high, n) for n, (_, high) in intervals.items()])

    def of(self, number: int) -> int:
        """Return the mask of the rules that may meet a rule; itself is among them."""
        found = self._all
        for fact, intervals in self._intervals.items():
            if number in intervals:
                low, high = intervals[number]
                lows, highs = self._lows[fact], self._highs[fact]
                before = highs.upto(bisect_left(highs.values, low))
                after = lows.all & ~lows.upto(bisect_right(lows.values, high))
                found &= ~(before | after)
        return found


def _restricted(member: Member) -> dict[str, int]:
    """Return the cells of each fact that all boxes of a rule restrict."""
    first, *others = member.where()
    found = {name: mask for name, mask in first.items() if isinstance(name, str)}
    for box in others:
        found = {name: mask | box[name] for name, mask in found.items() if name in box}
    return found
