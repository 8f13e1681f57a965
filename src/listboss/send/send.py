"""`Send`: the embedded provider on SQLite, for hosts without an account elsewhere.

It stores contacts with their origin, tags, places and data, counts them against a lead limit,
and schedules the messages of automations. It never sends anything: the host's mailer sends
what `due` returns. Each action and its id are written in one transaction, so an action that
is repeated with the same id is done once, even after a crash. Nothing is due for a contact
that is suppressed, and nothing is left of one that is erased.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from os import PathLike
from threading import RLock
from typing import TypeVar, overload

from listboss._clock import utc_now
from listboss._closing import Closing
from listboss._sqlite_erase import erase_deleted
from listboss.errors import ArgumentTypeError, ConfigurationError, RuleError, UnknownIdError
from listboss.plan import PlannedAction
from listboss.provider import Applied, Call, NoChange, Outcome, Refused
from listboss.rules._text import did_you_mean, quoted, require_id, require_text
from listboss.rules.action import Place
from listboss.rules.capabilities import Capabilities
from listboss.rules.event import Contact, utc
from listboss.send import _contacts, _outbox, _suppression
from listboss.send._arguments import (
    as_lead_limit,
    as_origin,
    as_tag,
    require_action,
    require_instance,
    require_integer,
    require_key,
)
from listboss.send._carry_out import SUPPRESSED, carry_out, creates_contact
from listboss.send._encoding import action_digest, time_text
from listboss.send._file import connect, roll_back, run
from listboss.send._lead import Lead, Origin
from listboss.send._suppression import Pepper
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


T = TypeVar("T")


class Send(Closing):
    """Contacts, tags and due messages in one SQLite file, or in memory with `:memory:`.

    `lead_limit` is how many contacts receive messages, captured ones included; None means no
    limit. `clock` returns the time with a time zone. `pepper` is a secret of the host, kept
    outside the file: with it, `erase` can keep the suppression of a contact without its
    address. Threads may share a store, and processes a file. Close it, or use it as a context
    manager. A file that cannot be used raises `ConfigurationError`.

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
        pepper: bytes | str | None = None,
    ) -> None:
        if not callable(clock):
            raise ArgumentTypeError("expected a function", path="$.clock")
        self._lead_limit = as_lead_limit(lead_limit)
        self._pepper = Pepper.of(pepper)
        self._clock = clock
        self._lock = RLock()
        self._running = False
        self._db: sqlite3.Connection | None = connect(path)
        try:
            self._read(lambda db: _suppression.require_same(db, self._pepper))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. Closing it twice is allowed."""
        with self._lock:
            connection, self._db = self._db, None
            if connection is not None:
                connection.close()

    def _run(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            connection = self._open()
            if self._running:  # an outer call of this thread has a transaction open
                raise ConfigurationError(
                    "this thread is in another call of the store",
                    code="reentrant",
                    hint="do not use the store in a signal handler",
                )
            self._running = True
            try:
                roll_back(connection)  # left open if an earlier call was interrupted twice
                return run(connection, begin, work)
            finally:
                self._running = False

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            raise ConfigurationError("the store is closed", code="closed", hint="open a new `Send`")
        return self._db

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._run("BEGIN", work)

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._run("BEGIN IMMEDIATE", work)

    def _now(self) -> datetime:
        return utc(self._clock(), "$.clock")

    # The provider

    @property
    def capabilities(self) -> Capabilities:
        """All tag and lead actions natively, with any data, and each action id once."""
        return _CAPABILITIES

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action; return the first outcome again for an id that was done.

        The action that creates a contact decides its origin. Data are merged: fields that
        the action does not send are kept. What an integration test writes is marked as a
        test: it fills in only what is absent, starts no automation, and is removed by
        `remove_tests`, or when the first real action of a contact arrives.
        """
        require_action(action, call)
        key, now = require_key(action.email), self._now()
        done = action_digest(action.id)

        def work(db: sqlite3.Connection) -> Outcome:
            row = db.execute("SELECT changed FROM done_action WHERE id = ?", (done,)).fetchone()
            if row is not None:
                return Applied() if row[0] else NoChange()
            if creates_contact(action) and _suppression.is_erased(db, key, self._pepper):
                return SUPPRESSED
            outcome = carry_out(db, action, call, now)
            if not isinstance(outcome, Refused):
                db.execute(
                    "INSERT INTO done_action (id, changed, at) VALUES (?, ?, ?)",
                    (done, isinstance(outcome, Applied), time_text(now)),
                )
            return outcome

        return self._write(work)

    def remove_tests(self) -> int:
        """Remove everything that only integration tests wrote; return the number of contacts."""
        return self._write(_contacts.remove_tests)

    # Suppression and erasure

    def suppress(self, email: str, reason: str) -> bool:
        """Suppress a contact, known or not; return whether it was not suppressed yet.

        The contact keeps its tags and leads, and rules still change them, but no message is
        due for it until `unsuppress`. `reason` is free text, such as "unsubscribed".

        >>> with Send(":memory:") as send:
        ...     send.suppress("ana@example.com", "unsubscribed")
        ...     send.suppression("Ana@example.com")
        True
        'unsubscribed'
        """
        key, now = require_key(Contact(email).email), self._now()
        text = require_id(reason, "$.reason", ConfigurationError)
        return self._write(lambda db: _suppression.suppress(db, key, text, self._pepper, now))

    def unsuppress(self, email: str) -> bool:
        """End the suppression of a contact; return whether it was suppressed.

        Its messages are due again, except those that are too late by now: see `Step`.
        """
        key, now = require_key(email), self._now()

        def work(db: sqlite3.Connection) -> bool:
            was_suppressed = _suppression.unsuppress(db, key, self._pepper)
            if was_suppressed:
                _outbox.drop_overtaken_of(db, key, now)
            return was_suppressed

        return self._write(work)

    def suppression(self, email: str) -> str | None:
        """Return why a contact is suppressed ("erased" after `erase`), or None."""
        key = require_key(email)
        return self._read(lambda db: _suppression.reason_of(db, key, self._pepper))

    def erase(self, email: str) -> bool:
        """Erase a contact, its tags, places, data and messages; return whether it existed.

        Its bytes are overwritten in the file. A suppressed contact stays suppressed: a hash
        of its address, keyed by the `pepper`, is kept, and actions that would create the
        contact again are refused until `unsuppress`. Without a pepper this raises
        `ConfigurationError` and erases nothing. Actions that were done for any contact are
        not done again.
        """
        key = require_key(email)

        def work(db: sqlite3.Connection) -> bool:
            was_suppressed = _suppression.erase(db, key, self._pepper)
            return _contacts.erase(db, key) or was_suppressed

        erased = self._write(work)
        with self._lock:
            erase_deleted(self._open())
        return erased

    # Queries

    def contacts(
        self, tag: str | None = None, origin: Origin | str | None = None, *, is_test: bool = False
    ) -> tuple[Lead, ...]:
        """Return the contacts in order of arrival; `tag` and `origin` are filters.

        What integration tests wrote is left out; `is_test=True` returns the contacts that
        only tests created.
        """
        name, created_by = as_tag(tag), as_origin(origin)
        tests = require_instance(is_test, bool, "a boolean", "$.is_test")
        return self._read(
            lambda db: _contacts.leads(
                db, tag=name, origin=created_by, is_test=tests, lead_limit=self._lead_limit
            )
        )

    def contact(self, email: str) -> Lead | None:
        """Return the contact with this address, ignoring case, or None."""
        key = require_key(email)
        leads = self._read(lambda db: _contacts.leads(db, key=key, lead_limit=self._lead_limit))
        return leads[0] if leads else None

    @overload
    def tags(self) -> dict[str, int]: ...
    @overload
    def tags(self, email: str) -> tuple[str, ...]: ...
    def tags(self, email: str | None = None) -> dict[str, int] | tuple[str, ...]:
        """Return the number of contacts of each tag or, given an e-mail, the contact's tags."""
        if email is None:
            return self._read(_contacts.tag_counts)
        lead = self.contact(email)
        return () if lead is None else lead.tags

    @overload
    def places(self) -> dict[Place, int]: ...
    @overload
    def places(self, email: str) -> tuple[Place, ...]: ...
    def places(self, email: str | None = None) -> dict[Place, int] | tuple[Place, ...]:
        """Return the number of contacts at each place or, given an e-mail, its places."""
        if email is None:
            return self._read(_contacts.place_counts)
        lead = self.contact(email)
        return () if lead is None else lead.places

    @property
    def remaining(self) -> int | None:
        """How many contacts fit below the lead limit; None without a limit.

        With a limit of 5,000 and 1,000 captured, 4,000 remain.
        """
        if self._lead_limit is None:
            return None
        return max(0, self._lead_limit - self._read(_contacts.count_contacts))

    # Automations and their outbox

    def save(self, automation: Automation) -> None:
        """Store an automation; it replaces one of the same name.

        Scheduled messages keep their time; those of a removed step are cancelled.
        """
        require_instance(automation, Automation, "an `Automation`", "$.automation")
        now = self._now()
        self._write(lambda db: _outbox.save(db, automation, now))

    def publish(self, name: str) -> None:
        """Publish an automation, so that its tags start it. May raise `UnknownIdError`.

        If it was withdrawn for some time, each contact gets at most the latest of the
        messages that became overdue, besides those with `Step.latest`.
        """
        self._set_published(name, published=True)

    def withdraw(self, name: str) -> None:
        """Withdraw an automation: it does not start, and none of its messages are due."""
        self._set_published(name, published=False)

    def _set_published(self, name: str, *, published: bool) -> None:
        text, now = require_text(name, "$.name", RuleError), self._now()
        if not self._write(lambda db: _outbox.publish(db, text, now, published=published)):
            known = [automation.name for automation in self.automations()]
            raise UnknownIdError(
                f"unknown automation {quoted(text)}", path="$.name", hint=did_you_mean(text, known)
            )

    def automations(self) -> tuple[Automation, ...]:
        """Return all automations, by name."""
        return self._read(_outbox.automations)

    def due(self, now: datetime) -> tuple[Message, ...]:
        """Return the messages that the mailer should send at `now`, the oldest first.

        Only messages of published automations, to contacts that are within the lead limit
        and not suppressed, and only if they are not too late: see `Step.latest`. The others
        are due once that changes. A message is due until `done`.
        """
        at, limit = utc(now, "$.now"), self._lead_limit
        return self._read(lambda db: _outbox.due(db, at, _contacts.first_over_limit(db, limit)))

    def done(self, id: int) -> bool:
        """Record that the message with this id was sent; return whether it was still open.

        It is not open if it was already done or cancelled, or if its contact was erased.
        """
        number, now = require_integer(id, "$.id", hint="pass `message.id`"), self._now()
        return self._write(lambda db: _outbox.finish(db, number, now))
