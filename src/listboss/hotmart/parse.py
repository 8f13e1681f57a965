"""`parse`: from one webhook body to its events, or to the reason why there are none.

The reader of the body's version finds out what happened. Each event name that the catalogue
has becomes an event, with the facts that its type carries. `WebhookError` is raised only for
a body that is not a webhook at all. The function is pure: the same body gives equal events.
It reads no clock, so the time of a body without a date is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from listboss.errors import ArgumentTypeError, EventError
from listboss.hotmart._marks import is_test
from listboss.hotmart._reading import Version, read, version_of
from listboss.hotmart._v1 import read_v1
from listboss.hotmart._v2 import read_v2
from listboss.hotmart._values import is_mapping
from listboss.hotmart._webhook import Webhook, webhook_id
from listboss.hotmart.parsed import Ignored, IgnoredReason, Parsed
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import fold, require_id
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue
from listboss.rules.event import OWN_FACTS, Event, EventName, FactValue, plain_event, utc

__all__ = ["parse"]

PLAN, PURCHASE = ("plan_id",), ("subscriber_code", "transaction")
"""The fact of an event that carries a plan, and the facts that an event of any type may have."""
# The event name of a body may be logged, so it must look like one.
_PRINTABLE = re.compile(r"[A-Za-z0-9_.]{1,64}")


class _Options(NamedTuple):
    """What the host says about its webhooks."""

    catalogue: Catalogue
    pix_as: EventName | str
    received_at: datetime | None
    product_ids: Mapping[str, str]


def parse(
    body: bytes | str | Mapping[str, object] | list[Any],
    *,
    content_type: str | None = None,
    catalogue: Catalogue = HOTMART,
    pix_as: EventName | str = EventName.PURCHASE_WAITING_PAYMENT,
    received_at: datetime | None = None,
    product_ids: Mapping[str, str] | None = None,
) -> Parsed:
    """Read one body with one or more webhooks, as bytes, a string or a mapping.

    One webhook gives any number of events: an approved purchase of an active subscription is
    `purchase.approved` and `subscription.active`. Their ids are `<webhook id>:<event name>`.
    A webhook without an id gets a digest of its identifying fields, equal at each delivery.
    The sender reports PIX and other deferred payments as bank slips; `pix_as` is the event
    that they become. `occurred_at` is the webhook's creation date, else the date of what
    happened, else `received_at`; a webhook without any of them is ignored. `product_ids` are
    the ids of products by name, for the webhooks of version 1.0.0 that have only a name.

    Raises `WebhookError` if the body is not a webhook: empty, neither JSON nor a form, not an
    object, or over a limit. Raises `EventError` if `received_at` has no time zone or a name
    or an id in `product_ids` is blank, and `ArgumentTypeError` for either of a wrong type.

    >>> parsed = parse('''{"id": "w-1", "creation_date": 1746000000000,
    ...   "event": "PURCHASE_APPROVED", "data": {
    ...     "product": {"id": 2002}, "buyer": {"email": "ana@example.com"},
    ...     "purchase": {"price": {"value": 49.9, "currency_value": "BRL"}},
    ...     "subscription": {"status": "ACTIVE", "plan": {"id": 10, "name": "Monthly"}}}}''')
    >>> [(event.id, event.product_id, event.plan_id) for event in parsed.events]
    [('w-1:purchase.approved', '2002', '10'), ('w-1:subscription.active', '2002', '10')]
    >>> parsed.events[0].facts["price"]
    Decimal('49.9')
    >>> parse({"event": "ORDER_FULFILLMENT", "data": {}}).ignored
    Ignored(reason=<IgnoredReason.UNKNOWN_EVENT: 'unknown_event'>, event='ORDER_FULFILLMENT')
    """
    options = _Options(
        catalogue=catalogue,
        pix_as=pix_as,
        received_at=None if received_at is None else utc(received_at, "$.received_at"),
        product_ids={} if product_ids is None else _ids_by_name(product_ids),
    )
    parts = tuple(_parsed(content, options) for content in read(body, content_type))
    if len(parts) == 1:
        return parts[0]
    events = tuple(event for part in parts for event in part.events)
    return Parsed(
        events=events,
        ignored=None if events else parts[0].ignored,
        is_test=all(part.is_test for part in parts),
        parts=parts,
    )


def _ids_by_name(product_ids: object) -> Mapping[str, str]:
    if not is_mapping(product_ids):
        raise ArgumentTypeError(
            "expected a mapping from product name to product id", path="$.product_ids"
        )
    required = partial(require_id, path="$.product_ids", error=EventError)
    return {fold(required(name)): required(each) for name, each in product_ids.items()}


def _parsed(content: Mapping[str, object], options: _Options) -> Parsed:
    version = version_of(content)
    if version is None:
        return Parsed(ignored=Ignored(IgnoredReason.NO_EVENT))
    webhook = (read_v2 if version is Version.V2 else read_v1)(content, options.pix_as)
    test = is_test(webhook)
    named = map(options.catalogue.event, dict.fromkeys(webhook.event_names))
    types = [event_type for event_type in named if event_type is not None]
    product_id = _product_id(webhook, options.product_ids)
    occurred_at = webhook.happened_at or options.received_at
    if not types or product_id is None or occurred_at is None:
        reason = _reason(webhook, known=bool(types), has_product=product_id is not None)
        return Parsed(ignored=Ignored(reason, _printable(webhook.raw_event)), is_test=test)
    body_id = webhook_id(webhook, occurred_at)
    events: list[Event] = []
    for each in types:
        carried = _carried(options.catalogue.carried(each.name), carries_plan=each.carries_plan)
        facts = webhook.facts
        if not facts.keys() <= carried:
            facts = {name: value for name, value in facts.items() if name in carried}
        event = plain_event(  # the readers of webhooks return plain values only
            name=each.name,
            id=f"{body_id}:{each.name}",
            product_id=product_id,
            contact=webhook.contact,
            occurred_at=occurred_at,
            plan_id=webhook.ids.get("plan_id") if each.carries_plan else None,
            plan_name=webhook.text("plan_name") if each.carries_plan else None,
            transaction=webhook.text("transaction"),
            subscriber_code=webhook.text("subscriber_code"),
            facts=FrozenMap[str, FactValue].of_sorted(facts),
            is_test=test,
        )
        events.append(event)
    return Parsed(events=tuple(events), is_test=test)


@lru_cache(maxsize=256)
def _carried(carried: frozenset[str], *, carries_plan: bool) -> frozenset[str]:
    """Return the facts of an event type, with those that are fields of its events as well."""
    return carried.union(OWN_FACTS) if carries_plan else carried.difference(PLAN).union(PURCHASE)


def _product_id(webhook: Webhook, product_ids: Mapping[str, str]) -> str | None:
    """Return the product id of the body, of the host's names, or else the product's ucode."""
    by_name = product_ids.get(fold(webhook.text("product_name") or "")) if product_ids else None
    return webhook.ids.get("product_id") or by_name or webhook.ids.get("product_ucode")


def _reason(webhook: Webhook, *, known: bool, has_product: bool) -> IgnoredReason:
    reasons = (
        (not webhook.event_names and webhook.raw_event is None, IgnoredReason.NO_EVENT),
        (not webhook.event_names, IgnoredReason.UNKNOWN_EVENT),
        (not known, IgnoredReason.NOT_IN_CATALOGUE),
        (not has_product, IgnoredReason.NO_PRODUCT),
    )
    return next((reason for holds, reason in reasons if holds), IgnoredReason.NO_TIME)


def _printable(raw_event: str | None) -> str | None:
    return raw_event if raw_event and _PRINTABLE.fullmatch(raw_event) else None
