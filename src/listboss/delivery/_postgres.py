"""Connections to PostgreSQL: opened, checked, and their errors in words of this library.

A connection sees the tables of one schema. Its commits are on the disk when they return, and
the server ends it if its process stops in the middle of a transaction. Text that a database
cannot hold is replaced before it is sent.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import blake2b
from secrets import token_bytes, token_hex
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final, TypeAlias

try:
    import psycopg
except ImportError as error:
    raise ImportError(
        "PostgresJournal needs psycopg: `python -m pip install 'listboss[postgres]'`"
    ) from error
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown

from listboss.delivery._postgres_schema import MIGRATIONS
from listboss.errors import ConfigurationError, StorageError

__all__ = [
    "Connection",
    "check",
    "connect",
    "is_lost",
    "key_of",
    "migrate",
    "name_run",
    "statement",
    "storage_errors",
]

Connection: TypeAlias = psycopg.Connection[dict[str, Any]]

_SETTINGS: Final = {
    "client_min_messages": "warning",
    "idle_in_transaction_session_timeout": "30s",  # a stopped process must not hold its locks
    "tcp_keepalives_idle": "15",  # a machine that is gone is noticed after half a minute
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    # Every look-up has an index. The server cannot know how few rows are asked for.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
_HINTS: Final = {
    "InsufficientPrivilege": "let the role use the schema and its tables",
    "DiskFull": "free some space; nothing was lost, and work goes on",
}


class _Number(Int8Dumper):
    """Numbers and truth values are all 64 bits wide, so that a statement is prepared once."""

    def dump(self, obj: int) -> bytes:
        return b"%d" % obj


class _Text(StrDumperUnknown):
    """Text; a null character, and half a character, cannot be stored."""

    def dump(self, obj: str) -> bytes:
        return obj.replace("\0", "\ufffd").encode("utf-8", "replace")


def connect(dsn: str, schema: str) -> Connection:
    """Open a connection to the tables of one schema."""
    connection = psycopg.Connection[dict[str, Any]].connect(
        dsn, autocommit=True, row_factory=dict_row
    )
    try:
        dumpers: tuple[tuple[type, type[Dumper]], ...] = (
            (int, _Number),
            (bool, _Number),
            (str, _Text),
        )
        for kind, dumper in dumpers:
            connection.adapters.register_dumper(kind, dumper)
        settings = {**_SETTINGS, "search_path": sql.Identifier(schema).as_string(connection)}
        with connection.pipeline():
            for name, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def is_lost(connection: Connection) -> bool:
    """Whether the server has ended a connection that nobody uses: then there is news to read."""
    if connection.broken or connection.closed:
        return True
    with DefaultSelector() as selector:
        selector.register(connection.fileno(), EVENT_READ)
        if not selector.select(0):
            return False
    with suppress(psycopg.Error):
        connection.execute("SELECT 1")
    return connection.broken


def check(connection: Connection, schema: str) -> None:
    """Raise `ConfigurationError` unless the schema is that of this release."""
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise ConfigurationError(
            f"schema `{schema}` has version {version}, expected {len(MIGRATIONS)}",
            code="schema_version",
            hint="use the release that wrote it, or a later one",
        )
    if version < len(MIGRATIONS):
        raise ConfigurationError(
            f"the database has no schema `{schema}`"
            if version == 0
            else f"schema `{schema}` has version {version}, expected {len(MIGRATIONS)}",
            code="schema_missing" if version == 0 else "schema_version",
            hint="call `PostgresJournal.migrate` once before workers start",
        )


def name_run(connection: Connection) -> str:
    """Return the name of this run of the server; after a crash, it is another one.

    A restart in good order keeps it, and so does the loss of a connection.
    """
    name = token_hex(16)
    connection.execute("INSERT INTO server_run VALUES (1, %s) ON CONFLICT DO NOTHING", (name,))
    row = connection.execute("SELECT name FROM server_run").fetchone()
    return name if row is None else str(row["name"])


def _version(connection: Connection) -> int:
    found = connection.execute("SELECT to_regclass('schema_version') AS found").fetchone()
    if found is None or found["found"] is None:
        return 0
    row = connection.execute("SELECT max(version) AS version FROM schema_version").fetchone()
    return 0 if row is None else row["version"] or 0


def migrate(dsn: str, schema: str) -> int:
    """Create the tables, or bring those of an older release up to date; return the version."""
    with storage_errors(), connect(dsn, schema) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (key_of("migrate", schema),))
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        version = _version(connection)
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            if number == 1:
                connection.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            connection.execute(script.encode())
            if number == 1:
                connection.execute("INSERT INTO journal VALUES (%s, 0)", (token_bytes(32),))
            connection.execute("INSERT INTO schema_version VALUES (%s)", (number,))
        check(connection, schema)
        return len(MIGRATIONS)


def key_of(*words: str) -> int:
    """Return the number under which the database locks something."""
    digest = blake2b("\0".join(words).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@lru_cache(maxsize=1024)
def statement(text: str) -> bytes:
    """Return a statement with the placeholders of psycopg."""
    return text.replace("%", "%%").replace("?", "%s").encode()


@contextmanager
def storage_errors() -> Generator[None]:
    """Turn what psycopg raises into a `StorageError`; its text may hold personal data."""
    try:
        yield
    except psycopg.Error as error:
        name = type(error).__name__
        if isinstance(error, psycopg.OperationalError):
            hint = _HINTS.get(name, "check that the server runs; nothing was lost, try again")
            raise StorageError(f"the database cannot be reached ({name})", hint=hint) from None
        hint = _HINTS.get(name, "try again")
        raise StorageError(f"the database cannot be used ({name})", hint=hint) from None
