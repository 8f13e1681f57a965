"""Several worker processes on a PostgreSQL journal: kills, pauses, lost connections, restarts."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from threading import Thread
from typing import Any

import psycopg
import pytest

from listboss.delivery import PostgresJournal
from listboss.errors import ConfigurationError, StorageError
from tests.crash.crew import LEASE, Crew
from tests.crash.host import NOON, approval
from tests.crash.test_processes import ENGINE, accept_some, check, finish
from tests.postgres import Server, why_not

NAMES = ("one", "two", "three", "four")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that these tests stop and crash."""
    if missing := why_not():
        pytest.skip(f"not run on PostgreSQL: {missing}")
    # What is not committed reaches the disk late, so that a crash loses it.
    server = Server("wal_writer_delay=10s")
    yield server
    server.close()


@pytest.fixture(params=[2, 4], ids=["two workers", "four workers"])
def crew(request, world, server) -> Iterator[Crew]:
    """Workers on a new journal."""
    schema = server.new_schema()
    crew = Crew(world, ENGINE, lambda: PostgresJournal(server.dsn, schema=schema))
    for name in NAMES[: request.param]:
        crew.begin(name)
    yield crew
    crew.end()


class Patient:
    """Accepts events as a sender does: it delivers again what was answered with an error."""

    def __init__(self, journal: PostgresJournal) -> None:
        self._journal = journal

    def accept(self, event, plan, now):
        """Accept an event, however often it takes."""
        for _ in range(500):
            with suppress(StorageError):
                return self._journal.accept(event, plan, now)
            time.sleep(0.02)
        raise TimeoutError


