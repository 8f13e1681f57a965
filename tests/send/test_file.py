import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Timer

import pytest

from listboss import AddLead, AddTag, Place, RemoveTag
from listboss.errors import ConfigurationError, EventError
from listboss.provider import Applied, Call
from listboss.send import Automation, Send, Step

ANA = "ana@example.com"

HOSTILE = [
    "Robert'); DROP TABLE contact;--",
    "quote \" and ' and \\",
    "%_*?",
    "emoji \U0001f600 and עברית",
    "\u202eright to left",
    "line\nbreak\ttab",
    "ß SS ſ",
    "x" * 10_000,
]


class TestReopening:
    """Reopening a file."""

    def test_everything_is_kept(self, tmp_path, planned, clock):
        """Contacts, ids of actions, automations and messages are in the file."""
        path, action = tmp_path / "send.db", planned(AddTag("buyer"), name="Ana")
        with Send(path, clock=clock) as send:
            send.save(Automation("A", ["buyer"], steps=Step("m"), published=True))
            send.apply(action, Call())
            send.apply(planned(AddLead("Course"), automatic=True), Call())
            before = send.contacts(), send.automations(), send.due(clock.now)
        with Send(path, clock=clock) as send:
            assert before == (send.contacts(), send.automations(), send.due(clock.now))
            send.apply(planned(RemoveTag("buyer")), Call())
            assert Applied() == send.apply(action, Call())
            assert () == send.tags(ANA)

    def test_while_another_has_it_open(self, tmp_path, planned):
        """Two stores on one file see each other's changes."""
        path = str(tmp_path / "send.db")
        with Send(path) as one, Send(path) as two:
            one.apply(planned(AddTag("a")), Call())
            two.apply(planned(AddTag("b")), Call())
            assert ("a", "b") == one.tags(ANA) == two.tags(ANA)

    def test_killed_process(self, tmp_path):
        """An applied action is in the file after its process was killed."""
        path = tmp_path / "send.db"
        program = """
import os, sys
from listboss import AddTag, PlannedAction
from listboss.provider import Call
from listboss.rules._mapping import FrozenMap
from listboss.send import Send
send = Send(sys.argv[1])
print(send.apply(PlannedAction("mail", "ana@example.com", AddTag("buyer"), FrozenMap(), (), False,
                               "1"), Call()), flush=True)
os._exit(9)
"""
        done = subprocess.run(
            [sys.executable, "-c", program, path], capture_output=True, text=True, check=False
        )
        assert (9, "Applied()\n") == (done.returncode, done.stdout)
        with Send(path) as send:
            assert ("buyer",) == send.tags(ANA)


class TestForeignFiles:
    """Files that `Send` must not touch."""

    def test_of_another_program(self, tmp_path):
        """A database of another program is refused and not changed."""
        path = tmp_path / "other.db"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE contact (id)")
        other.close()
        before = path.read_bytes()
        with pytest.raises(ConfigurationError) as caught:
            Send(path)
        assert ("foreign_file", before) == (caught.value.code, path.read_bytes())

    def test_not_a_database(self, tmp_path):
        """A file that is not a database is refused and not changed."""
        path = tmp_path / "notes.txt"
        path.write_text("not a database, but long enough to look like one" * 100)
        with pytest.raises(ConfigurationError) as caught:
            Send(path)
        assert "foreign_file" == caught.value.code
        assert path.read_text().startswith("not a database")

    def test_of_a_later_release(self, tmp_path):
        """A file with a later schema version is refused, and the error names both versions."""
        path = tmp_path / "send.db"
        Send(path).close()
        with sqlite3.connect(path) as later:
            later.execute("PRAGMA user_version = 7")
        later.close()
        with pytest.raises(ConfigurationError, match="version 7, expected at most 2"):
            Send(path)

    def test_missing_folder(self, tmp_path):
        """A file in a missing folder cannot be opened, and the error says so."""
        with pytest.raises(ConfigurationError, match="unable to open") as caught:
            Send(tmp_path / "missing" / "send.db")
        assert "cannot_open" == caught.value.code

    def test_no_room_for_the_journal(self, tmp_path):
        """A file that can be opened but not written is refused with the error of SQLite."""
        path = tmp_path / ("x" * 255)  # SQLite appends to the name
        with pytest.raises(ConfigurationError) as caught:
            Send(path)
        assert "cannot_open" == caught.value.code


