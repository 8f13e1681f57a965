"""Where each fact is in a webhook: one table, with a column of paths for each version.

The steps of a path are separated by dots, and `*` means each element of a list. Facts have
moved and been renamed over the years, so several paths are tried in order and the first
usable value counts. Document numbers, addresses and IP addresses have no row and are never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias, TypeVar

import attrs

from listboss.hotmart._reading import Version
from listboss.hotmart._values import (
    boolean,
    choice,
    count,
    country,
    currency,
    instant,
    is_list,
    is_mapping,
    money,
    text,
)
from listboss.rules.event import FactValue

__all__ = ["FACTS", "IDS", "Field", "Path", "Paths", "paths", "read_all", "read_first"]

T = TypeVar("T")
Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = tuple[Path, ...]

MAX_LISTED = 10
"""At most this many elements of a list are read."""

PAYMENT_ALIASES = {"BOLETO": "BILLET"}
PURCHASE_ALIASES = {
    "CANCELLED": "CANCELED",
    "COMPLETE": "COMPLETED",
    "PRINTED_BILLET": "BILLET_PRINTED",
    "OVERDUE": "DELAYED",
    "PROTESTED": "DISPUTE",
    "UNDER_ANALISYS": "UNDER_ANALYSIS",
    "WAYTING_PAYMENT": "WAITING_PAYMENT",
}
SUBSCRIPTION_ALIASES = {
    "CANCELLED": "CANCELED",
    "OVERDUE": "DELAYED",
    "PAST_DUE": "DELAYED",
    "CANCELED_BY_ADMIN": "CANCELLED_BY_ADMIN",
    "CANCELED_BY_CUSTOMER": "CANCELLED_BY_CUSTOMER",
    "CANCELED_BY_SELLER": "CANCELLED_BY_SELLER",
}

payment_method = choice(PAYMENT_ALIASES)
purchase_status = choice(PURCHASE_ALIASES)
subscription_status = choice(SUBSCRIPTION_ALIASES)


def paths(written: str) -> Paths:
    """Split a string of paths: spaces between the paths, dots between the steps.

    >>> paths("buyer.email user.email")
    (('buyer', 'email'), ('user', 'email'))
    """
    return tuple(tuple(path.split(".")) for path in written.split())


@attrs.frozen
class Field:
    """The reader of one fact, and its paths in each version."""

    read: Callable[[object], FactValue | None]
    v2: Paths = attrs.field(converter=paths)
    v1: Paths = attrs.field(converter=paths)

    def find(self, root: object, version: Version) -> FactValue | None:
        """Return the first usable value of the field in `root`, or None."""
        return read_first(root, self.v2 if version is Version.V2 else self.v1, self.read)


# Paths of version 2.0.0 start at `data`, where its reader adds `current_plan`, `previous_plan`
# and `cancellation_status`. Paths of version 1.0.0 start at the body.
FACTS: Mapping[str, Field] = {
    "payment_method": Field(payment_method, "purchase.payment.type", "payment_type"),
    "currency": Field(
        currency,
        "purchase.price.currency_value purchase.price.currency_code"
        " purchase.full_price.currency_value purchase.full_price.currency_code"
        " purchase.original_offer_price.currency_value"
        " purchase.original_offer_price.currency_code",
        "currency currency_code_from currency_code_from_",
    ),
    "country": Field(
        country,
        "buyer.address.country_iso purchase.checkout_country.iso checkout_country.iso",
        "address_country_ISO address_country_iso",
    ),
    "offer": Field(
        text,
        "purchase.offer.code offer.code current_plan.offer.key current_plan.offer.code"
        " plan.offer.code plan.offer.key",
        "off offer.code",
    ),
    "installments": Field(count, "purchase.payment.installments_number", "installments_number"),
    "price": Field(money, "purchase.price.value actual_recurrence_value", "price"),
    "full_price": Field(money, "purchase.full_price.value", "full_price"),
    "recurrence_number": Field(count, "purchase.recurrence_number", "recurrency"),
    "is_order_bump": Field(boolean, "purchase.order_bump.is_order_bump", "order_bump"),
    "parent_transaction": Field(
        text,
        "purchase.order_bump.parent_purchase_transaction",
        "parent_purchase_transaction",
    ),
    "coupon": Field(text, "purchase.offer.coupon_code", "coupon_code"),
    "src": Field(
        text, "purchase.origin.src purchase.origin.Src purchase.origin.Scr origin.src", "src"
    ),
    "sck": Field(text, "purchase.origin.sck purchase.sckPaymentLink origin.sck", "sck"),
    "xcod": Field(text, "purchase.origin.xcod origin.xcod", "xcod"),
    "affiliate": Field(text, "affiliates.*.affiliate_code affilliates.*.affiliate_code", "aff"),
    "refusal_reason": Field(text, "purchase.payment.refusal_reason", "refusal_reason"),
    "purchase_status": Field(purchase_status, "purchase.status", "status"),
    "subscription_status": Field(
        subscription_status,
        "subscription.status cancellation_status",
        "subscription_status signature_status",
    ),
    "transaction": Field(text, "purchase.transaction", "transaction"),
    "product_name": Field(
        text,
        "product.name subscription.product.name",
        "prod_name productName product_name product.name",
    ),
    "plan_name": Field(
        text,
        "subscription.plan.name plan.name current_plan.name",
        "name_subscription_plan",
    ),
    "subscriber_code": Field(
        text,
        "subscription.subscriber.code subscriber.code subscription.subscriber_code",
        "subscriber_code",
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
        "purchase.date_next_charge date_next_charge subscription.date_next_charge"
        " subscription.dateNextCharge",
        "subscription_date_next_charge",
    ),
    "canceled_at": Field(instant, "cancellation_date", "cancellation_date"),
    "old_charge_day": Field(count, "subscription.old_charge_day subscription.oldChargeDay", ""),
    "new_charge_day": Field(count, "subscription.new_charge_day subscription.newChargeDay", ""),
    "previous_plan_id": Field(text, "previous_plan.id", ""),
    "module_id": Field(text, "module.id", ""),
    "module_name": Field(text, "module.name", ""),
}
"""The facts that a webhook may have, by their names in the catalogue."""

IDS: Mapping[str, Field] = {
    "product_id": Field(
        text,
        "product.id subscription.product.id",
        "prod productId product_id product.id",
    ),
    "product_ucode": Field(text, "product.ucode", ""),
    "plan_id": Field(text, "subscription.plan.id plan.id current_plan.id", ""),
}
"""Fields that are not facts but part of the event; version 1.0.0 has no ids of plans."""


def _candidates(node: object, path: Path) -> Iterator[object]:
    for position, step in enumerate(path):
        if step == "*":
            elements = node if is_list(node) else []
            for element in islice(elements, MAX_LISTED):
                yield from _candidates(element, path[position + 1 :])
            return
        if not is_mapping(node):
            return
        node = node.get(step)
    yield node


def read_first(root: object, locations: Paths, read: Callable[[object], T]) -> T | None:
    """Return the first usable value at `locations`, or None.

    >>> read_first({"a": "", "b": {"c": 7}}, paths("a x.y b.c"), text)
    '7'
    """
    values = (read(found) for path in locations for found in _candidates(root, path))
    return next((value for value in values if value is not None), None)


def read_all(
    table: Mapping[str, Field], root: Mapping[str, object], version: Version
) -> dict[str, FactValue]:
    """Return the fields of `table` that have a usable value in `root`."""
    found = ((name, field.find(root, version)) for name, field in table.items())
    return {name: value for name, value in found if value is not None}
