"""Rules that can run and their actions, compiled when the engine is built.

Everything about a planned action that does not depend on the event is in its
`CompiledAction`: the action itself, its place in the order of a plan, the digest that ends
its id, the fields it sends, its reason, and what it could conflict over. Planning an event
only binds these to the event's id, contact and facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

import attrs

from listboss.rules._facts import Facts
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
from listboss.rules.segmentation import DEFAULT_SEND, Segmentation, digest

__all__ = [
    "ADDS",
    "ALONE",
    "MOVES",
    "REMOVES",
    "CompiledAction",
    "CompiledRule",
    "compile_actions",
    "order_of",
    "position_of",
    "sorted_fields",
]

ADDS, REMOVES, MOVES, ALONE = 1, 2, 4, 8
"""What an action may conflict over: it adds to a tag or place, removes from one, moves, or adds
to a place of a provider where a contact is at one place."""

_RANKS = {kind: str(rank) for rank, kind in enumerate(ACTION_KINDS)}


@attrs.define(eq=False, weakref_slot=False)
class CompiledAction:
    """One action of one rule; never changed, and not frozen only because that is slower to make.

    `order` sorts the actions of a plan (provider, kind, what the action says) and is equal
    exactly for equal actions at one provider. Of equal actions that are spelled differently,
    the one with the least `spelling` is sent, whatever the order of the rules.
    """

    provider: str
    action: Action
    order: str
    spelling: str
    digest: str
    send: tuple[str, ...]
    because: tuple[str, ...]
    automatic: bool
    role: int

    @property
    def target(self) -> tuple[str, ...]:
        """The provider's tag or place that the action adds to or removes from, if any."""
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

    INVARIANT: no text holds a null character (`rules._text`), so joining keeps the order.
    """
    return "\0".join((provider, _RANKS[key[0]], *key[1:]))


def sorted_fields(send: Sequence[str]) -> tuple[str, ...]:
    """Return the fields to send in order; the default ones are one object, which costs no time."""
    fields = tuple(sorted(send))
    return DEFAULT_SEND if fields == DEFAULT_SEND else fields


def compile_actions(rule: Segmentation, capabilities: Capabilities) -> tuple[CompiledAction, ...]:
    """Compile the actions of a custom segmentation, in the order declared."""
    send = sorted_fields(rule.send)
    because = (rule.id,)
    compiled: list[CompiledAction] = []
    for action in rule.actions:
        key = action_key(action)
        compiled.append(
            CompiledAction(
                rule.provider,
                action,
                order_of(rule.provider, key),
                repr(action),
                digest(key),
                send,
                because,
                automatic=False,
                role=_role(action, one_place=capabilities.one_place),
            )
        )
    return tuple(compiled)


@attrs.frozen(eq=False, weakref_slot=False)
class CompiledRule:
    """A rule that can run: its position among the rules of its product, and its actions.

    The id is kept beside the rule, since what costs time in matching is memory that is far
    away. `recheck` tests the whole condition of a rule that the index finds too freely; None
    if the index is exact.
    """

    position: int
    id: str
    rule: Segmentation
    actions: tuple[CompiledAction, ...]
    recheck: Callable[[Facts], bool] | None = None


position_of: Callable[[CompiledRule], int] = attrgetter("position")
