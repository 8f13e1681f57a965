"""How many actions an account may be asked for now, so that no minute has more than its rate.

The account's row says from when on the next action may be sent. Actions are counted when they
are claimed, by all workers together. About one second's worth of them may be claimed at once,
and the rest of the minute is spread so that every minute, whenever it begins, keeps the rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from listboss.delivery._rows import AccountRow, LaneRow, Store

__all__ = ["Budget", "is_full"]

_MINUTE = timedelta(minutes=1)
_LONGEST = _MINUTE + timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


def is_full(row: AccountRow, now: datetime) -> bool:
    """Whether the account's rate allows nothing now; no wait is longer than a minute.

    A longer one means that the clock was set back.
    """
    return row.free_at is not None and now < row.free_at <= now + _LONGEST


class Budget:
    """What the rates of accounts leave for one turn; an account without one has no limit."""

    def __init__(self, store: Store, rates: Mapping[str, int], now: datetime) -> None:
        self._store, self._rates, self._now = store, rates, now

    def lock(self, lanes: Iterable[LaneRow]) -> None:
        """Keep other workers from counting for the same accounts.

        All that have a rate are locked at once: two turns that add some later could each wait
        for the other.
        """
        if any(lane.provider in self._rates for lane in lanes):
            self._store.lock_accounts(sorted(self._rates))

    def left(self, account: str, wanted: int) -> int:
        """Return how many of the wanted actions may be sent now."""
        rate = self._rates.get(account)
        if rate is None:
            return wanted
        row = self._store.account(account)
        if is_full(row, self._now):
            return 0
        at_once, apart = _spread(rate)
        ahead = self._next(row, at_once, apart) - self._now
        return min(wanted, (apart * (at_once - 1) - ahead) // apart + 1)

    def take(self, account: str, count: int) -> None:
        """Count actions that are about to be sent."""
        rate = self._rates.get(account)
        if rate is None or count == 0:
            return
        row = self._store.account(account)
        at_once, apart = _spread(rate)
        row.free_at = self._next(row, at_once, apart) + apart * count - apart * (at_once - 1)
        self._store.put_account(row)

    def _next(self, row: AccountRow, at_once: int, apart: timedelta) -> datetime:
        """Return when the next action would be sent if none came earlier than its time."""
        if row.free_at is None or row.free_at > self._now + _LONGEST:
            return self._now
        return max(self._now, row.free_at + apart * (at_once - 1))


def _spread(rate: int) -> tuple[int, timedelta]:
    """Return how many actions may be sent at once, and how far apart the others are."""
    at_once = max(1, rate // 60)
    return at_once, _MINUTE / (rate - at_once + 1) + _MICROSECOND
