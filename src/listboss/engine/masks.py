"""Masks: sets of entries as bits of integers, and their intersection for one event.

For each fact there is one mask a cell: the entries that the cell does not rule out. The
masks of the facts, ANDed, leave the entries that hold. Facts of few cells share a `Header`,
which finds an event's cells once for all masks of an index. A fact of very many cells keeps
the mask of every n-th cell, and which bits change between: so memory grows with the
entries, not with entries times cells.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from listboss.engine.cells import Domain, Intervals
from listboss.engine.literal import LISTS, Conjunction, Facts, Literal, hold
from listboss.engine.step import PreparedRule

__all__ = ["WORD", "Cells", "Header", "Masks", "Splits", "bits"]

Splits: TypeAlias = Sequence[tuple[PreparedRule, Mapping[str, Sequence[Literal]]]]
"""Entries: rules, each with its literals by fact."""
Cells: TypeAlias = Mapping[str, int]
"""The places of the filed facts of an event."""

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
    """List the bits that are set, in any order; dense masks in linear time.

    >>> sorted(bits(0b101001))
    [0, 3, 5]
    """
    found: list[int] = []
    if mask.bit_count() <= FEW_BITS:
        while mask:
            bit = mask.bit_length() - 1
            found.append(bit)
            mask ^= 1 << bit
        return found
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
    """What is found out about an event once for all masks of an index.

    For each fact of few cells, the place of its cell in the masks; for each of the `filed`
    facts, its place among the cells of the fact.
    """

    __slots__ = ("_filed_doors", "_narrow_doors", "bases", "domains", "filed", "size")

    def __init__(self, domains: Mapping[str, Domain], filed: Collection[str]) -> None:
        self.domains = {f: domain for f, domain in domains.items() if domain.count <= NARROW}
        self.filed = filed
        self.bases: dict[str, int] = {}
        self.size = 0
        for fact, domain in self.domains.items():
            self.bases[fact] = self.size
            self.size += domain.places
        self._narrow_doors = [
            (*domains[fact].door(fact), base) for fact, base in self.bases.items()
        ]
        self._filed_doors = [domains[fact].door(fact) for fact in filed]

    def places(self, facts: Facts) -> list[int]:
        """Return where the masks of the event's cells stand, a place for each narrow fact."""
        get = facts.get
        return [
            base + known[raw]
            if (raw := get(fact)).__class__ is exact_type and raw in known
            else base + place(raw)
            for fact, exact_type, known, place, base in self._narrow_doors
        ]

    def cells(self, facts: Facts) -> dict[str, int]:
        """Return the place of each filed fact."""
        get = facts.get
        return {
            fact: known[raw]
            if (raw := get(fact)).__class__ is exact_type and raw in known
            else place(raw)
            for fact, exact_type, known, place in self._filed_doors
        }


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

    __slots__ = ("_changes", "_domain", "_masks", "_step")

    def __init__(self, domain: Domain, spans: _Spans, size: int) -> None:
        self._domain = domain
        self._step = 1 + domain.places // MOST_MASKS
        self._masks, changes = _sweep(spans, size, range(domain.places), self._step)
        self._changes = tuple(map(tuple, changes)) if self._step > 1 else ()

    def mask(self, raw: Any) -> int:
        place = self._domain.place(raw)
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


_Range: TypeAlias = tuple[str, int, int]
"""A filed fact, and the places between which it must be."""
_Extra: TypeAlias = tuple[tuple[_Range, ...], Conjunction]
"""What an entry asks that its masks do not tell."""


def _range(fact: str, literals: Sequence[Literal], domain: Domain) -> _Range | None:
    """Return the one range of places where the literals hold; None if it may be several."""
    if any(asked.operator in LISTS for asked in literals):
        return None
    spans = domain.spans(domain.constraint(literals))
    return (fact, *spans[0]) if len(spans) == 1 else None


def _fits(extra: _Extra, cells: Cells, facts: Facts) -> bool:
    ranges, literals = extra
    for fact, low, high in ranges:
        if not low <= cells[fact] < high:
            return False
    return not literals or hold(literals, facts)


class Masks:
    """Entries by bit, and the masks of every fact that one of them mentions.

    Up to 64 entries keep their masks in one array. In a `leaf`, where few of them are left,
    they ask about wide facts one by one. If they are filed under a run of cells of one fact,
    the masks of that run come last, and `collect` is given the place in it. `always` are
    rules that hold wherever these masks are asked.
    """

    __slots__ = ("_all", "_always", "_data", "_extra", "_rules", "_wide")

    def __init__(
        self,
        always: Sequence[PreparedRule],
        entries: Splits,
        header: Header,
        domains: Mapping[str, Domain],
        run: tuple[str, range] | None = None,
        *,
        leaf: bool = False,
    ) -> None:
        size = len(entries)
        self._all = (1 << size) - 1
        self._always = always
        self._rules = tuple([rule for rule, _ in entries])
        small = size <= WORD
        asked = leaf and small
        filed_under, bin_cells = run or ("", range(0))
        mentioned: dict[str, dict[int, Intervals]] = {}
        extra: dict[int, _Extra] = {}
        for bit, (_, by_fact) in enumerate(entries):
            for fact, literals in by_fact.items():
                if fact in header.bases or fact == filed_under or not asked:
                    domain = domains[fact]
                    mentioned.setdefault(fact, {})[bit] = domain.spans(domain.constraint(literals))
                    continue
                ranges, others = extra.get(bit, ((), ()))
                one = _range(fact, literals, domains[fact]) if fact in header.filed else None
                extra[bit] = ((*ranges, one), others) if one else (ranges, (*others, *literals))
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
        self._extra = extra

    def collect(
        self, places: list[int], cells: Cells, facts: Facts, found: list[PreparedRule]
    ) -> None:
        """Append the rules of the entries that hold."""
        if self._always:
            found += self._always
        mask, data = self._all, self._data
        for place in places:
            mask &= data[place]
            if not mask:
                return
        for fact, wide in self._wide:
            mask &= wide.mask(facts.get(fact))
        rules, extra = self._rules, self._extra
        if extra:
            found += [
                rules[bit]
                for bit in bits(mask)
                if bit not in extra or _fits(extra[bit], cells, facts)
            ]
        else:
            found += [rules[bit] for bit in bits(mask)]
