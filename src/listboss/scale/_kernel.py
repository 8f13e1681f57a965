"""`plan_batch`: a batch of events to a batch of plans.

An action is a row, and so is an event without actions. What rows share is kept once: the values
of an event, and what a rule set says of an action whatever the event.
"""

from __future__ import annotations

from json import JSONEncoder
from typing import Any, cast

import attrs

from listboss.codec import dump_action
from listboss.codec._scalars import write_scalar
from listboss.codec._writing import canonical_json, write
from listboss.engine import Engine
from listboss.plan import NO_CONTEXT, Plan, PlannedAction
from listboss.rules._text import wrong_type
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    action_kind,
    place_text,
)
from listboss.rules.capabilities import Capabilities
from listboss.rules.catalogue import Catalogue
from listboss.scale._arrow import CODE, INSTANT, TEXT, Array, RecordBatch, array_of, as_type, pa, pc
from listboss.scale._events import EventRows
from listboss.scale._schema import PLAN_COLUMNS

__all__ = ["plan_batch"]

_encode_data = JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=cast("Any", write_scalar)
).encode
_BY_ACTION = ("provider", "account", "kind", "target", "parameters", "because", "automatic")


def plan_batch(engine: Engine, batch: RecordBatch, *, include_tests: bool = False) -> RecordBatch:
    """Plan every row of a batch of events; the result has the columns of `plan_schema()`.

    A plan has a row for each action, numbered from 0 in `n`, or one row that says why it is
    `idle`. A row that is not a valid event has neither: its one row has the `error`, as a code
    and a column, and no other value than `row`, its number in the batch.

    Raises `ConfigurationError` for a missing column and `ArgumentTypeError` for one of the wrong
    type. Strings may be dictionaries or not, and decimals and times of any precision; nanoseconds
    are cut off.

    >>> from datetime import UTC, datetime
    >>> from listboss import Contact, Event, Product, RuleSet
    >>> from listboss.scale import events_to_batch
    >>> rules = RuleSet([Product("42", "Course")])
    >>> event = Event(
    ...     "purchase.approved",
    ...     id="e-1",
    ...     product_id="42",
    ...     contact=Contact("ana@example.com"),
    ...     occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
    ... )
    >>> plans = plan_batch(Engine(rules), events_to_batch([event], rules))
    >>> plans.column("idle").to_pylist()
    ['no_rule']
    """
    if not isinstance(cast("object", engine), Engine):
        raise wrong_type("an engine", engine, "$.engine")
    events = EventRows(engine.rules, batch)
    rows = _Rows(_Actions(engine.rules.providers))
    for row, event in enumerate(events):
        if event is None:
            rows.add_idle(row, None, None, None)
            continue
        plan = engine.plan(event, include_tests=include_tests)
        email = None if event.contact is None else event.contact.email
        if plan.actions:
            rows.add_actions(row, plan, email)
        else:
            rows.add_idle(row, 0, email, plan.idle)
    return rows.batch(events, engine.rules.catalogue)


class _Actions:
    """What is the same for an action of the rules in every plan: found by identity, and counted."""

    def __init__(self, accounts: Any) -> None:
        self._numbers: dict[tuple[int, tuple[str, ...]], int] = {}
        self._accounts = {name: _account(account) for name, account in accounts.items()}
        self.planned: list[PlannedAction] = []  # keeps the actions alive, so no identity returns

    def number(self, planned: PlannedAction) -> int:
        key = (id(planned.action), planned.because)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.planned)
            self.planned.append(planned)
        return number

    def columns(self) -> dict[str, list[Any]]:
        """Return the columns of the distinct actions."""
        return {
            "provider": [each.provider for each in self.planned],
            "account": [self._accounts.get(each.provider) for each in self.planned],
            "kind": [action_kind(each.action) for each in self.planned],
            "target": [_target(each.action) for each in self.planned],
            "parameters": [dump_action(each.action) for each in self.planned],
            "because": [each.because for each in self.planned],
            "automatic": [each.automatic for each in self.planned],
        }


def _account(account: Capabilities) -> str:
    """Write what delivery reads of an account."""
    verbs = [attrs.evolve(verb, parameters={}, optional=()) for verb in account.verbs]
    read = Capabilities(
        add_lead=account.add_lead,
        one_place=account.one_place,
        idempotent=account.idempotent,
        verbs=verbs,
    )
    return canonical_json(write(read))


