"""Matching: which entries hold for the facts of one event, without asking each of them.

An *entry* is a conjunction of literals with a position. One `Index` holds them in up to
four ways, and `build` is the one place that decides which:

- no literal: holds always;
- few entries: asked one by one, which is faster than anything for a handful;
- entries that a single fact nearly decides (an offer code among thousands, a narrow range
  of prices): filed under the cell of that fact, each cell an index of its own;
- all others: bits of masks, one mask a cell of each fact, ANDed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from listboss.engine.cells import ORDERED, Constraint, Domain
from listboss.engine.literal import Conjunction, Literal
from listboss.engine.masks import Masks
from listboss.rules.facts import READERS, Reader

__all__ = ["Entry", "Index", "build"]

Entry: TypeAlias = tuple[int, Conjunction]

FEW = 8
"""Up to so many entries are asked one by one: masks have a fixed cost of some microseconds."""
FEWEST_FILED = 32
"""So many entries must be worth filing under a fact, and so many cells must it have."""
MOST_COPIES = 4
"""Under how many bins an entry may be filed; a wider one is no narrow entry."""
FEWEST_BINS = 16
"""A fact that splits entries less finely than this decides too little."""
FINEST_BIN, COARSER = 64, 4
"""Cells in the finest bin of an ordered fact, and how much coarser each next size is."""

_ByFact: TypeAlias = dict[str, list[Literal]]


class Table:
    """Entries filed under the bins (runs of cells) of one fact that nearly decides them."""

    __slots__ = ("_children", "_domain", "_fact", "_read", "_size")

    def __init__(self, fact: str, domain: Domain, size: int, children: Mapping[int, Index]) -> None:
        self._fact = fact
        self._read: Reader = READERS[domain.kind]
        self._domain = domain
        self._size = size
        self._children = children

    def collect(self, facts: Mapping[str, Any], found: list[int]) -> None:
        """Append the positions of the entries that hold."""
        value = self._read(facts.get(self._fact))
        if value is None:
            return
        child = self._children.get(self._domain.cell(value) // self._size)
        if child is not None:
            child.collect(facts, found)


class Index:
    """Entries, indexed; `collect` finds those that hold. Made by `build`."""

    __slots__ = ("_always", "_few", "_masks", "_tables")

    def __init__(
        self,
        always: tuple[int, ...],
        few: tuple[Entry, ...],
        tables: tuple[Table, ...],
        masks: Masks | None,
    ) -> None:
        self._always = always
        self._few = few
        self._tables = tables
        self._masks = masks

    def collect(self, facts: Mapping[str, Any], found: list[int]) -> None:
        """Append the positions of the entries that hold, in no order, perhaps twice."""
        if self._always:
            found.extend(self._always)
        get = facts.get
        for position, literals in self._few:
            for fact, read, test, operand, _, _, _ in literals:
                value = read(get(fact))
                if value is None or not test(value, operand):
                    break
            else:
                found.append(position)
        for table in self._tables:
            table.collect(facts, found)
        if self._masks is not None:
            self._masks.collect(facts, found)


def build(entries: Sequence[Entry]) -> Index:
    """Index entries: the one place that decides how each of them is found."""
    always = tuple(position for position, literals in entries if not literals)
    asking = [entry for entry in entries if entry[1]]
    if len(asking) <= FEW:
        return Index(always, tuple(asking), (), None)
    by_fact = [(position, _by_fact(literals)) for position, literals in asking]
    domains = _domains([literals for _, literals in by_fact])
    filed, rest = _file(by_fact, domains)
    tables = tuple(
        Table(fact, domains[fact], size, _children(fact, domains[fact], bins))
        for (fact, size), bins in filed.items()
    )
    if len(rest) <= FEW:
        few = tuple((position, _conjunction(literals)) for position, literals in rest)
        return Index(always, few, tables, None)
    return Index(always, (), tables, Masks(rest, domains))


def _by_fact(literals: Conjunction) -> _ByFact:
    by_fact: _ByFact = {}
    for asked in literals:
        by_fact.setdefault(asked.fact, []).append(asked)
    return by_fact


def _conjunction(by_fact: _ByFact) -> Conjunction:
    return tuple(asked for literals in by_fact.values() for asked in literals)


def _domains(entries: Sequence[_ByFact]) -> dict[str, Domain]:
    mentioned: _ByFact = {}
    for by_fact in entries:
        for fact, literals in by_fact.items():
            mentioned.setdefault(fact, []).extend(literals)
    return {fact: Domain(literals) for fact, literals in mentioned.items()}


_Split: TypeAlias = tuple[int, _ByFact]
_Place: TypeAlias = tuple[str, int]
"""A fact, and the size of its bins."""


def _file(
    entries: Sequence[_Split], domains: Mapping[str, Domain]
) -> tuple[dict[_Place, dict[int, list[_Split]]], list[_Split]]:
    """Split entries into those filed under bins of a fact, and the rest."""
    wide = {fact: domain for fact, domain in domains.items() if domain.count > FEWEST_FILED}
    chosen: dict[_Place, list[tuple[_Split, frozenset[int]]]] = {}
    rest: list[_Split] = []
    for entry in entries:
        best = _most_deciding(entry[1], wide)
        if best is None:
            rest.append(entry)
        else:
            place, bins = best
            chosen.setdefault(place, []).append((entry, bins))
    filed: dict[_Place, dict[int, list[_Split]]] = {}
    for place, members in chosen.items():
        if len(members) < FEWEST_FILED:
            rest.extend(entry for entry, _ in members)
            continue
        table = filed.setdefault(place, {})
        for entry, bins in members:
            for number in bins:
                table.setdefault(number, []).append(entry)
    return filed, rest


def _most_deciding(
    by_fact: _ByFact, domains: Mapping[str, Domain]
) -> tuple[_Place, frozenset[int]] | None:
    """Return the fact under whose bins the entry meets the fewest events, or None."""
    best: tuple[_Place, frozenset[int]] | None = None
    most = 0.0
    for fact, literals in by_fact.items():
        domain = domains.get(fact)
        narrow = None if domain is None else _narrow(domain, domain.constraint(literals))
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
    size = FINEST_BIN if domain.kind in ORDERED else 1
    while domain.count >= size * FEWEST_BINS:
        spans = [(low // size, (high - 1) // size + 1) for low, high in constraint.known]
        if sum(last - first for first, last in spans) <= MOST_COPIES:
            return size, frozenset(number for span in spans for number in range(*span))
        if size == 1:
            return None
        size *= COARSER
    return None


def _children(fact: str, domain: Domain, bins: Mapping[int, Sequence[_Split]]) -> dict[int, Index]:
    """Index what is filed under each bin; a bin of one cell has decided its fact."""
    decided = domain.kind not in ORDERED
    return {
        place: build(
            [
                (position, _conjunction(_without(by_fact, fact) if decided else by_fact))
                for position, by_fact in entries
            ]
        )
        for place, entries in bins.items()
    }


def _without(by_fact: _ByFact, fact: str) -> _ByFact:
    return {name: literals for name, literals in by_fact.items() if name != fact}
