"""`HOTMART`: the built-in catalogue, as two tables.

The first table has the facts that webhooks and hosts know. The second has the events,
grouped as on the public list, each with the product kinds it is offered for and the facts
it carries. The decisions pages of the documentation say which cells the help pages state
and which are this library's own choice.
"""

from __future__ import annotations

from typing import Any

from listboss.rules.catalogue import (
    Catalogue,
    EventType,
    FactKind,
    FactType,
    ProductKind,
    Source,
    Subject,
)
from listboss.rules.event import EventName

__all__ = ["HOTMART"]

PAYMENT_METHODS = (
    "BILLET", "CASH_PAYMENT", "CREDIT_CARD", "DIRECT_BANK_TRANSFER", "DIRECT_DEBIT", "ECHECK",
    "FINANCED_BILLET", "FINANCED_INSTALLMENT", "GOOGLE_PAY", "HOTCARD", "HYBRID",
    "MANUAL_TRANSFER", "PAYPAL", "PAYPAL_INTERNACIONAL", "PICPAY", "PIX", "SAMSUNG_PAY", "WALLET",
)  # fmt: skip
SMART_PAYMENT_STATUSES = (
    "STARTED", "ACTIVE", "INACTIVE", "DELAYED", "CANCELLED_BY_ADMIN", "CANCELLED_BY_SELLER",
)  # fmt: skip
SUBSCRIPTION_STATUSES = (
    "STARTED", "ACTIVE", "INACTIVE", "DELAYED", "EXPIRED", "CANCELED",
    "CANCELLED_BY_ADMIN", "CANCELLED_BY_CUSTOMER", "CANCELLED_BY_SELLER",
)  # fmt: skip
RECEIVER_TYPES = ("SELLER", "COPRODUCER", "AFFILIATE")
PAYMENT_MODES = ("PAGAMENTO_UNICO", "PAGAMENTO_VISTA", "MULTIPLOS_PAGAMENTOS")
PURCHASE_STATUSES = (
    "APPROVED", "BILLET_PRINTED", "BLOCKED", "CANCELED", "CHARGEBACK", "COMPLETED", "DELAYED",
    "DISPUTE", "EXPIRED", "NO_FUNDS", "PARTIALLY_REFUNDED", "PRE_ORDER", "PROCESSING_TRANSACTION",
    "REFUNDED", "STARTED", "UNDER_ANALYSIS", "WAITING_PAYMENT",
)  # fmt: skip


def _fact(
    name: str, kind: FactKind, label: str, values: tuple[str, ...] = (), **more: bool
) -> FactType:
    return FactType(name, kind, label=label, values=values, on_any_event=False, **more)


