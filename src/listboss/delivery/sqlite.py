"""`SqliteJournal`: a journal in one SQLite file, for one machine and several processes.

A commit is on the disk before anything is sent (`synchronous=FULL`). Processes take a lock
on a file beside the database before they write, since SQLite's own waiting is not fair. Each
worker holds a lock on a file of its own, so that one that was killed is noticed at once. The
file is closed before a process forks, and each of the two opens it again when it needs it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from glob import escape
from hashlib import blake2b
from os import PathLike, fspath
from pathlib import Path
from secrets import token_bytes
from threading import RLock
from typing import Any, Final, cast
from weakref import WeakSet

import attrs

from listboss import _sqlite
from listboss._closing import Closing
from listboss._file_lock import FileLock
from listboss._sqlite_erase import erase_deleted
from listboss.delivery._retention import as_keep, prune
from listboss.delivery._rows import Store
from listboss.delivery._sql_schema import SCHEMA
from listboss.delivery._sqlite_store import SqliteStore
from listboss.delivery._store_journal import StoreJournal
from listboss.delivery.journal import Forgotten, Turn
from listboss.delivery.life import DeliveryStatus, Result
from listboss.errors import ConfigurationError, StorageError
from listboss.rules._text import quoted, wrong_type
from listboss.rules.event import Contact

__all__ = ["SqliteJournal"]

_APPLICATION_ID: Final = 0x4C424F4A  # "LBOJ"
_MIGRATIONS: Final = (SCHEMA,)
_LOOK_FOR_OLD = timedelta(hours=1)
_LOOK_FOR_KILLED = timedelta(seconds=1)
_ERASE_AGAIN = timedelta(seconds=1)
_ERASE_MILLISECONDS = 200
"""How long `forget` waits for readers before it leaves the rest to a later turn."""
_journals: WeakSet[SqliteJournal] = WeakSet()


def _as_path(path: object) -> Path:
    if not isinstance(path, (str, PathLike)):
        raise wrong_type("a path", path, "$.path")
    plain = fspath(cast("str | PathLike[str]", path))
    if plain == ":memory:":
        raise ConfigurationError(
            "this journal needs a file", path="$.path", hint="use `MemoryJournal()`"
        )
    return Path(plain)


class SqliteJournal(Closing, StoreJournal):
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
        self._path = _as_path(path)
        self._keep = as_keep(keep)
        self._lock = RLock()
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._workers: dict[str, FileLock] = {}
        self._broken = False
        self._erasing = False
        self._pruning = False
        self._last: dict[str, datetime] = {}
        with self._lock:
            self._open()
        _journals.add(self)

    # Opening and closing

    def _open(self) -> sqlite3.Connection:
        """Open the file; the caller holds the lock of the threads."""
        if self._closed:
            raise StorageError("the journal is closed", hint="open it again")
        if self._broken:
            self._drop_connection()
        if self._connection is not None:
            return self._connection
        with _sqlite.storage_errors():
            _sqlite.refuse_folder(self._path)
            _sqlite.refuse_network(self._path)
            locked_before = self._beside("lock").exists()
            self._file_lock = FileLock(self._beside("lock"))
            try:
                with self._file_lock, _sqlite.storage_errors():
                    connection = _sqlite.connect(self._path, _APPLICATION_ID, _MIGRATIONS)
                    if connection.execute("SELECT 1 FROM journal").fetchone() is None:
                        connection.execute("INSERT INTO journal VALUES (?, 0)", (token_bytes(32),))
                    self._remove_files_of_the_dead()
            except BaseException as error:
                if isinstance(error, ConfigurationError) and not locked_before:
                    self._file_lock.remove()  # nothing is left beside a file of somebody else
                else:
                    self._file_lock.close()
                raise
            self._store = SqliteStore(connection)
            self._erasing = self._store.is_erasing()
        self._connection = connection
        return connection

    def _beside(self, what: str) -> Path:
        return self._path.with_name(f"{self._path.name}-{what}")

    def _drop_connection(self) -> None:
        """Close the file; it is opened again when it is needed."""
        self._broken = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._file_lock.close()

    def close(self) -> None:
        """Close the file; what is leased to this process's workers is free at once."""
        with self._lock:
            self._closed = True
            if self._connection is None:
                return
            with self._file_lock:
                for lock in self._workers.values():
                    lock.remove()
                self._workers.clear()
            self._drop_connection()

    def _before_fork(self) -> None:
        """Wait for the transaction of another thread, and close: SQLite does not survive a fork."""
        self._lock.acquire()
        self._drop_connection()

    def _after_fork_in_parent(self) -> None:
        self._lock.release()

    def _after_fork_in_child(self) -> None:
        self._lock = RLock()
        for lock in self._workers.values():
            lock.close()  # the parent's locks stay the parent's
        self._workers = {}

    # Transactions

    @contextmanager
    def _transaction(self) -> Generator[Store]:
        with self._lock, _sqlite.storage_errors():
            connection = self._open()
            with self._file_lock:
                connection.execute("BEGIN IMMEDIATE")
                store = self._store
                try:
                    store.begin()
                    yield store
                    store.flush()
                    self._erasing = store.is_erasing()
                    connection.execute("COMMIT")
                except BaseException:
                    store.clear()
                    self._roll_back(connection)
                    raise

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        """End a transaction; if that fails, the file is opened anew the next time."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._broken = True

    @contextmanager
    def _reading(self) -> Generator[Store]:
        with self._lock, _sqlite.storage_errors():
            connection = self._open()
            connection.execute("BEGIN")
            try:
                self._store.begin()
                yield self._store
            finally:
                self._roll_back(connection)

    # Turns, and the workers that take them

    def turn(
        self,
        worker: str,
        results: Sequence[Result],
        now: datetime,
        *,
        want: int = 1,
        event_id: str | None = None,
        **terms: Any,
    ) -> Turn:
        """See `Journal.turn`; from time to time it looks for workers that were killed."""
        self._register(worker)
        if want and self._is_time("killed", now, _LOOK_FOR_KILLED):
            self._free_leases(now)
        given = super().turn(worker, results, now, want=want, event_id=event_id, **terms)
        conflicts = any(each.status is DeliveryStatus.CONFLICT for each in given.receipts)
        if given or want == 0 or conflicts or not self._free_leases(now):
            return given
        terms.pop("accept", None)
        more = super().turn(worker, (), now, want=want, event_id=event_id, **terms)
        more.records, more.receipts = given.records + more.records, given.receipts
        return more

    def _is_time(self, what: str, now: datetime, every: timedelta) -> bool:
        """Whether something that is done from time to time is to be done now."""
        last = self._last.get(what)
        if last is not None and abs(now - last) < every:
            return False
        self._last[what] = now
        return True

    def _worker_file(self, worker: str) -> Path:
        return self._beside(f"worker-{blake2b(worker.encode(), digest_size=8).hexdigest()}")

    def _register(self, worker: str) -> None:
        """Hold a lock in the worker's name for as long as this process lives."""
        with self._lock, _sqlite.storage_errors():
            if worker in self._workers:
                return
            self._open()
            with self._file_lock:
                lock = FileLock(self._worker_file(worker))
                if not lock.acquire(wait=False):
                    lock.close()
                    raise ConfigurationError(
                        f"another process works as {quoted(worker)}",
                        code="worker_taken",
                        hint="give each process a `worker` name of its own",
                    )
                self._workers[worker] = lock

    def _is_dead(self, worker: str) -> bool:
        """Whether no process works as `worker`; the caller holds the lock of the file."""
        path = self._worker_file(worker)
        if worker in self._workers:
            return False
        if not path.exists():
            return True
        lock = FileLock(path)
        dead = lock.acquire(wait=False)
        lock.remove() if dead else lock.close()
        return dead

    def _remove_files_of_the_dead(self) -> None:
        for path in self._path.parent.glob(f"{escape(self._path.name)}-worker-*"):
            lock = FileLock(path)
            lock.remove() if lock.acquire(wait=False) else lock.close()

    def _free_leases(self, now: datetime) -> int:
        """End the leases of workers that are dead; return how many lanes that frees."""
        with self._reading():
            others = self._store.workers() - self._workers.keys()
        if not others:
            return 0
        with self._transaction() as store:
            return self._end_leases(store, filter(self._is_dead, others), now)

    def _dead(self, worker: str) -> Collection[str]:
        return {worker, *filter(self._is_dead, self._store.workers())}

    def resume(self, worker: str, now: datetime) -> int:
        """See `Journal.resume`."""
        self._register(worker)
        return super().resume(worker, now)

    # Retention, and what is forgotten

    def _tidy_up(self, now: datetime) -> None:
        """Do a little of what is left to do: erase, and prune what is too old."""
        if self._erasing and self._is_time("erased", now, _ERASE_AGAIN):
            self._erase(0)
        if self._keep is not None and self._is_time("pruned", now, _LOOK_FOR_OLD):
            with self._reading():
                self._pruning = self._store.has_old(now - self._keep)
        if self._keep is not None and self._pruning:
            with suppress(StorageError), self._transaction() as store:
                _, done = prune(store, now - self._keep)
                self._pruning = not done

    def forget(self, contact: Contact | str, now: datetime | None = None) -> Forgotten:
        """See `Journal.forget`: no byte of the contact is left in the file, if nobody reads it."""
        forgotten = super().forget(contact, now)
        return attrs.evolve(forgotten, pending=not self._erase(_ERASE_MILLISECONDS))

    def _erase(self, milliseconds: int) -> bool:
        """Overwrite what is left of deleted rows; whether nobody prevented it."""
        with self._lock, _sqlite.storage_errors():
            connection = self._open()
            with self._file_lock:
                erased = erase_deleted(connection, milliseconds)
            if erased:
                with self._transaction():
                    self._store.set_erasing(erasing=False)
        return erased


if hasattr(os, "register_at_fork"):

    def _at_fork(method: str) -> None:
        for journal in [*_journals]:
            getattr(journal, method)()

    os.register_at_fork(
        before=lambda: _at_fork("_before_fork"),
        after_in_parent=lambda: _at_fork("_after_fork_in_parent"),
        after_in_child=lambda: _at_fork("_after_fork_in_child"),
    )
