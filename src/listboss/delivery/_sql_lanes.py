"""Lanes and accounts of a journal in a database.

A lane is the queue of one contact at one account. Its row carries the number of open actions, the
next position and the time at which it is due, so that a worker finds work without reading actions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime

from listboss.delivery._rate import is_full
from listboss.delivery._rows import AccountRow, LaneRow
from listboss.delivery._sql_values import Part, Row, optional_time, ticks_of, upsert

__all__ = ["Lanes", "account_of_row", "is_working", "working"]


def working(which: str = "TRUE") -> str:
    """Return the look-up of each account with something due: when, and until when it is paused.

    It takes one step of the index for each account, however many lanes it has. `which` limits
    the lanes of which the first due one is looked for.
    """
    return (
        "WITH RECURSIVE name(provider) AS ("
        " SELECT min(provider) FROM lane WHERE due IS NOT NULL UNION ALL"
        " SELECT (SELECT min(provider) FROM lane WHERE due IS NOT NULL"
        " AND provider > name.provider) FROM name WHERE name.provider IS NOT NULL)"
        " SELECT name.provider, account.paused_until, account.unanswered, account.free_at,"
        " (SELECT min(due) FROM lane WHERE lane.provider = name.provider"
        f" AND due IS NOT NULL AND {which}) AS due"
        " FROM name LEFT JOIN account ON account.name = name.provider"
        " WHERE name.provider IS NOT NULL"
    )


_WORKING = working()
_PUT_PAUSE = upsert("account", "name, paused_until, unanswered", "name")
_PUT_RATE = (
    "INSERT INTO account (name, unanswered, free_at) VALUES (?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET free_at = excluded.free_at"
)


class Lanes(Part):
    """Lanes and accounts; a lane that is changed several times is written once."""

    def __init__(self) -> None:
        self._turn = 0

    @abstractmethod
    def _new_lane(self, provider: str, contact: str) -> int:
        """Store a lane that did not exist, and return its number."""

    def clear(self) -> None:
        """Forget the rows that were read."""
        self._lanes: dict[int, LaneRow] = {}
        self._lanes_of: dict[str, dict[str, LaneRow]] = {}
        self._changed_lanes: dict[int, LaneRow] = {}
        self._accounts: dict[str, AccountRow] = {}
        self._changed_accounts: dict[str, AccountRow] = {}
        self._written: dict[str, tuple[datetime | None, int, datetime | None]] = {}
        self.new_lanes: set[int] = set()

    def flush(self) -> None:
        """Write the lanes that have changed."""
        if self._changed_lanes:
            self.execute_many(
                "UPDATE lane SET open = ?, position = ?, due = ?, worker = ? WHERE id = ?",
                [
                    (row.open, row.position, ticks_of(row.due), row.worker, row.id)
                    for row in self._changed_lanes.values()
                ],
            )
            self._changed_lanes.clear()

    def _lane(self, row: Row) -> LaneRow:
        lane = self._lanes.get(row["id"])
        if lane is None:
            lane = self._lanes[row["id"]] = LaneRow(
                id=row["id"],
                provider=row["provider"],
                contact=row["contact"] or "",
                open=row["open"],
                position=row["position"],
                due=optional_time(row["due"]),
                worker=row["worker"],
            )
        return lane

    def _lanes_by_provider(self, contact: str) -> dict[str, LaneRow]:
        if contact not in self._lanes_of:
            rows = self.execute(
                "SELECT * FROM lane WHERE contact = ? ORDER BY provider", (contact,)
            ).fetchall()
            self._lanes_of[contact] = {row["provider"]: self._lane(row) for row in rows}
        return self._lanes_of[contact]

    def lane(self, provider: str, contact: str) -> LaneRow:
        lanes = self._lanes_by_provider(contact)
        if provider not in lanes:
            number = self._new_lane(provider, contact)
            lane = LaneRow(id=number, provider=provider, contact=contact)
            lanes[provider] = self._lanes[lane.id] = lane
            self.new_lanes.add(lane.id)
        return lanes[provider]

    def lane_by_id(self, lane: int) -> LaneRow:
        if lane in self._lanes:
            return self._lanes[lane]
        return self._lane(self._one("SELECT * FROM lane WHERE id = ?", lane))

    def lanes_of(self, contact: str) -> list[LaneRow]:
        lanes = self._lanes_by_provider(contact)
        return [lanes[provider] for provider in sorted(lanes)]

    def lanes_of_workers(self, workers: Collection[str]) -> list[LaneRow]:
        Lanes.flush(self)
        marks = ", ".join("?" * len(workers))
        rows = self.execute(f"SELECT * FROM lane WHERE worker IN ({marks})", tuple(workers))
        return [self._lane(row) for row in rows.fetchall()]

    def workers(self) -> set[str]:
        Lanes.flush(self)
        rows = self.execute("SELECT DISTINCT worker FROM lane WHERE worker IS NOT NULL")
        return {row["worker"] for row in rows.fetchall()}

    def put_lane(self, row: LaneRow) -> None:
        self._changed_lanes[row.id] = row

    def due_lanes(self, now: datetime, limit: int) -> list[LaneRow]:
        ticks = ticks_of(now) or 0
        names = self._with_due_lanes(now, ticks)
        self._turn += 1
        if not names:
            return []
        start = self._turn % len(names)
        names = names[start:] + names[:start]
        return self._due_in_turn(names, ticks, limit)

    def _with_due_lanes(self, now: datetime, ticks: int) -> list[str]:
        """Return the accounts that have a due lane, and can be asked for something now."""
        Lanes.flush(self)
        return sorted(
            row["provider"]
            for row in self.execute(_WORKING).fetchall()
            if row["due"] <= ticks and self._is_working(row, now)
        )

    @abstractmethod
    def _due_in_turn(self, names: Sequence[str], ticks: int, limit: int) -> list[LaneRow]:
        """Return due lanes, at most `limit`: one of each account after the other."""

    def next_due(self) -> datetime | None:
        Lanes.flush(self)
        rows = self.execute(_WORKING).fetchall()
        return optional_time(min((_due(row) for row in rows), default=None))

    def _is_working(self, row: Row, now: datetime) -> bool:
        """Whether an account is neither paused nor asked for as much as its rate allows."""
        account = self._accounts.get(row["provider"]) or account_of_row(row["provider"], row)
        return is_working(account, now)

    def account(self, name: str) -> AccountRow:
        if name not in self._accounts:
            row = self._one("SELECT * FROM account WHERE name = ?", name)
            self._hold_account(account_of_row(name, row))
        return self._accounts[name]

    def _hold_account(self, account: AccountRow) -> None:
        self._accounts[account.name] = account
        self._written[account.name] = (
            account.paused_until,
            account.unanswered,
            account.free_at,
        )

    def _read_again(self, name: str, row: Row) -> None:
        """Take what others have written of an account that is not changed here yet."""
        found = account_of_row(name, row)
        known = self._accounts.setdefault(name, found)
        known.paused_until, known.unanswered = found.paused_until, found.unanswered
        known.free_at = found.free_at
        self._hold_account(known)

    def put_account(self, row: AccountRow) -> None:
        self._accounts[row.name] = self._changed_accounts[row.name] = row

    def _flush_accounts(self) -> None:
        """Write what has changed of accounts, in the order of their names."""
        pauses: list[tuple[object, ...]] = []
        rates: list[tuple[object, ...]] = []
        for name, row in sorted(self._changed_accounts.items()):
            *pause, free_at = self._written.get(name, (None, 0, None))
            if [row.paused_until, row.unanswered] != pause:
                pauses.append((name, ticks_of(row.paused_until), row.unanswered))
            if row.free_at != free_at:
                rates.append((name, 0, ticks_of(row.free_at)))
            self._hold_account(row)
        if pauses:
            self.execute_many(_PUT_PAUSE, pauses)
        if rates:
            self.execute_many(_PUT_RATE, rates)
        self._changed_accounts.clear()


def is_working(account: AccountRow, now: datetime) -> bool:
    paused = account.paused_until is not None and account.paused_until > now
    return not paused and not is_full(account, now)


def account_of_row(name: str, row: Row | None) -> AccountRow:
    account = AccountRow(name=name)
    if row is None:
        return account
    account.paused_until = optional_time(row["paused_until"])
    account.unanswered = row["unanswered"] or 0
    account.free_at = optional_time(row["free_at"])
    return account


def _due(row: Row) -> int:
    at: int = max(row["due"], row["paused_until"] or 0, row["free_at"] or 0)
    return at
