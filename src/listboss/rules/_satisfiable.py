"""Can a condition hold at all? A search for one box of its region, made for the review of a rule.

Most conditions are decided without any search: their parts are about different facts. The search
stops at the first box, and gives up after some steps, so that the review stays cheap.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from operator import add
from typing import Any, NamedTuple, TypeAlias, assert_never

from listboss.rules._boxes import Box, Space
from listboss.rules._cells import PATTERNS
from listboss.rules._literal import literal
from listboss.rules._text import alternatives
from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator, comparisons

__all__ = ["can_hold", "never_hint"]

MAX_NODES_SEARCHED = 100
"""Conditions with more parts are left to the analysis."""
MAX_PATTERNS_SEARCHED = 8
"""So are conditions with more comparisons of `contains` and `starts_with`, whose search takes time
quadratic in them."""
MAX_STEPS = 256
FEW_VALUES = 600
"""Every open fact but a boolean has more values than this: a country is one of 676 codes."""
SMALL_NUMBER = 10**9
"""There are more than `FEW_VALUES` numbers on both sides of a smaller one."""

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
    patterns = [each for _, each in comparisons(condition) if each.operator in PATTERNS]
    if condition.nodes > MAX_NODES_SEARCHED or len(patterns) > MAX_PATTERNS_SEARCHED:
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


class _Used(NamedTuple):
    """What conditions ask of the value of one fact: there is one if they `fit`.

    `values` is how many they exclude. `found` and `not_found` count the strings that are wanted in
    it, and those that are not.
    """

    values: int = 0
    found: int = 0
    not_found: int = 0

    def plus(self, other: _Used) -> _Used:
        """Return what both ask."""
        return _Used(*map(add, self, other))

    def fit(self) -> bool:
        """Whether some value is known to meet all of it.

        Of the strings that contain another one, or start with it, no list names all. One that has
        none of some strings may be any character that is in none of them.
        """
        few = self.values + self.not_found <= FEW_VALUES
        return few and self.found + bool(self.not_found) <= 1


_NOTHING, _ALL_VALUES = _Used(), _Used(FEW_VALUES + 1)
_ONE_VALUE = _Used(FEW_VALUES, found=1)
"""Nothing else is known to be met."""


def _is_simple(condition: Condition, catalogue: Catalogue) -> bool:
    """Whether some event meets it since, of each OR, one part is about facts of its own."""
    return _is_met(condition, catalogue, {})


def _is_met(condition: Condition, catalogue: Catalogue, used: dict[str, _Used]) -> bool:
    """Whether it is met with values that are not `used` yet; then it uses them, too."""
    match condition:
        case Comparison(fact) | Not(Comparison(fact)):
            now = used.get(fact, _NOTHING).plus(_used(condition, catalogue))
            if not now.fit():
                return False
            used[fact] = now
            return True
        case AllOf():
            return all(_is_met(part, catalogue, used) for part in condition.conditions)
        case AnyOf():
            for part in condition.conditions:
                before = used if isinstance(part, Comparison) else used.copy()
                if _is_met(part, catalogue, used):
                    return True
                if before is not used:
                    used.clear()
                    used.update(before)
            return False
        case _:
            return False


def _used(condition: Comparison | Not, catalogue: Catalogue) -> _Used:
    """Return what a comparison asks of the value of its fact.

    A value that is not in a range of small numbers may be any large one.
    """
    negated = isinstance(condition, Not)
    comparison: Any = condition.condition if isinstance(condition, Not) else condition
    value: Any = comparison.value
    match comparison.operator:
        case Operator.CONTAINS | Operator.STARTS_WITH:
            return _Used(not_found=1) if negated else _Used(found=1)
        case Operator.BETWEEN if negated:
            is_small = _is_small(value[0]) and _is_small(value[1])
            return _Used(1) if is_small else _ALL_VALUES
        case _ if negated:
            return _ALL_VALUES
        case Operator.NE | Operator.NOT_IN:
            fact = catalogue.fact(comparison.fact)
            is_open = fact is not None and not fact.closed and fact.kind is not FactKind.BOOLEAN
            excluded = 1 if comparison.operator is Operator.NE else len(value)
            return _Used(excluded) if is_open else _ALL_VALUES
        case Operator.LT | Operator.GT:
            return _ONE_VALUE if _is_small(value) else _ALL_VALUES
        case _:
            return _ONE_VALUE


def _is_small(value: Any) -> bool:
    return not isinstance(value, datetime) and abs(value) < SMALL_NUMBER


def never_hint(condition: Condition) -> str:
    """Say what to do about a condition that can never hold."""
    counts = Counter(each.fact for _, each in comparisons(condition))
    repeated = [name for name, number in counts.items() if number > 1]
    if not repeated:
        return "remove the comparison that no value meets"
    facts = alternatives(repeated)
    return f"comparisons of {facts} exclude each other: remove one, or join them with `any`"
