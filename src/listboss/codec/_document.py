"""Read JSON text, TOML text or a mapping into one plain tree, within limits.

Bytes, nesting and the number of values are checked before text is parsed; a mapping from a host
may even contain itself. A value that no document can have (an object with a duplicate key, a lone
surrogate) is replaced by its `CodecError`, and floats are left in. The reader of that place
raises the error, so that it gets a path and the rest of the document can still be read.
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

from listboss.codec._faults import fault, shown_key, wrong_type
from listboss.errors import CodecError
from listboss.rules._nesting import brackets_of, count_values, depth_of, json_outline
from listboss.rules._text import MAX_INTEGER_BITS, number_fault, text_fault

__all__ = [
    "LIMITS",
    "MAX_KEY_PARTS",
    "VERSION",
    "Format",
    "Limits",
    "Source",
    "checked_number",
    "read_tree",
    "root_object",
]

Format: TypeAlias = Literal["json", "toml"]
"""The formats of a rule file."""
Number = TypeVar("Number", int, Decimal)
Source: TypeAlias = str | bytes | Mapping[str, Any]
"""What a document is read from: text, bytes, or the mapping that a parser returned."""

VERSION = 1
"""The version of the formats, which is independent of the version of the package."""

MAX_KEY_PARTS = 16
"""At most this many parts in a dotted key of TOML: reading one takes time quadratic in them."""
NODES_PER_DOT, NODES_PER_HEADER = 5, 6
"""A dot in a key of TOML, and the header of a table, count as this many values: the parser takes
about 10 µs and 1 KB for each table that they make."""
MAX_DIGITS = 512
"""At most this many digits in a number of TOML: its parser needs much memory for each, and a
host may set Python to refuse integers of more than 640."""
_FEW_DIGITS = 38
"""An integer of at most this many digits has less than 128 bits."""
_MAX_DIGITS = 40
"""A longer integer has more than 128 bits, and Python refuses to parse a very long one."""


@attrs.frozen(kw_only=True)
class Limits:
    """At most this many bytes, levels of nested containers, and values in a document.

    The defaults allow a rule file of about 20,000 segmentations, and every condition. TOML has a
    limit of its own, since its parser takes up to a second for a megabyte.

    >>> from listboss.codec import Limits, load_rules
    >>> load_rules('{"products": []}', limits=Limits(max_bytes=10))
    Traceback (most recent call last):
    listboss.errors.CodecError: the document has more than 10 bytes (...)
    """

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 80
    max_nodes: int = 500_000
    max_toml_bytes: int = 2 * 1024 * 1024


LIMITS = Limits()
"""The limits of every reader that is called without `limits`."""

# A string matches as a whole, closed or not, so a scan never starts again inside one.
_OPAQUE = (
    r'"""(?:[^"\\]++|\\.?|"(?!""))*+(?:"{3,5}+)?'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5}+)?"
    r'|"(?:[^"\\\n]++|\\.?)*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+"
)
"""Strings and comments of TOML, in which brackets and commas have no meaning."""
_TOML_STRING = re.compile(_OPAQUE, re.DOTALL)
_TOML_CHUNK = re.compile(rf"""(?:[^"'\#]++|{_OPAQUE}){{1,4096}}+""", re.DOTALL)
_LONG_KEY = re.compile(rf'(?:\.[ \t]*+(?:[\w-]++|"")[ \t]*+){{{MAX_KEY_PARTS}}}')
_FILE_NAME = re.compile(r"[\w ./\\:-]{1,255}\.(?:json|toml)")
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_HEXADECIMAL = bytes.maketrans(b"123456789abcdefABCDEF_", b"0" * 22)

# Hints for the syntax errors of both parsers, by the start of the parser's message. The messages
# differ between versions of Python; one without an entry is itself the hint.
_SYNTAX_HINTS = {
    "Expecting value": "expected a value",
    "Expecting property name": "expected a key in double quotes",
    "Expecting ':'": "expected `:` after the key",
    "Expecting ','": "expected `,` or a closing bracket",
    "Illegal trailing comma": "remove the comma before the closing bracket",
    "Extra data": "expected the end of the document",
    "Unterminated string": "close the string with a quote",
    "Invalid control character": r"write a line break or tab inside a string as \n or \t",
    "Invalid \\escape": r"write a backslash as \\",
    "Invalid value": "expected a value, and a string in quotes",
    "Invalid statement": "expected a key or a [table]",
    "Invalid initial character": "expected a key, in quotes if it has special characters",
    "Expected '=' after a key": "expected `=` after the key",
    "Expected newline": "expected the end of the line",
    "Unclosed array": "expected `,` or `]`",
    "Unclosed inline table": "expected `,` or `}`",
    "Unescaped '\\'": r"write a backslash as \\, or the string in single quotes",
    "Invalid date": 'use the form "2026-05-04T12:00:00Z"',
}


def read_tree(source: Source, format: Format, limits: Limits) -> object:
    """Read a document into strings, numbers, booleans, None, dates and times, lists and dicts."""
    if format not in list(_PARSERS):  # in a list, what has no hash is unknown too
        raise fault("unknown_format", "unknown format")
    document = cast("object", source)
    if isinstance(document, Mapping):
        return _plain(cast("object", document), limits)
    most = limits.max_bytes
    most = min(most, limits.max_toml_bytes) if format == "toml" else most
    return _PARSERS[format](_decoded(document, most), limits)


def root_object(tree: object) -> dict[str, object]:
    """Return the document's object without its version, which is checked."""
    if not isinstance(tree, dict):
        raise wrong_type(tree, "an object", "write the document as one object")
    root = cast("dict[str, object]", tree)
    version = root.pop("version", None)
    version = VERSION if version is None else version
    if type(version) is not int or version != VERSION:
        unknown = fault("unsupported_version", "unknown version of the format")
        error = wrong_type(version, "1") if isinstance(version, (CodecError, float)) else unknown
        error.path = "$.version"
        raise error
    return root


def _decoded(source: object, max_bytes: int) -> str:
    if not isinstance(source, (str, bytes)):
        raise wrong_type(source, "a string, bytes or a mapping", "pass the document itself")
    data = source
    if isinstance(source, str) and not source.isascii() and len(source) <= max_bytes:
        data = source.encode("utf-8", "surrogatepass")
    if len(data) > max_bytes:
        raise fault("too_many_bytes", f"the document has more than {max_bytes} bytes")
    text = source if isinstance(source, str) else _utf8(source)
    if text.startswith("\ufeff"):
        raise fault("byte_order_mark", "the document starts with a byte order mark")
    if not text.strip():
        raise fault("empty", "the document is empty")
    return text


def _utf8(source: bytes) -> str:
    text = source.decode("utf-8", "replace")
    # Not reported with the decoder's own error, which contains the document.
    if "\ufffd" in text and text.encode() != source:
        raise fault("not_utf8", "the document is not UTF-8")
    return text


def _without_strings(text: str) -> str:
    """Return TOML without comments and with empty strings, piece by piece to save memory."""
    return "".join([_TOML_STRING.sub('""', piece[0]) for piece in _TOML_CHUNK.finditer(text)])


def _too_deep(limits: Limits) -> CodecError:
    return fault("too_deep", f"the document nests more than {limits.max_depth} levels deep")


def _too_many(limits: Limits, note: str = "") -> CodecError:
    return fault("too_many_nodes", f"the document has more than {limits.max_nodes} values{note}")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | CodecError:
    content = dict(pairs)
    if len(content) == len(pairs):
        return content
    last = {key: n for n, (key, _) in enumerate(pairs)}
    duplicate = next(key for n, (key, _) in enumerate(pairs) if last[key] != n)
    return fault("duplicate_key", f"duplicate key{shown_key(duplicate)}")


def _integer(text: str) -> int | CodecError:
    if len(text) <= _FEW_DIGITS:
        return int(text)
    return checked_number(int(text) if len(text) <= _MAX_DIGITS else 1 << MAX_INTEGER_BITS)


def _decimal(text: str) -> object:
    try:
        return Decimal(text)
    except InvalidOperation:
        return math.inf


def _json(text: str, limits: Limits) -> object:
    brackets = text.count("[") + text.count("{")
    may_be_many = brackets + text.count(",") >= limits.max_nodes
    if may_be_many and count_values(json_outline(text)) > limits.max_nodes:
        raise _too_many(limits)
    if brackets > limits.max_depth and depth_of(brackets_of(text)) > limits.max_depth:
        raise _too_deep(limits)
    try:
        tree: object = _DECODER.decode(text)
        # The hooks of the decoder leave nothing to check but characters that must be escaped.
        escaped = "\\" in text and "\\u" in text  # the first is faster to look for
        return _plain(tree, limits) if escaped or text_fault(text) else tree
    except json.JSONDecodeError as error:
        place, reason = f"line {error.lineno}, column {error.colno}", error.msg
    raise _syntax(f"invalid JSON at {place}", reason, text)


def _toml(text: str, limits: Limits) -> object:
    bare = _without_strings(text)
    outline = bare.encode("utf-8", "surrogatepass")
    # Each part of a key in the header of a table becomes a table; a dot in a number does not.
    dots = outline.count(b".") - outline.translate(_DIGITS).count(b"0.0")
    tables = NODES_PER_DOT * dots + NODES_PER_HEADER * outline.count(b"\n[")
    if max(outline.count(b","), outline.count(b"=")) + tables >= limits.max_nodes:
        raise _too_many(limits, ", where each table counts as several")
    if depth_of(outline) > limits.max_depth:
        raise _too_deep(limits)
    if _LONG_KEY.search(bare):
        raise fault("too_deep", f"a key has more than {MAX_KEY_PARTS} parts")
    if b"0" * MAX_DIGITS in outline.translate(_HEXADECIMAL):
        raise fault("number_too_large", f"a number has more than {MAX_DIGITS:,} digits")
    try:
        tree = tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    else:
        return _plain(tree, limits)
    reason, _, place = reason.removesuffix(")").rpartition(" (at ")
    place = place.replace("end of document", "the end of the document")
    if reason.startswith(("Cannot ", "Duplicate ")):  # ... overwrite, declare twice, mutate
        raise fault("duplicate_key", f"duplicate key at {place}")
    raise _syntax(f"invalid TOML at {place}", reason, text)


_PARSERS = {"json": _json, "toml": _toml}


def _syntax(message: str, reason: str, text: str) -> CodecError:
    if _FILE_NAME.fullmatch(text):
        return fault("syntax", message, "pass the text of the file, not its name")
    hints = (hint for start, hint in _SYNTAX_HINTS.items() if reason.startswith(start))
    return fault("syntax", message, next(hints, reason[:1].lower() + reason[1:]))


def _plain(value: object, limits: Limits) -> object:
    """Copy a tree of any values into one of plain values, with a fault for every other value."""
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
        if not isinstance(value, Mapping):
            return [visit(item, depth + 1) for item in cast("list[object]", value)]
        content = {_key(key): visit(item, depth + 1) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] # a host's mapping may contain anything
        return next((key for key in content if isinstance(key, CodecError)), content)

    return visit(value, 1)


def _key(key: object) -> str | CodecError:
    if isinstance(key, str):
        return _text(key)
    return wrong_type(key, "a string as a key", "write the key in quotes")


def _text(value: str) -> str | CodecError:
    found = text_fault(value)
    return fault(*found) if found else str.__str__(value)


def checked_number(value: Number) -> Number | CodecError:
    """Return the number, or the fault that it is not finite or is too large."""
    found = number_fault(value)
    return fault(*found) if found else value


def _scalar(value: object) -> object:
    match value:
        case None | bool() | float() | datetime() | date() | time() | CodecError():
            return value  # no reader takes a float
        case str():
            return _text(value)
        case int():
            return checked_number(int.__int__(value))
        case Decimal():
            return checked_number(Decimal(value))
        case _:
            return wrong_type(value, "a JSON or TOML value")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)