FACTS = (
    # The seven conditions of the public list.
    _fact("payment_method", FactKind.TERM, "Payment method", PAYMENT_METHODS),
    _fact("currency", FactKind.CURRENCY, "Purchase currency"),
    FactType("language", FactKind.LANGUAGE, label="Buyer's language"),
    _fact("country", FactKind.COUNTRY, "Buyer's country"),
    _fact("offer", FactKind.IDENTIFIER, "Offer used"),
    _fact("installments", FactKind.INTEGER, "Number of installments"),
    _fact(
        "smart_payment_status",
        FactKind.TERM,
        "Smart Payment status",
        SMART_PAYMENT_STATUSES,
        closed=True,
    ),
    # Extensions: other values in payloads.
    _fact("price", FactKind.DECIMAL, "Price without interest", is_amount=True),
    _fact("full_price", FactKind.DECIMAL, "Price with interest", is_amount=True),
    _fact("recurrence_number", FactKind.INTEGER, "Recurrence, counted from 1"),
    _fact("is_order_bump", FactKind.BOOLEAN, "Bought as an order bump"),
    _fact("parent_transaction", FactKind.IDENTIFIER, "Transaction that the order bump belongs to"),
    _fact("coupon", FactKind.TEXT, "Coupon code"),
    _fact("src", FactKind.TEXT, "Tracking parameter src"),
    _fact("sck", FactKind.TEXT, "Tracking parameter sck"),
    _fact("xcod", FactKind.TEXT, "Tracking parameter xcod"),
    _fact("affiliate", FactKind.IDENTIFIER, "Affiliate code"),
    _fact("refusal_reason", FactKind.TEXT, "Reason of refusal"),
    _fact("purchase_status", FactKind.TERM, "Purchase status", PURCHASE_STATUSES),
    _fact("subscription_status", FactKind.TERM, "Subscription status", SUBSCRIPTION_STATUSES),
    _fact("transaction", FactKind.IDENTIFIER, "Transaction code"),
    _fact("product_name", FactKind.TEXT, "Product name"),
    _fact("plan_id", FactKind.IDENTIFIER, "Plan id"),
    _fact("plan_name", FactKind.TEXT, "Plan name"),
    _fact("subscriber_code", FactKind.IDENTIFIER, "Subscriber code"),
    _fact("billet_url", FactKind.TEXT, "Bank slip link"),
    _fact("billet_barcode", FactKind.TEXT, "Bank slip barcode"),
    _fact("pix_code", FactKind.TEXT, "PIX code"),
    _fact("pix_qrcode", FactKind.TEXT, "PIX QR code link"),
    _fact("pix_expires_at", FactKind.INSTANT, "PIX code expires"),
    _fact("ordered_at", FactKind.INSTANT, "Order placed"),
    _fact("approved_at", FactKind.INSTANT, "Payment approved"),
    _fact("warranty_until", FactKind.INSTANT, "End of guarantee"),
    _fact("next_charge_at", FactKind.INSTANT, "Next charge"),
    _fact("canceled_at", FactKind.INSTANT, "Subscription canceled"),
    _fact("old_charge_day", FactKind.INTEGER, "Day of month charged until now"),
    _fact("new_charge_day", FactKind.INTEGER, "Day of month charged from now on"),
    _fact("previous_plan_id", FactKind.TEXT, "Plan before the switch"),
    _fact("module_id", FactKind.TEXT, "Course module id"),
    _fact("module_name", FactKind.TEXT, "Course module name"),
    _fact("percent", FactKind.DECIMAL, "Course progress in percent"),
    _fact("previous_percent", FactKind.DECIMAL, "Course progress before, in percent"),
    _fact("rating", FactKind.INTEGER, "Rating given"),
    _fact("offer_name", FactKind.TEXT, "Offer name"),
    _fact("affiliate_name", FactKind.TEXT, "Affiliate name"),
    _fact("from_affiliate", FactKind.BOOLEAN, "Came through an affiliate"),
    _fact("is_funnel", FactKind.BOOLEAN, "Sold in a sales funnel"),
    _fact("original_price", FactKind.DECIMAL, "Price of the main offer", is_amount=True),
    _fact("is_anticipated", FactKind.BOOLEAN, "Renewed ahead of time"),
    _fact("recurrence_period", FactKind.INTEGER, "Days between two charges"),
    _fact("receiver_type", FactKind.TERM, "Role of the account that receives", RECEIVER_TYPES),
    _fact("payment_mode", FactKind.TERM, "Payment mode of the offer", PAYMENT_MODES),
    _fact("utm_source", FactKind.TEXT, "Campaign source"),
    _fact("utm_medium", FactKind.TEXT, "Campaign medium"),
    _fact("utm_campaign", FactKind.TEXT, "Campaign name"),
    _fact("utm_content", FactKind.TEXT, "Campaign content"),
    _fact("utm_term", FactKind.TEXT, "Campaign term"),
)

PRODUCT = ("product_name",)
TRACKING = (
    "src", "sck", "xcod", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term",
)  # fmt: skip
SALE = (
    *PRODUCT, "transaction", "purchase_status", "payment_method", "currency", "country", "offer",
    "installments", "price", "full_price", "recurrence_number", "is_order_bump",
    "parent_transaction", "coupon", *TRACKING, "affiliate", "refusal_reason",
    "subscription_status", "plan_name", "subscriber_code", "billet_url", "billet_barcode",
    "pix_code", "pix_qrcode", "pix_expires_at", "ordered_at", "approved_at", "warranty_until",
    "next_charge_at", "offer_name", "affiliate_name", "is_funnel", "original_price",
    "is_anticipated", "recurrence_period", "receiver_type", "payment_mode",
)  # fmt: skip
CHECKOUT = (
    *PRODUCT, "country", "offer", "offer_name", "affiliate", "from_affiliate", *TRACKING,
)  # fmt: skip
SUBSCRIPTION = (
    *PRODUCT, "plan_name", "subscriber_code", "subscription_status", "next_charge_at",
    "canceled_at", "price",
)  # fmt: skip
SUBSCRIPTION_SALE = tuple(dict.fromkeys((*SALE, *SUBSCRIPTION)))
INSTALLMENTS = (
    *PRODUCT, "transaction", "payment_method", "currency", "country", "offer", "price",
    "smart_payment_status",
)  # fmt: skip
CLUB = (*PRODUCT, "country", "offer")

