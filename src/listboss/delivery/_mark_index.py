"""The marks of one target in memory, as `judge` asks for them.

Every kind of mark is a list from the oldest to the newest, so that the newest is found at once.
It keeps no endings and links: those are looked up through `Grants`.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import attrgetter
from typing import Protocol

from listboss.standing import (
    Grant,
    Mark,
    Reach,
    Stamp,
    Target,
)

__all__ = ["Grants", "TargetIndex", "TargetMarks"]

_stamp: Callable[[Mark], Stamp] = attrgetter("stamp")


class Grants(Protocol):
    """What is known of the grants of contacts."""

    def subscription_of(self, contact: str, purchase: Grant) -> Grant | None:
        """Return the subscription of a purchase, if some event has named both."""
        ...

    def endings_of(self, contact: str, holder: Grant, link: Grant | None) -> Iterator[Stamp]:
        """Return when a grant was ended; see `MarkIndex.endings`."""
        ...


class TargetMarks:
    """The marks of one target, each kind from the oldest to the newest."""

    def __init__(self) -> None:
        self.assertions: list[Mark] = []
        self.clears: dict[Reach, list[Mark]] = {reach: [] for reach in Reach}
        self.by_grant: dict[tuple[Reach, Grant | None], list[Mark]] = defaultdict(list)
        self.of_subscriptions: dict[str, list[Mark]] = defaultdict(list)

    def add(self, mark: Mark) -> None:
        """Add a mark in its place."""
        for each in self.lists(mark):
            insort(each, mark, key=_stamp)

    def lists(self, mark: Mark) -> list[list[Mark]]:
        """Return the lists that a mark belongs into."""
        if mark.reach is None:
            return [self.assertions]
        found = [self.clears[mark.reach], self.by_grant[mark.reach, mark.grant]]
        if mark.reach is Reach.GRANT and mark.grant is not None and not mark.grant.is_purchase:
            found.append(self.of_subscriptions[mark.grant.product_id])
        return found

    def all(self) -> Iterator[Mark]:
        """Return every mark once."""
        yield from self.assertions
        for clears in self.clears.values():
            yield from clears


class TargetIndex:
    """The marks of one target as `judge` asks for them."""

    def __init__(
        self,
        grants: Grants,
        contact: str,
        target: Target,
        own: TargetMarks | None,
        any_place: TargetMarks | None,
    ) -> None:
        self._grants, self._contact, self._target = grants, contact, target
        self._marks = [] if own is None else [own]
        self._any = any_place

    def assertions(self) -> Iterator[Mark]:
        """See `MarkIndex.assertions`."""
        for marks in self._marks:
            yield from reversed(marks.assertions)

    def _newest(self, choose: Callable[[TargetMarks], list[Mark]]) -> Mark | None:
        found = [clears[-1] for marks in self._marks if (clears := choose(marks))]
        if self._any is not None:
            sparing = (mark for mark in reversed(choose(self._any)) if mark.keep != self._target)
            found += islice(sparing, 1)
        return max(found, key=_stamp, default=None)

    def last_clear(self, reach: Reach, grant: Grant | None = None) -> Mark | None:
        """See `MarkIndex.last_clear`."""
        if grant is None:
            return self._newest(lambda marks: marks.clears[reach])
        return self._newest(lambda marks: marks.by_grant.get((reach, grant), []))

    def last_clear_of_subscriptions(self, product_id: str) -> Mark | None:
        """See `MarkIndex.last_clear_of_subscriptions`."""
        return self._newest(lambda marks: marks.of_subscriptions.get(product_id, []))

    def link(self, purchase: Grant) -> Grant | None:
        """See `MarkIndex.link`."""
        return self._grants.subscription_of(self._contact, purchase)

    def endings(self, holder: Grant, link: Grant | None) -> Iterable[Stamp]:
        """See `MarkIndex.endings`."""
        return self._grants.endings_of(self._contact, holder, link)
