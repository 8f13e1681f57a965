"""Which contact data an action still carries: nothing that is older than what was sent.

For each lane and field, the store has the stamp and a digest of the newest value that was
sent. The address is not such a field: it says who the contact is.
"""

from __future__ import annotations

from hashlib import blake2b

import attrs

from listboss.delivery._rows import ActionRow, Store
from listboss.plan import PlannedAction
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import FactValue

__all__ = ["fresh_data", "without_stale_data"]


def _digest(value: object) -> str:
    return blake2b(f"{type(value).__name__}:{value}".encode(), digest_size=8).hexdigest()


def fresh_data(store: Store, row: ActionRow, *, changed_only: bool = False) -> dict[str, FactValue]:
    """Return the fields of which nothing newer was sent; without the e-mail address."""
    fresh: dict[str, FactValue] = {}
    for name, value in row.planned.data.items():
        if name == "email":
            continue
        known = store.field(row.lane, name)
        if known is not None and known[0] > row.stamp:
            continue
        if changed_only and known is not None and known[1] == _digest(value):
            continue
        fresh[name] = value
    return fresh


def without_stale_data(store: Store, row: ActionRow, planned: PlannedAction) -> PlannedAction:
    fresh = fresh_data(store, row)
    for name, value in fresh.items():
        store.put_field(row.lane, name, row.stamp, _digest(value))
    kept = {name: v for name, v in planned.data.items() if name == "email" or name in fresh}
    return (
        planned if len(kept) == len(planned.data) else attrs.evolve(planned, data=FrozenMap(kept))
    )
