"""Literals: the comparisons of a condition, compiled, and the conjunctions they form.

A *literal* is one comparison, negation already pushed into it, as a flat tuple: read the
fact, test it against the operand. `cover` turns a condition into the conjunctions of
literals of which one must hold. Where that would grow too large, or a comparison cannot be
indexed, the conjunctions let too much through and say so (`exact` is False): the rule is
then checked whole. They never keep out an event for which the condition holds.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, assert_never

import attrs

from listboss.rules._facts import READERS, Reader, is_present, language_range
from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.condition import (
    NEGATED,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operator,
)

__all__ = [
    "LISTS",
    "ByFact",
    "Conjunction",
    "Cover",
    "Facts",
    "Literal",
    "Test",
    "by_fact",
    "conjunction",
    "cover",
    "hold",
    "literal",
    "without",
]

Facts: TypeAlias = Mapping[str, Any]
Test: TypeAlias = Callable[[Any, Any], Any]

LONG = 16
"""A list of more values than this is searched by halves."""
MOST_CONJUNCTIONS = 64
"""How many conjunctions an AND of ORs may multiply into before a factor is left out."""


class Literal(NamedTuple):
    """One comparison, ready to be asked: `test(read(raw), operand)` on a known fact."""

    fact: str
    read: Reader
    test: Test
    operand: Any
    kind: FactKind
    operator: Operator
    negated: bool
    """Only for the operators that have no counterpart, such as `between`."""


Conjunction: TypeAlias = tuple[Literal, ...]
ByFact: TypeAlias = dict[str, list[Literal]]
"""A conjunction, its literals put together by fact."""


def _meets(tag: str, wanted: str) -> bool:
    return tag == wanted or tag.startswith(wanted + "-")


def _meets_any(tag: str, operand: Sequence[str]) -> bool:
    if tag in operand:
        return True
    return "-" in tag and any(wanted in operand for wanted in language_range(tag))


_TESTS: dict[Operator, Test] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.IN: lambda value, operand: value in operand,
    Operator.NOT_IN: lambda value, operand: value not in operand,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.BETWEEN: lambda value, operand: operand[0] <= value <= operand[1],
    Operator.CONTAINS: operator.contains,
    Operator.STARTS_WITH: lambda value, operand: value.startswith(operand),
    Operator.IS_SET: lambda _value, _operand: True,
    Operator.IS_MISSING: lambda _value, _operand: True,
}

_NEGATED_TESTS: dict[Operator, Test] = {
    Operator.BETWEEN: lambda value, operand: not operand[0] <= value <= operand[1],
    Operator.CONTAINS: lambda value, operand: operand not in value,
    Operator.STARTS_WITH: lambda value, operand: not value.startswith(operand),
}

_LANGUAGE_TESTS: dict[Operator, Test] = {
    Operator.EQ: _meets,
    Operator.NE: lambda tag, operand: not _meets(tag, operand),
    Operator.IN: _meets_any,
    Operator.NOT_IN: lambda tag, operand: not _meets_any(tag, operand),
}
"""A rule's `pt` is met by `pt-BR`: languages compare with all prefixes of the tag."""


def _is_listed(value: Any, operand: Sequence[Any]) -> bool:
    place = bisect_left(operand, value)
    return place < len(operand) and bool(operand[place] == value)


_LONG_TESTS: dict[Operator, Test] = {
    Operator.IN: _is_listed,
    Operator.NOT_IN: lambda value, operand: not _is_listed(value, operand),
}

_PRESENCE: dict[Operator, Reader] = {
    Operator.IS_SET: lambda raw: is_present(raw) or None,
    Operator.IS_MISSING: lambda raw: not is_present(raw) or None,
}
LISTS = frozenset({Operator.IN, Operator.NOT_IN})
"""Operators that list any number of values."""
WORDS = frozenset({FactKind.CHOICE, FactKind.COUNTRY, FactKind.CURRENCY, FactKind.LANGUAGE})
"""Kinds whose values are few."""
NOT_INDEXED = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
"""Operators that are asked of the survivors one by one."""


def literal(comparison: Comparison, catalogue: Catalogue, *, negated: bool = False) -> Literal:
    """Compile a comparison without error findings."""
    asked = comparison.operator
    if negated and asked in NEGATED:
        asked, negated = NEGATED[asked], False
    fact = catalogue.fact(comparison.fact)
    if fact is None:
        raise LookupError(comparison.fact)
    read = READERS[fact.kind]
    value = comparison.value
    operand: Any = None
    if isinstance(value, tuple):
        known = tuple([_as_read(read, item, fact.kind) for item in value])
        operand = known if asked is Operator.BETWEEN else tuple(sorted(set(known)))
    elif asked not in _PRESENCE:
        operand = _as_read(read, value, fact.kind)
    return _literal(fact.name, fact.kind, asked, operand, negated=negated)


