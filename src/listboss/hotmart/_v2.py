"""Read version 2.0.0: an object with the name of its event, and `data` in the event's shape.

The event name decides. `purchase.status` and `subscription.status` are only facts, except
for the derived events of one table: a refund with status ACTIVE activates no subscription.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from listboss.hotmart._person import read_contact
from listboss.hotmart._reading import Version
from listboss.hotmart._values import boolean, instant, is_list, is_mapping, text
from listboss.hotmart._webhook import Webhook, billet_or_pix
from listboss.hotmart.fields import FACTS, IDS, paths, read_all, read_first
from listboss.rules.event import EventName, FactValue

__all__ = ["DERIVED", "EVENTS", "Derived", "read_v2"]

N = EventName

EVENTS: Mapping[str, EventName] = {
    "PURCHASE_APPROVED": N.PURCHASE_APPROVED,
    "PURCHASE_COMPLETE": N.PURCHASE_COMPLETED,
    "PURCHASE_CANCELED": N.PURCHASE_CANCELED,
    # Also sent for PIX and other deferred payments: see `billet_or_pix`.
    "PURCHASE_BILLET_PRINTED": N.PURCHASE_BILLET_PRINTED,
    "PURCHASE_PROTEST": N.PURCHASE_PROTESTED,
    "PURCHASE_REFUNDED": N.PURCHASE_REFUNDED,
    "PURCHASE_CHARGEBACK": N.PURCHASE_CHARGEBACK,
    "PURCHASE_EXPIRED": N.PURCHASE_EXPIRED,
    "PURCHASE_DELAYED": N.PURCHASE_DELAYED,
    "PURCHASE_OUT_OF_SHOPPING_CART": N.PURCHASE_CART_ABANDONED,
    "SUBSCRIPTION_CANCELLATION": N.SUBSCRIPTION_CANCELED,
    "SWITCH_PLAN": N.SUBSCRIPTION_PLAN_SWITCHED,
    "UPDATE_SUBSCRIPTION_CHARGE_DATE": N.SUBSCRIPTION_CHARGE_DATE_CHANGED,
    "CLUB_FIRST_ACCESS": N.CLUB_FIRST_ACCESS,
    "CLUB_MODULE_COMPLETED": N.CLUB_MODULE_COMPLETED,
}


@attrs.frozen
class Derived:
    """A second event of one body: `event` with this subscription status also gives `name`.

    With `status` None, any subscription is enough. `first_only` excludes renewals.
    """

    event: str
    status: str | None
    name: EventName
    first_only: bool = False


DERIVED = (
    Derived("PURCHASE_APPROVED", "ACTIVE", N.SUBSCRIPTION_ACTIVE),
    Derived("PURCHASE_DELAYED", None, N.SUBSCRIPTION_DELAYED),
    Derived("PURCHASE_BILLET_PRINTED", "STARTED", N.SUBSCRIPTION_STARTED, first_only=True),
    # Real webhooks do not say who canceled; if one does, it is trusted.
    Derived("SUBSCRIPTION_CANCELLATION", "CANCELLED_BY_ADMIN", N.SUBSCRIPTION_CANCELED_BY_ADMIN),
    Derived(
        "SUBSCRIPTION_CANCELLATION", "CANCELLED_BY_CUSTOMER", N.SUBSCRIPTION_CANCELED_BY_CUSTOMER
    ),
    Derived("SUBSCRIPTION_CANCELLATION", "CANCELLED_BY_SELLER", N.SUBSCRIPTION_CANCELED_BY_SELLER),
)

ID, EVENT, CREATED_AT = paths("id"), paths("event"), paths("creation_date creationDate")
# Below `data`, for a body without a creation date. An approval date means that the sale was
# approved, now or earlier; so it comes before the order date.
HAPPENED_AT = paths("cancellation_date switch_plan_date purchase.approved_date purchase.order_date")


def read_v2(content: Mapping[str, object], pix_as: EventName | str) -> Webhook:
    """Read an object with `event` and `data`."""
    event = (read_first(content, EVENT, text) or "").upper() or None
    data = _data(content, event)
    facts = read_all(FACTS, data, Version.V2)
    created_at = read_first(content, CREATED_AT, instant)
    subscribed = _has_any_value(data.get("subscription"))
    return Webhook(
        raw_event=event,
        event_names=_event_names(event, facts, pix_as, subscribed=subscribed),
        id=read_first(content, ID, text),
        happened_at=created_at or read_first(data, HAPPENED_AT, instant),
        contact=read_contact(data),
        facts=facts,
        ids={name: str(value) for name, value in read_all(IDS, data, Version.V2).items()},
    )


def _data(content: Mapping[str, object], event: str | None) -> Mapping[str, object]:
    """Return `data`, with fields added that the table of paths cannot reach."""
    data = content.get("data")
    if not is_mapping(data):
        return {}
    more: dict[str, object] = {}
    if event == "SUBSCRIPTION_CANCELLATION":
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
    event: str | None, facts: Mapping[str, FactValue], pix_as: EventName | str, *, subscribed: bool
) -> tuple[EventName | str, ...]:
    name: EventName | str | None = EVENTS.get(event or "")
    if name is None:
        return ()
    if name is N.PURCHASE_BILLET_PRINTED:
        name = billet_or_pix(facts, pix_as, untyped_is_billet="billet_url" in facts)
    derived = (
        row.name
        for row in DERIVED
        if row.event == event and _applies(row, facts, subscribed=subscribed)
    )
    return (name, *derived)


def _applies(row: Derived, facts: Mapping[str, FactValue], *, subscribed: bool) -> bool:
    if row.first_only and facts.get("recurrence_number", 1) != 1:
        return False
    return subscribed if row.status is None else facts.get("subscription_status") == row.status
