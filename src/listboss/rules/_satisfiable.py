"""Can a condition hold at all? A search for one box of its region, made for the review of a rule.

Most conditions are decided without any search: they compare each fact once. The search stops at
the first box, and gives up after some steps, so that the review stays cheap.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, TypeAlias, assert_never

from listboss.rules._boxes import Box, Space
from listboss.rules._literal import literal
from listboss.rules._text import alternatives
from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator, comparisons

__all__ = ["can_hold", "never_hint"]

MAX_NODES_SEARCHED = 100
"""Conditions with more parts are left to the analysis."""
MAX_STEPS = 256
FEW_VALUES = 100
"""Every open fact but a boolean has more values than this."""
SMALL_NUMBER = 10**9
"""There are numbers on both sides of a smaller one."""

_Pending: TypeAlias = "tuple[Condition, bool, _Pending] | None"
"""Conditions that must also hold, each with whether it is negated, as a linked list."""


def can_hold(condition: Condition, catalogue: Catalogue) -> bool | None:
    """Whether some event meets a condition without error findings; None if that takes too long.

    >>> from listboss import HOTMART, where
    >>> can_hold((where.installments < 3) & (where.installments > 6), HOTMART)
    False
    """
    if _is_simple(condition, catalogue):
        return True
    if condition.nodes > MAX_NODES_SEARCHED:
        return None
    space = Space.of([condition], catalogue)
    stack: list[tuple[_Pending, Box]] = [((condition, False, None), {})]
    for _ in range(MAX_STEPS):
        if not stack:
            return False
        pending, box = stack.pop()
        if pending is None:
            return True
        _advance(pending, box, space, stack)
    return None


def _advance(pending: Any, box: Box, space: Space, stack: list[tuple[_Pending, Box]]) -> None:
    """Take the first pending condition, and push what is then left to do."""
    condition, negated, rest = pending
    match condition:
        case Comparison():
            held = space.box(literal(condition, space.catalogue, negated=negated))
            both = None if held is None else space.intersection(box, held)
            if both is not None:
                stack.append((rest, both))
        case Not():
            stack.append(((condition.condition, not negated, rest), box))
        case AllOf() | AnyOf() if isinstance(condition, AnyOf) is not negated:
            stack += [((part, negated, rest), box) for part in reversed(condition.conditions)]
        case AllOf() | AnyOf():
            for part in reversed(condition.conditions):
                rest = (part, negated, rest)
            stack.append((rest, box))
        case _:
            assert_never(condition)


def _is_simple(condition: Condition, catalogue: Catalogue) -> bool:
    """Whether it compares different facts, each in a way that some value meets."""
    parts = condition.conditions if isinstance(condition, AllOf) else (condition,)
    facts: set[str] = set()
    for part in parts:
        if not isinstance(part, Comparison) or not _is_met(part, catalogue):
            return False
        facts.add(part.fact)
    return len(facts) == len(parts)


def _is_met(comparison: Comparison, catalogue: Catalogue) -> bool:
    """Whether some value certainly meets a comparison without error findings."""
    value: Any = comparison.value
    match comparison.operator:
        case Operator.NE | Operator.NOT_IN:
            fact = catalogue.fact(comparison.fact)
            is_open = fact is not None and not fact.closed and fact.kind is not FactKind.BOOLEAN
            return is_open and (comparison.operator is Operator.NE or len(value) < FEW_VALUES)
        case Operator.LT | Operator.GT:
            return not isinstance(value, datetime) and abs(value) < SMALL_NUMBER
        case _:
            return True


def never_hint(condition: Condition) -> str:
    """Say what to do about a condition that can never hold."""
    counts = Counter(each.fact for _, each in comparisons(condition))
    repeated = [name for name, number in counts.items() if number > 1]
    if not repeated:
        return "remove the comparison that no value meets"
    facts = alternatives(repeated)
    return f"comparisons of {facts} exclude each other: remove one, or join them with `any`"
