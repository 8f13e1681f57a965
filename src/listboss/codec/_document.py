"""A JSON or TOML text, or a mapping -> one plain tree, within limits and without surprises.

Bytes and nesting are checked before a text is parsed, the number of nodes before anything
is made of it; a mapping from a host may even hold itself. What cannot stand in a document
(a float, NaN, a key given twice, half a character) is replaced by the `CodecError` that it
is, and whoever wants to read that place raises it: so it gets its path, and what stands
beside it can still be read. Nothing outside the package is called but the two parsers.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias, TypeVar, cast

import attrs

from listboss.codec._faults import fault
from listboss.errors import CodecError
from listboss.rules._nesting import nests_deeper
from listboss.rules._text import MAX_INTEGER_BITS, number_fault, text_fault

__all__ = [
    "LIMITS",
    "MAX_KEY_PARTS",
    "VERSION",
    "Format",
    "Limits",
    "Source",
    "checked_number",
    "opened",
    "tree_of",
]

Format: TypeAlias = Literal["json", "toml"]
Number = TypeVar("Number", int, Decimal)
Source: TypeAlias = str | bytes | Mapping[str, Any]

VERSION = 1
"""The version of the formats; it changes apart from the package's."""

MAX_KEY_PARTS = 16
"""How many parts a dotted key of TOML may have; reading it takes time by their square."""
_MAX_DIGITS = 40
"""Longer whole numbers have over 128 bits for sure, and Python refuses very long ones."""


@attrs.frozen(kw_only=True)
class Limits:
    """How much of a document is read: bytes, containers one inside the other, and values.

    The defaults take a rule file of some 20,000 segmentations, and every condition.

    >>> from listboss.codec import Limits, load_rules
    >>> load_rules('{"products": []}', limits=Limits(max_bytes=10))
    Traceback (most recent call last):
    listboss.errors.CodecError: the document has over 10 bytes (...)
    """

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 80
    max_nodes: int = 500_000


LIMITS = Limits()
"""The limits that hold unless a reader is given others."""

# A string is taken whole, closed or not: a scan never goes back into one.
_JSON_STRING = r'"(?:[^"\\]++|\\.?)*+"?'
_TOML_OPAQUE = (
    r'"""(?:[^"\\]++|\\.?|"(?!""))*+(?:"{3,5}+)?'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5}+)?"
    r'|"(?:[^"\\\n]++|\\.?)*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+"
)
_TOML_BRACKET = re.compile(rf"{_TOML_OPAQUE}|([\[\]{{}}])", re.DOTALL)
_KEY = re.compile(r'(?:[\w-]++|"")++(?:[ \t]*+\.[ \t]*+(?:[\w-]++|"")++)*+')
_TOML_PLACE = re.compile(r" \(at (line \d+, column \d+|end of document)\)$")


def tree_of(source: Source, format: Format, limits: Limits) -> object:
    """Read a document into texts, numbers, truth values, None, instants, lists and dicts."""
    if format not in _PARSERS:
        raise fault("unknown_format", "there is no such format")
    given = cast("object", source)
    if isinstance(given, Mapping):
        return _plain(cast("object", given), limits)
    text = _decoded(given, limits)
    return _plain(_PARSERS[format](text, limits), limits)


def opened(tree: object) -> dict[str, object]:
    """Return the document's object without its version, which is checked."""
    if isinstance(tree, CodecError):
        raise tree
    if not isinstance(tree, dict):
        raise fault("wrong_type", "an object is meant here")
    root = cast("dict[str, object]", tree)
    version = root.pop("version", VERSION)
    if isinstance(version, CodecError):
        version.path = "$.version"
        raise version
    if type(version) is not int or version != VERSION:
        error = fault("unsupported_version", "the version of the format is unknown")
        error.path = "$.version"
        raise error
    return root


def _decoded(source: object, limits: Limits) -> str:
    if not isinstance(source, (str, bytes)):
        raise fault("wrong_type", "a document is a text, bytes, or a mapping")
    data = source
    if isinstance(source, str) and len(source) <= limits.max_bytes:
        data = source.encode("utf-8", "surrogatepass")
    if len(data) > limits.max_bytes:
        raise fault("too_many_bytes", f"the document has over {limits.max_bytes} bytes")
    text = source if isinstance(source, str) else _utf8(source)
    if text.startswith("\ufeff"):
        raise fault("byte_order_mark", "the document begins with a byte order mark")
    if not text.strip():
        raise fault("empty", "the document is empty")
    return text


