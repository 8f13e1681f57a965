"""Turn Hotmart's webhooks into events.

`parse` reads a body of version 2.0.0 or 1.0.0 and returns its events. `verify` compares the
account's token in constant time. HTTP, storage and the answer to the sender are up to the
host. A body that is a webhook never raises, however odd it is, because the sender switches
off a URL that answers with errors: if it gives no event, it is `ignored` for a reason.
"""

from __future__ import annotations

from listboss.hotmart._reading import MAX_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_WEBHOOKS
from listboss.hotmart.parse import parse
from listboss.hotmart.parsed import Ignored, IgnoredReason, Parsed
from listboss.hotmart.verify import verify

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_FIELDS",
    "MAX_WEBHOOKS",
    "Ignored",
    "IgnoredReason",
    "Parsed",
    "parse",
    "verify",
]
