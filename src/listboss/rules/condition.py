"""Which contacts a rule is for: conditions over the facts of an event, as values.

A closed union of four: `Comparison`, `AllOf`, `AnyOf`, `Not`, written with `where`. **A rule
fires only on what is known**: a comparison on a fact that the event lacks, or has with the
wrong type, does not hold, negated or not. So `Not` reaches down to the comparisons:
`~(x == v)` is `x != v`, `~(x < v)` is `x >= v`, `~(a & b)` is `~a | ~b`. There are no
regular expressions, and size is bounded at construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Never, TypeAlias, assert_never, cast

import attrs

from listboss.errors import ConditionError
from listboss.rules._mapping import typed
from listboss.rules._slips import FactName, no_truth_value, wrong_condition, wrong_value
from listboss.rules._text import (
    Readable,
    kind_of,
    require_id,
    require_member,
    require_number,
    require_text,
    require_tuple,
)
from listboss.rules.event import FactValue, utc

__all__ = [
    "BOUNDS",
    "LISTS",
    "MAX_DEPTH",
    "MAX_NODES",
    "NEGATED",
    "NO_VALUE",
    "AllOf",
    "AnyOf",
    "Comparison",
    "Condition",
    "FactRef",
    "Not",
    "Operator",
    "comparisons",
    "plain_comparison",
    "where",
]

MAX_DEPTH = 32
"""At most this many combinators may be nested."""
MAX_NODES = 1_000
"""One condition has at most this many comparisons and combinators."""


class Operator(StrEnum):
    """How a comparison compares a fact with its value."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    BETWEEN = "between"
    """From the first to the second value, both inclusive."""
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_SET = "is_set"
    IS_MISSING = "is_missing"


NEGATED: dict[Operator, Operator] = {
    Operator.EQ: Operator.NE,
    Operator.NE: Operator.EQ,
    Operator.IN: Operator.NOT_IN,
    Operator.NOT_IN: Operator.IN,
    Operator.LT: Operator.GE,
    Operator.GE: Operator.LT,
    Operator.LE: Operator.GT,
    Operator.GT: Operator.LE,
    Operator.IS_SET: Operator.IS_MISSING,
    Operator.IS_MISSING: Operator.IS_SET,
}
"""For each operator, the one that holds on a known fact where it does not; three have none."""

LISTS = frozenset({Operator.IN, Operator.NOT_IN, Operator.BETWEEN})
NO_VALUE = frozenset({Operator.IS_SET, Operator.IS_MISSING})
BOUNDS = 2


class _Composable(Readable):
    """The operators `&`, `|` and `~`, shared by the four kinds of condition."""

    __slots__ = ()
    __attrs_init__: ClassVar[Any]  # made by attrs: sets the fields, in their order

    def __and__(self, other: Condition) -> AllOf:
        return AllOf(*_flattened(AllOf, self, other))

    def __or__(self, other: Condition) -> AnyOf:
        return AnyOf(*_flattened(AnyOf, self, other))

    def _refuse_operand(self, other: object) -> Never:
        """Explain `1 & condition`, which Python reads out of `where.a == 1 & condition`."""
        raise wrong_condition(other, "$")

    __rand__ = __ror__ = _refuse_operand

    def __bool__(self) -> Never:
        raise no_truth_value()


def _flattened(kind: type[AllOf | AnyOf], *operands: object) -> Iterator[Condition]:
    for operand in operands:
        if isinstance(operand, kind) and operand.conditions:  # an empty group stays, to be found
            yield from operand.conditions
        else:
            yield cast("Condition", operand)


def _typed_value(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(typed, cast("tuple[object, ...]", value)))
    return typed(value)


def _scalar(value: object, path: str) -> FactValue:
    match value:
        case bool():
            return value
        case str():
            return require_text(value, path, ConditionError)
        case int() | Decimal():
            return require_number(value, path, ConditionError)
        case datetime():
            return utc(value, path, ConditionError)
        case _:
            raise wrong_value(value, path)


