"""The outbox of automations: a tag schedules messages, and the host's mailer sends them.

Each function runs within the caller's transaction. A contact takes each step of an
automation once: its row in `message` stays after it was sent. The lead limit, suppression,
how late a message may be, and whether the automation is published are checked when a message
is due, not when it is scheduled. Messages that were held back never become due all at once.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta

from listboss.rules._text import fold
from listboss.send._arguments import MAX_INTEGER
from listboss.send._encoding import data_from, time_from, time_text
from listboss.send.automation import Automation, Message, Step

__all__ = ["automations", "drop_overtaken_of", "due", "finish", "publish", "save", "start", "stop"]

_MICROSECOND = timedelta(microseconds=1)
_WEEK = timedelta(days=7)
"""How late a message without `latest` may be once a later message is due."""


def _definition(automation: Automation) -> str:
    steps = [
        (
            step.message,
            step.subject,
            step.delay // _MICROSECOND,
            None if step.latest is None else step.latest // _MICROSECOND,
        )
        for step in automation.steps
    ]
    return json.dumps([automation.tags, automation.match, automation.while_tagged, steps])


def _automation(name: str, definition: str, published: int) -> Automation:
    tags, match, while_tagged, steps = json.loads(definition)
    return Automation(
        name,
        tags,
        match=match,
        while_tagged=while_tagged,
        published=bool(published),
        steps=[
            Step(
                message,
                subject=subject,
                delay=delay * _MICROSECOND,
                latest=None if latest is None else latest * _MICROSECOND,
            )
            for message, subject, delay, latest in steps
        ],
    )


def save(db: sqlite3.Connection, automation: Automation, now: datetime) -> None:
    """Store an automation; it replaces one of the same name.

    Scheduled messages keep their time; those of a removed step are cancelled.
    """
    name = automation.name
    was_published = db.execute(
        "SELECT published FROM automation WHERE name = ?", (name,)
    ).fetchone()
    db.execute(
        "INSERT INTO automation (name, definition, published) VALUES (?, ?, ?) ON CONFLICT (name)"
        " DO UPDATE SET definition = excluded.definition, published = excluded.published",
        (name, _definition(automation), automation.published),
    )
    db.execute("DELETE FROM automation_tag WHERE automation = ?", (name,))
    db.executemany(
        "INSERT OR IGNORE INTO automation_tag (tag_key, automation) VALUES (?, ?)",
        [(fold(tag), name) for tag in automation.tags],
    )
    current = {step.message for step in automation.steps}
    rows = db.execute(
        "SELECT DISTINCT message FROM message WHERE automation = ? AND done IS NULL", (name,)
    ).fetchall()
    db.executemany(
        "DELETE FROM message WHERE automation = ? AND message = ? AND done IS NULL",
        [(name, message) for (message,) in rows if message not in current],
    )
    if automation.published and was_published == (0,):
        _drop_overtaken(db, automation, now)


def publish(db: sqlite3.Connection, name: str, now: datetime, *, published: bool) -> bool:
    """Publish or withdraw an automation; return whether it exists."""
    row = db.execute(
        "SELECT name, definition, published FROM automation WHERE name = ?", (name,)
    ).fetchone()
    if row is None:
        return False
    db.execute("UPDATE automation SET published = ? WHERE name = ?", (published, name))
    if published and not row[2]:
        _drop_overtaken(db, _automation(*row), now)
    return True


def drop_overtaken_of(db: sqlite3.Connection, key: str, now: datetime) -> None:
    """Cancel the messages of one contact that a later message has overtaken."""
    for automation in automations(db):
        _drop_overtaken(db, automation, now, key)


def _drop_overtaken(
    db: sqlite3.Connection, automation: Automation, now: datetime, key: str | None = None
) -> None:
    # Of the overdue messages of a contact only the latest is kept, and those with `latest`.
    db.executemany(
        "DELETE FROM message WHERE automation = :automation AND message = :message"
        " AND done IS NULL AND due <= :now"
        " AND (:key IS NULL OR contact_id = (SELECT id FROM contact WHERE contact.key = :key))"
        " AND EXISTS (SELECT 1 FROM message AS later WHERE later.automation = :automation"
        "   AND later.contact_id = message.contact_id"
        "   AND later.due > message.due AND later.due <= :now)",
        [
            {
                "automation": automation.name,
                "message": step.message,
                "now": time_text(now),
                "key": key,
            }
            for step in automation.steps
            if step.latest is None
        ],
    )


def automations(db: sqlite3.Connection) -> tuple[Automation, ...]:
    """Return all automations, by name."""
    rows = db.execute("SELECT name, definition, published FROM automation ORDER BY name")
    return tuple(_automation(*row) for row in rows)


def _with_tag(db: sqlite3.Connection, tag: str) -> list[Automation]:
    rows = db.execute(
        "SELECT name, definition, published FROM automation_tag"
        " JOIN automation ON name = automation WHERE tag_key = ? ORDER BY name",
        (fold(tag),),
    )
    return [_automation(*row) for row in rows]


def _matches(db: sqlite3.Connection, contact: int, automation: Automation) -> bool:
    needed, present = db.execute(
        "SELECT count(*), count(contact_id) FROM automation_tag"
        " LEFT JOIN tag ON tag.key = tag_key"
        " LEFT JOIN contact_tag ON tag_id = tag.id AND contact_id = ? AND NOT is_test"
        " WHERE automation = ?",
        (contact, automation.name),
    ).fetchone()
    return bool(present == needed if automation.match == "all" else present)


def _before(at: datetime, span: timedelta) -> str:
    try:
        return time_text(at - span)
    except OverflowError:
        return ""  # sorts before every time


def start(db: sqlite3.Connection, contact: int, tag: str, now: datetime) -> None:
    """Schedule the automations started by a new tag of the contact.

    A message that is open and too late by now is scheduled again.
    """
    for automation in _with_tag(db, tag):
        if automation.published and _matches(db, contact, automation):
            db.executemany(
                "INSERT INTO message (contact_id, automation, message, due) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (contact_id, automation, message)"
                " DO UPDATE SET due = excluded.due WHERE done IS NULL AND due <= ?",
                [
                    (
                        contact,
                        automation.name,
                        step.message,
                        time_text(now + step.delay),
                        _before(now, step.latest or _WEEK),
                    )
                    for step in automation.steps
                ],
            )


def stop(db: sqlite3.Connection, contact: int, tag: str) -> None:
    """Cancel what depends on a tag that the contact no longer has."""
    for automation in _with_tag(db, tag):
        if automation.while_tagged and not _matches(db, contact, automation):
            db.execute(
                "DELETE FROM message WHERE contact_id = ? AND automation = ? AND done IS NULL",
                (contact, automation.name),
            )


def due(db: sqlite3.Connection, now: datetime, first_over: int | None) -> tuple[Message, ...]:
    """Return the messages to send at `now` to contacts before `first_over`, oldest first."""
    messages = [
        message
        for automation in automations(db)
        if automation.published
        for step in automation.steps
        for message in _due_of(db, automation.name, step, now, first_over)
    ]
    return tuple(sorted(messages, key=lambda message: (message.due, message.id)))


def _due_of(
    db: sqlite3.Connection, automation: str, step: Step, now: datetime, first_over: int | None
) -> list[Message]:
    # With `latest`, `earliest` cuts off what is too late. Without it, what is a week late gives
    # way to a later message of the automation that is due for the same contact.
    rows = db.execute(
        "SELECT message.id, email, data, due FROM message"
        " JOIN contact ON contact.id = contact_id"
        " WHERE automation = :automation AND message = :message AND done IS NULL"
        " AND due <= :now AND due >= :earliest"
        " AND (:first_over IS NULL OR contact_id < :first_over)"
        " AND NOT EXISTS (SELECT 1 FROM suppression WHERE suppression.key = contact.key)"
        " AND (due > :week_ago OR NOT EXISTS (SELECT 1 FROM message AS later"
        "   WHERE later.contact_id = message.contact_id AND later.automation = :automation"
        "   AND later.due > message.due AND later.due <= :now))",
        {
            "automation": automation,
            "message": step.message,
            "now": time_text(now),
            "earliest": _before(now, step.latest) if step.latest else "",
            "week_ago": "" if step.latest else _before(now, _WEEK),
            "first_over": first_over,
        },
    )
    return [
        Message(
            id=row_id,
            automation=automation,
            message=step.message,
            subject=step.subject,
            email=email,
            data=data_from(data),
            due=time_from(at),
        )
        for row_id, email, data, at in rows
    ]


def finish(db: sqlite3.Connection, message: int, now: datetime) -> bool:
    """Record that a message was sent; return whether it was still open."""
    if abs(message) > MAX_INTEGER:  # more than an id can be
        return False
    cursor = db.execute(
        "UPDATE message SET done = ? WHERE id = ? AND done IS NULL", (time_text(now), message)
    )
    return cursor.rowcount == 1
