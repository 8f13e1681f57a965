"""The journal of accepted plans and their outcomes: the protocol, and one in memory.

A journal guards its deliveries, so several threads may work on one event: `intend` hands an
attempt to one of them only. Every outcome becomes a `Record`, and so does an event without
actions. Journals see outcomes only, never exceptions or their texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from threading import Lock
from typing import Protocol

import attrs

from listboss.delivery.delivery import (
    ActionState,
    Attempt,
    Delivery,
    DeliveryStatus,
    Done,
    Receipt,
    Status,
    Wait,
)
from listboss.errors import UnknownIdError
from listboss.plan import Idle, Plan
from listboss.provider import Outcome
from listboss.rules._text import masked
from listboss.rules.action import Action
from listboss.rules.event import Contact, EventName, contact_key

__all__ = ["Journal", "MemoryJournal", "Record"]


@attrs.frozen(kw_only=True)
class Record:
    """One line of the history: the action, its contact, its reasons and its outcome.

    An event without actions has one record with the status `idle`, without provider and
    action, and with the reason in `detail`. `subscription_plan` is the plan named by the
    event. `contact` is the e-mail, or None if the event has none or it was forgotten.
    """

    time: datetime
    segmentation_ids: tuple[str, ...] = ()
    automatic: bool = False
    product_id: str
    subscription_plan: str | None = None
    contact: str | None = attrs.field(default=None, repr=masked)
    event_name: EventName | str
    event_id: str
    provider: str | None = None
    action: Action | None = None
    status: Status | DeliveryStatus
    detail: str = ""
    is_test: bool = False


class Journal(Protocol):
    """Stores plans while they are delivered, and their history.

    Every method is atomic. Times have a time zone. An unknown event id raises
    `UnknownIdError`.
    """

    def accept(
        self,
        plan: Plan,
        now: datetime,
        *,
        contact: str | None,
        subscription_plan: str | None = None,
        replan: bool = False,
    ) -> bool:
        """Store a plan; return whether the event is new.

        The plan of a known event is ignored; with `replan` it replaces the actions that are
        not over.
        """
        ...

    def intend(self, event_id: str, now: datetime) -> Attempt | Wait | Done:
        """Return what to do next for an event; an attempt is stored before it is returned."""
        ...

    def record(self, event_id: str, action_id: str, outcome: Outcome, now: datetime) -> None:
        """Record the outcome of an attempt."""
        ...

    def receipt(self, event_id: str) -> Receipt:
        """Return the receipt of an event."""
        ...

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of the events with an action that is due, oldest first."""
        ...

    def history(
        self,
        product_id: str | None = None,
        contact: Contact | str | None = None,
        *,
        event_id: str | None = None,
        segmentation_id: str | None = None,
        provider: str | None = None,
        status: str | None = None,
        is_test: bool | None = None,
    ) -> tuple[Record, ...]:
        """Return the records that match every given argument, oldest first."""
        ...

    def forget(self, contact: Contact | str) -> int:
        """Erase the personal data of a contact and keep the counts.

        Returns the number of records about the contact. Actions not sent yet never will be.
        """
        ...


def _key(contact: Contact | str) -> str:
    return contact.key if isinstance(contact, Contact) else contact_key(contact)


def _is_about(record: Record, key: str) -> bool:
    return record.contact is not None and contact_key(record.contact) == key


@attrs.define
class _Entry:
    """A delivery; `about` holds the fields shared by all records of its event."""

    delivery: Delivery
    about: Record
    idle: Idle | None

    def record(self, state: ActionState, now: datetime) -> Record:
        planned = state.planned
        return attrs.evolve(
            self.about,
            time=now,
            segmentation_ids=planned.because,
            automatic=planned.automatic,
            provider=planned.provider,
            action=planned.action,
            status=state.status,
            detail=state.detail,
        )


