"""How a host sees what happens: the `Observer` protocol, and one that writes to `logging`.

An observer never gets personal data unless it asks for it with `personal_data = True`. What
it raises is not the executor's: it is passed to `logging`, and delivery goes on.
"""

from __future__ import annotations

import logging
from typing import Protocol

from listboss.delivery.life import Attempt, DeliveryStatus, Receipt, Status
from listboss.delivery.record import Record
from listboss.rules._wording import describe_event

__all__ = ["LoggingObserver", "Observer"]

_LOGGER = logging.getLogger("listboss.delivery")
_FAILURES = frozenset({Status.REFUSED, Status.UNKNOWN, Status.DEAD, DeliveryStatus.CONFLICT})


class Observer(Protocol):
    """What a host writes to see what happens; each method is called after the fact is stored.

    `personal_data` says whether records come with the e-mail address of their contact.
    """

    personal_data: bool

    def accepted(self, receipt: Receipt) -> None:
        """An event was accepted, or came with the id of another one (`conflict`)."""
        ...

    def attempt(self, attempt: Attempt) -> None:
        """An action is about to be sent."""
        ...

    def recorded(self, record: Record) -> None:
        """An outcome was recorded, or an action was superseded or is dead: see `status`."""
        ...


class LoggingObserver:
    """Writes failures to the logger `listboss.delivery`, without personal data: the default."""

    personal_data = False

    def accepted(self, receipt: Receipt) -> None:
        """Warn of an event whose id is that of another one."""
        if receipt.status is DeliveryStatus.CONFLICT:
            event = describe_event(receipt.event_id)
            _LOGGER.warning("event %s: its id is that of another event", event)

    def attempt(self, attempt: Attempt) -> None:
        """Write nothing."""

    def recorded(self, record: Record) -> None:
        """Warn of actions that need the host, and note those that will be tried again."""
        level = logging.WARNING if record.status in _FAILURES else logging.INFO
        if level == logging.WARNING or record.status is Status.WAITING:
            _LOGGER.log(level, "%s", record)
