"""The marks of one target in memory, as `judge` asks for them.

Every kind of mark is a list from the oldest to the newest, so that the newest is found at once.
It keeps no endings and links: those are looked up through `Grants`.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
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
        self.clears: dict[Reach, list[Mark]] = {}
        self.by_grant: dict[tuple[Reach, Grant | None], list[Mark]] = {}
        self.of_subscriptions: dict[str, list[Mark]] = {}

    def add(self, mark: Mark) -> None:
        """Add a mark in its place."""
        for each in self.lists(mark):
            insort(each, mark, key=_stamp)

    def lists(self, mark: Mark) -> list[list[Mark]]:
        """Return the lists that a mark belongs into."""
        if mark.reach is None:
            return [self.assertions]
        found = [
            self.clears.setdefault(mark.reach, []),
            self.by_grant.setdefault((mark.reach, mark.grant), []),
        ]
        if mark.reach is Reach.GRANT and mark.grant is not None and not mark.grant.is_purchase:
            found.append(self.of_subscriptions.setdefault(mark.grant.product_id, []))
        return found

    def __len__(self) -> int:
        return len(self.assertions) + sum(map(len, self.clears.values()))

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
        own: TargetMarks,
        any_place: TargetMarks | None,
    ) -> None:
        self._grants, self._contact, self._target = grants, contact, target
        self._own, self._any = own, any_place

    def assertions(self) -> Iterator[Mark]:
        """See `MarkIndex.assertions`."""
        return reversed(self._own.assertions)

    def _newest(self, own: Sequence[Mark], any_place: Sequence[Mark]) -> Mark | None:
        newest = own[-1] if own else None
        for mark in reversed(any_place):
            if mark.keep != self._target:
                return mark if newest is None or mark.stamp > newest.stamp else newest
        return newest

    def last_clear(self, reach: Reach, grant: Grant | None = None) -> Mark | None:
        """See `MarkIndex.last_clear`."""
        if grant is None:
            any_place = () if self._any is None else self._any.clears.get(reach, ())
            return self._newest(self._own.clears.get(reach, ()), any_place)
        key = (reach, grant)
        any_place = () if self._any is None else self._any.by_grant.get(key, ())
        return self._newest(self._own.by_grant.get(key, ()), any_place)

    def last_clear_of_subscriptions(self, product_id: str) -> Mark | None:
        """See `MarkIndex.last_clear_of_subscriptions`."""
        any_place = () if self._any is None else self._any.of_subscriptions.get(product_id, ())
        return self._newest(self._own.of_subscriptions.get(product_id, ()), any_place)

    def link(self, purchase: Grant) -> Grant | None:
        """See `MarkIndex.link`."""
        return self._grants.subscription_of(self._contact, purchase)

    def endings(self, holder: Grant, link: Grant | None) -> Iterable[Stamp]:
        """See `MarkIndex.endings`."""
        return self._grants.endings_of(self._contact, holder, link)
