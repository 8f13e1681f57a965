"""Plans from their columns: what a journal needs of them.

`Plan.context` is kept as columns: `about`, `ends` and `rank` of the event's type, and in
`account` what delivery reads of the provider's capabilities. Conflicts are not kept, and of
the event only what delivery reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, Protocol, get_args

import attrs

from listboss.codec import LIMITS, load_action
from listboss.codec._reading import read_document
from listboss.codec._scalars import read_scalar
from listboss.delivery import Receipt
from listboss.errors import ConfigurationError
from listboss.plan import Plan, PlanContext, PlannedAction
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import Action
from listboss.rules.capabilities import Capabilities
from listboss.rules.event import (
    OWN_FACTS,
    Contact,
    Event,
    FactValue,
    event_name,
    plain_contact,
    plain_event,
)
from listboss.scale._arrow import RecordBatch, pa
from listboss.scale._columns import BOOLEAN, INSTANT, INTEGER, RAW_TEXT, TEXTS, Form, columns_of
from listboss.scale._schema import PLAN_COLUMNS

__all__ = ["Endings", "PlanJournal", "accept_plans", "batch_to_plans", "whole_plans"]

Endings = Literal["by_grant", "absolute"]

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
    return tuple(map(_plan, _rows_of_plans(batch)))


def _rows_of_plans(batch: RecordBatch) -> Iterator[list[dict[str, Any]]]:
    """Return the rows of each plan."""
    columns = columns_of(batch, FORMS)
    rows = zip(*(columns[name].values for name in PLAN_COLUMNS), strict=True)
    open_rows: list[dict[str, Any]] = []
    for number, values in enumerate(rows):
        row = dict(zip(PLAN_COLUMNS, values, strict=True))
        _check_order(row, open_rows, number)
        if row["error"] is not None:
            continue
        open_rows.append(row)
        if len(open_rows) >= row["actions"]:
            yield open_rows
            open_rows = []
    if open_rows:
        raise _scattered(batch.num_rows)


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


# To a journal


class PlanJournal(Protocol):
    """A journal that takes plans without their whole events: those of this library do."""

    def accept_planned(
        self, pairs: Sequence[tuple[Event, Plan]], now: datetime
    ) -> tuple[Receipt, ...]:
        """Accept events and their plans in one transaction."""
        ...


def accept_plans(
    journal: PlanJournal,
    plans: RecordBatch,
    now: datetime,
    *,
    endings: Endings = "by_grant",
    events_at_once: int = 200,
) -> tuple[Receipt, ...]:
    """Accept the plans of a batch, so that an executor on the journal carries them out.

    It is `Executor.accept` for events that were planned in a batch: the same is delivered, and
    an event that the journal has already changes nothing, so a batch can be repeated. There are
    `events_at_once` events in a transaction. `endings` is that of the executor. Rows with an
    `error` are left out. Facts have no columns, so the event itself is not kept:
    `journal.event` returns None, and the event cannot be planned anew.

    >>> from datetime import UTC, datetime
    >>> import pyarrow
    >>> from listboss.delivery import MemoryJournal
    >>> from listboss.scale import plan_schema
    >>> empty = pyarrow.RecordBatch.from_pylist([], schema=plan_schema())
    >>> accept_plans(MemoryJournal(), empty, datetime(2026, 5, 4, tzinfo=UTC))
    ()
    """
    if endings not in get_args(Endings):
        raise ConfigurationError("expected `by_grant` or `absolute`", path="$.endings")
    if events_at_once < 1:
        raise ConfigurationError("expected an integer of at least 1", path="$.events_at_once")
    pairs = [(_event(rows[0]), _plan(rows)) for rows in _rows_of_plans(plans)]
    if endings == "absolute":
        pairs = [(event, _without_endings(plan)) for event, plan in pairs]
    receipts: list[Receipt] = []
    for n in range(0, len(pairs), events_at_once):
        receipts += journal.accept_planned(pairs[n : n + events_at_once], now)
    return tuple(receipts)


def _without_endings(plan: Plan) -> Plan:
    return attrs.evolve(plan, context=attrs.evolve(plan.context, about=None, ends=False))


def _event(row: dict[str, Any]) -> Event:
    """Make the event of a plan, without what only rules read."""
    own = {
        "plan_id": row["subscription_plan"],
        "subscriber_code": row["subscriber_code"],
        "transaction": row["transaction"],
    }
    facts = {name: own[name] for name in OWN_FACTS if own.get(name) is not None}
    return plain_event(
        name=row["event_name"],
        id=row["event_id"],
        product_id=row["product_id"],
        contact=None if row["email"] is None else _contact(row["email"]),
        occurred_at=row["occurred_at"],
        plan_id=own["plan_id"],
        plan_name=None,
        transaction=own["transaction"],
        subscriber_code=own["subscriber_code"],
        facts=FrozenMap[str, FactValue].of_sorted(facts),
        is_test=row["is_test"],
    )


def _contact(email: str) -> Contact:
    return plain_contact(email, name=None, first_name=None, last_name=None, phone=None)


def whole_plans(batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """Cut batches anew, so that none ends within a plan."""
    rest: RecordBatch | None = None
    for given in batches:
        batch = given if rest is None else pa.concat_batches([rest, given])
        end = batch.num_rows
        if end:
            n, actions = (batch.column(name)[-1].as_py() for name in ("n", "actions"))
            if n is not None and n + 1 < actions:
                end = max(0, end - n - 1)
        rest = batch.slice(end) if end < batch.num_rows else None
        if end:
            yield batch.slice(0, end)
    if rest is not None:
        yield rest
