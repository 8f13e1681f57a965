"""pyarrow, in one place: it has no types for checkers, so everything made with it is `Any`.

No other module imports pyarrow. What a user gets without the extra is an error that names it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

try:
    import pyarrow as _pyarrow  # pyright: ignore[reportMissingTypeStubs] # it has no types
    import pyarrow.compute as _compute  # pyright: ignore[reportMissingTypeStubs] # as above
except ImportError as error:
    raise ImportError(
        "listboss.scale needs pyarrow: `python -m pip install 'listboss[arrow]'`"
    ) from error

__all__ = [
    "CODE",
    "INSTANT",
    "TEXT",
    "Array",
    "RecordBatch",
    "Schema",
    "array_of",
    "as_type",
    "pa",
    "pc",
]

RecordBatch: TypeAlias = Any
"""A `pyarrow.RecordBatch`."""
Schema: TypeAlias = Any
"""A `pyarrow.Schema`."""
Array: TypeAlias = Any
"""A `pyarrow.Array`."""

pa: Any = _pyarrow
pc: Any = _compute

TEXT = pa.string()
CODE = pa.dictionary(pa.int32(), pa.string())
"""Strings of which many are equal."""
INSTANT = pa.timestamp("us", tz="UTC")


def array_of(values: list[Any], kind: Any) -> Array:
    """Make an array of one of our types."""
    if kind is CODE:
        return pa.array(values, TEXT).dictionary_encode()
    return pa.array(values, kind)


def as_type(array: Array, kind: Any) -> Array:
    """Turn an array of another width, precision or encoding into one of our types."""
    if array.type == kind:
        return array
    if array.null_count == len(array):
        return array_of([None] * len(array), kind)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if kind is CODE:
        return array.cast(TEXT).dictionary_encode()
    return array.cast(kind, safe=False)
