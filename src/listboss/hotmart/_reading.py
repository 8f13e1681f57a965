"""From webhook bytes to the fields of each webhook, without the wrappers around them.

A body is read as JSON, or else as a form, whatever its content type says. Wrappers of
automation tools and queues are removed, and a list may hold several webhooks. `WebhookError`
is the only error, and it contains nothing of the body. Work is bounded: size, nesting, form
fields, wrappers and webhooks have limits.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_qp
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from urllib.parse import unquote

import attrs

from listboss.errors import WebhookError
from listboss.hotmart._events import EVENTS, documented_name
from listboss.hotmart._values import is_list, is_mapping
from listboss.rules._nesting import nests_deeper

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_FIELDS",
    "MAX_WEBHOOKS",
    "MAX_WRAPPERS",
    "Version",
    "object_or_list",
    "read",
    "version_of",
]

MAX_BYTES = 1_048_576
"""The longest body that is read, in bytes or characters; real ones have 1 to 4 KB."""
MAX_DEPTH = 64
"""The deepest nesting of a JSON body; real ones have 6 levels."""
MAX_FIELDS = 1_000
"""The most fields of a form; real ones have about 60."""
MAX_WEBHOOKS = 100
"""The most webhooks in one body."""
MAX_WRAPPERS = 6
"""At most this many wrappers around a body are removed."""
MAX_VALUES = 10_000
"""At most this many values are searched for a wrapped body."""
AS_RECEIVED = "pass the body as received"
MAX_DIGITS = 40
"""A longer integer counts as absent; Python itself refuses more than 4,300 digits."""

_OPENING = ("{", "[")
# A form starts with a field name and `=`, or is percent-encoded JSON; prose and HTML do neither.
_FORM = re.compile(r"[\w.\[\]-]+=|%7b", re.IGNORECASE)


class Version(Enum):
    """The two formats of a webhook."""

    V1 = "1.0.0"
    """A flat form whose values are strings, or a small object with camelCase keys."""
    V2 = "2.0.0"
    """An object with `event` and `data`."""


class _Fault(Enum):
    """Why a body is not read. Raised outside `except`: a decoder's error contains the body."""

    SYNTAX = "the body is neither JSON nor a form", AS_RECEIVED, "invalid_webhook"
    DEPTH = (
        f"the body is nested deeper than {MAX_DEPTH} levels",
        "real webhooks have 6 levels: check who sends to this URL",
        "webhook_too_deep",
    )
    FIELDS = (
        f"the body has more than {MAX_FIELDS} form fields",
        "real webhooks have about 60 fields: check who sends to this URL",
        "webhook_too_large",
    )


V1_FIELDS = (
    "callback_type", "email", "hottok", "off", "prod", "status", "subscription_status",
    "transaction",
)  # fmt: skip
V1_CERTAIN = ("buyerVO", "callback_type", "hottok", "off", "prod", "subscription_status")
"""Fields that objects of other senders do not have."""
V1_OBJECTS = ("cancellationDate", "switchPlanDate", "newSubscriptionPlan")
"""Fields that only the camelCase objects of version 1.0.0 have."""
WRAPPERS = ("body", "payload", "json", "request", "data", "message", "webhook")
"""The usual keys of a wrapped body; all other keys are tried after them."""


def version_of(content: Mapping[str, object]) -> Version | None:
    """Return a webhook's version by its shape; the body's `version` is not trusted.

    >>> version_of({"version": "1.0.0", "event": "PURCHASE_APPROVED", "data": {}}).value
    '2.0.0'
    >>> version_of({"status": "approved", "prod": "1001"}).value
    '1.0.0'
    """
    if is_mapping(content.get("data")):
        return Version.V2
    if (
        is_mapping(content.get("buyerVO"))
        or any(name in content for name in V1_OBJECTS)
        or len([name for name in V1_FIELDS if name in content]) > 1
    ):
        return Version.V1
    return Version.V2 if "event" in content else None


