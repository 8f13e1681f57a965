"""One column at a time: its type, then the plain value of each row or why it is not valid.

A value is checked once for each distinct one, by the functions that check the fields of an
event. A dictionary column is decoded through its dictionary, a time through its integer: the
scalars of pyarrow take ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from listboss.errors import ArgumentTypeError, ConfigurationError, EventError, ListBossError
from listboss.rules._text import (
    quoted,
    require_id,
    require_text,
    text_fault,
    wrong_type,
)
from listboss.rules.catalogue import FactKind
from listboss.rules.event import trimmed
from listboss.scale._arrow import Array, RecordBatch, pa

__all__ = [
    "BOOLEAN",
    "CONTACT_TEXT",
    "FACT_FORMS",
    "ID",
    "INSTANT",
    "INTEGER",
    "RAW_TEXT",
    "TEXT",
    "TEXTS",
    "Column",
    "Form",
    "columns_of",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_SCALE = 76
MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}


@attrs.frozen
class Form:
    """What a column has to be, in words and by its type, and how a value of it is read.

    `read_all` reads many values at once, and faster; None if one of them may not be valid.
    """

    expected: str
    fits: Callable[[Any], bool]
    read: Callable[[Any], Any]
    read_all: Callable[[list[Any]], list[Any] | None] = lambda _values: None
    hint: str = ""


@attrs.frozen
class Column:
    """The plain value of each row, None where it is absent or not valid; and errors by row."""

    array: Array
    values: list[Any]
    faults: dict[int, str]


def _is_text(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_zoned(kind: Any) -> bool:
    return bool(pa.types.is_timestamp(kind)) and kind.tz is not None


def _is_number(kind: Any) -> bool:
    # pyarrow itself cannot make a `Decimal` of another scale.
    is_decimal = pa.types.is_decimal(kind) and 0 <= kind.scale <= MAX_SCALE
    return bool(is_decimal or pa.types.is_integer(kind))


def _is_texts(kind: Any) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list) and _is_text(kind.value_type)


def _same(value: Any) -> Any:
    return value


def _id(value: str) -> str:
    return require_id(value, "$", EventError)


def _text(value: str) -> str:
    return require_text(value, "$", EventError)


def _contact_text(value: str) -> str | None:
    text = trimmed(value)
    return None if text is None else _id(text)


def _instant(microseconds: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise EventError("the time is not in the years 1 to 9999 in UTC") from None


def _all(values: list[Any]) -> list[Any]:
    return values


def _all_ids(values: list[str]) -> list[str] | None:
    return values if _all_texts(values) and all(map(str.strip, values)) else None


def _all_texts(values: list[str]) -> list[str] | None:
    # No fault of a string spans two of them.
    return values if text_fault("".join(values)) is None else None


def _all_trimmed(values: list[str]) -> list[str] | None:
    return values if _all_ids(values) and [*map(str.strip, values)] == values else None


def _all_instants(values: list[int]) -> list[datetime] | None:
    try:
        return [EPOCH + timedelta(0, 0, microseconds) for microseconds in values]
    except OverflowError:
        return None


_ZONE = "store times as timestamps with a time zone, such as UTC"
_MONEY = "store the column as a decimal; floats are not accepted"

RAW_TEXT = Form("strings", _is_text, _same, _all)
ID = Form("strings", _is_text, _id, _all_ids)
CONTACT_TEXT = Form("strings", _is_text, _contact_text, _all_trimmed)
TEXT = Form("strings", _is_text, _text, _all_texts)
TEXTS = Form("lists of strings", _is_texts, _same, _all)
INTEGER = Form("integers", pa.types.is_integer, _same, _all)  # of 64 bits at most
BOOLEAN = Form("booleans", pa.types.is_boolean, _same, _all)
DECIMAL = Form("decimals or integers", _is_number, _same, _all, hint=_MONEY)  # of 76 digits at most
INSTANT = Form("times with a time zone", _is_zoned, _instant, _all_instants, _ZONE)

FACT_FORMS: dict[FactKind, Form] = {
    **dict.fromkeys(FactKind, TEXT),
    FactKind.INTEGER: INTEGER,
    FactKind.DECIMAL: DECIMAL,
    FactKind.BOOLEAN: BOOLEAN,
    FactKind.INSTANT: INSTANT,
}


def columns_of(batch: RecordBatch, forms: dict[str, Form]) -> dict[str, Column]:
    """Read the columns of a batch; others are ignored.

    Raises `ConfigurationError` for a column that is missing or there twice, and
    `ArgumentTypeError` for one of the wrong type.
    """
    if not isinstance(batch, pa.RecordBatch):
        hint = "make batches of a table with `table.to_batches()`"
        raise wrong_type("a pyarrow.RecordBatch", batch, "$.batch", hint)
    arrays = {name: _array(batch, name, form) for name, form in forms.items()}
    return {name: Column(array, *_read(array, forms[name])) for name, array in arrays.items()}


def _array(batch: RecordBatch, name: str, form: Form) -> Array:
    found: list[int] = batch.schema.get_all_field_indices(name)
    if len(found) != 1:
        problem = "is there twice" if found else "is missing"
        raise ConfigurationError(
            f"the column {quoted(name)} {problem}",
            path=f"$.{name}",
            hint="the schema has the columns; fill one that you do not have with nulls",
        )
    array = batch.column(found[0])
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not (form.fits(kind) or pa.types.is_null(kind)):
        raise ArgumentTypeError(
            f"the column {quoted(name)}: expected {form.expected}, got {quoted(str(array.type))}",
            path=f"$.{name}",
            hint=form.hint,
        )
    return array


def _read(array: Array, form: Form) -> tuple[list[Any], dict[int, str]]:
    """Read all values at once if they are valid, else each distinct one."""
    if array.null_count == len(array):
        return [None] * len(array), {}
    if pa.types.is_dictionary(array.type) and len(array.dictionary) > len(array):
        array = array.dictionary_decode()  # a slice of a column with many values
    if pa.types.is_decimal(array.type):
        array = array.dictionary_encode()
    if pa.types.is_dictionary(array.type):
        return _by_key(array.indices.to_pylist(), _raw(array.dictionary), form)
    raw = _raw(array)
    present = [value for value in raw if value is not None] if array.null_count else raw
    values = form.read_all(present)
    if values is None:
        return _each(raw, zip(present, present, strict=True), form)
    if array.null_count:
        each = iter(values)
        values = [None if value is None else next(each) for value in raw]
    return values, {}


def _by_key(keys: list[Any], raws: list[Any], form: Form) -> tuple[list[Any], dict[int, str]]:
    """Give every row the value of its key; the values are read at once if all are valid."""
    values = None if None in raws else form.read_all(raws)
    if values is None or None in keys:
        return _each(keys, enumerate(raws), form)
    return [*map(values.__getitem__, keys)], {}


def _each(
    keys: list[Any], raws: Iterable[tuple[Any, Any]], form: Form
) -> tuple[list[Any], dict[int, str]]:
    """Read each raw value by its key, then give every row that of its key."""
    values: dict[Any, Any] = {None: None}
    bad: dict[Any, str] = {}
    for key, raw in raws:
        if key in values:
            continue
        try:
            values[key] = None if raw is None else form.read(raw)
        except ListBossError as error:
            values[key] = None
            bad[key] = error.code
    faults = {row: bad[key] for row, key in enumerate(keys) if key in bad} if bad else {}
    return [*map(values.__getitem__, keys)], faults


def _raw(array: Array) -> list[Any]:
    """Return strings, numbers and booleans as they are, and times as microseconds."""
    if pa.types.is_timestamp(array.type):
        unit = array.type.unit
        if unit == "ns":
            array, unit = array.cast(pa.timestamp("us", tz="UTC"), safe=False), "us"
        scale = MICROSECONDS[unit]
        raw: list[Any] = array.cast(pa.int64()).to_pylist()
        return raw if scale == 1 else [None if each is None else each * scale for each in raw]
    if pa.types.is_decimal(array.type):  # two times as fast as `to_pylist`
        texts = array.cast(pa.string()).to_pylist()
        return [None if text is None else Decimal(text) for text in texts]
    try:
        values: list[Any] = array.to_pylist()
    except UnicodeDecodeError:  # keep what is not UTF-8 as a fault of its row
        bytes_of = array.cast(pa.large_binary()).to_pylist()
        return [None if b is None else b.decode("utf-8", "surrogateescape") for b in bytes_of]
    return values
