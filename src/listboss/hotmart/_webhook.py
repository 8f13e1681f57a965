"""`Webhook`: the content of one body, in either version, before events are made of it.

The readers of both versions return one, and `parse` turns it into events. It exists for one
call only, does not contain the token, and its `repr` shows nothing. Without an id, it gets a
digest of the fields that identify it. The digest is the same for each delivery, whatever the
wrapper, key order or the host's catalogue, and differs for another purchase, status or buyer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

import attrs

from listboss.rules.event import Contact, EventName, FactValue

__all__ = ["Webhook", "webhook_id"]

# Journals keep the digests, so the fields and their order must never change.
IDENTIFYING_FACTS = (
    "transaction", "purchase_status", "subscription_status", "subscriber_code", "plan_name",
    "offer", "recurrence_number", "ordered_at", "approved_at", "canceled_at", "old_charge_day",
    "new_charge_day", "previous_plan_id", "module_id",
)  # fmt: skip
MAX_ID_LENGTH = 200
"""The digest replaces an id that is longer than this."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Webhook:
    """The content of one body.

    `raw_event` is the event or status as the body spells it, `event_names` are the events it
    means. `happened_at` is the best date in the body. `ids` has the fields of `fields.IDS`,
    `marked` those of `fields.MARKED`.
    """

    raw_event: str | None
    event_names: tuple[EventName | str, ...]
    id: str | None
    happened_at: datetime | None
    contact: Contact | None
    facts: Mapping[str, FactValue]
    ids: Mapping[str, str]
    marked: Mapping[str, str]

    def text(self, fact: str) -> str | None:
        """Return the fact if it is a string, else None."""
        value = self.facts.get(fact)
        return value if isinstance(value, str) else None


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
    document = json.dumps(fields).encode()
    return blake2b(document, digest_size=16, person=b"listboss.webhook").hexdigest()
