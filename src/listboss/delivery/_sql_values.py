"""How the values of a journal are kept in the columns of a database, and read from them.

Times are microseconds since 1970 in UTC, so that they sort as numbers; other values are
canonical JSON.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from listboss.codec._reading import reader_of
from listboss.codec._scalars import read_scalar
from listboss.codec._writing import write
from listboss.plan import PlannedAction
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import Action, ProviderAction
from listboss.standing import Grant, Mark, Reach, Stamp

__all__ = [
    "Part",
    "Row",
    "Rows",
    "compact_json",
    "dump_action",
    "dump_ids",
    "grant_key",
    "grant_of_key",
    "load_action",
    "load_planned",
    "mark_of_row",
    "optional_time",
    "placed",
    "stamp_of_row",
    "ticks_of",
    "time_of",
    "upsert",
    "where_equal",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def ticks_of(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def optional_time(ticks: int | None) -> datetime | None:
    return None if ticks is None else time_of(ticks)


@lru_cache(maxsize=1024)
def time_of(ticks: int) -> datetime:
    return _EPOCH + ticks * _MICROSECOND


@lru_cache(maxsize=1024)
def grant_key(grant: Grant | None) -> str:
    if grant is None:
        return ""
    return _encode([grant.product_id, grant.transaction, grant.subscriber_code])


@lru_cache(maxsize=1024)
def grant_of_key(key: str) -> Grant | None:
    return Grant(*json.loads(key)) if key else None


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def compact_json(value: object) -> str:
    return _encode(value)


@lru_cache(maxsize=1024)
def dump_ids(ids: tuple[str, ...]) -> str:
    return _encode(ids)


def dump_action(action: Action) -> str:
    # Numbers that are equal (1, 1.0, True) have several spellings, so verbs are not cached.
    return _dump(action) if isinstance(action, ProviderAction) else _dump_once(action)


def _dump(action: Action) -> str:
    return _encode(write(action))


_dump_once = lru_cache(maxsize=1024)(_dump)


@lru_cache(maxsize=1024)
def load_action(text: str) -> Action:
    action: Action = reader_of(Action)(json.loads(text), Action)
    return action


def load_planned(text: str) -> PlannedAction:
    """Read a planned action; its action is the same object for all that are equal."""
    fields = json.loads(text)
    fields["action"] = load_action(_encode(fields["action"]))
    fields["data"] = FrozenMap({name: read_scalar(each) for name, each in fields["data"].items()})
    fields["because"] = tuple(fields["because"])
    return PlannedAction(**fields)


def stamp_of_row(row: Row) -> Stamp:
    return Stamp(time_of(row["occurred_at"]), row["rank"], row["event_id"])


def placed(stamp: Stamp) -> tuple[int | None, int, str]:
    return (ticks_of(stamp.occurred_at), stamp.rank, stamp.event_id)


def mark_of_row(row: Row, provider: str) -> Mark:
    return Mark(
        provider,
        row["target"],
        grant_of_key(row["grant_key"]),
        Reach(row["reach"]) if row["reach"] else None,
        stamp_of_row(row),
        row["action_id"],
        row["keep"],
    )


def where_equal(equal: dict[str, object]) -> tuple[str, tuple[object, ...]]:
    """Return conditions for everything that is not None, and their values."""
    given = {name: value for name, value in equal.items() if value is not None}
    return "".join(f" AND {name} = ?" for name in given), tuple(given.values())


def upsert(table: str, columns: str, key: str) -> str:
    """Return a statement that inserts a row, or replaces the one with the same key."""
    names = columns.split(", ")
    others = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key.split(", "))
    marks = ", ".join("?" * len(names))
    return (
        f"INSERT INTO {table} ({columns}) VALUES ({marks})"
        f" ON CONFLICT ({key}) DO UPDATE SET {others}"
    )


class Row(Protocol):
    """A row of a database, with the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...


class Rows(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> Sequence[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Part(ABC):
    """One part of the store; the statements are those that both databases understand.

    A part keeps the rows that it read as long as nobody else can change them, and writes what
    has changed when the transaction ends, or before a look-up that depends on it.
    """

    @abstractmethod
    def execute(self, sql: str, values: Sequence[object] = (), /) -> Rows:
        """Carry out a statement with a `?` for each value."""

    @abstractmethod
    def execute_many(self, sql: str, rows: Iterable[Sequence[object]], /) -> object:
        """Carry out a statement for each row of values."""

    def _one(self, sql: str, *values: object) -> Any:
        return self.execute(sql, values).fetchone()
