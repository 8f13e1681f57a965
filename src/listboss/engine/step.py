"""Steps: the actions of rules, prepared when the engine is built.

Whatever about a planned action does not depend on the event stands in its `Step`: the
action itself, its place in the order of a plan, the digest that ends its id, the data it
sends, its reason, and what it could conflict over. Planning an event only binds steps to
the event's id, contact and facts.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from listboss.rules.action import (
    ACTION_KINDS,
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    RemoveLead,
    RemoveTag,
    action_key,
    place_key,
)
from listboss.rules.automatic import AUTOMATIC, CAPTURE_ID
from listboss.rules.capabilities import Capabilities
from listboss.rules.segmentation import Segmentation, digest
from listboss.rules.text import fold

__all__ = ["ADDS", "ALONE", "MOVES", "REMOVES", "Step", "automatic_steps", "steps_of"]

ADDS, REMOVES, MOVES, ALONE = 1, 2, 4, 8
"""What a step may clash over: it adds to a tag or place, removes from one, moves, or adds to a
place of a provider where a contact is at one place."""

_RANKS = {kind: str(rank) for rank, kind in enumerate(ACTION_KINDS)}
_CAPTURED_DATA = ("email", "name", "phone")


@attrs.frozen(eq=False, weakref_slot=False)
class Step:
    """One action of one rule, prepared.

    `order` sorts the actions of a plan (provider, kind, what the action says) and is equal
    exactly for equal actions at one provider.
    """

    provider: str
    action: Action
    order: str
    digest: str
    send: tuple[str, ...]
    because: tuple[str, ...]
    automatic: bool
    role: int

    @property
    def subject(self) -> tuple[str, ...]:
        """The provider's tag or place that the step adds to or removes from, if its role says."""
        match self.action:
            case AddTag(tag) | RemoveTag(tag):
                return (self.provider, "tag", fold(tag))
            case AddLead(place) | RemoveLead(place) | MoveLead(to=place):
                return (self.provider, "place", *place_key(place))
            case _:
                return ()


def _role(action: Action, *, one_place: bool) -> int:
    match action:
        case AddTag():
            return ADDS
        case RemoveTag() | RemoveLead():
            return REMOVES
        case AddLead(place=Place()):
            return ADDS | MOVES | (ALONE if one_place else 0)
        case MoveLead():
            return ADDS | MOVES
        case _:
            return 0


def _step(
    provider: str,
    action: Action,
    send: tuple[str, ...],
    because: str,
    capabilities: Capabilities,
    *,
    automatic: bool,
) -> Step:
    key = action_key(action)
    # INVARIANT: no text holds a null character (rules.text), so joining keeps the order.
    order = "\0".join((provider, _RANKS[key[0]], *key[1:]))
    role = _role(action, one_place=capabilities.one_place)
    return Step(provider, action, order, digest(key), send, (because,), automatic, role)


def steps_of(rule: Segmentation, capabilities: Capabilities) -> tuple[Step, ...]:
    """Prepare the actions of a custom segmentation, in the order declared."""
    send = tuple(sorted(rule.send))
    send = rule.send if send == rule.send else send  # kept once
    return tuple(
        [
            _step(rule.provider, action, send, rule.id, capabilities, automatic=False)
            for action in rule.actions
        ]
    )


def _captured(event_name: str, product_id: str) -> Iterator[tuple[Action, str]]:
    yield AddLead(), CAPTURE_ID
    for row in AUTOMATIC:
        if event_name in row.adds_on:
            yield AddTag(row.tag_for(product_id)), row.id
        if event_name in row.removes_on:
            yield RemoveTag(row.tag_for(product_id)), row.id


def automatic_steps(
    event_name: str, product_id: str, provider: str, capabilities: Capabilities
) -> tuple[Step, ...]:
    """Prepare what automatic capture does on an event of an approved product.

    What the provider cannot do is left out.
    """
    if not capabilities.takes_event(event_name):
        return ()
    taken = capabilities.data
    send = tuple(f for f in _CAPTURED_DATA if f == "email" or taken is None or f in taken)
    return tuple(
        _step(provider, action, send, because, capabilities, automatic=True)
        for action, because in _captured(event_name, product_id)
        if capabilities.can(action)
    )
