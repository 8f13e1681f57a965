"""How many cases a test tries, where it keeps files, and a PostgreSQL server if there is one."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from listboss.delivery import PostgresJournal
from tests.postgres import Server, why_not

NewJournal = Callable[..., PostgresJournal]


@pytest.fixture(scope="session")
def amount() -> Callable[..., int]:
    """Return how many cases a loop without Hypothesis tries: `amount(ci=2_000, soak=100_000)`.

    The profile `dev` tries a tenth of the figure for CI.
    """

    def amount(*, ci: int, soak: int) -> int:
        profile = settings.get_current_profile_name()
        return {"ci": ci, "soak": soak, "dev": max(1, ci // 10)}[profile]

    return amount


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for this process; what needs it is skipped where there is none."""
    missing = why_not()
    if missing is not None:
        pytest.skip(f"not run on PostgreSQL: {missing}")
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_schema(postgres: Server) -> str:
    """A schema with a journal's tables."""
    return postgres.new_schema()


@pytest.fixture
def new_postgres_journal(postgres: Server, postgres_schema: str) -> Iterator[NewJournal]:
    """Make an empty journal in PostgreSQL; the one before is closed."""
    journals: list[PostgresJournal] = []

    def new_journal(*, keep: timedelta | None = None) -> PostgresJournal:
        for journal in journals:
            journal.close()
        postgres.empty(postgres_schema)
        journals[:] = [PostgresJournal(postgres.dsn, schema=postgres_schema, keep=keep)]
        return journals[0]

    yield new_journal
    for journal in journals:
        journal.close()


@pytest.fixture
def postgres_journal(new_postgres_journal: NewJournal) -> PostgresJournal:
    """An empty journal in PostgreSQL, which keeps everything."""
    return new_postgres_journal()


@pytest.fixture
def memory_disk() -> Iterator[Path]:
    """A folder for files that have to survive a process, not the machine.

    A soak run takes the disk; otherwise it is a memory disk, where there is one: what a killed
    process had written is in the same page cache.
    """
    memory = Path("/dev/shm")
    in_memory = memory.is_dir() and settings.get_current_profile_name() != "soak"
    with TemporaryDirectory(dir=memory if in_memory else None) as name:
        yield Path(name)
