"""A contact of the embedded provider, and its origin.

A `Lead` is a snapshot: it does not change with the store, and changing the store takes an
action. Its `repr` shows neither the e-mail nor the data.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import attrs

from listboss.errors import ConfigurationError
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import masked, require_member
from listboss.rules.action import Place
from listboss.rules.event import FactValue

__all__ = ["Lead", "Origin"]


class Origin(StrEnum):
    """What created the contact; never changed afterwards."""

    AUTO = "AUTO"
    """Automatic capture."""
    OWN = "own"
    """A custom segmentation, or the host."""


def _origin(value: Origin | str) -> Origin:
    return require_member(value, Origin, "$.origin", ConfigurationError)


@attrs.frozen(kw_only=True)
class Lead:
    """A contact with its tags and places.

    `label` is `AUTO` for a contact created by automatic capture, to be shown next to the
    e-mail, else empty. `data` are the fields sent by rules, besides the e-mail. No message is
    due for a contact that is not `sendable`: because it is beyond the lead limit, because it
    is `suppressed` (the reason, or None), or because only an integration test created it
    (`is_test`). Its tags, places and data are kept all the same.
    """

    email: str = attrs.field(repr=masked)
    origin: Origin = attrs.field(converter=_origin)
    tags: tuple[str, ...]
    places: tuple[Place, ...]
    data: FrozenMap[str, FactValue] = attrs.field(repr=masked)
    sendable: bool
    since: datetime
    suppressed: str | None = attrs.field(default=None, repr=masked)
    is_test: bool = False

    @property
    def name(self) -> str | None:
        """The name among the data, or None."""
        name = self.data.get("name")
        return name if isinstance(name, str) else None

    @property
    def label(self) -> str:
        """The label shown next to the e-mail: `AUTO`, or an empty string."""
        return "AUTO" if self.origin is Origin.AUTO else ""
