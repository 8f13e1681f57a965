"""What rules do and where: strategies for places, actions, verbs and capabilities.

Tags and places come out of short lists in several spellings, so that they merge, collide
and contradict each other; accounts go from those that do everything to those that do
nothing. Nothing here knows whether an action is allowed.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from listboss.rules import (
    Action,
    AddLead,
    AddTag,
    Capabilities,
    EventName,
    FactKind,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    Verb,
)
from listboss.testing import _worlds as worlds
from listboss.testing._plain import fact_values, few, ids, texts

__all__ = ["actions", "actions_of", "capabilities", "places", "verbs"]


def places() -> SearchStrategy[Place]:
    """Give places; few names and values, so that they are often equal when folded."""
    parts = st.dictionaries(st.sampled_from(["list", "level", "machine"]), texts(), max_size=3)
    return st.sampled_from(worlds.PLACES) | parts.map(lambda given: Place(**given))


def actions_of() -> dict[type[Any], SearchStrategy[Any]]:
    """Give a strategy for each kind of action."""
    parameters = st.dictionaries(ids(), fact_values(), max_size=3)
    if_absent = st.sampled_from(["add", "skip"])
    return {
        AddTag: st.builds(AddTag, texts()),
        RemoveTag: st.builds(RemoveTag, texts()),
        AddLead: st.builds(AddLead, st.none() | places()),
        MoveLead: st.builds(MoveLead, places(), st.none() | places(), if_absent=if_absent),
        RemoveLead: st.builds(RemoveLead, places()),
        ProviderAction: st.builds(
            ProviderAction, ids().map(lambda name: f"acme.{name}"), parameters
        ),
    }


def actions(capabilities: Capabilities | None = None) -> SearchStrategy[Action]:
    """Give actions of every kind; with `capabilities`, some that the account can do."""
    if capabilities is not None:
        return st.sampled_from([act for act in worlds.ACTIONS if capabilities.can(act)])
    return st.sampled_from(worlds.ACTIONS) | st.one_of(*actions_of().values())


def verbs() -> SearchStrategy[Verb]:
    """Give declarations of a provider's own actions."""
    kinds = st.dictionaries(ids(), st.sampled_from(FactKind), max_size=2)
    return st.just(worlds.ENROL) | st.builds(
        Verb, ids().map(lambda name: f"acme.{name}"), kinds, optional=few(ids())
    )


def capabilities() -> SearchStrategy[Capabilities]:
    """Give accounts, from those that can do everything to those that can do nothing."""
    ability = st.sampled_from(["native", "emulated", "none"])
    return st.sampled_from([account for _, account in worlds.ACCOUNTS]) | st.builds(
        Capabilities,
        **dict.fromkeys(("add_tag", "remove_tag", "add_lead", "move_lead", "remove_lead"), ability),
        idempotent=st.booleans(),
        places=st.none() | few(places()),
        tags=st.none() | few(texts()),
        one_place=st.booleans(),
        data=st.none() | few(st.sampled_from(["email", "name", "phone", "offer"])),
        verbs=few(verbs()),
        events=st.none() | few(st.sampled_from(EventName)),
        rate=st.none() | st.integers(1, 1_000),
        batch=st.integers(1, 100),
    )
