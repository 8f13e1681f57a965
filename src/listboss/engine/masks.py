"""Masks: sets of entries as bits of integers, and their intersection for one event.

For each fact there is one mask a cell: the entries that the cell does not rule out. The
masks of the facts, ANDed, leave the entries that hold. Facts of few cells share a `Header`,
which finds an event's cells once for all masks of an index. A fact of very many cells keeps
the mask of every n-th cell, and which bits change between: so memory grows with the
entries, not with entries times cells.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from listboss.engine.cells import Domain, Intervals
from listboss.engine.door import door_of
from listboss.engine.literal import LISTS, Conjunction, Facts, Literal, hold

__all__ = ["WORD", "Header", "Masks", "Places", "Splits", "bits"]

Splits: TypeAlias = Sequence[tuple[int, Mapping[str, Sequence[Literal]]]]
"""Entries: the numbers of rules, each with its literals by fact."""
Places: TypeAlias = list[int]
"""Of an event: where the masks of its cells stand, or its cells of the filed facts."""

NARROW = 64
"""Facts of at most so many cells belong to the header."""
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
    """The facts that are read once for all masks of an index.

    `domains` are the facts of few cells, whose masks stand at `bases`, `size` masks in all;
    `filed` numbers the facts under which entries are filed. `doors` has the facts of both
    kinds, in this order, each with its door.
    """

    __slots__ = ("bases", "domains", "doors", "filed", "size")

    def __init__(self, domains: Mapping[str, Domain], filed: Iterable[str]) -> None:
        self.domains = {f: domain for f, domain in domains.items() if domain.count <= NARROW}
        self.filed = {fact: number for number, fact in enumerate(filed)}
        self.bases: dict[str, int] = {}
        self.size = 0
        for fact, domain in self.domains.items():
            self.bases[fact] = self.size
            self.size += domain.places
        bases = (*self.bases.items(), *((fact, 0) for fact in self.filed))
        self.doors = tuple((fact, door_of(domains[fact], base)) for fact, base in bases)


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

    __slots__ = ("_changes", "_door", "_masks", "_step")

    def __init__(self, domain: Domain, spans: _Spans, size: int) -> None:
        self._door = door_of(domain)
        self._step = 1 + domain.places // MOST_MASKS
        self._masks, changes = _sweep(spans, size, range(domain.places), self._step)
        self._changes = tuple(map(tuple, changes)) if self._step > 1 else ()

    def mask(self, raw: Any) -> int:
        place = self._door(raw)
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


def _range(literals: Sequence[Literal], domain: Domain) -> Intervals:
    """Return the one range of places where the literals hold; nothing if it may be several."""
    if any(asked.operator in LISTS for asked in literals):
        return ()
    spans = domain.spans(domain.constraint(literals))
    return spans if len(spans) == 1 else ()


class Masks:
    """Entries by bit, and the masks of every fact that one of them mentions.

    Up to 64 entries keep their masks in one array. In a `leaf`, where few of them are left,
    they ask about wide facts one by one. If they are filed under a run of cells of one fact,
    the masks of that run come last, and `collect` is given the place in it. `always` are
    the numbers of rules that hold wherever these masks are asked.
    """

    __slots__ = ("_all", "_always", "_asked", "_data", "_numbers", "_ranges", "_wide")

    def __init__(
        self,
        always: Sequence[int],
        entries: Splits,
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
        ranges: list[tuple[int, int, int, int]] = []
        others: dict[int, Conjunction] = {}
        for bit, (_, by_fact) in enumerate(entries):
            for fact, literals in by_fact.items():
                if fact in header.bases or fact == filed_under or not asked:
                    domain = domains[fact]
                    mentioned.setdefault(fact, {})[bit] = domain.spans(domain.constraint(literals))
                    continue
                spans = _range(literals, domains[fact]) if fact in header.filed else ()
                if spans:
                    ranges += [(1 << bit, header.filed[fact], low, high) for low, high in spans]
                else:
                    others[1 << bit] = (*others.get(1 << bit, ()), *literals)
        masks: list[int] = []
        for fact, domain in header.domains.items():
            spans_of = {} if fact == filed_under else mentioned.pop(fact, {})
            masks += _sweep(spans_of, size, range(domain.places))[0]
        masks += _sweep(mentioned.pop(filed_under, {}), size, bin_cells)[0]
        self._data: Sequence[int] = (
            array(_word(size), [mask & self._all for mask in masks]) if small else masks
        )
        self._wide = tuple(
            (fact, _WideFact(domains[fact], spans, size)) for fact, spans in mentioned.items()
        )
        self._ranges = tuple(ranges)
        self._asked = tuple(others.items())

    def collect(self, places: Places, cells: Places, facts: Facts, found: list[int]) -> None:
        """Append the rules of the entries that hold."""
        found.extend(self._always)
        mask, data = self._all, self._data
        for place in places:
            mask &= data[place]
            if not mask:
                return
        for fact, wide in self._wide:
            mask &= wide.mask(facts.get(fact))
        for bit, filed, low, high in self._ranges:
            if mask & bit and not low <= cells[filed] < high:
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
