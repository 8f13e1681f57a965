"""`Webhook`: the content of one body, in either version, before events are made of it.

The readers of both versions return one, and `parse` turns it into events. It exists for one
call only, does not contain the token, and its `repr` shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from listboss.rules.event import Contact, EventName, FactValue

__all__ = ["Webhook", "billet_or_pix"]

BILLETS = ("BILLET", "FINANCED_BILLET")


@attrs.frozen(kw_only=True, repr=False)
class Webhook:
    """The content of one body.

    `raw_event` is the event or status as the body spells it, `event_names` are the events it
    means. `happened_at` is the best date in the body. `ids` has the fields of `fields.IDS`.
    """

    raw_event: str | None
    event_names: tuple[EventName | str, ...]
    id: str | None
    happened_at: datetime | None
    contact: Contact | None
    facts: Mapping[str, FactValue]
    ids: Mapping[str, str]

    def text(self, fact: str) -> str | None:
        """Return the fact if it is a string, else None."""
        value = self.facts.get(fact)
        return value if isinstance(value, str) else None


def billet_or_pix(
    facts: Mapping[str, FactValue], pix_as: EventName | str, *, untyped_is_billet: bool
) -> EventName | str:
    """Return the event of an issued bank slip or PIX, which the sender names alike.

    `untyped_is_billet` decides for a body without a payment type.
    """
    method = facts.get("payment_method")
    is_billet = untyped_is_billet if method is None else method in BILLETS
    return EventName.PURCHASE_BILLET_PRINTED if is_billet else pix_as
