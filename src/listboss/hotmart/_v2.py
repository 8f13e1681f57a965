"""Read version 2.0.0: an object with the name of its event, and `data` in the event's shape.

The event name decides. `purchase.status` and `subscription.status` are only facts, except
for the derived events of one table: a refund with status ACTIVE activates no subscription.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.hotmart._events import DERIVED, Derived, documented_name, named_events
from listboss.hotmart._facts import read_facts
from listboss.hotmart._lookup import paths, read_first, read_texts
from listboss.hotmart._person import read_contact
from listboss.hotmart._reading import Version, object_or_list
from listboss.hotmart._values import boolean, instant, is_list, is_mapping, text
from listboss.hotmart._webhook import Webhook
from listboss.hotmart.fields import IDS, MARKED
from listboss.rules.event import EventName, FactValue

__all__ = ["read_v2"]

ID, EVENT, CREATED_AT = paths("id"), paths("event"), paths("creation_date")
# Below `data`, for a body without a creation date. An approval date means that the sale was
# approved, now or earlier; so it comes before the order date.
HAPPENED_AT = paths("cancellation_date switch_plan_date purchase.approved_date purchase.order_date")


def read_v2(content: Mapping[str, object], pix_as: EventName | str) -> Webhook:
    """Read an object with `event` and `data`."""
    event = (read_first(content, EVENT, text) or "").upper() or None
    name = documented_name(event or "")
    data = _data(content, name)
    facts = read_facts(data, Version.V2)
    created_at = read_first(content, CREATED_AT, instant)
    subscribed = _has_any_value(data.get("subscription"))
    return Webhook(
        raw_event=event,
        event_names=_event_names(name, facts, pix_as, subscribed=subscribed),
        id=read_first(content, ID, text),
        happened_at=created_at or read_first(data, HAPPENED_AT, instant),
        contact=read_contact(data),
        facts=facts,
        ids=read_texts(IDS, data, Version.V2),
        marked=read_texts(MARKED, data, Version.V2),
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
        for key, is_current in (("current_plan", True), ("previous_plan", False)):
            chosen = [
                plan
                for plan in plans
                if is_mapping(plan) and boolean(plan.get("current")) is is_current
            ]
            more[key] = chosen[0] if len(chosen) == 1 else None
    return {**data, **more}


def _has_any_value(value: object) -> bool:
    return is_mapping(value) and any(part is not None for part in value.values())


def _event_names(
    name: str, facts: Mapping[str, FactValue], pix_as: EventName | str, *, subscribed: bool
) -> tuple[EventName | str, ...]:
    derived = (
        row.name
        for row in DERIVED
        if row.event == name and _applies(row, facts, subscribed=subscribed)
    )
    return (*named_events(name, facts, pix_as), *derived)


def _applies(row: Derived, facts: Mapping[str, FactValue], *, subscribed: bool) -> bool:
    if row.first_only and facts.get("recurrence_number", 1) != 1:
        return False
    return subscribed if row.status is None else facts.get("subscription_status") == row.status
