"""The actions of automatic capture, compiled for the events of approved products.

The rows of the table for an event are chosen once. A product only adds its id to the tags, so
it costs nothing until it has events. Actions that the provider cannot do are left out.
"""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from listboss.engine.planning.compiled import (
    ADDS,
    REMOVES,
    CompiledAction,
    order_of,
    sorted_fields,
)
from listboss.rules._text import fold
from listboss.rules.action import AddLead, AddTag, RemoveTag, action_key
from listboss.rules.automatic import AUTOMATIC, CAPTURE_ID, AutomaticSegmentation
from listboss.rules.capabilities import Capabilities
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import DEFAULT_SEND, digest

__all__ = ["Capture"]


class _Row(NamedTuple):
    """What one automatic segmentation does with its tag on one event."""

    action: type[AddTag] | type[RemoveTag]
    kind: str
    role: int
    automatic: AutomaticSegmentation
    first_charge_only: bool


def _rows(event_name: str, account: Capabilities) -> tuple[_Row, ...]:
    rows: list[_Row] = []
    for each in AUTOMATIC:
        if event_name in each.adds_on and account.add_tag != "none":
            rows.append(_Row(AddTag, "add_tag", ADDS, each, first_charge_only=False))
        first = event_name in each.removes_on_first_charge
        if (first or event_name in each.removes_on) and account.remove_tag != "none":
            rows.append(_Row(RemoveTag, "remove_tag", REMOVES, each, first_charge_only=first))
    return tuple(rows)


class Capture:
    """The automatic actions at one provider."""

    __slots__ = ("_account", "_because", "_lead", "_provider", "_rows", "_send")

    def __init__(self, provider: str, account: Capabilities) -> None:
        self._provider = provider
        self._account = account
        accepted = account.data
        self._send = sorted_fields(
            [f for f in DEFAULT_SEND if f == "email" or accepted is None or f in accepted]
        )
        self._because = {each.id: (each.id,) for each in AUTOMATIC}
        self._rows: dict[str, tuple[_Row, ...]] = {}
        lead = AddLead()
        key = action_key(lead)
        self._lead = CompiledAction(
            provider,
            lead,
            order_of(provider, key),
            repr(lead),
            digest(key),
            self._send,
            (CAPTURE_ID,),
            automatic=True,
            role=0,
        )

    @classmethod
    def of(cls, rules: RuleSet) -> Capture | None:
        """Return the capture of a rule set, if it names an account that is integrated."""
        name = rules.capture_provider
        account = None if name is None else rules.providers.get(name)
        return None if name is None or account is None else cls(name, account)

    def actions(
        self, product_id: str, event_name: str
    ) -> tuple[tuple[CompiledAction, ...], tuple[CompiledAction, ...]]:
        """Return the actions on an event of an approved product, in the order of a plan.

        The second value has the actions on the first charge of a subscription; it is the same
        object as the first if the first charge makes no difference.
        """
        account = self._account
        if not account.takes_event(event_name):
            return (), ()
        rows = self._rows.get(event_name)
        if rows is None:
            rows = self._rows[event_name] = _rows(event_name, account)
        tags = [row.automatic.tag_for(product_id) for row in rows]
        used = [(row, tag) for row, tag in zip(rows, tags, strict=True) if account.takes_tag(tag)]
        # Strings of one kind are made together, so that they are close together in memory.
        keys = [(row.kind, fold(tag)) for row, tag in used]
        orders = [order_of(self._provider, key) for key in keys]
        digests = [digest(key) for key in keys]
        actions = [row.action(tag) for row, tag in used]
        compiled = [
            CompiledAction(
                self._provider,
                action,
                order,
                repr(action),
                key_digest,
                self._send,
                self._because[row.automatic.id],
                automatic=True,
                role=row.role,
            )
            for (row, _), action, order, key_digest in zip(
                used, actions, orders, digests, strict=True
            )
        ]
        first_only = [
            action for (row, _), action in zip(used, compiled, strict=True) if row.first_charge_only
        ]
        if account.add_lead != "none":
            compiled.append(self._lead)
        ordered = tuple(sorted(compiled, key=attrgetter("order")))
        if not first_only:
            return ordered, ordered
        return tuple(action for action in ordered if action not in first_only), ordered
