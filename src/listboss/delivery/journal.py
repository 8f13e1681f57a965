"""What was accepted, what became of it, and what each contact should have: the journal.

`Journal` is the protocol of all journals, with the values that they return. Every method is
one transaction; times are arguments, and a journal has no clock and no thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

import attrs

from listboss.delivery.life import (
    ActionState,
    Attempt,
    Receipt,
    Result,
    Status,
)
from listboss.delivery.record import Record
from listboss.plan import Plan
from listboss.rules._text import masked_address, quoted
from listboss.rules._wording import describe_event, describe_target
from listboss.rules.action import Action
from listboss.rules.event import Contact, Event

__all__ = [
    "Forgotten",
    "Journal",
    "StandingEntry",
    "Stuck",
    "Turn",
]


class Turn(tuple[Attempt, ...]):
    """The attempts that a turn gives out.

    `records` are what it wrote into the history, `receipts` those of the events it accepted.
    """

    records: tuple[Record, ...] = ()
    receipts: tuple[Receipt, ...] = ()


@attrs.frozen
class Stuck:
    """An action that waits for the host, and the event that it belongs to."""

    event_id: str = attrs.field(repr=masked_address)
    state: ActionState

    def __str__(self) -> str:
        return f"{describe_event(self.event_id)}: {self.state}"


@attrs.frozen
class StandingEntry:
    """What the events say of one tag or place of a contact at one account.

    `on` says whether the contact should have it, `since` when the event that decided
    happened, `event_id` and `segmentation_ids` which event and rules decided. `sent` is what
    was sent last (None: nothing yet) and `confirmed` whether the provider confirmed that.
    """

    provider: str
    target: Action
    on: bool
    since: datetime | None
    event_id: str | None = attrs.field(repr=masked_address)
    segmentation_ids: tuple[str, ...]
    sent: bool | None
    confirmed: bool

    def __str__(self) -> str:
        name = describe_target(self.target)
        why = "" if self.event_id is None else f" since {self.since:%Y-%m-%d %H:%M}"
        confirmed = "confirmed" if self.confirmed else "not confirmed"
        return f"{quoted(self.provider)}: {name} {'on' if self.on else 'off'}{why}, {confirmed}"


@attrs.frozen
class Forgotten:
    """What `forget` did: how many records were about the contact.

    `pending` says that bytes of them are still in the file, because somebody is reading it;
    the next turn removes these.
    """

    records: int
    pending: bool = False


class Journal(Protocol):
    """Where events and plans are kept while they are delivered, and afterwards.

    Each method is one transaction. Unknown event ids raise `UnknownIdError`. A contact is
    given as a `Contact` or as an e-mail address.
    """

    def accept(self, event: Event, plan: Plan, now: datetime, *, replan: bool = False) -> Receipt:
        """Keep an event and its plan; a redelivered event changes nothing.

        `replan` puts the plan in the place of what is not over.
        """
        ...

    def resume(self, worker: str, now: datetime) -> int:
        """End the leases of a worker that starts anew, and of those known to be dead.

        Returns how many lanes can be worked on again.
        """
        ...

    def event(self, event_id: str) -> Event | None:
        """Return an event as it was accepted; None once its contact is forgotten.

        Also None if it is too old, or was planned in a batch.
        """
        ...

    def turn(
        self,
        worker: str,
        results: Sequence[Result],
        now: datetime,
        *,
        want: int = 1,
        lease: timedelta = timedelta(seconds=60),
        event_id: str | None = None,
        accept: Sequence[tuple[Event, Plan]] = (),
        replan: bool = False,
        in_doubt: int = 1,
        in_sync: bool = False,
        rates: Mapping[str, int] = MappingProxyType({}),
    ) -> Turn:
        """Record results, and give out up to about `want` attempts, `in_doubt` for each lane.

        What is given out was noted as being sent. With `event_id`, only the lanes of that
        event's contact are worked on. The events of `accept` are accepted first. With
        `in_sync`, actions that ask for what the provider confirmed already are not sent. Of
        accounts in `rates`, all workers together send at most that many actions a minute; an
        executor without such an account leaves the argument out.
        """
        ...

    def receipt(self, event_id: str) -> Receipt:
        """Return what has become of an event."""
        ...

    def due_at(self) -> datetime | None:
        """Return when there is something to do next, or None."""
        ...

    def stuck(
        self, account: str | None = None, product_id: str | None = None, limit: int = 100
    ) -> tuple[Stuck, ...]:
        """Return actions that are refused, unknown or dead, and wait for the host."""
        ...

    def standing(self, contact: Contact | str) -> tuple[StandingEntry, ...]:
        """Return what the contact should have, as its events say."""
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
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> tuple[Record, ...]:
        """Return the records that fit everything given, oldest first.

        With a `limit`, these are the newest, before the record with the number `before`.
        """
        ...

    def count(
        self,
        product_id: str | None = None,
        contact: Contact | str | None = None,
        *,
        event_id: str | None = None,
        segmentation_id: str | None = None,
        provider: str | None = None,
        status: str | None = None,
        is_test: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Return how many records fit everything given."""
        ...

    def events(
        self,
        product_id: str | None = None,
        contact: Contact | str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Event]:
        """Return the events that are kept, in the order in which they happened.

        They are read in pages, so that any number of them takes little memory. An event that is
        accepted or deleted meanwhile may be among them or not.
        """
        ...

    def retry(
        self,
        now: datetime,
        *,
        event_id: str | None = None,
        account: str | None = None,
        status: Status | str | None = None,
    ) -> int:
        """Take stuck and waiting actions up again, each judged anew; return how many."""
        ...

    def forget(self, contact: Contact | str, now: datetime | None = None) -> Forgotten:
        """Erase what is known of a contact, and keep counts and ids.

        An id that contains an address is replaced by a hash; the event is still found by the
        id that it came with.
        Nothing that was accepted before is sent any more, and an event that happened before
        `now` and arrives later is only recorded as forgotten. Without `now`, the latest time
        that the journal knows counts.
        """
        ...

    def prune(self, before: datetime) -> int:
        """Delete finished events and records from before a time; return how many."""
        ...
