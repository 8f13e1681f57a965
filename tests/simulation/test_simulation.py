"""Histories in which everything goes wrong; see `tests/simulation/simulation.py`.

A failure names its seed: `Simulation(SEED).run()` repeats the history, and `lines` has its trace.
"""

from pathlib import Path

from listboss.delivery import SqliteJournal
from tests.simulation.ledger import BrokenPromise
from tests.simulation.simulation import Simulation


def digest_of(seed: int, journal=None) -> str:
    """Run the history of a seed, and return its digest; a broken promise fails the test."""
    simulation = Simulation(seed, journal)
    try:
        return simulation.run()
    except BrokenPromise as broken:
        trace = "\n".join(simulation.lines[-40:])
        raise AssertionError(f"seed {seed}: {broken}\n{trace}") from None


class TestHistories:
    """Every history keeps what delivery promises."""

    def test_all_promises_are_kept(self, amount):
        """Crashes, zombies, outages, throttles, edited rules, forgets and late events."""
        digests = {digest_of(seed) for seed in range(amount(ci=500, soak=100_000))}
        assert amount(ci=500, soak=100_000) == len(digests)


class TestSeeds:
    """A seed is a history, in every journal."""

    def test_the_same_seed_gives_the_same_history(self, amount):
        """So a failure can be repeated."""
        seeds = range(amount(ci=20, soak=500))
        assert [digest_of(seed) for seed in seeds] == [digest_of(seed) for seed in seeds]

    def test_a_file_gives_the_same_history_as_memory(self, amount, tmp_path):
        """`SqliteJournal` decides, sends and records in every step what `MemoryJournal` does."""
        for seed in range(amount(ci=50, soak=5_000)):
            path = Path(tmp_path, f"{seed}.db")
            with SqliteJournal(path) as journal:
                assert digest_of(seed) == digest_of(seed, journal)

    def test_a_database_gives_the_same_history_as_memory(self, amount, new_postgres_journal):
        """So does `PostgresJournal`."""
        for seed in range(amount(ci=30, soak=2_000)):
            assert digest_of(seed) == digest_of(seed, new_postgres_journal())
