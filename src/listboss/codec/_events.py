"""Read and write events and plans as canonical JSON.

For a host that keeps events to plan them again, and plans to show or to pass on. Both contain
personal data, so no error about them shows a value, or a key that does not look like a name.
`load(dump(x)) == x`, and equal values give equal text.
"""

from __future__ import annotations

from listboss.codec._document import LIMITS, Limits, Source
from listboss.codec._reading import read_document
from listboss.codec._writing import canonical_json, write
from listboss.plan import Plan
from listboss.rules.event import Event

__all__ = ["dump_event", "dump_plan", "load_event", "load_plan"]


def load_event(source: Source, *, limits: Limits = LIMITS) -> Event:
    """Read one event from a string, bytes, or a mapping from a parser.

    `name`, `id`, `product_id`, `contact` (null without one) and `occurred_at` are required.
    Raises `CodecError`: one fault alone, several as a `CodecErrors` group.

    >>> event = load_event('''{
    ...     "name": "purchase.approved", "id": "e-1", "product_id": "1001",
    ...     "contact": {"email": "ana@example.com"}, "occurred_at": "2026-05-04T12:00:00Z",
    ...     "facts": {"country": "BR", "price": {"decimal": "49.90"}}
    ... }''')
    >>> event.facts["price"]
    Decimal('49.90')
    """
    return read_document(source, Event, limits, private=True)


def dump_event(event: Event) -> str:
    """Write an event as canonical JSON, without its empty fields.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 5, 4, 12, tzinfo=UTC)
    >>> event = Event("waitlist.joined", id="e-1", product_id="1001", contact=None, occurred_at=at)
    >>> load_event(dump_event(event)) == event
    True
    """
    return canonical_json(write(event))


def load_plan(source: Source, *, limits: Limits = LIMITS) -> Plan:
    """Read one plan that `dump_plan` wrote; takes and raises the same as `load_event`.

    >>> load_plan('{"event_id": 1}')
    Traceback (most recent call last):
    listboss.errors.CodecErrors: the document has 5 faults
      expected a string, got an integer @ $.event_id (write it in quotes)
      ...
    """
    return read_document(source, Plan, limits, private=True)


def dump_plan(plan: Plan) -> str:
    """Write a plan as canonical JSON; its actions have the form of a rule file.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 5, 4, 12, tzinfo=UTC)
    >>> print(
    ...     dump_plan(
    ...         Plan(
    ...             event_id="e-1",
    ...             event_name="waitlist.joined",
    ...             product_id="1001",
    ...             occurred_at=at,
    ...             is_test=False,
    ...             idle="no_rule",
    ...         )
    ...     )
    ... )
    {"event_id":"e-1","event_name":"waitlist.joined","idle":"no_rule",...,"version":1}
    """
    return canonical_json(write(plan))