class MemoryJournal:
    """A journal that lives as long as the process, for tests, tools and small hosts.

    It keeps records and finished events for `keep` (60 days by default, None for ever). An
    event that is redelivered later than that counts as new.

    >>> MemoryJournal().history()
    ()
    """

    def __init__(self, *, keep: timedelta | None = timedelta(days=60)) -> None:
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}
        self._records: list[Record] = []
        self._keep = keep

    def accept(
        self,
        plan: Plan,
        now: datetime,
        *,
        contact: str | None,
        subscription_plan: str | None = None,
        replan: bool = False,
    ) -> bool:
        """Store a plan; return whether the event is new."""
        with self._lock:
            self._drop_old(now)
            known = self._entries.get(plan.event_id)
            if known is not None and not replan:
                return False
            delivery = Delivery([], is_test=plan.is_test) if known is None else known.delivery
            delivery.replan(plan.actions)
            idle = None if delivery.states else plan.idle
            about = Record(
                time=now,
                product_id=plan.product_id,
                subscription_plan=subscription_plan,
                contact=contact,
                event_name=plan.event_name,
                event_id=plan.event_id,
                status=DeliveryStatus.IDLE,
                detail=idle or "",
                is_test=plan.is_test,
            )
            self._entries.pop(plan.event_id, None)  # the newest is last
            self._entries[plan.event_id] = _Entry(delivery, about, idle)
            if not delivery.states:
                self._records.append(about)
            return known is None

    def _drop_old(self, now: datetime) -> None:
        if self._keep is None:
            return
        limit = now - self._keep
        old = tuple(takewhile(lambda item: item[1].about.time < limit, self._entries.items()))
        for event_id, entry in old:
            if entry.delivery.status is not DeliveryStatus.PENDING:
                del self._entries[event_id]
        outdated = sum(1 for _ in takewhile(lambda record: record.time < limit, self._records))
        del self._records[:outdated]

    def _entry(self, event_id: str) -> _Entry:
        try:
            return self._entries[event_id]
        except KeyError:
            raise UnknownIdError(f"the journal has no event `{event_id}`") from None

    def intend(self, event_id: str, now: datetime) -> Attempt | Wait | Done:
        """Return what to do next for an event; an attempt is stored before it is returned."""
        with self._lock:
            return self._entry(event_id).delivery.next(now)

    def record(self, event_id: str, action_id: str, outcome: Outcome, now: datetime) -> None:
        """Record the outcome of an attempt."""
        with self._lock:
            entry = self._entry(event_id)
            self._records.append(entry.record(entry.delivery.report(action_id, outcome, now), now))

    def receipt(self, event_id: str) -> Receipt:
        """Return the receipt of an event."""
        with self._lock:
            entry = self._entry(event_id)
            delivery = entry.delivery
            return Receipt(event_id, delivery.status, delivery.states, delivery.next_at, entry.idle)

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of the events with an action that is due, oldest first."""
        with self._lock:
            return tuple(
                event_id for event_id, entry in self._entries.items() if entry.delivery.is_due(now)
            )

    def history(
        self,
        product_id: str | None = None,
        contact: Contact | str | None = None,
        *,
        event_id: str | None = None,
        segmentation_id: str | None = None,
        provider: str | None = None,
        status: str | None = None,
        is_test: bool | None = None,
    ) -> tuple[Record, ...]:
        """Return the records that match every given argument, oldest first.

        The History tab of a product is `history("42")`; `status="refused"` selects one status.
        """
        equal = {
            "product_id": product_id,
            "event_id": event_id,
            "provider": provider,
            "status": status,
            "is_test": is_test,
        }
        wanted = {name: value for name, value in equal.items() if value is not None}
        with self._lock:
            records = tuple(self._records if contact is None else self._about(contact))
        return tuple(
            record
            for record in records
            if all(getattr(record, name) == value for name, value in wanted.items())
            and (segmentation_id is None or segmentation_id in record.segmentation_ids)
        )

    def _about(self, contact: Contact | str) -> Iterator[Record]:
        key = _key(contact)
        return (record for record in self._records if _is_about(record, key))

    def forget(self, contact: Contact | str) -> int:
        """Erase the personal data of a contact and keep the counts.

        Returns the number of records about the contact. Actions not sent yet never will be.
        """
        key = _key(contact)
        with self._lock:
            for entry in self._entries.values():
                if _is_about(entry.about, key):
                    entry.about = attrs.evolve(entry.about, contact=None)
                    entry.delivery.forget()
            about = [n for n, record in enumerate(self._records) if _is_about(record, key)]
            for n in about:
                self._records[n] = attrs.evolve(self._records[n], contact=None, detail="")
            return len(about)