def end_connections(server: Server) -> None:
    """End every connection of the server, in the middle of whatever it does."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def restart(server: Server, how: str) -> None:
    """Stop the server and start it again."""
    server.stop(how)
    server.start()


def number_of_transaction(connection: psycopg.Connection[Any]) -> int:
    """Return the number of the transaction of a connection."""
    (row,) = connection.execute("SELECT pg_current_xact_id()::text AS number").fetchall()
    return int(row["number"] if isinstance(row, dict) else row[0])


@pytest.mark.parametrize("seed", range(2))
def test_everything_goes_wrong(crew, server, amount, seed):
    """Whatever happens to workers and server: nothing is lost, and the order of a lane is kept.

    An action is sent again only if its worker was killed, or its lease had ended by the clock.
    """
    chance = Random(seed)
    wanted: dict[str, list[str]] = defaultdict(list)
    rounds = amount(ci=10, soak=200)
    with crew.opened() as journal:
        for turn in range(rounds):
            trouble = chance.choice(
                ["kill", "kill", "pause", "jump", "back", "end", "end", "fast", "immediate"]
            )
            meanwhile = Thread(target=len, args=((),))
            if trouble in ("fast", "immediate"):
                meanwhile = Thread(target=restart, args=(server, trouble))
            if trouble == "end":
                meanwhile = Thread(target=end_connections, args=(server,))
            meanwhile.start()
            accept_some(crew, Patient(journal), wanted, range(turn * 10, turn * 10 + 10))
            meanwhile.join()
            time.sleep(chance.random() * 0.05)
            crew.harm(chance.choice([*crew.pids]), trouble)
        crew.clock.jump(3_600)  # past what was set when the clock was ahead
        finish(crew, journal)
        check(crew, journal, wanted, rounds * 10)


class TestConnections:
    """What a journal does when its connection is lost."""

    @pytest.fixture
    def journal(self, server) -> Iterator[PostgresJournal]:
        """A journal on a new schema."""
        with PostgresJournal(server.dsn, schema=server.new_schema()) as journal:
            yield journal

    @pytest.mark.parametrize("how", ["immediate", "fast"])
    def test_a_restart_while_idle(self, journal, server, how):
        """A server that was restarted meanwhile is not noticed."""
        assert () == journal.history()
        restart(server, how)
        assert () == journal.history()

    def test_no_server(self, journal, server):
        """Without a server, an error of this library says so, without a secret in it."""
        server.stop()
        try:
            with pytest.raises(StorageError, match="the database cannot be reached"):
                journal.history()
        finally:
            server.start()
        assert () == journal.history()

    @pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
    def test_the_answer_to_a_commit_is_lost(self, journal, server, monkeypatch, *, done):
        """The journal asks whether it was done: if so, nothing has happened; else it says so."""
        execute = psycopg.Connection.execute

        def lose(self, query, *more, **named):
            if query != "COMMIT":
                return execute(self, query, *more, **named)
            if done:
                execute(self, query)
            monkeypatch.undo()
            end_connections(server)
            return execute(self, query)

        event = approval()
        monkeypatch.setattr(psycopg.Connection, "execute", lose)
        if done:
            assert 2 == len(journal.accept(event, ENGINE.plan(event), NOON).states)
        else:
            with pytest.raises(StorageError):
                journal.accept(event, ENGINE.plan(event), NOON)
        assert ([event] if done else []) == [*journal.events()]

    def test_the_number_of_a_lost_transaction_is_given_out_again(
        self, journal, server, monkeypatch
    ):
        """A crash may lose a transaction and give its number to another, which is committed."""
        execute = psycopg.Connection.execute
        lost, again = list[int](), list[int]()

        def crash(self, query, *more, **named):
            if query != "COMMIT":
                return execute(self, query, *more, **named)
            monkeypatch.undo()
            lost.append(number_of_transaction(self))
            restart(server, "immediate")
            with psycopg.connect(server.dsn) as other:
                again.append(number_of_transaction(other))
            return execute(self, query)

        event = approval()
        monkeypatch.setattr(psycopg.Connection, "execute", crash)
        with pytest.raises(StorageError):
            journal.accept(event, ENGINE.plan(event), NOON)
        assert lost == again
        assert [] == [*journal.events()]
        assert 2 == len(journal.accept(event, ENGINE.plan(event), NOON).states)


class TestNames:
    """Two living processes cannot have one name."""

    def test_taken(self, server):
        """The second one is refused; once the first one is gone, the name is free."""
        schema = server.new_schema()
        with PostgresJournal(server.dsn, schema=schema) as second:
            with PostgresJournal(server.dsn, schema=schema) as first:
                first.resume("worker", NOON)
                with pytest.raises(ConfigurationError, match="another process works as `worker`"):
                    second.resume("worker", NOON)
            assert 0 == second.resume("worker", NOON + LEASE)

    @pytest.fixture
    def names_lost(self, server) -> Iterator[PostgresJournal]:
        """A journal of which the server has ended only the connection that holds the names."""
        schema = server.new_schema()
        with PostgresJournal(server.dsn, schema=schema) as journal:
            journal.resume("worker", NOON)
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                ended = connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
                ).fetchall()
            assert [(True,)] == ended
            yield journal

    def test_the_connection_is_lost(self, names_lost, server):
        """The worker takes its name again, so that a second one is still refused."""
        names_lost.resume("worker", NOON)
        schema = names_lost._schema
        with (
            PostgresJournal(server.dsn, schema=schema) as second,
            pytest.raises(ConfigurationError, match="another process works as `worker`"),
        ):
            second.resume("worker", NOON)

    def test_another_process_takes_the_name(self, names_lost, server):
        """The worker that comes back is refused: two never go on under one name."""
        with PostgresJournal(server.dsn, schema=names_lost._schema) as second:
            second.resume("worker", NOON)
            with pytest.raises(ConfigurationError, match="another process works as `worker`"):
                names_lost.turn("worker", (), NOON)

    def test_a_new_name_after_the_connection_is_lost(self, names_lost):
        """Another worker of the process can begin."""
        assert 0 == names_lost.resume("another", NOON)


class TestSchema:
    """A journal uses only the tables of its release."""

    def test_missing(self, server):
        """A journal without tables is refused, and says what to call."""
        with pytest.raises(ConfigurationError) as caught:
            PostgresJournal(server.dsn, schema="nothing")
        assert "schema_missing" == caught.value.code
        assert "call `PostgresJournal.migrate` once before workers start" == caught.value.hint

    @pytest.mark.parametrize("by", [1, -1], ids=["newer", "older"])
    def test_another_release(self, server, by):
        """The tables of another release are refused, and not changed."""
        schema = server.new_schema()
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(f"UPDATE {schema}.schema_version SET version = version + {by}")
        with pytest.raises(ConfigurationError):
            PostgresJournal(server.dsn, schema=schema)

    def test_migrate_again(self, server):
        """To migrate what is up to date changes nothing."""
        schema = server.new_schema()
        with PostgresJournal(server.dsn, schema=schema) as journal:
            before = journal.receipt
            assert 1 == PostgresJournal.migrate(server.dsn, schema=schema)
            assert before == journal.receipt

    def test_migrate_at_the_same_time(self, server):
        """Several processes may create the tables at the same time."""
        done = []
        threads = [
            Thread(target=lambda: done.append(PostgresJournal.migrate(server.dsn, schema="shared")))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [1, 1, 1, 1] == done
