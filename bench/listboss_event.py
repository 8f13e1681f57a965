"""Translate neutral events to `listboss.Event`.

listboss, the closures and the hand-written program all read these.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bench.workload import WorkEvent
from listboss import Contact, Event

__all__ = ["event"]

OCCURRED = datetime(2026, 5, 4, 12, tzinfo=UTC)


def event(neutral: WorkEvent) -> Event:
    """Make the event; each event has a different contact."""
    return Event(
        neutral.name,
        id=neutral.id,
        product_id=neutral.product_id,
        contact=Contact(f"ana+{neutral.id}@example.com"),
        occurred_at=OCCURRED,
        facts=neutral.facts,
    )
