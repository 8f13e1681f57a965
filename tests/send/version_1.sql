-- A file with schema version 1: two contacts, an automation with one message sent and one open.
PRAGMA application_id = 1279414099;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE automation (
  name TEXT PRIMARY KEY,
  definition TEXT NOT NULL,
  published INTEGER NOT NULL
);
INSERT INTO "automation" VALUES('Welcome','[["customer"], "any", false, [["hello", "Hello", 0], ["tips", "", 172800000000]]]',1);
CREATE TABLE automation_tag (
  tag_key TEXT NOT NULL,
  automation TEXT NOT NULL REFERENCES automation,
  PRIMARY KEY (tag_key, automation)
) WITHOUT ROWID;
INSERT INTO "automation_tag" VALUES('customer','Welcome');
CREATE TABLE contact (
  id INTEGER PRIMARY KEY,  -- in the order of arrival
  key TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('AUTO', 'own')),
  data TEXT NOT NULL,
  since TEXT NOT NULL
);
INSERT INTO "contact" VALUES(1,'dora@example.com','Dora@example.com','own','[["name", "Dora"], ["price", {"decimal": "19.90"}]]','2026-03-02T08:00:00.000000+00:00');
INSERT INTO "contact" VALUES(2,'emil@example.com','emil@example.com','AUTO','[]','2026-03-02T08:00:00.000000+00:00');
CREATE TABLE contact_place (
  contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
  place_id INTEGER NOT NULL REFERENCES place,
  PRIMARY KEY (contact_id, place_id)
) WITHOUT ROWID;
INSERT INTO "contact_place" VALUES(2,1);
CREATE TABLE contact_tag (
  contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
  tag_id INTEGER NOT NULL REFERENCES tag,
  PRIMARY KEY (contact_id, tag_id)
) WITHOUT ROWID;
INSERT INTO "contact_tag" VALUES(1,1);
CREATE TABLE done_action (
  id TEXT PRIMARY KEY,
  changed INTEGER NOT NULL,
  at TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "done_action" VALUES('v1-1',1,'2026-03-02T08:00:00.000000+00:00');
INSERT INTO "done_action" VALUES('v1-2',1,'2026-03-02T08:00:00.000000+00:00');
CREATE TABLE message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused
  contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
  automation TEXT NOT NULL REFERENCES automation,
  message TEXT NOT NULL,
  due TEXT NOT NULL,
  done TEXT,
  UNIQUE (contact_id, automation, message)  -- each contact takes each step once
);
INSERT INTO "message" VALUES(1,1,'Welcome','hello','2026-03-02T08:00:00.000000+00:00','2026-03-02T08:00:00.000000+00:00');
INSERT INTO "message" VALUES(2,1,'Welcome','tips','2026-03-04T08:00:00.000000+00:00',NULL);
CREATE TABLE place (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  parts TEXT NOT NULL      -- as first written
);
INSERT INTO "place" VALUES(1,'["list", "course"]','{"list": "Course"}');
CREATE TABLE tag (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL       -- as first written
);
INSERT INTO "tag" VALUES(1,'customer','Customer');
CREATE INDEX contact_by_tag ON contact_tag (tag_id);
CREATE INDEX contact_by_place ON contact_place (place_id);
CREATE INDEX message_due ON message (due, id) WHERE done IS NULL;
COMMIT;