SOLD = (ProductKind.SINGLE, ProductKind.SUBSCRIPTION)
SUBSCRIBED = (ProductKind.SUBSCRIPTION,)
DELIVERED = (ProductKind.SINGLE, ProductKind.SUBSCRIPTION, ProductKind.FREE)

N = EventName
WEBHOOK, DERIVED, HOST = Source.WEBHOOK, Source.DERIVED, Source.HOST
EXTENSION, PROVISIONAL = Source.EXTENSION, Source.PROVISIONAL

# (group, product kinds, rows of (name, label, facts, carries plan, source))
_GROUPS: tuple[
    tuple[
        str,
        tuple[ProductKind, ...],
        tuple[tuple[EventName, str, tuple[str, ...], bool, Source], ...],
    ],
    ...,
] = (
    ("Purchase status", SOLD, (
        (N.PURCHASE_CART_ABANDONED, "Cart abandonment", CHECKOUT, False, WEBHOOK),
        (N.PURCHASE_BILLET_PRINTED, "Bank slip issued", SALE, True, WEBHOOK),
        (N.PURCHASE_WAITING_PAYMENT, "Waiting for payment", SALE, True, WEBHOOK),
        (N.PURCHASE_APPROVED, "Purchase approved", SALE, True, WEBHOOK),
        (N.PURCHASE_COMPLETED, "Purchase completed", SALE, True, WEBHOOK),
        (N.PURCHASE_DELAYED, "Purchase overdue", SALE, True, WEBHOOK),
        (N.PURCHASE_CANCELED, "Purchase canceled", SALE, True, WEBHOOK),
        (N.PURCHASE_CHARGEBACK, "Purchase in chargeback", SALE, True, WEBHOOK),
        (N.PURCHASE_EXPIRED, "Purchase expired", SALE, True, WEBHOOK),
        (N.PURCHASE_PAYPAL_STARTED, "Order started – PayPal", SALE, True, HOST),
        (N.PURCHASE_PROTESTED, "Purchase protested", SALE, True, WEBHOOK),
        (N.PURCHASE_REFUNDED, "Purchase refunded", SALE, True, WEBHOOK),
        (N.PURCHASE_PARTIALLY_REFUNDED, "Purchase partly refunded", SALE, True, EXTENSION),
    )),
    ("Access method", DELIVERED, (
        (N.ACCESS_FILE_DOWNLOADED, "Downloaded file", CLUB, False, HOST),
    )),
    ("Hotmart Club", DELIVERED, (
        (N.CLUB_FREE_REGISTRATION, "Free registration at Hotmart Club", CLUB, False, HOST),
        (N.CLUB_PROGRESS, "Progress on percentage of course completion",
         (*CLUB, "percent", "previous_percent"), False, HOST),
        (N.CLUB_INACTIVE_7D, "7 days without logging in", CLUB, False, HOST),
        (N.CLUB_INACTIVE_15D, "15 days without logging in", CLUB, False, HOST),
        (N.CLUB_INACTIVE_30D, "30 days without logging in", CLUB, False, HOST),
        (N.CLUB_FIRST_ACCESS, "First access to Hotmart Club", CLUB, False, EXTENSION),
        (N.CLUB_MODULE_COMPLETED, "Module completed in Hotmart Club",
         (*CLUB, "module_id", "module_name"), False, EXTENSION),
    )),
    ("Product rating", DELIVERED, (
        (N.PRODUCT_RATED, "Client rated the product", (*CLUB, "rating"), False, HOST),
    )),
    ("Smart installments", (ProductKind.SINGLE,), (
        (N.SMART_INSTALLMENT_STATUS_CHANGED, "Status change on smart installments",
         INSTALLMENTS, False, HOST),
    )),
    ("Subscription status", SUBSCRIBED, (
        (N.SUBSCRIPTION_STARTED, "Started", SUBSCRIPTION_SALE, True, DERIVED),
        (N.SUBSCRIPTION_ACTIVE, "Active", SUBSCRIPTION_SALE, True, DERIVED),
        (N.SUBSCRIPTION_DELAYED, "Overdue", SUBSCRIPTION_SALE, True, DERIVED),
        (N.SUBSCRIPTION_CANCELED, "Canceled", SUBSCRIPTION, True, WEBHOOK),
        (N.SUBSCRIPTION_CANCELED_BY_ADMIN, "Canceled by administrator", SUBSCRIPTION, True,
         DERIVED),
        (N.SUBSCRIPTION_CANCELED_BY_CUSTOMER, "Canceled by customer", SUBSCRIPTION, True, DERIVED),
        (N.SUBSCRIPTION_CANCELED_BY_SELLER, "Canceled by seller", SUBSCRIPTION, True, DERIVED),
        (N.SUBSCRIPTION_INACTIVE, "Inactive", SUBSCRIPTION_SALE, True, HOST),
        (N.SUBSCRIPTION_EXPIRED, "Past due (term over)", SUBSCRIPTION_SALE, True, HOST),
        (N.SUBSCRIPTION_PLAN_SWITCHED, "Plan switched",
         (*SUBSCRIPTION, "currency", "offer", "recurrence_number", "recurrence_period",
          "previous_plan_id"), True, EXTENSION),
        (N.SUBSCRIPTION_CHARGE_DATE_CHANGED, "Charge date changed",
         (*SUBSCRIPTION, "offer", "old_charge_day", "new_charge_day"), True, EXTENSION),
    )),
    ("Availability", DELIVERED, (
        (N.WAITLIST_JOINED, "Joined the waiting list", PRODUCT, False, HOST),
        (N.PRODUCT_AVAILABLE, "Product back on sale", PRODUCT, False, HOST),
    )),
    ("Webinar", (ProductKind.WEBINAR,), (
        (N.WEBINAR_REGISTERED, "Registered for the webinar", PRODUCT, False, PROVISIONAL),
        (N.WEBINAR_ATTENDED, "Attended the webinar", PRODUCT, False, PROVISIONAL),
        (N.WEBINAR_MISSED, "Missed the webinar", PRODUCT, False, PROVISIONAL),
        (N.WEBINAR_ENDED, "Webinar ended", PRODUCT, False, PROVISIONAL),
    )),
)  # fmt: skip

