"""Contacts, tags and places as rows: each function runs within the caller's transaction.

`Send` holds the transaction, and `carry_out` decides what an action means. Contacts are
looked up by their key, tags and places by their folded form. Each is shown as it was first
written. What an integration test wrote is marked: only a look at one contact shows it, and
lists, counts, limits and automations pass over it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from listboss.plan import PlannedAction
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import fold
from listboss.rules.action import Place, place_key
from listboss.rules.event import FactValue
from listboss.send._arguments import require_key
from listboss.send._encoding import (
    data_from,
    data_text,
    place_from,
    place_text,
    time_from,
    time_text,
)
from listboss.send._lead import Lead, Origin

__all__ = [
    "add_place",
    "add_tag",
    "count_contacts",
    "erase",
    "find",
    "first_over_limit",
    "leads",
    "merge_data",
    "place_counts",
    "places_of",
    "remove_place",
    "remove_tag",
    "remove_tests",
    "tag_counts",
    "upsert",
]

_SET_DATA = "UPDATE contact SET data = ? WHERE id = ?"
_SET_TEST_DATA = "UPDATE contact SET test_data = ? WHERE id = ?"


def find(db: sqlite3.Connection, email: str, *, is_test: bool) -> int | None:
    """Return the id of the contact, or None; only a test finds a contact that a test made."""
    row = db.execute(
        "SELECT id FROM contact WHERE key = ? AND is_test <= ?", (require_key(email), is_test)
    ).fetchone()
    return None if row is None else int(row[0])


def merge_data(
    db: sqlite3.Connection, contact: int, data: Mapping[str, FactValue], *, is_test: bool
) -> bool:
    """Merge data into the contact; return whether anything changed.

    A test only fills in what is absent, and apart from the data of the contact.
    """
    row = db.execute("SELECT data, test_data FROM contact WHERE id = ?", (contact,)).fetchone()
    stored, from_tests = data_from(row[0]), data_from(row[1])
    sent = {name: value for name, value in data.items() if name != "email"}
    if is_test:
        absent = {name: value for name, value in sent.items() if name not in stored}
        before, after = from_tests, FrozenMap({**absent, **from_tests})
    else:
        before, after = stored, FrozenMap({**stored, **sent})
    if before == after:
        return False
    db.execute(_SET_TEST_DATA if is_test else _SET_DATA, (data_text(after), contact))
    return True


def upsert(
    db: sqlite3.Connection, planned: PlannedAction, now: datetime, *, is_test: bool
) -> tuple[int, bool]:
    """Create the contact or merge the data; return its id and whether anything changed."""
    contact = find(db, planned.email, is_test=is_test)
    if contact is not None:
        return contact, merge_data(db, contact, planned.data, is_test=is_test)
    key, origin = require_key(planned.email), Origin.AUTO if planned.automatic else Origin.OWN
    db.execute("DELETE FROM contact WHERE key = ?", (key,))  # made by a test, and now a real one
    cursor = db.execute(
        "INSERT INTO contact (key, email, origin, data, since, is_test)"
        " VALUES (?, ?, ?, '[]', ?, ?)",
        (key, planned.email, str(origin), time_text(now), is_test),
    )
    contact = int(cursor.lastrowid or 0)
    merge_data(db, contact, planned.data, is_test=is_test)
    return contact, True


def add_tag(db: sqlite3.Connection, contact: int, tag: str, *, is_test: bool) -> bool:
    """Add the tag; return whether it was new to the contact, or known from tests only."""
    db.execute("INSERT OR IGNORE INTO tag (key, name) VALUES (?, ?)", (fold(tag), tag))
    cursor = db.execute(
        "INSERT INTO contact_tag (contact_id, tag_id, is_test)"
        " SELECT ?, id, ? FROM tag WHERE key = ?"
        " ON CONFLICT (contact_id, tag_id)"
        " DO UPDATE SET is_test = 0 WHERE is_test > excluded.is_test",
        (contact, is_test, fold(tag)),
    )
    return cursor.rowcount == 1


def remove_tag(db: sqlite3.Connection, contact: int, tag: str, *, is_test: bool) -> bool:
    """Remove the tag; return whether the contact had it. A test keeps a real one."""
    row = db.execute(
        "SELECT tag.id FROM contact_tag JOIN tag ON tag.id = tag_id"
        " WHERE contact_id = ? AND key = ?",
        (contact, fold(tag)),
    ).fetchone()
    if row is None:
        return False
    db.execute(
        "DELETE FROM contact_tag WHERE contact_id = ? AND tag_id = ? AND is_test >= ?",
        (contact, row[0], is_test),
    )
    return True


def _tags_of(db: sqlite3.Connection, contact: int, *, tests: bool) -> tuple[str, ...]:
    rows = db.execute(
        "SELECT name FROM contact_tag JOIN tag ON tag.id = tag_id"
        " WHERE contact_id = ? AND is_test <= ? ORDER BY key",
        (contact, tests),
    )
    return tuple(name for (name,) in rows)


def _place_row_key(place: Place) -> str:
    return json.dumps(place_key(place))


def places_of(db: sqlite3.Connection, contact: int, *, tests: bool = True) -> tuple[Place, ...]:
    """Return the places of the contact."""
    rows = db.execute(
        "SELECT parts FROM contact_place JOIN place ON place.id = place_id"
        " WHERE contact_id = ? AND is_test <= ? ORDER BY key",
        (contact, tests),
    )
    return tuple(place_from(parts) for (parts,) in rows)


def add_place(db: sqlite3.Connection, contact: int, place: Place, *, is_test: bool) -> bool:
    """Add the contact to the place; return whether it was new there, or from tests only."""
    key = _place_row_key(place)
    db.execute("INSERT OR IGNORE INTO place (key, parts) VALUES (?, ?)", (key, place_text(place)))
    cursor = db.execute(
        "INSERT INTO contact_place (contact_id, place_id, is_test)"
        " SELECT ?, id, ? FROM place WHERE key = ?"
        " ON CONFLICT (contact_id, place_id)"
        " DO UPDATE SET is_test = 0 WHERE is_test > excluded.is_test",
        (contact, is_test, key),
    )
    return cursor.rowcount == 1


def remove_place(db: sqlite3.Connection, contact: int, place: Place, *, is_test: bool) -> bool:
    """Remove the contact from the place; return whether it was there. A test keeps a real one."""
    row = db.execute(
        "SELECT place.id FROM contact_place JOIN place ON place.id = place_id"
        " WHERE contact_id = ? AND key = ?",
        (contact, _place_row_key(place)),
    ).fetchone()
    if row is None:
        return False
    db.execute(
        "DELETE FROM contact_place WHERE contact_id = ? AND place_id = ? AND is_test >= ?",
        (contact, row[0], is_test),
    )
    return True


def erase(db: sqlite3.Connection, key: str) -> bool:
    """Delete the contact with all its rows; return whether it existed."""
    db.execute("PRAGMA secure_delete = ON")  # as `connect` did, whatever happened since
    return db.execute("DELETE FROM contact WHERE key = ?", (key,)).rowcount == 1


def remove_tests(db: sqlite3.Connection) -> int:
    """Delete what only tests wrote; return the number of contacts among it."""
    db.execute("DELETE FROM contact_tag WHERE is_test")
    db.execute("DELETE FROM contact_place WHERE is_test")
    db.execute("UPDATE contact SET test_data = '[]' WHERE test_data != '[]'")
    return db.execute("DELETE FROM contact WHERE is_test").rowcount


def count_contacts(db: sqlite3.Connection) -> int:
    """Count the contacts, automatic ones included."""
    (count,) = db.execute("SELECT count(*) FROM contact WHERE NOT is_test").fetchone()
    return int(count)


def first_over_limit(db: sqlite3.Connection, lead_limit: int | None) -> int | None:
    """Return the id of the first contact over the limit, in order of arrival, or None."""
    if lead_limit is None:
        return None
    row = db.execute(
        "SELECT id FROM contact WHERE NOT is_test ORDER BY id LIMIT 1 OFFSET ?", (lead_limit,)
    ).fetchone()
    return None if row is None else int(row[0])


def tag_counts(db: sqlite3.Connection) -> dict[str, int]:
    """Count the contacts of each tag in use."""
    rows = db.execute(
        "SELECT name, count(*) FROM contact_tag JOIN tag ON tag.id = tag_id"
        " WHERE NOT is_test GROUP BY tag.id ORDER BY key"
    )
    return dict(rows.fetchall())


def place_counts(db: sqlite3.Connection) -> dict[Place, int]:
    """Count the contacts at each place in use."""
    rows = db.execute(
        "SELECT parts, count(*) FROM contact_place JOIN place ON place.id = place_id"
        " WHERE NOT is_test GROUP BY place.id ORDER BY key"
    )
    return {place_from(parts): count for parts, count in rows}


def leads(
    db: sqlite3.Connection,
    *,
    key: str | None = None,
    tag: str | None = None,
    origin: Origin | None = None,
    is_test: bool | None = None,
    lead_limit: int | None = None,
) -> tuple[Lead, ...]:
    """Return the contacts that match every given argument, in order of arrival.

    Unless `is_test` is False, what tests wrote is shown.
    """
    first_over = first_over_limit(db, lead_limit)
    tests = is_test is not False
    rows = db.execute(
        "SELECT id, email, origin, data, test_data, contact.since, is_test, reason"
        " FROM contact LEFT JOIN suppression ON suppression.key = contact.key"
        " WHERE (:key IS NULL OR contact.key = :key) AND (:origin IS NULL OR origin = :origin)"
        " AND (:is_test IS NULL OR is_test = :is_test)"
        " AND (:tag IS NULL OR id IN (SELECT contact_id FROM contact_tag JOIN tag"
        "   ON tag.id = tag_id WHERE tag.key = :tag AND contact_tag.is_test <= :tests))"
        " ORDER BY id",
        {
            "key": key,
            "origin": None if origin is None else str(origin),
            "tag": None if tag is None else fold(tag),
            "is_test": is_test,
            "tests": tests,
        },
    )
    return tuple(
        Lead(
            email=email,
            origin=created_by,
            tags=_tags_of(db, contact, tests=tests),
            places=places_of(db, contact, tests=tests),
            data=FrozenMap({**(data_from(test_data) if tests else {}), **data_from(data)}),
            sendable=not test and reason is None and (first_over is None or contact < first_over),
            since=time_from(since),
            suppressed=reason,
            is_test=bool(test),
        )
        for contact, email, created_by, data, test_data, since, test, reason in rows
    )
