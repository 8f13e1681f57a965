"""The names of the workers of one process, each a lock that the database holds.

The lock is free as soon as the process is gone. When only the connection was lost, the process
takes its names again; another process that took one meanwhile keeps it. There are never two
living workers of one name that both go on.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import Final

from listboss.delivery._postgres import Connection, connect, is_lost, key_of
from listboss.errors import ConfigurationError
from listboss.rules._text import quoted

__all__ = ["Names"]

_SECONDS_FOR_A_NAME: Final = 1.0
_OWN = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_HOLDER = (
    "SELECT pid, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32) | objid::bigint = %s"
)
_Backend = tuple[object, ...]


class Names:
    """The names that this process works under, and the connection that holds their locks."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._dsn, self._schema = dsn, schema
        self._connection: Connection | None = None
        self._held: set[str] = set()
        self._holders: dict[str, set[_Backend]] = {}
        """The connections of this process that have held each name."""

    def hold(self, worker: str) -> None:
        """Hold a name; raises `ConfigurationError` if another process has it."""
        if self._connection is not None and is_lost(self._connection):
            self.close()
        if worker in self._held:
            return
        if self._connection is None:
            self._connection = connect(self._dsn, self._schema)
        if self._lock(self._connection, worker):
            row = self._connection.execute(_OWN).fetchone()
            self._holders.setdefault(worker, set()).add(() if row is None else (*row.values(),))
            self._held.add(worker)

    def _lock(self, connection: Connection, worker: str) -> bool:
        """Lock a name; False if a lost connection of this process still holds it.

        The server may need a moment to see that the process before was killed, and much longer
        to see that a connection is lost.
        """
        key = key_of(self._schema, "worker", worker)
        until = monotonic() + _SECONDS_FOR_A_NAME
        while True:
            row = connection.execute("SELECT pg_try_advisory_lock(%s) AS locked", (key,)).fetchone()
            if row is not None and row["locked"]:
                return True
            found = connection.execute(_HOLDER, (key,)).fetchone()
            if found is not None and (*found.values(),) in self._holders.get(worker, ()):
                return False
            if monotonic() >= until:
                raise ConfigurationError(
                    f"another process works as {quoted(worker)}",
                    code="worker_taken",
                    hint="give each process a `worker` name of its own",
                )
            sleep(0.02)

    def close(self) -> None:
        """Close the connection; the names are free."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._held.clear()
