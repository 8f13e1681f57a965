"""Bitmap indexes: sets of entries as bits of integers, intersected for one event.

This is the bit-vector scheme of packet classification. For each cell of each fact there is
one bitmap: the entries that the cell does not rule out. The bitmaps of an event's cells,
ANDed, leave the entries that hold. A fact of very many cells keeps only some of the bitmaps,
and the bits that change in between, so that memory grows with the entries and not with entries
times cells.

    entry   0 currency == BRL    1 currency == BRL & installments >= 6    2 country == PT
    cell    BRL          0b111     every currency but BRL   0b100
            6 and more   0b111     below 6                  0b101
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, compress
from typing import NamedTuple, TypeAlias

from listboss.engine.matching.encoder import EventEncoder
from listboss.engine.matching.normal_form import ByFact
from listboss.rules._facts import Facts
from listboss.rules._literal import Conjunction, hold
from listboss.rules._partition import Intervals, Partition

__all__ = [
    "WORD_BITS",
    "BitmapIndex",
    "Cells",
    "Entry",
    "Rows",
    "Spans",
    "WideFact",
    "chosen",
    "set_bits",
]

Entry: TypeAlias = tuple[int, ByFact]
"""The number of a rule, and a conjunction of its normal form, by fact."""
Cells: TypeAlias = list[int]
"""The event's cell for each fact of the index, facts of few cells first."""
Rows: TypeAlias = list[int]
"""The positions of the bitmaps to be ANDed; the cells of shared facts are such positions."""

WORD_BITS = 64
"""The bitmaps of at most this many entries are machine words, adjacent in one array. Measured:
matching is up to 2.3 x faster."""
MAX_BITMAPS = 512
"""A fact of more cells than this keeps only the bitmaps of about this many cells."""
MAX_POPPED_BITS = 24
"""Up to this many set bits are read one by one, and more of them byte by byte. Measured: matching
is up to 1.3 x faster."""
MIN_DENSITY = 8
"""If more than one bit in eight is set, all bits are read at once. Measured: finding 46,000 entries
is 4 x faster."""
COMPARE_CELLS = True
"""Whether a leaf compares cells where a literal is one interval. Measured: in large buckets,
matching is 1.1 x faster."""