def _utf8(source: bytes) -> str:
    text = source.decode("utf-8", "replace")
    # Not by the decoder's own error: that holds the document.
    if "\ufffd" in text and text.encode() != source:
        raise fault("not_utf8", "the document is not UTF-8")
    return text


def _bare(text: str, opaque: str) -> str:
    return re.sub(opaque, '""', text, flags=re.DOTALL)


def _too_deep(limits: Limits) -> CodecError:
    return fault("too_deep", f"the document nests over {limits.max_depth} deep")


def _too_many(limits: Limits) -> CodecError:
    return fault("too_many_nodes", f"the document has over {limits.max_nodes} values")


class _Twice(dict[str, object]):
    """An object in which a key is given twice."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    return content if len(content) == len(pairs) else _Twice()


def _whole_number(text: str) -> int:
    return int(text) if len(text) <= _MAX_DIGITS else 1 << MAX_INTEGER_BITS


def _decimal(text: str) -> object:
    try:
        return Decimal(text)
    except InvalidOperation:
        return math.inf


def _json(text: str, limits: Limits) -> object:
    if nests_deeper(text, limits.max_depth):
        raise _too_deep(limits)
    few = text.count(",") < limits.max_nodes  # and fewer outside of strings
    if not few and _bare(text, _JSON_STRING).count(",") >= limits.max_nodes:
        raise _too_many(limits)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        place, reason = f"line {error.lineno}, column {error.colno}", error.msg
    raise _syntax(f"{place} is no JSON", reason)


def _toml(text: str, limits: Limits) -> object:
    if nests_deeper(text, limits.max_depth, _TOML_BRACKET):
        raise _too_deep(limits)
    bare = _bare(text, _TOML_OPAQUE)
    if max(bare.count(","), bare.count("=")) >= limits.max_nodes:
        raise _too_many(limits)
    if any(key[0].count(".") >= MAX_KEY_PARTS for key in _KEY.finditer(bare)):
        raise fault("too_deep", f"a key has over {MAX_KEY_PARTS} parts")
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    except ValueError:
        raise fault("number_too_large", "a whole number is too large") from None
    place = _TOML_PLACE.search(reason)
    where = place[1] if place else "the document"
    reason = reason[: place.start()] if place else reason
    if reason.startswith(("Cannot ", "Duplicate ")):  # ... overwrite, declare twice, mutate
        raise fault("duplicate_key", f"a key is given twice at {where}")
    raise _syntax(f"{where} is no TOML", reason)


_PARSERS = {"json": _json, "toml": _toml}


def _syntax(message: str, reason: str) -> CodecError:
    return fault("syntax", message, reason[:1].lower() + reason[1:])


def _plain(value: object, limits: Limits) -> object:
    """Copy a tree of whatever into one of plain values and, in place of the odd, faults."""
    nodes = 1

    def visit(value: object, depth: int) -> object:
        nonlocal nodes
        if not isinstance(value, (Mapping, list, tuple)):
            return _scalar(value)
        nodes += len(cast("list[object]", value))
        if nodes > limits.max_nodes:
            raise _too_many(limits)
        if depth > limits.max_depth:
            raise _too_deep(limits)
        if isinstance(value, _Twice):
            return fault("duplicate_key", "a key is given twice in this object")
        if not isinstance(value, Mapping):
            return [visit(item, depth + 1) for item in cast("list[object]", value)]
        return _entries(
            [(_key(key), visit(item, depth + 1)) for key, item in value.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] # a host's mapping may hold anything
        )

    return visit(value, 1)


def _key(key: object) -> str | CodecError:
    return _text(key) if isinstance(key, str) else fault("wrong_type", "a key is a text")


def _entries(entries: list[tuple[str | CodecError, object]]) -> object:
    content: dict[str, object] = {}
    for key, value in entries:
        if isinstance(key, CodecError):
            return key
        content[key] = value
    return content


def _text(value: str) -> str | CodecError:
    found = text_fault(value)
    return fault(*found) if found else str.__str__(value)


def checked_number(value: Number) -> Number | CodecError:
    """Return the number, or the fault that it is not finite or is too large."""
    found = number_fault(value)
    return fault(*found) if found else value


def _scalar(value: object) -> object:
    match value:
        case None | bool() | datetime() | date() | time():
            return value
        case str():
            return _text(value)
        case int():
            return checked_number(int.__int__(value))
        case Decimal():
            return checked_number(value)
        case float() if math.isfinite(value):
            return fault("float", "a float is meant by nobody here")
        case float():
            return fault("not_finite", "the number is not finite")
        case _:
            return fault("wrong_type", "this is nothing that a document holds")
