import sqlite3

import pytest

from listboss import AddLead, AddTag
from listboss.provider import Applied, Call
from listboss.send import Automation, Send, Step

CANARY = "canary.bird@example.com"


def left(folder):
    """The files that hold a byte sequence of the canary."""
    return [
        file.name
        for file in sorted(folder.iterdir())
        if b"canary" in file.read_bytes() or b"feathers" in file.read_bytes()
    ]


@pytest.fixture
def filled(tmp_path, planned, clock):
    """A store on a file with forty contacts, one of them the canary, and messages for all."""
    with Send(tmp_path / "send.db", clock=clock, pepper="salt and pepper") as send:
        send.save(Automation("A", ["t"], steps=Step("m"), published=True))
        for n in range(40):
            email = CANARY if n == 20 else f"contact{n}@example.com"
            send.apply(planned(AddTag("t"), email, name=f"feathers {email}", note="x" * n), Call())
        yield send


def erase(send, n):
    """Erase the canary and the words that the others share with it."""
    assert True is send.erase(CANARY)
    for number in range(n):
        send.erase(f"contact{number}@example.com")


class TestBytes:
    """What is left of an erased contact in the files."""

    def test_nothing(self, filled, tmp_path):
        """Neither the file nor its write-ahead log has a byte of the contact."""
        assert left(tmp_path)
        erase(filled, 40)
        assert [] == left(tmp_path)

    def test_after_changes(self, filled, planned, tmp_path):
        """Nor is anything left of data that were changed before."""
        for n in range(30):
            filled.apply(planned(AddLead("Course"), CANARY, name="feathers" * n * 50), Call())
        erase(filled, 40)
        assert [] == left(tmp_path)

    def test_suppressed(self, filled, tmp_path):
        """Nor of a suppressed contact, although its suppression is kept."""
        filled.suppress(CANARY, "the canary flew away")
        erase(filled, 40)
        assert [] == left(tmp_path)
        assert "erased" == filled.suppression(CANARY)

    def test_suppressed_before_it_was_a_contact(self, filled, tmp_path):
        """Nor of an address that was only suppressed."""
        erase(filled, 40)
        filled.suppress(CANARY, "no canaries")
        assert True is filled.erase(CANARY)
        assert [] == left(tmp_path)

    def test_id_of_the_action(self, filled, planned, tmp_path):
        """Nor of an action whose id contains the address; it is still not done again."""
        erase(filled, 40)
        action = planned(AddTag("t"), CANARY, id=f"signup:{CANARY}")
        filled.apply(action, Call())
        filled.erase(CANARY)
        assert [] == left(tmp_path)
        assert (Applied(), None) == (
            filled.apply(action, Call(attempt=2)),
            filled.contact(CANARY),
        )

    def test_after_a_reader(self, filled, tmp_path):
        """If another connection reads meanwhile, the next `erase` empties the log."""
        reader = sqlite3.connect(tmp_path / "send.db", isolation_level=None)
        filled._db.execute("PRAGMA busy_timeout = 50")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM contact").fetchall()
        erase(filled, 40)
        assert None is filled.contact(CANARY)
        reader.execute("COMMIT")
        reader.close()
        assert False is filled.erase(CANARY)
        assert [] == left(tmp_path)

    def test_secure_delete(self, filled):
        """SQLite overwrites deleted rows, however it was built."""
        assert (1,) == filled._db.execute("PRAGMA secure_delete").fetchone()