_FLAGS = bytes.maketrans(b"01", b"\0\1")
_BITS_OF_BYTE = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def set_bits(bitmap: int) -> list[int]:
    """List the bits that are set, byte by byte: in time linear in the length of the bitmap.

    >>> set_bits(0b101001)
    [0, 3, 5]
    """
    found: list[int] = []
    table = _BITS_OF_BYTE
    for n, byte in enumerate(bitmap.to_bytes((bitmap.bit_length() + 7) // 8, "little")):
        if byte:
            base = 8 * n
            found.extend([base + bit for bit in table[byte]])
    return found


def chosen(items: array[int], bitmap: int) -> Iterator[int]:
    """Return the items whose bits are set, the last one first: in time linear in all of them.

    >>> [*chosen(array("I", [7, 8, 9, 10]), 0b0101)]
    [9, 7]
    """
    flags = f"{bitmap:b}".encode().translate(_FLAGS)
    return compress(items[len(flags) - 1 :: -1], flags)


def _word_code(size: int) -> str:
    """Return the type code of the smallest array items that have `size` bits."""
    return next(code for code in "BHIQ" if size <= 8 * array(code).itemsize)


def _flip(data: bytearray, bit: int) -> None:
    data[bit >> 3] ^= 1 << (bit & 7)


Spans: TypeAlias = Mapping[int, Intervals]
"""For each bit whose entry mentions the fact, the cells where its literals hold."""


class _Changes(NamedTuple):
    """The bits that change at each cell, as if none were set before the first one.

    Those of all cells are in one array: the ones of cell `n` from `starts[n]` to `starts[n + 1]`.
    """

    bits: array[int]
    starts: array[int]

    def between(self, first: int, end: int) -> array[int]:
        """Return the bits that change at any cell of a half-open interval."""
        return self.bits[self.starts[first] : self.starts[end]]


def _edges(spans: Spans, cells: range) -> Iterator[tuple[int, int]]:
    """Yield the position of each change, counted from the first cell, and its bit."""
    base, end = cells.start, cells.stop
    for bit, intervals in spans.items():
        for low, high in intervals:
            if low < end and high > base:
                yield max(low, base) - base, bit
                if high < end:
                    yield high - base, bit


def _changes(spans: Spans, cells: range) -> _Changes:
    """Return the changes by cell, with a counting sort: there may be hundreds of thousands."""
    counts = array("I", [0] * len(cells))
    for cell, _ in _edges(spans, cells):
        counts[cell] += 1
    starts = array("I", accumulate(counts, initial=0))
    bits, free = array("I", [0]) * starts[-1], starts[:]
    for cell, bit in _edges(spans, cells):
        bits[free[cell]] = bit
        free[cell] += 1
    return _Changes(bits, starts)


def _start(spans: Spans, size: int) -> bytearray:
    """Return the bits of the entries that do not mention the fact: they are in every bitmap."""
    data = bytearray(b"\xff" * ((size + 7) // 8))
    for bit in spans:
        _flip(data, bit)
    return data


def _sweep(spans: Spans, size: int, cells: range) -> list[int]:
    """Return the bitmap of every cell, for `size` entries."""
    data, bitmaps = _start(spans, size), list[int]()
    changes = _changes(spans, cells)
    for cell in range(len(cells)):
        changed = changes.between(cell, cell + 1)
        for bit in changed:
            _flip(data, bit)
        unchanged = bitmaps and not changed
        bitmaps.append(bitmaps[-1] if unchanged else int.from_bytes(data, "little"))
    return bitmaps


class WideFact:
    """The bitmaps of a fact of many cells: those of some cells, and the changes between them.

    Between two neighbours of these cells, at most about one change in `MAX_BITMAPS` is made.
    With a `share`, only that part of the bitmaps is kept, and always that of the first cell.
    """

    __slots__ = ("_bitmaps", "_cells", "_changes")

    def __init__(self, cell_count: int, spans: Spans, size: int, share: float = 1.0) -> None:
        cells = range(cell_count)
        self._cells: list[int] = []
        self._bitmaps: list[int] = []
        self._changes: _Changes | None = None
        if cell_count <= MAX_BITMAPS * share:
            self._bitmaps = _sweep(spans, size, cells)
            return
        data, changes = _start(spans, size), _changes(spans, cells)
        total, pending = len(changes.bits), 0
        for cell in cells:
            changed = changes.between(cell, cell + 1)
            for bit in changed:
                _flip(data, bit)
            pending += len(changed)
            if not cell or pending * MAX_BITMAPS * share >= total:
                self._cells.append(cell)
                self._bitmaps.append(int.from_bytes(data, "little"))
                pending = 0
        self._changes = changes

    def bitmap(self, cell: int) -> int:
        """Return the bitmap of a cell."""
        if self._changes is None:
            return self._bitmaps[cell]
        n = bisect_right(self._cells, cell) - 1
        bitmap = self._bitmaps[n]
        flips = self._changes.between(self._cells[n] + 1, cell + 1)
        if not flips:
            return bitmap
        length = max(bitmap.bit_length(), 1 + max(flips))
        data = bytearray(bitmap.to_bytes((length + 7) // 8, "little"))
        for bit in flips:
            _flip(data, bit)
        return int.from_bytes(data, "little")


_Range: TypeAlias = tuple[int, int, int, int]
"""The bit of an entry, the number of a fact, and the interval that its cell must be in."""


class BitmapIndex:
    """Entries by bit, and the bitmaps of every fact that one of them mentions.

    In a `leaf` of at most 64 entries, the bitmaps leave few of them. Literals on facts of many
    cells have no bitmaps there: they are tested one by one, by cell where they are one interval.
    If the entries come from a bin of several cells (`bin_of`), the bitmaps of these cells come
    last, and the rows given to `collect` include that of the event's cell. `always` are the
    numbers of rules that hold for every event of the index.
    """

    __slots__ = ("_all", "_always", "_bitmaps", "_numbers", "_ranges", "_tested", "_wide")

    def __init__(
        self,
        always: Sequence[int],
        entries: Sequence[Entry],
        encoder: EventEncoder,
        partitions: Mapping[str, Partition],
        bin_of: tuple[str, range] | None = None,
        *,
        leaf: bool = False,
    ) -> None:
        size = len(entries)
        self._all = (1 << size) - 1
        self._always = array("I", always)
        self._numbers = array("I", [number for number, _ in entries])
        small = size <= WORD_BITS
        bin_fact, bin_cells = bin_of or ("", range(0))
        spans: dict[str, dict[int, Intervals]] = {}
        ranges: list[_Range] = []
        tested: dict[int, Conjunction] = {}
        for bit, (_, by_fact) in enumerate(entries):
            for fact, literals in by_fact.items():
                intervals = partitions[fact].intervals(literals)
                if fact in encoder.shared or fact == bin_fact or not (leaf and small):
                    spans.setdefault(fact, {})[bit] = intervals
                elif COMPARE_CELLS and len(intervals) == 1:
                    ranges.append((1 << bit, encoder.numbers[fact], *intervals[0]))
                else:
                    tested[1 << bit] = (*tested.get(1 << bit, ()), *literals)
        bitmaps: list[int] = []
        for fact, partition in encoder.shared.items():
            spans_of = {} if fact == bin_fact else spans.pop(fact, {})
            bitmaps += _sweep(spans_of, size, range(partition.size))
        bitmaps += _sweep(spans.pop(bin_fact, {}), size, bin_cells)
        self._bitmaps: Sequence[int] = (
            array(_word_code(size), [each & self._all for each in bitmaps]) if small else bitmaps
        )
        self._wide = tuple(
            (encoder.numbers[fact], WideFact(partitions[fact].size, spans_of, size))
            for fact, spans_of in spans.items()
        )
        self._ranges = tuple(ranges)
        self._tested = tuple(tested.items())

    def collect(self, rows: Rows, cells: Cells, facts: Facts, found: list[int]) -> None:
        """Append the numbers of the rules whose entries hold."""
        found.extend(self._always)
        left, bitmaps = self._all, self._bitmaps
        for row in rows:
            left &= bitmaps[row]
            if not left:
                return
        for number, wide in self._wide:
            left &= wide.bitmap(cells[number])
        for bit, number, low, high in self._ranges:
            if left & bit and not low <= cells[number] < high:
                left ^= bit
        for bit, literals in self._tested:
            if left & bit and not hold(literals, facts):
                left ^= bit
        numbers = self._numbers
        count = left.bit_count()
        if count > MAX_POPPED_BITS:
            dense = count * MIN_DENSITY > left.bit_length()
            found += chosen(numbers, left) if dense else [numbers[n] for n in set_bits(left)]
            return
        while left:
            top = left.bit_length() - 1
            found.append(numbers[top])
            left ^= 1 << top
