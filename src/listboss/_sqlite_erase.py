"""What is left of deleted rows in a file of SQLite, overwritten.

With `secure_delete`, SQLite overwrites the bytes of a row when it deletes it. Two places keep
copies all the same: the write-ahead log, and the free space of a page. When a page is split or
merged, SQLite moves rows to another page, and their old bytes stay behind between the list of
rows and the first row, where no later delete finds them. About one contact in a hundred left
something there. `VACUUM` would remove it, at 12 times the cost and twice the space on the disk.

The layout of a page is https://www.sqlite.org/fileformat2.html#b_tree_pages.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import Final

__all__ = ["erase_deleted"]

_ATTEMPTS = 8
_HEADER: Final = {2: 12, 5: 12, 10: 8, 13: 8}
"""The size of the header of a page by its kind: inner pages and leaves of indexes and tables."""
_CELLS_AND_START = Struct(">HH")
_FILE_HEADER = 100
_PAGES_AT_ONCE = 1024
_MAX_PAGES = 2**25
"""From here on, the number at the start of other pages can look like the kind of a page."""

_handles: dict[tuple[int, int], int] = {}
"""A file stays open until it is removed: closing it would end the locks that SQLite has on it."""
_lock = Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def erase_deleted(connection: sqlite3.Connection, milliseconds: int = 0) -> bool:
    """Overwrite what is left of deleted rows; return whether it could be done.

    It cannot while another connection reads the file, for which it waits for `milliseconds`. It
    reads the whole file, at about 2 GB a second. The caller is not in a transaction.
    """
    path: str = connection.execute("PRAGMA database_list").fetchone()[2]
    if not path:
        return True  # a database in memory
    for _ in range(_ATTEMPTS):
        if not _empty_log(connection, milliseconds):
            return False
        # A connection of its own, so that its commit makes all others read the pages again.
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("PRAGMA synchronous = FULL")
            writer.execute("BEGIN IMMEDIATE")
            if _has_log(path):
                continue  # somebody else wrote meanwhile
            with _lock:
                _overwrite_free_space(path, writer.execute("PRAGMA page_size").fetchone()[0])
            version = writer.execute("PRAGMA user_version").fetchone()[0]
            writer.execute(f"PRAGMA user_version = {version}")
            writer.execute("COMMIT")
            return True
    return False


def _empty_log(connection: sqlite3.Connection, milliseconds: int) -> bool:
    """Move the write-ahead log into the file and empty it; whether nobody prevented it."""
    usual = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {usual}")
    return not busy


def _has_log(path: str) -> bool:
    try:
        return Path(f"{path}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _overwrite_free_space(path: str, page_size: int) -> None:
    """Write zeros into the free space of all pages; the caller keeps others from writing."""
    handle = _open(path)
    zeros, written = bytes(page_size), False
    for base in range(0, os.fstat(handle).st_size, page_size * _PAGES_AT_ONCE):
        os.lseek(handle, base, os.SEEK_SET)
        pages = os.read(handle, page_size * _PAGES_AT_ONCE)
        for start, end in _free(pages, base, page_size):
            if pages.count(0, start, end) != end - start:
                os.lseek(handle, base + start, os.SEEK_SET)
                os.write(handle, zeros[: end - start])
                written = True
    if written:
        os.fsync(handle)


def _free(pages: bytes, base: int, page_size: int) -> Iterator[tuple[int, int]]:
    """Yield where the free space of each page starts and ends, in `pages`."""
    for page in range(0, len(pages), page_size):
        header = page if base + page else _FILE_HEADER
        size = _HEADER.get(pages[header])
        if size is None or (base + page) // page_size >= _MAX_PAGES:
            continue
        cells, content = _CELLS_AND_START.unpack_from(pages, header + 3)
        start, end = header + size + 2 * cells, page + (content or 65_536)
        if start < end <= page + page_size:
            yield start, end


def _open(path: str) -> int:
    for key, handle in [*_handles.items()]:
        if os.fstat(handle).st_nlink == 0:
            del _handles[key]
            os.close(handle)
    found = Path(path).stat()
    key = found.st_dev, found.st_ino
    if key not in _handles:
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        _handles[key] = os.open(path, flags)
    return _handles[key]
