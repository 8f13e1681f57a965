"""The id of a webhook that brings none: a digest of the fields that tell it from others.

Equal for the same webhook delivered again, whatever its wrapper, key order or the host's
catalogue; other for another purchase, status or buyer. No token goes into it. The fields
and their order are part of the promise that ids never change, since journals keep them.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import blake2b

from listboss.hotmart._webhook import Webhook

__all__ = ["webhook_id"]

IDENTIFYING = (
    "transaction", "purchase_status", "subscription_status", "subscriber_code", "plan_name",
    "offer", "recurrence_number", "ordered_at", "approved_at", "canceled_at", "old_charge_day",
    "new_charge_day", "previous_plan_id", "module_id",
)  # fmt: skip
MAX_ID = 200
"""A longer id is no id, and is replaced by the digest."""


def webhook_id(webhook: Webhook, occurred_at: datetime) -> str:
    """Return the id that the body gives itself, else the digest of its identifying fields.

    Where the body has no date, the day of `occurred_at` stands for it: a cart abandoned
    again on another day is another event.
    """
    if webhook.id is not None and len(webhook.id) <= MAX_ID:
        return webhook.id
    when = webhook.happened_at or occurred_at.date()
    fields = [
        (webhook.said or "").casefold(),
        webhook.ids.get("product_id"),
        webhook.ids.get("plan_id"),
        webhook.contact.key if webhook.contact else None,
        when.isoformat(),
        *(str(webhook.facts[name]) if name in webhook.facts else None for name in IDENTIFYING),
    ]
    return blake2b(
        json.dumps(fields).encode(), digest_size=16, person=b"listboss.webhook"
    ).hexdigest()
