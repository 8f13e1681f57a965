"""`verify`: did this webhook come from the account that has this token?

The sender signs nothing: it sends a fixed token, in a header or, in version 1.0.0 and some
bodies of 2.0.0, in the body. The comparison takes constant time, a missing token is a
refusal, and the token is neither kept nor shown.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from listboss.errors import WebhookError
from listboss.hotmart._reading import read

__all__ = ["verify"]

HEADER = "x-hotmart-hottok"
FIELD = "hottok"


def verify(
    headers: Mapping[str, str],
    body: bytes | str | Mapping[str, object],
    hottok: str,
) -> bool:
    """Whether header `X-HOTMART-HOTTOK`, or else the body's `hottok`, is this token.

    Header names are compared without regard to case. A header that is there decides alone.
    A missing or empty token is False, and so is every token if `hottok` itself is empty, or
    a body that is no webhook.

    >>> verify({"X-Hotmart-Hottok": "a-token"}, b"{}", "a-token")
    True
    >>> verify({}, {"hottok": "another"}, "a-token"), verify({}, b"{}", "")
    (False, False)
    """
    given = _in_header(headers)
    if given is None:
        given = _in_body(body)
    if not isinstance(given, str) or not given or not hottok:
        return False
    return hmac.compare_digest(_bytes(given), _bytes(hottok))


def _in_header(headers: Mapping[str, str]) -> object:
    return next((value for name, value in headers.items() if name.lower() == HEADER), None)


def _in_body(body: object) -> object:
    try:
        return read(body).get(FIELD)
    except WebhookError:
        return None


def _bytes(token: str) -> bytes:
    return token.encode(errors="surrogatepass")
