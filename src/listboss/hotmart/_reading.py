"""From webhook bytes to one mapping of fields, without the wrappers that tools put around it.

A body is read as JSON, or else as a form, whatever its content type says. Wrappers of
automation tools and queues are removed. `WebhookError` is the only error, and it contains
nothing of the body. Work is bounded: size, nesting and the number of form fields have limits,
and a mapping is only looked up at known keys.
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
"""The longest body that is read, in bytes or characters; real ones have 1 to 4 KB."""
MAX_DEPTH = 64
"""The deepest nesting of a JSON body; real ones have 6 levels."""
MAX_FIELDS = 1_000
"""The most fields of a form; real ones have about 60."""
MAX_WRAPPERS = 4
"""At most this many wrappers around a body are removed."""
MAX_DIGITS = 40
"""A longer integer counts as absent; Python itself refuses more than 4,300 digits."""

_OPENING = ("{", "[")
# A form starts with a field name and `=`, or is percent-encoded JSON; prose and HTML do neither.
_FORM = re.compile(r"[\w.\[\]-]+=|%7b", re.IGNORECASE)


class Version(Enum):
    """The two formats of a webhook."""

    V1 = "1.0.0"
    """A flat form whose values are strings, or a small object with a `buyerVO`."""
    V2 = "2.0.0"
    """An object with `event` and `data`."""


class _Fault(Enum):
    SYNTAX = auto()
    DEPTH = auto()


V1_FIELDS = (
    "callback_type", "email", "hottok", "off", "prod", "status", "subscription_status",
    "transaction",
)  # fmt: skip


def version_of(content: Mapping[str, object]) -> Version | None:
    """Return a webhook's version by its shape; the body's `version` is not trusted.

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
    """Return the fields of a webhook body, without its wrappers.

    A body whose `content_type` is JSON is not read as a form; no other type matters.
    Raises `WebhookError` if the body is not a webhook at all.

    >>> read(b'[{"headers": {}, "body": {"event": "SWITCH_PLAN"}}]')
    {'event': 'SWITCH_PLAN'}
    >>> read("status=approved&prod=1001")
    {'status': 'approved', 'prod': '1001'}
    """
    content = body if is_mapping(body) or is_list(body) else _parsed(_text(body), content_type)
    for _ in range(MAX_WRAPPERS):
        inner = _unwrapped(content)
        if inner is None:
            break
        content = inner
    if is_mapping(content):
        return content
    raise WebhookError("the body is not an object", hint="pass one webhook at a time")


def _text(body: object) -> str:
    if not isinstance(body, (str, bytes, bytearray)):
        raise WebhookError(
            "the body is not bytes, a string or an object", hint="pass the body as received"
        )
    if len(body) > MAX_BYTES:
        raise WebhookError(
            f"the body is longer than {MAX_BYTES} bytes",
            code="webhook_too_large",
            hint="real webhooks have a few kilobytes: check who sends to this URL",
        )
    text = body if isinstance(body, str) else _decoded(bytes(body))
    text = text.lstrip("\ufeff").strip()
    if not text:
        raise WebhookError(
            "the body is empty",
            code="empty_webhook",
            hint="check that nothing reads the request before you do",
        )
    return text


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")  # the encoding of old senders; it cannot fail


def _parsed(text: str, content_type: str | None) -> object:
    value = _json(text)
    if value is _Fault.DEPTH:
        raise WebhookError(
            f"the body is nested deeper than {MAX_DEPTH} levels",
            code="webhook_too_deep",
            hint="real webhooks have 6 levels: check who sends to this URL",
        )
    if value is _Fault.SYNTAX and "json" not in (content_type or "").lower():
        value = _form(text)
    if isinstance(value, _Fault):
        raise WebhookError("the body is neither JSON nor a form", hint="pass the body as received")
    return value


def _json(text: str) -> object:
    # Only JSON starts with a bracket; in a form, brackets are ordinary characters.
    if text.lstrip()[:1] in _OPENING and nests_deeper(text, MAX_DEPTH):
        return _Fault.DEPTH
    try:
        value: object = json.loads(text, parse_int=_integer)
    except ValueError:
        return _Fault.SYNTAX  # raising here would chain the decoder's error, which holds the body
    return value


def _integer(digits: str) -> int | None:
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
        except ValueError:  # another encoding, or too many fields
            continue
        return dict(pairs)
    return _Fault.SYNTAX


def _unwrapped(content: object) -> object | None:
    """Return the content of a wrapper, or None if `content` is not a wrapper."""
    if is_list(content):
        return content[0] if len(content) == 1 else None
    if not is_mapping(content) or version_of(content):
        return None
    if "body" in content:
        return _object_or_list(content["body"])
    texts = (text for item in content.items() for text in item if isinstance(text, str))
    found = (_object_or_list(text) for text in texts if text.lstrip()[:1] in _OPENING)
    return next((inner for inner in found if inner is not None), None)


def _object_or_list(value: object) -> object | None:
    """Return `value`, or what it spells as JSON or a form, if that is an object or a list."""
    if isinstance(value, (bytes, str)) and 0 < len(value) <= MAX_BYTES:
        text = value if isinstance(value, str) else _decoded(value)
        value = _json(text)
        if value is _Fault.SYNTAX:
            value = _form(text)
    return value if is_mapping(value) or is_list(value) else None
