"""Conditions as closures: `predicate(condition, catalogue)` gives a test of an event's facts.

The plain meaning of a condition, without an index. A comparison reads its fact through the
catalogue and does not hold when that is missing or of a wrong type, negated or not; so
`Not` is pushed down to the comparisons before anything is compiled. The condition must be
free of error findings, else its values may not be comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, assert_never, cast

from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.condition import (
    NEGATED,
    NO_VALUE,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operator,
)
from listboss.rules.facts import READERS, Reader, is_present, language_range

__all__ = ["Facts", "Predicate", "predicate", "value_test"]

Facts: TypeAlias = Mapping[str, Any]
Predicate: TypeAlias = Callable[[Facts], bool]
Test: TypeAlias = Callable[[Any], bool]

_TESTS: dict[Operator, Callable[[Any], Test]] = {
    Operator.EQ: lambda value: lambda fact: bool(fact == value),
    Operator.NE: lambda value: lambda fact: bool(fact != value),
    Operator.IN: lambda values: lambda fact: fact in values,
    Operator.NOT_IN: lambda values: lambda fact: fact not in values,
    Operator.LT: lambda value: lambda fact: bool(fact < value),
    Operator.LE: lambda value: lambda fact: bool(fact <= value),
    Operator.GT: lambda value: lambda fact: bool(fact > value),
    Operator.GE: lambda value: lambda fact: bool(fact >= value),
    Operator.BETWEEN: lambda bounds: lambda fact: bool(bounds[0] <= fact <= bounds[1]),
    Operator.CONTAINS: lambda text: lambda fact: text in fact,
    Operator.STARTS_WITH: lambda text: lambda fact: fact.startswith(text),
}
"""For each operator, the test that its value makes; both sides are read already."""

_LANGUAGE_TESTS: dict[Operator, Callable[[Any], Test]] = {
    Operator.EQ: lambda value: lambda tag: value in language_range(tag),
    Operator.NE: lambda value: lambda tag: value not in language_range(tag),
    Operator.IN: lambda values: lambda tag: not values.isdisjoint(language_range(tag)),
    Operator.NOT_IN: lambda values: lambda tag: values.isdisjoint(language_range(tag)),
}
"""A rule's `pt` is met by `pt-BR`: languages compare with all prefixes of the tag."""


def value_test(comparison: Comparison, kind: FactKind) -> Test:
    """Return the test of a known, already read value."""
    read: Callable[[object], Any] = READERS[kind]
    operator, value = comparison.operator, comparison.value
    operand: Any
    if operator in {Operator.IN, Operator.NOT_IN}:
        operand = frozenset(read(item) for item in cast("tuple[object, ...]", value))
    elif operator is Operator.BETWEEN:
        operand = tuple(read(item) for item in cast("tuple[object, ...]", value))
    else:
        operand = read(value)
    tests = _LANGUAGE_TESTS if kind is FactKind.LANGUAGE else _TESTS
    return tests[operator](operand)


def predicate(condition: Condition, catalogue: Catalogue, *, negated: bool = False) -> Predicate:
    """Compile a condition without error findings to a test of facts.

    >>> from listboss import HOTMART, where
    >>> test = predicate(~(where.language == "pt"), HOTMART)
    >>> test({"language": "en"}), test({"language": "pt-BR"}), test({})
    (True, False, False)
    """
    match condition:
        case Comparison():
            return _comparison(condition, catalogue, negated=negated)
        case Not():
            return predicate(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            parts = tuple(predicate(c, catalogue, negated=negated) for c in condition.conditions)
            return _every(parts) if isinstance(condition, AllOf) is not negated else _some(parts)
        case _:
            assert_never(condition)


def _every(parts: tuple[Predicate, ...]) -> Predicate:
    def every(facts: Facts) -> bool:
        for part in parts:  # noqa: SIM110 # all() over a generator takes twice as long
            if not part(facts):
                return False
        return True

    return parts[0] if len(parts) == 1 else every


def _some(parts: tuple[Predicate, ...]) -> Predicate:
    def some(facts: Facts) -> bool:
        for part in parts:  # noqa: SIM110 # as above
            if part(facts):
                return True
        return False

    return parts[0] if len(parts) == 1 else some


def _comparison(comparison: Comparison, catalogue: Catalogue, *, negated: bool) -> Predicate:
    name, operator = comparison.fact, comparison.operator
    fact = catalogue.fact(name)
    if fact is None:
        raise LookupError(name)
    if negated and operator in NEGATED:
        comparison = Comparison(name, NEGATED[operator], comparison.value)
        operator, negated = comparison.operator, False
    if operator in NO_VALUE:
        wanted = operator is Operator.IS_SET
        return lambda facts: is_present(facts.get(name)) is wanted
    return _known(name, READERS[fact.kind], value_test(comparison, fact.kind), negated)


def _known(name: str, read: Reader, test: Test, negated: bool) -> Predicate:  # noqa: FBT001 # private
    def holds(facts: Facts) -> bool:
        value = read(facts.get(name))
        return value is not None and test(value) is not negated

    return holds
