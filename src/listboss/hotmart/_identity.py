"""The id of a webhook that has none: a digest of the fields that identify it.

The digest is the same for each delivery of one webhook, whatever its wrapper, key order or
the host's catalogue, and differs for another purchase, status or buyer. It does not include
the token. Journals keep these ids, so the fields and their order must never change.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import blake2b

from listboss.hotmart._webhook import Webhook

__all__ = ["webhook_id"]

IDENTIFYING_FACTS = (
    "transaction", "purchase_status", "subscription_status", "subscriber_code", "plan_name",
    "offer", "recurrence_number", "ordered_at", "approved_at", "canceled_at", "old_charge_day",
    "new_charge_day", "previous_plan_id", "module_id",
)  # fmt: skip
MAX_ID_LENGTH = 200
"""The digest replaces an id that is longer than this."""


def webhook_id(webhook: Webhook, occurred_at: datetime) -> str:
    """Return the body's own id, or else the digest of its identifying fields.

    If the body has no date, the digest uses the day of `occurred_at`: a cart that is
    abandoned again on another day is another event.
    """
    if webhook.id is not None and len(webhook.id) <= MAX_ID_LENGTH:
        return webhook.id
    date = webhook.happened_at or occurred_at.date()
    facts = webhook.facts
    fields = [
        (webhook.raw_event or "").casefold(),
        webhook.ids.get("product_id")
        or webhook.ids.get("product_ucode")
        or webhook.text("product_name"),
        webhook.ids.get("plan_id"),
        webhook.contact.key if webhook.contact else None,
        date.isoformat(),
        *(str(facts[name]) if name in facts else None for name in IDENTIFYING_FACTS),
    ]
    return blake2b(
        json.dumps(fields).encode(), digest_size=16, person=b"listboss.webhook"
    ).hexdigest()
