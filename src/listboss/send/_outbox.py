"""The outbox of automations: a tag schedules messages, and the host's mailer sends them.

Each function runs within the caller's transaction. A contact takes each step of an
automation once: its row in `message` stays after it was sent. The lead limit and whether
the automation is published are checked when a message is due, not when it is scheduled.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta

from listboss.rules._text import fold
from listboss.send._schema import data_from, time_from, time_text
from listboss.send.automation import Automation, Message, Step

__all__ = ["automations", "due", "finish", "publish", "save", "start", "stop"]

_MICROSECOND = timedelta(microseconds=1)


def _definition(automation: Automation) -> str:
    steps = [(step.message, step.subject, step.delay // _MICROSECOND) for step in automation.steps]
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
            Step(message, subject=subject, delay=delay * _MICROSECOND)
            for message, subject, delay in steps
        ],
    )


def save(db: sqlite3.Connection, automation: Automation) -> None:
    """Store an automation; it replaces one of the same name.

    Scheduled messages keep their time; those of a removed step are cancelled.
    """
    name = automation.name
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


def publish(db: sqlite3.Connection, name: str, *, published: bool) -> bool:
    """Publish or withdraw an automation; return whether it exists."""
    cursor = db.execute("UPDATE automation SET published = ? WHERE name = ?", (published, name))
    return cursor.rowcount == 1


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
        " LEFT JOIN contact_tag ON tag_id = tag.id AND contact_id = ?"
        " WHERE automation = ?",
        (contact, automation.name),
    ).fetchone()
    return bool(present == needed if automation.match == "all" else present)


def start(db: sqlite3.Connection, contact: int, tag: str, now: datetime) -> None:
    """Schedule the automations started by a new tag of the contact."""
    for automation in _with_tag(db, tag):
        if automation.published and _matches(db, contact, automation):
            db.executemany(
                "INSERT OR IGNORE INTO message (contact_id, automation, message, due)"
                " VALUES (?, ?, ?, ?)",
                [
                    (contact, automation.name, step.message, time_text(now + step.delay))
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
    """Return the messages to send at `now` to contacts before `first_over`."""
    subjects = {
        (automation.name, step.message): step.subject
        for automation in automations(db)
        for step in automation.steps
    }
    rows = db.execute(
        "SELECT message.id, automation, message, email, data, due FROM message"
        " JOIN contact ON contact.id = contact_id JOIN automation ON name = automation"
        " WHERE done IS NULL AND due <= :now AND published"
        " AND (:first_over IS NULL OR contact_id < :first_over) ORDER BY due, message.id",
        {"now": time_text(now), "first_over": first_over},
    )
    return tuple(
        Message(
            id=row_id,
            automation=automation,
            message=message,
            subject=subjects[automation, message],
            email=email,
            data=data_from(data),
            due=time_from(at),
        )
        for row_id, automation, message, email, data, at in rows
    )


def finish(db: sqlite3.Connection, message: int, now: datetime) -> bool:
    """Record that a message was sent; return whether it was still open."""
    cursor = db.execute(
        "UPDATE message SET done = ? WHERE id = ? AND done IS NULL", (time_text(now), message)
    )
    return cursor.rowcount == 1
