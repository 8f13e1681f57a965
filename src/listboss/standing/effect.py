"""What an action says of tags and places: its effects.

An action asserts a target, clears one, or both: a move clears its source and asserts its goal.
A `Target` is compared as the conflicts of a plan are, so that two spellings of a tag are one
target. What a move with `if_absent="skip"` does depends on the provider's state: it says nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, TypeAlias, assert_never

from listboss.rules._text import fold
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    action_key,
    place_key,
)
from listboss.rules.capabilities import Capabilities

__all__ = ["ANY_PLACE", "Effect", "Target", "effects_of", "single_effect"]

Target: TypeAlias = str
"""A tag or a place at one account, in the form in which it compares: `tag:buyer`."""
ANY_PLACE: Target = "place:*"
"""The target of a clear that means every place but the one it keeps."""


class Effect(NamedTuple):
    """What an action does to one target: it asserts it, or clears it.

    `keep` is the place that a clear of every place spares. An `absolute` clear takes away
    everybody's assertions, whatever its event is about.
    """

    target: Target
    asserts: bool
    keep: Target = ""
    absolute: bool = False


@lru_cache(maxsize=4096)
def _tag(tag: str) -> Target:
    return "tag:" + action_key(AddTag(tag))[1]


@lru_cache(maxsize=4096)
def _place(place: Place) -> Target:
    return "place:" + "/".join(map(_escaped, place_key(place)))


def _escaped(part: str) -> str:
    """Return a part without slash, as in a JSON pointer: not every database keeps a null."""
    return part.replace("~", "~0").replace("/", "~1")


def effects_of(action: Action, account: Capabilities | None = None) -> tuple[Effect, ...]:
    """Return what an action asserts and clears at an account; clears come first.

    >>> [effect.asserts for effect in effects_of(MoveLead("Customers", source="Prospects"))]
    [False, True]
    """
    alone = account is not None and account.one_place
    match action:
        case AddTag(tag):
            return (Effect(_tag(tag), asserts=True),)
        case RemoveTag(tag):
            return (Effect(_tag(tag), asserts=False),)
        case RemoveLead(place):
            return (Effect(_place(place), asserts=False),)
        case AddLead(place):
            if place is None:
                return ()
            clear = Effect(ANY_PLACE, asserts=False, keep=_place(place), absolute=True)
            others = (clear,) if alone else ()
            return (*others, Effect(_place(place), asserts=True))
        case MoveLead(if_absent="skip"):
            return ()  # the provider's state decides what it does
        case MoveLead(to, source):
            goal = _place(to)
            left = Effect(ANY_PLACE, asserts=False, keep=goal, absolute=alone)
            if source is not None and not alone:
                left = Effect(_place(source), asserts=False)
            return (
                (left, Effect(goal, asserts=True))
                if left.target != goal
                else (Effect(goal, asserts=True),)
            )
        case ProviderAction():
            return _effects_of_verb(action, account)
        case _:
            assert_never(action)


def _effects_of_verb(action: ProviderAction, account: Capabilities | None) -> tuple[Effect, ...]:
    verb = None if account is None else account.verb(action.verb)
    declared = () if verb is None else ((verb.clears, False), (verb.asserts, True))
    return tuple(
        Effect(_own_target(name, action), asserts) for name, asserts in declared if name is not None
    )


def _own_target(name: str, action: ProviderAction) -> Target:
    """Return the target that a verb declares: a name, with the value of that parameter."""
    value = action.parameters.get(name)
    return f"own:{name}" if value is None else f"own:{name}={fold(str(value))}"


def single_effect(action: Action, effect: Effect, spelled: Action | None) -> Action | None:
    """Return the action that has this effect alone, spelled as `action` or as `spelled` does.

    None if there is none: a place that only its key is known of cannot be named.
    """
    match action:
        case AddTag(tag) | RemoveTag(tag) if effect.target == _tag(tag):
            return AddTag(tag) if effect.asserts else RemoveTag(tag)
        case AddLead(place) | RemoveLead(place) if place and effect.target == _place(place):
            return AddLead(place) if effect.asserts else RemoveLead(place)
        case MoveLead(to) if effect.target == _place(to):
            return AddLead(to) if effect.asserts else RemoveLead(to)
        case MoveLead(_, source) if source is not None and effect.target == _place(source):
            return AddLead(source) if effect.asserts else RemoveLead(source)
        case ProviderAction():
            return action
        case _:
            return None if spelled is None else single_effect(spelled, effect, None)
