"""The effect of each action in the embedded provider, within a transaction.

Only automatic actions may change reserved tags. A refused action changes nothing. An
integration test is carried out like any other call, except that moving or removing a lead
that is not at the source is refused, so that the test fails visibly.
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
from listboss.send._lead import Origin

__all__ = ["carry_out"]

_RESERVED_TAG = Refused(
    f"only automatic segmentations may change tags that start with `{RESERVED_TAG_PREFIX}`",
    RefusedKind.CONFIGURATION,
)
_NOT_AT_SOURCE = Refused("the lead is not at the source", RefusedKind.CONTACT)
_UNKNOWN_ACTION = Refused("Send has no provider actions of its own", RefusedKind.CONFIGURATION)


def carry_out(
    db: sqlite3.Connection, planned: PlannedAction, call: Call, now: datetime
) -> Applied | NoChange | Refused:
    """Carry out one action and return its outcome."""
    action = planned.action
    changed: bool | Refused
    match action:
        case AddTag() | RemoveTag() if is_reserved_tag(action.tag) and not planned.automatic:
            return _RESERVED_TAG
        case AddTag():
            changed = _add_tag(db, planned, action, now)
        case RemoveTag():
            changed = _remove_tag(db, planned, action)
        case AddLead():
            contact, changed = _upserted(db, planned, now)
            changed |= action.place is not None and _contacts.add_place(db, contact, action.place)
        case MoveLead():
            changed = _move(db, planned, action, call, now)
        case RemoveLead():
            changed = _remove_lead(db, planned, action, call)
        case ProviderAction():
            return _UNKNOWN_ACTION
        case _:
            assert_never(action)
    if isinstance(changed, Refused):
        return changed
    return Applied() if changed else NoChange()


def _upserted(db: sqlite3.Connection, planned: PlannedAction, now: datetime) -> tuple[int, bool]:
    origin = Origin.AUTO if planned.automatic else Origin.OWN
    return _contacts.upsert(db, planned.email, planned.data, origin, now)


def _add_tag(db: sqlite3.Connection, planned: PlannedAction, action: AddTag, now: datetime) -> bool:
    contact, changed = _upserted(db, planned, now)
    if not _contacts.add_tag(db, contact, action.tag):
        return changed
    _outbox.start(db, contact, action.tag, now)
    return True


def _remove_tag(db: sqlite3.Connection, planned: PlannedAction, action: RemoveTag) -> bool:
    contact = _contacts.find(db, planned.email)
    if contact is None or not _contacts.remove_tag(db, contact, action.tag):
        return False  # the data of a removal that removes nothing are dropped
    _outbox.stop(db, contact, action.tag)
    _contacts.merge_data(db, contact, planned.data)
    return True


def _remove_lead(
    db: sqlite3.Connection, planned: PlannedAction, action: RemoveLead, call: Call
) -> bool | Refused:
    contact = _contacts.find(db, planned.email)
    if contact is None or not _contacts.remove_place(db, contact, action.place):
        return _NOT_AT_SOURCE if call.is_test else False
    _contacts.merge_data(db, contact, planned.data)
    return True


def _move(
    db: sqlite3.Connection, planned: PlannedAction, action: MoveLead, call: Call, now: datetime
) -> bool | Refused:
    contact = _contacts.find(db, planned.email)
    places = () if contact is None else _contacts.places_of(db, contact)
    keys = {place_key(place) for place in places}
    at_source = contact is not None and (action.source is None or place_key(action.source) in keys)
    if call.is_test and not at_source:
        return _NOT_AT_SOURCE
    if not at_source and action.if_absent == "skip":
        return False
    contact, changed = _upserted(db, planned, now)
    changed |= _contacts.add_place(db, contact, action.to)
    for place in places if action.source is None else (action.source,):
        if place_key(place) != place_key(action.to):
            changed |= _contacts.remove_place(db, contact, place)
    return changed
