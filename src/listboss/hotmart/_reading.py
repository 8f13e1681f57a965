"""Webhook bytes -> one mapping of fields, whatever they were wrapped in on their way.

Reads JSON first and a form second, whatever the content type says, and takes off the
wrappers that automation tools and queues put around a body. Raises only `WebhookError`,
and no error carries any of the body. Work is bounded: size, nesting and number of form
fields are checked, each with its constant; a mapping is only looked up at known places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum, auto
from urllib.parse import parse_qsl

from listboss.errors import WebhookError
from listboss.hotmart._values import is_list, is_mapping
from listboss.rules._nesting import nests_deeper

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_FIELDS", "MAX_WRAPPERS", "Version", "read", "version_of"]

MAX_BYTES = 1_048_576
"""The longest body that is read, in bytes (characters of a `str`); real ones have 1 to 4 KB."""
MAX_DEPTH = 64
"""The deepest nesting of a JSON body; real ones have 6 levels."""
MAX_FIELDS = 1_000
"""The most fields of a form; real ones have about 60."""
MAX_WRAPPERS = 4
"""How many wrappers around a body are taken off; what lies deeper is not found."""
MAX_DIGITS = 40
"""A longer whole number reads as absent; Python itself refuses more than 4,300 digits."""

_OPENING = ("{", "[")
# The start of a form: a field's name and `=`, or percent-encoded JSON. Prose and HTML are none.
_FORM = re.compile(r"[\w.\[\]-]+=|%7b", re.IGNORECASE)


class Version(Enum):
    """The two shapes of a webhook."""

    V1 = "1.0.0"
    """Flat, every value a text; or a small object whose buyer is `buyerVO`."""
    V2 = "2.0.0"
    """An envelope with `event` and `data`."""


class _Fault(Enum):
    SYNTAX = auto()
    DEPTH = auto()


V1_FIELDS = (
    "callback_type", "email", "hottok", "off", "prod", "status", "subscription_status",
    "transaction",
)  # fmt: skip


def version_of(content: Mapping[str, object]) -> Version | None:
    """Tell a webhook's version by its shape; what it says of itself is not trusted.

    >>> version_of({"version": "1.0.0", "event": "PURCHASE_APPROVED", "data": {}}).value
    '2.0.0'
    >>> version_of({"status": "approved", "prod": "1001"}).value
    '1.0.0'
    """
    if is_mapping(content.get("data")):
        return Version.V2
    if is_mapping(content.get("buyerVO")) or sum(name in content for name in V1_FIELDS) > 1:
        return Version.V1
    return Version.V2 if "event" in content else None


def read(body: object, content_type: str | None = None) -> Mapping[str, object]:
    """Return the fields of a webhook body, freed of its wrappers.

    `content_type` matters only where it speaks of JSON: then a form is not looked for.
    Raises `WebhookError` for what is no webhook at all.

    >>> read(b'[{"headers": {}, "body": {"event": "SWITCH_PLAN"}}]')
    {'event': 'SWITCH_PLAN'}
    >>> read("status=approved&prod=1001")
    {'status': 'approved', 'prod': '1001'}
    """
    content = body if is_mapping(body) or is_list(body) else _parsed(_text(body), content_type)
    for _ in range(MAX_WRAPPERS):
        inner = _inner(content)
        if inner is None:
            break
        content = inner
    if is_mapping(content):
        return content
    raise WebhookError("the body is no object", hint="hand over one webhook at a time")


def _text(body: object) -> str:
    if not isinstance(body, (str, bytes, bytearray)):
        raise WebhookError("the body is neither a text nor an object")
    if len(body) > MAX_BYTES:
        raise WebhookError(f"the body is longer than {MAX_BYTES} bytes", code="webhook_too_large")
    text = body if isinstance(body, str) else _decoded(bytes(body))
    text = text.lstrip("\ufeff").strip()
    if not text:
        raise WebhookError("the body is empty", code="empty_webhook")
    return text


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")  # what old senders used; cannot fail


def _parsed(text: str, content_type: str | None) -> object:
    value = _json(text)
    if value is _Fault.DEPTH:
        raise WebhookError(f"the body nests deeper than {MAX_DEPTH}", code="webhook_too_deep")
    if value is _Fault.SYNTAX and "json" not in (content_type or "").lower():
        value = _form(text)
    if isinstance(value, _Fault):
        raise WebhookError(
            "the body is neither JSON nor a form", hint="hand over the bytes as they came in"
        )
    return value


def _json(text: str) -> object:
    # Only what opens with a bracket can be deep JSON; a form may hold brackets of any number.
    if text.lstrip()[:1] in _OPENING and nests_deeper(text, MAX_DEPTH):
        return _Fault.DEPTH
    try:
        value: object = json.loads(text, parse_int=_whole_number)
    except ValueError:
        return _Fault.SYNTAX  # raised from outside: the error of the JSON reader holds the body
    return value


def _whole_number(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _form(text: str) -> Mapping[str, object] | _Fault:
    if not _FORM.match(text):
        return _Fault.SYNTAX
    for encoding in ("utf-8", "latin-1"):
        try:
            pairs = parse_qsl(
                text,
                keep_blank_values=True,
                encoding=encoding,
                errors="strict",
                max_num_fields=MAX_FIELDS,
            )
        except ValueError:  # not in this encoding, or too many fields in either
            continue
        return dict(pairs)
    return _Fault.SYNTAX


def _inner(content: object) -> object | None:
    """Return what `content` wraps, or None if it wraps nothing."""
    if is_list(content):
        return content[0] if len(content) == 1 else None
    if not is_mapping(content) or version_of(content):
        return None
    if "body" in content:
        return _structure(content["body"])
    texts = (text for item in content.items() for text in item if isinstance(text, str))
    found = (_structure(text) for text in texts if text.lstrip()[:1] in _OPENING)
    return next((structure for structure in found if structure is not None), None)


def _structure(value: object) -> object | None:
    """Return the object or list that `value` is, or holds as text; None for anything else."""
    if isinstance(value, (bytes, str)) and 0 < len(value) <= MAX_BYTES:
        text = value if isinstance(value, str) else _decoded(value)
        value = _json(text)
        if value is _Fault.SYNTAX:
            value = _form(text)
    return value if is_mapping(value) or is_list(value) else None
