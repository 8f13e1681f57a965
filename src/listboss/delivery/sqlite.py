"""`SqliteJournal`: a journal in one SQLite file, for one machine and several processes.

A commit is on the disk before anything is sent (`synchronous=FULL`). Processes take a lock
on a file beside the database before they write, since SQLite's own waiting is not fair. Each
worker holds a lock on a file of its own, so that one that was killed is noticed at once.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from glob import escape
from hashlib import blake2b
from os import PathLike, fspath
from pathlib import Path
from secrets import token_bytes
from threading import RLock
from types import TracebackType
from typing import Final, Self

import attrs

from listboss import _sqlite
from listboss._file_lock import FileLock
from listboss.delivery._rows import Store
from listboss.delivery._sqlite_schema import SCHEMA
from listboss.delivery._sqlite_store import SqliteStore
from listboss.delivery.journal import Forgotten, Turn
from listboss.delivery.life import Receipt, Result
from listboss.delivery.memory import StoreJournal
from listboss.errors import ConfigurationError
from listboss.plan import Plan
from listboss.rules.event import Contact, Event

__all__ = ["SqliteJournal"]

_APPLICATION_ID: Final = 0x4C424F4A  # "LBOJ"
_MIGRATIONS: Final = (SCHEMA,)
_PRUNE_EVERY = timedelta(hours=1)


class SqliteJournal(StoreJournal):
    """A journal in the file `path`, which is created if it does not exist.

    Threads and processes of one machine may share the file. Finished events and records are
    kept for `keep` (60 days by default; None keeps them for ever). Use it as a context
    manager, or `close` it. Raises `ConfigurationError` for a file of another program or of
    a later release, and `StorageError` when the file cannot be used.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, SqliteJournal(Path(folder, "journal.db")) as journal:
    ...     journal.history()
    ()
    """

    def __init__(
        self, path: str | PathLike[str], *, keep: timedelta | None = timedelta(days=60)
    ) -> None:
        self._path = Path(fspath(path))
        self._keep = keep
        self._lock = RLock()
        self._depth = 0
        self._workers: dict[str, FileLock] = {}
        self._pending_checkpoint = False
        self._pruned_at: datetime | None = None
        self._open()

    def _open(self) -> None:
        self._process = os.getpid()
        self._connection = _sqlite.connect(self._path)
        self._file_lock = FileLock(self._beside("lock"))
        self._file_lock.acquire()
        try:
            with _sqlite.storage_errors():
                if _sqlite.migrate(self._connection, _APPLICATION_ID, _MIGRATIONS):
                    self._connection.execute("INSERT INTO journal VALUES (?)", (token_bytes(32),))
            self._drop_worker_files()
        finally:
            self._file_lock.release()
        self._store = SqliteStore(self._connection)

    def _drop_worker_files(self) -> None:
        """Delete the files of workers that were killed."""
        for path in self._path.parent.glob(f"{escape(self._path.name)}-worker-*"):
            self._drop_if_dead(path)

    def _drop_if_dead(self, path: Path) -> bool:
        """Delete a worker's file if its process is gone; whether it was."""
        lock = FileLock(path)
        is_dead = lock.acquire(wait=False)
        if is_dead:
            with suppress(OSError):  # on Windows it stays: it is open
                path.unlink()
        lock.close()
        return is_dead

    def _beside(self, what: str) -> Path:
        return self._path.with_name(f"{self._path.name}-{what}")

    def close(self) -> None:
        """Close the file; what is leased to this process's workers is free at once."""
        with self._lock:
            self._connection.close()
            self._file_lock.close()
            for lock in self._workers.values():
                with suppress(OSError):  # deleted while it is locked: it is nobody else's yet
                    lock.path.unlink()
                lock.close()
            self._workers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Generator[Store]:
        with self._lock, _sqlite.storage_errors():
            if self._process != os.getpid():  # a fork must not use its parent's connection
                self._workers = {}
                self._open()
            self._file_lock.acquire()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._store.begin()
                try:
                    yield self._store
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            finally:
                self._file_lock.release()

    @contextmanager
    def _reading(self) -> Generator[Store]:
        with self._lock, _sqlite.storage_errors():
            self._store.begin()
            yield self._store

    def accept(self, event: Event, plan: Plan, now: datetime, *, replan: bool = False) -> Receipt:
        """See `Journal.accept`."""
        self._prune_now_and_then(now)
        return super().accept(event, plan, now, replan=replan)

    def accept_many(
        self, pairs: Sequence[tuple[Event, Plan]], now: datetime
    ) -> tuple[Receipt, ...]:
        """See `Journal.accept_many`."""
        self._prune_now_and_then(now)
        return super().accept_many(pairs, now)

    def _prune_now_and_then(self, now: datetime) -> None:
        if self._keep is None:
            return
        if self._pruned_at is None:
            self._pruned_at = now
        elif now - self._pruned_at >= _PRUNE_EVERY:
            self._pruned_at = now
            self.prune(now - self._keep)

    def turn(
        self,
        worker: str,
        results: Sequence[Result],
        now: datetime,
        *,
        want: int = 1,
        lease: timedelta = timedelta(seconds=60),
        event_id: str | None = None,
        in_doubt: int = 1,
        in_sync: bool = False,
    ) -> Turn:
        """See `Journal.turn`; finding nothing to do, it looks for workers that were killed."""
        self._register(worker)
        if self._pending_checkpoint:
            self._checkpoint()
        while True:
            given = super().turn(
                worker,
                results,
                now,
                want=want,
                lease=lease,
                event_id=event_id,
                in_doubt=in_doubt,
                in_sync=in_sync,
            )
            if given or want == 0 or not self._free_leases(now):
                return given
            results = ()

    def _register(self, worker: str) -> None:
        """Hold a lock in the worker's name for as long as this process lives."""
        name = blake2b(worker.encode(), digest_size=8).hexdigest()
        with self._lock:
            if worker in self._workers and self._process == os.getpid():
                return
            lock = FileLock(self._beside(f"worker-{name}"))
            if not lock.acquire(wait=False):
                lock.close()
                raise ConfigurationError(
                    f"another process works as `{worker}`",
                    code="worker_taken",
                    hint="give each process a `worker` name of its own",
                )
            self._workers[worker] = lock

    def _is_dead(self, worker: str) -> bool:
        name = blake2b(worker.encode(), digest_size=8).hexdigest()
        path = self._beside(f"worker-{name}")
        if worker in self._workers:
            return False
        return not path.exists() or self._drop_if_dead(path)

    def _free_leases(self, now: datetime) -> int:
        """End the leases of workers that are dead; return how many lanes that frees."""
        with self._reading() as store:
            dead = [worker for worker in store.workers() if self._is_dead(worker)]
        if not dead:
            return 0
        with self._transaction() as store:
            lanes = store.lanes_of_workers(dead)
            for lane in lanes:
                lane.worker, lane.due = None, now
                store.put_lane(lane)
        return len(lanes)

    def _dead(self, worker: str) -> Collection[str]:
        self._register(worker)
        with self._reading() as store:
            return {worker, *(each for each in store.workers() if self._is_dead(each))}

    def forget(self, contact: Contact | str, now: datetime | None = None) -> Forgotten:
        """See `Journal.forget`: no byte of the contact is left in the file, if nobody reads it."""
        forgotten = super().forget(contact, now)
        return attrs.evolve(forgotten, pending=not self._checkpoint())

    def _checkpoint(self) -> bool:
        """Move the write-ahead log into the file and empty it; whether nobody prevented it."""
        with self._lock, _sqlite.storage_errors():
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        self._pending_checkpoint = bool(busy)
        return not busy