def _target(action: Action) -> str | None:
    """Return the tag, place or verb of an action, as messages show it."""
    match action:
        case AddTag(tag) | RemoveTag(tag):
            return tag
        case AddLead(place):
            return None if place is None else place_text(place)
        case RemoveLead(place) | MoveLead(place):
            return place_text(place)
        case ProviderAction(verb):
            return verb


class _Rows:
    """The rows of the result, as lists that grow."""

    def __init__(self, actions: _Actions) -> None:
        self.actions = actions
        self.row: list[int] = []
        self.n: list[int | None] = []
        self.number: list[int | None] = []
        self.action_id: list[str | None] = []
        self.data: list[str | None] = []
        # One for each event:
        self.counts: list[int | None] = []
        self.email: list[str | None] = []
        self.idle: list[str | None] = []

    def add_idle(self, row: int, count: int | None, email: str | None, idle: str | None) -> None:
        self.row.append(row)
        self.n.append(None)
        self.number.append(None)
        self.action_id.append(None)
        self.data.append(None)
        self.counts.append(count)
        self.email.append(email)
        self.idle.append(idle)

    def add_actions(self, row: int, plan: Plan, email: str | None) -> None:
        last, text = None, ""
        for n, planned in enumerate(plan.actions):
            if planned.data is not last:
                last = planned.data
                text = _encode_data(last) if last else "{}"
            self.row.append(row)
            self.n.append(n)
            self.number.append(self.actions.number(planned))
            self.action_id.append(planned.id)
            self.data.append(text)
        self.counts.append(len(plan.actions))
        self.email.append(email)
        self.idle.append(None)

    def batch(self, events: EventRows, catalogue: Catalogue) -> RecordBatch:
        """Make the columns: what an event or an action of the rules has is taken by number."""
        row, number = pa.array(self.row, pa.int64()), pa.array(self.number, pa.int64())
        of_event = row
        if events.errors:  # a row that is not an event has none of its values
            of_event = pa.array([None if n in events.errors else n for n in self.row], pa.int64())
        arrays = {
            name: array.take(of_event)
            for name, array in _of_events(events.arrays, catalogue).items()
        }
        for name, values in (("actions", self.counts), ("email", self.email), ("idle", self.idle)):
            arrays[name] = _array(name, values).take(of_event)
        for name, values in self.actions.columns().items():
            arrays[name] = _array(name, values).take(number)
        arrays["row"] = row
        arrays["error"] = _array("error", [*map(events.errors.get, self.row)])
        for name, values in (("n", self.n), ("action_id", self.action_id), ("data", self.data)):
            arrays[name] = _array(name, values)
        ordered = [arrays[name] for name in PLAN_COLUMNS]
        return pa.RecordBatch.from_arrays(ordered, schema=pa.schema(PLAN_COLUMNS))


def _array(name: str, values: list[Any]) -> Array:
    return array_of(values, PLAN_COLUMNS[name])


def _of_events(arrays: dict[str, Array], catalogue: Catalogue) -> dict[str, Array]:
    """Return the columns that the rows of an event repeat."""
    names = as_type(arrays["name"], CODE)
    kinds = {kind.name: (kind.about, kind.ends, kind.rank) for kind in catalogue.events}
    unknown = (NO_CONTEXT.about, NO_CONTEXT.ends, NO_CONTEXT.rank)
    known = [kinds.get(name, unknown) for name in names.dictionary.to_pylist()]
    context = {
        name: [each[n] for each in known] for n, name in enumerate(("about", "ends", "rank"))
    }
    plan_id, plan_name = (as_type(arrays[name], TEXT) for name in ("plan_id", "plan_name"))
    plan = plan_id if plan_name.null_count == len(plan_name) else pc.coalesce(plan_id, plan_name)
    return {
        "event_id": as_type(arrays["event_id"], TEXT),
        "event_name": names,
        "product_id": as_type(arrays["product_id"], CODE),
        "occurred_at": as_type(arrays["occurred_at"], INSTANT),
        "is_test": as_type(arrays["is_test"], pa.bool_()).fill_null(False),  # noqa: FBT003 # pyarrow's
        "subscription_plan": as_type(plan, CODE),
        "transaction": as_type(arrays["transaction"], TEXT),
        "subscriber_code": as_type(arrays["subscriber_code"], TEXT),
        **{name: _array(name, values).take(names.indices) for name, values in context.items()},
    }
