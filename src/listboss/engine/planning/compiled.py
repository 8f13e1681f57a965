"""Rules that can run and their actions, compiled when the engine is built.

Everything about a planned action that does not depend on the event is in its
`CompiledAction`: the action itself, its place in the order of a plan, the digest that ends
its id, the fields it sends, its reason, and what it could conflict over. Planning an event
only binds these to the event's id, contact and facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TypeAlias

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
    action_spelling,
    place_key,
)
from listboss.rules.capabilities import Capabilities
from listboss.rules.segmentation import DEFAULT_SEND, Segmentation, digest

__all__ = [
    "ADDS",
    "MOVES",
    "ONE_PLACE",
    "REMOVES",
    "CompiledAction",
    "CompiledRule",
    "PlaceKey",
    "compile_actions",
    "order_of",
    "position_of",
    "sorted_fields",
]

ADDS, REMOVES, MOVES, ONE_PLACE = 1, 2, 4, 8
"""The roles of an action in conflicts: it adds a tag or adds to a place, removes, moves, or adds
to a place at a provider where a contact can only be at one."""

PlaceKey: TypeAlias = tuple[str, ...]
"""A key that equal places share."""
NO_PLACES: tuple[PlaceKey, PlaceKey | None] = ((), None)

_RANKS = {kind: str(rank) for rank, kind in enumerate(ACTION_KINDS)}


def _place_keys(action: Action) -> tuple[PlaceKey, PlaceKey | None]:
    match action:
        case AddLead(place) | RemoveLead(place):
            return NO_PLACES if place is None else (place_key(place), None)
        case MoveLead(to, source):
            return place_key(to), None if source is None else place_key(source)
        case _:
            return NO_PLACES


def _about(action: Action) -> str:
    """Spell out the tag or the place that an action is about, as conflicts show it."""
    if isinstance(action, (AddTag, RemoveTag)):
        return fold(action.tag)
    place = _place_keys(action)[0]
    return ", ".join(
        [f"{name}={value}" for name, value in zip(place[::2], place[1::2], strict=True)]
    )


@attrs.define(eq=False, weakref_slot=False)
class CompiledAction:
    """One action of one rule. Nothing changes it; a frozen class would take longer to fill.

    `order` sorts the actions of a plan (by provider, kind and content) and is equal only for
    equal actions at one provider. Of equal actions that are spelled differently, the one with
    the least `spelling` is sent, whatever the order of the rules. `places` has the keys of the
    place that it is about, and of the source of a move. `about` spells out the tag or that place.
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
    places: tuple[PlaceKey, PlaceKey | None] = NO_PLACES
    about: str = attrs.field(
        default=attrs.Factory(lambda self: _about(self.action), takes_self=True)
    )

    @property
    def target(self) -> tuple[str, ...]:
        """The provider's tag or place that the action adds to or removes from, if any."""
        match self.action:
            case AddTag() | RemoveTag():
                return (self.provider, "tag", self.about)
            case AddLead() | RemoveLead() | MoveLead():
                return (self.provider, "place", *self.places[0])
            case _:
                return ()


def _role(action: Action, *, one_place: bool) -> int:
    match action:
        case AddTag():
            return ADDS
        case RemoveTag() | RemoveLead():
            return REMOVES
        case AddLead(place=Place()):
            return ADDS | MOVES | (ONE_PLACE if one_place else 0)
        case MoveLead():
            return ADDS | MOVES
        case _:
            return 0


def order_of(provider: str, key: tuple[str, ...]) -> str:
    """Return the sort key of an action in a plan, which is equal only for equal actions.

    INVARIANT: no string has a null character (tests/rules/test_text), so joining keeps the order.
    """
    return "\0".join((provider, _RANKS[key[0]], *key[1:]))


def sorted_fields(send: Sequence[str]) -> tuple[str, ...]:
    """Return the fields to send, sorted; the default ones are always the object `DEFAULT_SEND`."""
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
                action_spelling(action),
                digest(key),
                send,
                because,
                automatic=False,
                role=_role(action, one_place=capabilities.one_place),
                places=_place_keys(action),
            )
        )
    return tuple(compiled)


@attrs.frozen(eq=False, weakref_slot=False)
class CompiledRule:
    """A rule that can run: its position among the rules of its product, and its actions.

    `id` is kept here, too: reading it from the rule, far away in memory, would take longer.
    `recheck` tests the whole condition if the rule's normal form is lossy, and is else None.
    """

    position: int
    id: str
    rule: Segmentation
    actions: tuple[CompiledAction, ...]
    recheck: Callable[[Facts], bool] | None = None


position_of: Callable[[CompiledRule], int] = attrgetter("position")
