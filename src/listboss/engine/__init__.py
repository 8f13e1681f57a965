"""Decide which actions an event needs: at which provider, for which contact, and why.

Pure functions of immutable values: no I/O, no clock, no randomness, no global state.
Start reading at `engine`. `matching` finds the rules that hold for an event, `planning`
turns their actions into a plan, and `explain` says why each rule ran or did not.
"""

from listboss.engine.engine import Engine
from listboss.engine.outcome import Explanation, FactState, Reason, RuleOutcome
from listboss.plan import Conflict, ConflictRule, Idle, Plan, PlanContext, PlannedAction

__all__ = [
    "Conflict",
    "ConflictRule",
    "Engine",
    "Explanation",
    "FactState",
    "Idle",
    "Plan",
    "PlanContext",
    "PlannedAction",
    "Reason",
    "RuleOutcome",
]
