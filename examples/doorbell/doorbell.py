"""A job queue as a doorbell: a job says that something is due, and the journal knows what.

    python -m pip install procrastinate

The queue keeps no plan and no contact. A job that is lost, or runs twice, or at the same time
as another one, changes nothing: what is due stays due in the journal, and one more job finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued

from listboss import Event
from listboss.delivery import Executor, Journal, Receipt

__all__ = ["Doorbell"]


class Doorbell:
    """Accepts events, and lets the workers of `app` deliver them.

    `open_executor` makes the executor of a process, when its first job runs.
    """

    def __init__(self, app: App, open_executor: Callable[[], tuple[Executor, Journal]]) -> None:
        self._open, self._opened = open_executor, False
        # One job that waits is enough, however many events there are.
        self._deliver = app.task(name="deliver", queueing_lock="deliver")(self.deliver)
        # A job that was lost, or could not reach the journal, is made up for within a minute.
        app.periodic(cron="* * * * *")(app.task(name="look")(self.look))

    def _executor(self) -> tuple[Executor, Journal]:
        if not self._opened:
            self._executor_and_journal = self._open()
            self._opened = True
        return self._executor_and_journal

    def accept(self, event: Event) -> Receipt:
        """Keep an event, and ring. What a web handler calls before it answers."""
        receipt = self._executor()[0].accept(event)
        self.ring()
        return receipt

    def ring(self) -> None:
        """Put one job into the queue, unless one is waiting."""
        with suppress(AlreadyEnqueued):
            self._deliver.defer()

    def deliver(self) -> int:
        """Deliver what is due; ring again for what waits. The job."""
        executor, journal = self._executor()
        sent = executor.run_due()
        due_at = journal.due_at()
        if due_at is not None:
            with suppress(AlreadyEnqueued):
                self._deliver.configure(schedule_at=due_at, queueing_lock="later").defer()
        return sent

    def look(self, timestamp: int) -> int:  # noqa: ARG002 # the queue passes it by this name
        """Look for what is due, every minute."""
        return self.deliver()
