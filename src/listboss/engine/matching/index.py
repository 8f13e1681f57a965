"""Find the entries that hold for one event, without evaluating each of them.

An *entry* is a conjunction of literals and the number of its rule. `build` is the one place
that decides how each entry is found:

- An entry without literals always holds.
- A few entries are scanned: nothing is faster for so small a number.
- An entry that one fact nearly decides (an offer code among thousands, a narrow range of
  prices) is posted under the cells of that fact, its *access predicate*, as in
  publish/subscribe matching. An event looks only into the bin of its own cell.
- All other entries are bits of a bitmap index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from listboss.engine.matching.bitmap import WORD_BITS, BitmapIndex, Cells, Entry, Rows
from listboss.engine.matching.encoder import EventEncoder
from listboss.engine.matching.normal_form import by_fact, flat, without
from listboss.rules._facts import Facts
from listboss.rules._literal import Conjunction, Literal, hold
from listboss.rules._partition import Partition, partitions_of

__all__ = ["MIN_POSTED", "Access", "Index", "build", "choose_bins", "eligible", "post"]

MAX_SCANNED = 8
"""At most this many entries are scanned: a bitmap index costs some microseconds, however small."""
MAX_SCANNED_IN_LEAF = 3
"""The same inside an index, where the event is encoded already."""
MIN_POSTED = 32
"""A fact has bins if it has more cells than this, and at least this many entries for them.
Measured: with 10,000 rules in a bucket, matching is 3.2 x faster."""
MAX_COPIES = 4
"""An entry is posted in at most this many bins of a fact; if it needs more, it is not selective."""
MIN_BINS = 16
"""A fact with fewer bins than this is not selective."""
FINEST_BIN, BIN_GROWTH = 64, 4
"""Cells in the finest bins of an ordered fact; each coarser size is this many times as large."""


class Access(NamedTuple):
    """Where an entry is posted: a fact, the size of a bin in cells, and the numbers of the bins."""

    fact: str
    bin_size: int
    bins: Sequence[int]

    def selectivity(self, partition: Partition) -> float:
        """Estimate how many events there are for each one that looks at the entry."""
        return partition.count / (self.bin_size * len(self.bins)) if self.bins else float("inf")


_Choose: TypeAlias = Callable[[str, Partition, Sequence[Literal]], Access | None]
_Postings: TypeAlias = dict[tuple[str, int], dict[int, list[Entry]]]
"""By fact and size of its bins: the entries of each bin."""


def post(
    entries: Iterable[Entry],
    partitions: Mapping[str, Partition],
    choose: _Choose,
    min_posted: int,
) -> tuple[_Postings, list[Entry]]:
    """Post each entry under its most selective fact; also return those that have none.

    `choose` returns where an entry could be posted under one fact, or None. Bins for fewer than
    `min_posted` entries are not worth a look-up: these entries take their next best fact.
    """
    chosen: dict[tuple[str, int], list[tuple[Entry, Access]]] = {}
    rest: list[Entry] = []
    for entry in entries:
        best = _accesses(entry, partitions, choose)
        if best:
            chosen.setdefault(best[0][:2], []).append((entry, best[0]))
        else:
            rest.append(entry)
    large = {key for key, members in chosen.items() if len(members) >= min_posted}
    for key in chosen.keys() - large:
        for entry, _ in chosen.pop(key):
            access = next(
                (each for each in _accesses(entry, partitions, choose) if each[:2] in large), None
            )
            if access is None:
                rest.append(entry)
            else:
                chosen[access[:2]].append((entry, access))
    postings: _Postings = {}
    for key, members in chosen.items():
        bins = postings[key] = {}
        for entry, access in members:
            for each in access.bins:
                bins.setdefault(each, []).append(entry)
    return postings, rest


def _accesses(entry: Entry, partitions: Mapping[str, Partition], choose: _Choose) -> list[Access]:
    """List where an entry could be posted, the most selective fact first."""
    found: list[tuple[float, Access]] = []
    for fact, literals in entry[1].items():
        partition = partitions.get(fact)
        access = None if partition is None else choose(fact, partition, literals)
        if access is not None and partition is not None:
            found.append((access.selectivity(partition), access))
    found.sort(key=itemgetter(0), reverse=True)
    return [access for _, access in found]


class _Scan:
    """Rules that always hold, and a few entries that are tested one by one."""

    __slots__ = ("_always", "_tested")

    def __init__(self, always: Sequence[int], tested: Sequence[tuple[int, Conjunction]]) -> None:
        self._always = always
        self._tested = tested

    def collect(self, _rows: Rows, _cells: Cells, facts: Facts, found: list[int]) -> None:
        """Append the numbers of the rules whose entries hold."""
        found += self._always
        if self._tested:
            found += [number for number, literals in self._tested if hold(literals, facts)]


_Leaf: TypeAlias = _Scan | BitmapIndex
"""Entries that share the encoder of the index above them."""
_Table: TypeAlias = tuple[int, int, int, "Mapping[int, _Leaf | Index]"]
"""The bins of one fact: the number of the fact, the base of its cells, the size of a bin in
cells, and what is in each bin."""


class Index:
    """An index of entries, made by `build`; `match` finds those that hold.

    INVARIANT: a posted entry needs a usable value of its fact (test_many_rules_of_one_shape). An
    event without one may look into a bin of several cells, whose entries test the fact again.
    """

    __slots__ = ("_encoders", "_leaf", "_shared", "_shared_rows", "_tables")

    def __init__(self, encoder: EventEncoder, leaf: _Leaf, tables: tuple[_Table, ...]) -> None:
        self._encoders = encoder.encoders
        self._shared = len(encoder.shared)
        self._shared_rows = encoder.shared_rows
        self._leaf = leaf
        self._tables = tables

    def match(self, facts: Facts, found: list[int]) -> None:
        """Append the numbers of the rules whose entries hold, unordered and perhaps repeated."""
        get = facts.get
        cells = [encode(get(fact)) for fact, encode in self._encoders]
        rows = cells[: self._shared]
        self._leaf.collect(rows, cells, facts, found)
        for number, base, bin_size, bins in self._tables:
            cell = cells[number] - base
            child = bins.get(cell // bin_size)
            if child is not None:
                inside = rows
                if bin_size == FINEST_BIN:
                    inside = [self._shared_rows + cell % bin_size, *rows]
                child.collect(inside, cells, facts, found)

    def collect(self, _rows: Rows, _cells: Cells, facts: Facts, found: list[int]) -> None:
        """Do the same as a bin of another index, but with an encoder of its own."""
        self.match(facts, found)


def build(
    conjunctions: Iterable[tuple[int, Conjunction]], decided: frozenset[str] = frozenset()
) -> Index:
    """Index conjunctions, each with the number of its rule: decide how each of them is found.

    None is posted under a `decided` fact: all of them come from one of its bins, and might all
    be in one bin again.
    """
    entries = [(number, by_fact(literals)) for number, literals in conjunctions]
    if sum(1 for _, literals in entries if literals) <= MAX_SCANNED:
        return Index(EventEncoder({}), _scan(entries), ())
    partitions = partitions_of(literals for _, literals in entries)
    encoder = EventEncoder(partitions)
    postings, rest = post(entries, eligible(partitions, decided), choose_bins, MIN_POSTED)
    tables: list[_Table] = []
    for (fact, bin_size), bins in postings.items():
        indexed: dict[int, _Leaf | Index] = {}
        for each, posted in bins.items():
            # A bin of one cell decides its fact.
            inside = [(n, without(ls, fact)) for n, ls in posted] if bin_size == 1 else posted
            if len(inside) > WORD_BITS:
                indexed[each] = build(((n, flat(ls)) for n, ls in inside), decided | {fact})
            else:
                cells = range(each * bin_size, (each + 1) * bin_size)
                bin_of = (fact, cells) if bin_size == FINEST_BIN else None
                indexed[each] = _leaf(inside, encoder, partitions, bin_of)
        tables.append((encoder.numbers[fact], encoder.bases[fact], bin_size, indexed))
    return Index(encoder, _leaf(rest, encoder, partitions, top=True), tuple(tables))


def _scan(entries: Sequence[Entry]) -> _Scan:
    return _Scan(
        tuple([number for number, literals in entries if not literals]),
        tuple([(number, flat(literals)) for number, literals in entries if literals]),
    )


def _leaf(
    entries: Sequence[Entry],
    encoder: EventEncoder,
    partitions: Mapping[str, Partition],
    bin_of: tuple[str, range] | None = None,
    *,
    top: bool = False,
) -> _Leaf:
    always = tuple([number for number, literals in entries if not literals])
    if len(entries) - len(always) <= MAX_SCANNED_IN_LEAF:
        return _scan(entries)
    tested = [entry for entry in entries if entry[1]]
    return BitmapIndex(always, tested, encoder, partitions, bin_of, leaf=not top)


def eligible(partitions: Mapping[str, Partition], decided: frozenset[str]) -> dict[str, Partition]:
    """Return the facts that have enough cells for bins."""
    return {
        fact: partition
        for fact, partition in partitions.items()
        if fact not in decided and partition.count > MIN_POSTED
    }


def choose_bins(fact: str, partition: Partition, literals: Sequence[Literal]) -> Access | None:
    """Choose the finest bins of which a few contain all cells where the literals hold."""
    constraint = partition.constraint(literals)
    if constraint.missing or constraint.wrong or not constraint.known:
        return None
    size = FINEST_BIN if partition.is_ordered else 1
    while partition.count >= size * MIN_BINS:
        spans = [(low // size, (high - 1) // size + 1) for low, high in constraint.known]
        if sum(last - first for first, last in spans) <= MAX_COPIES:
            bins = sorted({each for span in spans for each in range(*span)})
            return Access(fact, size, bins)
        if size == 1:
            return None
        size *= BIN_GROWTH
    return None
