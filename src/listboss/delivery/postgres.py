"""`PostgresJournal`: a journal in a PostgreSQL database, for workers on many machines.

A lane is claimed with a row lock that others skip, and leased by a time in its row: what a
killed worker had claimed becomes due by itself. A connection that is lost is opened again, and a
commit whose answer was lost is looked up, unless the server has crashed meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock
from time import monotonic, sleep
from typing import Any, Final
from weakref import WeakSet

import psycopg

from listboss._closing import Closing
from listboss.delivery._postgres import (
    Connection,
    check,
    connect,
    is_lost,
    migrate,
    name_run,
    storage_errors,
)
from listboss.delivery._postgres_names import Names
from listboss.delivery._postgres_store import PostgresStore
from listboss.delivery._retention import as_keep, prune
from listboss.delivery._sql_actions import CHUNK
from listboss.delivery._store_journal import StoreJournal
from listboss.delivery.journal import Turn
from listboss.errors import ConfigurationError, StorageError

__all__ = ["PostgresJournal"]

_LOOK_FOR_OLD = timedelta(hours=1)
_SECONDS_TO_RESOLVE: Final = 15.0
"""How long the answer to a lost commit is looked for, while the server restarts."""
_journals: WeakSet[PostgresJournal] = WeakSet()
_parents: list[object] = []
"""Connections of the process that forked: they are the parent's, and must not be closed here."""


