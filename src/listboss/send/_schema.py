"""The tables of the SQLite file, and the migrations that lead to them.

A new file and a file of an earlier release run the same migrations, so both get the same
tables. A file of another program, or of a later release, is refused before anything is
changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Final

from listboss.errors import ConfigurationError
from listboss.send._encoding import action_digest

__all__ = ["SCHEMA_VERSION", "migrate", "version_of"]

_APPLICATION_ID = 0x4C424F53  # "LBOS"

_VERSION_1 = """
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

# What integration tests wrote is marked, so that it is used for nothing and can be removed.
# An address in `suppression` is in the clear; that of an erased contact is a keyed hash.
_VERSION_2 = """
ALTER TABLE contact ADD COLUMN is_test INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contact ADD COLUMN test_data TEXT NOT NULL DEFAULT '[]';
ALTER TABLE contact_tag ADD COLUMN is_test INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contact_place ADD COLUMN is_test INTEGER NOT NULL DEFAULT 0;

CREATE TABLE suppression (
  key TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  since TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE erased_suppression (
  hash TEXT PRIMARY KEY,
  since TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE pepper (
  hash TEXT NOT NULL       -- of a constant, to recognise the pepper of `erased_suppression`
);

DROP INDEX message_due;
CREATE INDEX message_open ON message (automation, message, due) WHERE done IS NULL;
"""


def _run(connection: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";\n"):  # `executescript` would commit
        connection.execute(statement)


def _to_version_2(connection: sqlite3.Connection) -> None:
    _run(connection, _VERSION_2)
    actions = connection.execute("SELECT id FROM done_action").fetchall()
    connection.executemany(
        "UPDATE done_action SET id = ? WHERE id = ?", [(action_digest(id), id) for (id,) in actions]
    )
    for name, definition in connection.execute(
        "SELECT name, definition FROM automation"
    ).fetchall():
        tags, match, while_tagged, steps = json.loads(definition)
        new = json.dumps([tags, match, while_tagged, [[*step, None] for step in steps]])
        connection.execute("UPDATE automation SET definition = ? WHERE name = ?", (new, name))


_MIGRATIONS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (
    lambda connection: _run(connection, _VERSION_1),
    _to_version_2,
)
SCHEMA_VERSION: Final = len(_MIGRATIONS)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def version_of(connection: sqlite3.Connection) -> int:
    """Return the schema version, 0 for a new file; refuse a file that cannot be used."""
    owner, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if owner == _APPLICATION_ID:
        if not 1 <= version <= SCHEMA_VERSION:
            raise ConfigurationError(
                f"the file has schema version {version}, expected at most {SCHEMA_VERSION}",
                code="schema_version",
                hint="open it with the release that wrote it",
            )
        return version
    if owner or version or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise ConfigurationError(
            "the file belongs to another program",
            code="foreign_file",
            hint="give `Send` its own file",
        )
    return 0


def migrate(connection: sqlite3.Connection) -> None:
    """Create the tables of a new file, or bring those of an earlier release up to date."""
    version = version_of(connection)
    if version == SCHEMA_VERSION:
        return
    for migration in _MIGRATIONS[version:]:
        migration(connection)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
