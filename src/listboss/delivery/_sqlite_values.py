"""How the values of a journal are kept in columns, and read from them.

Times are microseconds since 1970 in UTC, so that they sort as numbers; other values are
canonical JSON.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from listboss.codec._writing import write
from listboss.rules.action import Action, ProviderAction
from listboss.standing import Grant, Mark, Reach, Stamp

__all__ = [
    "Part",
    "compact_json",
    "dump_action",
    "dump_ids",
    "grant_key",
    "grant_of_key",
    "mark_of_row",
    "optional_time",
    "placed",
    "stamp_of_row",
    "ticks_of",
    "time_of",
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


def stamp_of_row(row: sqlite3.Row) -> Stamp:
    return Stamp(time_of(row["occurred_at"]), row["rank"], row["event_id"])


def placed(stamp: Stamp) -> tuple[int | None, int, str]:
    return (ticks_of(stamp.occurred_at), stamp.rank, stamp.event_id)


def mark_of_row(row: sqlite3.Row, provider: str) -> Mark:
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


class Part:
    """One part of the store.

    A part keeps the rows that it read until another connection changes the file, and writes
    what has changed when the transaction ends, or before a look-up that depends on it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute
        self.execute_many = connection.executemany

    def _one(self, sql: str, *values: object) -> Any:
        return self.execute(sql, values).fetchone()
