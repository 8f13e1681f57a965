"""Conditions, compiled to tests of an event's facts, for rechecks and explanations.

A condition must not have error findings, or its values may not be comparable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

from listboss.rules._facts import Facts
from listboss.rules._literal import hold, literal
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not

__all__ = ["Predicate", "Recheck", "predicate"]

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
            literals = (literal(condition, catalogue, negated=negated),)
            return lambda facts: hold(literals, facts)
        case Not():
            return predicate(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            parts = tuple(predicate(c, catalogue, negated=negated) for c in condition.conditions)
            if isinstance(condition, AllOf) is not negated:
                return lambda facts: all(part(facts) for part in parts)
            return lambda facts: any(part(facts) for part in parts)
        case _:
            assert_never(condition)


class Recheck:
    """A condition that is compiled when it is first needed: most rechecked rules seldom are."""

    __slots__ = ("_catalogue", "_condition", "_predicate")

    def __init__(self, condition: Condition, catalogue: Catalogue) -> None:
        self._condition, self._catalogue = condition, catalogue
        self._predicate: Predicate | None = None

    def __call__(self, facts: Facts) -> bool:
        """Whether the condition holds."""
        if self._predicate is None:
            self._predicate = predicate(self._condition, self._catalogue)
        return self._predicate(facts)
