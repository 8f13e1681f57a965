"""Read version 1.0.0: a flat form without an event name, whose statuses say what happened.

The purchase status decides. A post with `callback_type` 2, or without a purchase status, is
about the subscription only. An ended subscription is a second event beside a purchase that
failed. Beside an approval it would be a contradiction, so there it is only a fact. An
abandoned cart is a small object with the buyer in `buyerVO`.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.hotmart._person import read_contact
from listboss.hotmart._reading import Version
from listboss.hotmart._values import instant, is_mapping, text
from listboss.hotmart._webhook import Webhook, billet_or_pix
from listboss.hotmart.fields import FACTS, IDS, paths, read_all, read_first
from listboss.rules.event import EventName, FactValue

__all__ = ["DERIVED", "ENDED", "PURCHASES", "read_v1"]

N = EventName

PURCHASES: Mapping[str, EventName] = {
    "APPROVED": N.PURCHASE_APPROVED,
    "COMPLETED": N.PURCHASE_COMPLETED,
    "CANCELED": N.PURCHASE_CANCELED,
    "BLOCKED": N.PURCHASE_CANCELED,
    "REFUNDED": N.PURCHASE_REFUNDED,
    "DISPUTE": N.PURCHASE_PROTESTED,
    "CHARGEBACK": N.PURCHASE_CHARGEBACK,
    "BILLET_PRINTED": N.PURCHASE_BILLET_PRINTED,
    "WAITING_PAYMENT": N.PURCHASE_WAITING_PAYMENT,
    "DELAYED": N.PURCHASE_DELAYED,
    "EXPIRED": N.PURCHASE_EXPIRED,
}
ENDED: Mapping[str, tuple[EventName, ...]] = {
    "CANCELED": (N.SUBSCRIPTION_CANCELED,),
    "CANCELLED_BY_ADMIN": (N.SUBSCRIPTION_CANCELED, N.SUBSCRIPTION_CANCELED_BY_ADMIN),
    "CANCELLED_BY_CUSTOMER": (N.SUBSCRIPTION_CANCELED, N.SUBSCRIPTION_CANCELED_BY_CUSTOMER),
    "CANCELLED_BY_SELLER": (N.SUBSCRIPTION_CANCELED, N.SUBSCRIPTION_CANCELED_BY_SELLER),
    "INACTIVE": (N.SUBSCRIPTION_INACTIVE,),
    "EXPIRED": (N.SUBSCRIPTION_EXPIRED,),
}
"""The events of each status that ends a subscription."""
FAILED = frozenset(
    {"CANCELED", "BLOCKED", "REFUNDED", "DISPUTE", "CHARGEBACK", "DELAYED", "EXPIRED"}
)
"""Purchase statuses beside which an ended subscription is a second event."""
DERIVED: Mapping[tuple[str, str], EventName] = {
    ("APPROVED", "ACTIVE"): N.SUBSCRIPTION_ACTIVE,
    ("DELAYED", "DELAYED"): N.SUBSCRIPTION_DELAYED,
    ("BILLET_PRINTED", "STARTED"): N.SUBSCRIPTION_STARTED,
}
"""The second event of a purchase status beside a subscription status."""

SUBSCRIPTION_CALLBACK = "2"
CALLBACK_TYPE, CREATED_AT = paths("callback_type"), paths("creation_date creationDate")
HAPPENED_AT = paths("cancellation_date confirmation_purchase_date purchase_date")
RAW_EVENT = paths("status subscription_status signature_status")


def read_v1(content: Mapping[str, object], pix_as: EventName | str) -> Webhook:
    """Read the fields of a form, or the object of an abandoned cart."""
    facts = read_all(FACTS, content, Version.V1)
    is_cart = is_mapping(content.get("buyerVO")) and "purchase_status" not in facts
    return Webhook(
        raw_event="buyerVO" if is_cart else read_first(content, RAW_EVENT, text),
        event_names=(N.PURCHASE_CART_ABANDONED,)
        if is_cart
        else _event_names(facts, read_first(content, CALLBACK_TYPE, text), pix_as),
        id=None,
        happened_at=read_first(content, CREATED_AT + HAPPENED_AT, instant),
        contact=read_contact(content),
        facts=facts,
        ids={name: str(value) for name, value in read_all(IDS, content, Version.V1).items()},
    )


def _event_names(
    facts: Mapping[str, FactValue], callback_type: str | None, pix_as: EventName | str
) -> tuple[EventName | str, ...]:
    purchase = str(facts.get("purchase_status", ""))
    subscription = str(facts.get("subscription_status", ""))
    ended = ENDED.get(subscription, ())
    if callback_type == SUBSCRIPTION_CALLBACK:
        return ended or (N.SUBSCRIPTION_CANCELED,)
    if not purchase:
        return ended
    name = _purchase_event(purchase, facts, pix_as)
    if name is None:
        return ()
    if purchase in FAILED and ended:
        return (name, *ended)
    derived = DERIVED.get((purchase, subscription))
    is_renewal = facts.get("recurrence_number", 1) != 1
    if derived is None or (derived is N.SUBSCRIPTION_STARTED and is_renewal):
        return (name,)
    return (name, derived)


def _purchase_event(
    status: str, facts: Mapping[str, FactValue], pix_as: EventName | str
) -> EventName | str | None:
    match status, facts.get("payment_method"):
        case "BILLET_PRINTED", _:
            # This version is older than PIX: without a payment type it is a bank slip.
            return billet_or_pix(facts, pix_as, untyped_is_billet=True)
        case "STARTED", "PAYPAL" | "PAYPAL_INTERNACIONAL":
            return N.PURCHASE_PAYPAL_STARTED
        case _:
            return PURCHASES.get(status)
