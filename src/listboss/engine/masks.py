"""Masks: sets of entries as bits of Python integers, and their intersection for one event.

For each fact there is one mask a cell: the entries that the cell does not rule out. The
masks of the facts, ANDed, leave the entries that hold. A fact with very many cells keeps
the mask of every n-th cell, and between two of them which bits change: so memory grows with
the entries, not with entries times cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from listboss.engine.cells import Constraint, Domain
from listboss.engine.literal import Literal
from listboss.rules.catalogue import FactKind
from listboss.rules.facts import READERS, is_present

__all__ = ["FactMasks", "Masks", "bits"]

MOST_MASKS = 512
"""How many masks a fact keeps; with more cells than that, only every n-th cell has one."""
MOST_REMEMBERED = 1_024
"""How many raw texts a fact remembers the mask of."""
FEW_BITS = 24
"""Up to so many bits are read from the top; more of them byte by byte."""

_TEXTS = frozenset(
    {FactKind.CHOICE, FactKind.TEXT, FactKind.COUNTRY, FactKind.CURRENCY, FactKind.LANGUAGE}
)
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


def _flip(data: bytearray, bit: int) -> None:
    data[bit >> 3] ^= 1 << (bit & 7)


class FactMasks:
    """The masks of one fact: for a raw value, the entries that it does not rule out."""

    __slots__ = ("_changes", "_domain", "_masks", "_missing", "_read", "_seen", "_step", "_wrong")

    def __init__(
        self, domain: Domain, constraints: Mapping[int, Constraint], silent: bytearray
    ) -> None:
        """`constraints` by bit; `silent` has the bits of the entries that do not mention it."""
        self._domain = domain
        self._read = READERS[domain.kind]
        self._seen: dict[str, int] | None = {} if domain.kind in _TEXTS else None
        missing, wrong, data = bytearray(silent), bytearray(silent), bytearray(silent)
        changes: list[list[int]] = [[] for _ in range(domain.count + 1)]
        for bit, constraint in constraints.items():
            if constraint.missing:
                _flip(missing, bit)
            if constraint.wrong:
                _flip(wrong, bit)
            for low, high in constraint.known:
                changes[low].append(bit)
                changes[high].append(bit)
        self._missing = int.from_bytes(missing, "little")
        self._wrong = int.from_bytes(wrong, "little")
        self._step = 1 + domain.count // MOST_MASKS
        self._masks: list[int] = []
        for cell in range(domain.count):
            for bit in changes[cell]:
                _flip(data, bit)
            if cell % self._step == 0:
                unchanged = self._masks and self._step == 1 and not changes[cell]
                self._masks.append(self._masks[-1] if unchanged else int.from_bytes(data, "little"))
        self._changes = tuple(map(tuple, changes)) if self._step > 1 else ()

    def mask(self, raw: Any) -> int:
        """Return the entries that a raw value of the fact, or None, does not rule out."""
        seen = self._seen
        if seen is None:
            return self._mask(raw)
        if raw in seen:
            return seen[raw]
        mask = self._mask(raw)
        if isinstance(raw, str) and len(seen) < MOST_REMEMBERED:
            seen[raw] = mask
        return mask

    def _mask(self, raw: Any) -> int:
        value = self._read(raw)
        if value is None:
            return self._wrong if is_present(raw) else self._missing
        cell = self._domain.cell(value)
        if self._step == 1:
            return self._masks[cell]
        start = cell // self._step
        flips = [bit for each in self._changes[start * self._step + 1 : cell + 1] for bit in each]
        if not flips:
            return self._masks[start]
        base = self._masks[start]
        data = bytearray(base.to_bytes((max(base.bit_length(), 1 + max(flips)) + 7) // 8, "little"))
        for bit in flips:
            _flip(data, bit)
        return int.from_bytes(data, "little")


class Masks:
    """Entries by bit, and the masks of every fact that one of them mentions."""

    __slots__ = ("_all", "_facts", "_positions")

    def __init__(
        self,
        entries: Sequence[tuple[int, Mapping[str, Sequence[Literal]]]],
        domains: Mapping[str, Domain],
    ) -> None:
        """`entries`: positions, each with its literals by fact."""
        self._positions = tuple(position for position, _ in entries)
        size = (len(entries) + 7) // 8
        mentioned: dict[str, dict[int, Constraint]] = {}
        for bit, (_, by_fact) in enumerate(entries):
            for fact, literals in by_fact.items():
                constraint = domains[fact].constraint(literals)
                mentioned.setdefault(fact, {})[bit] = constraint
        facts: list[tuple[str, FactMasks]] = []
        # The facts that most entries mention rule out most: ask them first.
        for fact in sorted(mentioned, key=lambda fact: -len(mentioned[fact])):
            silent = bytearray(b"\xff" * size)
            for bit in mentioned[fact]:
                _flip(silent, bit)
            facts.append((fact, FactMasks(domains[fact], mentioned[fact], silent)))
        self._facts = tuple(facts)
        self._all = (1 << len(entries)) - 1

    def collect(self, facts: Mapping[str, Any], found: list[int]) -> None:
        """Append the positions of the entries that hold."""
        mask = self._all
        for fact, masks in self._facts:
            mask &= masks.mask(facts.get(fact))
            if not mask:
                return
        positions = self._positions
        found.extend([positions[bit] for bit in bits(mask)])
