"""What comes out of a webhook: `Parsed`, with its events or the reason why there are none.

Exactly one of `events` and `ignored` is there. Nothing here keeps the body, the token, the
buyer's document, address or IP; no `repr` shows personal data.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from listboss.rules.event import Event

__all__ = ["Ignored", "IgnoredReason", "Parsed"]


class IgnoredReason(StrEnum):
    """Why a webhook gives no event."""

    NO_EVENT = "no_event"
    """The body does not say what happened: it names no event, and no status."""
    UNKNOWN_EVENT = "unknown_event"
    """It names an event that means nothing here, such as a logistics one."""
    NOT_IN_CATALOGUE = "not_in_catalogue"
    """It names an event that the host's catalogue does not have."""
    NO_PRODUCT = "no_product"
    """The event has no product id, so that no rule can be about it."""
    NO_TIME = "no_time"
    """No date can be read, and the host gave no `received_at`."""


@attrs.frozen
class Ignored:
    """A webhook that gives no event: why, and the event it names (None if unprintable)."""

    reason: IgnoredReason
    event: str | None = None


@attrs.frozen(kw_only=True)
class Parsed:
    """The outcome of `parse`: `events` in order, or `ignored`.

    `is_test` says that the body came from Hotmart's test button; its events say so too.
    """

    events: tuple[Event, ...] = ()
    ignored: Ignored | None = None
    is_test: bool = False
