"""What can be wrong with a document: one table of codes, and how an error gets its path.

Every fault is a `CodecError` with a code from `HINTS`, a JSON path and a hint. A hook says
what is wrong; the notes that cattrs and `inside` add to an exception on its way up say where.
In a rule file, the message starts with the rule's name. Otherwise no message shows a value,
and a key shows only if it looks like a name, so personal data stays out of errors.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial

import attrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)

from listboss.errors import CodecError, CodecErrors, ListBossError
from listboss.rules._text import MAX_LISTED, did_you_mean, quoted

__all__ = [
    "HINTS",
    "KINDS",
    "MAX_FAULTS",
    "add_faults",
    "combine",
    "fault",
    "inside",
    "label",
    "list_words",
    "shown_key",
    "unknown_key",
    "unknown_word",
    "wrong_type",
]

MAX_FAULTS = 100
"""At most this many faults of a document are raised, or get a hint with the nearest word."""

HINTS = {
    # the text
    "too_many_bytes": "split the document, or read it with larger `Limits`",
    "too_deep": "use fewer levels of nesting",
    "too_many_nodes": "split the document, or read it with larger `Limits`",
    "not_utf8": "save the file as UTF-8",
    "byte_order_mark": "save the file as UTF-8 without a byte order mark",
    "empty": "write at least {} in JSON, or version = 1 in TOML",
    "syntax": "fix the syntax error",
    "unknown_format": "use `json` or `toml`",
    "duplicate_key": "remove all but one",
    # its values
    "float": 'write {"decimal": "49.90"}, or an integer',
    "not_finite": "write a finite number, or leave the fact out",
    "number_too_large": "use an integer of at most 128 bits, or a decimal of at most 128 digits",
    "lone_surrogate": "write the whole character",
    "null_character": "remove the character U+0000",
    # its shape
    "unsupported_version": "this release reads version 1",
    "wrong_type": "write a value of the expected type: nothing is converted",
    "unknown_key": "check the spelling",
    "missing_key": "write every required key",
    "unknown_word": "check the spelling",
    "one_key": "write exactly one",
    "blank": "write a name",
    "not_decimal": 'use digits and a decimal point, such as {"decimal": "49.90"}',
    "not_instant": 'use the form "2026-05-04T12:00:00Z"',
    "no_time_zone": 'end it with Z or an offset, such as "2026-05-04T12:00:00-03:00"',
    # what it says
    "duplicate_id": "give one of them another `id`, or another name if it has no `id`",
    "automatic_segmentation": "choose an id that does not start with `auto.`",
    "too_large": "split the condition over several segmentations",
    "too_complex": "shorten the longest conditions, take fewer actions, or search fewer facts",
    "invalid_event": "see the fields of `Event` and `Contact` in the API reference",
    "invalid_condition": "see the conditions in the reference of rule files",
    "invalid_action": "see the actions and `Capabilities` in the API reference",
    "invalid_rule": "see the fields of `Product` and `Segmentation` in the API reference",
}
"""Every code that a `CodecError` of this package can have, with its usual hint."""

KINDS: dict[type, str] = {
    type(None): "null",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    Decimal: "a decimal",
    datetime: "a date and time",
    date: "a date",
    time: "a time without a date",
    list: "a list",
    dict: "an object",
}
"""What messages call a value of each type."""
_EXPECTED = {
    "a string": "write it in quotes",
    "an integer": "write digits without quotes",
    "a boolean": "write true or false, without quotes",
    "a list": "write the values in square brackets, even a single one",
    "an object": "write keys and values in braces",
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_MAX_SHOWN_KEY = 40
_MAX_SHOWN_NAME = 80


def fault(code: str, message: str, hint: str = "") -> CodecError:
    """Make a fault at `$`; the way up adds its path."""
    return CodecError(message, code=code, hint=hint or HINTS[code])


def wrong_type(value: object, expected: str, hint: str = "") -> CodecError:
    """Make the fault of a value of the wrong type; return a value that is a fault already."""
    if isinstance(value, CodecError):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return fault("float", "floats are not accepted, since they are not exact")
        return fault("not_finite", "the number is not finite")
    if value is None:
        hint = hint or "write a value: only an optional key may have null"
    found = KINDS.get(type(value), "a value of another type")
    hint = hint or _EXPECTED.get(expected, "")
    return fault("wrong_type", f"expected {expected}, got {found}", hint)


class _UnknownWordError(CodecError):
    """A fault of a word that is not known; its hint lists the known ones."""

    def __init__(
        self, message: str, *, code: str, word: str, known: Sequence[str], noun: str = "word"
    ) -> None:
        super().__init__(message, code=code, hint=list_words(known, noun))
        self.word, self.known = word, known

    def nearest(self) -> str:
        """Return the hint with the nearest known word, which takes some time to find."""
        return " ".join(filter(None, (did_you_mean(self.word, self.known), self.hint)))


def list_words(known: Sequence[str], noun: str = "word") -> str:
    """Return the hint that lists the known words, or the first of many."""
    more = len(known) - MAX_LISTED
    listed = ", ".join(known[:MAX_LISTED])
    return f"known {noun}s: {listed}" + (f" and {more} more" if more > 0 else "")


def unknown_key(key: str, known: Sequence[str], noun: str = "key") -> CodecError:
    """Make the fault of a key that the object does not have; the path ends with the key."""
    message = f"unknown {noun}{shown_key(key)}"
    error = _UnknownWordError(message, code="unknown_key", word=key, known=known, noun=noun)
    error.add_note(IterableValidationNote("", key, object))
    return error


def unknown_word(word: str, known: Sequence[str]) -> CodecError:
    """Make the fault of a word that is not in its list; the message does not show it."""
    return _UnknownWordError("unknown word", code="unknown_word", word=word, known=known)


def shown_key(key: str) -> str:
    """Return a blank and the key in back-ticks, or nothing if it may be personal data."""
    return f" `{key}`" if _NAME.fullmatch(key) else ""


def label(noun: str, name: str) -> str:
    r"""Make the start of a message from a rule's name, which is not shown in full if it is long.

    >>> label("segmentation", "Buyers\u202e")
    'segmentation `Buyers\\u202e`: '
    """
    cut = name if len(name) <= _MAX_SHOWN_NAME else f"{name[:_MAX_SHOWN_NAME]}…"
    return f"{noun} {quoted(cut)}: "


class inside:  # noqa: N801 # used as a function
    """Add `key` to the path of every error raised inside, with a note as cattrs makes them."""

    __slots__ = ("_key",)

    def __init__(self, key: str | int) -> None:
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            error.add_note(IterableValidationNote("", self._key, object))


def _noted_keys(error: Exception) -> Iterator[str | int]:
    notes: list[object] = getattr(error, "__notes__", [])
    for note in reversed(notes):
        if isinstance(note, IterableValidationNote):
            yield note.index
        elif isinstance(note, AttributeValidationNote):
            yield note.name


def _path_part(key: str | int, *, private: bool) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if _NAME.fullmatch(key):
        return f".{key}"
    # Escaped, so that a path cannot be made to look like another one.
    return ".*" if private else f"[{json.dumps(key[:_MAX_SHOWN_KEY])}]"


def add_faults(
    faults: list[CodecError], error: Exception, *, private: bool, path: str = "$", prefix: str = ""
) -> None:
    """Take apart what was raised, and add a `CodecError` with its path for each fault.

    One fault more than `MAX_FAULTS` is kept, which says that there are more.
    Each message starts with `prefix`. With `private`, a key that does not look like a name
    appears as `*` in the path, since it could be personal data. An error of any other kind is
    a mistake of this package and is raised as it is.
    """
    if len(faults) > MAX_FAULTS:
        return
    path += "".join(_path_part(key, private=private) for key in _noted_keys(error))
    add = partial(add_faults, faults, private=private, path=path, prefix=prefix)
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            add(_missing_key(inner, error.cl) if isinstance(inner, KeyError) else inner)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl) if field.init]
        for key in sorted(error.extra_fields)[: MAX_FAULTS + 1]:
            add(unknown_key(key, known))
    elif isinstance(error, ListBossError):
        code, hint, path = error.code, error.hint or HINTS[error.code], path + error.path[1:]
        if isinstance(error, _UnknownWordError) and len(faults) < MAX_FAULTS:
            hint = error.nearest()
        faults.append(CodecError(prefix + error.message, code=code, path=path, hint=hint))
    else:
        raise error


def _missing_key(error: KeyError, cls: type) -> CodecError:
    """Return the fault of a missing key, of which cattrs raises a `KeyError` with its path."""
    required = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    several = f"required keys: {', '.join(required)}"
    hint = several if len(required) > 1 else "no other key is required"
    missing = fault("missing_key", f"missing key `{error.args[0]}`", hint)
    for note in error.__notes__:
        missing.add_note(note)
    return missing


def combine(faults: Sequence[CodecError]) -> CodecError:
    """Return what to raise for the faults of a document: one alone, or several as a group."""
    if len(faults) == 1:
        return faults[0]
    if len(faults) <= MAX_FAULTS:
        return CodecErrors(f"the document has {len(faults)} faults", faults)
    message = f"the document has more than {MAX_FAULTS} faults, these are the first {MAX_FAULTS}"
    return CodecErrors(message, faults[:MAX_FAULTS])
