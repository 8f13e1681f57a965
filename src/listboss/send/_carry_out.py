"""The effect of each action in the embedded provider, within a transaction.

Only automatic actions may change reserved tags. A refused action changes nothing. An
integration test changes nothing real: what it adds is marked, and fills in only what is
absent; what it would remove from a real contact stays; no automation starts. Moving or
removing a lead that is not at the source is refused, so that the test fails visibly.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import assert_never

from listboss.plan import PlannedAction
from listboss.provider import Applied, Call, NoChange, Refused, RefusedKind
from listboss.rules.action import (
    AddLead,
    AddTag,
    MoveLead,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    place_key,
)
from listboss.rules.automatic import RESERVED_TAG_PREFIX, is_reserved_tag
from listboss.send import _contacts, _outbox

__all__ = ["SUPPRESSED", "carry_out", "creates_contact"]

SUPPRESSED = Refused("the contact was suppressed and erased", RefusedKind.SUPPRESSED)
_RESERVED_TAG = Refused(
    f"only automatic segmentations may change tags that start with `{RESERVED_TAG_PREFIX}`",
    RefusedKind.CONFIGURATION,
)
_NOT_AT_SOURCE = Refused("the lead is not at the source", RefusedKind.CONTACT)
_UNKNOWN_ACTION = Refused("Send has no provider actions of its own", RefusedKind.CONFIGURATION)


def creates_contact(planned: PlannedAction) -> bool:
    """Whether the action would create an unknown contact."""
    action = planned.action
    if isinstance(action, MoveLead):
        return action.if_absent == "add"
    return isinstance(action, AddTag | AddLead)


def carry_out(
    db: sqlite3.Connection, planned: PlannedAction, call: Call, now: datetime
) -> Applied | NoChange | Refused:
    """Carry out one action and return its outcome."""
    action, is_test = planned.action, call.is_test
    changed: bool | Refused
    match action:
        case AddTag() | RemoveTag() if is_reserved_tag(action.tag) and not planned.automatic:
            return _RESERVED_TAG
        case AddTag():
            changed = _add_tag(db, planned, action, now, is_test=is_test)
        case RemoveTag():
            changed = _remove_tag(db, planned, action, is_test=is_test)
        case AddLead():
            contact, changed = _contacts.upsert(db, planned, now, is_test=is_test)
            place = action.place
            changed |= place is not None and _contacts.add_place(
                db, contact, place, is_test=is_test
            )
        case MoveLead():
            changed = _move(db, planned, action, now, is_test=is_test)
        case RemoveLead():
            changed = _remove_lead(db, planned, action, is_test=is_test)
        case ProviderAction():
            return _UNKNOWN_ACTION
        case _:
            assert_never(action)
    if isinstance(changed, Refused):
        return changed
    return Applied() if changed else NoChange()


def _add_tag(
    db: sqlite3.Connection, planned: PlannedAction, action: AddTag, now: datetime, *, is_test: bool
) -> bool:
    contact, changed = _contacts.upsert(db, planned, now, is_test=is_test)
    if not _contacts.add_tag(db, contact, action.tag, is_test=is_test):
        return changed
    if not is_test:
        _outbox.start(db, contact, action.tag, now)
    return True


def _remove_tag(
    db: sqlite3.Connection, planned: PlannedAction, action: RemoveTag, *, is_test: bool
) -> bool:
    contact = _contacts.find(db, planned.email, is_test=is_test)
    if contact is None or not _contacts.remove_tag(db, contact, action.tag, is_test=is_test):
        return False  # the data of a removal that removes nothing are dropped
    if not is_test:
        _outbox.stop(db, contact, action.tag)
    _contacts.merge_data(db, contact, planned.data, is_test=is_test)
    return True


def _remove_lead(
    db: sqlite3.Connection, planned: PlannedAction, action: RemoveLead, *, is_test: bool
) -> bool | Refused:
    contact = _contacts.find(db, planned.email, is_test=is_test)
    if contact is None or not _contacts.remove_place(db, contact, action.place, is_test=is_test):
        return _NOT_AT_SOURCE if is_test else False
    _contacts.merge_data(db, contact, planned.data, is_test=is_test)
    return True


def _move(
    db: sqlite3.Connection,
    planned: PlannedAction,
    action: MoveLead,
    now: datetime,
    *,
    is_test: bool,
) -> bool | Refused:
    contact = _contacts.find(db, planned.email, is_test=is_test)
    places = () if contact is None else _contacts.places_of(db, contact)
    keys = {place_key(place) for place in places}
    at_source = contact is not None and (action.source is None or place_key(action.source) in keys)
    if is_test and not at_source:
        return _NOT_AT_SOURCE
    if not at_source and action.if_absent == "skip":
        return False
    contact, changed = _contacts.upsert(db, planned, now, is_test=is_test)
    changed |= _contacts.add_place(db, contact, action.to, is_test=is_test)
    for place in places if action.source is None else (action.source,):
        if place_key(place) != place_key(action.to):
            changed |= _contacts.remove_place(db, contact, place, is_test=is_test)
    return changed
