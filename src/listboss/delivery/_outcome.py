"""What a provider answered, as one of the six outcomes.

A host may return a subclass with data of its own, or forget to return anything: neither gets
into a journal.
"""

from __future__ import annotations

from listboss.provider import (
    Accepted,
    Applied,
    NoChange,
    Outcome,
    Refused,
    Throttled,
    Unknown,
)

__all__ = ["as_outcome"]


def as_outcome(answer: object) -> Outcome:
    """Return the answer as one of the six outcomes, never as a subclass; else `Unknown`."""
    match answer:
        case Applied():
            return Applied()
        case NoChange():
            return NoChange()
        case Accepted(job):
            return Accepted(job)
        case Throttled(retry_after, scope):
            return Throttled(retry_after, scope)
        case Refused(reason, kind):
            return Refused(reason, kind)
        case Unknown(cause):
            return Unknown(cause)
        case _:
            return Unknown("no outcome")
