"""The files with which the workers of a journal file show that they live."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listboss.delivery import SqliteJournal
from listboss.errors import ConfigurationError

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from listboss.delivery import SqliteJournal
journal = SqliteJournal(sys.argv[1])
journal.turn("killed", [], datetime(2026, 5, 4, tzinfo=UTC))
os._exit(9)
"""


def worker_files(folder: Path) -> list[Path]:
    """Return the files of workers in a folder."""
    return sorted(folder.glob("*-worker-*"))


def test_a_closed_journal_leaves_no_file(tmp_path: Path):
    """A worker's file is there while it works, and gone when the journal is closed."""
    with SqliteJournal(tmp_path / "journal.db") as journal:
        journal.turn("one", [], NOW)
        assert 1 == len(worker_files(tmp_path))

    assert [] == worker_files(tmp_path)


def test_the_file_of_a_killed_worker_goes_at_the_next_start(tmp_path: Path):
    """Files of processes that were killed do not pile up; those of living ones stay."""
    path = tmp_path / "journal.db"
    with SqliteJournal(path) as living:
        living.turn("living", [], NOW)
        (of_living,) = worker_files(tmp_path)
        subprocess.run([sys.executable, "-c", KILLED, path], env=os.environ, check=False)
        assert 2 == len(worker_files(tmp_path))

        with SqliteJournal(path):
            assert [of_living] == worker_files(tmp_path)


def test_threads_of_a_worker_may_begin_at_once(tmp_path: Path):
    """The first turns of two threads under one name do not take each other for two processes."""
    errors: list[Exception] = []
    with SqliteJournal(tmp_path / "journal.db") as journal:
        barrier = threading.Barrier(8)

        def work() -> None:
            barrier.wait()
            try:
                journal.turn("shared", [], NOW)
            except ConfigurationError as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [] == errors


def test_a_name_belongs_to_one_process(tmp_path: Path):
    """A second journal, as of another process, cannot work under a name that is taken."""
    with SqliteJournal(tmp_path / "journal.db") as first:
        first.turn("web-1", [], NOW)
        with (
            SqliteJournal(tmp_path / "journal.db") as second,
            pytest.raises(ConfigurationError) as caught,
        ):
            second.turn("web-1", [], NOW)

        assert "worker_taken" == caught.value.code


def test_a_name_is_free_after_a_restart(tmp_path: Path):
    """A journal that was closed gives the name back."""
    for _ in range(3):
        with SqliteJournal(tmp_path / "journal.db") as journal:
            assert () == journal.turn("web-1", [], NOW)
