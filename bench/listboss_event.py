"""Neutral events as `listboss.Event`.

listboss, the closures and the hand-written program all read these.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bench.workload import WorkEvent
from listboss import Contact, Event

__all__ = ["event"]

OCCURRED = datetime(2026, 5, 4, 12, tzinfo=UTC)


def event(given: WorkEvent) -> Event:
    """Make the event with a contact of its own."""
    return Event(
        given.name,
        id=given.id,
        product_id=given.product_id,
        contact=Contact(f"ana+{given.id}@example.com"),
        occurred_at=OCCURRED,
        facts=given.facts,
    )
