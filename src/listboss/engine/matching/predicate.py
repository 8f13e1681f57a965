"""Conditions as closures: `predicate(condition, catalogue)` gives a test of an event's facts.

The plain meaning of a condition, without an index: it checks what the index lets through
too freely, and explains. A comparison does not hold on a fact that is missing or of a wrong
type, negated or not; so `Not` is pushed down to the comparisons before anything is asked.
The condition must be free of error findings, else its values may not be comparable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

from listboss.engine.matching.normal_form import Facts, Literal, hold, literal
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not

__all__ = ["Predicate", "predicate"]

Predicate: TypeAlias = Callable[[Facts], bool]


def predicate(condition: Condition, catalogue: Catalogue, *, negated: bool = False) -> Predicate:
    """Compile a condition without error findings to a test of facts.

    >>> from listboss import HOTMART, where
    >>> test = predicate(~(where.language == "pt"), HOTMART)
    >>> test({"language": "en"}), test({"language": "pt-BR"}), test({})
    (True, False, False)
    """
    match condition:
        case Comparison():
            return _asking(literal(condition, catalogue, negated=negated))
        case Not():
            return predicate(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            parts = tuple(predicate(c, catalogue, negated=negated) for c in condition.conditions)
            return _every(parts) if isinstance(condition, AllOf) is not negated else _some(parts)
        case _:
            assert_never(condition)


def _asking(asked: Literal) -> Predicate:
    literals = (asked,)
    return lambda facts: hold(literals, facts)


def _every(parts: tuple[Predicate, ...]) -> Predicate:
    return lambda facts: all(part(facts) for part in parts)


def _some(parts: tuple[Predicate, ...]) -> Predicate:
    return lambda facts: any(part(facts) for part in parts)
