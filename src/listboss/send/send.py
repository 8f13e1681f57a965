"""`Send`: the embedded provider on SQLite, for hosts without an account elsewhere.

It stores contacts with their origin, tags, places and data, counts them against a lead limit,
and schedules the messages of automations. It never sends anything: the host's mailer sends
what `due` returns. Each action and its id are written in one transaction, so an action that
is repeated with the same id is done once, even after a crash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from os import PathLike
from threading import RLock
from types import TracebackType
from typing import Self, overload

from listboss._clock import utc_now
from listboss.errors import ArgumentTypeError, ConfigurationError, UnknownIdError
from listboss.plan import PlannedAction
from listboss.provider import Applied, Call, NoChange, Outcome, Refused
from listboss.rules.action import Place
from listboss.rules.capabilities import Capabilities
from listboss.rules.event import utc
from listboss.send import _contacts, _outbox
from listboss.send._carry_out import carry_out
from listboss.send._lead import Lead, Origin
from listboss.send._schema import connect, time_text, transaction
from listboss.send.automation import Automation, Message

__all__ = ["Send"]

_CAPABILITIES = Capabilities(
    add_tag="native",
    remove_tag="native",
    add_lead="native",
    move_lead="native",
    remove_lead="native",
    idempotent=True,
    data=None,
)


def _as_limit(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError("expected an integer or None", path="$.lead_limit")
    if value < 0:
        raise ConfigurationError("expected a lead limit of at least 0", path="$.lead_limit")
    return value


class Send:
    """Contacts, tags and due messages in one SQLite file, or in memory with `:memory:`.

    `lead_limit` is how many contacts receive messages, captured ones included; None means no
    limit. `clock` returns the time with a time zone. Threads may share a store, and processes
    a file. Close it, or use it as a context manager. A file of another program raises
    `ConfigurationError`.

    >>> with Send(":memory:", lead_limit=5000) as send:
    ...     send.contacts(), send.remaining
    ((), 5000)
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        lead_limit: int | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._lead_limit = _as_limit(lead_limit)
        self._clock = clock
        self._lock = RLock()
        self._db: sqlite3.Connection | None = connect(path)

    def close(self) -> None:
        """Close the file. Closing it twice is allowed."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self, begin: str = "BEGIN") -> Generator[sqlite3.Connection, None, None]:
        with self._lock:
            db = self._db
            if db is None:
                raise ConfigurationError(
                    "the store is closed", code="closed", hint="open a new `Send`"
                )
            with transaction(db, begin):
                yield db

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._transaction("BEGIN IMMEDIATE")

    # The provider

    @property
    def capabilities(self) -> Capabilities:
        """All tag and lead actions natively, with any data, and each action id once."""
        return _CAPABILITIES

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action; return the first outcome again for an id that was done.

        The action that creates a contact decides its origin. Data are merged: fields that
        the action does not send are kept. An integration test is carried out like any other
        call, except that moving or removing a lead that is not at the source is refused.
        """
        now = utc(self._clock(), "$.clock")
        with self._writing() as db:
            row = db.execute(
                "SELECT changed FROM done_action WHERE id = ?", (action.id,)
            ).fetchone()
            if row is not None:
                return Applied() if row[0] else NoChange()
            outcome = carry_out(db, action, call, now)
            if not isinstance(outcome, Refused):
                db.execute(
                    "INSERT INTO done_action (id, changed, at) VALUES (?, ?, ?)",
                    (action.id, isinstance(outcome, Applied), time_text(now)),
                )
            return outcome

    def erase(self, email: str) -> bool:
        """Erase a contact, its tags, places, data and messages; return whether it existed.

        The ids of its actions are kept, so a repeated action does not create it again.
        """
        with self._writing() as db:
            return _contacts.erase(db, email)

    # Queries

    def contacts(self, tag: str | None = None, origin: Origin | None = None) -> tuple[Lead, ...]:
        """Return the contacts in order of arrival; `tag` and `origin` are filters."""
        with self._transaction() as db:
            return _contacts.leads(db, tag=tag, origin=origin, lead_limit=self._lead_limit)

    def contact(self, email: str) -> Lead | None:
        """Return the contact with this address, ignoring case, or None."""
        with self._transaction() as db:
            found = _contacts.leads(db, email=email, lead_limit=self._lead_limit)
        return found[0] if found else None

    @overload
    def tags(self) -> dict[str, int]: ...
    @overload
    def tags(self, email: str) -> tuple[str, ...]: ...
    def tags(self, email: str | None = None) -> dict[str, int] | tuple[str, ...]:
        """Return the number of contacts of each tag or, given an e-mail, the contact's tags."""
        if email is None:
            with self._transaction() as db:
                return _contacts.tag_counts(db)
        lead = self.contact(email)
        return () if lead is None else lead.tags

    @overload
    def places(self) -> dict[Place, int]: ...
    @overload
    def places(self, email: str) -> tuple[Place, ...]: ...
    def places(self, email: str | None = None) -> dict[Place, int] | tuple[Place, ...]:
        """Return the number of contacts at each place or, given an e-mail, its places."""
        if email is None:
            with self._transaction() as db:
                return _contacts.place_counts(db)
        lead = self.contact(email)
        return () if lead is None else lead.places

    @property
    def remaining(self) -> int | None:
        """How many contacts fit below the lead limit; None without a limit.

        With a limit of 5,000 and 1,000 captured, 4,000 remain.
        """
        if self._lead_limit is None:
            return None
        with self._transaction() as db:
            return max(0, self._lead_limit - _contacts.count_contacts(db))

    # Automations and their outbox

    def save(self, automation: Automation) -> None:
        """Store an automation; it replaces one of the same name.

        Scheduled messages keep their time; those of a removed step are cancelled.
        """
        with self._writing() as db:
            _outbox.save(db, automation)

    def publish(self, name: str) -> None:
        """Publish an automation, so that its tags start it. May raise `UnknownIdError`."""
        self._set_published(name, published=True)

    def withdraw(self, name: str) -> None:
        """Withdraw an automation: it does not start, and none of its messages are due."""
        self._set_published(name, published=False)

    def _set_published(self, name: str, *, published: bool) -> None:
        with self._writing() as db:
            if not _outbox.publish(db, name, published=published):
                raise UnknownIdError(f"unknown automation `{name}`")

    def automations(self) -> tuple[Automation, ...]:
        """Return all automations, by name."""
        with self._transaction() as db:
            return _outbox.automations(db)

    def due(self, now: datetime) -> tuple[Message, ...]:
        """Return the messages that the mailer should send at `now`, the oldest first.

        Only messages of published automations to contacts within the lead limit are
        returned; the others are due once that changes. A message is due until `done`.
        """
        at = utc(now, "$.now")
        with self._transaction() as db:
            return _outbox.due(db, at, _contacts.first_over_limit(db, self._lead_limit))

    def done(self, id: int) -> bool:
        """Record that a message was sent; return whether it was still open.

        It is not open if it was already done or cancelled, or if its contact was erased.
        """
        with self._writing() as db:
            return _outbox.finish(db, id, utc(self._clock(), "$.clock"))
