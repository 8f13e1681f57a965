"""What was sent, and the history, in a journal in a database.

A page of the history is found by the number of its last record, whatever came before. Records
are never changed, except that `forget` removes the contact and the detail.
"""

from __future__ import annotations

import json
from datetime import datetime

from listboss.codec import load_event
from listboss.delivery._rows import RecordFilter, TargetRow
from listboss.delivery._sql_values import (
    Part,
    Row,
    dump_action,
    dump_ids,
    load_action,
    placed,
    stamp_of_row,
    ticks_of,
    time_of,
    upsert,
    where_equal,
)
from listboss.delivery.life import DeliveryStatus, Status
from listboss.delivery.record import Record
from listboss.rules.event import Event, event_name
from listboss.standing import Stamp, Target

__all__ = ["EVENTS_PER_PAGE", "History"]

_NO_LIMIT = 2**62
EVENTS_PER_PAGE = 500
"""How many events are read at once."""
_PUT_TARGET = upsert(
    "target",
    "lane, target, spelled, is_on, occurred_at, rank, event_id, confirmed",
    "lane, target",
)
_PUT_FIELD = upsert("field", "lane, name, occurred_at, rank, event_id, digest", "lane, name")


class History(Part):
    """What was sent last, and the records; both are written when the transaction ends.

    `names_rule` is the condition that a record names a rule.
    """

    new_lanes: set[int]
    names_rule: str

    def clear(self) -> None:
        """Forget the rows that were read."""
        self._targets: dict[tuple[int, Target], TargetRow | None] = {}
        self._changed_targets: dict[tuple[int, Target], TargetRow] = {}
        self._fields: dict[int, dict[str, tuple[Stamp, str]]] = {}
        self._changed_fields: dict[tuple[int, str], tuple[Stamp, str]] = {}
        self._added_records: list[tuple[object, ...]] = []

    def flush(self) -> None:
        """Write the targets, fields and records that have changed or were added."""
        if self._changed_targets:
            self.execute_many(
                _PUT_TARGET,
                [
                    (*key, dump_action(row.spelled), row.on, *_placed(row.stamp), row.confirmed)
                    for key, row in self._changed_targets.items()
                ],
            )
            self._changed_targets.clear()
        if self._changed_fields:
            self.execute_many(
                _PUT_FIELD,
                [
                    (*key, *placed(stamp), digest)
                    for key, (stamp, digest) in self._changed_fields.items()
                ],
            )
            self._changed_fields.clear()
        if self._added_records:
            self.execute_many(
                "INSERT INTO record (time, event_id, event_name, product_id, contact, email,"
                " subscription_plan, provider, status, detail, is_test, automatic,"
                " segmentation_ids, action) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._added_records,
            )
            self._added_records.clear()

    def _target(self, row: Row) -> TargetRow:
        key = (row["lane"], row["target"])
        known = self._targets.get(key)
        if known is None:
            known = self._targets[key] = TargetRow(
                lane=row["lane"],
                target=row["target"],
                spelled=load_action(row["spelled"]),
                on=None if row["is_on"] is None else bool(row["is_on"]),
                stamp=None if row["occurred_at"] is None else stamp_of_row(row),
                confirmed=bool(row["confirmed"]),
            )
        return known

    def target(self, lane: int, target: Target) -> TargetRow | None:
        key = (lane, target)
        if key not in self._targets:
            row = None
            if lane not in self.new_lanes:
                row = self._one("SELECT * FROM target WHERE lane = ? AND target = ?", *key)
            self._targets[key] = None if row is None else self._target(row)
        return self._targets[key]

    def targets(self, lane: int) -> list[TargetRow]:
        History.flush(self)
        rows = self.execute("SELECT * FROM target WHERE lane = ?", (lane,)).fetchall()
        return [self._target(row) for row in rows]

    def put_target(self, row: TargetRow) -> None:
        key = (row.lane, row.target)
        self._targets[key] = self._changed_targets[key] = row

    def _fields_of(self, lane: int) -> dict[str, tuple[Stamp, str]]:
        if lane not in self._fields:
            self._fields[lane] = {}
            if lane not in self.new_lanes:
                rows = self.execute("SELECT * FROM field WHERE lane = ?", (lane,)).fetchall()
                self._fields[lane] = {
                    row["name"]: (stamp_of_row(row), row["digest"]) for row in rows
                }
        return self._fields[lane]

    def field(self, lane: int, name: str) -> tuple[Stamp, str] | None:
        return self._fields_of(lane).get(name)

    def put_field(self, lane: int, name: str, stamp: Stamp, digest: str) -> None:
        fields = self._fields_of(lane)
        if fields.get(name) != (stamp, digest):
            fields[name] = self._changed_fields[lane, name] = (stamp, digest)

    def add_record(self, record: Record, contact: str | None = None) -> None:
        self._added_records.append(
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
                dump_ids(record.segmentation_ids),
                None if record.action is None else dump_action(record.action),
            )
        )

    def _record(self, row: Row) -> Record:
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
            action=None if action is None else load_action(action),
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
            where += f" AND {self.names_rule}"
            values = (*values, wanted.segmentation_id)
        return f"WHERE TRUE{where}", values

    def records(self, wanted: RecordFilter, limit: int | None) -> list[Record]:
        where, values = self._wanted(wanted)
        rows = self.execute(
            f"SELECT * FROM record {where} ORDER BY number DESC LIMIT ?",
            (*values, _NO_LIMIT if limit is None else limit),
        ).fetchall()
        return [self._record(row) for row in reversed(rows)]

    def count(self, wanted: RecordFilter) -> int:
        where, values = self._wanted(wanted)
        found: int = self._one(f"SELECT count(*) AS found FROM record {where}", *values)["found"]
        return found

    def events(
        self,
        product_id: str | None,
        contact: str | None,
        since: datetime | None,
        until: datetime | None,
        after: tuple[datetime, str] | None,
    ) -> list[Event]:
        where, values = where_equal({"product_id": product_id, "contact": contact})
        for condition, at in (("occurred_at >= ?", since), ("occurred_at < ?", until)):
            if at is not None:
                where, values = f"{where} AND {condition}", (*values, ticks_of(at))
        if after is not None:
            where += " AND (occurred_at, id) > (?, ?)"
            values = (*values, ticks_of(after[0]), after[1])
        rows = self.execute(
            f"SELECT event FROM event WHERE event IS NOT NULL{where}"
            " ORDER BY occurred_at, id LIMIT ?",
            (*values, EVENTS_PER_PAGE),
        ).fetchall()
        return [load_event(row["event"]) for row in rows]


def _placed(stamp: Stamp | None) -> tuple[int | None, int | None, str | None]:
    return (None, None, None) if stamp is None else placed(stamp)
