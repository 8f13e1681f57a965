"""`Webhook`: what one body says, whichever version it is, before it becomes events.

The readers of both versions make one; `parse` makes events of it. It lives for one call,
holds no token, and shows nothing in its `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from listboss.rules.event import Contact, EventName, FactValue

__all__ = ["Webhook", "billet_or_pix"]

SLIPS = ("BILLET", "FINANCED_BILLET")


@attrs.frozen(kw_only=True, repr=False)
class Webhook:
    """One body, read.

    `said` is the event or status as the body names it, `names` what that means here.
    `happened_at` is the best date the body has. `ids` holds what `fields.IDS` lists.
    """

    said: str | None
    names: tuple[EventName | str, ...]
    id: str | None
    happened_at: datetime | None
    contact: Contact | None
    facts: Mapping[str, FactValue]
    ids: Mapping[str, str]

    def text(self, fact: str) -> str | None:
        """Return a text fact, or None."""
        value = self.facts.get(fact)
        return value if isinstance(value, str) else None


def billet_or_pix(
    facts: Mapping[str, FactValue], pix_as: EventName | str, *, without_type_if: str | None
) -> EventName | str:
    """Tell a bank slip from PIX and the like, which the sender names alike.

    `without_type_if` names the fact that makes a bank slip of one without a payment type;
    None makes a bank slip of every such one.
    """
    method = facts.get("payment_method")
    untyped_slip = method is None and (without_type_if is None or without_type_if in facts)
    return EventName.PURCHASE_BILLET_PRINTED if method in SLIPS or untyped_slip else pix_as
