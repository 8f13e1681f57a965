"""The rules of one product, event and plan, and their index; changes beside what is shared.

Each prepared rule has a slot. A changed rule leaves its slot empty and takes a new one: the
old indexes are shared as they are, and what they find in an empty slot is passed over. New
slots are indexed in chunks. A small bucket, or one with too many changes, is made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import attrs

from listboss.engine.index import Index, build
from listboss.engine.literal import Conjunction, Facts, cover
from listboss.engine.predicate import Predicate, predicate
from listboss.engine.step import Step
from listboss.rules.catalogue import Catalogue
from listboss.rules.segmentation import Segmentation

__all__ = ["Bucket", "PreparedRule", "bucket_of"]

CHUNK = 64
"""So many changed rules share an index; a bucket of no more rules is always made anew."""
MOST_CHUNKS = 32
"""A bucket with more changes than so many chunks hold is made anew."""


@attrs.frozen(eq=False)
class PreparedRule:
    """A rule that can run: its place among the rules of its product, and its actions."""

    position: int
    rule: Segmentation
    steps: tuple[Step, ...]


@attrs.frozen(eq=False)
class _Slot:
    rule: PreparedRule
    check: Predicate | None
    """Asked of what the index lets through too freely."""


class Bucket:
    """Rules and the indexes that find them; immutable. Made by `bucket_of`."""

    __slots__ = ("_catalogue", "_indexes", "_shared", "_slots")

    def __init__(
        self,
        catalogue: Catalogue,
        slots: Sequence[_Slot | None],
        indexes: tuple[Index, ...],
        shared: int,
    ) -> None:
        self._catalogue = catalogue
        self._slots = slots
        self._indexes = indexes
        self._shared = shared  # how many slots the first index has

    def __len__(self) -> int:
        return len(self.rules())

    def match(self, facts: Facts) -> Sequence[PreparedRule]:
        """Return the rules that hold, in the order declared."""
        found: list[int] = []
        for index in self._indexes:
            index.collect(facts, found)
        if not found:
            return ()
        if len(found) > 1:
            found = sorted(set(found))
        matched: list[PreparedRule] = []
        for number in found:
            slot = self._slots[number]
            if slot is not None and (slot.check is None or slot.check(facts)):
                matched.append(slot.rule)
        if len(self._indexes) > 1:
            matched.sort(key=lambda rule: rule.position)
        return matched

    def rules(self) -> list[PreparedRule]:
        """Return all rules, in the order declared."""
        rules = [slot.rule for slot in self._slots if slot is not None]
        return sorted(rules, key=lambda rule: rule.position)

    def changed(self, gone: Collection[int], fresh: Iterable[PreparedRule]) -> Bucket:
        """Return a bucket without the rules at some positions, and with fresh ones."""
        slots = list(self._slots)
        for number, slot in enumerate(slots):
            if slot is not None and slot.rule.position in gone:
                slots[number] = None
        added = list(fresh)
        overlaid = len(slots) - self._shared + len(added)
        if self._shared <= CHUNK or overlaid > CHUNK * MOST_CHUNKS:
            rest = [slot.rule for slot in slots if slot is not None]
            return bucket_of([*rest, *added], self._catalogue)
        full = (len(slots) - self._shared) // CHUNK
        start = self._shared + full * CHUNK
        pending = [slot.rule for slot in slots[start:] if slot is not None] + added
        slots, indexes = slots[:start], self._indexes[: 1 + full]
        for first in range(0, len(pending), CHUNK):
            chunk = pending[first : first + CHUNK]
            indexes = (*indexes, _indexed(chunk, self._catalogue, slots))
        return Bucket(self._catalogue, slots, indexes, self._shared)

    def compacted(self) -> Bucket:
        """Return a bucket with one index; itself if it has no changes beside it."""
        if len(self._slots) == self._shared and None not in self._slots:
            return self
        return bucket_of(self.rules(), self._catalogue)


def bucket_of(rules: Iterable[PreparedRule], catalogue: Catalogue) -> Bucket:
    """Make a bucket with one index of all its rules."""
    slots: list[_Slot | None] = []
    index = _indexed(sorted(rules, key=lambda rule: rule.position), catalogue, slots)
    return Bucket(catalogue, slots, (index,), len(slots))


def _indexed(
    rules: Iterable[PreparedRule], catalogue: Catalogue, slots: list[_Slot | None]
) -> Index:
    """Give each rule the next slot, and index them."""
    entries: list[tuple[int, Conjunction]] = []
    for prepared in rules:
        condition, check = prepared.rule.condition, None
        if condition is None:
            entries.append((len(slots), ()))
        else:
            found = cover(condition, catalogue)
            entries.extend((len(slots), literals) for literals in found.conjunctions)
            check = None if found.exact else predicate(condition, catalogue)
        slots.append(_Slot(prepared, check))
    return build(entries)
