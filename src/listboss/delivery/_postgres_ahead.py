"""What a transaction will look up of its lanes, read at once.

Each look-up of its own would cost the way to the server and back. Of a long lane, and of one with
many marks, only the beginning is read ahead: what is missing is looked up when it is needed. What
was planned for an action is most often needed in two transactions, and is read in the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from listboss.delivery._mark_index import TargetMarks
from listboss.delivery._rows import ActionRow, LaneRow
from listboss.delivery._sql_actions import CHUNK
from listboss.delivery._sql_schema import IS_OPEN
from listboss.delivery._sql_store import SqlStore
from listboss.delivery._sql_values import Row, mark_of_row, stamp_of_row
from listboss.delivery.life import OPEN
from listboss.plan import PlannedAction
from listboss.standing import ANY_PLACE, Target

__all__ = ["ReadsAhead"]

_MOST = 32
_FIRST = (
    "unnest(?::bigint[]) AS given (lane), LATERAL"
    " (SELECT * FROM action WHERE action.lane = given.lane"
    f" AND {IS_OPEN} ORDER BY position LIMIT ?) AS action"
)
_ACTIONS = f"SELECT action.* FROM {_FIRST} ORDER BY action.lane, action.position"
_EVENTS = (
    "SELECT DISTINCT ON (event.id) event.id, event.name, event.product_id, event.contact,"
    " event.email, event.subscription_plan, event.occurred_at, event.accepted_at, event.is_test,"
    f" event.idle, event.forgotten FROM {_FIRST} JOIN event ON event.id = action.event_id"
)


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

    def __init__(self) -> None:
        super().__init__()
        self._planned_now: dict[str, PlannedAction] = {}

    def clear(self) -> None:
        """See `SqlStore.clear`."""
        super().clear()
        self._ahead: set[int] = set()
        self._first: dict[int, tuple[list[ActionRow], int]] = {}
        self._planned_before, self._planned_now = self._planned_now, {}

    def _planned(self, text: str) -> PlannedAction:
        planned = self._planned_before.get(text)
        self._planned_now[text] = planned = planned or super()._planned(text)
        return planned

    def _read_ahead(self, lanes: Iterable[LaneRow]) -> None:
        """Read what this transaction has not changed yet of locked lanes."""
        found = {lane.id: lane for lane in lanes}
        fresh = [*(found.keys() - self._ahead - self.new_lanes)]
        if not fresh:
            return
        self._ahead.update(fresh)
        answers = [self.execute(query, (fresh, self.ahead)) for query in (_ACTIONS, _EVENTS)]
        answers += [self.execute(query, (fresh,)) for query in (_MARKS, _TARGETS, _FIELDS)]
        actions, events, marks, targets, fields = [each.fetchall() for each in answers]
        for row in events:
            self._events.setdefault(row["id"], self._event(row))
        wanted = self._hold_actions(fresh, actions)
        self._hold_marks(wanted, marks, found)
        self._hold_sent(wanted, targets, fields)

    def _hold_actions(self, lanes: Iterable[int], rows: Iterable[Row]) -> dict[int, set[Target]]:
        """Hold open actions; return the targets that they and their lane's places ask for."""
        wanted: dict[int, set[Target]] = {lane: {ANY_PLACE} for lane in lanes}
        held: dict[int, list[ActionRow]] = {lane: [] for lane in lanes}
        for row in rows:
            action = self._action(row)
            held[action.lane].append(action)
            wanted[action.lane].update(effect.target for effect in action.effects)
        for lane, found in held.items():
            if len(found) < self.ahead:
                self._open_rows[lane] = found
            else:
                self._first[lane] = (found, found[-1].position)
        return wanted

    def _open_after(self, lane: int, position: int) -> list[ActionRow]:
        """See `Actions._open_after`; of a long lane, the first ones are held."""
        first, end = self._first.get(lane, ((), -1))
        if position < end:
            rows = [row for row in first if position < row.position <= end and row.status in OPEN]
            if rows:
                return rows
            position = end
        return super()._open_after(lane, position)

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
