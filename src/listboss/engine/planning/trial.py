"""The event of an integration test: dummy values for everything that a segmentation sends.

A person enters an e-mail address, and the provider carries out the actions with these values.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.event import CONTACT_FIELDS, Contact, Event, FactValue
from listboss.rules.segmentation import Segmentation

__all__ = ["trial_event"]

_VALUES: dict[FactKind, FactValue] = {
    FactKind.CHOICE: "TEST",
    FactKind.TERM: "TEST",
    FactKind.COUNTRY: "BR",
    FactKind.CURRENCY: "BRL",
    FactKind.LANGUAGE: "en",
    FactKind.TEXT: "test",
    FactKind.IDENTIFIER: "test",
    FactKind.INTEGER: 1,
    FactKind.DECIMAL: Decimal("1.00"),
    FactKind.BOOLEAN: False,
}
_CONTACT = {"name": "Test Contact", "first_name": "Test", "last_name": "Contact", "phone": "0000"}


def trial_event(
    rule: Segmentation, contact: Contact, catalogue: Catalogue, *, id: str, occurred_at: datetime
) -> Event:
    """Make the event that tests a segmentation: marked as a test, with every sent field."""
    facts: dict[str, FactValue] = {}
    plan_id = rule.plan_ids[0] if rule.plan_ids else None
    for field in rule.send:
        known = field in CONTACT_FIELDS or (field == "plan_id" and plan_id is not None)
        fact = None if known else catalogue.fact(field)
        if fact is not None:
            first = fact.values[0] if fact.values else _VALUES.get(fact.kind, occurred_at)
            facts[field] = first
    return Event(
        rule.event,
        id=id,
        product_id=rule.product_id,
        contact=_filled(contact),
        occurred_at=occurred_at,
        plan_id=plan_id,
        facts=facts,
        is_test=True,
    )


def _filled(contact: Contact) -> Contact:
    absent = {name: text for name, text in _CONTACT.items() if getattr(contact, name) is None}
    return attrs.evolve(contact, **absent)
