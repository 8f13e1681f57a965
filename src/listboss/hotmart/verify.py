"""`verify`: check that a webhook comes from the account with this token.

The sender does not sign its webhooks. It sends a fixed token in a header or, in version
1.0.0 and some bodies of 2.0.0, in the body. The comparison takes constant time, a missing
token is refused, and the token is neither kept nor shown.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Any, cast

from listboss.errors import WebhookError
from listboss.hotmart._reading import read
from listboss.rules._text import wrong_type

__all__ = ["verify"]

HEADER = "x-hotmart-hottok"
FIELD = "hottok"


def verify(
    headers: Mapping[str, str],
    body: bytes | str | Mapping[str, object] | list[Any],
    hottok: str,
) -> bool:
    """Whether the header `X-HOTMART-HOTTOK`, or else the body's `hottok`, equals `hottok`.

    Header names are case-insensitive. If the header is present, the body is not looked at.
    In a body with several webhooks, each must have the token. The result is False if the
    token is missing or empty, if `hottok` itself is empty, and for a body that is not a
    webhook. Raises `ArgumentTypeError` if `hottok` is not a string, or if the host forgot to
    decode the headers from bytes.

    >>> verify({"X-Hotmart-Hottok": "a-token"}, b"{}", "a-token")
    True
    >>> verify({}, {"hottok": "another"}, "a-token"), verify({}, b"{}", "")
    (False, False)
    """
    if not isinstance(cast("object", hottok), str):
        _refuse_bytes(hottok, "$.hottok")
        raise wrong_type("a string", hottok, "$.hottok")
    token = _header_token(headers)
    tokens = _body_tokens(body) if token is None else [token]
    return bool(tokens) and all(_is_equal(token, hottok) for token in tokens)


def _header_token(headers: Mapping[str, str]) -> object:
    """Return the header's value; a mapping of another kind, as of `http.server`, will do."""
    items = getattr(headers, "items", None)
    if not callable(items):
        raise wrong_type("a mapping", headers, "$.headers", "pass a dict of names and values")
    for name, value in cast("Iterable[tuple[object, object]]", items()):
        _refuse_bytes(name, "$.headers")
        if isinstance(name, str) and name.lower() == HEADER:
            _refuse_bytes(value, f"$.headers.{HEADER}")
            return value
    return None


def _refuse_bytes(value: object, path: str) -> None:
    """Refuse what a host forgot to decode: it would never be equal, and every webhook refused."""
    if isinstance(value, bytes):
        raise wrong_type("a string", value, path, "decode it with `.decode()`")


def _body_tokens(body: object) -> list[object]:
    try:
        return [content.get(FIELD) for content in read(body)]
    except WebhookError:
        return []


def _is_equal(token: object, hottok: str) -> bool:
    if not isinstance(token, str) or not token or not hottok:
        return False
    return hmac.compare_digest(*(each.encode(errors="surrogatepass") for each in (token, hottok)))
