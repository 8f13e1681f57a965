"""Version 2.0.0: an envelope that names its event, and `data` whose shape hangs on it.

The event name decides. `purchase.status` and `subscription.status` are facts and nothing
more, but for the derived events of one table: a refund that says ACTIVE activates nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from listboss.hotmart._person import contact_in
from listboss.hotmart._reading import Version
from listboss.hotmart._values import boolean, instant, is_list, is_mapping, text
from listboss.hotmart._webhook import Webhook, billet_or_pix
from listboss.hotmart.fields import FACTS, IDS, first, paths, read_all
from listboss.rules.event import EventName, FactValue

__all__ = ["DERIVED", "EVENTS", "Derived", "read_v2"]

N = EventName

EVENTS: Mapping[str, EventName] = {
    "PURCHASE_APPROVED": N.PURCHASE_APPROVED,
    "PURCHASE_COMPLETE": N.PURCHASE_COMPLETED,
    "PURCHASE_CANCELED": N.PURCHASE_CANCELED,
    # Also PIX and other deferred payments: `billet_or_pix` tells them apart.
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
    """A second event of one body: `event` with this subscription status also means `name`.

    `status` None takes every subscription; `first_only` leaves renewals out.
    """

    event: str
    status: str | None
    name: EventName
    first_only: bool = False


DERIVED = (
    Derived("PURCHASE_APPROVED", "ACTIVE", N.SUBSCRIPTION_ACTIVE),
    Derived("PURCHASE_DELAYED", None, N.SUBSCRIPTION_DELAYED),
    Derived("PURCHASE_BILLET_PRINTED", "STARTED", N.SUBSCRIPTION_STARTED, first_only=True),
    # Real ones do not say who canceled; where one does, it is taken at its word.
    Derived("SUBSCRIPTION_CANCELLATION", "CANCELLED_BY_ADMIN", N.SUBSCRIPTION_CANCELED_BY_ADMIN),
    Derived(
        "SUBSCRIPTION_CANCELLATION", "CANCELLED_BY_CUSTOMER", N.SUBSCRIPTION_CANCELED_BY_CUSTOMER
    ),
    Derived("SUBSCRIPTION_CANCELLATION", "CANCELLED_BY_SELLER", N.SUBSCRIPTION_CANCELED_BY_SELLER),
)

ID, EVENT, CREATED = paths("id"), paths("event"), paths("creation_date creationDate")
# Where the envelope has no date. Only an approval, or what came after it, has the first one.
HAPPENED = paths("cancellation_date switch_plan_date purchase.approved_date purchase.order_date")


def read_v2(content: Mapping[str, object], pix_as: EventName | str) -> Webhook:
    """Read an envelope."""
    said = (first(content, EVENT, text) or "").upper() or None
    data = _data(content, said)
    facts = read_all(FACTS, data, Version.V2)
    return Webhook(
        said=said,
        names=_names(said, facts, pix_as, subscribed=_has_something(data.get("subscription"))),
        id=first(content, ID, text),
        happened_at=first(content, CREATED, instant) or first(data, HAPPENED, instant),
        contact=contact_in(data),
        facts=facts,
        ids={name: str(value) for name, value in read_all(IDS, data, Version.V2).items()},
    )


def _data(content: Mapping[str, object], said: str | None) -> Mapping[str, object]:
    """Return `data` with what the table of paths cannot pick out of it."""
    data = content.get("data")
    if not is_mapping(data):
        return {}
    more: dict[str, object] = {}
    if said == "SUBSCRIPTION_CANCELLATION":
        more["cancellation_status"] = data.get("status")
    plans = data.get("plans")
    if is_list(plans):
        # A plan is only known if the list leaves no doubt which one.
        for key, is_current in (("current_plan", True), ("previous_plan", False)):
            chosen = [
                plan
                for plan in plans
                if is_mapping(plan) and boolean(plan.get("current")) is is_current
            ]
            more[key] = chosen[0] if len(chosen) == 1 else None
    return {**data, **more}


def _has_something(value: object) -> bool:
    return is_mapping(value) and any(part is not None for part in value.values())


def _names(
    said: str | None, facts: Mapping[str, FactValue], pix_as: EventName | str, *, subscribed: bool
) -> tuple[EventName | str, ...]:
    name: EventName | str | None = EVENTS.get(said or "")
    if name is None:
        return ()
    if name is N.PURCHASE_BILLET_PRINTED:
        name = billet_or_pix(facts, pix_as, without_type_if="billet_url")
    derived = (
        row.name
        for row in DERIVED
        if row.event == said and _holds(row, facts, subscribed=subscribed)
    )
    return (name, *derived)


def _holds(row: Derived, facts: Mapping[str, FactValue], *, subscribed: bool) -> bool:
    if row.first_only and facts.get("recurrence_number", 1) != 1:
        return False
    return subscribed if row.status is None else facts.get("subscription_status") == row.status
