"""`payloads()`: webhook bodies, from almost valid ones to any JSON object.

There are four families: nested bodies with an event name (version 2.0.0), flat ones with
statuses and objects with camelCase fields (version 1.0.0), and arbitrary objects. Now and then
a field is missing, null or of another type. All values are what a JSON parser returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = ["Json", "payloads"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_EVENTS = (
    "PURCHASE_APPROVED",
    "PURCHASE_COMPLETE",
    "PURCHASE_CANCELED",
    "PURCHASE_BILLET_PRINTED",
    "PURCHASE_PROTEST",
    "PURCHASE_REFUNDED",
    "PURCHASE_CHARGEBACK",
    "PURCHASE_EXPIRED",
    "PURCHASE_DELAYED",
    "PURCHASE_OUT_OF_SHOPPING_CART",
    "SUBSCRIPTION_CANCELLATION",
    "SWITCH_PLAN",
    "CLUB_FIRST_ACCESS",
    "CLUB_MODULE_COMPLETED",
    "UNHEARD_OF",
)
_STATUSES = ("APPROVED", "BILLET_PRINTED", "CANCELED", "DISPUTE", "REFUNDED", "STARTED", "ACTIVE")
_METHODS = ("CREDIT_CARD", "BILLET", "PIX", "PAYPAL")

_ANY_TEXT: SearchStrategy[str] = st.text("aA1 @.-{}\"'", max_size=6) | st.text(max_size=8)
_ANY: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


def _mostly(right: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Generate the right kind of value seven times out of eight, otherwise anything."""
    return st.integers(0, 7).flatmap(lambda n: _ANY if n == 7 else right)


def _part(**fields: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return _mostly(st.fixed_dictionaries({}, optional=_all_mostly(fields)) | _whole(fields))


def _whole(fields: Mapping[str, SearchStrategy[Any]]) -> SearchStrategy[Any]:
    return st.fixed_dictionaries(_all_mostly(fields))


def _all_mostly(fields: Mapping[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Any]]:
    return {name: _mostly(value) for name, value in fields.items()}


_ID = st.integers(0, 99) | st.sampled_from(["w-1", "0", ""])
_TIME = st.integers(0, 2_000_000_000_000) | st.sampled_from(["2025-05-01T12:00:00Z", "1746000000"])
_EMAIL = st.sampled_from(["ana@example.com", " Ana@Example.com", "", "nobody"])
_AMOUNT = _part(
    value=st.integers() | st.floats() | st.just("49.90"),
    currency_value=st.sampled_from(["BRL", "usd"]),
)

_DATA = _part(
    product=_part(id=_ID, name=_ANY_TEXT),
    buyer=_part(email=_EMAIL, name=_ANY_TEXT, checkout_phone=_ANY_TEXT),
    purchase=_part(
        transaction=st.just("HP1"),
        status=st.sampled_from(_STATUSES),
        price=_AMOUNT,
        full_price=_AMOUNT,
        payment=_part(type=st.sampled_from(_METHODS), installments_number=st.integers(0, 24)),
        offer=_part(code=_ANY_TEXT),
        order_bump=_part(is_order_bump=st.booleans()),
        recurrence_number=st.integers(0, 5),
    ),
    subscription=_part(status=st.sampled_from(_STATUSES), plan=_part(id=_ID, name=_ANY_TEXT)),
)
_NESTED = st.fixed_dictionaries(
    {"event": _mostly(st.sampled_from(_EVENTS)), "data": _DATA},
    optional={"id": _mostly(_ID), "creation_date": _mostly(_TIME), "version": st.just("2.0.0")},
)
_FLAT = st.fixed_dictionaries(
    {"status": _mostly(st.sampled_from(_STATUSES))},
    optional={
        "prod": _mostly(_ID),
        "email": _mostly(_EMAIL),
        "transaction": _mostly(st.just("HP1")),
        "payment_type": _mostly(st.sampled_from(_METHODS)),
        "subscription_status": _mostly(st.sampled_from(_STATUSES)),
        "purchase_date": _mostly(_TIME),
        "price": _mostly(st.just("49,90") | st.integers()),
        "callback_type": _mostly(st.sampled_from(["1", "2"])),
    },
)


_CAMEL_CASE = st.fixed_dictionaries(
    {},
    optional={
        "buyerVO": _part(email=_EMAIL, name=_ANY_TEXT),
        "productId": _mostly(_ID),
        "productName": _mostly(_ANY_TEXT),
        "cancellationDate": _mostly(_TIME),
        "userEmail": _mostly(_EMAIL),
        "subscriberCode": _mostly(st.just("S-1")),
        "switchPlanDate": _mostly(_TIME),
        "newSubscriptionPlan": _part(name=_ANY_TEXT, value=st.integers()),
        "subscription": _part(product=_part(id=_ID, name=_ANY_TEXT), status=st.just("ACTIVE")),
    },
)


def payloads() -> SearchStrategy[dict[str, Json]]:
    """Generate webhook bodies as a JSON parser returns them, valid or not."""
    return st.one_of(_NESTED, _FLAT, _CAMEL_CASE, st.dictionaries(_ANY_TEXT, _ANY, max_size=4))
