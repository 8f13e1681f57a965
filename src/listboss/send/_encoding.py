"""How values are written into the file, and read from it.

Times are ISO strings in UTC of equal length, so they sort. Data are JSON in which decimals
and times are marked, so no number becomes a float. Ids of actions are stored as digests,
since a host's event id may contain an address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b

from listboss.errors import ActionError, ArgumentTypeError
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import require_number
from listboss.rules.action import Place
from listboss.rules.event import FactValue, utc

__all__ = [
    "action_digest",
    "data_from",
    "data_text",
    "place_from",
    "place_text",
    "time_from",
    "time_text",
]


def time_text(at: datetime) -> str:
    """Encode a time so that strings sort in order of time.

    >>> time_text(datetime(2026, 5, 4, 12, tzinfo=UTC))
    '2026-05-04T12:00:00.000000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def time_from(text: str) -> datetime:
    """Decode `time_text`."""
    return datetime.fromisoformat(text)


def _to_json(name: object, value: object) -> object:
    path = f"$.data.{name}"
    match value:
        case bool() | str():
            return value
        case int():
            return require_number(value, path, ActionError)
        case Decimal():
            return {"decimal": str(require_number(value, path, ActionError))}
        case datetime():
            return {"instant": time_text(utc(value, path))}
        case _:
            raise ArgumentTypeError(
                "expected a string, integer, decimal, boolean or date and time", path=path
            )


def _from_json(value: dict[str, str]) -> object:
    if "decimal" in value:
        return Decimal(value["decimal"])
    return time_from(value["instant"])


def data_text(data: Mapping[str, FactValue]) -> str:
    """Encode data as JSON.

    >>> data_text({"price": Decimal("49.90")})
    '[["price", {"decimal": "49.90"}]]'
    """
    return json.dumps([[name, _to_json(name, value)] for name, value in data.items()])


def data_from(text: str) -> FrozenMap[str, FactValue]:
    """Decode `data_text`."""
    return FrozenMap(dict(json.loads(text, object_hook=_from_json)))


def place_text(place: Place) -> str:
    """Encode the parts of a place."""
    return json.dumps(dict(place.parts))


def place_from(text: str) -> Place:
    """Decode `place_text`."""
    return Place(**json.loads(text))


def action_digest(action_id: str) -> str:
    """Return the form in which the id of an action is stored."""
    return blake2b(action_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
