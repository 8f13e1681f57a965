"""What was sent, and the history, in a journal file.

A page of the history is found by the number of its last record, whatever came before. Records
are never changed, except that `forget` removes the contact and the detail.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from listboss.codec import load_event
from listboss.codec._reading import read_own
from listboss.delivery._rows import (
    RecordFilter,
    TargetRow,
)
from listboss.delivery._sqlite_values import (
    Part,
    compact_json,
    dump_action,
    placed,
    stamp_of_row,
    ticks_of,
    time_of,
    where_equal,
)
from listboss.delivery.life import DeliveryStatus, Status
from listboss.delivery.record import Record
from listboss.rules.action import Action
from listboss.rules.event import Event, event_name
from listboss.standing import (
    Stamp,
    Target,
)

__all__ = ["History"]


class History(Part):
    """What was sent last, and the records."""

    def begin(self) -> None:
        """Drop the rows of the transaction before."""
        self._targets: dict[tuple[int, Target], TargetRow | None] = {}

    def _target(self, row: sqlite3.Row) -> TargetRow:
        return TargetRow(
            lane=row["lane"],
            target=row["target"],
            spelled=read_own(json.loads(row["spelled"]), Action),
            on=None if row["is_on"] is None else bool(row["is_on"]),
            stamp=None if row["occurred_at"] is None else stamp_of_row(row),
            confirmed=bool(row["confirmed"]),
        )

    def target(self, lane: int, target: Target) -> TargetRow | None:
        if (lane, target) not in self._targets:
            row = self._one("SELECT * FROM target WHERE lane = ? AND target = ?", lane, target)
            self._targets[lane, target] = None if row is None else self._target(row)
        return self._targets[lane, target]

    def targets(self, lane: int) -> list[TargetRow]:
        rows = self.execute("SELECT * FROM target WHERE lane = ?", (lane,)).fetchall()
        return [self._target(row) for row in rows]

    def put_target(self, row: TargetRow) -> None:
        self._targets[row.lane, row.target] = row
        stamp = (None, None, None) if row.stamp is None else placed(row.stamp)
        self.execute(
            "INSERT OR REPLACE INTO target VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (row.lane, row.target, dump_action(row.spelled), row.on, *stamp, row.confirmed),
        )

    def field(self, lane: int, name: str) -> tuple[Stamp, str] | None:
        row = self._one("SELECT * FROM field WHERE lane = ? AND name = ?", lane, name)
        return None if row is None else (stamp_of_row(row), row["digest"])

    def put_field(self, lane: int, name: str, stamp: Stamp, digest: str) -> None:
        self.execute(
            "INSERT OR REPLACE INTO field VALUES (?, ?, ?, ?, ?, ?)",
            (lane, name, *placed(stamp), digest),
        )

    def add_record(self, record: Record, contact: str | None = None) -> None:
        self.execute(
            "INSERT INTO record (time, event_id, event_name, product_id, contact, email,"
            " subscription_plan, provider, status, detail, is_test, automatic, segmentation_ids,"
            " action) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ticks_of(record.time),
                record.event_id,
                record.event_name,
                record.product_id,
                contact,
                record.contact,
                record.subscription_plan,
                record.provider,
                record.status,
                record.detail,
                record.is_test,
                record.automatic,
                compact_json(record.segmentation_ids),
                None if record.action is None else dump_action(record.action),
            ),
        )

    def _record(self, row: sqlite3.Row) -> Record:
        status = row["status"]
        action = row["action"]
        return Record(
            time=time_of(row["time"]),
            segmentation_ids=tuple(json.loads(row["segmentation_ids"])),
            automatic=bool(row["automatic"]),
            product_id=row["product_id"],
            subscription_plan=row["subscription_plan"],
            contact=row["email"],
            event_name=event_name(row["event_name"]) if row["event_name"] else "",
            event_id=row["event_id"],
            provider=row["provider"],
            action=None if action is None else read_own(json.loads(action), Action),
            status=Status(status) if status in set(Status) else DeliveryStatus(status),
            detail=row["detail"],
            is_test=bool(row["is_test"]),
            number=row["number"],
        )

    def _wanted(self, wanted: RecordFilter) -> tuple[str, tuple[object, ...]]:
        equal = ("product_id", "contact", "event_id", "provider", "status", "is_test")
        where, values = where_equal({name: getattr(wanted, name) for name in equal})
        more = {
            "time >= ?": ticks_of(wanted.since),
            "time < ?": ticks_of(wanted.until),
            "number < ?": wanted.before,
        }
        for condition, value in more.items():
            if value is not None:
                where, values = f"{where} AND {condition}", (*values, value)
        if wanted.segmentation_id is not None:
            where += (
                " AND EXISTS (SELECT 1 FROM json_each(record.segmentation_ids)"
                " WHERE json_each.value = ?)"
            )
            values = (*values, wanted.segmentation_id)
        return f"WHERE 1{where}", values

    def records(self, wanted: RecordFilter, limit: int | None) -> list[Record]:
        where, values = self._wanted(wanted)
        rows = self.execute(
            f"SELECT * FROM record {where} ORDER BY number DESC LIMIT ?",
            (*values, -1 if limit is None else limit),
        ).fetchall()
        return [self._record(row) for row in reversed(rows)]

    def count(self, wanted: RecordFilter) -> int:
        where, values = self._wanted(wanted)
        found: int = self.execute(f"SELECT count(*) FROM record {where}", values).fetchone()[0]
        return found

    def events(
        self,
        product_id: str | None,
        contact: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Iterator[Event]:
        where, values = where_equal({"product_id": product_id, "contact": contact})
        for condition, at in (("occurred_at >= ?", since), ("occurred_at < ?", until)):
            if at is not None:
                where, values = f"{where} AND {condition}", (*values, ticks_of(at))
        rows = self.execute(
            f"SELECT event FROM event WHERE event IS NOT NULL{where} ORDER BY occurred_at, id",
            values,
        ).fetchall()
        return (load_event(row["event"]) for row in rows)