BUY, SUBSCRIBE = Subject.PURCHASE, Subject.SUBSCRIPTION

# event: what it is about, whether it ends that, and its rank. Events that are not listed are
# about nothing and have the rank 0. Ranks order the events of one charge that have the same time:
# it is pending first; then it fails or is overdue; then it is approved, completed, and protested
# or refunded in part; and last it ends. So a refund counts after the approval. An overdue purchase
# that names no subscription is about the purchase.
_STATES: dict[EventName, tuple[Subject | None, bool, int]] = {
    N.PURCHASE_DELAYED: (SUBSCRIBE, False, 1),
    N.PURCHASE_CANCELED: (BUY, True, 1),
    N.PURCHASE_EXPIRED: (BUY, True, 1),
    N.PURCHASE_APPROVED: (None, False, 2),
    N.PURCHASE_COMPLETED: (None, False, 3),
    N.PURCHASE_PROTESTED: (BUY, False, 4),
    N.PURCHASE_PARTIALLY_REFUNDED: (BUY, False, 4),
    N.PURCHASE_REFUNDED: (BUY, True, 5),
    N.PURCHASE_CHARGEBACK: (BUY, True, 5),
    N.SUBSCRIPTION_DELAYED: (SUBSCRIBE, False, 1),
    N.SUBSCRIPTION_ACTIVE: (None, False, 2),
    N.SUBSCRIPTION_PLAN_SWITCHED: (SUBSCRIBE, False, 0),
    N.SUBSCRIPTION_CANCELED: (SUBSCRIBE, True, 5),
    N.SUBSCRIPTION_CANCELED_BY_ADMIN: (SUBSCRIBE, True, 5),
    N.SUBSCRIPTION_CANCELED_BY_CUSTOMER: (SUBSCRIBE, True, 5),
    N.SUBSCRIPTION_CANCELED_BY_SELLER: (SUBSCRIBE, True, 5),
    N.SUBSCRIPTION_INACTIVE: (SUBSCRIBE, True, 5),
    N.SUBSCRIPTION_EXPIRED: (SUBSCRIBE, True, 5),
}


def _event(name: EventName, label: str, **more: Any) -> EventType:
    about, ends, rank = _STATES.get(name, (None, False, 0))
    return EventType(str(name), label, about=about, ends=ends, rank=rank, **more)


EVENTS = tuple(
    _event(
        name,
        label,
        group=group,
        product_kinds=kinds,
        facts=(*facts, "plan_id") if carries_plan else facts,
        carries_plan=carries_plan,
        source=source,
    )
    for group, kinds, rows in _GROUPS
    for name, label, facts, carries_plan, source in rows
)

HOTMART = Catalogue(EVENTS, FACTS)
"""The built-in catalogue: every event and fact of the public list, and related ones."""
