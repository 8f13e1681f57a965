"""Deliver: bring each contact into the state that its events ask for, through any crash.

`Executor` and `AsyncExecutor` accept events, keep them in a `Journal`, and carry their plans
out at the host's providers. `MemoryJournal` lives as long as the process. `TRANSITIONS` is
the life of an action as a table, `RetryPolicy` says when to try again.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from listboss.delivery.executor import Executor, Stop
from listboss.delivery.journal import (
    Forgotten,
    Journal,
    StandingEntry,
    Stuck,
    Turn,
)
from listboss.delivery.life import (
    TRANSITIONS,
    ActionState,
    Attempt,
    DeliveryStatus,
    Happening,
    Receipt,
    Result,
    RetryPolicy,
    Status,
)
from listboss.delivery.memory import MemoryJournal
from listboss.delivery.observer import LoggingObserver, Observer
from listboss.delivery.record import Record

if TYPE_CHECKING:
    from listboss.delivery.async_executor import AsyncExecutor
    from listboss.delivery.postgres import PostgresJournal
    from listboss.delivery.sqlite import SqliteJournal

__all__ = [
    "TRANSITIONS",
    "ActionState",
    "AsyncExecutor",
    "Attempt",
    "DeliveryStatus",
    "Executor",
    "Forgotten",
    "Happening",
    "Journal",
    "LoggingObserver",
    "MemoryJournal",
    "Observer",
    "PostgresJournal",
    "Receipt",
    "Record",
    "Result",
    "RetryPolicy",
    "SqliteJournal",
    "StandingEntry",
    "Status",
    "Stop",
    "Stuck",
    "Turn",
]


_LAZY = {
    "AsyncExecutor": "async_executor",
    "PostgresJournal": "postgres",
    "SqliteJournal": "sqlite",
}


def __getattr__(name: str) -> Any:
    """Load what needs asyncio, sqlite3, psycopg or cattrs when it is asked for, and not before."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, those that are not loaded yet among them."""
    return sorted(__all__)
