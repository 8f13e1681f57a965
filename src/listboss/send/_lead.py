"""A contact as the embedded provider holds it, and who brought it in.

Values read out of the store: they do not change with it, and nothing done to them reaches it.
Their `repr` shows neither the e-mail nor the data.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import attrs

from listboss.rules._mapping import FrozenMap
from listboss.rules._text import masked
from listboss.rules.action import Place
from listboss.rules.event import FactValue

__all__ = ["Lead", "Origin"]


class Origin(StrEnum):
    """Who brought the contact in, set by the first write and never changed."""

    AUTO = "AUTO"
    """Automatic capture."""
    OWN = "own"
    """A custom segmentation, or the host."""


@attrs.frozen(kw_only=True)
class Lead:
    """A contact with its tags and places.

    `label` is `AUTO` for a contact that capture brought in, to be shown next to the e-mail,
    else empty. `sendable` is false beyond the lead limit: such a contact stays visible and
    tagged, and receives nothing. `data` is what the rules sent, besides the e-mail.
    """

    email: str = attrs.field(repr=masked)
    origin: Origin
    tags: tuple[str, ...]
    places: tuple[Place, ...]
    data: FrozenMap[str, FactValue] = attrs.field(repr=masked)
    sendable: bool
    since: datetime

    @property
    def name(self) -> str | None:
        """The name, if one was sent."""
        name = self.data.get("name")
        return name if isinstance(name, str) else None

    @property
    def label(self) -> str:
        """The mark next to the e-mail: `AUTO`, or nothing."""
        return "AUTO" if self.origin is Origin.AUTO else ""
