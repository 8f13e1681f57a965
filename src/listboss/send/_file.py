"""Opening the SQLite file, and transactions.

Every transaction commits everything or nothing, whatever interrupts it: a signal, a full
disk, another process. Deleted rows are overwritten with zeros (`secure_delete`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from os import PathLike, fspath
from time import monotonic, sleep
from typing import TypeVar, cast

from listboss._sqlite_erase import erase_deleted
from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.send._schema import migrate, version_of

__all__ = ["connect", "roll_back", "run"]

T = TypeVar("T")

_BUSY_SECONDS = 30.0


def _as_path(path: str | PathLike[str]) -> str:
    try:
        text = cast("object", fspath(path))
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise ArgumentTypeError("expected a path as a string or `Path`", path="$.path")
    if not text.strip():
        raise ConfigurationError(
            "expected a path that is not blank",
            path="$.path",
            hint="write `:memory:` for a store without a file",
        )
    return text


def _cannot_open(reason: object) -> ConfigurationError:
    return ConfigurationError(
        f"SQLite cannot open the file: {reason}",
        code="cannot_open",
        path="$.path",
        hint="check that its folder exists and that the file can be written",
    )


def connect(path: str | PathLike[str]) -> sqlite3.Connection:
    """Open the file and create or migrate its tables; `:memory:` has no file."""
    try:
        connection = sqlite3.connect(
            _as_path(path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise _cannot_open(error) from None
    except UnicodeEncodeError:
        raise _cannot_open("its name contains half a character (a lone surrogate)") from None
    except ValueError as error:
        raise _cannot_open(error) from None
    try:
        _prepare(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise _cannot_open(error) from None
        if type(error) is sqlite3.DatabaseError:  # subclasses are other errors
            raise ConfigurationError(
                "the file is not a database", code="foreign_file", hint="give `Send` its own file"
            ) from None
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    old = run(connection, "BEGIN", version_of) == 1
    if old:
        connection.execute("VACUUM")  # that release left the bytes of deleted rows in the file
    run(connection, "BEGIN IMMEDIATE", migrate)  # others may open the new file too
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    if old:
        erase_deleted(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    # SQLite does not apply its busy timeout here while another connection opens the file.
    end = monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > end:
                raise
            sleep(0.005)
        else:
            return


def run(connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
    """Call `work` in a transaction: commit everything or, after any error, nothing."""
    try:  # an interrupt that comes while `begin` waits for the lock is raised after it got it
        connection.execute(begin)
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    return result


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction that is open, if there is one."""
    with suppress(sqlite3.Error):  # closed, or already rolled back by SQLite on a full disk
        if connection.in_transaction:
            connection.execute("ROLLBACK")
