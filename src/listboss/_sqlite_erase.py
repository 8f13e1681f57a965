"""What is left of deleted rows in a file of SQLite, overwritten.

With `secure_delete`, SQLite overwrites the bytes of a row when it deletes it. Two places keep
copies all the same: the write-ahead log, and the free space of a page. When a page is split or
merged, SQLite moves rows to another page, and their old bytes stay behind between the list of
rows and the first row, where no later delete finds them. About one contact in a hundred left
something there. `VACUUM` removes it too, at 12 times the cost and twice the space on the disk: it
is left to files whose pages have another layout.

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
_PAGE_SIZE = Struct(">H")
_FILE_HEADER = 100
_RESERVED, _LAST_ROOT_PAGE = 20, slice(52, 56)
"""Where the header of a file says that pages end with something else, and that some are maps."""
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
                is_done = _overwrite_free_space(path)
            if not is_done:
                writer.execute("ROLLBACK")
                writer.execute("VACUUM")
                return _empty_log(connection, milliseconds)
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


def _overwrite_free_space(path: str) -> bool:
    """Write zeros into the free space of all pages; the caller keeps others from writing.

    Returns False, and writes nothing, if the layout of the pages is another one.
    """
    handle = _open(path)
    header = os.read(handle, _FILE_HEADER)
    page_size = _PAGE_SIZE.unpack_from(header, 16)[0]
    page_size = 65_536 if page_size == 1 else page_size
    size, written = os.fstat(handle).st_size, False
    if header[_RESERVED] or any(header[_LAST_ROOT_PAGE]) or size > _MAX_PAGES * page_size:
        return False
    zeros, chunk = bytes(page_size), page_size * _PAGES_AT_ONCE
    for base in range(0, size, chunk):
        os.lseek(handle, base, os.SEEK_SET)
        pages = os.read(handle, chunk)
        for start, end in _free(pages, base, page_size):
            if pages.count(0, start, end) != end - start:
                os.lseek(handle, base + start, os.SEEK_SET)
                os.write(handle, zeros[: end - start])
                written = True
    if written:
        os.fsync(handle)
    return True


def _free(pages: bytes, base: int, page_size: int) -> Iterator[tuple[int, int]]:
    """Yield where the free space of each page starts and ends, in `pages`."""
    for page in range(0, len(pages), page_size):
        header = page if base + page else _FILE_HEADER
        size = _HEADER.get(pages[header])
        if size is None:
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
    os.lseek(_handles[key], 0, os.SEEK_SET)
    return _handles[key]
