"""A model of a webhook with msgspec."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from bench.edge_models.facts import facts

__all__ = ["read"]


class Address(msgspec.Struct):
    country_iso: str


class Buyer(msgspec.Struct):
    email: str
    name: str
    checkout_phone: str
    checkout_phone_code: str
    address: Address


class Product(msgspec.Struct):
    id: int
    name: str
    warranty_date: datetime


class Amount(msgspec.Struct):
    value: Decimal
    currency_value: str


class Payment(msgspec.Struct):
    type: str
    installments_number: int


class Offer(msgspec.Struct):
    code: str
    coupon_code: str


class Origin(msgspec.Struct):
    src: str
    sck: str


class OrderBump(msgspec.Struct):
    is_order_bump: bool


class Purchase(msgspec.Struct):
    transaction: str
    status: str
    order_date: int
    approved_date: int
    date_next_charge: int
    recurrence_number: int
    full_price: Amount
    price: Amount
    original_offer_price: Amount
    payment: Payment
    offer: Offer
    origin: Origin
    order_bump: OrderBump
    is_funnel: bool


class Plan(msgspec.Struct):
    id: int
    name: str


class Subscriber(msgspec.Struct):
    code: str


class Subscription(msgspec.Struct):
    status: str
    plan: Plan
    subscriber: Subscriber


class Data(msgspec.Struct):
    product: Product
    buyer: Buyer
    purchase: Purchase
    subscription: Subscription


class Body(msgspec.Struct):
    id: str
    creation_date: int
    event: str
    data: Data


_DECODER = msgspec.json.Decoder(Body)


def read(body: bytes | str) -> dict[str, Any]:
    """Return the facts of a body."""
    return facts(_DECODER.decode(body))
