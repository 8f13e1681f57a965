"""The result of `parse`: `Parsed`, with events or the reason why there are none.

Exactly one of `events` and `ignored` is present, in the whole and in each of its parts. The
body, the token and the buyer's document, address and IP address are not kept, and no `repr`
shows personal data.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from listboss.errors import WebhookError
from listboss.rules._text import require_member
from listboss.rules.event import Event

__all__ = ["Ignored", "IgnoredReason", "Parsed"]


class IgnoredReason(StrEnum):
    """Why a webhook gives no event."""

    NO_EVENT = "no_event"
    """The body has neither an event name nor a status."""
    UNKNOWN_EVENT = "unknown_event"
    """listboss has no event for this name or status, such as a logistics event."""
    NOT_IN_CATALOGUE = "not_in_catalogue"
    """The host's catalogue does not have the event."""
    NO_PRODUCT = "no_product"
    """The body has no product id, so no rule can apply to it."""
    NO_TIME = "no_time"
    """The body has no readable date, and the host passed no `received_at`."""


def _reason(value: IgnoredReason | str) -> IgnoredReason:
    return require_member(value, IgnoredReason, "$.reason", WebhookError)


@attrs.frozen
class Ignored:
    """A webhook without events: the reason, and its event name (None if unprintable)."""

    reason: IgnoredReason = attrs.field(converter=_reason)
    event: str | None = None


@attrs.frozen(kw_only=True)
class Parsed:
    """The result of `parse`: `events` in order, or `ignored`.

    `is_test` is true if the body came from Hotmart's test button; its events have it too. A
    body with several webhooks has `parts`, one for each: then `events` are those of all
    parts, `ignored` is the first part's reason if no part has events, and `is_test` is true
    if it is true for all parts.
    """

    events: tuple[Event, ...] = ()
    ignored: Ignored | None = None
    is_test: bool = False
    parts: tuple[Parsed, ...] = ()
