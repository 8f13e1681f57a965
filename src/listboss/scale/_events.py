"""Events from columns, and columns from events.

Events are filled by column: the values of a column are made plain first, then the rows take
them, without a check for each. What is valid, the event's own functions say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, cast

from listboss.errors import EventError
from listboss.rules._facts import EXPECTED_FORMS, READERS
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import refuse_unordered, wrong_type
from listboss.rules.catalogue import FactKind, FactType
from listboss.rules.event import (
    OWN_FACTS,
    Contact,
    Event,
    FactValue,
    plain_contact,
    plain_event,
)
from listboss.rules.ruleset import RuleSet
from listboss.scale._arrow import CODE, Array, RecordBatch, array_of, pa
from listboss.scale._columns import (
    BOOLEAN,
    CONTACT_TEXT,
    FACT_FORMS,
    ID,
    INSTANT,
    RAW_TEXT,
    TEXT,
    Column,
    Form,
    columns_of,
)
from listboss.scale._schema import (
    CONTACT_COLUMNS,
    EVENT_COLUMNS,
    FACT_TYPES,
    event_schema,
    fact_columns,
)

__all__ = ["EventRows", "event_columns", "event_forms", "events_to_batch", "facts_fit"]

REQUIRED = ("name", "event_id", "product_id", "occurred_at")
_PERSON = ("email", *CONTACT_COLUMNS)
_REST = (*REQUIRED, *OWN_FACTS, "is_test")
FORMS: dict[str, Form] = {
    "event_id": ID,
    "name": ID,
    "product_id": ID,
    "email": RAW_TEXT,
    **dict.fromkeys(CONTACT_COLUMNS, CONTACT_TEXT),
    "occurred_at": INSTANT,
    **dict.fromkeys(OWN_FACTS, ID),
    "is_test": BOOLEAN,
}


ERROR: dict[str, Form] = {"error": TEXT}
"""A column that a batch may have: why a row is not an event, as its maker found."""


def event_forms(facts: Mapping[str, FactType]) -> dict[str, Form]:
    """Return what the columns of events have to be."""
    return {**FORMS, **{column: FACT_FORMS[fact.kind] for column, fact in facts.items()}}


class EventRows:
    """The events of a batch, one by one, with its columns and its errors."""

    def __init__(self, rules: RuleSet, batch: RecordBatch) -> None:
        facts = fact_columns(rules)
        columns = columns_of(batch, event_forms(facts))
        by_fact = {fact.name: columns[column] for column, fact in facts.items()}
        by_fact |= {name: columns[name] for name in OWN_FACTS}
        self.count: int = batch.num_rows
        self.arrays = {name: columns[name].array for name in FORMS}
        self.errors = _errors(columns) | _given_errors(batch)
        self._values = {name: columns[name].values for name in FORMS}
        self._facts = _fact_rows(by_fact, self.count)

    def __iter__(self) -> Iterator[Event | None]:
        """Make the event of each row, None where there is none; an event is not kept.

        Errors of addresses are found on the way.
        """
        values, errors = self._values, self.errors
        people = zip(*(values[name] for name in _PERSON), strict=True)
        rest = zip(*(values[name] for name in _REST), strict=True)
        rows = zip(people, rest, self._facts, strict=True)
        for row, (person, (name, id, product_id, at, *own, is_test), facts) in enumerate(rows):
            if row in errors:
                yield None
                continue
            try:
                contact = None if person[0] is None else _contact(*person)
            except EventError as error:
                errors[row] = f"{error.code} @ $.email"
                yield None
                continue
            plan_id, plan_name, subscriber_code, transaction = own
            yield plain_event(
                name=name,
                id=id,
                product_id=product_id,
                contact=contact,
                occurred_at=at,
                plan_id=plan_id,
                plan_name=plan_name,
                transaction=transaction,
                subscriber_code=subscriber_code,
                facts=facts,
                is_test=is_test is True,
            )


def _errors(columns: dict[str, Column]) -> dict[int, str]:
    errors: dict[int, str] = {}
    for name, column in columns.items():
        for row, code in column.faults.items():
            errors.setdefault(row, f"{code} @ $.{name}")
        if name in REQUIRED and None in column.values:
            for row, value in enumerate(column.values):
                if value is None:
                    errors.setdefault(row, f"missing @ $.{name}")
    return errors


def _given_errors(batch: RecordBatch) -> dict[int, str]:
    if "error" not in batch.schema.names:
        return {}
    values = columns_of(batch, ERROR)["error"].values
    return {row: error for row, error in enumerate(values) if error is not None}


def _fact_rows(columns: dict[str, Column], count: int) -> Iterable[FrozenMap[str, FactValue]]:
    """Return the facts of each row, sorted by name; an absent one is left out."""
    names = [
        name for name in sorted(columns) if columns[name].values.count(None) < count
    ]  # most columns of most logs are empty
    if not names:
        return [FrozenMap[str, FactValue]()] * count
    rows = zip(*(columns[name].values for name in names), strict=True)
    frozen = FrozenMap[str, FactValue].of_sorted
    return (
        frozen({name: value for name, value in zip(names, row, strict=True) if value is not None})
        for row in rows
    )


def _contact(
    email: str, name: str | None, first_name: str | None, last_name: str | None, phone: str | None
) -> Contact:
    return plain_contact(email, name=name, first_name=first_name, last_name=last_name, phone=phone)


# From events

_LAST_PLACE = Decimal(1).scaleb(-9)
_EXACT = Context(prec=38, traps=[Inexact, InvalidOperation])
_NO_ROOM = "no column has room for it: leave it out, or plan the event by itself"


def events_to_batch(events: Iterable[Event], rules: RuleSet) -> RecordBatch:
    """Write events as a batch of `event_schema(rules)`.

    Facts that the rules do not use are left out, and so are blank ones. Raises `EventError` or
    `ArgumentTypeError` for a fact that its column cannot hold: one of another kind, a number
    that does not fit, or a fact that differs from the event's field of the same name.

    >>> from datetime import UTC, datetime
    >>> from listboss import Contact, Product
    >>> event = Event(
    ...     "purchase.approved",
    ...     id="e-1",
    ...     product_id="42",
    ...     contact=Contact("ana@example.com"),
    ...     occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
    ... )
    >>> events_to_batch([event], RuleSet([Product("42", "Course")])).num_rows
    1
    """
    schema = event_schema(rules)
    refuse_unordered(events, "$.events")
    given = list(events)
    for n, event in enumerate(given):
        if not isinstance(cast("object", event), Event):
            raise wrong_type("an event", event, f"$.events[{n}]")
        _check_own_facts(event, f"$.events[{n}]")
    columns = event_columns(given, fact_columns(rules))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def event_columns(events: Sequence[Event | None], facts: Mapping[str, FactType]) -> list[Array]:
    """Return the columns of the schema; a row without an event is null in all of them."""
    fields = [
        array_of([None if e is None else read(e) for e in events], EVENT_COLUMNS[name])
        for name, read in _FIELDS.items()
    ]
    return fields + [
        array_of(
            [
                None if event is None else _fact(event, fact, f"$.events[{n}]")
                for n, event in enumerate(events)
            ],
            FACT_TYPES[fact.kind],
        )
        for fact in facts.values()
    ]


def facts_fit(event: Event, facts: Mapping[str, FactType]) -> None:
    """Raise the error of `events_to_batch` for a fact that its column cannot hold."""
    _check_own_facts(event, "$")
    for fact in facts.values():
        _fact(event, fact, "$")


def _of_contact(field: str) -> Callable[[Event], Any]:
    return lambda event: None if event.contact is None else getattr(event.contact, field)


_FIELDS: dict[str, Callable[[Event], Any]] = {
    "event_id": lambda event: event.id,
    "name": lambda event: str(event.name),
    "product_id": lambda event: event.product_id,
    "email": _of_contact("email"),
    **{column: _of_contact(field) for column, field in CONTACT_COLUMNS.items()},
    "occurred_at": lambda event: event.occurred_at,
    "plan_id": lambda event: event.plan_id,
    "plan_name": lambda event: event.plan_name,
    "transaction": lambda event: event.transaction,
    "subscriber_code": lambda event: event.subscriber_code,
    "is_test": lambda event: event.is_test,
}


def _check_own_facts(event: Event, path: str) -> None:
    for name in OWN_FACTS:
        fact = event.facts.get(name)
        is_blank = isinstance(fact, str) and not fact.strip()
        if fact != getattr(event, name) and not is_blank:
            raise EventError(
                "the fact differs from the field of the event",
                path=f"{path}.facts.{name}",
                hint="a batch has one column for both: set the field alone",
            )


def _fact(event: Event, fact: FactType, path: str) -> Any:
    value = event.facts.get(fact.name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    path = f"{path}.facts.{fact.name}"
    is_text = FACT_TYPES[fact.kind] is CODE
    if not (isinstance(value, str) if is_text else READERS[fact.kind](value) is not None):
        expected = "a string" if is_text else EXPECTED_FORMS[fact.kind]
        raise wrong_type(expected, value, path, "leave an unknown fact out")
    if fact.kind is FactKind.DECIMAL:
        return _decimal(cast("Decimal | int", value), path)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise EventError("the number has more than 64 bits", path=path, hint=_NO_ROOM)
    return value


def _decimal(value: Decimal | int, path: str) -> Decimal:
    try:
        return Decimal(value).quantize(_LAST_PLACE, context=_EXACT)
    except (Inexact, InvalidOperation):
        raise EventError(
            "the number has more than 29 digits before the point, or 9 after it",
            path=path,
            hint=_NO_ROOM,
        ) from None
