"""Whether a target should be on, from all that events said of it.

`fold` reads marks and endings in the order in which their events happened, in plain loops: it is
the definition. `judge` gives the same verdict from an index of marks, and reads only what decides
it, so that its cost does not grow with what a contact has bought.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from listboss.standing.mark import Ending, Grant, Links, Mark, Reach, Stamp

__all__ = ["MarkIndex", "Verdict", "fold", "judge"]


class Verdict(NamedTuple):
    """Whether a target should be on, and the mark that decided; None if nothing was said."""

    on: bool
    mark: Mark | None


def _is_of(holder: Grant, grant: Grant, links: Links) -> bool:
    """Whether a clear or ending of `grant` means `holder`.

    A purchase whose subscription no event names belongs to any subscription of its product.
    """
    if holder == grant or grant == Grant(holder.product_id):
        return True
    if not holder.is_purchase or grant.is_purchase or holder.product_id != grant.product_id:
        return False
    return links.get(holder, grant) == grant


def fold(marks: Iterable[Mark], endings: Iterable[Ending], links: Links) -> bool:
    """Say whether a target is on, from all marks of it and all endings, in any order.

    `marks` are those of one target, with those of `ANY_PLACE` that do not keep it.

    >>> from datetime import UTC, datetime
    >>> first, second = (Stamp(datetime(2026, 5, day, tzinfo=UTC), 0, "e") for day in (1, 2))
    >>> bought = Grant("42", transaction="HP1")
    >>> approved = Mark("mail", "tag:buyer", bought, None, first, "a-1")
    >>> refunded = Mark("mail", "tag:buyer", bought, Reach.GRANT, second, "a-2")
    >>> fold([refunded, approved], [], {}), fold([approved], [], {})
    (False, True)
    """
    steps: list[tuple[Stamp, int, Mark | Ending]] = [(each.stamp, 0, each) for each in endings]
    steps += [(mark.stamp, 2 if mark.asserts else 1, mark) for mark in marks]
    steps.sort(key=lambda step: step[:2])
    holders: dict[Grant | None, bool] = {}  # by grant: whether it has ended since
    for _, _, step in steps:
        if isinstance(step, Ending):
            for holder in holders:
                if holder is not None and _is_of(holder, step.grant, links):
                    holders[holder] = True
        elif step.reach is None:
            holders[step.grant] = False
        else:
            holders = {
                holder: ended
                for holder, ended in holders.items()
                if not _clears(step, holder, links) and not (ended or step.reach is Reach.ALL)
            }
    return bool(holders)


def _clears(mark: Mark, holder: Grant | None, links: Links) -> bool:
    if mark.reach is Reach.ALL or holder is None:
        return True
    return mark.grant is not None and _is_of(holder, mark.grant, links)


class MarkIndex(Protocol):
    """What `judge` needs to know of the marks of one target and the endings of its holders."""

    def assertions(self) -> Iterator[Mark]:
        """Return the assertions of the target, the newest first."""
        ...

    def last_clear(self, reach: Reach, grant: Grant | None = None) -> Mark | None:
        """Return the newest clear of this reach, of this grant if one is given.

        Clears of every place that do not keep the target are among them.
        """
        ...

    def link(self, purchase: Grant) -> Grant | None:
        """Return the subscription of a purchase, if some event has named both."""
        ...

    def last_clear_of_subscriptions(self, product_id: str) -> Mark | None:
        """Return the newest clear for the grant of any subscription of the product."""
        ...

    def endings(self, holder: Grant, link: Grant | None) -> Iterable[Stamp]:
        """Return when the holder, its subscription, or any of its product was ended.

        For a purchase without a link, endings of any subscription of the product count.
        """
        ...


def judge(index: MarkIndex) -> Verdict:
    """Say whether a target is on, as `fold` does, from what decides it alone."""
    absolute = index.last_clear(Reach.ALL)
    relative = _newest(index.last_clear(Reach.GRANT), index.last_clear(Reach.PRODUCT))
    seen: set[Grant | None] = set()
    decided: Mark | None = None
    for mark in index.assertions():
        if absolute is not None and mark.stamp < absolute.stamp:
            break
        if mark.grant in seen:
            continue
        seen.add(mark.grant)
        clear = _clear_of(mark, relative, index)
        if clear is None:
            return Verdict(on=True, mark=mark)
        decided = _newest(decided, clear)
    if decided is None:
        decided = _newest(absolute, relative)
    return Verdict(on=False, mark=decided)


def _newest(*marks: Mark | None) -> Mark | None:
    known = [mark for mark in marks if mark is not None]
    return max(known, key=lambda mark: mark.stamp) if known else None


def _clear_of(mark: Mark, relative: Mark | None, index: MarkIndex) -> Mark | None:
    """Return a relative clear that takes an assertion away, or None if none does."""
    if relative is None or relative.stamp <= mark.stamp:
        return None
    holder = mark.grant
    if holder is None:
        return relative
    link = index.link(holder) if holder.is_purchase else None
    clears = [
        index.last_clear(Reach.GRANT, holder),
        index.last_clear(Reach.PRODUCT, Grant(holder.product_id)),
    ]
    if link is not None:
        clears.append(index.last_clear(Reach.GRANT, link))
    elif holder.is_purchase:
        clears.append(index.last_clear_of_subscriptions(holder.product_id))
    clear = _newest(*clears)
    if clear is not None and clear.stamp > mark.stamp:
        return clear
    ended = any(mark.stamp < stamp <= relative.stamp for stamp in index.endings(holder, link))
    return relative if ended else None
