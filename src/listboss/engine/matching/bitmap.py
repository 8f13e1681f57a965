"""Masks: sets of entries as bits of integers, and their intersection for one event.

For each fact there is one mask a cell: the entries that the cell does not rule out. The
masks of the facts, ANDed, leave the entries that hold. The `Header` of an index has the doors
of its facts: an event goes through each of them once, for all masks of the index. A fact of
very many cells keeps the mask of every n-th cell, and which bits change between: so memory
grows with the entries, not with entries times cells.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from listboss.engine.matching.encoder import door_of
from listboss.engine.matching.normal_form import LISTS, ByFact, Conjunction, Facts, Literal, hold
from listboss.engine.matching.partition import Domain, Intervals

__all__ = ["WORD", "Header", "Masks", "Places", "Rows", "Split", "bits"]

Split: TypeAlias = tuple[int, ByFact]
"""An entry: the number of a rule, and its literals by fact."""
Places: TypeAlias = list[int]
"""Where an event stands: its place in each fact of a header, narrow facts first."""
Rows: TypeAlias = list[int]
"""The masks to be ANDed, by where they stand: places of narrow facts are such rows."""

NARROW = 64
"""Facts of at most so many cells have their masks in one row, in all masks of an index."""
WORD = 64
"""Up to so many entries fit the machine words of an array, which lie together in memory."""
MOST_MASKS = 512
"""How many masks a wide fact keeps; with more cells than that, only every n-th has one."""
FEW_BITS = 24
"""Up to so many bits are read from the top; more of them byte by byte."""

_BITS_OF_BYTE = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def bits(mask: int) -> list[int]:
    """List the bits that are set, byte by byte: many bits in linear time.

    >>> bits(0b101001)
    [0, 3, 5]
    """
    found: list[int] = []
    table = _BITS_OF_BYTE
    for n, byte in enumerate(mask.to_bytes((mask.bit_length() + 7) // 8, "little")):
        if byte:
            base = 8 * n
            found.extend([base + bit for bit in table[byte]])
    return found


def _word(size: int) -> str:
    """Return the code of the smallest words of an array that have so many bits."""
    return next(code for code in "BHIQ" if size <= 8 * array(code).itemsize)


class Header:
    """The facts of an index and their doors, which all its masks share.

    The facts of few cells come first: `domains`, whose masks stand from `bases` on, `size`
    masks in all; a place of such a fact is counted from there. `numbers` tells where a fact
    stands among the `doors`.
    """

    __slots__ = ("bases", "domains", "doors", "numbers", "size")

    def __init__(self, domains: Mapping[str, Domain]) -> None:
        self.domains = {f: domain for f, domain in domains.items() if domain.count <= NARROW}
        self.bases = dict.fromkeys(domains, 0)
        self.size = 0
        for fact, domain in self.domains.items():
            self.bases[fact] = self.size
            self.size += domain.places
        facts = [*self.domains, *(fact for fact in domains if fact not in self.domains)]
        self.numbers = {fact: number for number, fact in enumerate(facts)}
        self.doors = tuple([(fact, door_of(domains[fact], self.bases[fact])) for fact in facts])


def _flip(data: bytearray, bit: int) -> None:
    data[bit >> 3] ^= 1 << (bit & 7)


_Spans: TypeAlias = Mapping[int, Intervals]
"""For each bit that mentions the fact, the places where it holds."""


def _sweep(
    spans: _Spans, size: int, run: range, step: int = 1
) -> tuple[list[int], list[list[int]]]:
    """Return the mask of every `step`-th place of a run of places, of `size` entries.

    Also, for each place, the bits that change there. Entries that do not mention the fact
    are in every mask.
    """
    data = bytearray(b"\xff" * ((size + 7) // 8))
    changes: list[list[int]] = [[] for _ in range(len(run) + 1)]
    for bit, intervals in spans.items():
        _flip(data, bit)
        for low, high in intervals:
            if low < run.stop and high > run.start:
                changes[max(low, run.start) - run.start].append(bit)
                changes[min(high, run.stop) - run.start].append(bit)
    masks: list[int] = []
    for n in range(len(run)):
        for bit in changes[n]:
            _flip(data, bit)
        if n % step == 0:
            unchanged = masks and step == 1 and not changes[n]
            masks.append(masks[-1] if unchanged else int.from_bytes(data, "little"))
    return masks, changes


class _WideFact:
    """The masks of a fact of many cells: some whole, the others by what changes."""

    __slots__ = ("_changes", "_masks", "_step")

    def __init__(self, domain: Domain, spans: _Spans, size: int) -> None:
        self._step = 1 + domain.places // MOST_MASKS
        self._masks, changes = _sweep(spans, size, range(domain.places), self._step)
        self._changes = tuple(map(tuple, changes)) if self._step > 1 else ()

    def mask(self, place: int) -> int:
        start = place // self._step
        mask = self._masks[start]
        changes = self._changes[start * self._step + 1 : place + 1]
        flips = [bit for each in changes for bit in each]
        if not flips:
            return mask
        length = max(mask.bit_length(), 1 + max(flips))
        data = bytearray(mask.to_bytes((length + 7) // 8, "little"))
        for bit in flips:
            _flip(data, bit)
        return int.from_bytes(data, "little")


_Range: TypeAlias = tuple[int, int, int, int]
"""The bit of an entry, the number of a wide fact, and the places between which it must be."""


def _range(literals: Sequence[Literal], domain: Domain) -> tuple[int, int] | None:
    """Return the one range of places where the literals hold; None if it may be several."""
    if any(asked.operator in LISTS for asked in literals):
        return None
    spans = domain.spans(domain.constraint(literals))
    return spans[0] if len(spans) == 1 else None


class Masks:
    """Entries by bit, and the masks of every fact that one of them mentions.

    Up to 64 entries keep their masks in one array. In a `leaf`, where few of them are left,
    they ask about wide facts one by one, by place where that is one range. If they are filed
    under a run of cells of one fact, the masks of that run come last, and `collect` is given
    the row of the cell, too. `always` are the numbers of rules that hold wherever these masks
    are asked.
    """

    __slots__ = ("_all", "_always", "_asked", "_data", "_numbers", "_ranges", "_wide")

    def __init__(
        self,
        always: Sequence[int],
        entries: Sequence[Split],
        header: Header,
        domains: Mapping[str, Domain],
        run: tuple[str, range] | None = None,
        *,
        leaf: bool = False,
    ) -> None:
        size = len(entries)
        self._all = (1 << size) - 1
        self._always = array("I", always)
        self._numbers = array("I", [number for number, _ in entries])
        small = size <= WORD
        asked = leaf and small
        filed_under, bin_cells = run or ("", range(0))
        mentioned: dict[str, dict[int, Intervals]] = {}
        ranges: list[_Range] = []
        others: dict[int, Conjunction] = {}
        for bit, (_, by_fact) in enumerate(entries):
            for fact, literals in by_fact.items():
                if fact in header.domains or fact == filed_under or not asked:
                    domain = domains[fact]
                    mentioned.setdefault(fact, {})[bit] = domain.spans(domain.constraint(literals))
                    continue
                one = _range(literals, domains[fact])
                if one is None:
                    others[1 << bit] = (*others.get(1 << bit, ()), *literals)
                else:
                    ranges.append((1 << bit, header.numbers[fact], *one))
        masks: list[int] = []
        for fact, domain in header.domains.items():
            spans_of = {} if fact == filed_under else mentioned.pop(fact, {})
            masks += _sweep(spans_of, size, range(domain.places))[0]
        masks += _sweep(mentioned.pop(filed_under, {}), size, bin_cells)[0]
        self._data: Sequence[int] = (
            array(_word(size), [mask & self._all for mask in masks]) if small else masks
        )
        self._wide = tuple(
            (header.numbers[fact], _WideFact(domains[fact], spans, size))
            for fact, spans in mentioned.items()
        )
        self._ranges = tuple(ranges)
        self._asked = tuple(others.items())

    def collect(self, rows: Rows, places: Places, facts: Facts, found: list[int]) -> None:
        """Append the numbers of the rules whose entries hold."""
        found.extend(self._always)
        mask, data = self._all, self._data
        for row in rows:
            mask &= data[row]
            if not mask:
                return
        for number, wide in self._wide:
            mask &= wide.mask(places[number])
        for bit, number, low, high in self._ranges:
            if mask & bit and not low <= places[number] < high:
                mask ^= bit
        for bit, literals in self._asked:
            if mask & bit and not hold(literals, facts):
                mask ^= bit
        numbers = self._numbers
        if mask.bit_count() > FEW_BITS:
            found += [numbers[bit] for bit in bits(mask)]
            return
        while mask:
            top = mask.bit_length() - 1
            found.append(numbers[top])
            mask ^= 1 << top
