"""Literals: comparisons with the negation pushed into them, compiled to flat tuples.

A literal says how to read a fact, and how to test what was read against its operand. Negated or
not, no literal but those of `is_set` and `is_missing` holds on a fact that is missing or of a
wrong type. A comparison must not have error findings, or its values may not be comparable.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from listboss.rules._facts import (
    READERS,
    Facts,
    Reader,
    is_present,
    language_range,
)
from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.condition import NEGATED, Comparison, Operator

__all__ = [
    "EQUALITIES",
    "LIST_OPERATORS",
    "Conjunction",
    "Literal",
    "Test",
    "hold",
    "literal",
    "make_literal",
]

Test: TypeAlias = Callable[[Any, Any], Any]

MAX_SCANNED_VALUES = 16
"""Longer lists of values are bisected."""
MAX_KNOWN_TAGS = 256
"""At most this many language tags of events are split only once."""
LIST_OPERATORS = frozenset({Operator.IN, Operator.NOT_IN})
"""Operators that take any number of values."""
EQUALITIES = frozenset({Operator.EQ, Operator.IN})
"""Operators that hold on the values listed, and on no other."""
SHARED_KINDS = frozenset(
    {FactKind.CHOICE, FactKind.TERM, FactKind.COUNTRY, FactKind.CURRENCY, FactKind.LANGUAGE}
)
"""Kinds with few distinct values: rules that name the same one share one string object."""


class Literal(NamedTuple):
    """One compiled comparison: `read(raw)` must not be None, and pass `test` with `operand`."""

    fact: str
    read: Reader
    test: Test
    operand: Any
    kind: FactKind
    operator: Operator
    negated: bool
    """True only for operators without a counterpart, such as `between`."""


Conjunction: TypeAlias = tuple[Literal, ...]
"""Literals that must all hold."""


def _in_range(tag: str, wanted: str) -> bool:
    return tag == wanted or tag.startswith(wanted + "-")


def _is_listed(value: Any, operand: Sequence[Any]) -> bool:
    index = bisect_left(operand, value)
    return index < len(operand) and bool(operand[index] == value)


def _in_any_range(tag: str, operand: Sequence[str]) -> bool:
    if "-" not in tag:
        return _is_listed(tag, operand)
    if len(operand) <= MAX_SCANNED_VALUES:
        return not _prefixes(tag).isdisjoint(operand)
    return any(_is_listed(prefix, operand) for prefix in _prefixes(tag))


@lru_cache(maxsize=MAX_KNOWN_TAGS)
def _prefixes(tag: str) -> frozenset[str]:
    return frozenset(language_range(tag))


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
    Operator.CONTAINS: lambda value, operand: operand in value,
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
    Operator.EQ: _in_range,
    Operator.NE: lambda tag, operand: not _in_range(tag, operand),
    Operator.IN: _in_any_range,
    Operator.NOT_IN: lambda tag, operand: not _in_any_range(tag, operand),
}
"""A rule on `pt` also matches `pt-BR`: a language tag matches all prefixes of whole subtags."""


_LONG_LIST_TESTS: dict[Operator, Test] = {
    Operator.IN: _is_listed,
    Operator.NOT_IN: lambda value, operand: not _is_listed(value, operand),
}

_PRESENCE: dict[Operator, Reader] = {
    Operator.IS_SET: lambda raw: is_present(raw) or None,
    Operator.IS_MISSING: lambda raw: not is_present(raw) or None,
}


def literal(comparison: Comparison, catalogue: Catalogue, *, negated: bool = False) -> Literal:
    """Compile a comparison without error findings."""
    op = comparison.operator
    if negated and op in NEGATED:
        op, negated = NEGATED[op], False
    fact = catalogue.fact(comparison.fact)
    if fact is None:
        raise LookupError(comparison.fact)
    read = READERS[fact.kind]
    value = comparison.value
    operand: Any = None
    if isinstance(value, tuple):
        values = tuple([_operand(read, item, fact.kind) for item in value])
        operand = values if op is Operator.BETWEEN else tuple(sorted(set(values)))
    elif op not in _PRESENCE:
        operand = _operand(read, value, fact.kind)
    return make_literal(fact.name, fact.kind, op, operand, negated=negated)


_shared = lru_cache(maxsize=1_024)(str)


def _operand(read: Reader, raw: object, kind: FactKind) -> Any:
    """Read a rule's value; equal words of several rules become one object."""
    value = read(raw)
    if kind in SHARED_KINDS and value is not None:
        return _shared(value)
    return raw if value == raw else value


def make_literal(
    fact: str, kind: FactKind, op: Operator, operand: Any, *, negated: bool = False
) -> Literal:
    """Make a literal of an operand that has been read; a list must be sorted."""
    test = _NEGATED_TESTS[op] if negated else _TESTS[op]
    if kind is FactKind.LANGUAGE:
        test = _LANGUAGE_TESTS.get(op, test)
    elif op in LIST_OPERATORS and len(operand) > MAX_SCANNED_VALUES:
        test = _LONG_LIST_TESTS[op]
    return Literal(fact, _PRESENCE.get(op) or READERS[kind], test, operand, kind, op, negated)


def hold(literals: Conjunction, facts: Facts) -> bool:
    """Whether all literals hold; a literal whose reader returns None does not."""
    for fact, read, test, operand, _, _, _ in literals:
        value = read(facts.get(fact))
        if value is None or not test(value, operand):
            return False
    return True
