"""Files and folders that cannot be used: a clear error, nothing lost, and work goes on after it."""

import os
import resource
import shutil
import signal
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from listboss import _sqlite
from listboss.delivery import DeliveryStatus, Executor, SqliteJournal
from listboss.errors import ArgumentTypeError, ConfigurationError, StorageError
from listboss.provider import Applied
from tests.crash.host import NOON, approval, engine_of, in_child
from tests.crash.statements import Fuse, FusedConnection

ENGINE = engine_of(2)
LEASE = timedelta(seconds=60)


class Account:
    """An account that may do something before it answers."""

    capabilities = ENGINE.rules.providers["mail"]

    def __init__(self, *meanwhile) -> None:
        self.meanwhile = [*meanwhile]
        self.keys: list[str] = []

    def apply(self, planned, call):
        """Apply the action."""
        self.keys.append(call.key)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return Applied()


@pytest.fixture
def journal(world):
    """An empty journal file, open."""
    with SqliteJournal(world.journal) as journal:
        yield journal


def executor_of(journal, account):
    """Make an executor whose clock does not move."""
    return Executor(ENGINE, {"mail": account}, journal, clock=lambda: NOON)


def set_pages(journal, pages):
    """Let the file have at most that many pages, as if the disk were full."""
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")


def fill(journal):
    """Let the disk be full: the file has the pages that it has, and no free ones."""
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    set_pages(journal, pages)


class TestFullDisk:
    """A disk without space."""

    def accept_until_full(self, journal):
        """Accept events until one is refused; return its number."""
        fill(journal)
        for n in range(1_000):
            event = approval(f"e-{n}", f"{n}@example.com")
            with suppress(StorageError):
                journal.accept(event, ENGINE.plan(event), NOON)
                continue
            return n
        raise AssertionError

    def test_says_so(self, journal):
        """The error names the reason and says what to do."""
        number = self.accept_until_full(journal)
        event = approval(f"e-{number}", f"{number}@example.com")
        with pytest.raises(StorageError) as caught:
            journal.accept(event, ENGINE.plan(event), NOON)
        assert ("the file cannot be used (SQLITE_FULL)", True) == (
            caught.value.message,
            caught.value.hint.startswith("free some space"),
        )

    def test_accept(self, journal):
        """An event that cannot be kept raises, is kept as a whole or not, and can come again."""
        number = self.accept_until_full(journal)
        kept = [*journal.events()]
        assert (number, [2] * number) == (
            len(kept),
            [len(journal.receipt(event.id).states) for event in kept],
        )
        set_pages(journal, 1_000_000)
        event = approval(f"e-{number}", f"{number}@example.com")
        receipt = journal.accept(event, ENGINE.plan(event), NOON)
        assert DeliveryStatus.PENDING is receipt.status

    def test_handle(self, journal):
        """Nothing is sent for an event that could not be kept."""
        number = self.accept_until_full(journal)
        account = Account()
        with pytest.raises(StorageError):
            executor_of(journal, account).handle(approval(f"e-{number}", "new@example.com"))
        assert [] == account.keys

    def test_outcome(self, journal):
        """An outcome that cannot be recorded is recorded when there is space: not sent twice."""
        account = Account()
        executor = executor_of(journal, account)
        failures = 0
        for n in range(200):  # an outcome often finds some room in the pages that there are
            account.meanwhile = [partial(fill, journal)]
            try:
                executor.handle(approval(f"e-{n}", f"{n}@example.com"))
            except StorageError:
                failures += 1
            set_pages(journal, 1_000_000)
        executor.run_due()
        assert failures > 10
        assert len({*account.keys}) == len(account.keys)
        statuses = {journal.receipt(event.id).status for event in journal.events()}
        assert {DeliveryStatus.DONE} == statuses

    def test_a_file_that_must_not_grow(self, world):
        """The same at a limit of the operating system, where the log cannot grow."""

        def work():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            with SqliteJournal(world.journal) as journal:
                size = world.journal.stat().st_size
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
                for n in range(1_000):
                    event = approval(f"e-{n}", f"{n}@example.com")
                    with suppress(StorageError):
                        journal.accept(event, ENGINE.plan(event), NOON)
                        continue
                    return
            raise AssertionError

        assert 0 == in_child(work)
        with SqliteJournal(world.journal) as journal:
            kept = [*journal.events()]
            assert [2] * len(kept) == [len(journal.receipt(each.id).states) for each in kept]