def read(body: object, content_type: str | None = None) -> Sequence[Mapping[str, object]]:
    """Return the fields of each webhook in a body, without its wrappers.

    A body whose `content_type` is JSON is not read as a form; no other type matters. An
    element of a list that is not an object is an empty one. Raises `WebhookError` if the
    body is not a webhook at all.

    >>> read(b'[{"headers": {}, "body": {"event": "SWITCH_PLAN"}}]')
    [{'event': 'SWITCH_PLAN'}]
    >>> read("status=approved&prod=1001")
    [{'status': 'approved', 'prod': '1001'}]
    """
    content = body if is_mapping(body) or is_list(body) else _parsed(_text(body), content_type)
    webhooks = _webhooks(content)
    if len(webhooks) > MAX_WEBHOOKS:
        raise WebhookError(
            f"the body has more than {MAX_WEBHOOKS} webhooks",
            code="webhook_too_large",
            hint="pass fewer webhooks at a time",
        )
    if not webhooks:
        raise WebhookError("the body is not an object", hint=AS_RECEIVED)
    return webhooks


def _text(body: object) -> str:
    if not isinstance(body, (str, bytes, bytearray)):
        raise WebhookError("the body is not bytes, a string or an object", hint=AS_RECEIVED)
    if len(body) > MAX_BYTES:
        raise WebhookError(
            f"the body is longer than {MAX_BYTES} bytes",
            code="webhook_too_large",
            hint="real webhooks have a few kilobytes: check who sends to this URL",
        )
    text = body if isinstance(body, str) else _decoded(bytes(body))
    return text.lstrip("\ufeff")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")  # the encoding of old senders; it cannot fail


def _parsed(document: str, content_type: str | None) -> object:
    text = document.strip()
    if not text:
        raise WebhookError(
            "the body is empty",
            code="empty_webhook",
            hint="check that nothing reads the request before you do",
        )
    value = _json(text)
    if value is _Fault.SYNTAX and "json" not in (content_type or "").lower():
        value = _form(text)
    if value is _Fault.SYNTAX and text[0] in _OPENING:
        message = f"invalid JSON at {_place_of_fault(document, text)}"
        raise WebhookError(message, hint="pass the whole body, as received")
    if isinstance(value, _Fault):
        message, hint, code = value.value
        raise WebhookError(message, code=code, hint=hint)
    return value


def _place_of_fault(document: str, text: str) -> str:
    """Return the line and the column in `document` at which `text`, a part of it, is not JSON."""
    place = document.index(text)
    try:
        _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        place += fault.pos
    error = json.JSONDecodeError("", document, place)
    return f"line {error.lineno}, column {error.colno}"


def _json(text: str) -> object:
    # Only JSON starts with a bracket; in a form, brackets are ordinary characters.
    if text.lstrip()[:1] in _OPENING:
        if nests_deeper(text, MAX_DEPTH):
            return _Fault.DEPTH
    elif _FORM.match(text):
        return _Fault.SYNTAX
    try:
        value: object = _DECODER.decode(text)
    except ValueError:
        return _Fault.SYNTAX  # raising here would chain the decoder's error, which holds the body
    return value


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


_DECODER = json.JSONDecoder(parse_int=_integer)


def _form(text: str) -> Mapping[str, object] | _Fault:
    if not _FORM.match(text):
        return _Fault.SYNTAX
    if text.count("&") >= MAX_FIELDS:
        return _Fault.FIELDS
    try:
        return _fields(text, "utf-8")
    except UnicodeDecodeError:
        return _fields(text, "latin-1")  # which cannot fail


def _fields(text: str, encoding: str) -> dict[str, object]:
    """Return the fields of a form, as `urllib.parse.parse_qsl` reads them."""
    fields: dict[str, object] = {}
    for pair in text.replace("+", " ").split("&"):
        name, _, value = pair.partition("=")
        if "%" in pair:
            name, value = _unquoted(name, encoding), _unquoted(value, encoding)
        if pair:
            fields[name] = value
    return fields


def _unquoted(text: str, encoding: str) -> str:
    """Decode percent-encoded characters, as `unquote` does.

    Quoted-printable, which Python decodes in C, has `=` where this has `%`. Measured: JSON in a
    form is read 1.8 x faster. Where not every escape becomes one byte, one is malformed.
    """
    if "%" not in text:
        return text
    if text.isascii() and "\n" not in text and "\r" not in text:
        escaped = text.replace("=", "%3D")
        decoded = a2b_qp(escaped.replace("%", "="))
        if len(decoded) == len(escaped) - 2 * escaped.count("%"):
            return decoded.decode(encoding)
    return unquote(text, encoding, "strict")


