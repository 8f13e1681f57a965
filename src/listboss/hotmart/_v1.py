"""Version 1.0.0: a flat form without an event name; statuses say what happened.

The purchase status decides. A post with `callback_type` 2, or without a purchase status, is
about the subscription alone. A subscription that has ended counts beside a purchase that
did not go well; next to an approval it contradicts, and is a fact and nothing more. Cart
abandonment is a small object whose buyer is `buyerVO`.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.hotmart._person import contact_in
from listboss.hotmart._reading import Version
from listboss.hotmart._values import instant, is_mapping, text
from listboss.hotmart._webhook import Webhook, billet_or_pix
from listboss.hotmart.fields import FACTS, IDS, first, paths, read_all
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
"""Subscription statuses that end it, and what they mean."""
WENT_WRONG = frozenset(
    {"CANCELED", "BLOCKED", "REFUNDED", "DISPUTE", "CHARGEBACK", "DELAYED", "EXPIRED"}
)
"""Purchase statuses beside which an ended subscription is believed."""
DERIVED: Mapping[tuple[str, str], EventName] = {
    ("APPROVED", "ACTIVE"): N.SUBSCRIPTION_ACTIVE,
    ("DELAYED", "DELAYED"): N.SUBSCRIPTION_DELAYED,
    ("BILLET_PRINTED", "STARTED"): N.SUBSCRIPTION_STARTED,
}
"""Purchase status and subscription status that together mean a second event."""

ABOUT_SUBSCRIPTION = "2"
KIND, CREATED = paths("callback_type"), paths("creation_date creationDate")
HAPPENED = paths("cancellation_date confirmation_purchase_date purchase_date")
SAID = paths("status subscription_status signature_status")


def read_v1(content: Mapping[str, object], pix_as: EventName | str) -> Webhook:
    """Read a form's fields, or the object of an abandoned cart."""
    facts = read_all(FACTS, content, Version.V1)
    is_cart = is_mapping(content.get("buyerVO")) and "purchase_status" not in facts
    return Webhook(
        said="buyerVO" if is_cart else first(content, SAID, text),
        names=(N.PURCHASE_CART_ABANDONED,)
        if is_cart
        else _names(facts, first(content, KIND, text), pix_as),
        id=None,
        happened_at=first(content, CREATED, instant) or first(content, HAPPENED, instant),
        contact=contact_in(content),
        facts=facts,
        ids={name: str(value) for name, value in read_all(IDS, content, Version.V1).items()},
    )


def _names(
    facts: Mapping[str, FactValue], kind: str | None, pix_as: EventName | str
) -> tuple[EventName | str, ...]:
    purchase = str(facts.get("purchase_status", ""))
    subscription = str(facts.get("subscription_status", ""))
    ended = ENDED.get(subscription, ())
    if kind == ABOUT_SUBSCRIPTION:
        return ended or (N.SUBSCRIPTION_CANCELED,)
    if not purchase:
        return ended
    name = _purchase(purchase, facts, pix_as)
    if name is None:
        return ()
    if purchase in WENT_WRONG and ended:
        return (name, *ended)
    derived = DERIVED.get((purchase, subscription))
    is_renewal = facts.get("recurrence_number", 1) != 1
    if derived is None or (derived is N.SUBSCRIPTION_STARTED and is_renewal):
        return (name,)
    return (name, derived)


def _purchase(
    status: str, facts: Mapping[str, FactValue], pix_as: EventName | str
) -> EventName | str | None:
    match status, facts.get("payment_method"):
        case "BILLET_PRINTED", _:
            # Older than PIX: one without a payment type was always a bank slip.
            return billet_or_pix(facts, pix_as, without_type_if=None)
        case "STARTED", "PAYPAL" | "PAYPAL_INTERNACIONAL":
            return N.PURCHASE_PAYPAL_STARTED
        case _:
            return PURCHASES.get(status)
