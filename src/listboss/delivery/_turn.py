"""A turn of a worker: record outcomes, claim lanes that are due, judge, and note the intents.

An action is judged when it is claimed, by what all events say at that moment: what is stale
is superseded and never sent. All of a turn is one transaction. A lane is leased to its
worker; a late report of a lease that is over changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import attrs

from listboss.delivery._accept import verdict_of
from listboss.delivery._claimable import changed_accounts, lanes_to_claim
from listboss.delivery._data import fresh_data, without_stale_data
from listboss.delivery._forgotten import kept_id
from listboss.delivery._lanes import abandon, append, close, interrupt, release, write_outcome
from listboss.delivery._rate import Budget
from listboss.delivery._rows import ActionRow, LaneRow, Store, TargetRow
from listboss.delivery.life import OPEN, Attempt, Happening, Result, Status, moved
from listboss.delivery.record import Record
from listboss.plan import PlannedAction
from listboss.provider import Call
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import AddLead, MoveLead, ProviderAction
from listboss.rules.event import FactValue
from listboss.standing import ANY_PLACE, Effect, Mark, Reach, Verdict, effects_of, single_effect

__all__ = ["turn"]

MAX_UNANSWERED = 10
"""After this many attempts in a row without an answer, an account is paused: it is down."""


class _Terms(NamedTuple):
    """The worker that takes a turn, the time, and the terms."""

    worker: str
    now: datetime
    lease: timedelta
    in_doubt: int
    in_sync: bool


def turn(
    store: Store,
    worker: str,
    results: Sequence[Result],
    now: datetime,
    *,
    want: int,
    lease: timedelta,
    event_id: str | None = None,
    in_doubt: int = 1,
    in_sync: bool = False,
    rates: Mapping[str, int] = MappingProxyType({}),
) -> tuple[list[Attempt], list[Record]]:
    """Record outcomes, claim lanes that are due, judge, and note what is about to be sent."""
    terms = _Terms(worker, now, lease, in_doubt, in_sync)
    changed = changed_accounts(store, results)
    if changed:
        store.lock_accounts(sorted(changed | rates.keys()))
    recorded: dict[int, LaneRow] = {}
    records = [_record_result(store, result, now, recorded) for result in results]
    for lane in recorded.values():
        release(store, lane, now, lease)
    attempts: list[Attempt] = []
    if want > 0:
        budget = Budget(store, rates, now)

        def lanes_wanted() -> int:
            return -(-(want - len(attempts)) // in_doubt)

        for lane in lanes_to_claim(store, now, event_id, budget, lanes_wanted):
            most = budget.left(lane.provider, in_doubt)
            if most > 0:
                given = _claim(store, lane, terms._replace(in_doubt=most), records)
                budget.take(lane.provider, len(given))
                attempts += given
            if len(attempts) >= want:
                break
    return attempts, records


def _record_result(
    store: Store, result: Result, now: datetime, lanes: dict[int, LaneRow]
) -> Record:
    """Write down what an attempt came to; a late report of a lost lease changes nothing.

    Its lane is put into `lanes`: it is to be released.
    """
    attempt = result.attempt
    event_id = kept_id(store, attempt.event_id)
    row = store.action(event_id, attempt.action_id, attempt.generation)
    if row is None or row.status is not Status.SENDING or row.attempts != attempt.call.attempt:
        return _late(store, event_id, result, now)
    account = store.account(attempt.planned.provider)
    if result.sent:  # what was not sent says nothing of the account
        account.unanswered = account.unanswered + 1 if result.outage_until else 0
    pause = result.pause_until
    if account.unanswered >= MAX_UNANSWERED and result.outage_until is not None:
        pause = result.outage_until
    if pause is not None and (account.paused_until is None or pause > account.paused_until):
        account.paused_until = pause
    store.put_account(account)
    row.status, row.detail = result.status, result.detail
    row.until, row.hold_until = result.until, result.hold_until
    if row.status is not Status.WAITING:
        row.waiting_since = None
    elif result.sent:  # the patience for what was not sent has not begun
        row.waiting_since = row.waiting_since or now
    store.put_action(row)
    if row.status in (Status.APPLIED, Status.UNCHANGED, Status.ACCEPTED):
        _confirm(store, row)
    lane = lanes[row.lane] = store.lane_by_id(row.lane)
    if row.status not in OPEN:
        lane.open -= 1
    return write_outcome(store, row, now)


def _late(store: Store, event_id: str, result: Result, now: datetime) -> Record:
    attempt = result.attempt
    event = store.event(event_id)
    record = Record(
        time=now,
        product_id="" if event is None else event.product_id,
        event_name="" if event is None else event.name,
        event_id=event_id,
        provider=attempt.planned.provider,
        status=result.status,
        detail="reported late, after the lease had ended; nothing was changed",
        is_test=attempt.call.is_test,
    )
    store.add_record(record, None if event is None else event.contact)
    return record


def _confirm(store: Store, row: ActionRow) -> None:
    """Note that the provider confirmed what was sent last for each target of the action."""
    for effect in row.effects:
        target = store.target(row.lane, effect.target)
        if target is not None and target.stamp == row.stamp and target.on is effect.asserts:
            target.confirmed = True
            store.put_target(target)


def _claim(store: Store, lane: LaneRow, terms: _Terms, records: list[Record]) -> list[Attempt]:
    """Lease a lane and give out its next actions; those that are stale are superseded."""
    attempts: list[Attempt] = []
    rows = store.open_actions(lane.id)
    for row in _ready(store, rows, terms.now, records):
        if len(attempts) >= terms.in_doubt:
            break
        planned = _judge_action(store, lane, row)
        if isinstance(planned, Verdict):
            records.append(_supersede(store, lane, row, planned, terms.now))
        elif terms.in_sync and _is_confirmed(store, row):
            records.append(close(store, row, Happening.SKIP, terms.now, "confirmed already"))
        else:
            attempts.append(_send(store, row, planned, terms))
    _interrupt_others(store, rows, terms.now, records)
    lane = store.lane_by_id(lane.id)
    if attempts:
        lane.worker, lane.due = terms.worker, terms.now + terms.lease
        store.put_lane(lane)
    else:
        release(store, lane, terms.now, terms.lease)
    return attempts


def _interrupt_others(
    store: Store, rows: Iterator[ActionRow], now: datetime, records: list[Record]
) -> None:
    """Take back what a dead worker left behind the actions that are given out now."""
    for row in rows:
        if row.status is Status.SENDING:
            records += interrupt(store, row, now)
        elif row.attempts == 0:  # behind one that was never given out, nothing is in flight
            return


def _ready(
    store: Store, rows: Iterator[ActionRow], now: datetime, records: list[Record]
) -> Iterator[ActionRow]:
    """Return the actions that may be sent now, in order; what a dead worker left comes first."""
    for row in rows:
        if row.status is Status.SENDING:
            records += interrupt(store, row, now)
            if row.status not in OPEN:
                continue
        if row.status is Status.WAITING and row.until is not None and row.until > now:
            if row.hold_until is not None and row.hold_until > now:
                return
            continue
        yield row


def _judge_action(store: Store, lane: LaneRow, row: ActionRow) -> PlannedAction | Verdict:
    """Return what is to be sent of an action, or the verdict that supersedes it."""
    action = row.planned.action
    if row.is_test:
        return row.planned
    if isinstance(action, MoveLead) and action.if_absent == "skip":
        return _judged_skip(store, lane, row, action)
    if not row.effects:
        return _judged_verb(store, lane, row)
    asked: list[Effect] = []
    against: Verdict | None = None
    for effect in row.effects:
        verdict = _against(store, lane, row, effect)
        if verdict is None:
            asked.append(effect)
        else:
            against = verdict
    if against is None:
        return row.planned
    for effect in asked:
        known = store.target(lane.id, effect.target)
        single = single_effect(action, effect, None if known is None else known.spelled)
        if single is not None:
            return attrs.evolve(row.planned, action=single)
    return against


def _against(store: Store, lane: LaneRow, row: ActionRow, effect: Effect) -> Verdict | None:
    """Return the verdict that speaks against an effect, or None if it is still asked for."""
    if effect.target == ANY_PLACE:
        for target in sorted(store.marked_targets(lane.id, None)):
            if target.startswith("place:") and target not in (effect.keep, ANY_PLACE):
                verdict = verdict_of(store, lane, target)
                if verdict.on:
                    return verdict
        return None
    verdict = verdict_of(store, lane, effect.target)
    if verdict.on is not effect.asserts or verdict.mark is None:  # the rules ask for it no more
        return verdict
    sent = store.target(lane.id, effect.target)
    if sent is None or sent.stamp is None or sent.stamp <= row.stamp:
        return None
    return verdict if sent.on is effect.asserts else None


def _judged_skip(
    store: Store, lane: LaneRow, row: ActionRow, action: MoveLead
) -> PlannedAction | Verdict:
    if action.source is None:
        return row.planned
    (effect,) = effects_of(AddLead(action.source))
    verdict = verdict_of(store, lane, effect.target)
    return row.planned if verdict.on or verdict.mark is None else verdict


def _judged_verb(store: Store, lane: LaneRow, row: ActionRow) -> PlannedAction | Verdict:
    """A verb without a target is not sent once its own grant was ended by a newer event."""
    if isinstance(row.planned.action, ProviderAction) and row.grant and not row.always:
        ended = store.ended_after(lane.contact, row.grant, row.stamp)
        if ended is not None:
            reach = Mark(lane.provider, "", row.grant, Reach.GRANT, ended, row.action_id)
            return Verdict(on=False, mark=reach)
    return row.planned


def _supersede(
    store: Store, lane: LaneRow, row: ActionRow, verdict: Verdict, now: datetime
) -> Record:
    decided_by = None if verdict.mark is None else verdict.mark.stamp.event_id
    detail = "" if decided_by is None else f"decided by event {decided_by}"
    record = close(store, row, Happening.SUPERSEDE, now, detail, decided_by=decided_by)
    abandon(store, row)
    _carry(store, lane, row, now)
    return record


def _carry(store: Store, lane: LaneRow, row: ActionRow, now: datetime) -> None:
    """Plan a bare AddLead for data that is newer than what was sent, if nothing else carries it."""
    fresh = fresh_data(store, row, changed_only=True)
    if not fresh or not row.carries:
        return
    later = (each for each in store.open_actions(lane.id) if each.stamp >= row.stamp)
    if any(fresh.keys() <= each.planned.data.keys() for each in later):
        return
    rows = [each for each in store.actions_of(row.event_id) if each.action_id == row.action_id]
    generation = 1 + max(each.generation for each in rows)
    email: dict[str, FactValue] = (
        {"email": row.planned.email} if "email" in row.planned.data else {}
    )
    planned = attrs.evolve(
        row.planned,
        action=AddLead(),
        data=FrozenMap({**email, **fresh}),
        id=f"{row.action_id}#{generation}",
    )
    new = attrs.evolve(
        row,
        generation=generation,
        source=planned,
        effects=(),
        accepted_at=now,
        status=Status.PLANNED,
        attempts=0,
        detail="",
        decided_by=None,
        sent=None,
    )
    append(store, store.lane_by_id(lane.id), new, now)


def _send(store: Store, row: ActionRow, planned: PlannedAction, terms: _Terms) -> Attempt:
    """Note that an action is about to be sent, and give it out."""
    if not row.is_test:
        planned = without_stale_data(store, row, planned)
    key = row.planned.id
    if row.sent is not None and row.sent != planned.action and not row.is_test:
        # What was sent before had this key, and is not what is sent now.
        key = f"{row.action_id}#{row.generation}.{row.attempts + 1}"
    planned = attrs.evolve(planned, id=key) if key != planned.id else planned
    row.status = moved(row.status, Happening.SEND)
    row.attempts += 1
    row.until = row.hold_until = None
    row.sent = planned.action
    store.put_action(row)
    _note_sent(store, row, planned)
    call = Call(
        attempt=row.attempts,
        deadline=terms.now + terms.lease / 2,
        is_test=row.is_test,
        key=key,
        occurred_at=row.stamp.occurred_at,
    )
    return Attempt(
        planned,
        call,
        row.event_id,
        row.action_id,
        row.generation,
        row.accepted_at,
        row.waiting_since,
        row.repeatable,
    )


def _is_confirmed(store: Store, row: ActionRow) -> bool:
    """Whether the provider has confirmed everything that an action asks for."""
    if not row.effects or fresh_data(store, row, changed_only=True):
        return False
    targets = [(store.target(row.lane, effect.target), effect) for effect in row.effects]
    return all(
        target is not None and target.confirmed and target.on is effect.asserts
        for target, effect in targets
    )


def _note_sent(store: Store, row: ActionRow, planned: PlannedAction) -> None:
    """Note for each target what is being sent; a clear of every place takes all others off."""
    action = planned.action
    sent = row.effects
    if action != row.planned.action:
        asked = {effect[:2] for effect in effects_of(action)}
        sent = tuple(effect for effect in row.effects if effect[:2] in asked)
    for effect in sent:
        if effect.target == ANY_PLACE:
            for each in store.targets(row.lane):
                if each.target.startswith("place:") and each.target != effect.keep and each.on:
                    _put_target(store, each, row, on=False)
            continue
        target = store.target(row.lane, effect.target)
        if target is None:
            spelled = single_effect(action, effect, None) or action
            target = TargetRow(lane=row.lane, target=effect.target, spelled=spelled)
        _put_target(store, target, row, on=effect.asserts)


def _put_target(store: Store, target: TargetRow, row: ActionRow, *, on: bool) -> None:
    target.on, target.stamp, target.confirmed = on, row.stamp, False
    store.put_target(target)
