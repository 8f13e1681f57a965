"""The marks, endings and links of a journal in memory, as `judge` asks for them.

Marks are kept by lane, and also by event, since `replan` replaces those of one event. Endings
and links are kept by contact: they hold at every account.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator

from listboss.delivery._mark_index import TargetIndex, TargetMarks
from listboss.delivery._rows import (
    LaneRow,
)
from listboss.standing import (
    ANY_PLACE,
    Ending,
    Grant,
    Mark,
    Stamp,
    Target,
)

__all__ = ["MemoryMarks"]

_NO_MARKS = TargetMarks()


class MemoryMarks:
    """What events say of the targets of each lane."""

    def __init__(self) -> None:
        self.marks: dict[int, dict[Target, TargetMarks]] = defaultdict(dict)
        self.marks_by_event: dict[tuple[int, str], list[Mark]] = defaultdict(list)
        self._marked: dict[int, dict[str, set[Target]]] = defaultdict(lambda: defaultdict(set))
        self._endings: dict[str, dict[Grant, list[Stamp]]] = defaultdict(lambda: defaultdict(list))
        self._links: dict[str, dict[Grant, tuple[Stamp, Grant]]] = defaultdict(dict)

    def add_mark(self, lane: int, mark: Mark) -> None:
        self.marks[lane].setdefault(mark.target, TargetMarks()).add(mark)
        self.marks_by_event[lane, mark.stamp.event_id].append(mark)
        self._marked[lane]["" if mark.grant is None else mark.grant.product_id].add(mark.target)

    def drop_marks(self, lane: int, event_id: str) -> set[Target]:
        dropped = self.marks_by_event.pop((lane, event_id), [])
        for mark in dropped:
            self._remove_mark(lane, mark)
        return {mark.target for mark in dropped} - {ANY_PLACE}

    def _remove_mark(self, lane: int, mark: Mark) -> None:
        for each in self.marks[lane][mark.target].lists(mark):
            each.remove(mark)

    def cover(self, lane: int, mark: Mark) -> None:
        if mark.target == ANY_PLACE:
            return
        marks = self.marks[lane][mark.target]
        for old in [each for each in marks.all() if each.stamp < mark.stamp]:
            self._remove_mark(lane, old)
            self.marks_by_event[lane, old.stamp.event_id].remove(old)

    def drop_mark(self, lane: int, mark: Mark) -> None:
        self._remove_mark(lane, mark)
        self.marks_by_event[lane, mark.stamp.event_id].remove(mark)

    def marks_like(self, lane: int, mark: Mark) -> list[Mark]:
        """Return the marks that say the same: the newest of them decides."""
        kind = (mark.reach, mark.grant, mark.keep)
        marks = self.marks[lane].get(mark.target, _NO_MARKS).all()
        return [each for each in marks if (each.reach, each.grant, each.keep) == kind]

    def drop_outlived(self, lane: int, mark: Mark) -> set[str]:
        older = [each for each in self.marks_like(lane, mark) if each.stamp < mark.stamp]
        for each in older:
            self.drop_mark(lane, each)
        return {each.stamp.event_id for each in older}

    def marks_of(self, event_id: str) -> list[tuple[int, Mark]]:
        return [
            (lane, mark)
            for lane in self.marks
            for mark in self.marks_by_event.get((lane, event_id), ())
        ]

    def marked_targets(self, lane: int, product_id: str | None) -> set[Target]:
        by_product = self._marked.get(lane, {})
        if product_id is not None:
            return by_product.get(product_id, set()) - {ANY_PLACE}
        return {target for targets in by_product.values() for target in targets} - {ANY_PLACE}

    def index(self, lane: LaneRow, target: Target) -> TargetIndex:
        marks = self.marks[lane.id]
        any_place = marks.get(ANY_PLACE) if target.startswith("place:") else None
        return TargetIndex(self, lane.contact, target, marks.get(target, _NO_MARKS), any_place)

    def add_ending(self, contact: str, ending: Ending) -> None:
        stamps = self._endings[contact][ending.grant]
        if ending.stamp not in stamps:
            insort(stamps, ending.stamp)

    def drop_endings(self, contact: str, event_id: str) -> None:
        for stamps in self._endings.get(contact, {}).values():
            stamps[:] = [stamp for stamp in stamps if stamp.event_id != event_id]

    def endings_of(self, contact: str, holder: Grant, link: Grant | None) -> Iterator[Stamp]:
        endings = self._endings.get(contact, {})
        for grant in (holder, link, Grant(holder.product_id)):
            if grant is not None:
                yield from endings.get(grant, ())
        if holder.is_purchase and link is None:
            for grant, stamps in endings.items():
                if grant.subscriber_code and grant.product_id == holder.product_id:
                    yield from stamps

    def ended_after(self, contact: str, grant: Grant, stamp: Stamp) -> Stamp | None:
        link = self.subscription_of(contact, grant) if grant.is_purchase else None
        found = (each for each in self.endings_of(contact, grant, link) if each > stamp)
        return max(found, default=None)

    def add_link(self, contact: str, purchase: Grant, subscription: Grant, stamp: Stamp) -> bool:
        old = self._links[contact].get(purchase)
        if old is not None and old[0] > stamp:
            return False
        self._links[contact][purchase] = (stamp, subscription)
        return old is None or old[1] != subscription

    def subscription_of(self, contact: str, purchase: Grant) -> Grant | None:
        found = self._links.get(contact, {}).get(purchase)
        return None if found is None else found[1]

    def forget_marks(self, contact: str, lanes: Iterable[int]) -> None:
        """Drop everything that the events of a contact say."""
        self._endings.pop(contact, None)
        self._links.pop(contact, None)
        for lane in lanes:
            self.marks.pop(lane, None)
            self._marked.pop(lane, None)
            for key in [key for key in self.marks_by_event if key[0] == lane]:
                del self.marks_by_event[key]
