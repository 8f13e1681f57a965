"""The normal form of a condition: conjunctions of literals, one of which must hold.

`x & (y | z)` becomes `x & y` and `x & z`; `Not` is pushed down to the comparisons. If an AND
of ORs would multiply into too many conjunctions, or a comparison cannot be indexed, the normal
form is *lossy*: it also holds for some events for which the condition does not. The whole
condition is then rechecked, as in a lossy index scan of PostgreSQL.

INVARIANT: where a condition holds, so does its normal form (tests/property/test_law_11_reference).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, assert_never

import attrs

from listboss.rules._literal import (
    EQUALITIES,
    LIST_OPERATORS,
    Conjunction,
    Literal,
    literal,
    make_literal,
)
from listboss.rules._partition import EXCLUDING
from listboss.rules._size import VALUES_PER_PART, size_of
from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator

__all__ = [
    "ALWAYS",
    "NOT_INDEXED",
    "ByFact",
    "NormalForm",
    "by_fact",
    "flat",
    "normal_form",
    "without",
]

ByFact: TypeAlias = Mapping[str, Sequence[Literal]]
"""A conjunction with its literals grouped by fact."""

MAX_CONJUNCTIONS = 16
"""A condition becomes at most this many conjunctions: if its ANDs of ORs would make more, they are
multiplied out less far. A condition of many parts may become a quarter as many conjunctions."""
MAX_OF_LOSSY_AND = 4
"""If not all ORs can be multiplied out, each AND becomes at most this many conjunctions. Measured:
engines of ANDs of many ORs are built 1.4 x faster."""
MAX_LITERALS = 48
"""All conjunctions together have at most this many literals, or as many as the condition has parts.
A list of values counts as several, as in the size of a condition. Measured: engines of ANDs of four
ORs, which would have 64, are built 2 x faster."""
MAX_FILTER = 4
"""Each conjunction of a lossy normal form keeps at most this many literals, which rule out most
events. Measured: engines of rules with many exclusions and `contains` are built 1.4 x faster."""
NOT_INDEXED = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
"""Operators that cells cannot decide: rules that use them are rechecked."""


@attrs.frozen
class NormalForm:
    """Conjunctions, one of which must hold; if `lossless`, the condition then holds, too."""

    conjunctions: tuple[Conjunction, ...]
    lossless: bool


ALWAYS = NormalForm(((),), lossless=True)
"""The normal form of a rule without a condition."""
_ANY_EVENT = NormalForm(((),), lossless=False)


class _Tree(NamedTuple):
    """An AND, or an OR of ANDs and perhaps literals."""

    is_and: bool
    parts: Sequence[_Tree | NormalForm]


class _Limits(NamedTuple):
    """At most this many conjunctions of one AND, of the condition, and literals in them.

    `may_omit` says whether an AND may leave out ORs; otherwise, `_TooManyError` is raised.
    """

    of_and: int
    conjunctions: int
    literals: int
    may_omit: bool = True


class _TooManyError(Exception):
    """The conjunctions are more than the limits allow."""


def normal_form(condition: Condition, catalogue: Catalogue) -> NormalForm:
    """Turn a condition without error findings into conjunctions of literals.

    >>> from listboss import HOTMART, where
    >>> condition = (where.currency == "BRL") & ((where.offer == "a") | (where.offer == "b"))
    >>> [
    ...     [literal.fact for literal in conjunction]
    ...     for conjunction in normal_form(condition, HOTMART).conjunctions
    ... ]
    [['currency', 'offer']]
    """
    form = _limited(condition, catalogue)
    if form.lossless:
        return form
    filters = [tuple(sorted(each, key=_rank)[:MAX_FILTER]) for each in form.conjunctions]
    return NormalForm(tuple(dict.fromkeys(filters)), lossless=False)


def _rank(one: Literal) -> int:
    """Return how many events a literal lets through: 0 for the fewest."""
    return 0 if one.operator in EQUALITIES else 2 if one.operator in EXCLUDING else 1


def _limited(condition: Condition, catalogue: Catalogue) -> NormalForm:
    """Return a normal form within the limits."""
    tree, parts, size = _tree(condition, catalogue), condition.nodes, size_of(condition)
    most = max(MAX_CONJUNCTIONS, parts // 4), max(MAX_LITERALS, size)
    for limits in (
        _Limits(MAX_CONJUNCTIONS, *most, may_omit=False),
        _Limits(MAX_OF_LOSSY_AND, MAX_CONJUNCTIONS, MAX_LITERALS),
    ):
        with suppress(_TooManyError):
            return _multiplied(tree, limits)
    return _multiplied(tree, _Limits(1, parts, size))  # has each literal at most once


def _tree(
    condition: Condition, catalogue: Catalogue, *, negated: bool = False
) -> _Tree | NormalForm:
    """Push negations into the literals, and join the literals of each OR."""
    match condition:
        case Comparison():
            if condition.operator in NOT_INDEXED:
                return _ANY_EVENT
            return NormalForm(((literal(condition, catalogue, negated=negated),),), lossless=True)
        case Not():
            return _tree(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            parts = [_tree(part, catalogue, negated=negated) for part in condition.conditions]
            if isinstance(condition, AllOf) is not negated:
                return _Tree(is_and=True, parts=parts)
            forms = [part for part in parts if isinstance(part, NormalForm)]
            return _any_of(forms) if len(forms) == len(parts) else _Tree(is_and=False, parts=parts)
        case _:
            assert_never(condition)


def _multiplied(tree: _Tree | NormalForm, limits: _Limits) -> NormalForm:
    if not isinstance(tree, _Tree):
        form = tree
    elif tree.is_and:
        return _all_of([_multiplied(part, limits) for part in tree.parts], limits)
    else:
        form = _any_of([_multiplied(part, limits) for part in tree.parts])
    if len(form.conjunctions) > limits.conjunctions:
        raise _TooManyError
    if _literals(form.conjunctions) > limits.literals:
        raise _TooManyError
    return form


def _all_of(parts: Sequence[NormalForm], limits: _Limits) -> NormalForm:
    """Multiply out the parts, those of few conjunctions first, within the limits."""
    single = [part.conjunctions[0] for part in parts if len(part.conjunctions) == 1]
    conjunctions: tuple[Conjunction, ...] = (tuple(chain.from_iterable(single)),)
    lossless = all(part.lossless for part in parts)
    others = [part.conjunctions for part in parts if len(part.conjunctions) != 1]
    for other in sorted(others, key=len):
        if conjunctions == ((),):
            conjunctions = other
        elif len(conjunctions) * len(other) > limits.of_and or (
            _literals(conjunctions) * len(other) + len(conjunctions) * _literals(other)
            > limits.literals
        ):
            if not limits.may_omit:
                raise _TooManyError
            lossless = False
        else:
            conjunctions = tuple((*one, *more) for one in conjunctions for more in other)
    return NormalForm(conjunctions, lossless)


def _literals(conjunctions: Sequence[Conjunction]) -> int:
    return sum([_count(one) for conjunction in conjunctions for one in conjunction])


def _count(one: Literal) -> int:
    """Return how many literals one counts as."""
    return 1 + len(one.operand) // VALUES_PER_PART if one.operator in LIST_OPERATORS else 1


def _any_of(parts: Sequence[NormalForm]) -> NormalForm:
    """Join the alternatives; those on one fact with similar operators become one literal."""
    similar: dict[tuple[str, _Join], list[Literal]] = {}
    conjunctions: list[Conjunction] = []
    for part in parts:
        for conjunction in part.conjunctions:
            join = _join_of(conjunction[0]) if len(conjunction) == 1 else None
            if join is None:
                conjunctions.append(conjunction)
            else:
                similar.setdefault((conjunction[0].fact, join), []).append(conjunction[0])
    conjunctions += [
        (literals[0] if len(literals) == 1 else join(literals),)
        for (_, join), literals in similar.items()
    ]
    if () in conjunctions:
        conjunctions = [()]  # which holds wherever another one does
    distinct = tuple(dict.fromkeys(conjunctions))
    return NormalForm(distinct, all(part.lossless for part in parts))


def _join_of(one: Literal) -> _Join | None:
    """Return how a literal is joined with similar ones, if it is."""
    join = _JOINS.get(one.operator)
    is_range = join is _excluded and one.kind is FactKind.LANGUAGE  # of `pt` and all below it
    return None if is_range else join


def _listed(literals: Sequence[Literal]) -> Literal:
    """Return a literal that holds on all values that one of some equalities lists."""
    operand = tuple(sorted(set(chain.from_iterable(map(_values, literals)))))
    return make_literal(literals[0].fact, literals[0].kind, Operator.IN, operand)


def _excluded(literals: Sequence[Literal]) -> Literal:
    """Return a literal that holds on all values but those that every one of some excludes."""
    first, *others = [set[Any](_values(one)) for one in literals]
    operand = tuple(sorted(first.intersection(*others)))
    return make_literal(literals[0].fact, literals[0].kind, Operator.NOT_IN, operand)


def _values(one: Literal) -> Sequence[Any]:
    return one.operand if one.operator in LIST_OPERATORS else (one.operand,)


def _lowest(literals: Sequence[Literal]) -> Literal:
    return min(literals, key=lambda one: (one.operand, one.operator is Operator.GT))


def _highest(literals: Sequence[Literal]) -> Literal:
    return max(literals, key=lambda one: (one.operand, one.operator is Operator.LE))


_Join: TypeAlias = Callable[[Sequence[Literal]], Literal]
_JOINS: Mapping[Operator, _Join] = {
    Operator.EQ: _listed,
    Operator.IN: _listed,
    Operator.NE: _excluded,
    Operator.NOT_IN: _excluded,
    Operator.GT: _lowest,
    Operator.GE: _lowest,
    Operator.LT: _highest,
    Operator.LE: _highest,
}
"""By operator, how alternatives on one fact become one literal that holds where one of them does.
Measured: engines of ORs of many exclusions or bounds are built 3 x faster."""


def by_fact(literals: Conjunction) -> ByFact:
    """Group literals by fact."""
    if len(literals) == 1:
        return {literals[0].fact: literals}
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
