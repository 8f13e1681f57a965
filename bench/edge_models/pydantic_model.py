"""A model of a webhook with pydantic."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from bench.edge_models.facts import facts

__all__ = ["read"]


class Address(BaseModel):
    country_iso: str


class Buyer(BaseModel):
    email: str
    name: str
    checkout_phone: str
    checkout_phone_code: str
    address: Address


class Product(BaseModel):
    id: int
    name: str
    warranty_date: datetime


class Amount(BaseModel):
    value: Decimal
    currency_value: str


class Payment(BaseModel):
    type: str
    installments_number: int


class Offer(BaseModel):
    code: str
    coupon_code: str


class Origin(BaseModel):
    src: str
    sck: str


class OrderBump(BaseModel):
    is_order_bump: bool


class Purchase(BaseModel):
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


class Plan(BaseModel):
    id: int
    name: str


class Subscriber(BaseModel):
    code: str


class Subscription(BaseModel):
    status: str
    plan: Plan
    subscriber: Subscriber


class Data(BaseModel):
    product: Product
    buyer: Buyer
    purchase: Purchase
    subscription: Subscription


class Body(BaseModel):
    id: str
    creation_date: int
    event: str
    data: Data


def read(body: bytes | str) -> dict[str, Any]:
    """Return the facts of a body."""
    return facts(Body.model_validate_json(body))