def _webhooks(content: object) -> Sequence[Mapping[str, object]]:
    """Return the webhooks in `content`, or else its objects as they are."""
    itself = [content] if is_mapping(content) else []
    elements = content[: MAX_WEBHOOKS + 1] if is_list(content) else []
    return (
        _Search(_is_certain, _values).find(content, MAX_WRAPPERS)
        or [each for each in itself if version_of(each)]
        or _Search(version_of, _usual_values).find(content, MAX_WRAPPERS)
        or itself
        or (list(map(_or_empty, elements)) if any(map(is_mapping, elements)) else [])
    )


def _or_empty(element: object) -> Mapping[str, object]:
    return element if is_mapping(element) else {}


@attrs.define(eq=False)
class _Search:
    """A search for the webhooks in a body, bounded in depth and in the values it looks at."""

    _is_webhook: Callable[[Mapping[str, object]], object]
    _values: Callable[[Mapping[str, object]], Iterator[object]]
    _left: int = MAX_VALUES

    def find(self, value: object, levels: int) -> Sequence[Mapping[str, object]]:
        """Return the webhooks in `value`, which has at most `levels` wrappers."""
        self._left -= 1
        inner = object_or_list(value) if self._left >= 0 else None
        if is_mapping(inner) and self._is_webhook(inner):
            return self._in_data(inner, levels) or [inner]
        if not levels:
            return []
        if is_list(inner):
            return self._in_list(inner[: MAX_WEBHOOKS + 1], levels - 1)
        return self._in_first(self._values(inner), levels - 1) if is_mapping(inner) else []

    def _in_first(self, values: Iterator[object], levels: int) -> Sequence[Mapping[str, object]]:
        return next(filter(None, (self.find(each, levels) for each in values)), ())

    def _in_data(
        self, content: Mapping[str, object], levels: int
    ) -> Sequence[Mapping[str, object]]:
        """Return the webhooks in the data of another system's event."""
        event, data = content.get("event"), content.get("data")
        known = isinstance(event, str) and (event in EVENTS or documented_name(event) in EVENTS)
        if known or not levels or not is_mapping(data):
            return []
        if _is_certain(data):
            return self.find(data, levels - 1)
        # Only usual keys: buyers can write JSON into the fields of a real webhook.
        return self._in_first(_usual_values(data), levels - 1)

    def _in_list(self, elements: list[object], levels: int) -> Sequence[Mapping[str, object]]:
        found = [self.find(each, levels) for each in elements]
        if not any(found):
            return []
        # An element without a webhook is a part of its own, which will be ignored.
        pairs = zip(elements, found, strict=True)
        return [webhook for each, some in pairs for webhook in some or [_or_empty(each)]]


def _is_certain(content: Mapping[str, object]) -> bool:
    """Whether an object is a webhook beyond doubt, even under an unusual key."""
    if version_of(content) is Version.V1:
        return any(name in content for name in (*V1_OBJECTS, *V1_CERTAIN))
    event = content.get("event", {})
    return not is_mapping(event) and is_mapping(content.get("data"))


def _usual_values(wrapper: Mapping[str, object]) -> Iterator[object]:
    """Yield the values of the usual keys, and JSON that was sent as the key of a form."""
    yield from (wrapper[key] for key in WRAPPERS if key in wrapper)
    yield from filter(_may_be_json, wrapper)


def _values(wrapper: Mapping[str, object]) -> Iterator[object]:
    """Yield all that a wrapper may contain, usual keys first."""
    yield from _usual_values(wrapper)
    for key, value in wrapper.items():
        if key not in WRAPPERS and (is_mapping(value) or is_list(value) or _may_be_json(value)):
            yield value


def _may_be_json(value: object) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] in _OPENING


def object_or_list(value: object) -> object | None:
    """Return `value`, or what it spells as JSON or a form, if that is an object or a list."""
    if isinstance(value, (bytes, str)) and 0 < len(value) <= MAX_BYTES:
        text = value if isinstance(value, str) else _decoded(value)
        value = _json(text)
        if value is _Fault.SYNTAX:
            value = _form(text)
        elif isinstance(value, str):
            value = _json(value)
    return value if is_mapping(value) or is_list(value) else None
