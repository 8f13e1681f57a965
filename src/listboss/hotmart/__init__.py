"""Hotmart's webhooks: bytes in, events out.

`parse` reads a body of version 2.0.0 or 1.0.0 and gives its events; `verify` compares the
account's token in constant time. This is no HTTP endpoint: transport, storage and the
answer to the sender are the host's. A body that is a webhook at all never raises, however
odd it is, since a sender switches off a URL that answers with errors: what gives no event
is `ignored`, with a reason.
"""

from __future__ import annotations

from listboss.hotmart._reading import MAX_BYTES, MAX_DEPTH, MAX_FIELDS
from listboss.hotmart.parse import parse
from listboss.hotmart.parsed import Ignored, IgnoredReason, Parsed
from listboss.hotmart.verify import verify

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_FIELDS",
    "Ignored",
    "IgnoredReason",
    "Parsed",
    "parse",
    "verify",
]