_same_word = lru_cache(maxsize=1_024)(str)
"""The one object of equal words."""


def _as_read(read: Reader, raw: object, kind: FactKind) -> Any:
    """Read a rule's value, without a second copy: words that many rules say are one object."""
    value = read(raw)
    if kind in WORDS and value is not None:
        return _same_word(value)
    return raw if value == raw else value


def _literal(
    fact: str, kind: FactKind, asked: Operator, operand: Any, *, negated: bool = False
) -> Literal:
    test = _NEGATED_TESTS[asked] if negated else _TESTS[asked]
    if kind is FactKind.LANGUAGE:
        test = _LANGUAGE_TESTS.get(asked, test)
    elif asked in LISTS and len(operand) > LONG:
        test = _LONG_TESTS[asked]
    read = _PRESENCE.get(asked) or READERS[kind]
    return Literal(fact, read, test, operand, kind, asked, negated)


def hold(literals: Conjunction, facts: Facts) -> bool:
    """Whether all literals hold; none does on a fact that is missing or of a wrong type."""
    for fact, read, test, operand, _, _, _ in literals:
        value = read(facts.get(fact))
        if value is None or not test(value, operand):
            return False
    return True


@attrs.frozen
class Cover:
    """Conjunctions of which one must hold; `exact` says that this is enough."""

    conjunctions: tuple[Conjunction, ...]
    exact: bool


_ANYTHING = Cover(((),), exact=False)


def cover(condition: Condition, catalogue: Catalogue, *, negated: bool = False) -> Cover:
    """Turn a condition without error findings into conjunctions of literals.

    >>> from listboss import HOTMART, where
    >>> condition = (where.currency == "BRL") & ((where.offer == "a") | (where.offer == "b"))
    >>> [
    ...     [each.fact for each in conjunction]
    ...     for conjunction in cover(condition, HOTMART).conjunctions
    ... ]
    [['currency', 'offer']]
    """
    match condition:
        case Comparison():
            asked = literal(condition, catalogue, negated=negated)
            return _ANYTHING if asked.operator in NOT_INDEXED else Cover(((asked,),), exact=True)
        case Not():
            return cover(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            parts = [cover(part, catalogue, negated=negated) for part in condition.conditions]
            return _every(parts) if isinstance(condition, AllOf) is not negated else _some(parts)
        case _:
            assert_never(condition)


def _every(parts: Sequence[Cover]) -> Cover:
    conjunctions: tuple[Conjunction, ...] = ((),)
    exact = True
    for part in sorted(parts, key=lambda part: len(part.conjunctions)):
        exact = exact and part.exact
        if len(conjunctions) * len(part.conjunctions) > MOST_CONJUNCTIONS and conjunctions != ((),):
            exact = False
            continue
        conjunctions = tuple((*one, *other) for one in conjunctions for other in part.conjunctions)
    return Cover(conjunctions, exact)


def _some(parts: Sequence[Cover]) -> Cover:
    """Take one or the other; equalities of one fact become one list of its values."""
    values: dict[str, Literal] = {}
    wanted: dict[str, set[Any]] = {}
    conjunctions: list[Conjunction] = []
    for conjunction in (each for part in parts for each in part.conjunctions):
        first = conjunction[0] if len(conjunction) == 1 else None
        if first is None or first.operator not in (Operator.EQ, Operator.IN):
            conjunctions.append(conjunction)
            continue
        operand = first.operand if first.operator is Operator.IN else (first.operand,)
        wanted.setdefault(first.fact, set()).update(operand)
        values[first.fact] = first
    for fact, first in values.items():
        operand = tuple(sorted(wanted[fact]))
        conjunctions.append((_literal(fact, first.kind, Operator.IN, operand),))
    return Cover(tuple(conjunctions), all(part.exact for part in parts))


def by_fact(literals: Conjunction) -> ByFact:
    """Put the literals of each fact together."""
    found: ByFact = {}
    for asked in literals:
        found.setdefault(asked.fact, []).append(asked)
    return found


def conjunction(literals: ByFact) -> Conjunction:
    """Put literals in a row again, those of a fact side by side."""
    return tuple([asked for found in literals.values() for asked in found])


def without(literals: ByFact, fact: str | None) -> ByFact:
    """Leave out what is known of a fact already."""
    return {name: found for name, found in literals.items() if name != fact}
