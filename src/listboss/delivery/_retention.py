"""What a journal keeps, and for how long.

Finished events and records go once they are too old. An event that still explains a tag or
place stays, without its data: a later event may ask what it said. Marks that cannot decide
anything any more go, and a subscription's payments of long ago count as asserted by the
subscription itself, so that a contact does not grow with every renewal.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

import attrs

from listboss.delivery._rows import Store
from listboss.delivery.life import OPEN, STUCK
from listboss.errors import ArgumentTypeError
from listboss.rules._text import wrong_type
from listboss.standing import Grant, Mark, Reach

__all__ = ["MAX_PRUNED", "as_keep", "prune"]

MAX_PRUNED = 200
"""How many events, and how many records, are looked at in one transaction."""
PAYMENTS = timedelta(days=340)
"""How much older than what is pruned a payment is that counts as its subscription's: with the
60 days that journals keep by default, it was made 400 days ago."""
_FOR_EVER = timedelta(days=365_000)
"""Longer than this is for ever: such a time ago is before the first year of a calendar."""
_AT_ONCE, _SOON, _LATER = timedelta(seconds=1), timedelta(days=1), timedelta(days=30)


def as_keep(keep: timedelta | None) -> timedelta | None:
    """Return for how long a journal keeps what is finished; None is for ever."""
    if keep is None:
        return None
    if not isinstance(cast("object", keep), timedelta):
        hint = "pass a `timedelta`, such as `timedelta(days=60)`; None keeps everything for ever"
        raise wrong_type("a duration above zero", keep, "$.keep", hint)
    if keep <= timedelta(0):
        raise ArgumentTypeError(
            "expected a duration above zero", path="$.keep", hint="None keeps everything for ever"
        )
    return keep if keep < _FOR_EVER else None


def prune(store: Store, before: datetime) -> tuple[int, bool]:
    """Delete some of what is too old; return how many, and whether there was nothing any more."""
    count = 0
    event_ids = store.old_events(before, MAX_PRUNED)
    for event_id in event_ids:
        if any(row.status in OPEN | STUCK for row in store.actions_of(event_id)):
            store.look_again(event_id, before + _SOON)
            continue
        for lane, mark in store.marks_of(event_id):
            _compact(store, lane, mark, before)
        if store.marks_of(event_id):
            store.blank_event(event_id)
            store.look_again(event_id, before + _LATER)
        else:
            store.drop_event(event_id)
            count += 1
    records = store.drop_records(before, MAX_PRUNED)
    return count + records, not event_ids and not records


def _compact(store: Store, lane: int, mark: Mark, before: datetime) -> None:
    """Drop a mark that a newer one of its kind outlives; take an old payment for its subscription.

    The newer mark has to be as old, and its event finished: a plan that may still be replanned
    may take its marks back.
    """
    if store.is_outlived(lane, mark, before):
        store.drop_mark(lane, mark)
        return
    grant = mark.grant
    if not mark.asserts or grant is None or mark.stamp.occurred_at >= before - PAYMENTS:
        return
    subscription = _subscription_of(store, lane, mark, grant)
    if subscription is not None:
        store.drop_mark(lane, mark)
        renewed = attrs.evolve(mark, grant=subscription)
        if not store.is_outlived(lane, renewed, before):
            store.add_mark(lane, renewed)
            for event_id in store.drop_outlived(lane, renewed):
                store.look_again(event_id, before - _AT_ONCE)


def _subscription_of(store: Store, lane: int, mark: Mark, grant: Grant) -> Grant | None:
    """Return the subscription that a payment belongs to, if nothing has ended the payment."""
    if not grant.is_purchase:
        return None
    row = store.lane_by_id(lane)
    subscription = store.subscription_of(row.contact, grant)
    if subscription is None:
        return None
    index = store.index(row, mark.target)
    clears = (
        index.last_clear(Reach.ALL),
        index.last_clear(Reach.PRODUCT, Grant(grant.product_id)),
        index.last_clear(Reach.GRANT, grant),
        index.last_clear(Reach.GRANT, subscription),
    )
    over = [clear.stamp for clear in clears if clear is not None]
    over += index.endings(grant, subscription)
    return None if any(stamp > mark.stamp for stamp in over) else subscription
