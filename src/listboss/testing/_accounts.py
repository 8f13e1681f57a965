"""Strategies for what rules do and where: places, actions, verbs and capabilities.

Tags and places come from short lists, in several spellings, so that actions merge, collide
and contradict each other. Some accounts can do everything, some nothing. No strategy checks
whether an action is allowed.
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
from listboss.testing import _worlds
from listboss.testing._plain import fact_values, ids, lists, texts

__all__ = ["actions", "actions_of", "capabilities", "places", "verbs"]


def places() -> SearchStrategy[Place]:
    """Generate places. They have few names and values, so they are often equal when folded."""
    parts = st.dictionaries(st.sampled_from(["list", "level", "machine"]), texts(), max_size=3)
    return st.sampled_from(_worlds.PLACES) | parts.map(lambda chosen: Place(**chosen))


def actions_of() -> dict[type[Any], SearchStrategy[Any]]:
    """Return a strategy for each kind of action."""
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
    """Generate actions of every kind; with `capabilities`, only some that the account can do."""
    if capabilities is not None:
        return st.sampled_from([action for action in _worlds.ACTIONS if capabilities.can(action)])
    return st.sampled_from(_worlds.ACTIONS) | st.one_of(*actions_of().values())


def verbs() -> SearchStrategy[Verb]:
    """Generate declarations of a provider's own actions."""
    kinds = st.dictionaries(ids(), st.sampled_from(FactKind), max_size=2)
    return st.just(_worlds.ENROL) | st.builds(
        Verb, ids().map(lambda name: f"acme.{name}"), kinds, optional=lists(ids())
    )


def capabilities() -> SearchStrategy[Capabilities]:
    """Generate accounts: some can do everything, some nothing, most something in between."""
    ability = st.sampled_from(["native", "emulated", "none"])
    return st.sampled_from([account for _, account in _worlds.ACCOUNTS]) | st.builds(
        Capabilities,
        **dict.fromkeys(("add_tag", "remove_tag", "add_lead", "move_lead", "remove_lead"), ability),
        idempotent=st.booleans(),
        places=st.none() | lists(places()),
        tags=st.none() | lists(texts()),
        one_place=st.booleans(),
        data=st.none() | lists(st.sampled_from(["email", "name", "phone", "offer"])),
        verbs=lists(verbs()),
        events=st.none() | lists(st.sampled_from(EventName)),
        rate=st.none() | st.integers(1, 1_000),
        batch=st.integers(1, 100),
    )
