"""The tables of a journal in a database, and their indexes.

Each look-up of `Store` has an index that answers it. A change of a table is a migration that is
added to the list in `sqlite`; a script that was released is never edited.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from listboss.delivery.life import OPEN, STUCK, Status

__all__ = ["IS_OPEN", "IS_STUCK", "SCHEMA", "has_status"]


def has_status(statuses: Iterable[Status]) -> str:
    """Return the condition that an action has one of the statuses.

    `IN` would be slower: SQLite builds a table of the values each time that it changes a row of an
    index with such a condition, and that takes longer than the change.
    """
    return "({})".format(" OR ".join(f"status = '{status}'" for status in sorted(statuses)))


IS_OPEN = has_status(OPEN)
IS_STUCK = has_status(STUCK)

SCHEMA: Final = f"""
CREATE TABLE journal (
  secret BLOB NOT NULL,
  erasing INTEGER NOT NULL -- whether bytes of a forgotten contact may be left in the log
);
CREATE TABLE event (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  product_id TEXT NOT NULL,
  contact TEXT,            -- the key of the contact; NULL without one, or once it is forgotten
  email TEXT,
  subscription_plan TEXT,
  occurred_at INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  is_test INTEGER NOT NULL,
  idle TEXT,
  forgotten INTEGER NOT NULL,
  look_at INTEGER NOT NULL, -- from when on it may be too old: `prune` looks at it, and not before
  event TEXT               -- canonical JSON
);
CREATE INDEX event_contact ON event (contact, occurred_at, id) WHERE contact IS NOT NULL;
CREATE INDEX event_product ON event (product_id, occurred_at, id);
CREATE INDEX event_time ON event (occurred_at, id);
CREATE INDEX event_look ON event (look_at);

CREATE TABLE lane (        -- one account and one contact
  id INTEGER PRIMARY KEY,
  provider TEXT NOT NULL,
  contact TEXT,
  open INTEGER NOT NULL,   -- how many actions are open
  position INTEGER NOT NULL,
  due INTEGER,             -- when there is something to do, or the lease ends
  worker TEXT
);
CREATE UNIQUE INDEX lane_contact ON lane (contact, provider);
CREATE INDEX lane_due ON lane (provider, due) WHERE due IS NOT NULL;
CREATE INDEX lane_worker ON lane (worker) WHERE worker IS NOT NULL;
CREATE TABLE account (
  name TEXT PRIMARY KEY,
  paused_until INTEGER,
  unanswered INTEGER NOT NULL, -- how many attempts in a row got no answer
  free_at INTEGER              -- when the rate allows the next action
) WITHOUT ROWID;

CREATE TABLE action (
  event_id TEXT NOT NULL,
  action_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  position INTEGER NOT NULL,
  provider TEXT NOT NULL,
  product_id TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  until INTEGER,
  hold_until INTEGER,
  waiting_since INTEGER,
  accepted_at INTEGER NOT NULL,
  detail TEXT NOT NULL,
  decided_by TEXT,
  occurred_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  planned TEXT NOT NULL,
  sent TEXT,
  about TEXT NOT NULL,     -- grant, effects and flags
  UNIQUE (event_id, action_id, generation)
);
CREATE INDEX action_open ON action (lane, position) WHERE {IS_OPEN};
CREATE INDEX action_stuck ON action (provider, accepted_at) WHERE {IS_STUCK};

CREATE TABLE mark (
  lane INTEGER NOT NULL,
  target TEXT NOT NULL,
  reach TEXT NOT NULL,     -- '' asserts
  grant_key TEXT NOT NULL,
  product_id TEXT NOT NULL,
  subscription INTEGER NOT NULL,
  keep TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  action_id TEXT NOT NULL
);
CREATE INDEX mark_time ON mark (lane, target, reach, occurred_at, rank, event_id);
CREATE INDEX mark_grant ON mark (lane, target, reach, grant_key, occurred_at, rank, event_id);
CREATE INDEX mark_event ON mark (event_id, lane);
CREATE TABLE marked (
  lane INTEGER NOT NULL,
  product_id TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (lane, product_id, target)
) WITHOUT ROWID;
CREATE TABLE ending (
  contact TEXT NOT NULL,
  grant_key TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  product_id TEXT NOT NULL,
  subscription INTEGER NOT NULL,
  PRIMARY KEY (contact, grant_key, occurred_at, rank, event_id)
) WITHOUT ROWID;
CREATE INDEX ending_subscription ON ending (contact, product_id) WHERE subscription = 1;
CREATE TABLE link (        -- the subscription that a purchase belongs to
  contact TEXT NOT NULL,
  purchase TEXT NOT NULL,
  subscription TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  PRIMARY KEY (contact, purchase)
) WITHOUT ROWID;

CREATE TABLE target (      -- what was last sent
  lane INTEGER NOT NULL,
  target TEXT NOT NULL,
  spelled TEXT NOT NULL,
  is_on INTEGER,
  occurred_at INTEGER,
  rank INTEGER,
  event_id TEXT,
  confirmed INTEGER NOT NULL,
  PRIMARY KEY (lane, target)
) WITHOUT ROWID;
CREATE TABLE field (
  lane INTEGER NOT NULL,
  name TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (lane, name)
) WITHOUT ROWID;

CREATE TABLE record (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  event_name TEXT NOT NULL,
  product_id TEXT NOT NULL,
  contact TEXT,
  email TEXT,
  subscription_plan TEXT,
  provider TEXT,
  status TEXT NOT NULL,
  detail TEXT NOT NULL,
  is_test INTEGER NOT NULL,
  automatic INTEGER NOT NULL,
  segmentation_ids TEXT NOT NULL,
  action TEXT
);
CREATE INDEX record_product ON record (product_id, number);
CREATE INDEX record_contact ON record (contact, number) WHERE contact IS NOT NULL;
CREATE INDEX record_event ON record (event_id, number);
CREATE INDEX record_status ON record (status, number);
CREATE INDEX record_time ON record (time);
CREATE TABLE forgotten (digest TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""
