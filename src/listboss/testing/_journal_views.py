"""What of a journal's answers is compared: everything that the protocol promises.

Left out is what each journal may choose: the key of a call that was sent before with another
content, numbers of records, the order of lanes, and the words of a journal's own details.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, TypeAlias

from listboss.delivery import (
    ActionState,
    Attempt,
    DeliveryStatus,
    Receipt,
    Record,
    StandingEntry,
    Status,
    Stuck,
)
from listboss.plan import PlannedAction
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    action_key,
)

__all__ = [
    "View",
    "attempt_view",
    "attempts_view",
    "receipt_view",
    "records_view",
    "standing_view",
    "stuck_view",
]

View: TypeAlias = Any
"""What is compared with `==`, and shown when two journals differ."""


def _detail(status: Status | DeliveryStatus, detail: str, details: Collection[str]) -> str:
    """Return what a report said, or why an event is idle; the rest is in a journal's own words."""
    said = status == DeliveryStatus.IDLE or (detail in details and status != Status.SUPERSEDED)
    return str(detail) if said else ""


def _planned(planned: PlannedAction) -> View:
    return (
        planned.provider,
        planned.email,
        planned.action,
        dict(planned.data),
        planned.because,
        planned.automatic,
    )


def attempt_view(attempt: Attempt) -> View:
    """Return what an attempt says."""
    call = attempt.call
    return {
        "action": (attempt.event_id, attempt.action_id, attempt.generation),
        "planned": _planned(attempt.planned),
        "call": (call.attempt, call.deadline, call.is_test, call.occurred_at),
        "since": (attempt.accepted_at, attempt.waiting_since),
        "repeatable": attempt.repeatable,
    }


def attempts_view(attempts: Iterable[Attempt]) -> View:
    """Return the attempts of each lane, in their order."""
    lanes: dict[tuple[str, str], list[View]] = {}
    for attempt in attempts:
        lane = (attempt.planned.provider, attempt.planned.email)
        lanes.setdefault(lane, []).append(attempt_view(attempt))
    return lanes


def _state(state: ActionState, details: Collection[str]) -> View:
    return {
        "planned": _planned(state.planned),
        "generation": state.generation,
        "status": str(state.status),
        "attempts": state.attempts,
        "until": state.until,
        "detail": _detail(state.status, state.detail, details),
        "decided by": state.decided_by,
    }


def receipt_view(receipt: Receipt, details: Collection[str]) -> View:
    """Return what a receipt says; actions come in any order."""
    states = sorted((_state(state, details) for state in receipt.states), key=repr)
    idle = None if receipt.idle is None else str(receipt.idle)
    return (receipt.event_id, str(receipt.status), states, receipt.next_at, idle)


def records_view(
    records: Iterable[Record], details: Collection[str], since: datetime | None = None
) -> View:
    """Return what records say, in any order, from a time on."""
    return sorted(
        (
            (
                record.time,
                record.segmentation_ids,
                record.automatic,
                record.product_id,
                record.subscription_plan,
                record.contact,
                str(record.event_name),
                record.event_id,
                record.provider,
                record.action,
                str(record.status),
                _detail(record.status, record.detail, details),
                record.is_test,
            )
            for record in records
            if since is None or record.time >= since
        ),
        key=repr,
    )


def _name(action: Action) -> View:
    """Return what names a tag or place, however it is spelled."""
    match action:
        case AddTag(tag) | RemoveTag(tag):
            return action_key(AddTag(tag))
        case AddLead(Place() as place) | RemoveLead(place):
            return action_key(AddLead(place))
        case ProviderAction():
            return tuple(sorted(action.parameters.items()))
        case _:
            return action_key(action)


def standing_view(entries: Iterable[StandingEntry]) -> View:
    """Return what a contact should have, in any order."""
    return sorted(
        (
            (
                entry.provider,
                _name(entry.target),
                entry.on,
                entry.since,
                entry.event_id,
                entry.segmentation_ids,
                entry.sent,
                entry.confirmed,
            )
            for entry in entries
        ),
        key=repr,
    )


def stuck_view(found: Iterable[Stuck], details: Collection[str]) -> View:
    """Return which actions are stuck, in any order."""
    return sorted(((each.event_id, _state(each.state, details)) for each in found), key=repr)
