"""Conditions, compiled to tests of an event's facts, for rechecks and explanations.

A condition must not have error findings, or its values may not be comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, assert_never

from listboss.rules._facts import Facts
from listboss.rules._literal import Literal, hold, literal
from listboss.rules._search import contains_any, contains_none
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator

__all__ = ["Predicate", "Recheck", "predicate"]

Predicate: TypeAlias = Callable[[Facts], bool]

SEARCHING = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
"""Operators of which one test takes the strings of several comparisons."""


def predicate(condition: Condition, catalogue: Catalogue, *, negated: bool = False) -> Predicate:
    """Compile a condition without error findings to a test of facts.

    >>> from listboss import HOTMART, where
    >>> test = predicate(~(where.language == "pt"), HOTMART)
    >>> test({"language": "en"}), test({"language": "pt-BR"}), test({})
    (True, False, False)
    """
    match condition:
        case Comparison():
            return _test([literal(condition, catalogue, negated=negated)])
        case Not():
            return predicate(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            is_and = isinstance(condition, AllOf) is not negated
            parts = _parts(condition.conditions, catalogue, is_and=is_and, negated=negated)
            if is_and:
                return lambda facts: all(part(facts) for part in parts)
            return lambda facts: any(part(facts) for part in parts)
        case _:
            assert_never(condition)


def _parts(
    conditions: Iterable[Condition], catalogue: Catalogue, *, is_and: bool, negated: bool
) -> list[Predicate]:
    """Compile the parts of an AND or OR; what is searched in one fact is searched at once."""
    parts: list[Predicate] = []
    searches: dict[tuple[str, Operator], list[Literal]] = {}
    for each in conditions:
        part, is_negated = each, negated
        while isinstance(part, Not):
            part, is_negated = part.condition, not is_negated
        if isinstance(part, Comparison) and part.operator in SEARCHING and is_negated is is_and:
            one = literal(part, catalogue, negated=is_negated)
            searches.setdefault((one.fact, one.operator), []).append(one)
        else:
            parts.append(predicate(part, catalogue, negated=is_negated))
    return [*parts, *map(_test, searches.values())]


def _test(literals: Sequence[Literal]) -> Predicate:
    """Test one literal, or searches in one fact: for any of their strings, or for none."""
    first = literals[0]
    if len(literals) > 1:
        first = first._replace(operand=tuple(each.operand for each in literals))
        if first.operator is Operator.CONTAINS:
            first = first._replace(test=contains_none if first.negated else contains_any)
    conjunction = (first,)
    return lambda facts: hold(conjunction, facts)


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
