"""From the model of a webhook to the facts that `listboss.hotmart.parse` returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["facts"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _at(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def facts(body: Any) -> dict[str, Any]:
    """Return the facts of a purchase of a subscription."""
    data = body.data
    purchase, subscription = data.purchase, data.subscription
    return {
        "approved_at": _at(purchase.approved_date),
        "country": data.buyer.address.country_iso.upper(),
        "coupon": purchase.offer.coupon_code.strip(),
        "currency": purchase.price.currency_value.upper(),
        "full_price": purchase.full_price.value,
        "installments": purchase.payment.installments_number,
        "is_funnel": purchase.is_funnel,
        "is_order_bump": purchase.order_bump.is_order_bump,
        "next_charge_at": _at(purchase.date_next_charge),
        "offer": purchase.offer.code.strip(),
        "ordered_at": _at(purchase.order_date),
        "original_price": purchase.original_offer_price.value,
        "payment_method": purchase.payment.type.upper(),
        "plan_id": str(subscription.plan.id),
        "plan_name": subscription.plan.name.strip(),
        "price": purchase.price.value,
        "product_name": data.product.name.strip(),
        "purchase_status": purchase.status.upper(),
        "recurrence_number": purchase.recurrence_number,
        "sck": purchase.origin.sck.strip(),
        "src": purchase.origin.src.strip(),
        "subscriber_code": subscription.subscriber.code.strip(),
        "subscription_status": subscription.status.upper(),
        "transaction": purchase.transaction.strip(),
        "warranty_until": data.product.warranty_date.astimezone(UTC),
    }
