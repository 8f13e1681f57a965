"""The SQLite file: its tables, its version, and the encoding of values.

A file of another program, or with another schema version, is refused before anything is
changed. Times are ISO strings in UTC of equal length, so they sort. Data are JSON in which
decimals and times are marked, so no number becomes a float.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from os import PathLike, fspath
from time import monotonic, sleep

from listboss.errors import ConfigurationError
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import Place
from listboss.rules.event import FactValue

__all__ = [
    "SCHEMA_VERSION",
    "connect",
    "data_from",
    "data_text",
    "place_from",
    "place_text",
    "time_from",
    "time_text",
    "transaction",
]

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x4C424F53  # "LBOS"
_BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE contact (
  id INTEGER PRIMARY KEY,  -- in the order of arrival
  key TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('AUTO', 'own')),
  data TEXT NOT NULL,
  since TEXT NOT NULL
);

CREATE TABLE tag (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL       -- as first written
);

CREATE TABLE contact_tag (
  contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
  tag_id INTEGER NOT NULL REFERENCES tag,
  PRIMARY KEY (contact_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX contact_by_tag ON contact_tag (tag_id);

CREATE TABLE place (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  parts TEXT NOT NULL      -- as first written
);

CREATE TABLE contact_place (
  contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
  place_id INTEGER NOT NULL REFERENCES place,
  PRIMARY KEY (contact_id, place_id)
) WITHOUT ROWID;
CREATE INDEX contact_by_place ON contact_place (place_id);

CREATE TABLE done_action (
  id TEXT PRIMARY KEY,
  changed INTEGER NOT NULL,
  at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE automation (
  name TEXT PRIMARY KEY,
  definition TEXT NOT NULL,
  published INTEGER NOT NULL
);

CREATE TABLE automation_tag (
  tag_key TEXT NOT NULL,
  automation TEXT NOT NULL REFERENCES automation,
  PRIMARY KEY (tag_key, automation)
) WITHOUT ROWID;

CREATE TABLE message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused
  contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
  automation TEXT NOT NULL REFERENCES automation,
  message TEXT NOT NULL,
  due TEXT NOT NULL,
  done TEXT,
  UNIQUE (contact_id, automation, message)  -- each contact takes each step once
);
CREATE INDEX message_due ON message (due, id) WHERE done IS NULL;
"""


def connect(path: str | PathLike[str]) -> sqlite3.Connection:
    """Open the file and create its tables if it is new; `:memory:` has no file."""
    connection = sqlite3.connect(
        fspath(path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection)
    except BaseException as error:
        connection.close()
        if type(error) is sqlite3.DatabaseError:  # subclasses are other errors
            raise ConfigurationError(
                "the file is not a database", code="foreign_file", hint="give `Send` its own file"
            ) from None
        raise
    return connection


@contextmanager
def transaction(
    connection: sqlite3.Connection, begin: str = "BEGIN"
) -> Generator[None, None, None]:
    """Commit everything or nothing; every error, even in the commit, rolls back."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite rolls back itself if the disk is full
            connection.execute("ROLLBACK")
        raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    with transaction(connection, "BEGIN IMMEDIATE"):  # others may open the new file too
        _create_tables(connection)
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")


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


def _create_tables(connection: sqlite3.Connection) -> None:
    owner, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if owner == _APPLICATION_ID:
        if version != SCHEMA_VERSION:
            raise ConfigurationError(
                f"the file has schema version {version}, expected {SCHEMA_VERSION}",
                code="schema_version",
                hint="open it with the release that wrote it",
            )
        return
    if owner or version or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise ConfigurationError(
            "the file belongs to another program",
            code="foreign_file",
            hint="give `Send` its own file",
        )
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def time_text(at: datetime) -> str:
    """Encode a time so that strings sort in order of time.

    >>> time_text(datetime(2026, 5, 4, 12, tzinfo=UTC))
    '2026-05-04T12:00:00.000000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def time_from(text: str) -> datetime:
    """Decode `time_text`."""
    return datetime.fromisoformat(text)


def _to_json(value: FactValue) -> object:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"instant": time_text(value)}
    return value


def _from_json(value: dict[str, str]) -> object:
    if "decimal" in value:
        return Decimal(value["decimal"])
    return time_from(value["instant"])


def data_text(data: Mapping[str, FactValue]) -> str:
    """Encode data as JSON.

    >>> data_text({"price": Decimal("49.90")})
    '[["price", {"decimal": "49.90"}]]'
    """
    return json.dumps([[name, _to_json(value)] for name, value in data.items()])


def data_from(text: str) -> FrozenMap[str, FactValue]:
    """Decode `data_text`."""
    return FrozenMap(dict(json.loads(text, object_hook=_from_json)))


def place_text(place: Place) -> str:
    """Encode the parts of a place."""
    return json.dumps(dict(place.parts))


def place_from(text: str) -> Place:
    """Decode `place_text`."""
    return Place(**json.loads(text))
