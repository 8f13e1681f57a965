"""`verify`: check that a webhook comes from the account with this token.

The sender does not sign its webhooks. It sends a fixed token in a header or, in version
1.0.0 and some bodies of 2.0.0, in the body. The comparison takes constant time, a missing
token is refused, and the token is neither kept nor shown.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from listboss.errors import WebhookError
from listboss.hotmart._reading import read

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
    webhook.

    >>> verify({"X-Hotmart-Hottok": "a-token"}, b"{}", "a-token")
    True
    >>> verify({}, {"hottok": "another"}, "a-token"), verify({}, b"{}", "")
    (False, False)
    """
    token = _header_token(headers)
    tokens = _body_tokens(body) if token is None else [token]
    return bool(tokens) and all(_is_equal(token, hottok) for token in tokens)


def _header_token(headers: Mapping[str, str]) -> object:
    return next((value for name, value in headers.items() if name.lower() == HEADER), None)


def _body_tokens(body: object) -> list[object]:
    try:
        return [content.get(FIELD) for content in read(body)]
    except WebhookError:
        return []


def _is_equal(token: object, hottok: str) -> bool:
    if not isinstance(token, str) or not token or not hottok:
        return False
    return hmac.compare_digest(_bytes(token), _bytes(hottok))


def _bytes(token: str) -> bytes:
    return token.encode(errors="surrogatepass")
