"""What can be wrong with a document: one table of codes, and how an error gets its path.

Every fault is a `CodecError` with a code out of `HINTS`, a JSON path and a hint. A hook says
only what is wrong; where it is wrong is told by the notes that cattrs, and `inside`, put on
an exception on its way up. No message or path holds a value of the document, and of its
keys only those that look like names, so no personal data gets into an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

import attrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)

from listboss.errors import CodecError, CodecErrors, ListBossError

__all__ = ["HINTS", "MAX_FAULTS", "error_of", "fault", "faults_of", "inside", "unknown_key"]

MAX_FAULTS = 100
"""How many faults of one document are told; who wrote more than these mends them first."""

HINTS = {
    # the text
    "too_many_bytes": "split the document, or read it with larger `Limits`",
    "too_deep": "nest less",
    "too_many_nodes": "split the document, or read it with larger `Limits`",
    "not_utf8": "save the text as UTF-8",
    "byte_order_mark": "save the text as UTF-8 without a byte order mark",
    "empty": "write at least {}",
    "syntax": "mend the syntax there",
    "unknown_format": "`json` or `toml`",
    "duplicate_key": "keep one of them",
    # its values
    "float": 'write {"decimal": "49.90"}, since a float is not exact',
    "not_finite": "write a number, or leave the fact out",
    "number_too_large": "whole numbers have at most 128 bits, decimals 128 digits and exponents",
    "lone_surrogate": "write the whole character",
    "null_character": "take the character U+0000 out",
    # its shape
    "unsupported_version": "this release reads version 1",
    "wrong_type": "nothing is converted here",
    "unknown_key": "look for a misspelling",
    "missing_key": "add it",
    "unknown_word": "look for a misspelling",
    "one_key": "write exactly one",
    "blank": "write a name that is not blank",
    "not_decimal": 'write digits and a point, such as "49.90"',
    "not_instant": 'write it like "2026-05-04T12:00:00Z"',
    "no_time_zone": "end the time with Z or an offset such as -03:00",
    # what it says
    "duplicate_id": "give one of them an `id` of its own",
    "automatic_segmentation": "ids that begin with `auto.` belong to the automatic segmentations",
    "too_large": "split the condition over several segmentations",
    "invalid_event": "see what an event may hold",
    "invalid_condition": "see what a condition may hold",
    "invalid_action": "see what actions and capabilities may hold",
    "invalid_rule": "see what products and segmentations may hold",
}
"""Every code that a `CodecError` of this package can have, with its usual hint."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_SHOWN = 40


def fault(code: str, message: str, hint: str = "") -> CodecError:
    """Make a fault at `$`; the way up adds where that is."""
    return CodecError(message, code=code, hint=hint or HINTS[code])


def unknown_key(key: str, known: Iterable[str]) -> CodecError:
    """Make the fault of a key that does not belong here; the path names it."""
    error = fault("unknown_key", "there is no such key here", f"one of {', '.join(known)}")
    return _noted(error, key)


def _noted(error: CodecError, key: str) -> CodecError:
    error.add_note(IterableValidationNote("", key, object))
    return error


@contextmanager
def inside(key: str | int) -> Generator[None]:
    """Say of every error raised inside that it lies at `key`, in the words of cattrs."""
    try:
        yield
    except Exception as error:
        error.add_note(IterableValidationNote("", key, object))
        raise


def _step(key: str | int, *, private: bool) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if _NAME.fullmatch(key):
        return f".{key}"
    # Escaped, so that a path cannot be made to look like another one.
    return ".*" if private else f"[{json.dumps(key[:_SHOWN])}]"


def faults_of(error: Exception, *, private: bool, path: str = "$") -> Iterator[CodecError]:
    """Take apart what cattrs or a noun raised: a `CodecError` for each fault, with its path.

    With `private`, a key that does not look like a name shows as `*`, since it could be
    personal data. An error that is none of ours is a mistake of this package: it is raised.
    """
    notes: list[object] = getattr(error, "__notes__", [])
    for note in reversed(notes):
        if isinstance(note, IterableValidationNote):
            path += _step(note.index, private=private)
        elif isinstance(note, AttributeValidationNote):
            path += _step(note.name, private=private)
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from faults_of(inner, private=private, path=path)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl) if field.init]
        for key in sorted(error.extra_fields):
            yield from faults_of(unknown_key(key, known), private=private, path=path)
    elif isinstance(error, ListBossError):
        hint = error.hint or HINTS[error.code]
        yield CodecError(error.message, code=error.code, path=path + error.path[1:], hint=hint)
    elif isinstance(error, KeyError):  # how cattrs says that a key is missing
        hint = HINTS["missing_key"]
        yield CodecError("the key is missing", code="missing_key", path=path, hint=hint)
    else:
        raise error


def error_of(faults: Sequence[CodecError]) -> CodecError:
    """Return what to raise for the faults of a document: one alone, or several as a group."""
    if len(faults) == 1:
        return faults[0]
    more = f", the first {MAX_FAULTS} are" if len(faults) > MAX_FAULTS else ""
    return CodecErrors(f"the document has {len(faults)} faults{more}", faults[:MAX_FAULTS])