@attrs.frozen(init=False)
class Comparison(_Composable):
    """A comparison of one fact with a value; usually written with `where`.

    `value` is one value, a tuple of values for `in`, `not_in` and `between`, and None for
    `is_set` and `is_missing`. Raises `ConditionError` or `ArgumentTypeError` for a value
    that fits no fact; `RuleSet.findings` reports a value that does not fit this fact.

    >>> Comparison("installments", "ge", 6) == (where.installments >= 6)
    True
    """

    fact: str
    operator: Operator
    value: FactValue | tuple[FactValue, ...] | None = attrs.field(default=None, eq=_typed_value)

    depth: ClassVar[int] = 0
    nodes: ClassVar[int] = 1

    def __init__(
        self,
        fact: str,
        operator: Operator | str,
        value: FactValue | Iterable[FactValue] | None = None,
    ) -> None:
        op = require_member(
            operator, Operator, "$.operator", ConditionError, code="unknown_operator"
        )
        name = require_id(fact, "$.fact", ConditionError)
        self.__attrs_init__(name, op, _value_for(op, value))

    def __invert__(self) -> Comparison | Not:
        """Return the comparison that holds on a known fact where this one does not."""
        if self.operator in NEGATED:
            return Comparison(self.fact, NEGATED[self.operator], self.value)
        return Not(self)


def plain_comparison(
    fact: str, operator: Operator, value: FactValue | tuple[FactValue, ...] | None
) -> Comparison:
    """Make a comparison of values that are known to be as the constructor would keep them."""
    comparison = object.__new__(Comparison)
    comparison.__attrs_init__(fact, operator, value)
    return comparison


def _value_for(operator: Operator, value: object) -> FactValue | tuple[FactValue, ...] | None:
    if operator in NO_VALUE:
        if value is not None:
            raise ConditionError(
                f"`{operator}` takes no value, got {kind_of(value)}",
                path="$.value",
                hint="remove the value",
            )
        return None
    if operator not in LISTS:
        return _scalar(value, "$.value")
    items = require_tuple(value, "$.value", expected=f"a list of values for `{operator}`")
    values = tuple(_scalar(item, f"$.value[{n}]") for n, item in enumerate(items))
    if operator is Operator.BETWEEN and len(values) != BOUNDS:
        raise ConditionError(
            f"expected two values for `between`, got {len(values)}",
            path="$.value",
            hint="write the lower and the upper bound",
        )
    return values


def _measured(conditions: tuple[object, ...]) -> tuple[int, int]:
    """Return the depth and the number of parts of a condition with these inside."""
    depth = nodes = 1
    for n, part in enumerate(conditions):
        if not isinstance(part, (Comparison, AllOf, AnyOf, Not)):
            raise wrong_condition(part, f"$[{n}]")
        nodes += part.nodes
        if part.depth >= depth:
            depth = 1 + part.depth
    if depth > MAX_DEPTH:
        raise ConditionError(
            f"the condition is nested more than {MAX_DEPTH} deep",
            code="too_deep",
            hint="split it over several segmentations",
        )
    if nodes > MAX_NODES:
        raise ConditionError(
            f"the condition has more than {MAX_NODES} parts",
            code="too_large",
            hint="split it over several segmentations, or use `is_in` for a list of values",
        )
    return depth, nodes


@attrs.frozen(init=False)
class _Combination(_Composable):
    conditions: tuple[Condition, ...]
    depth: int = attrs.field(eq=False, repr=False)
    nodes: int = attrs.field(eq=False, repr=False)

    def __init__(self, *conditions: Condition) -> None:
        self.__attrs_init__(conditions, *_measured(conditions))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.conditions))})"


@attrs.frozen(init=False, repr=False)
class AllOf(_Combination):
    """Holds when all of `conditions` hold; without conditions, it holds.

    Raises `ConditionError` for a condition of more than 32 levels or 1,000 parts.

    >>> (where.language == "en") & (where.installments >= 6)
    AllOf(Comparison(fact='language', operator=<Operator.EQ: 'eq'>, value='en'), ...)
    """

    def __invert__(self) -> AnyOf:
        """Return `~a | ~b` for `a & b`."""
        return AnyOf(*(~condition for condition in self.conditions))


@attrs.frozen(init=False, repr=False)
class AnyOf(_Combination):
    """Holds when at least one of `conditions` holds; without conditions, it does not.

    Raises `ConditionError` for a condition of more than 32 levels or 1,000 parts.

    >>> AnyOf(where.country == "BR", where.country == "PT").nodes
    3
    """

    def __invert__(self) -> AllOf:
        """Return `~a & ~b` for `a | b`."""
        return AllOf(*(~condition for condition in self.conditions))