class _Session:
    """A connection, and the rows that are read and changed through it."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self.connection = connection
        self.run = name_run(connection)
        self.store = PostgresStore(connection, schema)


class PostgresJournal(Closing, StoreJournal):
    """A journal in the database that `dsn` names, in the tables of `schema`.

    `PostgresJournal.migrate(dsn)` creates the tables; call it once before workers start. Threads
    may share a journal: it opens up to `connections` connections, and one more for the names of
    its workers. Finished events and records are kept for `keep` (60 days by default; None keeps
    them for ever). Use it as a context manager, or `close` it. Raises `ConfigurationError` for
    a schema that is missing or of another release, and `StorageError` when the database cannot
    be reached.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "listboss",
        keep: timedelta | None = timedelta(days=60),
        connections: int = 4,
    ) -> None:
        if connections < 1:
            raise ConfigurationError("expected an integer of at least 1", path="$.connections")
        self._dsn, self._schema, self._keep = dsn, schema, as_keep(keep)
        self._most = connections
        self._closed = False
        self._pruning = False
        self._ahead = CHUNK
        self._looked_at: datetime | None = None
        self._reset()
        with self._session():
            pass
        _journals.add(self)

    @staticmethod
    def migrate(dsn: str, *, schema: str = "listboss") -> int:
        """Create the tables in `schema`, or bring those of an older release up to date.

        Several processes may call it at the same time. Returns the version of the schema.
        """
        return migrate(dsn, schema)

    def _reset(self) -> None:
        self._idle: list[_Session] = []
        self._free = BoundedSemaphore(self._most)
        self._lock = Lock()
        self._names = Names(self._dsn, self._schema)

    # Connections

    @contextmanager
    def _session(self) -> Generator[_Session]:
        """Take a connection; one that is broken afterwards is not used again."""
        with self._free, storage_errors():
            if self._closed:
                raise StorageError("the journal is closed", hint="open it again")
            session = self._usable() or self._new_session()
            try:
                yield session
            finally:
                if session.connection.broken or session.connection.closed:
                    session.connection.close()
                    self._lose_names()
                else:
                    self._idle.append(session)

    def _new_session(self) -> _Session:
        connection = connect(self._dsn, self._schema)
        try:
            check(connection, self._schema)
            return _Session(connection, self._schema)
        except BaseException:
            connection.close()
            raise

    def _usable(self) -> _Session | None:
        """Return an open connection; those that the server has ended meanwhile are closed."""
        while self._idle:
            session = self._idle.pop()
            if not is_lost(session.connection):
                return session
            session.connection.close()
            self._lose_names()
        return None

    # Transactions: statements are sent without waiting for the one before, up to the next look-up

    @contextmanager
    def _transaction(self) -> Generator[PostgresStore]:
        with self._session() as session:
            connection, store = session.connection, session.store
            try:
                with connection.pipeline():
                    connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                    store.clear()
                    store.ahead = self._ahead
                    yield store
                    store.finish()
                    number = store.transaction_number()
            except BaseException:
                _roll_back(connection)
                raise
            try:
                connection.execute("COMMIT")
            except psycopg.OperationalError:  # the answer is lost: was it done?
                if number is not None and not self._is_committed(number, session.run):
                    raise
            store.keep(number)

    @contextmanager
    def _reading(self) -> Generator[PostgresStore]:
        with self._session() as session:
            connection, store = session.connection, session.store
            try:
                with connection.pipeline():
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    store.clear()
                    yield store
                    connection.execute("ROLLBACK")
            except BaseException:
                _roll_back(connection)
                raise

    def _is_committed(self, number: str, run: str) -> bool:
        """Whether a transaction was certainly committed before the connection was lost.

        After a crash, the server may have given its number to another transaction.
        """
        until = monotonic() + _SECONDS_TO_RESOLVE
        while True:
            try:
                with connect(self._dsn, self._schema) as connection:
                    row = connection.execute(
                        "SELECT pg_xact_status(%s::xid8) AS status,"
                        " (SELECT name FROM server_run) AS run",
                        (number,),
                    ).fetchone()
                if row is not None and row["status"] != "in progress":
                    return (row["status"], row["run"]) == ("committed", run)
            except psycopg.OperationalError:
                if monotonic() > until:
                    raise
            if monotonic() > until:
                return False
            sleep(0.05)

    def close(self) -> None:
        """Close the connections."""
        self._closed = True
        for _ in range(self._most):
            self._free.acquire()
        try:
            while self._idle:
                self._idle.pop().connection.close()
            self._lose_names()
        finally:
            for _ in range(self._most):
                self._free.release()

    def _after_fork_in_child(self) -> None:
        _parents.extend([self._idle, self._names])
        self._reset()

    # Workers

    def turn(self, worker: str, *args: Any, in_doubt: int = 1, **terms: Any) -> Turn:
        """See `Journal.turn`."""
        self._register(worker)
        self._ahead = max(CHUNK, 2 * in_doubt)  # those to record, and those to claim
        return super().turn(worker, *args, in_doubt=in_doubt, **terms)

    def resume(self, worker: str, now: datetime) -> int:
        """See `Journal.resume`."""
        self._register(worker)
        return super().resume(worker, now)

    def _register(self, worker: str) -> None:
        """Hold a lock in the worker's name for as long as this process is connected."""
        with self._lock, storage_errors():
            self._names.hold(worker)

    def _lose_names(self) -> None:
        with self._lock:
            self._names.close()

    # Retention

    def _tidy_up(self, now: datetime) -> None:
        """Prune a little of what is too old, if there is anything."""
        if self._keep is None:
            return
        before = now - self._keep
        if self._looked_at is None or abs(now - self._looked_at) >= _LOOK_FOR_OLD:
            self._looked_at = now
            with self._reading() as store:
                self._pruning = store.has_old(before)
        if self._pruning:
            with suppress(StorageError), self._transaction() as store:
                _, done = prune(store, before)
                self._pruning = not done


def _roll_back(connection: Connection) -> None:
    with suppress(psycopg.Error):
        connection.execute("ROLLBACK")


if hasattr(os, "register_at_fork"):

    def _at_fork(method: str) -> None:
        for journal in [*_journals]:
            getattr(journal, method)()

    os.register_at_fork(after_in_child=lambda: _at_fork("_after_fork_in_child"))
