"""Read version 1.0.0: a flat form without an event name, whose statuses say what happened.

The purchase status decides. A post with `callback_type` 2, or without a purchase status, is
about the subscription only. An ended subscription is a second event beside a purchase that
failed. Beside an approval it would be a contradiction, so there it is only a fact. Abandoned
carts, cancellations and plan switches are objects, each known by a field of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.hotmart._events import (
    FAILED,
    PURCHASES,
    STATUS_PAIRS,
    ended_events,
    purchase_event,
)
from listboss.hotmart._facts import read_fields
from listboss.hotmart._lookup import FieldReader
from listboss.hotmart._person import read_contact
from listboss.hotmart._reading import Version
from listboss.hotmart._values import is_mapping
from listboss.hotmart._webhook import Webhook
from listboss.hotmart.fields import HEAD
from listboss.rules.event import EventName, FactValue

__all__ = ["read_v1"]

N = EventName
SUBSCRIPTION_CALLBACK = "2"
_HEAD = FieldReader(HEAD, Version.V1)


def read_v1(content: Mapping[str, object], pix_as: EventName | str) -> Webhook:
    """Read the fields of a form, or one of the objects."""
    facts, ids, marked = read_fields(content, Version.V1)
    head = _HEAD.read(content)
    raw_event, names = _object(content, facts)
    if not names:
        raw_event = head.get("raw_event")
        names = _event_names(facts, head.get("callback_type"), pix_as)
    return Webhook(
        raw_event=raw_event,
        event_names=names,
        id=None,
        happened_at=head.get("happened_at"),
        contact=read_contact(content),
        facts=facts,
        ids=ids,
        marked=marked,
    )


def _object(
    content: Mapping[str, object], facts: Mapping[str, FactValue]
) -> tuple[str | None, tuple[EventName | str, ...]]:
    """Return the name and the events of an object, or nothing for a form."""
    if is_mapping(content.get("buyerVO")) and facts.get("purchase_status") not in PURCHASES:
        return "buyerVO", (N.PURCHASE_CART_ABANDONED,)
    if "cancellationDate" in content:
        names = ended_events(str(facts.get("subscription_status", "")))
        return N.SUBSCRIPTION_CANCELED.value, names or (N.SUBSCRIPTION_CANCELED,)
    if "switchPlanDate" in content or "newSubscriptionPlan" in content:
        return N.SUBSCRIPTION_PLAN_SWITCHED.value, (N.SUBSCRIPTION_PLAN_SWITCHED,)
    return None, ()


def _event_names(
    facts: Mapping[str, FactValue], callback_type: str | None, pix_as: EventName | str
) -> tuple[EventName | str, ...]:
    purchase = str(facts.get("purchase_status", ""))
    subscription = str(facts.get("subscription_status", ""))
    ended = ended_events(subscription)
    if callback_type == SUBSCRIPTION_CALLBACK:
        return ended or (N.SUBSCRIPTION_CANCELED,)
    if not purchase:
        return ended
    name = purchase_event(purchase, facts, pix_as)
    if name is None:
        return ()
    if purchase in FAILED and ended:
        return (name, *ended)
    derived = STATUS_PAIRS.get((purchase, subscription))
    is_renewal = facts.get("recurrence_number", 1) != 1
    if derived is None or (derived is N.SUBSCRIPTION_STARTED and is_renewal):
        return (name,)
    return (name, derived)
