"""Decide: which actions, at which provider, for which contact, and why.

Pure functions of immutable values: no I/O, no clock, no randomness, no global state.
`engine` is where it begins. `matching` finds the rules that hold for an event, `planning`
turns what they ask for into a plan, and `explain` says of every rule why it ran or not.
"""

from listboss.engine.engine import Engine
from listboss.engine.explain import Explanation, FactState, Reason, RuleOutcome
from listboss.plan import Conflict, ConflictRule, Idle, Plan, PlannedAction

__all__ = [
    "Conflict",
    "ConflictRule",
    "Engine",
    "Explanation",
    "FactState",
    "Idle",
    "Plan",
    "PlannedAction",
    "Reason",
    "RuleOutcome",
]
