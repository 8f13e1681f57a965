"""Journals for the tests of histories."""

from collections.abc import Iterator

import pytest

from listboss.delivery import Journal, MemoryJournal, SqliteJournal


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def journal(request, tmp_path) -> Iterator[Journal]:
    """An empty journal of each kind, which keeps everything."""
    if request.param == "memory":
        yield MemoryJournal(keep=None)
        return
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_journal")
        return
    with SqliteJournal(tmp_path / "journal.db", keep=None) as journal:
        yield journal
