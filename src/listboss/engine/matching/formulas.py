"""Many conditions, evaluated together: each part of each of them is a bit of one integer.

A comparison has one bit, and a group of comparisons has one behind those of its parts. If 1 is
added at the lowest bit of an AND, it carries into the bit of the AND exactly if all its parts
are set. So a single addition evaluates all the ANDs that are nested equally deep. An OR is an
AND of inverted parts, inverted itself.

    a & (b | c)     bit   0: a    1: not b    2: not c    3: not (not b & not c)    4: the AND
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias, assert_never

from listboss.engine.matching.bitmap import Spans, WideFact
from listboss.engine.matching.encoder import Encoder, encoder_of
from listboss.engine.matching.normal_form import NOT_INDEXED, by_fact
from listboss.rules._facts import Facts, Reader
from listboss.rules._literal import EQUALITIES, Conjunction, Literal, literal
from listboss.rules._partition import Intervals, Partition, partitions_of
from listboss.rules._search import Prefixes, searcher
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator

__all__ = ["Formulas", "most_found"]

SHARE_OF_BITMAPS = 1 / 4
"""All facts together keep this fraction of `MAX_BITMAPS`. Measured: with all of them, evaluating
57,000 parts takes 0.13 ms instead of 0.2, and the engine 1.6 x the memory."""

_Level: TypeAlias = tuple[int, int, int]
"""Of the groups of one height: their lowest bits, the bits of their parts, and which of their own
bits are inverted afterwards."""


class _Searched(NamedTuple):
    """The comparisons that search one fact for strings: which bits they have, by string.

    `negated` has the bits that are set unless the string is found.
    """

    fact: str
    read: Reader
    search: Callable[[str], Collection[str]]
    bits: Mapping[str, array[int]]
    negated: bytes

    def bitmap(self, facts: Facts) -> int:
        """Return the bits of the comparisons that hold."""
        text = self.read(facts.get(self.fact))
        if not isinstance(text, str):
            return 0
        data = bytearray(self.negated)
        for string in self.search(text):
            for bit in self.bits[string]:
                data[bit >> 3] ^= 1 << (bit & 7)
        return int.from_bytes(data, "little")


class Formulas:
    """Conditions without error findings, by number, that are evaluated together.

    It takes time linear in the number of all their parts, but 64 parts at a time.
    """

    __slots__ = ("_compared", "_inverted", "_levels", "_literals", "_roots", "_searched")

    def __init__(self, conditions: Mapping[int, Condition], catalogue: Catalogue) -> None:
        layout = _Layout(catalogue)
        self._roots = {
            number: layout.add(condition, negated=False, inverted=False)[0]
            for number, condition in conditions.items()
        }
        size = layout.size
        self._inverted = _bitmap(layout.inverted, size)
        self._levels: list[_Level] = []
        for starts, ends, inverted in layout.levels:
            lowest, own = _bitmap(starts, size), _bitmap(ends, size)
            # The bits between two others are the difference of both, as in 0b1000 - 0b0010.
            self._levels.append((lowest, own - lowest, _bitmap(inverted, size)))
        searched = [key for key in layout.literals if key[1] is Operator.CONTAINS]
        self._searched = [_searched(layout.literals.pop(key), size) for key in searched]
        compared = [bit for literals in layout.literals.values() for bit in literals]
        self._literals = _bitmap(compared, size)
        self._compared: list[tuple[str, Encoder, WideFact]] = []
        while layout.literals:  # popped, so that the literals of each fact are freed at once
            (fact, operator), literals = layout.literals.popitem()
            cells_of = _cells if operator is None else _cells_of_prefixes
            encode, cell_count, spans = cells_of(literals)
            share = SHARE_OF_BITMAPS * len(literals) / len(compared)
            self._compared.append((fact, encode, WideFact(cell_count, spans, size, share)))

    def holding(self, numbers: Iterable[int], facts: Facts) -> list[int]:
        """Return those of the numbers whose conditions hold."""
        bits = self._literals
        for fact, encode, wide in self._compared:
            bits &= wide.bitmap(encode(facts.get(fact)))
        for each in self._searched:
            bits |= each.bitmap(facts)
        bits ^= self._inverted
        for lowest, parts, inverted in self._levels:
            bits = ((bits + lowest) | parts) ^ inverted
        data = bits.to_bytes((bits.bit_length() + 7) // 8 + 1, "little")
        last, roots = len(data) - 1, self._roots
        return [n for n in numbers if data[min(roots[n] >> 3, last)] >> (roots[n] & 7) & 1]


class _Layout:
    """The bits of conditions: those of a group lie between those of its first and last part."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.size = 0
        self.literals: dict[tuple[str, Operator | None], dict[int, Literal]] = {}
        """By bit, for each fact; those of an operator in `NOT_INDEXED` have their own entry."""
        self.inverted: list[int] = []
        self.levels: list[tuple[list[int], list[int], list[int]]] = []

    def add(self, condition: Condition, *, negated: bool, inverted: bool) -> tuple[int, int]:
        """Add a condition; return its bit and its height, 0 for a comparison."""
        match condition:
            case Comparison():
                bit = self.size
                self.size += 1
                operator = condition.operator if condition.operator in NOT_INDEXED else None
                compiled = literal(condition, self._catalogue, negated=negated)
                self.literals.setdefault((compiled.fact, operator), {})[bit] = compiled
                if inverted:
                    self.inverted.append(bit)
                return bit, 0
            case Not():
                return self.add(condition.condition, negated=not negated, inverted=inverted)
            case AllOf() | AnyOf():
                is_and = isinstance(condition, AllOf) is not negated
                start, height = self.size, 0
                for part in condition.conditions:
                    below = self.add(part, negated=negated, inverted=not is_and)[1]
                    height = max(height, below)
                bit = self.size
                self.size += 1
                while len(self.levels) <= height:
                    self.levels.append(([], [], []))
                starts, ends, inversions = self.levels[height]
                starts.append(start)
                ends.append(bit)
                if is_and is inverted:
                    inversions.append(bit)
                return bit, height + 1
            case _:
                assert_never(condition)


