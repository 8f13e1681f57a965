"""Automatic capture, prepared: what it does on an event of an approved product.

The rows of an event are prepared once; for a product only its id goes into the tags: so a
product costs nothing until it has events. What the provider cannot do is left out.
"""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from listboss.engine.planning.compiled import ADDS, REMOVES, Step, order_of
from listboss.rules._text import fold
from listboss.rules.action import AddLead, AddTag, RemoveTag, action_key
from listboss.rules.automatic import AUTOMATIC, CAPTURE_ID, AutomaticSegmentation
from listboss.rules.capabilities import Capabilities
from listboss.rules.segmentation import SENT, digest

__all__ = ["Capture"]


class _Row(NamedTuple):
    """What is done with the tag of a built-in."""

    action: type[AddTag] | type[RemoveTag]
    kind: str
    role: int
    built_in: AutomaticSegmentation


def _rows(event_name: str, capabilities: Capabilities) -> tuple[_Row, ...]:
    rows: list[_Row] = []
    for built_in in AUTOMATIC:
        if event_name in built_in.adds_on and capabilities.add_tag != "none":
            rows.append(_Row(AddTag, "add_tag", ADDS, built_in))
        if event_name in built_in.removes_on and capabilities.remove_tag != "none":
            rows.append(_Row(RemoveTag, "remove_tag", REMOVES, built_in))
    return tuple(rows)


class Capture:
    """The automatic steps at one provider."""

    __slots__ = ("_because", "_capabilities", "_lead", "_provider", "_rows", "_send")

    def __init__(self, provider: str, capabilities: Capabilities) -> None:
        taken = capabilities.data
        self._provider = provider
        self._capabilities = capabilities
        send = tuple(f for f in SENT if f == "email" or taken is None or f in taken)
        self._send = SENT if send == SENT else send
        self._because = {built_in.id: (built_in.id,) for built_in in AUTOMATIC}
        self._rows: dict[str, tuple[_Row, ...]] = {}
        key = action_key(AddLead())
        self._lead = Step(
            provider,
            AddLead(),
            order_of(provider, key),
            digest(key),
            self._send,
            (CAPTURE_ID,),
            automatic=True,
            role=0,
        )

    def steps(self, product_id: str, event_name: str) -> tuple[Step, ...]:
        """Return what is done on an event of an approved product, in the order of a plan."""
        account = self._capabilities
        if not account.takes_event(event_name):
            return ()
        rows = self._rows.get(event_name)
        if rows is None:
            rows = self._rows[event_name] = _rows(event_name, account)
        tags = [row.built_in.tag_for(product_id) for row in rows]
        taken = [(row, tag) for row, tag in zip(rows, tags, strict=True) if account.takes_tag(tag)]
        # All of a sort at once: so they lie together in memory, which saves a plan some reads.
        keys = [(row.kind, fold(tag)) for row, tag in taken]
        orders = [order_of(self._provider, key) for key in keys]
        digests = [digest(key) for key in keys]
        actions = [row.action(tag) for row, tag in taken]
        steps = [
            Step(
                self._provider,
                action,
                order,
                told,
                self._send,
                self._because[row.built_in.id],
                automatic=True,
                role=row.role,
            )
            for (row, _), action, order, told in zip(taken, actions, orders, digests, strict=True)
        ]
        if account.add_lead != "none":
            steps.append(self._lead)
        return tuple(sorted(steps, key=attrgetter("order")))
