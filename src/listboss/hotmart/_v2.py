"""Read version 2.0.0: an object with the name of its event, and `data` in the event's shape.

The event name decides. `purchase.status` and `subscription.status` are only facts, except
for the derived events of one table: a refund with status ACTIVE activates no subscription.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.hotmart._events import DERIVED, EVENTS, Derived, documented_name, named_events
from listboss.hotmart._facts import read_fields
from listboss.hotmart._lookup import FieldReader, paths, read_first
from listboss.hotmart._person import read_contact
from listboss.hotmart._reading import Version, object_or_list
from listboss.hotmart._values import boolean, instant, is_list, is_mapping
from listboss.hotmart._webhook import Webhook
from listboss.hotmart.fields import HEAD
from listboss.rules.event import EventName, FactValue

__all__ = ["read_v2"]

_HEAD = FieldReader(HEAD, Version.V2)
_DERIVED_OF = {event: tuple(row for row in DERIVED if row.event == event) for event in EVENTS}
# Below `data`, for a body without a creation date. An approval date means that the sale was
# approved, now or earlier; so it comes before the order date.
HAPPENED_AT = paths("cancellation_date switch_plan_date purchase.approved_date purchase.order_date")


def read_v2(content: Mapping[str, object], pix_as: EventName | str) -> Webhook:
    """Read an object with `event` and `data`."""
    head = _HEAD.read(content)
    event = head.get("raw_event", "").upper() or None
    name = documented_name(event or "")
    data = _data(content, name)
    facts, ids, marked = read_fields(data, Version.V2)
    subscribed = _has_any_value(data.get("subscription"))
    return Webhook(
        raw_event=event,
        event_names=_event_names(name, facts, pix_as, subscribed=subscribed),
        id=head.get("id"),
        happened_at=head.get("happened_at") or read_first(data, HAPPENED_AT, instant),
        contact=read_contact(data),
        facts=facts,
        ids=ids,
        marked=marked,
    )


def _data(content: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return `data`, with fields added that the table of paths cannot reach."""
    data = object_or_list(content.get("data"))
    if not is_mapping(data):
        return {}
    more: dict[str, object] = {}
    if name == "SUBSCRIPTION_CANCELLATION":
        more["cancellation_status"] = data.get("status")
    plans = data.get("plans")
    if is_list(plans):
        # A plan is only known if exactly one in the list is marked.
        plans = [*filter(is_mapping, plans)]
        for key, is_current in (("current_plan", True), ("previous_plan", False)):
            chosen = [plan for plan in plans if boolean(plan.get("current")) is is_current]
            more[key] = chosen[0] if len(chosen) == 1 else None
    return {**data, **more}


def _has_any_value(value: object) -> bool:
    return is_mapping(value) and any(part is not None for part in value.values())


def _event_names(
    name: str, facts: Mapping[str, FactValue], pix_as: EventName | str, *, subscribed: bool
) -> tuple[EventName | str, ...]:
    rows = _DERIVED_OF.get(name, ())
    derived = (row.name for row in rows if _applies(row, facts, subscribed=subscribed))
    return (*named_events(name, facts, pix_as), *derived)


def _applies(row: Derived, facts: Mapping[str, FactValue], *, subscribed: bool) -> bool:
    if row.first_only and facts.get("recurrence_number", 1) != 1:
        return False
    return subscribed if row.status is None else facts.get("subscription_status") == row.status
