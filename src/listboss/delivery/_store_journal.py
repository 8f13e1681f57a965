"""`StoreJournal`: the methods of a journal over a store of rows, which all journals share.

The rules of delivery are in `_accept`, `_turn` and `_lanes`, over rows. Here each method checks
its arguments and is one transaction; a journal adds a store of rows and its transactions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from listboss.delivery._accept import accept as _accept
from listboss.delivery._accept import verdict_of
from listboss.delivery._arguments import (
    as_action_status,
    as_count,
    as_moment,
    as_text,
    key_of,
    record_filter,
    require_count,
    require_event_id,
)
from listboss.delivery._forgotten import digest_of, forgotten_id, kept_id
from listboss.delivery._lanes import close, receipt, retry, state_of
from listboss.delivery._retention import prune
from listboss.delivery._rows import ActionRow, RecordFilter, Store
from listboss.delivery._turn import turn
from listboss.delivery.journal import Forgotten, StandingEntry, Stuck, Turn
from listboss.delivery.life import (
    OPEN,
    STUCK,
    DeliveryStatus,
    Happening,
    Receipt,
    Result,
    Status,
)
from listboss.delivery.record import Record
from listboss.errors import ConfigurationError, UnknownIdError
from listboss.plan import Plan
from listboss.rules._wording import describe_event
from listboss.rules.action import Action
from listboss.rules.event import Contact, Event, utc
from listboss.standing import Effect, single_effect

__all__ = ["StoreJournal"]


def _contacts(events: Iterable[Event]) -> list[str]:
    return [event.contact.key for event in events if event.contact is not None]


class StoreJournal(ABC):
    """A journal over a store of rows: what all journals of this library share."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Store]:
        """Return the store, in a transaction that ends with the context."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Store]:
        """Return the store for reading."""

    @abstractmethod
    def _tidy_up(self, now: datetime) -> None:
        """Prune what is too old, if it is time for that."""

    def accept(self, event: Event, plan: Plan, now: datetime, *, replan: bool = False) -> Receipt:
        """See `Journal.accept`."""
        self._tidy_up(now)
        with self._transaction() as store:
            store.lock(_contacts([event]), [event.id])
            return _accept(store, event, plan, now, replan=replan)

    def accept_planned(
        self, pairs: Sequence[tuple[Event, Plan]], now: datetime
    ) -> tuple[Receipt, ...]:
        """Accept events that were planned elsewhere, all in one transaction.

        An event needs only what its plan has columns for. It is not kept itself: `event` returns
        None, and it cannot be planned anew. See `listboss.scale.accept_plans`.
        """
        self._tidy_up(now)
        with self._transaction() as store:
            events = [event for event, _ in pairs]
            store.lock(_contacts(events), [event.id for event in events])
            return tuple(_accept(store, *pair, now, keep_event=False) for pair in pairs)

    def turn(
        self,
        worker: str,
        results: Sequence[Result],
        now: datetime,
        *,
        want: int = 1,
        lease: timedelta = timedelta(seconds=60),
        event_id: str | None = None,
        accept: Sequence[tuple[Event, Plan]] = (),
        replan: bool = False,
        in_doubt: int = 1,
        in_sync: bool = False,
        rates: Mapping[str, int] = MappingProxyType({}),
    ) -> Turn:
        """See `Journal.turn`."""
        self._tidy_up(now)
        with self._transaction() as store:
            events = [event for event, _ in accept]
            store.lock(
                _contacts(events),
                [event.id for event in events],
                [result.attempt for result in results],
                worked_on=event_id,
            )
            receipts = [_accept(store, *pair, now, replan=replan) for pair in accept]
            if event_id is not None and any(map(_is_conflict, receipts)):
                want = 0  # the event of this id is another one
            attempts, records = turn(
                store,
                worker,
                results,
                now,
                want=want,
                lease=lease,
                event_id=event_id,
                in_doubt=in_doubt,
                in_sync=in_sync,
                rates=rates,
            )
        given = Turn(attempts)
        given.records, given.receipts = tuple(records), tuple(receipts)
        return given

    def resume(self, worker: str, now: datetime) -> int:
        """See `Journal.resume`."""
        with self._transaction() as store:
            return self._end_leases(store, self._dead(worker), now)

    def _dead(self, worker: str) -> Collection[str]:
        """Return the workers whose leases can be ended."""
        return {worker}

    def _end_leases(self, store: Store, workers: Iterable[str], now: datetime) -> int:
        lanes = store.lanes_of_workers([*workers])
        for lane in lanes:
            lane.worker, lane.due = None, now
            store.put_lane(lane)
        return len(lanes)

    def event(self, event_id: str) -> Event | None:
        """See `Journal.event`."""
        with self._reading() as store:
            return store.full_event(_known(store, require_event_id(event_id)))

    def receipt(self, event_id: str) -> Receipt:
        """See `Journal.receipt`."""
        with self._reading() as store:
            return receipt(store, require_event_id(event_id))

    def due_at(self) -> datetime | None:
        """See `Journal.due_at`."""
        with self._reading() as store:
            return store.next_due()

    def stuck(
        self, account: str | None = None, product_id: str | None = None, limit: int = 100
    ) -> tuple[Stuck, ...]:
        """See `Journal.stuck`."""
        as_text(account, "$.account")
        as_text(product_id, "$.product_id")
        require_count(limit, "$.limit")
        with self._reading() as store:
            rows = store.stuck_actions(account, product_id, STUCK, limit)
            return tuple(Stuck(row.event_id, state_of(row)) for row in rows)

    def standing(self, contact: Contact | str) -> tuple[StandingEntry, ...]:
        """See `Journal.standing`."""
        with self._reading() as store:
            return tuple(_standing(store, key_of(contact)))

    def history(
        self,
        product_id: str | None = None,
        contact: Contact | str | None = None,
        *,
        event_id: str | None = None,
        segmentation_id: str | None = None,
        provider: str | None = None,
        status: str | None = None,
        is_test: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> tuple[Record, ...]:
        """Return the records that fit everything given, oldest first.

        The History tab of a product is `history("42")`. With a `limit`, these are the newest;
        `before`, the `number` of the first record of one page, gives the page before it.
        """
        wanted = record_filter(
            product_id,
            contact,
            event_id=event_id,
            segmentation_id=segmentation_id,
            provider=provider,
            status=status,
            is_test=is_test,
            since=since,
            until=until,
            before=before,
        )
        most = as_count(limit, "$.limit")
        with self._reading() as store:
            return tuple(store.records(_wanted(store, wanted), most))

    def count(
        self,
        product_id: str | None = None,
        contact: Contact | str | None = None,
        *,
        event_id: str | None = None,
        segmentation_id: str | None = None,
        provider: str | None = None,
        status: str | None = None,
        is_test: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Return how many records fit everything given."""
        wanted = record_filter(
            product_id,
            contact,
            event_id=event_id,
            segmentation_id=segmentation_id,
            provider=provider,
            status=status,
            is_test=is_test,
            since=since,
            until=until,
        )
        with self._reading() as store:
            return store.count(_wanted(store, wanted))

    def events(
        self,
        product_id: str | None = None,
        contact: Contact | str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Event]:
        """See `Journal.events`."""
        product = as_text(product_id, "$.product_id")
        key = None if contact is None else key_of(contact)
        span = as_moment(since, "$.since"), as_moment(until, "$.until")
        return self._events(product, key, *span)

    def _events(
        self,
        product_id: str | None,
        contact: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Iterator[Event]:
        """Read page after page, each in a transaction of its own."""
        after: tuple[datetime, str] | None = None
        while True:
            with self._reading() as store:
                page = store.events(product_id, contact, since, until, after)
            if not page:
                return
            yield from page
            after = page[-1].occurred_at, page[-1].id

    def retry(
        self,
        now: datetime,
        *,
        event_id: str | None = None,
        account: str | None = None,
        status: Status | str | None = None,
    ) -> int:
        """See `Journal.retry`."""
        wanted = as_action_status(status)
        statuses = STUCK | {Status.WAITING} if wanted is None else {wanted}
        as_text(account, "$.account")
        as_text(event_id, "$.event_id")
        with self._transaction() as store:
            locked = store.lock_stuck(event_id, account, statuses)
            if event_id is not None:
                rows = store.actions_of(_known(store, event_id))
                rows = [row for row in rows if row.status in statuses]
                rows = [row for row in rows if account in (None, row.planned.provider)]
            else:
                rows = store.stuck_actions(account, None, statuses, 1_000_000)
            return retry(store, (row for row in rows if locked is None or row.lane in locked), now)

    def forget(self, contact: Contact | str, now: datetime | None = None) -> Forgotten:
        """See `Journal.forget`."""
        key, at = key_of(contact), as_moment(now, "$.now")
        with self._transaction() as store:
            store.lock([key])
            return Forgotten(_forget(store, key, at or store.latest()))

    def prune(self, before: datetime) -> int:
        """See `Journal.prune`."""
        before = utc(before, "$.before", ConfigurationError)
        with self._transaction() as store:
            store.look_at_all(before)
        count, done = 0, False
        while not done:
            with self._transaction() as store:
                pruned, done = prune(store, before)
            count += pruned
        return count


def _known(store: Store, event_id: str) -> str:
    """Return the id under which an event is kept; raises `UnknownIdError` for an unknown one."""
    kept = kept_id(store, event_id)
    if store.event(kept) is None:
        raise UnknownIdError(f"the journal has no event {describe_event(event_id)}")
    return kept


def _wanted(store: Store, wanted: RecordFilter) -> RecordFilter:
    if wanted.event_id is None:
        return wanted
    return wanted._replace(event_id=kept_id(store, wanted.event_id))


def _is_conflict(receipt: Receipt) -> bool:
    return receipt.status is DeliveryStatus.CONFLICT


def _standing(store: Store, contact: str) -> Iterator[StandingEntry]:
    for lane in store.lanes_of(contact):
        sent = {row.target: row for row in store.targets(lane.id)}
        for target in sorted(store.marked_targets(lane.id, None) | sent.keys()):
            verdict, row = verdict_of(store, lane, target), sent.get(target)
            spelled, rules = _spelled(store, verdict.mark, target)
            known = spelled or (None if row is None else row.spelled)
            if known is None or (verdict.mark is None and row is None):
                continue
            mark = verdict.mark
            yield StandingEntry(
                lane.provider,
                known,
                verdict.on,
                None if mark is None else mark.stamp.occurred_at,
                None if mark is None else mark.stamp.event_id,
                rules,
                None if row is None else row.on,
                row is not None and row.confirmed,
            )


def _spelled(store: Store, mark: Any, target: str) -> tuple[Action | None, tuple[str, ...]]:
    """Return an action that names the target, and the rules that asked for it."""
    if mark is None:
        return None, ()
    rows: list[ActionRow] = store.actions_of(mark.stamp.event_id)
    row = next(row for row in rows if row.action_id == mark.action_id)
    effect = Effect(target, mark.reach is None)
    return single_effect(row.planned.action, effect, None), row.planned.because


def _forget(store: Store, contact: str, now: datetime) -> int:
    for event_id in store.event_ids(contact):
        for row in store.actions_of(event_id):
            if row.status in STUCK | OPEN and row.status is not Status.SENDING:
                close(store, row, Happening.FORGET, now, "")
            if row.decided_by is not None:
                row.decided_by = forgotten_id(store, row.decided_by)
                store.put_action(row)
        hidden = forgotten_id(store, event_id)
        if hidden != event_id:
            store.rename_event(event_id, hidden)
    return store.forget(contact, digest_of(store, contact), now)
