"""What the tables of a journal and of `Send` have in common."""

import sqlite3
from contextlib import closing

import pytest

from listboss.delivery import SqliteJournal
from listboss.send import Send


@pytest.fixture(params=[SqliteJournal, Send])
def database(request, tmp_path):
    """The file of a journal, and one of `Send`."""
    path = tmp_path / "file.db"
    with request.param(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def test_keys_come_first(database):
    """`PRAGMA integrity_check` of SQLite before 3.41 calls a table damaged whose key does not."""
    found = database.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND wr ORDER BY name"
    )
    tables = [name for (name,) in found]
    assert tables
    for table in tables:
        numbers = [row[5] for row in database.execute(f"PRAGMA table_info({table})")]
        keys = [number for number in numbers if number]
        assert [*range(1, len(keys) + 1)] == numbers[: len(keys)], table
