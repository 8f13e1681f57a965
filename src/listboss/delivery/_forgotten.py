"""What is left of a contact that was forgotten: hashes, counts and times.

The hash of the address says which late events are not to be planned. An id of an event may
contain an address, too: such an id is replaced by its hash, under which a redelivered event is
still known. The hashes are keyed with a secret of the journal.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b

from listboss.delivery._rows import Store
from listboss.rules._text import without_address

__all__ = ["digest_of", "forgotten_id", "kept_id", "was_forgotten"]


def digest_of(store: Store, text: str) -> str:
    """Return the keyed hash of an address or an id."""
    return blake2b(text.encode(), key=store.secret(), digest_size=16).hexdigest()


def was_forgotten(store: Store, contact: str, occurred_at: datetime) -> bool:
    """Whether a contact was forgotten at a time, or later."""
    at = store.forgotten_at(digest_of(store, contact))
    return at is not None and occurred_at <= at


def forgotten_id(store: Store, event_id: str) -> str:
    """Return the id under which an event of a forgotten contact is kept."""
    if without_address(event_id) == event_id:
        return event_id
    return f"forgotten-{digest_of(store, event_id)}"


def kept_id(store: Store, event_id: str) -> str:
    """Return the id under which an event is kept, if it is known."""
    hidden = forgotten_id(store, event_id)
    return event_id if hidden == event_id or store.event(hidden) is None else hidden
