"""What each action means in the embedded provider, as one step of a transaction.

Only automatic actions touch the reserved tags. A refused action changes nothing. Integration
tests are carried out like any other call, except that to move or remove a lead that is not
at its source is refused, so that the test shows it.
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
from listboss.send import _contacts as contacts
from listboss.send import _outbox as outbox
from listboss.send._lead import Origin

__all__ = ["carry_out"]

_RESERVED = Refused(
    f"only automatic segmentations touch tags that begin with `{RESERVED_TAG_PREFIX}`",
    RefusedKind.CONFIGURATION,
)
_NOT_THERE = Refused("the lead is not at the place it would leave", RefusedKind.CONTACT)
_NO_VERBS = Refused("there are no actions beyond the general ones", RefusedKind.CONFIGURATION)


def carry_out(
    db: sqlite3.Connection, planned: PlannedAction, call: Call, now: datetime
) -> Applied | NoChange | Refused:
    """Do one action and say how it went."""
    action = planned.action
    changed: bool | Refused
    match action:
        case AddTag() | RemoveTag() if is_reserved_tag(action.tag) and not planned.automatic:
            return _RESERVED
        case AddTag():
            changed = _add_tag(db, planned, action, now)
        case RemoveTag():
            changed = _remove_tag(db, planned, action)
        case AddLead():
            contact, changed = _recorded(db, planned, now)
            changed |= action.place is not None and contacts.add_place(db, contact, action.place)
        case MoveLead():
            changed = _move(db, planned, action, call, now)
        case RemoveLead():
            changed = _remove_lead(db, planned, action, call)
        case ProviderAction():
            return _NO_VERBS
        case _:
            assert_never(action)
    if isinstance(changed, Refused):
        return changed
    return Applied() if changed else NoChange()


def _recorded(db: sqlite3.Connection, planned: PlannedAction, now: datetime) -> tuple[int, bool]:
    origin = Origin.AUTO if planned.automatic else Origin.OWN
    return contacts.upsert(db, planned.email, planned.data, origin, now)


def _add_tag(db: sqlite3.Connection, planned: PlannedAction, action: AddTag, now: datetime) -> bool:
    contact, changed = _recorded(db, planned, now)
    if not contacts.add_tag(db, contact, action.tag):
        return changed
    outbox.start(db, contact, action.tag, now)
    return True


def _remove_tag(db: sqlite3.Connection, planned: PlannedAction, action: RemoveTag) -> bool:
    contact = contacts.find(db, planned.email)
    if contact is None or not contacts.remove_tag(db, contact, action.tag):
        return False  # what comes along with a removal of nothing is no news either
    outbox.stop(db, contact, action.tag)
    contacts.merge_data(db, contact, planned.data)
    return True


def _remove_lead(
    db: sqlite3.Connection, planned: PlannedAction, action: RemoveLead, call: Call
) -> bool | Refused:
    contact = contacts.find(db, planned.email)
    if contact is None or not contacts.remove_place(db, contact, action.place):
        return _NOT_THERE if call.is_test else False
    contacts.merge_data(db, contact, planned.data)
    return True


def _move(
    db: sqlite3.Connection, planned: PlannedAction, action: MoveLead, call: Call, now: datetime
) -> bool | Refused:
    contact = contacts.find(db, planned.email)
    places = () if contact is None else contacts.places_of(db, contact)
    keys = {place_key(place) for place in places}
    is_there = contact is not None and (action.source is None or place_key(action.source) in keys)
    if call.is_test and not is_there:
        return _NOT_THERE
    if not is_there and action.if_absent == "skip":
        return False
    contact, changed = _recorded(db, planned, now)
    changed |= contacts.add_place(db, contact, action.to)
    for place in places if action.source is None else (action.source,):
        if place_key(place) != place_key(action.to):
            changed |= contacts.remove_place(db, contact, place)
    return changed
