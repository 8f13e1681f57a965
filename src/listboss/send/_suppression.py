"""Suppressed contacts: they keep their tags and leads, and no message is due for them.

The suppression of a contact outlasts its erasure, so that the contact is not written to when
it returns. What is kept then is a hash of the address, keyed by the host's pepper: without
the pepper nobody can test which addresses it is for.
"""

from __future__ import annotations

import hmac
import sqlite3
from datetime import datetime
from hashlib import sha256

import attrs

from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.rules._text import masked
from listboss.send._encoding import time_text

__all__ = [
    "ERASED",
    "Pepper",
    "erase",
    "is_erased",
    "reason_of",
    "require_same",
    "suppress",
    "unsuppress",
]

ERASED = "erased"
"""The reason of a suppression whose contact was erased."""


@attrs.frozen
class Pepper:
    """The host's secret, which keys the hashes of erased addresses."""

    secret: bytes = attrs.field(repr=masked)

    @classmethod
    def of(cls, value: object) -> Pepper | None:
        """Make a pepper of a secret, or None of None."""
        if value is None:
            return None
        if not isinstance(value, bytes | str):
            raise ArgumentTypeError("expected bytes, a string or None", path="$.pepper")
        secret = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
        if not secret.strip():
            raise ConfigurationError(
                "expected a pepper that is not blank",
                path="$.pepper",
                hint="use at least 16 random bytes, kept outside the file",
            )
        return cls(secret)

    def hash_of(self, key: str) -> str:
        """Hash the key of an address."""
        return hmac.new(self.secret, key.encode(), sha256).hexdigest()

    @property
    def own_hash(self) -> str:
        """A hash by which the file recognises the pepper; no address has this key."""
        return self.hash_of(" pepper")


def require_same(db: sqlite3.Connection, pepper: Pepper | None) -> Pepper | None:
    """Return the pepper, which must be the one of the erased addresses in the file."""
    row = db.execute("SELECT hash FROM pepper").fetchone()
    if row is not None and pepper is None:
        raise ConfigurationError(
            "the file has suppressions of erased contacts, and no pepper to recognise them",
            code="pepper_missing",
            path="$.pepper",
            hint="open it with the `pepper` that was used before",
        )
    if row is not None and pepper is not None and row[0] != pepper.own_hash:
        raise ConfigurationError(
            "the file has suppressions of erased contacts that were made with another pepper",
            code="pepper_differs",
            path="$.pepper",
            hint="open it with the `pepper` that was used before",
        )
    return pepper


def is_erased(db: sqlite3.Connection, key: str, pepper: Pepper | None) -> bool:
    """Whether the contact was suppressed when it was erased."""
    pepper = require_same(db, pepper)
    if pepper is None:
        return False
    wanted = "SELECT 1 FROM erased_suppression WHERE hash = ?"
    return db.execute(wanted, (pepper.hash_of(key),)).fetchone() is not None


def reason_of(db: sqlite3.Connection, key: str, pepper: Pepper | None) -> str | None:
    """Return why the contact is suppressed, or None."""
    row = db.execute("SELECT reason FROM suppression WHERE key = ?", (key,)).fetchone()
    if row is not None:
        return str(row[0])
    return ERASED if is_erased(db, key, pepper) else None


def suppress(
    db: sqlite3.Connection, key: str, reason: str, pepper: Pepper | None, now: datetime
) -> bool:
    """Suppress a contact, or change the reason; return whether it was not suppressed yet."""
    known = reason_of(db, key, pepper)
    if known is None:
        values = (key, reason, time_text(now))
        db.execute("INSERT INTO suppression (key, reason, since) VALUES (?, ?, ?)", values)
    else:
        db.execute("UPDATE suppression SET reason = ? WHERE key = ?", (reason, key))
    return known is None


def unsuppress(db: sqlite3.Connection, key: str, pepper: Pepper | None) -> bool:
    """End the suppression of a contact; return whether it was suppressed."""
    in_clear = db.execute("DELETE FROM suppression WHERE key = ?", (key,)).rowcount
    pepper = require_same(db, pepper)
    if pepper is None:
        return in_clear == 1
    wanted = "DELETE FROM erased_suppression WHERE hash = ?"
    hashed = db.execute(wanted, (pepper.hash_of(key),)).rowcount
    if db.execute("SELECT 1 FROM erased_suppression LIMIT 1").fetchone() is None:
        db.execute("DELETE FROM pepper")
    return in_clear + hashed > 0


def erase(db: sqlite3.Connection, key: str, pepper: Pepper | None) -> bool:
    """Replace the address of a suppressed contact by its hash; return whether it had one."""
    row = db.execute("SELECT since FROM suppression WHERE key = ?", (key,)).fetchone()
    if row is None:
        return False
    if (same := require_same(db, pepper)) is None:
        raise ConfigurationError(
            "the contact is suppressed, and without a pepper its suppression cannot be kept",
            code="pepper_missing",
            path="$.pepper",
            hint="open the file with `pepper=`, or `unsuppress` the contact first",
        )
    if db.execute("SELECT 1 FROM pepper").fetchone() is None:
        db.execute("INSERT INTO pepper (hash) VALUES (?)", (same.own_hash,))
    values = (same.hash_of(key), row[0])
    db.execute("INSERT OR IGNORE INTO erased_suppression (hash, since) VALUES (?, ?)", values)
    db.execute("DELETE FROM suppression WHERE key = ?", (key,))
    return True
