"""Locks on files: who gets one, also when somebody deletes the file."""

from pathlib import Path

import pytest

from listboss._file_lock import FileLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a lock."""
    return tmp_path / "lock"


def test_one_at_a_time(path: Path):
    """A second handle gets the lock when the first one gives it back."""
    first, second = FileLock(path), FileLock(path)

    assert [True, False] == [first.acquire(wait=False), second.acquire(wait=False)]
    first.release()
    assert second.acquire(wait=False)
    first.close()
    second.close()


def test_a_closed_lock_is_free(path: Path):
    """Closing the file gives the lock back."""
    first, second = FileLock(path), FileLock(path)
    first.acquire()
    first.close()

    assert second.acquire(wait=False)
    second.close()


def test_a_deleted_file_keeps_others_out_all_the_same(path: Path):
    """A lock whose file was deleted before it was taken is on a new file, and is exclusive."""
    first = FileLock(path)
    path.unlink()

    assert first.acquire(wait=False)
    second = FileLock(path)
    assert not second.acquire(wait=False)
    first.close()
    second.close()
