"""What was accepted and what became of it: the `Journal` protocol, and one in memory.

A journal guards its deliveries, so that several threads may work at one event: who is given
an attempt by `intend` is alone with it. Every outcome becomes a `Record`, and so does an
event that asks for nothing. Exceptions and their texts never get here, only outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from threading import Lock
from typing import Protocol

import attrs

from listboss.delivery.delivery import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Done,
    Receipt,
    Status,
    Step,
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
    """One line of the history: what was attempted for whom, why, and how it went.

    An event that asks for nothing has one record with status `idle`, no provider and no
    action, and the reason in `detail`. `plan` is the subscription plan that the event names.
    `contact` is the e-mail; None for an event without one, or once it is forgotten.
    """

    time: datetime
    segmentation_ids: tuple[str, ...] = ()
    automatic: bool = False
    product_id: str
    plan: str | None = None
    contact: str | None = attrs.field(default=None, repr=masked)
    event_name: EventName | str
    event_id: str
    provider: str | None = None
    action: Action | None = None
    status: Status | DeliveryStatus
    detail: str = ""
    is_test: bool = False


class Journal(Protocol):
    """Where plans are kept while they are delivered, and afterwards.

    Every method is atomic; times are aware. Unknown event ids raise `UnknownIdError`.
    """

    def accept(
        self,
        plan: Plan,
        now: datetime,
        *,
        contact: str | None,
        subscription_plan: str | None = None,
        again: bool = False,
    ) -> bool:
        """Keep a plan; return whether it is new.

        A plan for an event that is known is ignored, or with `again` takes the place of what
        is not yet over.
        """
        ...

    def intend(self, event_id: str, now: datetime) -> Attempt | Wait | Done:
        """Say what to do next for an event; an attempt is noted before it is given out."""
        ...

    def record(self, event_id: str, action_id: str, outcome: Outcome, now: datetime) -> None:
        """Note the outcome of an attempt."""
        ...

    def receipt(self, event_id: str) -> Receipt:
        """Return where an event stands."""
        ...

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of the events for which something can be attempted, oldest first."""
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
        """Return the records that fit everything given, oldest first."""
        ...

    def forget(self, contact: Contact | str) -> int:
        """Erase the personal data of a contact and keep the counts.

        Returns how many records were about the contact. What was not sent yet never will be.
        """
        ...


def _key(contact: Contact | str) -> str:
    return contact.key if isinstance(contact, Contact) else contact_key(contact)


def _is_about(record: Record, key: str) -> bool:
    return record.contact is not None and contact_key(record.contact) == key


@attrs.define
class _Entry:
    """A delivery, and in `about` what all records of its event have in common."""

    delivery: Delivery
    about: Record
    idle: Idle | None

    def record(self, step: Step, now: datetime) -> Record:
        action = step.action
        return attrs.evolve(
            self.about,
            time=now,
            segmentation_ids=action.because,
            automatic=action.automatic,
            provider=action.provider,
            action=action.action,
            status=step.status,
            detail=step.detail,
        )


class MemoryJournal:
    """A journal that lives as long as the process, for tests, tools and small hosts.

    It keeps records and finished events for `keep` (60 days unless told otherwise, None for
    ever); an event that is redelivered later than that counts as new.

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
        again: bool = False,
    ) -> bool:
        """Keep a plan; return whether it is new."""
        with self._lock:
            self._drop_old(now)
            known = self._entries.get(plan.event_id)
            if known is not None and not again:
                return False
            delivery = Delivery([], is_test=plan.is_test) if known is None else known.delivery
            delivery.again(plan.actions)
            idle = None if delivery.steps else plan.idle
            about = Record(
                time=now,
                product_id=plan.product_id,
                plan=subscription_plan,
                contact=contact,
                event_name=plan.event_name,
                event_id=plan.event_id,
                status=DeliveryStatus.IDLE,
                detail=idle or "",
                is_test=plan.is_test,
            )
            self._entries.pop(plan.event_id, None)  # the newest stand last
            self._entries[plan.event_id] = _Entry(delivery, about, idle)
            if not delivery.steps:
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
        """Say what to do next for an event; an attempt is noted before it is given out."""
        with self._lock:
            return self._entry(event_id).delivery.next(now)

    def record(self, event_id: str, action_id: str, outcome: Outcome, now: datetime) -> None:
        """Note the outcome of an attempt."""
        with self._lock:
            entry = self._entry(event_id)
            self._records.append(entry.record(entry.delivery.report(action_id, outcome, now), now))

    def receipt(self, event_id: str) -> Receipt:
        """Return where an event stands."""
        with self._lock:
            entry = self._entry(event_id)
            delivery = entry.delivery
            return Receipt(event_id, delivery.status, delivery.steps, delivery.next_at, entry.idle)

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of the events for which something can be attempted, oldest first."""
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
        """Return the records that fit everything given, oldest first.

        The History tab of a product is `history("42")`; `status="refused"` and the like ask
        for one status.
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

        Returns how many records were about the contact. What was not sent yet never will be.
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
