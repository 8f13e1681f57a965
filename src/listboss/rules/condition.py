"""Who a rule takes: conditions over the facts of an event, as values.

A closed union of four: `Comparison`, `AllOf`, `AnyOf`, `Not`, written with `where`. **A rule
fires only on what is known**: a comparison on a fact that the event lacks, or has in a
wrong type, does not hold, negated or not. So `Not` reaches down to the comparisons:
`~(x == v)` is `x != v`, `~(x < v)` is `x >= v`, `~(a & b)` is `~a | ~b`. There are no
regular expressions, and size is bounded at construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Never, TypeAlias, assert_never, cast

import attrs

from listboss.errors import ArgumentTypeError, ConditionError
from listboss.rules._mapping import fill, typed
from listboss.rules._text import require_id, require_number, require_text
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
    "where",
]

MAX_DEPTH = 32
"""How many combinators may stand one inside the other."""
MAX_NODES = 1_000
"""How many comparisons and combinators one condition may have."""


class Operator(StrEnum):
    """What a comparison asks of a fact."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    BETWEEN = "between"
    """From the first to the second value, both included."""
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
"""The operator that holds where the other does not, on a known fact; three have none."""

LISTS = frozenset({Operator.IN, Operator.NOT_IN, Operator.BETWEEN})
NO_VALUE = frozenset({Operator.IS_SET, Operator.IS_MISSING})
BOUNDS = 2


class _Composable:
    """The operators `&`, `|` and `~`, shared by the four kinds of condition."""

    __slots__ = ()

    def __and__(self, other: Condition) -> AllOf:
        return AllOf(*_flattened(AllOf, self, other))

    def __or__(self, other: Condition) -> AnyOf:
        return AnyOf(*_flattened(AnyOf, self, other))

    def __bool__(self) -> Never:
        raise ArgumentTypeError(
            "a condition is neither true nor false without an event",
            hint="combine conditions with & | ~ and put each comparison in parentheses",
        )


def _flattened(kind: type[AllOf | AnyOf], *operands: object) -> Iterator[Condition]:
    for operand in operands:
        if isinstance(operand, kind):
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
            if value.utcoffset() is None:
                raise ConditionError("the time has no time zone", path=path)
            return utc(value, path)
        case _:
            raise ArgumentTypeError(
                "a fact compares with a text, whole number, decimal, truth value or instant",
                path=path,
                hint="write money as a decimal; ask is_missing() for an absent fact",
            )