class TestFailedCommit:
    """A commit that fails."""

    @pytest.fixture(autouse=True)
    def _fused(self, monkeypatch):
        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=FusedConnection))
        monkeypatch.setattr(FusedConnection, "fuse", Fuse())

    def burn_at(self, statement):
        """Let the next statement of this kind fail."""
        FusedConnection.fuse = Fuse(at_first=statement)

    @pytest.mark.parametrize("statement", ["COMMIT", "BEGIN", "PRAGMA data_version"])
    def test_of_an_event(self, journal, statement):
        """The event is not kept, and can come again."""
        account = Account()
        executor = executor_of(journal, account)
        self.burn_at(statement)
        with pytest.raises(StorageError):
            executor.handle(approval())
        assert ([], []) == ([*journal.events()], account.keys)
        assert DeliveryStatus.DONE is executor.handle(approval()).status

    def test_of_an_outcome(self, journal):
        """The outcome is kept by the executor, and recorded by the next turn."""
        account = Account(partial(self.burn_at, "COMMIT"))
        executor = executor_of(journal, account)
        with pytest.raises(StorageError):
            executor.handle(approval())
        executor.run_due()
        assert (2, DeliveryStatus.DONE) == (len(account.keys), journal.receipt("e-1").status)


class TestForeign:
    """Files that are not journals of this release."""

    def refused(self, path):
        """Open the file; return the code of the error, and check that nothing was changed."""
        before, beside = path.read_bytes(), set(path.parent.iterdir())
        with pytest.raises(ConfigurationError) as caught:
            SqliteJournal(path)
        assert (before, beside) == (path.read_bytes(), set(path.parent.iterdir()))
        return caught.value.code

    def database(self, path, *statements):
        """Make a database."""
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return path

    def test_another_program(self, folder):
        """A database of another program is refused."""
        path = self.database(folder / "other.db", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)")
        assert "foreign_file" == self.refused(path)

    def test_another_application_id(self, folder):
        """So is one that is empty and marked as another program's."""
        path = self.database(folder / "other.db", "PRAGMA application_id = 7")
        assert "foreign_file" == self.refused(path)

    def test_no_database(self, folder):
        """So is a file that is not a database."""
        path = folder / "notes.txt"
        path.write_text("not a database\n" * 100)
        assert "foreign_file" == self.refused(path)

    def test_an_empty_file(self, folder):
        """An empty file is a new journal."""
        path = folder / "journal.db"
        path.touch()
        with SqliteJournal(path) as journal:
            assert () == journal.history()

    def test_a_later_release(self, world):
        """A file with a newer schema is refused, with both versions."""
        SqliteJournal(world.journal).close()
        self.database(world.journal, "PRAGMA user_version = 99")
        assert "schema_version" == self.refused(world.journal)

    def test_damaged(self, world, journal):
        """A damaged file is refused when the damage is met."""
        for n in range(50):
            event = approval(f"e-{n}", f"{n}@example.com")
            journal.accept(event, ENGINE.plan(event), NOON)
        journal.close()
        size = world.journal.stat().st_size
        with world.journal.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        with pytest.raises(ConfigurationError) as caught:
            SqliteJournal(world.journal)
        assert ("foreign_file", "give another path, or restore a backup") == (
            caught.value.code,
            caught.value.hint,
        )


