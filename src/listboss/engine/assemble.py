"""From matched steps and an event to a `Plan`: merge, drop what conflicts, sort, bind.

Equal actions at one provider become one, with all their reasons and the union of their
data. What depends on the event alone (the digest before the dash of an id, the data of a
set of fields) is made once a plan and shared by its actions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from listboss.engine.conflict import resolve, spelled
from listboss.engine.plan import Conflict, Idle, Plan, PlannedAction
from listboss.engine.step import ADDS, MOVES, REMOVES, Step
from listboss.rules.event import CONTACT_FIELDS, Contact, Event, FactValue
from listboss.rules.facts import is_present
from listboss.rules.mapping import FrozenMap
from listboss.rules.segmentation import digest

__all__ = ["assemble", "idle_plan"]

_CONTACT_FIELDS = frozenset(CONTACT_FIELDS)


def idle_plan(event: Event, idle: Idle) -> Plan:
    """Return a plan without actions, and why."""
    return _plan(event, (), (), idle)


def _plan(
    event: Event,
    actions: tuple[PlannedAction, ...],
    conflicts: tuple[Conflict, ...],
    idle: Idle | None,
) -> Plan:
    return Plan(
        event_id=event.id,
        event_name=event.name,
        product_id=event.product_id,
        occurred_at=event.occurred_at,
        is_test=event.is_test,
        actions=actions,
        conflicts=conflicts,
        idle=idle,
    )


def data_of(event: Event, contact: Contact, send: Iterable[str]) -> FrozenMap[str, FactValue]:
    """Return what the event has of the fields to send; an absent datum is left out."""
    facts = event.facts
    data: dict[str, Any] = {
        field: getattr(contact, field) if field in _CONTACT_FIELDS else facts.get(field)
        for field in send
    }
    return FrozenMap[str, FactValue].of_sorted(
        {field: v for field, v in data.items() if is_present(v)}
    )


def assemble(event: Event, contact: Contact, steps: Iterable[Step]) -> Plan:
    """Make the plan of an event from the steps that it asks for, in the order declared."""
    groups: dict[str, list[Step]] = {}
    roles = 0
    for step in steps:
        roles |= step.role
        if step.order in groups:
            groups[step.order].append(step)
        else:
            groups[step.order] = [step]
    conflicts: tuple[Conflict, ...] = ()
    if roles & MOVES or (roles & ADDS and roles & REMOVES):
        dropped, conflicts = resolve(groups)
        for order in dropped:
            del groups[order]
    prefixes: dict[str, str] = {}
    data: dict[tuple[str, ...], FrozenMap[str, FactValue]] = {}
    actions: list[PlannedAction] = []
    for order in sorted(groups):
        group = groups[order]
        first = group[0]
        send, because, automatic = _merged(group)
        if send not in data:
            data[send] = data_of(event, contact, send)
        if first.provider not in prefixes:
            prefixes[first.provider] = digest((event.id, first.provider, contact.key))
        actions.append(
            PlannedAction(
                first.provider,
                contact.email,
                spelled(group),
                data[send],
                because,
                automatic,
                f"{prefixes[first.provider]}-{first.digest}",
            )
        )
    return _plan(event, tuple(actions), conflicts, None)


def _merged(group: list[Step]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return the data, the reasons and the mark of equal steps taken together."""
    if len(group) == 1:
        step = group[0]
        return step.send, step.because, step.automatic
    send = tuple(sorted({field for step in group for field in step.send}))
    because = tuple(sorted({reason for step in group for reason in step.because}))
    return send, because, any(step.automatic for step in group)
