"""The rows of lanes that a connection keeps from one transaction to the next.

A worker comes back to a lane that it has claimed: to record what it sent, and for the next action.
The database says which transaction has written the row of the lane last. If that was one of this
connection, nothing of the lane has changed since, and its rows need not be read again.

INVARIANT: a transaction that changes anything of a lane writes its row, too (test_postgres_kept).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from listboss.delivery._mark_index import TargetMarks
from listboss.delivery._postgres_ahead import ReadsAhead
from listboss.delivery._postgres_bulk import array_of
from listboss.delivery._rows import ActionRow, EventRow, LaneRow, TargetRow
from listboss.delivery._sql_actions import key_of_row
from listboss.delivery._sql_values import Row
from listboss.delivery.life import OPEN
from listboss.standing import Mark, MarkIndex, Stamp, Target

__all__ = ["KeepsLanes"]

MAX_KEPT_LANES: Final = 256


@attrs.define
class _Kept:
    """What is known of a lane since the transaction `version` wrote it."""

    version: str
    open_rows: list[ActionRow] | None
    first: tuple[list[ActionRow], int] | None
    events: dict[str, EventRow]
    fields: dict[str, tuple[Stamp, str]] | None
    marks: dict[Target, TargetMarks]
    targets: dict[Target, TargetRow | None]
    indexes: dict[Target, MarkIndex]


class KeepsLanes(ReadsAhead):
    """A store that knows lanes again that nobody else has changed."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[int, _Kept] = {}

    def clear(self) -> None:
        """See `SqlStore.clear`; what is kept stays."""
        super().clear()
        self._versions: dict[int, str] = {}
        self._touched_lanes: set[int] = set()
        self._written_lanes: set[int] = set()

    def _locked_lane(self, row: Row) -> LaneRow:
        """Return a lane that this transaction has locked."""
        self._versions[row["id"]] = row["version"]
        return self._lane(row)

    def _read_ahead(self, lanes: Iterable[LaneRow]) -> None:
        lanes = [*lanes]
        for lane in lanes:
            if lane.id not in self._ahead:
                kept = self._kept.pop(lane.id, None)
                if kept is not None and kept.version == self._versions.get(lane.id):
                    self._hold(lane.id, kept)
        super()._read_ahead(lanes)

    def _hold(self, lane: int, kept: _Kept) -> None:
        self._ahead.add(lane)
        self._events.update(kept.events)
        rows = kept.open_rows or []
        if kept.open_rows is not None:
            self._open_rows[lane] = kept.open_rows
        if kept.first is not None:
            self._first[lane] = kept.first
            rows = kept.first[0]
        self._actions.update((key_of_row(row), row) for row in rows)
        if kept.fields is not None:
            self._fields[lane] = kept.fields
        self._marks.update(((lane, target), marks) for target, marks in kept.marks.items())
        self._targets.update(((lane, target), row) for target, row in kept.targets.items())
        if kept.indexes:
            self._indexes[lane] = kept.indexes

    def finish(self) -> None:
        """Write the row of each lane of which something has changed, and nothing of the row."""
        self.flush()
        others = sorted(self._touched_lanes - self._written_lanes)
        if others:
            self.execute(
                "UPDATE lane SET open = lane.open FROM (SELECT id FROM lane"
                " WHERE id = ANY (?::bigint[]) ORDER BY id FOR UPDATE) AS other"
                " WHERE lane.id = other.id",
                (array_of(others),),
            )

    def keep(self, number: str | None) -> None:
        """Keep what is known of lanes after the transaction of this number was committed."""
        if number is None:
            return
        version = str(int(number) % 2**32)
        found: dict[int, _Kept] = {}
        for lane in self._written_lanes & self._ahead:
            if self._lanes[lane].open > 0:
                found[lane] = self._kept_lane(lane, version)
        for (lane, target), marks in self._marks.items():
            if lane in found:
                found[lane].marks[target] = marks
        for (lane, target), row in self._targets.items():
            if lane in found:
                found[lane].targets[target] = row
        self._kept.update(found)
        for lane in [*self._kept][: len(self._kept) - MAX_KEPT_LANES]:
            del self._kept[lane]

    def _kept_lane(self, lane: int, version: str) -> _Kept:
        rows, first = self._open_rows.get(lane), self._first.get(lane)
        if rows is not None:
            rows = [row for row in rows if row.status in OPEN]
        if first is not None:
            first = [row for row in first[0] if row.status in OPEN], first[1]
        held = {row.event_id for row in (first[0] if first else rows or ())}
        events = {each: event for each in held if (event := self._events.get(each)) is not None}
        indexes = self._indexes.get(lane, {})
        return _Kept(version, rows, first, events, self._fields.get(lane), {}, {}, indexes)

    # What changes something of a lane

    def add_action(self, row: ActionRow) -> None:
        self._touched_lanes.add(row.lane)
        super().add_action(row)

    def put_action(self, row: ActionRow) -> None:
        self._touched_lanes.add(row.lane)
        super().put_action(row)

    def put_lane(self, row: LaneRow) -> None:
        self._written_lanes.add(row.id)
        super().put_lane(row)

    def put_target(self, row: TargetRow) -> None:
        self._touched_lanes.add(row.lane)
        super().put_target(row)

    def put_field(self, lane: int, name: str, stamp: Stamp, digest: str) -> None:
        self._touched_lanes.add(lane)
        super().put_field(lane, name, stamp, digest)

    def add_mark(self, lane: int, mark: Mark) -> None:
        self._touched_lanes.add(lane)
        super().add_mark(lane, mark)

    def drop_marks(self, lane: int, event_id: str) -> set[Target]:
        self._touched_lanes.add(lane)
        return super().drop_marks(lane, event_id)

    def cover(self, lane: int, mark: Mark) -> None:
        self._touched_lanes.add(lane)
        super().cover(lane, mark)

    def drop_mark(self, lane: int, mark: Mark) -> None:
        self._touched_lanes.add(lane)
        super().drop_mark(lane, mark)

    def drop_outlived(self, lane: int, mark: Mark) -> set[str]:
        self._touched_lanes.add(lane)
        return super().drop_outlived(lane, mark)
