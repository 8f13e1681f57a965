"""`Send`: the embedded provider on SQLite, so that everything runs with no account anywhere.

It holds contacts with their origin, tags, places and data, counts them against a lead limit,
and lets tags schedule the messages of automations. It never sends anything: the host's
mailer drains `due`. Every action is one transaction together with its id, so that an action
repeated with the same id is done once, in this process or after a crash.
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
from listboss.send import _contacts as contacts
from listboss.send import _outbox as outbox
from listboss.send._carry_out import carry_out
from listboss.send._lead import Lead, Origin
from listboss.send._schema import connect, transaction, written
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


def _limit(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError("a whole number or None is meant here", path="$.lead_limit")
    if value < 0:
        raise ConfigurationError("a lead limit is not negative", path="$.lead_limit")
    return value


class Send:
    """Contacts, tags and due messages in one SQLite file; `:memory:` for none.

    `lead_limit` is how many contacts the plan allows, None for any number; automatic ones
    count. `clock` gives aware times. Threads may share a store, processes a file. Close it,
    or use it as a context manager. Raises `ConfigurationError` for a file that is not its.

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
        self._lead_limit = _limit(lead_limit)
        self._clock = clock
        self._lock = RLock()
        self._db: sqlite3.Connection | None = connect(path)

    def close(self) -> None:
        """Close the file; what was answered is in it. Closing twice is no error."""
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
                raise ConfigurationError("the store is closed", code="closed")
            with transaction(db, begin):
                yield db

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._transaction("BEGIN IMMEDIATE")

    # The provider

    @property
    def capabilities(self) -> Capabilities:
        """Tags and leads, natively, with any data; an action is done once by its id."""
        return _CAPABILITIES

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action; with an id that was done, give the first answer again.

        The first action that brings a contact in decides its origin. Data are merged into
        what is known; what is absent stays as it is. An integration test is carried out for
        the e-mail it names like any call, but to move or remove a lead that is not there is
        refused.
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
                    (action.id, isinstance(outcome, Applied), written(now)),
                )
            return outcome

    def erase(self, email: str) -> bool:
        """Erase a contact, its tags, places, data and messages; return whether it was there.

        The ids of what was done for it stay, so that an old action repeated does not bring
        it back.
        """
        with self._writing() as db:
            return contacts.erase(db, email)

    # What is in it

    def contacts(self, tag: str | None = None, origin: Origin | None = None) -> tuple[Lead, ...]:
        """Return the contacts in order of arrival: all, those with a tag, of an origin."""
        with self._transaction() as db:
            return contacts.leads(db, tag=tag, origin=origin, lead_limit=self._lead_limit)

    def contact(self, email: str) -> Lead | None:
        """Return one contact, however its address is spelled, or None."""
        with self._transaction() as db:
            found = contacts.leads(db, email=email, lead_limit=self._lead_limit)
        return found[0] if found else None

    @overload
    def tags(self) -> dict[str, int]: ...
    @overload
    def tags(self, email: str) -> tuple[str, ...]: ...
    def tags(self, email: str | None = None) -> dict[str, int] | tuple[str, ...]:
        """Return how many contacts have each tag or, given an e-mail, the tags of that contact."""
        if email is None:
            with self._transaction() as db:
                return contacts.tag_counts(db)
        lead = self.contact(email)
        return () if lead is None else lead.tags

    @overload
    def places(self) -> dict[Place, int]: ...
    @overload
    def places(self, email: str) -> tuple[Place, ...]: ...
    def places(self, email: str | None = None) -> dict[Place, int] | tuple[Place, ...]:
        """Return how many contacts are at each place or, given an e-mail, where that contact is."""
        if email is None:
            with self._transaction() as db:
                return contacts.place_counts(db)
        lead = self.contact(email)
        return () if lead is None else lead.places

    @property
    def remaining(self) -> int | None:
        """How many contacts the lead limit still has room for; None without a limit.

        With a limit of 5,000 and 1,000 captured, 4,000 remain.
        """
        if self._lead_limit is None:
            return None
        with self._transaction() as db:
            return max(0, self._lead_limit - contacts.count_contacts(db))

    # Automations and their outbox

    def save(self, automation: Automation) -> None:
        """Keep an automation, in the place of one of the same name.

        Messages already scheduled keep their time; those of a step that is gone are called
        off.
        """
        with self._writing() as db:
            outbox.save(db, automation)

    def publish(self, name: str) -> None:
        """Publish an automation: from now on its tags start it. Raises `UnknownIdError`."""
        self._set_published(name, published=True)

    def withdraw(self, name: str) -> None:
        """Take an automation back: nothing starts it, and nothing of it is due."""
        self._set_published(name, published=False)

    def _set_published(self, name: str, *, published: bool) -> None:
        with self._writing() as db:
            if not outbox.publish(db, name, published=published):
                raise UnknownIdError(f"there is no automation `{name}`")

    def automations(self) -> tuple[Automation, ...]:
        """Return all automations, by name."""
        with self._transaction() as db:
            return outbox.automations(db)

    def due(self, now: datetime) -> tuple[Message, ...]:
        """Return the messages that the mailer should send at `now`, the oldest first.

        Judged now: only of published automations, and only to contacts within the lead
        limit; what is held back comes when that changes. A message is due until `done`.
        """
        at = utc(now, "$.now")
        with self._transaction() as db:
            return outbox.due(db, at, contacts.limit_id(db, self._lead_limit))

    def done(self, id: int) -> bool:
        """Say that a message was sent; return whether it was still open.

        It is not if it was said before, was called off, or its contact was erased meanwhile.
        """
        with self._writing() as db:
            return outbox.finish(db, id, utc(self._clock(), "$.clock"))
