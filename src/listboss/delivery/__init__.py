"""Delivery: carry a plan out at the host's providers, with a journal.

`Executor` and `AsyncExecutor` plan an event, attempt each action once and record the
outcome. `MemoryJournal` keeps the history. `Delivery` is the life of one plan as a table,
without a clock, a provider or a store, for hosts that write their own driver or journal.
"""

from __future__ import annotations

from listboss.delivery.delivery import (
    DONE,
    TRANSITIONS,
    ActionState,
    Attempt,
    Delivery,
    DeliveryStatus,
    Done,
    Receipt,
    Signal,
    Status,
    Wait,
)
from listboss.delivery.executor import AsyncExecutor, Executor
from listboss.delivery.journal import Journal, MemoryJournal, Record

__all__ = [
    "DONE",
    "TRANSITIONS",
    "ActionState",
    "AsyncExecutor",
    "Attempt",
    "Delivery",
    "DeliveryStatus",
    "Done",
    "Executor",
    "Journal",
    "MemoryJournal",
    "Receipt",
    "Record",
    "Signal",
    "Status",
    "Wait",
]