class TestClosing:
    """Closing a store."""

    def test_twice(self, tmp_path):
        """Closing twice is not an error."""
        send = Send(tmp_path / "send.db")
        send.close()
        send.close()
        assert (tmp_path / "send.db").exists()

    def test_use_after(self, send, do):
        """A closed store raises an error."""
        send.close()
        with pytest.raises(ConfigurationError) as caught:
            do(AddTag("buyer"))
        assert "closed" == caught.value.code


class TestTransactions:
    """Transactions."""

    def test_failure_changes_nothing(self, send, planned, clock):
        """An action that fails half-way is rolled back, and the store stays usable."""
        later = Step("m", delay=timedelta(days=9))
        send.save(Automation("A", ["buyer"], steps=later, published=True))
        today, clock.now = clock.now, datetime(9999, 12, 31, tzinfo=UTC)
        with pytest.raises(OverflowError):  # the contact and the tag are written already
            send.apply(planned(AddTag("buyer"), id="1"), Call())
        clock.now = today
        assert ((), {}) == (send.contacts(), send.tags())
        assert Applied() == send.apply(planned(AddTag("buyer"), id="1"), Call())

    def test_invalid_text(self, send, planned):
        """An address with a lone surrogate is refused, and nothing is written."""
        with pytest.raises(EventError):
            send.apply(planned(AddTag("buyer"), "\ud800@example.com"), Call())
        assert () == send.contacts()

    def test_naive_clock(self, planned):
        """A clock without a time zone is an error, and nothing is written."""
        naive = datetime(2026, 5, 4, tzinfo=UTC).replace(tzinfo=None)
        with Send(":memory:", clock=lambda: naive) as send:
            with pytest.raises(ValueError, match="time zone"):
                send.apply(planned(AddTag("buyer")), Call())
            assert () == send.contacts()


class TestThreads:
    """Threads that share a store or a file."""

    def test_one_store(self, tmp_path, planned):
        """Every action of several threads is done once."""
        with Send(tmp_path / "send.db") as send, ThreadPoolExecutor(8) as pool:
            actions = [
                planned(AddTag(f"tag{n % 5}"), f"lead{n % 7}@example.com") for n in range(140)
            ]
            outcomes = list(pool.map(lambda action: send.apply(action, Call()), actions * 2))
            assert 2 * 35 == outcomes.count(Applied())
            assert {f"tag{n}": 7 for n in range(5)} == send.tags()

    def test_opened_while_read(self, tmp_path):
        """A file that another program is reading is opened when the reader has finished."""
        path = tmp_path / "send.db"
        Send(path).close()
        reader = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        reader.execute("PRAGMA journal_mode = DELETE")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM contact").fetchall()
        finish = Timer(0.2, reader.execute, ["COMMIT"])
        finish.start()
        with Send(path) as send:
            assert () == send.contacts()
        finish.join()
        reader.close()

    def test_one_new_file(self, tmp_path, planned):
        """Several threads can create and use the same new file."""
        ready = Barrier(6)

        def work(n):
            ready.wait()
            with Send(tmp_path / "send.db") as send:
                return send.apply(planned(AddTag(f"tag{n}")), Call())

        with ThreadPoolExecutor(6) as pool:
            assert [Applied()] * 6 == list(pool.map(work, range(6)))


class TestHostileStrings:
    """Strings that look like SQL, patterns or control characters."""

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_tag(self, send, do, text):
        """A tag is stored and found as it is written."""
        do(AddTag(text))
        assert ((text,), {text: 1}) == (send.tags(ANA), send.tags())
        assert [ANA] == [lead.email for lead in send.contacts(text)]
        assert Applied() == do(RemoveTag(text))

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_place_and_data(self, send, do, text):
        """The parts of a place and the data are stored as they are written."""
        do(AddLead(Place(**{text: text})), **{text: text})
        lead = send.contact(ANA)
        assert ((Place(**{text: text}),), {text: text}) == (lead.places, lead.data)

    @pytest.mark.parametrize("text", [*HOSTILE, "nul\x00inside"], ids=range(len(HOSTILE) + 1))
    def test_email_and_id(self, send, planned, text):
        """An unchecked e-mail and the id of an action are stored as they are written."""
        action = planned(AddTag("t"), f"{text}@example.com", id=text)
        send.apply(action, Call())
        send.apply(action, Call())
        assert [f"{text}@example.com"] == [lead.email for lead in send.contacts()]

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_automation(self, send, do, clock, text):
        """The names in an automation are stored as they are written."""
        send.save(Automation(text, [text], steps=Step(text, subject=text), published=True))
        do(AddTag(text))
        (message,) = send.due(clock.now)
        assert (text, text, text) == (message.automation, message.message, message.subject)
