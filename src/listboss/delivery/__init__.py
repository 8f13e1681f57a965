"""Deliver: carry a plan out at the host's providers, through a journal.

`Executor` and `AsyncExecutor` plan an event, attempt each action once and record how it
went; `MemoryJournal` keeps the history. `Delivery` is the life of one plan as a table, with
no clock, provider or store in it, for whoever writes a driver or a journal of their own.
"""

from __future__ import annotations

from listboss.delivery.delivery import (
    DONE,
    TRANSITIONS,
    Attempt,
    Delivery,
    DeliveryStatus,
    Done,
    Receipt,
    Signal,
    Status,
    Step,
    Wait,
)
from listboss.delivery.executor import AsyncExecutor, Executor
from listboss.delivery.journal import Journal, MemoryJournal, Record

__all__ = [
    "DONE",
    "TRANSITIONS",
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
    "Step",
    "Wait",
]
