"""Matching: which entries hold for the facts of one event, without asking each of them.

An *entry* is a conjunction of literals, and the number of the rule it finds. One `Index`
holds them in up to four ways, and `build` is the one place that decides which:

- no literal: holds always;
- few entries: asked one by one, which is faster than anything for a handful;
- entries that a single fact nearly decides (an offer code among thousands, a narrow range
  of prices): filed under the cell of that fact, each cell an index of its own;
- all others: bits of masks, one mask a cell of each fact, ANDed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from listboss.engine.matching.bitmap import WORD, Header, Masks, Places, Rows, Split
from listboss.engine.matching.normal_form import (
    ByFact,
    Conjunction,
    Facts,
    by_fact,
    conjunction,
    hold,
    without,
)
from listboss.engine.matching.partition import Constraint, Domain, domains_of

__all__ = ["Index", "build"]

_Entry: TypeAlias = tuple[int, Conjunction]

FEW = 8
"""Up to so many entries are asked one by one: masks have a fixed cost of some microseconds."""
FEW_OF_LEAF = 3
"""The same in the leaf of an index whose header is there already."""
FEWEST_FILED = 32
"""So many entries must be worth filing under a fact, and so many cells must it have."""
MOST_COPIES = 4
"""Under how many bins an entry may be filed; a wider one is no narrow entry."""
FEWEST_BINS = 16
"""A fact that splits entries less finely than this decides too little."""
FINEST_BIN, COARSER = 64, 4
"""Cells in the finest bin of an ordered fact, and how much coarser each next size is."""


class _Asked:
    """Rules that hold always, and a few that are asked one by one."""

    __slots__ = ("_always", "_few")

    def __init__(self, always: Sequence[int], few: tuple[_Entry, ...]) -> None:
        self._always = always
        self._few = few

    def collect(self, _rows: Rows, _places: Places, facts: Facts, found: list[int]) -> None:
        """Append the numbers of the rules whose entries hold."""
        found += self._always
        if self._few:
            found += [number for number, literals in self._few if hold(literals, facts)]


_Leaf: TypeAlias = _Asked | Masks
"""Entries that share the header of the index above."""
_Table: TypeAlias = tuple[int, int, int, "Mapping[int, _Leaf | Index]"]
"""Entries filed under the bins (runs of cells) of one fact that nearly decides them: the number
of the fact, where its places begin, the size of a bin, and what is in each."""


class Index:
    """Entries, indexed; `match` finds those that hold. Made by `build`.

    INVARIANT: no entry is filed under a bin for events without a usable value of the fact
    (`_narrow`). Such an event may meet the last bin, and whatever is in a bin of several
    cells asks for the fact again.
    """

    __slots__ = ("_doors", "_leaf", "_narrow", "_size", "_tables")

    def __init__(self, header: Header, leaf: _Leaf, tables: tuple[_Table, ...]) -> None:
        self._doors = header.doors
        self._narrow = len(header.domains)
        self._size = header.size
        self._leaf = leaf
        self._tables = tables

    def match(self, facts: Facts, found: list[int]) -> None:
        """Append the numbers of the rules whose entries hold, in no order, perhaps twice."""
        get = facts.get
        places = [door(get(fact)) for fact, door in self._doors]
        rows = places[: self._narrow]
        self._leaf.collect(rows, places, facts, found)
        for number, base, size, bins in self._tables:
            cell = places[number] - base
            child = bins.get(cell // size)
            if child is not None:
                inside = [self._size + cell % size, *rows] if size == FINEST_BIN else rows
                child.collect(inside, places, facts, found)

    def collect(self, _rows: Rows, _places: Places, facts: Facts, found: list[int]) -> None:
        """Do the same under a table of another index, whose header it does not share."""
        self.match(facts, found)


def build(entries: Iterable[_Entry], decided: frozenset[str] = frozenset()) -> Index:
    """Index entries: the one place that decides how each of them is found.

    None is filed under a fact that is `decided`: all come from one bin of it, and all might
    meet in one bin again.
    """
    splits = [(number, by_fact(literals)) for number, literals in entries]
    if sum(1 for _, literals in splits if literals) <= FEW:
        return Index(Header({}), _asked(splits), ())
    domains = domains_of(literals for _, literals in splits)
    header = Header(domains)
    filed, rest = _file(splits, {f: domain for f, domain in domains.items() if f not in decided})
    tables: list[_Table] = []
    for (fact, size), bins in filed.items():
        indexed: dict[int, _Leaf | Index] = {}
        for one, inside in bins.items():
            split = _without(inside, fact) if size == 1 else inside
            if len(split) > WORD:
                nested = ((number, conjunction(literals)) for number, literals in split)
                indexed[one] = build(nested, decided | {fact})
            else:
                cells = range(one * size, (one + 1) * size)
                run = (fact, cells) if size == FINEST_BIN else None
                indexed[one] = _leaf(split, header, domains, run)
        tables.append((header.numbers[fact], header.bases[fact], size, indexed))
    return Index(header, _leaf(rest, header, domains, top=True), tuple(tables))


def _without(entries: Sequence[Split], fact: str) -> Sequence[Split]:
    """A bin of one cell has decided its fact."""
    return [(number, without(literals, fact)) for number, literals in entries]


def _asked(entries: Sequence[Split]) -> _Asked:
    return _Asked(
        tuple([number for number, literals in entries if not literals]),
        tuple([(number, conjunction(literals)) for number, literals in entries if literals]),
    )


def _leaf(
    entries: Sequence[Split],
    header: Header,
    domains: Mapping[str, Domain],
    run: tuple[str, range] | None = None,
    *,
    top: bool = False,
) -> _Leaf:
    always = tuple([number for number, literals in entries if not literals])
    if len(entries) - len(always) <= FEW_OF_LEAF:
        return _asked(entries)
    asking = [entry for entry in entries if entry[1]]
    return Masks(always, asking, header, domains, run, leaf=not top)


_Filing: TypeAlias = tuple[str, int]
"""A fact, and the size of its bins."""


def _file(
    entries: Sequence[Split], domains: Mapping[str, Domain]
) -> tuple[dict[_Filing, dict[int, list[Split]]], list[Split]]:
    """Split entries into those filed under bins of a fact, and the rest."""
    wide = {fact: domain for fact, domain in domains.items() if domain.count > FEWEST_FILED}
    chosen: dict[_Filing, list[tuple[Split, frozenset[int]]]] = {}
    rest: list[Split] = []
    for entry in entries:
        best = _most_deciding(entry[1], wide)
        if best is None:
            rest.append(entry)
        else:
            filing, bins = best
            chosen.setdefault(filing, []).append((entry, bins))
    filed: dict[_Filing, dict[int, list[Split]]] = {}
    for filing, members in chosen.items():
        if len(members) < FEWEST_FILED:
            rest.extend(entry for entry, _ in members)
            continue
        table = filed.setdefault(filing, {})
        for entry, bins in members:
            for one in bins:
                table.setdefault(one, []).append(entry)
    return filed, rest


def _most_deciding(
    literals: ByFact, domains: Mapping[str, Domain]
) -> tuple[_Filing, frozenset[int]] | None:
    """Return the fact under whose bins the entry meets the fewest events, or None."""
    best: tuple[_Filing, frozenset[int]] | None = None
    most = 0.0
    for fact, asked in literals.items():
        domain = domains.get(fact)
        narrow = None if domain is None else _narrow(domain, domain.constraint(asked))
        if domain is None or narrow is None:
            continue
        size, bins = narrow
        decides = domain.count / (size * len(bins))
        if decides > most:
            most, best = decides, ((fact, size), bins)
    return best


def _narrow(domain: Domain, constraint: Constraint) -> tuple[int, frozenset[int]] | None:
    """Return the finest size of bins, and the few bins of it, that hold the constraint."""
    if constraint.missing or constraint.wrong or not constraint.known:
        return None
    size = FINEST_BIN if domain.is_ordered else 1
    while domain.count >= size * FEWEST_BINS:
        spans = [(low // size, (high - 1) // size + 1) for low, high in constraint.known]
        if sum(last - first for first, last in spans) <= MOST_COPIES:
            return size, frozenset(one for span in spans for one in range(*span))
        if size == 1:
            return None
        size *= COARSER
    return None
