"""Bodies of webhooks to a batch of events, with why a body gave none.

A body may have any number of events, so the rows of the result are not those of the bodies. A
body that cannot be read, or that has no event, becomes a row with its `error`, which `plan_batch`
repeats. Whether a body came from the sender is checked where it arrives, before it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from listboss.errors import ConfigurationError, ListBossError, WebhookError
from listboss.hotmart import parse
from listboss.rules._text import wrong_type
from listboss.rules.catalogue import FactType
from listboss.rules.event import Event, EventName
from listboss.rules.ruleset import RuleSet
from listboss.scale._arrow import CODE, TEXT, Array, RecordBatch, pa
from listboss.scale._events import event_columns, facts_fit
from listboss.scale._schema import event_schema, fact_columns

__all__ = ["webhooks_to_batch"]


def webhooks_to_batch(
    bodies: Array | Iterable[bytes | str | None],
    rules: RuleSet,
    *,
    received_at: Array | Iterable[datetime | None] | None = None,
    pix_as: EventName | str = EventName.PURCHASE_WAITING_PAYMENT,
    product_ids: Mapping[str, str] | None = None,
) -> RecordBatch:
    """Read bodies as `hotmart.parse` does, into a batch of `event_schema(rules)` and `error`.

    `bodies` is a list, or an array of pyarrow with strings or bytes; `received_at` has the time
    of each body. Each event of a body is a row. A body without an event is a row that has only
    `error`: `invalid_webhook` or a reason of `IgnoredReason`, with the path `$.body`. Raises
    `ConfigurationError` if there are more or fewer times than bodies, and `EventError` for a time
    without a time zone.

    >>> from listboss import Product
    >>> rules = RuleSet([Product("42", "Course")])
    >>> batch = webhooks_to_batch([b"not a webhook", b'{"event": "ORDER_FULFILLMENT"}'], rules)
    >>> batch.column("error").to_pylist()
    ['invalid_webhook @ $.body', 'unknown_event @ $.body']
    """
    facts = fact_columns(rules)
    raw = _values(bodies, "$.bodies")
    times = [None] * len(raw) if received_at is None else _values(received_at, "$.received_at")
    if len(times) != len(raw):
        raise ConfigurationError(
            f"expected one time for each body, got {len(times):,} for {len(raw):,}",
            path="$.received_at",
        )
    events: list[Event | None] = []
    errors: list[str | None] = []
    for body, at in zip(raw, times, strict=True):
        found, error = _read(body, at, rules, pix_as, product_ids)
        for event in found:
            fault = _fault(event, facts)
            events.append(event if fault is None else None)
            errors.append(fault)
        if error is not None:
            events.append(None)
            errors.append(error)
    columns = event_columns(events, facts)
    schema = event_schema(rules).append(pa.field("error", CODE))
    return pa.RecordBatch.from_arrays(
        [*columns, pa.array(errors, TEXT).dictionary_encode()], schema=schema
    )


def _values(given: Any, path: str) -> list[Any]:
    """Return bytes as bytes: a string of an array may not be valid UTF-8."""
    if isinstance(given, (str, bytes)):
        raise wrong_type("a list", given, path)
    if not isinstance(given, (pa.Array, pa.ChunkedArray)):
        return list(given)
    if pa.types.is_dictionary(given.type):
        given = given.dictionary_decode()
    kind = given.type
    if pa.types.is_timestamp(kind):
        given = given.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    elif not pa.types.is_null(kind):
        given = given.cast(pa.large_binary())
    return cast("list[Any]", given.to_pylist())


def _read(
    body: Any,
    at: datetime | None,
    rules: RuleSet,
    pix_as: EventName | str,
    product_ids: Mapping[str, str] | None,
) -> tuple[tuple[Event, ...], str | None]:
    """Return the events of a body, or why there are none."""
    if body is None:
        return (), "missing @ $.body"
    try:
        parsed = parse(
            body,
            catalogue=rules.catalogue,
            pix_as=pix_as,
            received_at=at,
            product_ids=product_ids,
        )
    except WebhookError as error:
        return (), f"{error.code} @ $.body"
    return parsed.events, None if parsed.ignored is None else f"{parsed.ignored.reason} @ $.body"


def _fault(event: Event, facts: Mapping[str, FactType]) -> str | None:
    """Say why no row can hold an event, or None if one can."""
    try:
        facts_fit(event, facts)
    except ListBossError as error:
        return f"{error.code} @ {error.path}"
    return None
