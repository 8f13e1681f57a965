"""One line of the history, and what it says to a person.

A record is a value that never changes. Its contact is masked in `repr` and left out of `str`, so
that a history can be logged.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from listboss.delivery.life import DeliveryStatus, Status
from listboss.rules._text import masked, masked_address, one_line
from listboss.rules._wording import describe_event, describe_planned, in_words
from listboss.rules.action import Action
from listboss.rules.event import EventName

__all__ = ["Record"]


@attrs.frozen(kw_only=True)
class Record:
    """What was done about an event, for whom, why, and how it went.

    An event that asks for nothing has one record with status `idle`, no provider and no
    action, and the reason in `detail`. `subscription_plan` is what the event names.
    `contact` is the e-mail address; None for an event without one, or once it is forgotten.
    `number` counts the records of a journal: it is the cursor of `history(before=...)`.
    """

    time: datetime
    segmentation_ids: tuple[str, ...] = ()
    automatic: bool = False
    product_id: str = attrs.field(repr=masked_address)
    subscription_plan: str | None = attrs.field(default=None, repr=masked_address)
    contact: str | None = attrs.field(default=None, repr=masked)
    event_name: EventName | str
    event_id: str = attrs.field(repr=masked_address)
    provider: str | None = None
    action: Action | None = None
    status: Status | DeliveryStatus
    detail: str = ""
    is_test: bool = False
    number: int = 0

    def without_contact(self) -> Record:
        """Return the record without personal data."""
        return attrs.evolve(self, contact=None)

    def __str__(self) -> str:
        what = ""
        if self.action is not None and self.provider is not None:
            what = f"{describe_planned(self.action, self.provider)}: "
        text = in_words(self.detail) if self.status == "idle" else one_line(self.detail)
        detail = f" ({text})" if text else ""
        event = describe_event(self.event_id, self.event_name)
        return f"{self.time:%Y-%m-%d %H:%M} {event}: {what}{in_words(self.status)}{detail}"
