"""Read and write events and plans as canonical JSON.

For a host that keeps events to plan them again, and plans to show or to pass on. Both contain
personal data, so no error about them shows a value, or a key that does not look like a name.
`load(dump(x)) == x`, and equal values give equal text.
"""

from __future__ import annotations

from typing import Any, cast

import attrs

from listboss.codec._document import LIMITS, Limits, Source, read_tree, root_object
from listboss.codec._reading import read_document, read_root
from listboss.codec._scalars import read_instant, read_scalar
from listboss.codec._writing import canonical_json, write
from listboss.errors import CodecError, EventError
from listboss.plan import Plan
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import (
    CONTACT_FIELDS,
    OWN_FACTS,
    Contact,
    Event,
    FactValue,
    plain_contact,
    plain_event,
)

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
    root = root_object(read_tree(source, "json", limits))
    return _plain(root) or read_root(root, Event, private=True)


_FIELDS = frozenset(field.name for field in attrs.fields(Event))
_CONTACT_FIELDS = frozenset(CONTACT_FIELDS)


def _plain(fields: dict[str, Any]) -> Event | None:
    """Return the event of a document as `dump_event` writes it, at once; None for any other."""
    given, is_test = fields.get("facts", {}), fields.get("is_test", False)
    facts = cast("dict[str, object]", given) if type(given) is dict else None
    own = {name: fields.get(name) for name in OWN_FACTS}
    names = [fields.get("name"), fields.get("id"), fields.get("product_id")]
    if not (
        fields.keys() <= _FIELDS
        and all(map(_is_name, [*names, *(value for value in own.values() if value is not None)]))
        and facts is not None
        and type(is_test) is bool
        and all(map(str.strip, facts))
        and all(own[name] == facts.get(name) for name in OWN_FACTS)
    ):
        return None
    try:
        return plain_event(
            name=fields["name"],
            id=fields["id"],
            product_id=fields["product_id"],
            contact=_plain_contact(fields["contact"]),
            occurred_at=read_instant(fields["occurred_at"]),
            **own,
            facts=FrozenMap[str, FactValue].of_sorted(
                {name: read_scalar(facts[name]) for name in sorted(facts)}
            ),
            is_test=is_test,
        )
    except (CodecError, EventError, KeyError):
        return None


def _plain_contact(fields: object) -> Contact | None:
    if fields is None:
        return None
    kept: dict[str, Any] = cast("dict[str, Any]", fields) if type(fields) is dict else {}
    trimmed = all(_is_name(value) and value == value.strip() for value in kept.values())
    if not (trimmed and kept.keys() <= _CONTACT_FIELDS):
        raise KeyError
    email: str = kept["email"]
    others: dict[str, Any] = {name: kept.get(name) for name in CONTACT_FIELDS if name != "email"}
    return plain_contact(email, **others)


def _is_name(value: object) -> bool:
    return type(value) is str and bool(value.strip())


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
