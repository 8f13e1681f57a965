"""One contact under one rule set: the events that were kept, and what they say of targets.

A repeated event changes nothing, as when it is delivered again. It is planned anew only if it
had no actions for a reason that is gone, since then a journal would plan it anew, too. What is
on in the end is judged by `listboss.standing`, whatever the order of the events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import attrs

from listboss.plan import Idle, Plan
from listboss.rules.event import Event
from listboss.standing import (
    ANY_PLACE,
    Ending,
    Grant,
    Mark,
    Reach,
    Stamp,
    Target,
    ending_of,
    judge,
    link_of,
    marks_of,
    stamp_of,
)

__all__ = ["CAN_BE_REPLANNED", "AccountTarget", "Replay", "Said", "said"]

CAN_BE_REPLANNED = frozenset(
    {Idle.UNKNOWN_PRODUCT, Idle.UNKNOWN_PLAN, Idle.UNKNOWN_EVENT, Idle.NO_RULE}
)
"""Reasons for a plan without actions that a later delivery of the event may lift."""

AccountTarget: TypeAlias = tuple[str, Target]
"""A target at an account: the name of the provider, and the target."""
Said: TypeAlias = tuple[tuple[Mark, ...], Ending | None]
"""What an event says by its plan: marks of targets, and what it ends."""


def said(event: Event, plan: Plan) -> Said:
    """Return what an event says by its plan."""
    return marks_of(event, plan), ending_of(event, plan)


class Replay:
    """What the events of one contact say under one rule set."""

    __slots__ = ("_endings", "_links", "_marks")

    def __init__(self) -> None:
        self._marks: dict[AccountTarget, list[Mark]] = {}
        self._endings: dict[str, Ending] = {}  # by event id
        self._links: dict[Grant, tuple[Stamp, Grant]] = {}

    def keep(self, event: Event, plan: Plan, spoken: Said) -> None:
        """Keep what an event says; if it is planned anew, it said nothing of targets before."""
        marks, ending = spoken
        link = link_of(event)
        if link is not None:
            purchase, subscription = link
            stamp = stamp_of(plan)
            old = self._links.get(purchase)
            if old is None or old[0] <= stamp:
                self._links[purchase] = (stamp, subscription)
        self._endings.pop(event.id, None)
        if ending is not None:
            self._endings[event.id] = ending
        for mark in marks:
            self._marks.setdefault((mark.provider, mark.target), []).append(mark)

    def places(self) -> Iterator[AccountTarget]:
        """Return the targets that something was said of."""
        return (place for place in self._marks if place[1] != ANY_PLACE)

    def on(self) -> frozenset[AccountTarget]:
        """Return the targets that are on after all events."""
        grants = _Grants(
            self._endings.values(), {purchase: link for purchase, (_, link) in self._links.items()}
        )
        return frozenset(
            place for place in self.places() if judge(_Index(grants, self._marks_of(place))).on
        )

    def _marks_of(self, place: AccountTarget) -> list[Mark]:
        provider, target = place
        marks = self._marks[place]
        if target.startswith("place:"):
            others = self._marks.get((provider, ANY_PLACE), ())
            marks = [*marks, *(mark for mark in others if mark.keep != target)]
        return marks


class _Grants:
    """The endings and links of one contact, by what they are about."""

    def __init__(self, endings: Iterable[Ending], links: dict[Grant, Grant]) -> None:
        self.links = links
        self.by_grant: dict[Grant, list[Stamp]] = defaultdict(list)
        self.of_subscriptions: dict[str, list[Stamp]] = defaultdict(list)
        for ending in endings:
            grant = ending.grant
            self.by_grant[grant].append(ending.stamp)
            if grant.subscriber_code:
                self.of_subscriptions[grant.product_id].append(ending.stamp)


@attrs.frozen
class _Index:
    """The marks of one target, as `judge` asks for them: see `listboss.standing.MarkIndex`."""

    grants: _Grants
    marks: list[Mark]
    _clears: dict[tuple[Reach, Grant | None], Mark] = attrs.field(
        init=False, factory=dict[tuple[Reach, Grant | None], Mark]
    )
    _of_subscriptions: dict[str, Mark] = attrs.field(init=False, factory=dict[str, Mark])

    def __attrs_post_init__(self) -> None:
        self.marks.sort(key=lambda mark: mark.stamp)
        for mark in self.marks:
            if mark.reach is None:
                continue
            self._clears[mark.reach, None] = self._clears[mark.reach, mark.grant] = mark
            grant = mark.grant
            if mark.reach is Reach.GRANT and grant is not None and grant.subscriber_code:
                self._of_subscriptions[grant.product_id] = mark

    def assertions(self) -> Iterator[Mark]:
        return (mark for mark in reversed(self.marks) if mark.reach is None)

    def last_clear(self, reach: Reach, grant: Grant | None = None) -> Mark | None:
        return self._clears.get((reach, grant))

    def link(self, purchase: Grant) -> Grant | None:
        return self.grants.links.get(purchase)

    def last_clear_of_subscriptions(self, product_id: str) -> Mark | None:
        return self._of_subscriptions.get(product_id)

    def endings(self, holder: Grant, link: Grant | None) -> Iterable[Stamp]:
        grants = self.grants
        for grant in (holder, link, Grant(holder.product_id)):
            if grant is not None:
                yield from grants.by_grant.get(grant, ())
        if holder.is_purchase and link is None:
            yield from grants.of_subscriptions.get(holder.product_id, ())
