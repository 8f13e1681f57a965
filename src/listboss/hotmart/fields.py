"""Where each fact is in a webhook: one table, with a column of paths for each version.

Facts have moved and been renamed over the years, so several paths are tried in order and the
first usable value counts. Document numbers, addresses and IP addresses have no row and are
never read.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.hotmart._lookup import (
    Field,
    affiliate_name,
    campaign_parameter,
    first_if_not_blank,
    most_specific,
)
from listboss.hotmart._values import (
    boolean,
    count,
    country,
    currency,
    instant,
    money,
    term,
    text,
    text_or_json,
)

__all__ = ["FACTS", "HEAD", "IDS", "MARKED"]

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")

# Paths of version 2.0.0 start at `data`, where its reader adds `current_plan`, `previous_plan`
# and `cancellation_status`. Paths of version 1.0.0 start at the body.
FACTS: Mapping[str, Field] = {
    "payment_method": Field(
        term, "purchase.payment.type purchase.payment.method", "payment_type payment_method"
    ),
    "currency": Field(
        currency,
        "purchase.price.currency_value purchase.price.currency_code"
        " purchase.full_price.currency_value purchase.full_price.currency_code"
        " purchase.original_offer_price.currency_value"
        " purchase.original_offer_price.currency_code",
        "currency currency_code_from currency_code_from_ currency_codefrom"
        " new_subscription_plan.currency_code",
    ),
    "country": Field(
        country,
        "buyer.address.country_iso purchase.checkout_country.iso checkout_country.iso",
        "address_country_ISO address_country_iso",
    ),
    "offer": Field(
        text,
        "purchase.offer.code offer.code current_plan.offer.key current_plan.offer.code"
        " plan.offer.code plan.offer.key purchase.offer.key",
        "off offer.code new_subscription_plan.offer.key",
    ),
    "installments": Field(
        count,
        "purchase.payment.installments_number purchase.payment.installments",
        "installments_number",
    ),
    "price": Field(
        money,
        "purchase.price.value actual_recurrence_value",
        "price actual_recurrence_value new_subscription_plan.value",
    ),
    "full_price": Field(money, "purchase.full_price.value", "full_price"),
    "recurrence_number": Field(
        count,
        "purchase.recurrence_number purchase.recurrency_number",
        "recurrency subscription.recurrence_number",
    ),
    "is_order_bump": Field(boolean, "purchase.order_bump.is_order_bump", "order_bump"),
    "parent_transaction": Field(
        text,
        "purchase.order_bump.parent_purchase_transaction purchase.parent_purchase_transaction",
        "parent_purchase_transaction",
    ),
    "coupon": Field(text, "purchase.offer.coupon_code", "coupon_code"),
    "src": Field(
        text,
        "purchase.origin.src purchase.origin.Src purchase.origin.Scr origin.src"
        " purchase.tracking.source purchase.src",
        "src",
    ),
    "sck": Field(
        text,
        "purchase.origin.sck purchase.sck_payment_link origin.sck purchase.tracking.source_sck"
        " purchase.sck",
        "sck",
    ),
    "xcod": Field(
        text_or_json,
        "purchase.origin.xcod origin.xcod purchase.origin.xcode purchase.tracking.external_code",
        "xcod xcode",
    ),
    "affiliate": Field(text, "affiliates.*.affiliate_code affilliates.*.affiliate_code", "aff"),
    "refusal_reason": Field(text, "purchase.payment.refusal_reason", "refusal_reason"),
    "purchase_status": Field(term, "purchase.status", "status"),
    "subscription_status": Field(
        term,
        "subscription.status cancellation_status",
        "subscription_status signature_status subscription.status",
        most_specific,
    ),
    "transaction": Field(text, "purchase.transaction", "transaction"),
    "product_name": Field(
        text,
        "product.name subscription.product.name",
        "prod_name product_name product.name subscription.product.name",
    ),
    "plan_name": Field(
        text,
        "subscription.plan.name plan.name current_plan.name",
        "name_subscription_plan subscription_plan_name new_subscription_plan.name"
        " subscription.plan.name",
    ),
    "subscriber_code": Field(
        text,
        "subscription.subscriber.code subscriber.code subscription.subscriber_code"
        " subscription.code",
        "subscriber_code subscription.subscriber.code",
    ),
    "billet_url": Field(text, "purchase.payment.billet_url", "billet_url"),
    "billet_barcode": Field(text, "purchase.payment.billet_barcode", "billet_barcode"),
    "pix_code": Field(text, "purchase.payment.pix_code", "pix_code"),
    "pix_qrcode": Field(text, "purchase.payment.pix_qrcode", "pix_qrcode"),
    "pix_expires_at": Field(instant, "purchase.payment.pix_expiration_date", "pix_expiration_date"),
    "ordered_at": Field(instant, "purchase.order_date", "purchase_date"),
    "approved_at": Field(instant, "purchase.approved_date", "confirmation_purchase_date"),
    "warranty_until": Field(instant, "product.warranty_date", "warranty_date"),
    "next_charge_at": Field(
        instant,
        "purchase.date_next_charge date_next_charge subscription.date_next_charge",
        "subscription_date_next_charge date_next_charge",
    ),
    "canceled_at": Field(instant, "cancellation_date", "cancellation_date"),
    "old_charge_day": Field(count, "subscription.old_charge_day", ""),
    "new_charge_day": Field(count, "subscription.new_charge_day", ""),
    "previous_plan_id": Field(text, "previous_plan.id", ""),
    "module_id": Field(text, "module.id", ""),
    "module_name": Field(text, "module.name", ""),
    "offer_name": Field(text, "purchase.offer.name offer.name current_plan.offer.name", ""),
    "affiliate_name": Field(
        affiliate_name, "affiliates.* affilliates.*", "aff_name", first_if_not_blank
    ),
    "from_affiliate": Field(boolean, "affiliate", "affiliate"),
    "is_funnel": Field(boolean, "purchase.is_funnel", "funnel is_funnel"),
    "original_price": Field(money, "purchase.original_offer_price.value", "original_offer_price"),
    "is_anticipated": Field(
        boolean,
        "purchase.subscription_anticipation_purchase",
        "subscription_anticipation_purchase",
    ),
    "recurrence_period": Field(
        count,
        "subscription.plan.recurrency_period subscription.recurrency_period"
        " plan.recurrency_period current_plan.recurrency_period",
        "recurrency_period new_subscription_plan.recurrency_period",
    ),
    "receiver_type": Field(term, "purchase.receiver_type", "receiver_type"),
    "payment_mode": Field(
        term,
        "purchase.offer.payment_mode offer.payment_mode",
        "product_offer_payment_mode productOfferPaymentMode",
    ),
    **{name: campaign_parameter(name) for name in UTM},
}
"""The facts that a webhook may have, by their names in the catalogue."""

IDS: Mapping[str, Field] = {
    "product_id": Field(
        text,
        "product.id subscription.product.id",
        "prod product_id product.id subscription.product.id",
    ),
    "product_ucode": Field(
        text,
        "product.ucode subscription.product.ucode",
        "product_ucode product.ucode subscription.product.ucode",
    ),
    "plan_id": Field(text, "subscription.plan.id plan.id current_plan.id", ""),
}
"""Fields that are not facts but part of the event; version 1.0.0 has no ids of plans."""

MARKED: Mapping[str, Field] = {
    "producer_name": Field(text, "producer.name", "producer_name"),
    "sku": Field(text, "purchase.variants.sku purchase.variants.*.sku", ""),
}
"""Fields that are only read to recognise a test."""

HEAD: Mapping[str, Field] = {
    "id": Field(text, "id", ""),
    "raw_event": Field(text, "event", "status subscription_status signature_status"),
    "happened_at": Field(
        instant,
        "creation_date",
        "creation_date cancellation_date switch_plan_date confirmation_purchase_date purchase_date",
    ),
    "callback_type": Field(text, "", "callback_type"),
}
"""Fields of the webhook itself; in version 2.0.0, they are next to `data`."""
