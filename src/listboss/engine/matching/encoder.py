"""Encoders: from the raw value of a fact to its cell.

A `Partition` is used when rules are indexed, an encoder for each event. An encoder of strings,
integers or booleans looks the raw value up among those it has seen, and computes the cell of a
new one; an encoder of decimals or times bisects the points of the partition. `EventEncoder`
holds the encoders of all facts of one index, so that an event's facts are encoded once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from listboss.rules._facts import READERS, is_present, language_range
from listboss.rules._partition import Partition
from listboss.rules.catalogue import FactKind

__all__ = ["Encoder", "EventEncoder", "encoder_of"]

Encoder: TypeAlias = Callable[[Any], int]
"""Maps the raw value of a fact, or None, to its cell."""
_Encode: TypeAlias = Callable[[Any, Mapping[Any, int]], int]
"""Does the same, given the cells of known spellings: of mentioned values, and of cached ones."""

MAX_CACHED_SPELLINGS = 256
"""At most this many other spellings are cached for a fact, and at most two for each cell. Measured:
matching is up to 1.23 x faster."""
MAX_CACHED_LENGTH = 64
"""Longer spellings are not cached, so that no sender can fill the memory."""
MAX_SHARED_CELLS = 64
"""Facts of at most this many cells have the same rows in every leaf of an index. Measured: with
all of them encoded once, matching is up to 1.6 x faster."""

BISECTED_KINDS = frozenset({FactKind.DECIMAL, FactKind.INSTANT})
"""Kinds that are not looked up: hashing a value takes longer than bisecting thousands of points.
Integers are looked up. Measured: matching is 1.06 x faster."""
KEY_TYPES: Mapping[FactKind, type] = {FactKind.BOOLEAN: bool, FactKind.INTEGER: int}
"""Only this type is looked up, since 1, True and Decimal(1) are equal as dictionary keys."""


class _Spellings(dict[Any, int]):
    """Cells by raw value. A new value is encoded, and cached within limits.

    `encode` gets this object as an argument and must not keep it. That would be a reference cycle,
    and unused engines would stay in memory until the garbage collector runs.

    INVARIANT: what a reader returns is read as itself (tests/rules/test_facts), so a cached
    spelling never differs from the value of that name.
    """

    __slots__ = ("encode", "max_size")

    encode: _Encode
    max_size: int

    def __missing__(self, raw: Any) -> int:
        cell = self.encode(raw, self)
        if len(self) < self.max_size and (
            raw.__class__ is not str or len(raw) <= MAX_CACHED_LENGTH
        ):
            self[raw] = cell
        return cell


def encoder_of(partition: Partition, base: int = 0) -> Encoder:
    """Return the encoder of a partition; its cells are counted from `base`."""
    if partition.kind in BISECTED_KINDS:
        return _ordered_encoder(partition, base)
    make = _integer_encoder if partition.is_ordered else _value_encoder
    encode, cells = make(partition, base), partition.cells
    # With None, since Python would copy a dictionary of strings for the first other key.
    spellings = _Spellings({None: partition.missing, **cells})
    if base:
        spellings.update({value: base + cell for value, cell in spellings.items()})
    spellings.max_size = len(spellings) + min(MAX_CACHED_SPELLINGS, 2 * partition.size)
    spellings.encode = encode
    key_type = KEY_TYPES.get(partition.kind)
    if key_type is None:
        return spellings.__getitem__
    return lambda raw: spellings[raw] if raw.__class__ is key_type else encode(raw, spellings)


def _ordered_encoder(partition: Partition, base: int) -> Encoder:
    """Return an encoder that finds a value among the points, or between two of them."""
    read, missing = READERS[partition.kind], base + partition.missing
    points, count = partition.points, len(partition.points)

    def encode(raw: Any) -> int:
        value = read(raw)
        if value is None:
            return missing + is_present(raw)
        index = bisect_left(points, value)
        return base + 2 * index + (index < count and points[index] == value)

    return encode


def _integer_encoder(partition: Partition, base: int) -> _Encode:
    """Return the encoder of integers that are not cached."""
    encode = _ordered_encoder(partition, base)
    return lambda raw, _cells: encode(raw)


def _value_encoder(partition: Partition, base: int) -> _Encode:
    """Return an encoder that finds a value, or the longest mentioned prefix of a language tag."""
    read, missing = READERS[partition.kind], base + partition.missing
    is_language, other = partition.kind is FactKind.LANGUAGE, base + partition.count - 1

    def encode(raw: Any, cells: Mapping[Any, int]) -> int:
        value: Any = read(raw)
        if value is None:
            return missing + is_present(raw)
        if is_language:
            value = next((tag for tag in language_range(value) if tag in cells), value)
        return cells.get(value, other)

    return encode


class EventEncoder:
    """The encoders of all facts of one index, shared by everything in it.

    Facts of few cells come first: `shared` has their partitions. In every leaf, their bitmaps
    are the first `shared_rows` rows, those of a fact from row `bases[fact]` on, and their cells
    are counted from there. `numbers` gives the position of each fact in `encoders`.
    """

    __slots__ = ("bases", "encoders", "numbers", "shared", "shared_rows")

    def __init__(self, partitions: Mapping[str, Partition]) -> None:
        self.shared = {
            fact: partition
            for fact, partition in partitions.items()
            if partition.count <= MAX_SHARED_CELLS
        }
        self.bases = dict.fromkeys(partitions, 0)
        self.shared_rows = 0
        for fact, partition in self.shared.items():
            self.bases[fact] = self.shared_rows
            self.shared_rows += partition.size
        facts = [*self.shared, *(fact for fact in partitions if fact not in self.shared)]
        self.numbers = {fact: number for number, fact in enumerate(facts)}
        self.encoders = tuple(
            [(fact, encoder_of(partitions[fact], self.bases[fact])) for fact in facts]
        )
