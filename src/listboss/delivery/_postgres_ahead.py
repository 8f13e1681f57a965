"""What a transaction will look up of its lanes, read at once.

Each look-up of its own would cost the way to the server and back. Of a long lane, and of one with
many marks, only the beginning is read ahead: what is missing is looked up when it is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from listboss.delivery._mark_index import TargetMarks
from listboss.delivery._postgres_bulk import array_of
from listboss.delivery._rows import ActionRow, LaneRow
from listboss.delivery._sql_actions import CHUNK, Actions
from listboss.delivery._sql_schema import IS_OPEN
from listboss.delivery._sql_store import SqlStore
from listboss.delivery._sql_values import Row, Rows, mark_of_row, stamp_of_row
from listboss.delivery.life import OPEN
from listboss.standing import ANY_PLACE, Target

__all__ = ["ReadsAhead"]

_MOST = 32
_EVENT = (
    "name",
    "product_id",
    "contact",
    "email",
    "subscription_plan",
    "occurred_at",
    "accepted_at",
    "is_test",
    "idle",
    "forgotten",
)
_ACTIONS = (
    f"SELECT action.*, {', '.join(f'event.{name} AS event_{name}' for name in _EVENT)}"
    " FROM unnest(?::bigint[], ?::bigint[]) AS given (lane, position), LATERAL"
    " (SELECT * FROM action WHERE action.lane = given.lane AND action.position > given.position"
    f" AND {IS_OPEN} ORDER BY position LIMIT ?) AS action"
    " JOIN event ON event.id = action.event_id ORDER BY action.lane, action.position"
)
"""Open actions of lanes, each with its event."""


def _some(table: str) -> str:
    return (
        f"SELECT found.* FROM unnest(?::bigint[]) AS given (lane), LATERAL"
        f" (SELECT * FROM {table} WHERE {table}.lane = given.lane LIMIT {_MOST + 1}) AS found"
    )


_MARKS, _TARGETS, _FIELDS = _some("mark"), _some("target"), _some("field")


class ReadsAhead(SqlStore):
    """A store that reads at once what is most often looked up of its lanes."""

    ahead = CHUNK
    """How many open actions of a lane are read ahead."""

    def clear(self) -> None:
        """See `SqlStore.clear`."""
        super().clear()
        self._ahead: set[int] = set()
        self._first: dict[int, tuple[list[ActionRow], int]] = {}

    def _read_ahead(self, lanes: Iterable[LaneRow]) -> None:
        """Read what this transaction has not changed yet of locked lanes."""
        found = {lane.id: lane for lane in lanes}
        fresh = [*(found.keys() - self._ahead - self.new_lanes)]
        if not fresh:
            return
        self._ahead.update(fresh)
        lanes_text = array_of(fresh)
        answers = [self._find_actions(dict.fromkeys(fresh, -1))]
        answers += [self.execute(query, (lanes_text,)) for query in (_MARKS, _TARGETS, _FIELDS)]
        actions, marks, targets, fields = [each.fetchall() for each in answers]
        wanted = self._hold_actions(fresh, self._with_events(actions))
        self._hold_marks(wanted, marks, found)
        self._hold_sent(wanted, targets, fields)

    def _find_actions(self, positions: Mapping[int, int]) -> Rows:
        """Find the next open actions of lanes, after a position of each."""
        lanes, after = array_of(positions), array_of(positions.values())
        return self.execute(_ACTIONS, (lanes, after, self.ahead))

    def _with_events(self, rows: Iterable[Row]) -> list[ActionRow]:
        """Hold the events of actions; return the actions."""
        found: list[ActionRow] = []
        for row in rows:
            event_id = row["event_id"]
            if event_id not in self._events:
                columns = {name: row[f"event_{name}"] for name in _EVENT}
                self._events[event_id] = self._event({"id": event_id, **columns})
            found.append(self._action(row))
        return found

    def _hold_actions(
        self, lanes: Iterable[int], rows: Iterable[ActionRow]
    ) -> dict[int, set[Target]]:
        """Hold open actions; return the targets that they and their lane's places ask for."""
        wanted: dict[int, set[Target]] = {lane: {ANY_PLACE} for lane in lanes}
        held: dict[int, list[ActionRow]] = {lane: [] for lane in lanes}
        for action in rows:
            held[action.lane].append(action)
            wanted[action.lane].update(effect.target for effect in action.effects)
        for lane, found in held.items():
            if len(found) < self.ahead:
                self._open_rows[lane] = found
            else:
                self._first[lane] = (found, found[-1].position)
        return wanted

    def _open_after(self, lane: int, position: int) -> list[ActionRow]:
        """See `Actions._open_after`; of a long lane, the first ones are held, and more if needed.

        What is added to a lane comes after all that are held.
        """
        if lane not in self._first:
            return super()._open_after(lane, position)
        first, end = self._first[lane]
        rows = [row for row in first if position < row.position <= end and row.status in OPEN]
        if rows:
            return rows
        if lane in self._unwritten:
            Actions.flush(self)
        rows = self._with_events(self._find_actions({lane: max(position, end)}).fetchall())
        if rows:
            self._first[lane] = ([*first, *rows], rows[-1].position)
        return rows

    def _hold_marks(
        self, wanted: dict[int, set[Target]], rows: Sequence[Row], lanes: dict[int, LaneRow]
    ) -> None:
        whole = _whole(wanted, rows)
        for lane in whole:
            self._marks.update({(lane, target): TargetMarks() for target in wanted[lane]})
        for row in rows:
            if row["lane"] in whole:
                held = self._marks.setdefault((row["lane"], row["target"]), TargetMarks())
                held.add(mark_of_row(row, lanes[row["lane"]].provider))

    def _hold_sent(
        self, wanted: dict[int, set[Target]], targets: Sequence[Row], fields: Sequence[Row]
    ) -> None:
        known = {(row["lane"], row["target"]) for row in targets}
        for lane in _whole(wanted, targets):
            missing = ((lane, target) for target in wanted[lane])
            self._targets.update({key: None for key in missing if key not in known})
        for row in targets:
            self._target(row)
        whole = _whole(wanted, fields)
        self._fields.update({lane: {} for lane in whole})
        for row in fields:
            if row["lane"] in whole:
                self._fields[row["lane"]][row["name"]] = (stamp_of_row(row), row["digest"])


def _whole(lanes: Iterable[int], rows: Iterable[Row]) -> set[int]:
    """Return the lanes of which all rows were read."""
    counts = Counter(row["lane"] for row in rows)
    return {lane for lane in lanes if counts[lane] <= _MOST}