class TestPlaces:
    """Folders that cannot be used."""

    def test_missing_folder(self, folder):
        """A folder that does not exist is an error that names it."""
        with pytest.raises(StorageError) as caught:
            SqliteJournal(folder / "missing" / "journal.db")
        assert f"the folder `{folder / 'missing'}` does not exist" == caught.value.message
        assert "create it, or give another path" == caught.value.hint
        assert not folder.joinpath("missing").exists()

    def test_a_folder_as_file(self, folder):
        """A folder in the place of the file, too."""
        folder.joinpath("journal.db").mkdir()
        with pytest.raises(StorageError, match="is a folder"):
            SqliteJournal(folder / "journal.db")

    @pytest.mark.parametrize(
        ("path", "error"),
        [(":memory:", ConfigurationError), (7, ArgumentTypeError), (b"j", ArgumentTypeError)],
    )
    def test_not_a_path(self, folder, monkeypatch, path, error):
        """What does not name a file is refused, and leaves no file behind."""
        monkeypatch.chdir(folder)
        with pytest.raises(error) as caught:
            SqliteJournal(path)
        assert "$.path" == caught.value.path
        assert [] == list(folder.iterdir())

    @pytest.mark.parametrize("with_file", [False, True])
    def test_read_only_folder(self, with_file):
        """A folder that must not be written to is an error, whether or not the file exists."""
        place = Path(tempfile.mkdtemp())
        if with_file:
            SqliteJournal(place / "journal.db").close()
        place.chmod(0o555)
        for each in place.iterdir():
            each.chmod(0o444)

        def work():
            if os.geteuid() == 0:
                os.setuid(65534)  # nobody: the modes of files mean nothing to the superuser
            with pytest.raises(StorageError) as caught:
                SqliteJournal(place / "journal.db")
            assert "can be written to" in caught.value.hint

        try:
            assert 0 == in_child(work)
        finally:
            place.chmod(0o755)
            shutil.rmtree(place)

    @pytest.mark.parametrize(
        ("kind", "refused"),
        [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True), ("ext4", False)],
    )
    def test_network(self, folder, monkeypatch, kind, refused):
        """A network file system is refused, before anything is written to it."""
        self.mount(monkeypatch, folder, f"server:/x {folder} {kind} rw 0 0")
        if refused:
            with pytest.raises(ConfigurationError) as caught:
                SqliteJournal(folder / "journal.db")
            assert "network_file" == caught.value.code
            assert [folder / "mounts"] == [*folder.iterdir()]
        else:
            SqliteJournal(folder / "journal.db").close()

    def mount(self, monkeypatch, folder, *lines):
        """Let these be the mounts of the machine."""
        mounts = folder / "mounts"
        mounts.write_text("\n".join(["/dev/sda / ext4 rw 0 0", *lines, ""]))
        monkeypatch.setattr(_sqlite, "_MOUNTS", mounts)

    def test_a_disk_inside_a_network(self, folder, monkeypatch):
        """The innermost mount counts, also with a blank in its name, and behind a link."""
        disk = folder / "a disk"
        disk.mkdir()
        folder.joinpath("link").symlink_to(disk)
        escaped = str(disk).replace(" ", "\\040")
        self.mount(
            monkeypatch, folder, f"s:/x {folder} nfs rw 0 0", f"/dev/sdb {escaped} xfs rw 0 0"
        )
        SqliteJournal(folder / "link" / "journal.db").close()
        assert disk.joinpath("journal.db").exists()

    def test_a_machine_without_a_list_of_mounts(self, folder, monkeypatch):
        """Where the mounts are not known, the file is taken to be on a disk."""
        monkeypatch.setattr(_sqlite, "_MOUNTS", folder / "nothing")
        SqliteJournal(folder / "journal.db").close()


class TestOthers:
    """Other programs that have the file open."""

    def test_a_reader(self, world, journal):
        """A reader that stays neither stops the work nor sees half of it."""
        with closing(sqlite3.connect(world.journal, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            seen = reader.execute("SELECT count(*) FROM event").fetchone()
            for n in range(20):
                executor_of(journal, Account()).handle(approval(f"e-{n}", f"{n}@example.com"))
            assert seen == reader.execute("SELECT count(*) FROM event").fetchone()
        assert 20 == len([*journal.events()])

    def test_the_log_shrinks_again(self, world, journal):
        """A reader that stays lets the log grow, and when it is gone, the log is cut."""
        log = world.folder / "journal.db-wal"

        def work(numbers):
            for n in numbers:
                executor_of(journal, Account()).handle(approval(f"e-{n}", f"{n}@example.com"))
            return log.stat().st_size

        with closing(sqlite3.connect(world.journal, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM event").fetchone()
            assert work(range(100)) > _sqlite.MAX_LOG_BYTES
        assert work(range(100, 150)) <= _sqlite.MAX_LOG_BYTES

    def test_a_writer(self, world, journal):
        """A program that holds the file is an error that says so, and nothing is half done."""
        journal._connection.execute("PRAGMA busy_timeout = 50")
        with closing(sqlite3.connect(world.journal, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError) as caught:
                executor_of(journal, Account()).handle(approval())
        assert "another program holds the file; close it" == caught.value.hint
        assert DeliveryStatus.DONE is executor_of(journal, Account()).handle(approval()).status

    def test_closed(self, world):
        """A journal that was closed says so."""
        journal = SqliteJournal(world.journal)
        journal.close()
        journal.close()
        with pytest.raises(StorageError, match="the journal is closed"):
            journal.history()
