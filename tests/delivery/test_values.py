"""What a journal in a database keeps as text is read as it was written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given

from listboss import Action, AddLead, PlannedAction
from listboss.codec._reading import reader_of
from listboss.codec._writing import write
from listboss.delivery._sql_values import compact_json, load_planned
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import FactValue
from listboss.testing._accounts import actions


def planned(action: Action, **data: FactValue) -> PlannedAction:
    """Return a planned action with data of every kind, unless some are given."""
    known: dict[str, FactValue] = {
        "email": "ana@example.com",
        "price": Decimal("49.90"),
        "since": datetime(2026, 5, 4, 12, tzinfo=UTC),
        "seats": 3,
        "is_gift": True,
    }
    return PlannedAction(
        provider="mail",
        email="ana@example.com",
        action=action,
        data=FrozenMap(data or known),
        because=("buyers", "members"),
        automatic=True,
        id="e-1-a",
    )


@given(actions())
def test_a_planned_action_is_read_as_it_was_written(action: Action) -> None:
    """A journal reads the same planned action that it wrote, as the codec does."""
    text = compact_json(write(planned(action)))

    assert (planned(action), reader_of(PlannedAction)(json.loads(text), PlannedAction)) == (
        load_planned(text),
    ) * 2


def test_equal_actions_are_one_object() -> None:
    """The action of two planned actions is read once if it is the same."""
    first, second = (
        load_planned(compact_json(write(planned(AddLead("Buyers"), name=name))))
        for name in ("Ana", "Rui")
    )

    assert first.action is second.action
