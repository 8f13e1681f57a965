"""Rules that can run and their steps, which are their actions: prepared when the engine is built.

Whatever about a planned action does not depend on the event stands in its `Step`: the
action itself, its place in the order of a plan, the digest that ends its id, the data it
sends, its reason, and what it could conflict over. Planning an event only binds steps to
the event's id, contact and facts.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

import attrs

from listboss.engine.matching.predicate import Predicate
from listboss.rules._text import fold
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
from listboss.rules.capabilities import Capabilities
from listboss.rules.segmentation import Segmentation, digest

__all__ = [
    "ADDS",
    "ALONE",
    "MOVES",
    "REMOVES",
    "PreparedRule",
    "Step",
    "order_of",
    "position_of",
    "steps_of",
]

ADDS, REMOVES, MOVES, ALONE = 1, 2, 4, 8
"""What a step may clash over: it adds to a tag or place, removes from one, moves, or adds to a
place of a provider where a contact is at one place."""

_RANKS = {kind: str(rank) for rank, kind in enumerate(ACTION_KINDS)}


@attrs.define(eq=False, weakref_slot=False)
class Step:
    """One action of one rule, prepared; never changed, and unguarded to be made fast.

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


def order_of(provider: str, key: tuple[str, ...]) -> str:
    """Return what sorts an action in a plan, and is equal exactly for equal actions.

    INVARIANT: no text holds a null character (`rules.text`), so joining keeps the order.
    """
    return "\0".join((provider, _RANKS[key[0]], *key[1:]))


def steps_of(rule: Segmentation, capabilities: Capabilities) -> tuple[Step, ...]:
    """Prepare the actions of a custom segmentation, in the order declared."""
    send = tuple(sorted(rule.send))
    send = rule.send if send == rule.send else send  # kept once
    because = (rule.id,)
    steps: list[Step] = []
    for action in rule.actions:
        key = action_key(action)
        order, role = order_of(rule.provider, key), _role(action, one_place=capabilities.one_place)
        steps.append(
            Step(
                rule.provider, action, order, digest(key), send, because, automatic=False, role=role
            )
        )
    return tuple(steps)


@attrs.frozen(eq=False, weakref_slot=False)
class PreparedRule:
    """A rule that can run: its place among the rules of its product, and its actions.

    Its id stands beside the rule, since what costs time in matching is memory that is far
    away (where many rules are indexed, ids and steps have tables of their own). `check` is
    asked of what is found too freely; None if it never is.
    """

    position: int
    id: str
    rule: Segmentation
    steps: tuple[Step, ...]
    check: Predicate | None = None


position_of: Callable[[PreparedRule], int] = attrgetter("position")
