import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from listboss import AddTag, PlannedAction
from listboss.provider import Applied, Call
from listboss.rules._mapping import FrozenMap
from listboss.send import Automation, Origin, Send, Step

DORA = "dora@example.com"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SCRIPT = (Path(__file__).parent / "version_1.sql").read_text()


@pytest.fixture
def path(tmp_path):
    """A file with schema version 1, in which the bytes of a deleted contact are left."""
    path = tmp_path / "send.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.executescript(SCRIPT)
    connection.execute(
        "INSERT INTO contact VALUES (9, 'x', 'left.behind@example.com', 'own', '[]', '')"
    )
    connection.commit()
    connection.execute("DELETE FROM contact WHERE id = 9")
    connection.commit()
    connection.close()
    return path


def columns(path):
    """The columns and indexes of every table."""
    connection = sqlite3.connect(path)
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )
    ]
    found = {
        name: (
            connection.execute(f"PRAGMA table_info({name})").fetchall(),
            sorted(row[1] for row in connection.execute(f"PRAGMA index_list({name})")),
        )
        for name in tables
    }
    connection.close()
    return found


class TestVersion1:
    """A file with schema version 1."""

    def test_contacts(self, path):
        """Contacts keep their order, origins, tags, places and data."""
        with Send(path) as send:
            dora, emil = send.contacts()
            assert ("Dora@example.com", Origin.OWN, ("Customer",), START) == (
                dora.email,
                dora.origin,
                dora.tags,
                dora.since,
            )
            assert {"name": "Dora", "price": Decimal("19.90")} == dora.data
            assert (Origin.AUTO, "Course", False, None) == (
                emil.origin,
                emil.places[0].parts["list"],
                emil.is_test,
                emil.suppressed,
            )

    def test_automations(self, path):
        """Automations keep their steps, and open messages stay due."""
        tips = Step("tips", delay=timedelta(days=2))
        steps = [Step("hello", subject="Hello"), tips]
        with Send(path) as send:
            assert (Automation("Welcome", ["customer"], steps=steps, published=True),) == (
                send.automations()
            )
            assert [("Dora@example.com", "tips")] == [
                (message.email, message.message) for message in send.due(START + tips.delay)
            ]

    def test_done_actions(self, path):
        """An action that was done is not done again."""
        action = PlannedAction("mail", DORA, AddTag("new"), FrozenMap(), (), False, "v1-1")
        with Send(path) as send:
            assert Applied() == send.apply(action, Call(attempt=2))
            assert ("Customer",) == send.tags(DORA)

    def test_same_tables_as_a_new_file(self, path, tmp_path):
        """A migrated file has the tables of a new one."""
        Send(path).close()
        Send(tmp_path / "new.db").close()
        assert columns(tmp_path / "new.db") == columns(path)

    def test_opened_again(self, path):
        """A migrated file is opened like any other."""
        Send(path).close()
        with Send(path) as send:
            assert 2 == len(send.contacts())

    def test_deleted_bytes(self, path):
        """What an earlier release left of deleted contacts is removed."""
        assert b"left.behind" in path.read_bytes()
        with Send(path):
            assert [False, False] == [
                b"left.behind" in file.read_bytes()
                for file in sorted(path.parent.iterdir())
                if not file.name.endswith("-shm")
            ]
