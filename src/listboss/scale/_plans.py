"""Plans from their columns: what a journal needs of them.

`Plan.context` is kept as columns: `about`, `ends` and `rank` of the event's type, and in
`account` what delivery reads of the provider's capabilities. Conflicts are not kept.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from listboss.codec import LIMITS, load_action
from listboss.codec._reading import read_document
from listboss.codec._scalars import read_scalar
from listboss.errors import ConfigurationError
from listboss.plan import Plan, PlanContext, PlannedAction
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import Action
from listboss.rules.capabilities import Capabilities
from listboss.rules.event import FactValue, event_name
from listboss.scale._arrow import RecordBatch
from listboss.scale._columns import BOOLEAN, INSTANT, INTEGER, RAW_TEXT, TEXTS, Form, columns_of
from listboss.scale._schema import PLAN_COLUMNS

__all__ = ["batch_to_plans"]

_OTHER_FORMS: dict[str, Form] = {
    "occurred_at": INSTANT,
    "is_test": BOOLEAN,
    "ends": BOOLEAN,
    "rank": INTEGER,
    "n": INTEGER,
    "actions": INTEGER,
    "because": TEXTS,
    "automatic": BOOLEAN,
    "row": INTEGER,
}
FORMS = {name: _OTHER_FORMS.get(name, RAW_TEXT) for name in PLAN_COLUMNS}


def batch_to_plans(batch: RecordBatch) -> tuple[Plan, ...]:
    """Make the plans of a batch that `plan_batch` made, in their order, for a journal's `accept`.

    They equal those of `Engine.plan` in everything but the conflicts, which have no columns.
    Rows with an `error` are left out. Raises `ConfigurationError` if rows of a plan are missing
    or not in the order of `n`: keep the rows of an event together.

    >>> import pyarrow
    >>> from listboss.scale import plan_schema
    >>> batch_to_plans(pyarrow.RecordBatch.from_pylist([], schema=plan_schema()))
    ()
    """
    columns = columns_of(batch, FORMS)
    rows = zip(*(columns[name].values for name in PLAN_COLUMNS), strict=True)
    plans: list[Plan] = []
    open_rows: list[dict[str, Any]] = []
    for number, values in enumerate(rows):
        row = dict(zip(PLAN_COLUMNS, values, strict=True))
        _check_order(row, open_rows, number)
        if row["error"] is not None:
            continue
        open_rows.append(row)
        if len(open_rows) >= row["actions"]:
            plans.append(_plan(open_rows))
            open_rows = []
    if open_rows:
        raise _scattered(batch.num_rows)
    return tuple(plans)


def _check_order(row: dict[str, Any], before: list[dict[str, Any]], number: int) -> None:
    """Check that a row follows those before it of the same plan."""
    is_next = (row["n"] or 0) == len(before)
    is_same = not before or row["event_id"] == before[0]["event_id"]
    if not (is_next and is_same):
        raise _scattered(number)


def _scattered(number: int) -> ConfigurationError:
    return ConfigurationError(
        "the rows of a plan are not complete and in order",
        path=f"$.batch[{number}]",
        hint="keep the rows of an event together, sorted by `n`",
    )


def _plan(rows: list[dict[str, Any]]) -> Plan:
    first = rows[0]
    accounts = {row["provider"]: _account(row["account"]) for row in rows if row["account"]}
    return Plan(
        event_id=first["event_id"],
        event_name=event_name(first["event_name"]),
        product_id=first["product_id"],
        occurred_at=first["occurred_at"],
        is_test=first["is_test"],
        actions=tuple(_action(row) for row in rows if row["n"] is not None),
        idle=first["idle"],
        context=PlanContext(
            first["about"], first["ends"], first["rank"], FrozenMap[str, Capabilities](accounts)
        ),
    )


def _action(row: dict[str, Any]) -> PlannedAction:
    return PlannedAction(
        provider=row["provider"],
        email=row["email"],
        action=_read_action(row["parameters"]),
        data=_data(row["data"]),
        because=tuple(row["because"]),
        automatic=row["automatic"],
        id=row["action_id"],
    )


def _data(text: str) -> FrozenMap[str, FactValue]:
    return FrozenMap({name: read_scalar(value) for name, value in json.loads(text).items()})


@lru_cache(maxsize=4096)
def _read_action(text: str) -> Action:
    return load_action(text)


@lru_cache(maxsize=256)
def _account(text: str) -> Capabilities:
    return read_document(text, Capabilities, LIMITS, private=False)
