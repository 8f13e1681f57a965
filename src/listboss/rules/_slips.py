"""Errors for Python that looks like a condition and is not one, with what to write instead.

`and`, `or`, `not`, `in`, chained comparisons, missing parentheses, `== None`, a list for
`is_in`, a fact without a comparison: each raises `ArgumentTypeError`, and none is silently
read as another condition.
"""

from __future__ import annotations

from datetime import date
from types import MethodType
from typing import Never, TypeAlias

from listboss.errors import ArgumentTypeError, ConditionError
from listboss.rules._text import require_id, wrong_type
from listboss.rules.event import ANY_VALUE

__all__ = ["FactName", "no_truth_value", "wrong_condition", "wrong_value"]

_PARENTHESES = "put each comparison in parentheses: `(where.a == 1) & (where.b == 2)`"

_Hints: TypeAlias = tuple[tuple[tuple[type, ...], str], ...]
_CONDITION_HINTS: _Hints = (
    ((list, tuple), "write `AllOf(*conditions)`"),
    ((MethodType,), "call the method, such as `where.offer.is_set()`"),
)
_VALUE_HINTS: _Hints = (
    ((type(None),), "use `is_missing()` or `is_set()` to test whether an event has the fact"),
    ((float,), 'write the number as an integer or as `Decimal("49.90")`'),
    ((date,), "write a datetime with a time zone"),
    (
        (list, tuple, set, frozenset),
        'use `is_in` for several values, without a list: `is_in("BR", "PT")`',
    ),
)


class FactName:
    """The name of a fact before it is compared; combining or testing it raises."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = require_id(name, "$.fact", ConditionError)

    def __repr__(self) -> str:
        return f"where.{self._name}" if self._name.isidentifier() else f"where[{self._name!r}]"

    def _refuse(self, *_operands: object) -> Never:
        raise ArgumentTypeError(
            f"`{self!r}` is a fact, not a condition",
            hint=f"{_PARENTHESES}; compare a boolean fact too: `{self!r} == True`",
        )

    __and__ = __rand__ = __or__ = __ror__ = __invert__ = __bool__ = __contains__ = _refuse


def no_truth_value() -> ArgumentTypeError:
    """Return the error for a condition that Python tests for truth."""
    return ArgumentTypeError(
        "a condition is neither true nor false without an event",
        hint="write `&`, `|` and `~` instead of `and`, `or` and `not`, `is_in` instead of `in`,"
        f" and `between` instead of a chained comparison; {_PARENTHESES}",
    )


def wrong_condition(value: object, path: str) -> ArgumentTypeError:
    """Return the error for a value where a condition is expected."""
    if isinstance(value, FactName):
        hint = f"compare the fact with a value, such as `{value!r} == True`"
        return ArgumentTypeError("expected a condition, got a fact", path=path, hint=hint)
    return wrong_type("a condition", value, path, _hint(value, _CONDITION_HINTS) or _PARENTHESES)


def wrong_value(value: object, path: str) -> ArgumentTypeError:
    """Return the error for a value that no fact can have."""
    if isinstance(value, FactName):
        hint = "compare the fact with a value: a rule cannot compare two facts"
        return ArgumentTypeError(f"expected {ANY_VALUE}, got a fact", path=path, hint=hint)
    return wrong_type(ANY_VALUE, value, path, _hint(value, _VALUE_HINTS))


def _hint(value: object, hints: _Hints) -> str:
    return next((hint for kinds, hint in hints if isinstance(value, kinds)), "")
