"""The program whose power is cut: a host that says on the same disk what it has promised."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from listboss.delivery import Executor, SqliteJournal
from tests.crash.host import NOON, Outside, approval, engine_of, refund

ACTIONS = 2
EVENTS = [
    approval("e-1"),
    approval("e-2", "bruno@example.com"),
    refund("e-3", minutes=1),
    approval("e-4", "eva@example.com"),
    approval("e-5", minutes=2),
]


def main(folder: Path) -> None:
    """Handle some events, one by one and together, and forget a contact."""
    promises = os.open(folder / "promises", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    engine, account = engine_of(ACTIONS), Outside(folder / "account")
    with SqliteJournal(folder / "journal.db") as journal:
        executor = Executor(engine, {"mail": account}, journal, clock=lambda: NOON, worker="w")
        for event in EVENTS[:3]:
            executor.handle(event)
            os.write(promises, f"{event.id}\n".encode())
        for event in EVENTS[3:]:
            executor.accept(event)
            os.write(promises, f"{event.id}\n".encode())
        executor.run_due()
        journal.prune(NOON - timedelta(days=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
