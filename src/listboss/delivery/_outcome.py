"""What a provider answered, as one of the six outcomes.

A host may return a subclass with data of its own, or forget to return anything: neither gets
into a journal. Nor does half a character, which no file and no database can keep.
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
            return Accepted(_whole(job))
        case Throttled(retry_after, scope):
            return Throttled(retry_after, scope)
        case Refused(reason, kind):
            return Refused(_whole(reason), kind)
        case Unknown(cause):
            return Unknown(_whole(cause))
        case _:
            return Unknown("no outcome")


def _whole(text: str) -> str:
    """Return a string with `?` for each half of a character, as in one that was cut off."""
    return text.encode("utf-8", "replace").decode()
