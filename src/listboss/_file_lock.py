"""A lock on a file that the operating system frees when its process ends, however it ends.

It keeps processes of one machine apart; threads of one process share a handle and need a lock
of their own.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

__all__ = ["FileLock"]

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int, *, wait: bool) -> bool:
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


class FileLock:
    """An exclusive lock on one file; not safe to share between threads, or with a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._handle = os.open(self.path, flags, 0o600)

    def acquire(self, *, wait: bool = True) -> bool:
        """Take the lock; without `wait`, return False if somebody else has it.

        If somebody deleted the file meanwhile, a new one is made: a lock on a file that nobody
        else can open would keep nobody out.
        """
        while True:
            while not _lock(self._handle, wait=wait):
                if not wait:
                    return False
            if self._is_at_its_path():
                return True
            self.close()
            self._open()

    def _is_at_its_path(self) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._handle))
        except FileNotFoundError:
            return False

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back."""
        _unlock(self._handle)

    def close(self) -> None:
        """Close the file, which gives the lock back, unless a fork has it, too."""
        os.close(self._handle)

    def remove(self) -> None:
        """Remove the file and close it; the caller keeps others from opening it meanwhile."""
        with suppress(OSError):  # not while it is open, on Windows
            self.path.unlink()
        self.close()
