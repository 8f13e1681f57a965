"""What happens to an action and its lane: put at the end, closed, released, reported.

A lane is one account and one contact; its actions go out one after the other. Its row counts
the open ones and says when there is something to do: no look-up has to search for either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice, zip_longest

from listboss.delivery._forgotten import kept_id
from listboss.delivery._rows import ActionRow, EventRow, LaneRow, Store
from listboss.delivery.life import (
    OPEN,
    OVER,
    STUCK,
    ActionState,
    DeliveryStatus,
    Happening,
    Receipt,
    Status,
    moved,
)
from listboss.delivery.record import Record
from listboss.errors import UnknownIdError
from listboss.plan import PlannedAction
from listboss.provider import Unknown
from listboss.rules._wording import describe_event
from listboss.standing import ANY_PLACE

__all__ = [
    "abandon",
    "append",
    "close",
    "in_turn",
    "interrupt",
    "receipt",
    "release",
    "reopen",
    "retry",
    "shrink",
    "state_of",
    "write_action",
    "write_event",
    "write_outcome",
]


def append(store: Store, lane: LaneRow, row: ActionRow, now: datetime) -> None:
    """Put an action at the end of its lane."""
    row.lane, row.position = lane.id, lane.position
    lane.position += 1
    lane.open += 1
    if lane.due is None:
        lane.due = now
    store.put_lane(lane)
    store.add_action(row)


def reopen(
    store: Store, row: ActionRow, planned: PlannedAction, by: Happening, now: datetime
) -> None:
    """Put a stuck or superseded action at the end of its lane again."""
    lane = store.lane_by_id(row.lane)
    row.status, row.planned, row.detail, row.decided_by = moved(row.status, by), planned, "", None
    row.until = row.hold_until = row.waiting_since = None
    row.accepted_at = now
    append(store, lane, row, now)


def close(
    store: Store,
    row: ActionRow,
    by: Happening,
    now: datetime,
    detail: str,
    *,
    decided_by: str | None = None,
) -> Record:
    """End an action without sending it, and write it into the history."""
    was_open = row.status in OPEN
    row.status, row.detail, row.decided_by = moved(row.status, by), detail, decided_by
    row.until = row.hold_until = None
    store.put_action(row)
    if was_open:
        shrink(store, store.lane_by_id(row.lane))
    return write_action(store, row, now)


def abandon(store: Store, row: ActionRow) -> None:
    """Note that nobody sees any more to what was sent for an action and is not confirmed."""
    for name in row.planned.data if row.sent is not None else ():
        known = store.field(row.lane, name)
        if known is not None and known[0] == row.stamp:
            store.put_field(row.lane, name, row.stamp, "")  # perhaps the account does not have it
    mine = {effect.target for effect in row.effects}
    for target in store.targets(row.lane) if row.sent is not None else ():
        is_mine = target.target in mine or (
            ANY_PLACE in mine and target.target.startswith("place:")
        )
        if is_mine and target.stamp == row.stamp and not target.confirmed:
            target.stamp = None
            store.put_target(target)


def shrink(store: Store, lane: LaneRow) -> None:
    lane.open -= 1
    if lane.open == 0:
        lane.due = lane.worker = None
    store.put_lane(lane)


def interrupt(store: Store, row: ActionRow, now: datetime) -> list[Record]:
    """Record that the worker of an action died: it may have been sent, without an answer."""
    by = Happening.REPEAT if row.repeatable else Unknown
    row.status, row.detail = moved(row.status, by), "interrupted"
    row.waiting_since, row.until, row.hold_until = row.waiting_since or now, now, now
    store.put_action(row)
    records = [write_action(store, row, now)]
    if row.status not in OPEN:
        shrink(store, store.lane_by_id(row.lane))
    if _is_forgotten(store, row):
        records.append(close(store, row, Happening.FORGET, now, ""))
    return records


def write_outcome(store: Store, row: ActionRow, now: datetime) -> Record:
    """Write an outcome into the history; what is not over ends if the contact was forgotten."""
    if _is_forgotten(store, row):
        if row.status not in OVER:
            return close(store, row, Happening.FORGET, now, "")
        row.detail = ""
        store.put_action(row)
    return write_action(store, row, now)


def _is_forgotten(store: Store, row: ActionRow) -> bool:
    event = store.event(row.event_id)
    return event is not None and event.forgotten


def release(store: Store, lane: LaneRow, now: datetime, lease: timedelta) -> None:
    """Say when the lane has something to do next; keep the lease while something is in flight."""
    if lane.open == 0:
        lane.due = lane.worker = None
    else:
        due = _next_due(store.open_actions(lane.id), now)
        lane.worker = lane.worker if due is None else None
        lane.due = now + lease if due is None else due
    store.put_lane(lane)


def _next_due(rows: Iterator[ActionRow], now: datetime) -> datetime | None:
    """Return when the first open action that nothing holds back is due; None if one is in flight.

    A waiting action holds back those behind it until `hold_until`. Behind one that was never
    given out, nothing is in flight.
    """
    due: datetime | None = None
    found = False
    for row in rows:
        if row.status is Status.SENDING:
            return None
        if not found:
            at = row.until if row.status is Status.WAITING and row.until is not None else now
            due = at if due is None else min(due, at)
            if row.hold_until is not None and row.hold_until > now:
                due = min(due, row.hold_until)
                found = True
            found = found or row.status is not Status.WAITING
        if found and row.attempts == 0:
            break
    return due


def in_turn(accounts: Iterable[Iterable[LaneRow]], limit: int) -> list[LaneRow]:
    """Return one lane of each account after the other, at most `limit`."""
    rounds = zip_longest(*accounts)
    return [*islice((lane for each in rounds for lane in each if lane is not None), limit)]


def write_action(store: Store, row: ActionRow, now: datetime) -> Record:
    """Write into the history what has become of an action."""
    event, planned = store.event(row.event_id), row.planned
    record = Record(
        time=now,
        segmentation_ids=planned.because,
        automatic=planned.automatic,
        product_id=row.product_id,
        subscription_plan=None if event is None else event.subscription_plan,
        contact=None if event is None else event.email,
        event_name="" if event is None else event.name,
        event_id=row.event_id,
        provider=planned.provider,
        action=row.sent if row.status is not Status.SUPERSEDED and row.sent else planned.action,
        status=row.status,
        detail=row.detail,
        is_test=row.is_test,
    )
    store.add_record(record, None if event is None else event.contact)
    return record


def write_event(
    store: Store, event: EventRow, now: datetime, status: DeliveryStatus, detail: str = ""
) -> None:
    """Write into the history what has become of an event without actions."""
    record = Record(
        time=now,
        product_id=event.product_id,
        subscription_plan=event.subscription_plan,
        contact=event.email,
        event_name=event.name,
        event_id=event.id,
        status=status,
        detail=detail,
        is_test=event.is_test,
    )
    store.add_record(record, event.contact)


def receipt(store: Store, event_id: str) -> Receipt:
    """Return what has become of an event; raises `UnknownIdError` for an unknown one."""
    event = store.event(kept_id(store, event_id))
    if event is None:
        raise UnknownIdError(f"the journal has no event {describe_event(event_id)}")
    rows = sorted(store.actions_of(event.id), key=_place_in_receipt)
    states = tuple(map(state_of, rows))
    due = [row.until for row in rows if row.status is Status.WAITING and row.until is not None]
    return Receipt(event_id, _status(event, rows), states, min(due, default=None), event.idle)


def _place_in_receipt(row: ActionRow) -> tuple[int, str, int]:
    """Give the same order in every store: that of the plan, unless an action was retried."""
    return row.generation, row.planned.provider, row.position


def state_of(row: ActionRow) -> ActionState:
    """Return what a host sees of an action."""
    return ActionState(
        row.planned,
        row.status,
        row.attempts,
        row.until,
        row.detail,
        row.generation,
        row.decided_by,
    )


def _status(event: EventRow, rows: list[ActionRow]) -> DeliveryStatus:
    if not rows:
        return DeliveryStatus.FORGOTTEN if event.forgotten else DeliveryStatus.IDLE
    statuses = {row.status for row in rows}
    if statuses & OPEN:
        return DeliveryStatus.PENDING
    return DeliveryStatus.FAILED if statuses & STUCK else DeliveryStatus.DONE


def retry(store: Store, rows: Iterable[ActionRow], now: datetime) -> int:
    """Take stuck and waiting actions up again, each judged anew; return how many."""
    count = 0
    for row in rows:
        if row.status is Status.WAITING:
            row.until = row.hold_until = None
            row.status = moved(row.status, Happening.RETRY)
            store.put_action(row)
            lane = store.lane_by_id(row.lane)
            lane.due = now if lane.worker is None else lane.due
            store.put_lane(lane)
        elif row.status in STUCK:
            reopen(store, row, row.planned, Happening.RETRY, now)
        else:
            continue
        count += 1
    return count
