"""Files of SQLite: opened, checked, and brought up to date before anything is read.

A file of another program or of a later release is refused, and nothing in it is changed.
What goes wrong with a file becomes a `StorageError`, which says what to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Final

from listboss.errors import ConfigurationError, StorageError

__all__ = ["connect", "migrate", "storage_errors"]

_NETWORK_FILE_SYSTEMS: Final = ("nfs", "cifs", "smb", "9p", "afs", "fuse.sshfs", "glusterfs")
_BUSY_SECONDS = 30.0


def connect(path: str | PathLike[str]) -> sqlite3.Connection:
    """Open a file so that a commit survives a power cut, and deleted bytes are overwritten."""
    name = fspath(path)
    if name != ":memory:":
        _refuse_network(Path(name))
    with storage_errors():
        connection = sqlite3.connect(
            name, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _refuse_network(path: Path) -> None:
    """Refuse a file on a network file system, where locks and write-ahead logs do not work."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return
    folder = str(path.absolute().parent)
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, where, file_system, *_ = line.split(" ")
        inside = folder == where or folder.startswith(where.rstrip("/") + "/")
        if inside and len(where) > len(best):
            best, kind = where, file_system
    if kind.startswith(_NETWORK_FILE_SYSTEMS):
        raise ConfigurationError(
            f"the file is on a network file system ({kind})",
            code="network_file",
            hint="use a file on a disk of this machine",
        )


@contextmanager
def storage_errors() -> Generator[None]:
    """Turn what SQLite raises into a `StorageError`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorname", "") or type(error).__name__
        if code in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise ConfigurationError(
                "the file is not a database of this library, or is damaged",
                code="foreign_file",
                hint="give another path, or restore a backup",
            ) from None
        hints = {
            "SQLITE_FULL": "free some space; nothing was lost, and work goes on",
            "SQLITE_CANTOPEN": "check that the folder exists and can be written to",
            "SQLITE_READONLY": "check that the file and its folder can be written to",
            "SQLITE_BUSY": "another program holds the file; close it",
        }
        raise StorageError(
            f"the file cannot be used ({code})", hint=hints.get(code, "try again")
        ) from None


def migrate(connection: sqlite3.Connection, application_id: int, migrations: Sequence[str]) -> bool:
    """Create the tables of a new file, or bring an older one up to date; whether it was new."""
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    used = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    if owner != application_id and (owner or version or used):
        raise ConfigurationError(
            "the file belongs to another program", code="foreign_file", hint="give another path"
        )
    if version > len(migrations):
        raise ConfigurationError(
            f"the file has schema version {version}, expected at most {len(migrations)}",
            code="schema_version",
            hint="open it with the release that wrote it, or a later one",
        )
    if version < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        for script in migrations[version:]:
            for statement in script.split(";\n"):  # `executescript` would commit
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    return bool(version == 0)
