"""The normal form of a condition: conjunctions of literals, one of which must hold.

`x & (y | z)` becomes `x & y` and `x & z`; `Not` is pushed down to the comparisons. If an AND
of ORs would multiply into too many conjunctions, or a comparison cannot be indexed, the normal
form is *lossy*: it also holds for some events for which the condition does not. The whole
condition is then rechecked, as in a lossy index scan of PostgreSQL.

INVARIANT: where a condition holds, so does its normal form (tests/property/test_law_11_reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, assert_never

import attrs

from listboss.rules._literal import Conjunction, Literal, literal, make_literal
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator

__all__ = ["ByFact", "NormalForm", "by_fact", "flat", "normal_form", "without"]

ByFact: TypeAlias = Mapping[str, Sequence[Literal]]
"""A conjunction with its literals grouped by fact."""

MAX_CONJUNCTIONS = 64
"""An AND of ORs becomes at most this many conjunctions: a factor that makes more is left out."""
NOT_INDEXED = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
"""Operators that cells cannot decide: rules that use them are rechecked."""


@attrs.frozen
class NormalForm:
    """Conjunctions, one of which must hold; if `lossless`, the condition then holds, too."""

    conjunctions: tuple[Conjunction, ...]
    lossless: bool


_ANY_EVENT = NormalForm(((),), lossless=False)


def normal_form(condition: Condition, catalogue: Catalogue, *, negated: bool = False) -> NormalForm:
    """Turn a condition without error findings into conjunctions of literals.

    >>> from listboss import HOTMART, where
    >>> condition = (where.currency == "BRL") & ((where.offer == "a") | (where.offer == "b"))
    >>> [
    ...     [literal.fact for literal in conjunction]
    ...     for conjunction in normal_form(condition, HOTMART).conjunctions
    ... ]
    [['currency', 'offer']]
    """
    match condition:
        case Comparison():
            one = literal(condition, catalogue, negated=negated)
            if one.operator in NOT_INDEXED:
                return _ANY_EVENT
            return NormalForm(((one,),), lossless=True)
        case Not():
            return normal_form(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            parts = [normal_form(part, catalogue, negated=negated) for part in condition.conditions]
            return _all_of(parts) if isinstance(condition, AllOf) is not negated else _any_of(parts)
        case _:
            assert_never(condition)


def _all_of(parts: Sequence[NormalForm]) -> NormalForm:
    conjunctions: tuple[Conjunction, ...] = ((),)
    lossless = True
    for part in sorted(parts, key=lambda part: len(part.conjunctions)):
        lossless = lossless and part.lossless
        product = len(conjunctions) * len(part.conjunctions)
        if product > MAX_CONJUNCTIONS and conjunctions != ((),):
            lossless = False
            continue
        conjunctions = tuple((*one, *other) for one in conjunctions for other in part.conjunctions)
    return NormalForm(conjunctions, lossless)


def _any_of(parts: Sequence[NormalForm]) -> NormalForm:
    """Join the alternatives; equalities on one fact become one list of values."""
    samples: dict[str, Literal] = {}
    values: dict[str, set[Any]] = {}
    conjunctions: list[Conjunction] = []
    for conjunction in (each for part in parts for each in part.conjunctions):
        first = conjunction[0] if len(conjunction) == 1 else None
        if first is None or first.operator not in (Operator.EQ, Operator.IN):
            conjunctions.append(conjunction)
            continue
        operand = first.operand if first.operator is Operator.IN else (first.operand,)
        values.setdefault(first.fact, set()).update(operand)
        samples[first.fact] = first
    for fact, first in samples.items():
        operand = tuple(sorted(values[fact]))
        conjunctions.append((make_literal(fact, first.kind, Operator.IN, operand),))
    return NormalForm(tuple(conjunctions), all(part.lossless for part in parts))


def by_fact(literals: Conjunction) -> dict[str, list[Literal]]:
    """Group literals by fact."""
    found: dict[str, list[Literal]] = {}
    for each in literals:
        found.setdefault(each.fact, []).append(each)
    return found


def flat(literals: ByFact) -> Conjunction:
    """Flatten grouped literals; those of one fact stay adjacent."""
    return tuple([each for group in literals.values() for each in group])


def without(literals: ByFact, fact: str) -> ByFact:
    """Return a conjunction without its literals on one fact."""
    return {name: group for name, group in literals.items() if name != fact}
