"""Deleted rows leave no byte in a file of SQLite, wherever their page was split or merged."""

import os
import sqlite3
from contextlib import closing
from random import Random

import pytest

from listboss import _sqlite_erase
from listboss._sqlite_erase import erase_deleted

CANARY = "canary"
MAPS = "auto_vacuum = FULL"
"""Some pages of such a file say where others are."""


def connect(path):
    """Open a file as the library does."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


@pytest.fixture(params=["page_size = 512", "page_size = 4096", "page_size = 16384", MAPS])
def path(tmp_path, request):
    """A file whose pages were split often, without the rows that it once had."""
    path, random = tmp_path / "file.db", Random(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as new:
        new.execute(f"PRAGMA {request.param}")
        new.execute("VACUUM")
    with closing(connect(path)) as db:
        db.execute("CREATE TABLE contact (id TEXT PRIMARY KEY, body TEXT)")
        db.execute("CREATE TABLE tag (id TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID")
        db.execute("BEGIN")
        for number in range(4000):
            name = f"{random.random()} {CANARY if number % 9 == 0 else 'other'} {number}"
            db.execute("INSERT INTO contact VALUES (?, ?)", (name, name * random.randrange(9)))
            db.execute("INSERT INTO tag VALUES (?, ?)", (name, name))
        db.execute("COMMIT")
        for table in ("contact", "tag"):
            db.execute(f"DELETE FROM {table} WHERE id LIKE '%{CANARY}%'")
    return path


def left(path):
    """Return how often the files have a word of what was deleted."""
    files = [each.read_bytes() for each in path.parent.iterdir()]
    return sum(file.count(CANARY.encode()) for file in files)


def is_sound(db):
    """Whether SQLite finds every row, in order."""
    return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


class TestErase:
    """`erase_deleted`."""

    def test_nothing_is_left(self, path):
        """It removes what SQLite itself leaves, and nothing else."""
        with closing(connect(path)) as db:
            before = db.execute("SELECT * FROM contact").fetchall()
            assert left(path)
            assert erase_deleted(db)
            assert 0 == left(path)
            assert is_sound(db)
            assert before == db.execute("SELECT * FROM contact").fetchall()

    def test_pages_that_others_remember(self, path):
        """A connection that has pages in memory does not bring the bytes back."""
        with closing(connect(path)) as other, closing(connect(path)) as db:
            other.execute("PRAGMA cache_size = 100000")
            assert other.execute("SELECT count(*) FROM contact, tag USING (id)").fetchone()
            assert db.execute("SELECT count(*) FROM contact, tag USING (id)").fetchone()
            assert erase_deleted(db)
            for each in (other, db):
                for table in ("contact", "tag"):
                    each.execute(f"UPDATE {table} SET body = replace(body, 'other', 'third')")
            assert 0 == left(path)
            assert is_sound(db)

    def test_twice(self, path):
        """The second time, there is nothing to write."""
        with closing(connect(path)) as db:
            assert erase_deleted(db)
            written = path.stat().st_mtime_ns
            _sqlite_erase._overwrite_free_space(str(path))
            assert written == path.stat().st_mtime_ns

    def test_a_reader(self, path):
        """It says so if somebody reads the log, and can do it later."""
        with closing(connect(path)) as reader, closing(connect(path)) as db:
            db.execute("DELETE FROM tag WHERE id < '0.1'")
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM tag").fetchone()
            db.execute("DELETE FROM tag WHERE id < '0.2'")
            assert not erase_deleted(db)
            assert left(path)
            reader.execute("COMMIT")
            assert erase_deleted(db)
            assert 0 == left(path)

    def test_somebody_writes_meanwhile(self, path, monkeypatch):
        """It starts again when the log is no longer empty, and gives up at last."""
        looks = iter([True, True, False])
        monkeypatch.setattr(_sqlite_erase, "_has_log", lambda _: next(looks))
        with closing(connect(path)) as db:
            assert erase_deleted(db)
            assert [] == [*looks]
            monkeypatch.setattr(_sqlite_erase, "_has_log", lambda _: True)
            assert not erase_deleted(db)

    def test_in_memory(self):
        """A database in memory has no file."""
        with closing(sqlite3.connect(":memory:")) as db:
            assert erase_deleted(db)

    def test_locks_stay(self, path):
        """Another process cannot remove the log below a connection that is open."""
        with closing(connect(path)) as db:
            assert erase_deleted(db)
            if (child := os.fork()) == 0:  # the last connection of a process removes the log
                with closing(connect(path)) as other:
                    other.execute("SELECT 1 FROM tag").fetchone()
                os._exit(0)
            assert 0 == os.waitpid(child, 0)[1]
            assert path.with_name("file.db-wal").exists()

    def test_removed_files_are_closed(self, path):
        """The file is not kept open once it was removed."""
        with closing(connect(path)) as db:
            assert erase_deleted(db)
        found = path.stat()
        assert (found.st_dev, found.st_ino) in _sqlite_erase._handles
        path.unlink()
        with closing(connect(path.with_name("other.db"))) as db:
            db.execute("CREATE TABLE tag (id)")
            assert erase_deleted(db)
        assert (found.st_dev, found.st_ino) not in _sqlite_erase._handles
