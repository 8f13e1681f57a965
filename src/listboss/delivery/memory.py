"""`MemoryJournal`: a journal that lives as long as the process.

Its store keeps the rows in dictionaries, and its transactions are a lock.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from secrets import token_bytes
from threading import RLock

from listboss.delivery._memory import MemoryStore
from listboss.delivery._retention import as_keep
from listboss.delivery._rows import Store
from listboss.delivery._store_journal import StoreJournal

__all__ = ["MemoryJournal"]


class MemoryJournal(StoreJournal):
    """A journal that lives as long as the process, for tests, tools and small hosts.

    It keeps finished events and records for `keep` (60 days by default; None keeps them for
    ever). An event that is redelivered later than that counts as new.

    >>> MemoryJournal().history()
    ()
    """

    def __init__(self, *, keep: timedelta | None = timedelta(days=60)) -> None:
        self._lock = RLock()
        self._store = MemoryStore(token_bytes(16))
        self._keep = as_keep(keep)
        self._pruned_at: datetime | None = None

    @contextmanager
    def _transaction(self) -> Generator[Store]:
        with self._lock:
            yield self._store

    _reading = _transaction

    def _tidy_up(self, now: datetime) -> None:
        is_due = self._pruned_at is None or now - self._pruned_at >= timedelta(days=1)
        if self._keep is not None and is_due:
            self._pruned_at = now
            self.prune(now - self._keep)