@attrs.frozen(init=False)
class Not(_Composable):
    """Negates the comparisons inside; `~` means the same and is simplified where possible.

    >>> ~where.price.between(10, 20)
    Not(condition=Comparison(fact='price', operator=<Operator.BETWEEN: 'between'>, ...))
    """

    condition: Condition
    depth: int = attrs.field(eq=False, repr=False)
    nodes: int = attrs.field(eq=False, repr=False)

    def __init__(self, condition: Condition) -> None:
        self.__attrs_init__(condition, *_measured((condition,)))

    def __invert__(self) -> Condition:
        """Return the negated condition."""
        return self.condition


Condition: TypeAlias = Comparison | AllOf | AnyOf | Not
"""Any condition of a segmentation."""


def comparisons(condition: Condition | None, path: str = "$") -> Iterator[tuple[str, Comparison]]:
    """Yield each comparison of a condition with its JSON path, in written order.

    >>> [path for path, _ in comparisons(~((where.a == 1) | where.b.between(1, 2)))]
    ['$.all[0]', '$.all[1].not']
    """
    match condition:
        case None:
            return
        case Comparison():
            yield path, condition
        case AllOf() | AnyOf():
            word = "all" if isinstance(condition, AllOf) else "any"
            for n, part in enumerate(condition.conditions):
                yield from comparisons(part, f"{path}.{word}[{n}]")
        case Not():
            yield from comparisons(condition.condition, f"{path}.not")
        case _:
            assert_never(condition)


class FactRef(FactName):  # noqa: PLW1641 # == builds a condition, so it cannot be a dictionary key
    """A fact to compare, by name: the value of `where.NAME` and `where["NAME"]`."""

    __slots__ = ()

    def __eq__(self, value: FactValue) -> Comparison:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # builds a condition
        return Comparison(self._name, Operator.EQ, value)

    def __ne__(self, value: FactValue) -> Comparison:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # builds a condition
        return Comparison(self._name, Operator.NE, value)

    def __lt__(self, value: FactValue) -> Comparison:
        return Comparison(self._name, Operator.LT, value)

    def __le__(self, value: FactValue) -> Comparison:
        return Comparison(self._name, Operator.LE, value)

    def __gt__(self, value: FactValue) -> Comparison:
        return Comparison(self._name, Operator.GT, value)

    def __ge__(self, value: FactValue) -> Comparison:
        return Comparison(self._name, Operator.GE, value)

    def is_in(self, *values: FactValue) -> Comparison:
        """Hold when the fact is one of `values`."""
        return Comparison(self._name, Operator.IN, values)

    def not_in(self, *values: FactValue) -> Comparison:
        """Hold when the fact is known and is not one of `values`."""
        return Comparison(self._name, Operator.NOT_IN, values)

    def between(self, low: FactValue, high: FactValue) -> Comparison:
        """Hold from `low` to `high`, both inclusive."""
        return Comparison(self._name, Operator.BETWEEN, (low, high))

    def contains(self, text: str) -> Comparison:
        """Hold when the fact contains `text`; case is ignored."""
        return Comparison(self._name, Operator.CONTAINS, text)

    def starts_with(self, text: str) -> Comparison:
        """Hold when the fact begins with `text`; case counts only for an identifier."""
        return Comparison(self._name, Operator.STARTS_WITH, text)

    def is_set(self) -> Comparison:
        """Hold when the event has the fact."""
        return Comparison(self._name, Operator.IS_SET)

    def is_missing(self) -> Comparison:
        """Hold when the event lacks the fact."""
        return Comparison(self._name, Operator.IS_MISSING)


class _Where:
    __slots__ = ()

    def __getattr__(self, name: str) -> FactRef:
        if name.startswith("__"):
            raise AttributeError(name)
        return FactRef(name)

    def __getitem__(self, name: str) -> FactRef:
        return FactRef(name)

    def __repr__(self) -> str:
        return "where"


where = _Where()
"""Names the fact to compare: `where.language == "en"`, `where["my_own_fact"] == 3`."""
