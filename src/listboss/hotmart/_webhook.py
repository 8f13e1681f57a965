"""`Webhook`: the content of one body, in either version, before events are made of it.

The readers of both versions return one, and `parse` turns it into events. It exists for one
call only, does not contain the token, and its `repr` shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from listboss.rules.event import Contact, EventName, FactValue

__all__ = ["Webhook"]


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
