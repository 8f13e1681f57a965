"""Which events the names and statuses of a webhook mean: the tables of both versions.

Names and statuses are looked up in their normal form, so `PURCHASE_CANCELLED` means what
the documented `PURCHASE_CANCELED` means. A name that no table has means no event.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from listboss.rules._vocabulary import normal_form
from listboss.rules.event import EventName, FactValue

__all__ = [
    "DERIVED",
    "ENDED",
    "EVENTS",
    "FAILED",
    "PURCHASES",
    "STATUS_PAIRS",
    "Derived",
    "documented_name",
    "ended_events",
    "named_events",
    "purchase_event",
]

N = EventName

PURCHASES: Mapping[str, EventName] = {
    "APPROVED": N.PURCHASE_APPROVED,
    "COMPLETED": N.PURCHASE_COMPLETED,
    "CANCELED": N.PURCHASE_CANCELED,
    "BLOCKED": N.PURCHASE_CANCELED,
    "REFUNDED": N.PURCHASE_REFUNDED,
    "PARTIALLY_REFUNDED": N.PURCHASE_PARTIALLY_REFUNDED,
    "DISPUTE": N.PURCHASE_PROTESTED,
    "CHARGEBACK": N.PURCHASE_CHARGEBACK,
    # Also sent for PIX and other deferred payments: see `billet_or_pix`.
    "BILLET_PRINTED": N.PURCHASE_BILLET_PRINTED,
    "WAITING_PAYMENT": N.PURCHASE_WAITING_PAYMENT,
    "DELAYED": N.PURCHASE_DELAYED,
    "EXPIRED": N.PURCHASE_EXPIRED,
    "OUT_OF_SHOPPING_CART": N.PURCHASE_CART_ABANDONED,
}
"""The event of each purchase status."""
ENDED: Mapping[str, tuple[EventName, ...]] = {
    "CANCELED": (N.SUBSCRIPTION_CANCELED,),
    "CANCELLED_BY_ADMIN": (N.SUBSCRIPTION_CANCELED, N.SUBSCRIPTION_CANCELED_BY_ADMIN),
    "CANCELLED_BY_CUSTOMER": (N.SUBSCRIPTION_CANCELED, N.SUBSCRIPTION_CANCELED_BY_CUSTOMER),
    "CANCELLED_BY_SELLER": (N.SUBSCRIPTION_CANCELED, N.SUBSCRIPTION_CANCELED_BY_SELLER),
    "INACTIVE": (N.SUBSCRIPTION_INACTIVE,),
    "EXPIRED": (N.SUBSCRIPTION_EXPIRED,),
}
"""The events of each status that ends a subscription."""
SUBSCRIPTIONS: Mapping[str, tuple[EventName, ...]] = {
    "STARTED": (N.SUBSCRIPTION_STARTED,),
    "ACTIVE": (N.SUBSCRIPTION_ACTIVE,),
    "DELAYED": (N.SUBSCRIPTION_DELAYED,),
}
"""The events of the other statuses, where they are the name of the event."""
FAILED = frozenset(
    {"CANCELED", "BLOCKED", "REFUNDED", "DISPUTE", "CHARGEBACK", "DELAYED", "EXPIRED"}
)
"""Purchase statuses beside which an ended subscription is a second event."""
STATUS_PAIRS: Mapping[tuple[str, str], EventName] = {
    ("APPROVED", "ACTIVE"): N.SUBSCRIPTION_ACTIVE,
    ("DELAYED", "DELAYED"): N.SUBSCRIPTION_DELAYED,
    ("BILLET_PRINTED", "STARTED"): N.SUBSCRIPTION_STARTED,
}
"""The second event of a purchase status beside a subscription status, in version 1.0.0."""

EVENTS: Mapping[str, EventName] = {
    "PURCHASE_APPROVED": N.PURCHASE_APPROVED,
    "PURCHASE_COMPLETE": N.PURCHASE_COMPLETED,
    "PURCHASE_CANCELED": N.PURCHASE_CANCELED,
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
"""The event of each documented name in version 2.0.0."""


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

BILLETS = ("BILLET", "FINANCED_BILLET")
PAYPAL = ("PAYPAL", "PAYPAL_INTERNACIONAL")
PIX_FACTS = ("pix_code", "pix_qrcode", "pix_expires_at")


def _family(name: str) -> tuple[str, str]:
    """Split a name into `PURCHASE` or `SUBSCRIPTION` and the normal form of the status."""
    family, _, status = name.partition("_")
    return family, normal_form(status) or ""


_DOCUMENTED = {_family(name): name for name in EVENTS}


def documented_name(raw_event: str) -> str:
    """Return the documented name that an event's name spells, else its normal form.

    >>> documented_name("purchase.cancelled"), documented_name("CHARGEBACK")
    ('PURCHASE_CANCELED', 'PURCHASE_CHARGEBACK')
    """
    if raw_event in EVENTS:
        return raw_event
    name = normal_form(raw_event) or ""
    purchase = _DOCUMENTED.get(("PURCHASE", name), name)
    return _DOCUMENTED.get(_family(name), purchase)


def ended_events(status: str) -> tuple[EventName, ...]:
    """Return the events of a subscription status that ends it, or none."""
    by_somebody = (N.SUBSCRIPTION_CANCELED,) if status.startswith("CANCELLED_BY_") else ()
    return ENDED.get(status, by_somebody)


def named_events(
    name: str, facts: Mapping[str, FactValue], pix_as: EventName | str
) -> tuple[EventName | str, ...]:
    """Return the events of a name in version 2.0.0, without the derived ones."""
    family, status = _family(name)
    if family == "PURCHASE":
        if status == "REFUNDED" and facts.get("purchase_status") == "PARTIALLY_REFUNDED":
            status = "PARTIALLY_REFUNDED"
        event = purchase_event(status, facts, pix_as)
        return () if event is None else (event,)
    if name in EVENTS:
        return (EVENTS[name],)
    return SUBSCRIPTIONS.get(status) or ended_events(status) if family == "SUBSCRIPTION" else ()


def purchase_event(
    status: str, facts: Mapping[str, FactValue], pix_as: EventName | str
) -> EventName | str | None:
    """Return the event of a purchase status, or None."""
    method = facts.get("payment_method")
    if status == "BILLET_PRINTED":
        return N.PURCHASE_BILLET_PRINTED if _is_billet(method, facts) else pix_as
    if status == "STARTED" and method in PAYPAL:
        return N.PURCHASE_PAYPAL_STARTED
    return PURCHASES.get(status)


def _is_billet(method: FactValue | None, facts: Mapping[str, FactValue]) -> bool:
    """Whether an issued bank slip is one, and not PIX, which the sender names alike."""
    if method is None:
        return "billet_url" in facts or not any(fact in facts for fact in PIX_FACTS)
    return method in BILLETS
