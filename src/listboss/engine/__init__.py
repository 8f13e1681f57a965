"""Decide: which actions, at which provider, for which contact, and why.

Pure functions of immutable values: no I/O, no clock, no randomness, no global state.
`engine` is where it begins; `index` finds the rules that match, `step` prepares what they do,
`assemble` and `conflict` make the plan, `explain` tells about every rule.
"""

from listboss.engine.engine import Engine
from listboss.engine.explain import Explanation, Reason, RuleOutcome
from listboss.plan import Conflict, ConflictRule, Idle, Plan, PlannedAction

__all__ = [
    "Conflict",
    "ConflictRule",
    "Engine",
    "Explanation",
    "Idle",
    "Plan",
    "PlannedAction",
    "Reason",
    "RuleOutcome",
]
