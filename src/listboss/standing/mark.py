"""What one event says: marks of tags and places, what it ends, and which purchase it means.

An action of its plan asserts a target for a *grant*, a purchase or a subscription, or clears
it. A *stamp* orders events by when they happened, so that the order of arrival does not matter.
All of it is made from the event and its plan alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import attrs

from listboss.plan import Plan
from listboss.rules._text import masked_address
from listboss.rules.event import Event
from listboss.standing.effect import Target, effects_of

__all__ = [
    "Ending",
    "Grant",
    "Links",
    "Mark",
    "Reach",
    "Stamp",
    "ending_of",
    "grant_of",
    "link_of",
    "marks_of",
    "stamp_of",
]


class Stamp(NamedTuple):
    """When an event counts: by time, then by the rank of its type, then by its id.

    A total order: two events never have the same stamp.
    """

    occurred_at: datetime
    rank: int
    event_id: str

    def __repr__(self) -> str:
        event_id = masked_address(self.event_id)
        return f"Stamp({self.occurred_at!r}, rank={self.rank}, event_id={event_id})"


@attrs.frozen(order=True)
class Grant:
    """What entitles a contact to something: one purchase, or one subscription, of a product."""

    product_id: str = attrs.field(repr=masked_address)
    transaction: str = attrs.field(default="", repr=masked_address)
    subscriber_code: str = attrs.field(default="", repr=masked_address)

    @property
    def is_purchase(self) -> bool:
        """Whether it is a purchase; else it is a subscription."""
        return bool(self.transaction)


Links: TypeAlias = Mapping[Grant, Grant]
"""The subscription of each purchase for which an event has named both."""


class Reach(StrEnum):
    """Whose assertions a clear takes away."""

    GRANT = "grant"
    """Those of its grant, those without a grant, and those whose grant had ended."""
    PRODUCT = "product"
    """The same for every grant of the product: the event names no purchase or subscription."""
    ALL = "all"
    """Everybody's: the event is not about a purchase or subscription."""


@attrs.frozen
class Mark:
    """What one action says of one target: it asserts it for a grant, or clears it.

    `reach` is None for an assertion. `keep` is the place that a clear of every place spares.
    """

    provider: str
    target: Target
    grant: Grant | None
    reach: Reach | None
    stamp: Stamp
    action_id: str
    keep: Target = ""

    @property
    def asserts(self) -> bool:
        """Whether the mark puts its target on; else it takes it off."""
        return self.reach is None


@attrs.frozen
class Ending:
    """That a purchase or a subscription ended; `Grant(product_id)` means any of the product."""

    grant: Grant
    stamp: Stamp


def stamp_of(plan: Plan) -> Stamp:
    """Return when the plan's event counts."""
    return Stamp(plan.occurred_at, plan.context.rank, plan.event_id)


def grant_of(event: Event, about: str | None = None) -> Grant | None:
    """Return the purchase or subscription that an event names, or None.

    If it names both, what it clears and ends is the subscription if it is `about` one. What
    it asserts is always asserted for the purchase, which is over when either of them is.

    >>> from listboss import Contact
    >>> from datetime import UTC, datetime
    >>> event = Event(
    ...     "purchase.approved",
    ...     id="e-1",
    ...     product_id="42",
    ...     transaction="HP1",
    ...     contact=Contact("ana@example.com"),
    ...     occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
    ... )
    >>> grant_of(event)
    Grant(product_id='42', transaction='HP1', subscriber_code='')
    """
    transaction, subscriber = _code(event.transaction), _code(event.subscriber_code)
    purchase = Grant(event.product_id, transaction=transaction) if transaction else None
    subscription = Grant(event.product_id, subscriber_code=subscriber) if subscriber else None
    return (subscription or purchase) if about == "subscription" else (purchase or subscription)


def _code(code: str | None) -> str:
    return "" if code is None else code.strip()


def link_of(event: Event) -> tuple[Grant, Grant] | None:
    """Return the purchase and its subscription, if the event names both."""
    transaction, subscriber = _code(event.transaction), _code(event.subscriber_code)
    if not (transaction and subscriber):
        return None
    product = event.product_id
    return Grant(product, transaction=transaction), Grant(product, subscriber_code=subscriber)


def ending_of(event: Event, plan: Plan) -> Ending | None:
    """Return what the event ends, if it ends anything."""
    about = plan.context.about
    if not plan.context.ends or about is None:
        return None
    grant = grant_of(event, about) or Grant(event.product_id)
    return Ending(grant, stamp_of(plan))


def marks_of(event: Event, plan: Plan) -> tuple[Mark, ...]:
    """Return what the actions of a plan say of tags and places, in the order of the plan."""
    about = plan.context.about
    stamp, holder, subject = stamp_of(plan), grant_of(event), grant_of(event, about)
    reach = Reach.ALL
    if about is not None:
        reach = Reach.PRODUCT if subject is None else Reach.GRANT
    clearing = Grant(event.product_id) if subject is None else subject
    marks: list[Mark] = []
    for planned in plan.actions:
        effects = effects_of(planned.action, plan.context.accounts.get(planned.provider))
        for target, asserts, keep, absolute in effects:
            marks.append(
                Mark(
                    planned.provider,
                    target,
                    holder if asserts else clearing,
                    None if asserts else Reach.ALL if absolute else reach,
                    stamp,
                    planned.id,
                    keep,
                )
            )
    return tuple(marks)
