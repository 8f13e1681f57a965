"""What events say of tags and places, in a journal in a database.

`judge` asks for the newest mark of some kind; each question is one step in an index. A table of
the marked targets saves a search through all marks of a lane.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count

from listboss.delivery._mark_index import TargetIndex, TargetMarks
from listboss.delivery._rows import LaneRow
from listboss.delivery._sql_schema import IS_OPEN, IS_STUCK
from listboss.delivery._sql_values import (
    Part,
    grant_key,
    grant_of_key,
    mark_of_row,
    placed,
    stamp_of_row,
    ticks_of,
    upsert,
    where_equal,
)
from listboss.standing import (
    ANY_PLACE,
    Ending,
    Grant,
    Mark,
    MarkIndex,
    Reach,
    Stamp,
    Target,
)

__all__ = ["MAX_READ_AT_ONCE", "Marks"]


_KIND = "lane = ? AND target = ? AND reach = ? AND grant_key = ? AND keep = ?"
"""Marks of the same kind say the same, and the newest of them decides."""


def _kind(lane: int, mark: Mark) -> tuple[object, ...]:
    return (lane, mark.target, mark.reach or "", grant_key(mark.grant), mark.keep)


_PUT_LINK = upsert(
    "link", "contact, purchase, subscription, occurred_at, rank, event_id", "contact, purchase"
)

MAX_READ_AT_ONCE = 32
"""The marks of a target are read with one query if they are at most this many."""


class _Index:
    """The marks of one target as `judge` asks for them; each answer is looked up once."""

    def __init__(self, store: Marks, lane: LaneRow, target: Target) -> None:
        self._store, self._lane, self._target = store, lane, target
        self._assertions: list[Mark] = []
        self._has_all = False
        self._clears: dict[tuple[object, ...], Mark | None] = {}

    def assertions(self) -> Iterator[Mark]:
        """See `MarkIndex.assertions`; few are read at first, since the newest mostly decides."""
        for number in count():
            if number == len(self._assertions):
                self._read_more()
            if number == len(self._assertions):
                return
            yield self._assertions[number]

    def _read_more(self) -> None:
        if self._has_all:
            return
        after = ""
        values: tuple[object, ...] = (self._lane.id, self._target)
        limit = 4 * max(len(self._assertions), 1)
        if self._assertions:
            # Marks of one event have one grant: those left out here say nothing new.
            after = " AND (occurred_at, rank, event_id) < (?, ?, ?)"
            values = (*values, *placed(self._assertions[-1].stamp))
        rows = self._store.execute(
            f"SELECT * FROM mark WHERE lane = ? AND target = ? AND reach = ''{after}"
            " ORDER BY occurred_at DESC, rank DESC, event_id DESC LIMIT ?",
            (*values, limit),
        ).fetchall()
        self._assertions += [mark_of_row(row, self._lane.provider) for row in rows]
        self._has_all = len(rows) < limit

    def _newest(self, condition: str, *values: object) -> Mark | None:
        key = (condition, *values)
        if key not in self._clears:
            self._clears[key] = self._look_up(condition, *values)
        return self._clears[key]

    def _look_up(self, condition: str, *values: object) -> Mark | None:
        found: list[Mark] = []
        targets = [(self._target, "")]
        if self._target.startswith("place:"):
            targets.append((ANY_PLACE, self._target))
        for target, spared in targets:
            row = self._store.execute(
                f"SELECT * FROM mark WHERE lane = ? AND target = ? AND {condition}"
                " AND (keep <> ? OR keep = '')"
                " ORDER BY occurred_at DESC, rank DESC, event_id DESC LIMIT 1",
                (self._lane.id, target, *values, spared),
            ).fetchone()
            if row is not None:
                found.append(mark_of_row(row, self._lane.provider))
        return max(found, key=lambda mark: mark.stamp, default=None)

    def last_clear(self, reach: Reach, grant: Grant | None = None) -> Mark | None:
        """See `MarkIndex.last_clear`."""
        if grant is None:
            return self._newest("reach = ?", reach)
        return self._newest("reach = ? AND grant_key = ?", reach, grant_key(grant))

    def last_clear_of_subscriptions(self, product_id: str) -> Mark | None:
        """See `MarkIndex.last_clear_of_subscriptions`."""
        return self._newest(
            "reach = ? AND product_id = ? AND subscription = 1", Reach.GRANT, product_id
        )

    def link(self, purchase: Grant) -> Grant | None:
        """See `MarkIndex.link`."""
        return self._store.subscription_of(self._lane.contact, purchase)

    def endings(self, holder: Grant, link: Grant | None) -> Iterable[Stamp]:
        """See `MarkIndex.endings`."""
        return self._store.endings_of(self._lane.contact, holder, link)


class Marks(Part):
    """Marks, endings and links."""

    new_lanes: set[int]

    def clear(self) -> None:
        """Forget the rows that were read."""
        self._marks: dict[tuple[int, Target], TargetMarks] = {}
        self._indexes: dict[int, dict[Target, MarkIndex]] = {}
        self._marked: set[tuple[int, str, Target]] = set()
        self._added_marks: list[tuple[object, ...]] = []
        self._added_marked: list[tuple[object, ...]] = []

    def flush(self) -> None:
        """Write the marks that were added."""
        if self._added_marks:
            self.execute_many(
                "INSERT INTO mark VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._added_marks
            )
            self._added_marks.clear()
        if self._added_marked:
            self.execute_many(
                "INSERT INTO marked VALUES (?, ?, ?) ON CONFLICT DO NOTHING", self._added_marked
            )
            self._added_marked.clear()

    def add_mark(self, lane: int, mark: Mark) -> None:
        key = (lane, mark.target)
        self._indexes.pop(lane, None)
        known = self._marks.get(key)
        if known is None and lane in self.new_lanes:
            known = self._marks[key] = TargetMarks()
        if known is not None:
            known.add(mark)
            if len(known) > MAX_READ_AT_ONCE:
                self._let_go(lane, mark.target)
        grant = mark.grant
        product = "" if grant is None else grant.product_id
        self._added_marks.append(
            (
                lane,
                mark.target,
                mark.reach or "",
                grant_key(grant),
                product,
                grant is not None and bool(grant.subscriber_code),
                mark.keep,
                *placed(mark.stamp),
                mark.action_id,
            )
        )
        marked = (lane, product, mark.target)
        if mark.target != ANY_PLACE and marked not in self._marked:
            self._marked.add(marked)
            self._added_marked.append(marked)

    def _let_go(self, lane: int, target: Target) -> None:
        """Hold the marks of a target no longer: they have to be read again."""
        self._marks.pop((lane, target), None)
        self._indexes.pop(lane, None)
        self.new_lanes.discard(lane)

    def drop_marks(self, lane: int, event_id: str) -> set[Target]:
        Marks.flush(self)
        rows = self.execute(
            "DELETE FROM mark WHERE event_id = ? AND lane = ? RETURNING target", (event_id, lane)
        ).fetchall()
        targets = {row["target"] for row in rows}
        for target in targets:
            self._let_go(lane, target)
        return targets - {ANY_PLACE}

    def cover(self, lane: int, mark: Mark) -> None:
        if mark.target == ANY_PLACE:
            return
        known = self._marks.get((lane, mark.target))
        if known is not None and all(each.stamp >= mark.stamp for each in known.all()):
            return
        Marks.flush(self)
        self._let_go(lane, mark.target)
        reaches = ("", *Reach)
        self.execute(
            f"DELETE FROM mark WHERE lane = ? AND target = ?"
            f" AND reach IN ({', '.join('?' * len(reaches))})"
            " AND (occurred_at, rank, event_id) < (?, ?, ?)",
            (lane, mark.target, *reaches, *placed(mark.stamp)),
        )

    def drop_mark(self, lane: int, mark: Mark) -> None:
        Marks.flush(self)
        self._let_go(lane, mark.target)
        self.execute(
            f"DELETE FROM mark WHERE {_KIND} AND occurred_at = ? AND rank = ? AND event_id = ?"
            " AND action_id = ?",
            (*_kind(lane, mark), *placed(mark.stamp), mark.action_id),
        )

    def is_outlived(self, lane: int, mark: Mark, before: datetime) -> bool:
        self.flush()
        found = self._one(
            f"SELECT 1 FROM mark WHERE {_KIND} AND (occurred_at, rank, event_id) > (?, ?, ?)"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = mark.event_id"
            " AND event.accepted_at >= ?)"
            " AND NOT EXISTS (SELECT 1 FROM action WHERE action.event_id = mark.event_id"
            f" AND ({IS_OPEN} OR {IS_STUCK})) LIMIT 1",
            *_kind(lane, mark),
            *placed(mark.stamp),
            ticks_of(before),
        )
        return found is not None

    def drop_outlived(self, lane: int, mark: Mark) -> set[str]:
        Marks.flush(self)
        self._let_go(lane, mark.target)
        rows = self.execute(
            f"DELETE FROM mark WHERE {_KIND} AND (occurred_at, rank, event_id) < (?, ?, ?)"
            " RETURNING event_id",
            (*_kind(lane, mark), *placed(mark.stamp)),
        )
        return {row["event_id"] for row in rows.fetchall()}

    def marked_targets(self, lane: int, product_id: str | None) -> set[Target]:
        Marks.flush(self)
        where, values = where_equal({"product_id": product_id})
        rows = self.execute(f"SELECT target FROM marked WHERE lane = ?{where}", (lane, *values))
        return {row["target"] for row in rows.fetchall()}

    def index(self, lane: LaneRow, target: Target) -> MarkIndex:
        """Return the marks of a target: all of them at once if they are few."""
        found = self._indexes.get(lane.id, {}).get(target)
        if found is not None:
            return found
        own, any_place = self._few(lane, target), None
        is_place = target.startswith("place:")
        if is_place:
            any_place = self._few(lane, ANY_PLACE)
        if own is None or (is_place and any_place is None):
            Marks.flush(self)
            index = self._indexes.setdefault(lane.id, {})[target] = _Index(self, lane, target)
            return index
        return TargetIndex(self, lane.contact, target, own, any_place)

    def _few(self, lane: LaneRow, target: Target) -> TargetMarks | None:
        """Return all marks of a target, or None if they are too many to be read at once."""
        key = (lane.id, target)
        known = self._marks.get(key)
        if known is None and lane.id in self.new_lanes:
            known = self._marks[key] = TargetMarks()
        if known is None:
            Marks.flush(self)
            rows = self.execute(
                "SELECT * FROM mark WHERE lane = ? AND target = ? LIMIT ?",
                (*key, MAX_READ_AT_ONCE + 1),
            ).fetchall()
            if len(rows) > MAX_READ_AT_ONCE:
                return None
            known = self._marks[key] = TargetMarks()
            for row in rows:
                known.add(mark_of_row(row, lane.provider))
        return known

    def add_ending(self, contact: str, ending: Ending) -> None:
        grant = ending.grant
        self.execute(
            "INSERT INTO ending VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                contact,
                grant_key(grant),
                *placed(ending.stamp),
                grant.product_id,
                bool(grant.subscriber_code),
            ),
        )

    def drop_endings(self, contact: str, event_id: str) -> None:
        self.execute("DELETE FROM ending WHERE contact = ? AND event_id = ?", (contact, event_id))

    def endings_of(self, contact: str, holder: Grant, link: Grant | None) -> Iterator[Stamp]:
        grants = [grant for grant in (holder, link, Grant(holder.product_id)) if grant is not None]
        for grant in grants:
            rows = self.execute(
                "SELECT * FROM ending WHERE contact = ? AND grant_key = ?",
                (contact, grant_key(grant)),
            )
            yield from map(stamp_of_row, rows.fetchall())
        if holder.is_purchase and link is None:
            rows = self.execute(
                "SELECT * FROM ending WHERE contact = ? AND product_id = ? AND subscription = 1",
                (contact, holder.product_id),
            )
            yield from map(stamp_of_row, rows.fetchall())

    def ended_after(self, contact: str, grant: Grant, stamp: Stamp) -> Stamp | None:
        link = self.subscription_of(contact, grant) if grant.is_purchase else None
        found = (each for each in self.endings_of(contact, grant, link) if each > stamp)
        return max(found, default=None)

    def add_link(self, contact: str, purchase: Grant, subscription: Grant, stamp: Stamp) -> bool:
        key = grant_key(purchase)
        row = self._one("SELECT * FROM link WHERE contact = ? AND purchase = ?", contact, key)
        if row is not None and stamp_of_row(row) > stamp:
            return False
        self.execute(
            _PUT_LINK,
            (contact, key, grant_key(subscription), *placed(stamp)),
        )
        return row is None or row["subscription"] != grant_key(subscription)

    def subscription_of(self, contact: str, purchase: Grant) -> Grant | None:
        row = self._one(
            "SELECT subscription FROM link WHERE contact = ? AND purchase = ?",
            contact,
            grant_key(purchase),
        )
        return None if row is None else grant_of_key(row["subscription"])
