"""Which lanes a turn may claim, and which accounts its results may change.

As many lanes are looked for as may give the actions that are wanted; if some had nothing to send,
because all of it was stale, more are looked for. What a turn does not claim, it leaves to others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from listboss.delivery._forgotten import kept_id
from listboss.delivery._rate import Budget, is_full
from listboss.delivery._rows import LaneRow, Store
from listboss.delivery.life import Result

__all__ = ["changed_accounts", "lanes_to_claim"]


def changed_accounts(store: Store, results: Iterable[Result]) -> set[str]:
    """Return the accounts whose pause, or count of attempts without an answer, may change."""
    return {
        result.attempt.planned.provider
        for result in results
        if result.pause_until is not None
        or result.outage_until is not None
        or store.account(result.attempt.planned.provider).unanswered > 0
    }


def lanes_to_claim(
    store: Store,
    now: datetime,
    event_id: str | None,
    budget: Budget,
    wanted: Callable[[], int],
) -> Iterator[LaneRow]:
    """Return the lanes to claim, or those of one event; `wanted` says how many more by now."""
    if event_id is not None:
        lanes = _lanes_of_event(store, now, event_id)
        budget.lock(lanes)
        yield from lanes
        return
    seen: set[int] = set()
    while (limit := wanted()) > 0:
        lanes = store.due_lanes(now, limit)
        fresh = [lane for lane in lanes if lane.id not in seen]
        budget.lock(fresh)
        yield from fresh
        if len(lanes) < limit or not fresh:
            return
        seen.update(lane.id for lane in fresh)


def _lanes_of_event(store: Store, now: datetime, event_id: str) -> Sequence[LaneRow]:
    event = store.event(kept_id(store, event_id))
    if event is None or event.contact is None:
        return ()
    return [lane for lane in store.lanes_of(event.contact) if _may_claim(store, lane, now)]


def _may_claim(store: Store, lane: LaneRow, now: datetime) -> bool:
    account = store.account(lane.provider)
    paused = account.paused_until is not None and account.paused_until > now
    return lane.due is not None and lane.due <= now and not paused and not is_full(account, now)
