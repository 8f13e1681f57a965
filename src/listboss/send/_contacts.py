"""Contacts, tags and places as rows: each function runs within the caller's transaction.

`Send` holds the transaction, and `carry_out` decides what an action means. Contacts are
looked up by `contact_key`, tags and places by their folded form. Each is shown as it was
first written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from listboss.rules._mapping import FrozenMap
from listboss.rules._text import fold
from listboss.rules.action import Place, place_key
from listboss.rules.event import FactValue, contact_key
from listboss.send._lead import Lead, Origin
from listboss.send._schema import data_from, data_text, place_from, place_text, time_from, time_text

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
    "tag_counts",
    "tags_of",
    "upsert",
]


def find(db: sqlite3.Connection, email: str) -> int | None:
    """Return the id of the contact, or None."""
    row = db.execute("SELECT id FROM contact WHERE key = ?", (contact_key(email),)).fetchone()
    return None if row is None else int(row[0])


def merge_data(db: sqlite3.Connection, contact: int, data: Mapping[str, FactValue]) -> bool:
    """Merge data into the contact; return whether anything changed."""
    (text,) = db.execute("SELECT data FROM contact WHERE id = ?", (contact,)).fetchone()
    stored = data_from(text)
    merged = FrozenMap({**stored, **_without_email(data)})
    if merged == stored:
        return False
    db.execute("UPDATE contact SET data = ? WHERE id = ?", (data_text(merged), contact))
    return True


def _without_email(data: Mapping[str, FactValue]) -> dict[str, FactValue]:
    return {name: value for name, value in data.items() if name != "email"}


def upsert(
    db: sqlite3.Connection,
    email: str,
    data: Mapping[str, FactValue],
    origin: Origin,
    now: datetime,
) -> tuple[int, bool]:
    """Create the contact or merge the data; return its id and whether anything changed."""
    contact = find(db, email)
    if contact is not None:
        return contact, merge_data(db, contact, data)
    text = data_text(FrozenMap(_without_email(data)))
    values = (contact_key(email), email, str(origin), text, time_text(now))
    cursor = db.execute(
        "INSERT INTO contact (key, email, origin, data, since) VALUES (?, ?, ?, ?, ?)", values
    )
    return int(cursor.lastrowid or 0), True


def _tag_id(db: sqlite3.Connection, tag: str) -> int:
    db.execute("INSERT OR IGNORE INTO tag (key, name) VALUES (?, ?)", (fold(tag), tag))
    (row_id,) = db.execute("SELECT id FROM tag WHERE key = ?", (fold(tag),)).fetchone()
    return int(row_id)


def add_tag(db: sqlite3.Connection, contact: int, tag: str) -> bool:
    """Add the tag; return whether it was new to the contact."""
    pair = (contact, _tag_id(db, tag))
    cursor = db.execute(
        "INSERT OR IGNORE INTO contact_tag (contact_id, tag_id) VALUES (?, ?)", pair
    )
    return cursor.rowcount == 1


def remove_tag(db: sqlite3.Connection, contact: int, tag: str) -> bool:
    """Remove the tag; return whether the contact had it."""
    cursor = db.execute(
        "DELETE FROM contact_tag WHERE contact_id = ?"
        " AND tag_id = (SELECT id FROM tag WHERE key = ?)",
        (contact, fold(tag)),
    )
    return cursor.rowcount == 1


def tags_of(db: sqlite3.Connection, contact: int) -> tuple[str, ...]:
    """Return the tags of the contact."""
    rows = db.execute(
        "SELECT name FROM contact_tag JOIN tag ON tag.id = tag_id"
        " WHERE contact_id = ? ORDER BY key",
        (contact,),
    )
    return tuple(name for (name,) in rows)


def _place_row_key(place: Place) -> str:
    return json.dumps(place_key(place))


def places_of(db: sqlite3.Connection, contact: int) -> tuple[Place, ...]:
    """Return the places of the contact."""
    rows = db.execute(
        "SELECT parts FROM contact_place JOIN place ON place.id = place_id"
        " WHERE contact_id = ? ORDER BY key",
        (contact,),
    )
    return tuple(place_from(parts) for (parts,) in rows)


def add_place(db: sqlite3.Connection, contact: int, place: Place) -> bool:
    """Add the contact to the place; return whether it was new there."""
    key = _place_row_key(place)
    db.execute("INSERT OR IGNORE INTO place (key, parts) VALUES (?, ?)", (key, place_text(place)))
    cursor = db.execute(
        "INSERT OR IGNORE INTO contact_place (contact_id, place_id)"
        " SELECT ?, id FROM place WHERE key = ?",
        (contact, key),
    )
    return cursor.rowcount == 1


def remove_place(db: sqlite3.Connection, contact: int, place: Place) -> bool:
    """Remove the contact from the place; return whether it was there."""
    cursor = db.execute(
        "DELETE FROM contact_place WHERE contact_id = ?"
        " AND place_id = (SELECT id FROM place WHERE key = ?)",
        (contact, _place_row_key(place)),
    )
    return cursor.rowcount == 1


def erase(db: sqlite3.Connection, email: str) -> bool:
    """Delete the contact with all its rows; return whether it existed."""
    cursor = db.execute("DELETE FROM contact WHERE key = ?", (contact_key(email),))
    return cursor.rowcount == 1


def count_contacts(db: sqlite3.Connection) -> int:
    """Count the contacts, automatic ones included."""
    (count,) = db.execute("SELECT count(*) FROM contact").fetchone()
    return int(count)


def first_over_limit(db: sqlite3.Connection, lead_limit: int | None) -> int | None:
    """Return the id of the first contact over the limit, in order of arrival, or None."""
    if lead_limit is None:
        return None
    row = db.execute(
        "SELECT id FROM contact ORDER BY id LIMIT 1 OFFSET ?", (lead_limit,)
    ).fetchone()
    return None if row is None else int(row[0])


def tag_counts(db: sqlite3.Connection) -> dict[str, int]:
    """Count the contacts of each tag in use."""
    rows = db.execute(
        "SELECT name, count(*) FROM contact_tag JOIN tag ON tag.id = tag_id"
        " GROUP BY tag.id ORDER BY key"
    )
    return dict(rows.fetchall())


def place_counts(db: sqlite3.Connection) -> dict[Place, int]:
    """Count the contacts at each place in use."""
    rows = db.execute(
        "SELECT parts, count(*) FROM contact_place JOIN place ON place.id = place_id"
        " GROUP BY place.id ORDER BY key"
    )
    return {place_from(parts): count for parts, count in rows}


def leads(
    db: sqlite3.Connection,
    *,
    email: str | None = None,
    tag: str | None = None,
    origin: str | None = None,
    lead_limit: int | None = None,
) -> tuple[Lead, ...]:
    """Return the contacts that match every given argument, in order of arrival."""
    first_over = first_over_limit(db, lead_limit)
    rows = db.execute(
        "SELECT id, email, origin, data, since FROM contact"
        " WHERE (:key IS NULL OR key = :key) AND (:origin IS NULL OR origin = :origin)"
        " AND (:tag IS NULL OR id IN (SELECT contact_id FROM contact_tag"
        "   JOIN tag ON tag.id = tag_id WHERE tag.key = :tag))"
        " ORDER BY id",
        {
            "key": None if email is None else contact_key(email),
            "origin": origin,
            "tag": None if tag is None else fold(tag),
        },
    )
    return tuple(
        Lead(
            email=address,
            origin=Origin(created_by),
            tags=tags_of(db, contact),
            places=places_of(db, contact),
            data=data_from(data),
            sendable=first_over is None or contact < first_over,
            since=time_from(since),
        )
        for contact, address, created_by, data, since in rows
    )
