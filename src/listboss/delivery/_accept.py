"""Accept an event: keep it once, its actions, and what they say of tags and places.

`accept` is one transaction. A late event may change which tags and places a contact should
have: then a single call is planned for each one that differs from what was sent last, in the
name of the action that decided. Nothing here sends, waits or reads a clock.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from listboss.delivery._forgotten import forgotten_id, kept_id, was_forgotten
from listboss.delivery._lanes import abandon, append, close, receipt, reopen, write_event
from listboss.delivery._rows import ActionRow, EventRow, LaneRow, Store, TargetRow
from listboss.delivery.life import (
    OPEN,
    STUCK,
    DeliveryStatus,
    Happening,
    Receipt,
    Status,
)
from listboss.delivery.record import Record
from listboss.plan import Idle, Plan
from listboss.rules.action import ProviderAction
from listboss.rules.event import Event
from listboss.standing import (
    ANY_PLACE,
    Effect,
    Mark,
    Reach,
    Target,
    Verdict,
    effects_of,
    ending_of,
    grant_of,
    judge,
    link_of,
    marks_of,
    single_effect,
    stamp_of,
)

__all__ = ["accept", "verdict_of"]

_MAY_PASS = frozenset({Idle.UNKNOWN_PRODUCT, Idle.UNKNOWN_PLAN, Idle.UNKNOWN_EVENT, Idle.NO_RULE})
"""Reasons that other rules may remove: such an event is planned anew when it is redelivered."""


def accept(
    store: Store,
    event: Event,
    plan: Plan,
    now: datetime,
    *,
    replan: bool = False,
    keep_event: bool = True,
) -> Receipt:
    """Keep an event and its plan; return what is known of it by now.

    A redelivered event changes nothing, unless `replan`, or its reason to do nothing is gone.
    Without `keep_event`, everything but the event itself is kept.
    """
    known = store.event(kept_id(store, event.id))
    contact = None if event.contact is None else event.contact.key
    if known is not None:
        if not known.forgotten and not _is_same(known, event, contact):
            return _conflict(store, event, now)
        passed = known.idle in _MAY_PASS and plan.idle is not known.idle
        if known.forgotten or not (replan or passed):
            return receipt(store, event.id)
    row = EventRow(
        id=event.id,
        name=str(event.name),
        product_id=event.product_id,
        contact=contact,
        email=None if event.contact is None else event.contact.email,
        subscription_plan=event.plan_id or event.plan_name,
        occurred_at=event.occurred_at,
        accepted_at=now,
        is_test=plan.is_test,
        idle=plan.idle,
        event=event if keep_event else None,
    )
    if contact is not None and known is None and was_forgotten(store, contact, event.occurred_at):
        hidden = forgotten_id(store, event.id)
        row = attrs.evolve(row, id=hidden, contact=None, email=None, event=None, forgotten=True)
        store.put_event(row)
        write_event(store, row, now, DeliveryStatus.FORGOTTEN)
        return receipt(store, event.id)
    store.put_event(row)
    if contact is not None:
        touched = _keep_marks(store, event, plan, contact, replan=known is not None)
        _keep_actions(store, event, plan, contact, now)
        _stand_up(store, touched, now, event.id)
    if not plan.actions and not store.actions_of(event.id):
        write_event(store, row, now, DeliveryStatus.IDLE, plan.idle or "")
    return receipt(store, event.id)


def _is_same(known: EventRow, event: Event, contact: str | None) -> bool:
    return (known.name, known.product_id, known.contact) == (
        str(event.name),
        event.product_id,
        contact,
    )


def _conflict(store: Store, event: Event, now: datetime) -> Receipt:
    """Record that an id came with another name, product or contact; keep what there is."""
    detail = "the id is that of another event: its name, product or contact differs"
    store.add_record(
        Record(
            time=now,
            product_id=event.product_id,
            event_name=event.name,
            event_id=event.id,
            status=DeliveryStatus.CONFLICT,
            detail=detail,
            is_test=event.is_test,
        ),
        None,
    )
    return Receipt(event.id, DeliveryStatus.CONFLICT)


def _keep_marks(
    store: Store, event: Event, plan: Plan, contact: str, *, replan: bool
) -> dict[int, set[Target]]:
    """Store what the event says; return the targets, by lane, whose verdict may change."""
    touched: dict[int, set[Target]] = {}
    lanes = {lane.id: lane for lane in store.lanes_of(contact)}
    relinked = False
    if replan:
        store.drop_endings(contact, event.id)
        for lane in lanes.values():
            dropped = store.drop_marks(lane.id, event.id)
            touched[lane.id] = dropped | store.marked_targets(lane.id, None)
    if plan.is_test:
        return touched
    link = link_of(event)
    if link is not None:
        relinked = store.add_link(contact, *link, stamp_of(plan))
    ending = ending_of(event, plan)
    if ending is not None:
        store.add_ending(contact, ending)
    if relinked or ending is not None:
        for lane in lanes.values():
            targets = store.marked_targets(lane.id, event.product_id)
            touched.setdefault(lane.id, set()).update(targets)
    for mark in marks_of(event, plan):
        lane = store.lane(mark.provider, contact)
        touched.setdefault(lane.id, set()).update(_add_mark(store, lane, mark))
    return touched


def _add_mark(store: Store, lane: LaneRow, mark: Mark) -> set[Target]:
    """Store a mark; return the targets that it says something of."""
    store.add_mark(lane.id, mark)
    if mark.reach is Reach.ALL:
        store.cover(lane.id, mark)
    if mark.target != ANY_PLACE:
        return {mark.target}
    places = store.marked_targets(lane.id, None)
    return {each for each in places if each.startswith("place:") and each != mark.keep}


def _keep_actions(store: Store, event: Event, plan: Plan, contact: str, now: datetime) -> None:
    """Store the actions of a plan; of a known event, those that are over stay as they are."""
    old = {row.action_id: row for row in store.actions_of(event.id) if row.generation == 1}
    stamp, grant = stamp_of(plan), grant_of(event)
    for planned in plan.actions:
        row = old.pop(planned.id, None)
        if row is not None:
            if row.status in STUCK or row.status is Status.SUPERSEDED:
                reopen(store, row, planned, Happening.RETRY, now)
            continue
        account = plan.context.accounts.get(planned.provider)
        verb = None
        if account is not None and isinstance(planned.action, ProviderAction):
            verb = account.verb(planned.action.verb)
        is_set_action = not isinstance(planned.action, ProviderAction)
        idempotent = account is not None and account.idempotent
        append(
            store,
            store.lane(planned.provider, contact),
            ActionRow(
                event_id=event.id,
                action_id=planned.id,
                generation=1,
                lane=0,
                position=0,
                product_id=event.product_id,
                source=planned,
                stamp=stamp,
                grant=grant,
                effects=() if plan.is_test else effects_of(planned.action, account),
                accepted_at=now,
                repeatable=is_set_action or idempotent or (verb is not None and verb.idempotent),
                is_test=plan.is_test,
                always=verb is not None and verb.always,
                carries=account is not None and account.add_lead != "none",
            ),
            now,
        )
    for row in old.values():
        if row.status in (Status.PLANNED, Status.WAITING) or row.status in STUCK:
            close(store, row, Happening.SUPERSEDE, now, "the rules do not ask for it any more")
            abandon(store, row)


def verdict_of(store: Store, lane: LaneRow, target: Target) -> Verdict:
    """Say whether a tag or place of a lane should be on."""
    return judge(store.index(lane, target))


def _stand_up(store: Store, touched: dict[int, set[Target]], now: datetime, event_id: str) -> None:
    """Plan a single call for each target that should not be as it was last sent.

    None is needed where an action on its way does the same; those of the event itself, which
    most often do, are looked at first.
    """
    own = {
        (row.lane, *effect[:2])
        for row in store.actions_of(event_id)
        if row.status in OPEN
        for effect in row.effects
    }
    for number in sorted(touched):
        lane = store.lane_by_id(number)
        wanted = {each: verdict_of(store, lane, each) for each in sorted(touched[number])}
        differing = [
            (target, verdict.on, verdict.mark)
            for target, verdict in wanted.items()
            if verdict.mark is not None
            and (number, target, verdict.on) not in own
            and _differs(store.target(number, target), verdict)
        ]
        if not differing:
            continue
        under_way = {
            (effect.target, effect.asserts)
            for row in store.open_actions(number)
            for effect in row.effects
        }
        for target, on, mark in differing:
            if (target, on) not in under_way:
                _stand_up_target(store, lane, Effect(target, on), mark, now)


def _differs(row: TargetRow | None, verdict: Verdict) -> bool:
    if row is None or row.on is None:
        return verdict.on
    return row.on is not verdict.on or row.stamp is None


def _stand_up_target(
    store: Store, lane: LaneRow, effect: Effect, mark: Mark, now: datetime
) -> None:
    """Plan the one call that the deciding action would have made for the target."""
    # INVARIANT: the action of a mark is kept as long as the mark (test_retention).
    rows = [row for row in store.actions_of(mark.stamp.event_id) if row.action_id == mark.action_id]
    first = rows[0]
    if first.status is Status.SUPERSEDED and first.effects == (effect,) and first.sent is None:
        reopen(store, first, first.planned, Happening.STAND_UP, now)
        return
    known = store.target(lane.id, effect.target)
    action = single_effect(first.planned.action, effect, None if known is None else known.spelled)
    if action is None:
        return
    generation = 1 + max(row.generation for row in rows)
    planned = attrs.evolve(first.planned, action=action, id=f"{mark.action_id}#{generation}")
    row = attrs.evolve(
        first,
        generation=generation,
        source=planned,
        effects=(effect,),
        accepted_at=now,
        status=Status.PLANNED,
        attempts=0,
        until=None,
        hold_until=None,
        waiting_since=None,
        detail="",
        decided_by=None,
        sent=None,
    )
    append(store, lane, row, now)
