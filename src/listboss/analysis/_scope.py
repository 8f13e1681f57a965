"""Which events a change of the rules concerns: from the rules alone, then by planning.

Most changes concern a few products and events. All others are left out without planning them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from typing import TypeAlias

import attrs

from listboss.analysis._differences import Engines
from listboss.engine import Engine
from listboss.rules.event import Contact, Event
from listboss.rules.ruleset import RuleSet

__all__ = ["Progress", "Scope", "concerned", "engines_of", "of_contacts"]

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called now and then with how many events were read, and how many there are to read.

Both passes count; the second number is None until the first pass is over.
"""


def engines_of(before: RuleSet, after: RuleSet) -> Engines:
    """Return the engines of both rule sets."""
    return Engines(Engine(before), Engine(after), _types_that_differ(before, after))


def concerned(engines: Engines, scope: Scope, events: Iterable[Event]) -> set[str]:
    """Return the contacts with an event that is planned differently."""
    found: set[str] = set()
    for event in events:
        contact = event.contact
        if contact is None or event.is_test or not scope.may_differ(event):
            continue
        if contact.key not in found and engines.differ(event):
            found.add(contact.key)
    return found


def of_contacts(events: Iterable[Event], keys: Set[str]) -> Iterator[tuple[Event, Contact]]:
    """Return the events of some contacts, without tests."""
    for event in events:
        contact = event.contact
        if contact is not None and contact.key in keys and not event.is_test:
            yield event, contact


@attrs.frozen
class Scope:
    """Which events may be planned differently, from the rules alone.

    Measured: with one of 1,000 rules on 125 products changed, a backtest is 9 x faster.
    """

    everything: bool
    products: frozenset[str]
    types: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, engines: Engines) -> Scope:
        """Compare the settings, the products, and the rules of each product and event."""
        before, after = (engine.rules for engine in engines.both)
        settings = ("providers", "catalogue", "capture_provider")
        ids = {product.id for rules in (before, after) for product in rules.products}
        ids |= {*before.rules_by_product, *after.rules_by_product}
        return cls(
            any(getattr(before, name) != getattr(after, name) for name in settings),
            frozenset(i for i in ids if before.product(i) != after.product(i)),
            frozenset((i, name) for i in ids for name in _events_that_differ(before, after, i)),
        )

    def may_differ(self, event: Event) -> bool:
        """Whether the plans of an event may differ."""
        product_id = event.product_id
        return (
            (product_id, event.name) in self.types or product_id in self.products or self.everything
        )


def _events_that_differ(before: RuleSet, after: RuleSet, product_id: str) -> Iterator[str]:
    old, new = before.rules_of(product_id), after.rules_of(product_id)
    if old == new:
        return
    for name in {str(rule.event) for rule in (*old, *new)}:
        if [rule for rule in old if rule.event == name] != [
            rule for rule in new if rule.event == name
        ]:
            yield name


def _types_that_differ(before: RuleSet, after: RuleSet) -> frozenset[str]:
    """Return the events of which an equal plan may say something else of tags and places."""
    kinds = [
        {str(kind.name): (kind.about, kind.ends, kind.rank) for kind in rules.catalogue.events}
        for rules in (before, after)
    ]
    accounts = [
        {name: (each.one_place, each.verbs) for name, each in rules.providers.items()}
        for rules in (before, after)
    ]
    old, new = kinds
    names = {*old, *new}
    if accounts[0] != accounts[1]:
        return frozenset(names)
    return frozenset(name for name in names if old.get(name) != new.get(name))