@attrs.frozen(init=False)
class Comparison(_Composable):
    """One question about one fact; usually written with `where`.

    `value` is one value, a tuple of them for `in`, `not_in` and `between`, and None for
    `is_set` and `is_missing`. Raises `ConditionError` or `ArgumentTypeError` for a value
    that fits no fact at all; whether it fits this fact is told by `RuleSet.findings`.

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
        try:
            op = Operator(operator)
        except ValueError:
            raise ConditionError(
                "there is no such operator",
                code="unknown_operator",
                path="$.operator",
                hint=f"one of {', '.join(Operator)}",
            ) from None
        fill(
            self,
            fact=require_id(fact, "$.fact", ConditionError),
            operator=op,
            value=_value_for(op, value),
        )

    def __invert__(self) -> Comparison | Not:
        """Return the comparison that holds on a known fact where this one does not."""
        if self.operator in NEGATED:
            return Comparison(self.fact, NEGATED[self.operator], self.value)
        return Not(self)


def _value_for(operator: Operator, value: object) -> FactValue | tuple[FactValue, ...] | None:
    if operator in NO_VALUE:
        if value is not None:
            raise ConditionError(f"`{operator}` takes no value", path="$.value")
        return None
    if operator not in LISTS:
        return _scalar(value, "$.value")
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ArgumentTypeError(f"`{operator}` takes a tuple of values", path="$.value")
    values = tuple(
        _scalar(item, f"$.value[{n}]") for n, item in enumerate(cast("Iterable[object]", value))
    )
    if operator is Operator.BETWEEN and len(values) != BOUNDS:
        raise ConditionError("`between` takes two values", path="$.value")
    return values


def _check_members(conditions: tuple[object, ...]) -> None:
    for n, condition in enumerate(conditions):
        if not isinstance(condition, (Comparison, AllOf, AnyOf, Not)):
            raise ArgumentTypeError("a condition is meant here", path=f"$[{n}]")


def _check_size(depth: int, nodes: int) -> None:
    if depth > MAX_DEPTH:
        raise ConditionError(f"conditions nest over {MAX_DEPTH} deep", code="too_deep")
    if nodes > MAX_NODES:
        raise ConditionError(f"a condition has over {MAX_NODES} parts", code="too_large")


@attrs.frozen(init=False)
class _Combination(_Composable):
    conditions: tuple[Condition, ...]
    depth: int = attrs.field(eq=False, repr=False)
    nodes: int = attrs.field(eq=False, repr=False)

    def __init__(self, *conditions: Condition) -> None:
        _check_members(conditions)
        depth = 1 + max((part.depth for part in conditions), default=0)
        nodes = 1 + sum(part.nodes for part in conditions)
        _check_size(depth, nodes)
        fill(self, conditions=conditions, depth=depth, nodes=nodes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.conditions))})"


@attrs.frozen(init=False, repr=False)
class AllOf(_Combination):
    """Holds when every one of `conditions` holds; without any, it holds.

    >>> (where.language == "en") & (where.installments >= 6)
    AllOf(Comparison(fact='language', operator=<Operator.EQ: 'eq'>, value='en'), ...)
    """

    def __invert__(self) -> AnyOf:
        """Return `~a | ~b` for `a & b`."""
        return AnyOf(*(~condition for condition in self.conditions))


@attrs.frozen(init=False, repr=False)
class AnyOf(_Combination):
    """Holds when at least one of `conditions` holds; without any, it does not.

    >>> AnyOf(where.country == "BR", where.country == "PT").nodes
    3
    """

    def __invert__(self) -> AllOf:
        """Return `~a & ~b` for `a | b`."""
        return AllOf(*(~condition for condition in self.conditions))


@attrs.frozen(init=False)
class Not(_Composable):
    """Negates the comparisons inside; `~` says the same and is simpler where it can be.

    >>> ~where.price.between(10, 20)
    Not(condition=Comparison(fact='price', operator=<Operator.BETWEEN: 'between'>, ...))
    """

    condition: Condition
    depth: int = attrs.field(eq=False, repr=False)
    nodes: int = attrs.field(eq=False, repr=False)

    def __init__(self, condition: Condition) -> None:
        _check_members((condition,))
        depth, nodes = 1 + condition.depth, 1 + condition.nodes
        _check_size(depth, nodes)
        fill(self, condition=condition, depth=depth, nodes=nodes)

    def __invert__(self) -> Condition:
        """Return what was negated."""
        return self.condition


Condition: TypeAlias = Comparison | AllOf | AnyOf | Not
"""What a segmentation may ask of an event."""


def comparisons(condition: Condition | None, path: str = "$") -> Iterator[tuple[str, Comparison]]:
    """Yield each comparison of a condition with its JSON path, in the order written.

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


class FactRef:  # noqa: PLW1641 # == builds a condition, so it is no dict key
    """A fact by name, to be compared; what `where.NAME` and `where["NAME"]` give."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"where[{self._name!r}]"

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
        """Hold when the fact is known and none of `values`."""
        return Comparison(self._name, Operator.NOT_IN, values)

    def between(self, low: FactValue, high: FactValue) -> Comparison:
        """Hold from `low` to `high`, both included."""
        return Comparison(self._name, Operator.BETWEEN, (low, high))

    def contains(self, text: str) -> Comparison:
        """Hold when the text of the fact has `text` in it; case does not count."""
        return Comparison(self._name, Operator.CONTAINS, text)

    def starts_with(self, text: str) -> Comparison:
        """Hold when the text of the fact begins with `text`; case does not count."""
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
"""Names a fact to compare: `where.language == "en"`, `where["my_own_fact"] == 3`."""
