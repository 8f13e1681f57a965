"""Files of SQLite: opened, checked, and brought up to date before anything is read.

A file of another program or of a later release is refused, and nothing in it is changed.
What goes wrong with a file becomes a `StorageError`, which says what to do.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Final

from listboss.errors import ConfigurationError, StorageError
from listboss.rules._text import quoted

__all__ = [
    "BUSY_MILLISECONDS",
    "MAX_LOG_BYTES",
    "connect",
    "refuse_folder",
    "refuse_network",
    "storage_errors",
]

BUSY_MILLISECONDS: Final = 30_000
MAX_LOG_BYTES: Final = 8 * 1024 * 1024
"""To this size the write-ahead log is cut after a reader had let it grow."""
_MOUNTS = Path("/proc/mounts")
_NETWORK_FILE_SYSTEMS: Final = (
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.gluster", "fuse.s3", "fuse.sshfs",
    "gfs2", "glusterfs", "lustre", "ncp", "nfs", "ocfs2", "smb",
)  # fmt: skip
_HINTS: Final = {
    "SQLITE_BUSY": "another program holds the file; close it",
    "SQLITE_CANTOPEN": "check that the folder exists and can be written to",
    "SQLITE_FULL": "free some space; nothing was lost, and work goes on",
    "SQLITE_IOERR": "check the disk and its free space; nothing was lost, and work goes on",
    "SQLITE_READONLY": "check that the file and its folder can be written to",
}


def connect(
    path: str | PathLike[str], application_id: int, migrations: Sequence[str]
) -> sqlite3.Connection:
    """Open a file so that a commit survives a power cut, and deleted bytes are overwritten.

    The tables of a new file are created, and those of an older one brought up to date. The
    caller makes sure that no other process opens the file at the same time.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        version = _check(connection, application_id, len(migrations))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA journal_size_limit = {MAX_LOG_BYTES}")
        _migrate(connection, application_id, version, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, application_id: int, newest: int) -> int:
    """Return the schema version; raise if the file belongs to another program or release."""
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    used = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    if owner != application_id and (owner or version or used):
        raise ConfigurationError(
            "the file belongs to another program", code="foreign_file", hint="give another path"
        )
    if version > newest:
        raise ConfigurationError(
            f"the file has schema version {version}, expected at most {newest}",
            code="schema_version",
            hint="open it with the release that wrote it, or a later one",
        )
    return version


def _migrate(
    connection: sqlite3.Connection, application_id: int, version: int, migrations: Sequence[str]
) -> None:
    """Create the tables of a new file, or bring an older one up to date, all or nothing."""
    if version == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    for script in migrations[version:]:
        for statement in script.split(";\n"):  # `executescript` would commit
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {application_id}")
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")


def refuse_folder(path: Path) -> None:
    """Refuse a folder in the place of a file, and a file in a folder that does not exist."""
    if path.is_dir():
        raise StorageError(
            f"{quoted(str(path))} is a folder", hint="give the path of a file, such as one in it"
        )
    if not path.parent.exists():
        raise StorageError(
            f"the folder {quoted(str(path.parent))} does not exist",
            hint="create it, or give another path",
        )


def refuse_network(path: Path) -> None:
    """Refuse a file on a network file system, where locks and write-ahead logs do not work."""
    if not _MOUNTS.exists():
        return
    folder = path.resolve().parent
    best, kind = -1, ""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        _, where, file_system, *_ = line.split(" ")
        mount = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), where))
        if folder.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), file_system
    if kind.startswith(_NETWORK_FILE_SYSTEMS):
        raise ConfigurationError(
            f"the file is on a network file system ({kind})",
            code="network_file",
            hint="use a file on a disk of this machine",
        )


@contextmanager
def storage_errors() -> Generator[None]:
    """Turn what SQLite and the file system raise into a `StorageError`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _as_ours(getattr(error, "sqlite_errorname", "") or type(error).__name__) from None
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"the file cannot be used ({type(error).__name__})", hint=_HINTS["SQLITE_CANTOPEN"]
        ) from None


def _as_ours(name: str) -> ConfigurationError | StorageError:
    code = "_".join(name.split("_")[:2])  # SQLITE_IOERR of SQLITE_IOERR_WRITE
    if code in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
        return ConfigurationError(
            "the file is not a database of this library, or is damaged",
            code="foreign_file",
            hint="give another path, or restore a backup",
        )
    return StorageError(f"the file cannot be used ({name})", hint=_HINTS.get(code, "try again"))