def _cells(literals: Mapping[int, Literal]) -> tuple[Encoder, int, Spans]:
    """Return the encoder of a fact, the number of its cells, and those where comparisons hold."""
    partition = Partition(literals.values())
    spans = {bit: partition.intervals((each,)) for bit, each in literals.items()}
    return encoder_of(partition), partition.size, spans


def _cells_of_prefixes(literals: Mapping[int, Literal]) -> tuple[Encoder, int, Spans]:
    """Do the same for `starts_with`: all values of a cell have the same longest string, if any."""
    prefixes = Prefixes(each.operand for each in literals.values())
    read, not_text = next(iter(literals.values())).read, len(prefixes) + 1

    def encode(raw: Any) -> int:
        text = read(raw)
        return prefixes.longest(text) if isinstance(text, str) else not_text

    spans: dict[int, Intervals] = {}
    for bit, each in literals.items():
        low, high = prefixes.interval_of(each.operand)
        spans[bit] = ((0, low), (high, not_text)) if each.negated else ((low, high),)
    return encode, not_text + 1, spans


def _searched(literals: Mapping[int, Literal], size: int) -> _Searched:
    """Prepare the `contains` comparisons of one fact."""
    first = next(iter(literals.values()))
    bits: dict[str, array[int]] = {}
    for bit, each in literals.items():
        bits.setdefault(each.operand, array("I")).append(bit)
    negated = _bitmap((bit for bit, each in literals.items() if each.negated), size)
    data = negated.to_bytes((size + 7) // 8, "little")
    return _Searched(first.fact, first.read, searcher(tuple(bits)), bits, data)


def _bitmap(bits: Iterable[int], size: int) -> int:
    data = bytearray((size + 7) // 8)
    for bit in bits:
        data[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(data, "little")


def most_found(entries: Iterable[tuple[int, Conjunction]], sizes: Mapping[int, int]) -> int:
    """Return how large the conditions can be together that one event finds, at most.

    An event is in one cell of each fact, so it finds what holds there, and what needs no fact. Of a
    conjunction, the literal that is likely to be in the fewest cells with others decides.
    """
    rechecked = [(conjunction, sizes[n]) for n, conjunction in entries if n in sizes]
    partitions = partitions_of(by_fact(conjunction) for conjunction, _ in rechecked)
    changes = {fact: [0] * (partition.size + 1) for fact, partition in partitions.items()}
    most = 0
    for conjunction, size in rechecked:
        if not conjunction:
            most += size
            continue
        one = max(conjunction, key=lambda x: (x.operator in EQUALITIES, partitions[x.fact].size))
        for low, high in partitions[one.fact].intervals((one,)):
            changes[one.fact][low] += size
            changes[one.fact][high] -= size
    return most + sum([max(accumulate(sized)) for sized in changes.values()])
