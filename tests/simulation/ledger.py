"""What really happened in a history, and the promises that it has to keep.

The ledger hears of each step from outside the library: what was accepted and with which plan,
what a journal gave out, what was sent and answered, what was reported, who died. It raises
`BrokenPromise` at the step that breaks one.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from listboss import Capabilities, Event, Idle, MoveLead, Plan, RemoveLead, RemoveTag
from listboss.delivery import (
    ActionState,
    Attempt,
    DeliveryStatus,
    Journal,
    Receipt,
    Result,
    RetryPolicy,
    Status,
)
from listboss.errors import UnknownIdError
from listboss.provider import Accepted, Applied, NoChange, Outcome
from tests.simulation.oracle import Replay, place_target, stamp, tag_target
from tests.simulation.scope import EVERYTHING, Held, outside_of

MAY_PASS = frozenset({Idle.UNKNOWN_PRODUCT, Idle.UNKNOWN_PLAN, Idle.UNKNOWN_EVENT, Idle.NO_RULE})
OPEN = frozenset({Status.PLANNED, Status.WAITING, Status.SENDING})
SUCCESS = frozenset({Status.APPLIED, Status.UNCHANGED, Status.ACCEPTED})
STUCK = frozenset({Status.REFUSED, Status.UNKNOWN, Status.DEAD})
ANSWERED: Mapping[type, Status] = {
    Applied: Status.APPLIED,
    NoChange: Status.UNCHANGED,
    Accepted: Status.ACCEPTED,
}
NEVER = datetime.min.replace(tzinfo=UTC)

Key = tuple[str, str, int]
"""An action: the id of its event, its own, and its generation."""
Lane = tuple[str, str]
"""An account and the key of a contact."""


class BrokenPromise(BaseException):
    """A history does not keep a promise of delivery.

    It is not an `Exception`, since an executor takes those for the failure of a provider.
    """


@attrs.define
class Entry:
    """An accepted event, the plan that counts, and where it is in the order of acceptance."""

    event: Event
    plan: Plan
    number: int
    replanned: bool = False

    @property
    def contact(self) -> str:
        """The key of the contact."""
        return "" if self.event.contact is None else self.event.contact.key


@attrs.define(eq=False)
class Flight:
    """One attempt: who has it, what was answered, and what was recorded of it."""

    attempt: Attempt
    worker: object
    lane: Lane
    deadline: datetime
    """When it is too late to send it, by a clock that is never turned back."""
    answer: Outcome | None = None
    result: Result | None = None
    """What was recorded; None while it is in flight, and for ever if it was lost."""

    @property
    def status(self) -> Status | None:
        """What was recorded, if it was."""
        return None if self.result is None else self.result.status


def key_of(attempt: Attempt) -> Key:
    """Return the key of an attempt's action."""
    return (attempt.event_id, attempt.action_id, attempt.generation)


def key_of_state(event_id: str, state: ActionState) -> Key:
    """Return the key of an action's state."""
    return (event_id, state.planned.id.partition("#")[0], state.generation)


@attrs.define
class Ledger:
    """See the module."""

    journal: Journal
    accounts: Mapping[str, Capabilities]
    in_sync: bool
    entries: dict[str, Entry] = attrs.field(factory=dict)
    erased: dict[str, Entry] = attrs.field(factory=dict)
    gone: dict[str, Entry] = attrs.field(factory=dict)
    """Finished events that were pruned: they still count, and are new when they come again."""
    forgotten: dict[str, datetime] = attrs.field(factory=dict)
    flights: dict[Key, list[Flight]] = attrs.field(factory=lambda: defaultdict(list))
    in_flight: list[Flight] = attrs.field(factory=list)
    is_pruned: bool = False
    freed: set[Key] = attrs.field(factory=set)
    """What the host has put at the end of its lane again."""
    sent_stamp: dict[Lane, tuple[object, ...]] = attrs.field(factory=dict)
    """The stamp of the newest name of the contact that was sent."""
    unexplained: dict[str, set[Held]] = attrs.field(factory=lambda: defaultdict(set))
    """What plans named, by contact, that other plans have replaced."""
    outside: dict[str, set[Held]] = attrs.field(factory=lambda: defaultdict(set))
    """What the promise does not cover, by contact, because of what happened."""

    # Accepting and forgetting

    def accepted(self, event: Event, plan: Plan, receipt: Receipt, *, replan: bool) -> None:
        """Note an event that the journal has accepted, and check the receipt."""
        if event.id in self.erased:
            return
        known = self.entries.get(event.id)
        new = Entry(event, plan, len(self.entries) + len(self.erased))
        if known is None:
            if event.occurred_at <= self.forgotten.get(new.contact, NEVER):
                self.erased[event.id] = new
                expect(receipt.status is DeliveryStatus.FORGOTTEN, "kept", event.id)
                return
            self.entries[event.id] = new
            if event.id in self.gone:
                self._accept_anew(new)
        elif _identity(known.event) != _identity(event):
            expect(receipt.status is DeliveryStatus.CONFLICT, "not a conflict", event.id)
            return
        elif replan or known.plan.idle in MAY_PASS:
            self._replace(known, plan)
        self._check_receipt(event.id, receipt)

    def _accept_anew(self, new: Entry) -> None:
        """Accept an event that was pruned; an id may have become that of another event."""
        old = self.gone.pop(new.event.id)
        if _identity(old.event) != _identity(new.event):
            for contact in (old.contact, new.contact):
                self.outside[contact] |= {(name, EVERYTHING) for name in self.accounts}
        self._replace(old, new.plan)
        new.replanned = True

    def _replace(self, entry: Entry, plan: Plan) -> None:
        """Replace the plan of an event.

        A target that nothing explains any more is left as it is. An absolute clear of a tag or
        place has taken older marks away for good, whatever becomes of its own plan.
        """
        kept = {planned.id for planned in plan.actions}
        dropped = [planned for planned in entry.plan.actions if planned.id not in kept]
        old = attrs.evolve(entry.plan, actions=tuple(dropped))
        self.outside[entry.contact] |= outside_of([(entry.event, old)], self.accounts)
        self.unexplained[entry.contact] |= set(Replay(self.accounts).run([(entry.event, old)]))
        for planned in dropped if entry.plan.context.about is None else ():
            match planned.action:
                case RemoveTag(tag):
                    self.outside[entry.contact].add((planned.provider, tag_target(tag)))
                case RemoveLead(place):
                    self.outside[entry.contact].add((planned.provider, place_target(place)))
                case MoveLead(_, source) if source is not None:
                    self.outside[entry.contact].add((planned.provider, place_target(source)))
                case _:
                    pass
        entry.plan, entry.replanned = plan, True
        self.freed.update(key for key in self.flights if key[0] == entry.event.id)

    def pruned(self) -> None:
        """Note which events have gone; what was finished may be sent again when it comes again."""
        self.is_pruned = True
        for kept in (self.entries, self.erased):
            for event_id in [*kept]:
                if self.knows(event_id):
                    continue
                entry = kept.pop(event_id)
                if kept is self.entries:
                    self.gone[event_id] = entry
                for key in [*self.flights]:
                    if key[0] == event_id:
                        del self.flights[key]

    def knows(self, event_id: str) -> bool:
        """Whether the journal still has an event."""
        try:
            self.journal.receipt(event_id)
        except UnknownIdError:
            return False
        return True

    def unfinished(self) -> list[str]:
        """Return the events of which something is open or stuck."""
        return [
            event_id
            for event_id in (*self.entries, *self.erased)
            for state in self.journal.receipt(event_id).states
            if state.status in OPEN | STUCK
        ]

    def forgot(self, contact: str, now: datetime) -> None:
        """Note that a contact was forgotten."""
        self.forgotten[contact] = max(now, self.forgotten.get(contact, now))
        for event_id, entry in [*self.entries.items()]:
            if entry.contact == contact:
                self.erased[event_id] = self.entries.pop(event_id)
        self.gone = {key: entry for key, entry in self.gone.items() if entry.contact != contact}
        self.outside.pop(contact, None)
        self.unexplained.pop(contact, None)
        for lane in [*self.sent_stamp]:
            if lane[1] == contact:
                del self.sent_stamp[lane]

    def erasing(self, account: str, contact: str) -> None:
        """Note that an account is about to forget a contact, as the journal has done before.

        What was accepted in between is sent before or after that: nobody knows.
        """
        if any(entry.contact == contact for entry in self.entries.values()):
            self.outside[contact].add((account, EVERYTHING))

    # Working

    def given(
        self, worker: object, attempt: Attempt, contact: str, now: datetime, steady: datetime
    ) -> None:
        """Note an attempt that a turn gave out, and check that it may be made now."""
        key, lane = key_of(attempt), (attempt.planned.provider, contact)
        expect(attempt.event_id in self.entries, "sent after it was forgotten", key)
        for other in self.in_flight:
            is_busy = other.attempt.event_id in self.entries and steady < other.deadline
            is_other = other.lane == lane and other.worker is not worker
            expect(not (is_busy and is_other), "sent while the lane was busy", key)
        flights = self.flights[key]
        if flights:
            last = flights[-1].status
            expect(last not in SUCCESS, "sent again after success", key)
            expect(last not in STUCK or key in self.freed, "sent again without the host", key)
        else:
            self._check_order(key, lane, now)
        left = (attempt.call.deadline or now) - now
        flights.append(Flight(attempt, worker, lane, steady + left))
        self.in_flight.append(flights[-1])

    def _check_order(self, key: Key, lane: Lane, now: datetime) -> None:
        """Check that nothing that was accepted earlier in the lane still has to be sent first."""
        entry = self.entries[key[0]]
        if key[2] > 1 or entry.replanned or key in self.freed:
            return
        for event_id, other in self.entries.items():
            if other.contact != lane[1] or other.number > entry.number or other.replanned:
                continue
            for state in self.journal.receipt(event_id).states:
                earlier = key_of_state(event_id, state)
                if earlier == key:
                    return
                if state.planned.provider == lane[0] and state.generation == 1:
                    expect(self._may_pass(earlier, state, now), "sent out of order", key, earlier)

    def _may_pass(self, earlier: Key, state: ActionState, now: datetime) -> bool:
        """Whether later actions of the lane may be sent before this one."""
        if state.status not in OPEN or state.status is Status.SENDING or earlier in self.freed:
            return True
        if self.is_pruned:
            return True  # the history may not say any more what was superseded before
        if state.status is Status.PLANNED:  # superseded before, and taken up again at the end?
            records = self.journal.history(event_id=earlier[0], status=Status.SUPERSEDED)
            return any(record.action == state.planned.action for record in records)
        result = next(f.result for f in reversed(self.flights[earlier]) if f.result is not None)
        if result.hold_until is None or result.until is None:
            return True
        return result.hold_until <= now < result.until

    def begun(self, attempt: Attempt, now: datetime, steady: datetime) -> None:
        """Check that nothing that was given out before it in its lane is on its way, or waits.

        Once a lease is over, the lane may have been given out again.
        """
        flight = self._flight(attempt)
        for other in self.in_flight:
            if other is flight:
                return
            is_other = (other.lane, other.worker) != (flight.lane, flight.worker)
            if is_other or steady >= other.deadline:
                continue
            if self.accounts[flight.lane[0]].can(other.attempt.planned.action):
                key = key_of(attempt)
                expect(other.answer is not None, "sent before an answer", key, other.attempt)
                assert other.answer is not None
                result = RetryPolicy().settle(other.attempt, other.answer, now)
                expect(result.status is not Status.WAITING, "sent past one that waits", key)

    def sent(self, attempt: Attempt, answer: Outcome) -> None:
        """Note what was sent and answered, and check that newer data was not overwritten."""
        flight = self._flight(attempt)
        expect(flight.answer is None, "sent twice by one attempt", key_of(attempt))
        flight.answer = answer
        is_newest = flight is self.flights[key_of(attempt)][-1]
        expect(is_newest, "sent by an old attempt", key_of(attempt))
        entry = self.entries.get(attempt.event_id)
        if entry is None:  # forgotten after it was given out
            self.outside[flight.lane[1]].add((flight.lane[0], EVERYTHING))
        elif "name" in attempt.planned.data:
            new = stamp(entry.event, entry.plan)
            old = self.sent_stamp.get(flight.lane, new)
            expect(old <= new, "older data sent after newer", key_of(attempt))
            self.sent_stamp[flight.lane] = new

    def reported(self, result: Result) -> None:
        """Note that a turn has taken a report; it is recorded unless it came too late."""
        flight = self._flight(result.attempt)
        if flight in self.in_flight:
            self.in_flight.remove(flight)
        state = self._state(key_of(result.attempt))
        if state is not None and state.attempts == result.attempt.call.attempt:
            flight.result = result if state.status is result.status else None

    def _flight(self, attempt: Attempt) -> Flight:
        return next(each for each in self.flights[key_of(attempt)] if each.attempt is attempt)

    def died(self, worker: object) -> None:
        """Note that a worker was killed."""
        self.in_flight = [flight for flight in self.in_flight if flight.worker is not worker]

    def host_asked(self) -> None:
        """Note that the host has taken up again what is stuck or waiting."""
        self.freed.update(self.flights)

    # What is known at any time, and in the end

    def _state(self, key: Key) -> ActionState | None:
        states = self.journal.receipt(key[0]).states
        return next((state for state in states if key_of_state(key[0], state) == key), None)

    def _check_receipt(self, event_id: str, receipt: Receipt) -> None:
        """Check that it is known of every action of the event what has become of it."""
        known = {state.planned.id for state in receipt.states}
        for planned in self.entries[event_id].plan.actions:
            expect(planned.id in known, "lost", event_id, planned.action)
        for state in receipt.states:
            if state.status in SUCCESS:
                self._check_success(key_of_state(event_id, state), state)

    def _check_success(self, key: Key, state: ActionState) -> None:
        """Check that a provider has answered what the journal says."""
        answers = [f.answer for f in self.flights[key] if f.attempt.call.attempt == state.attempts]
        said = [ANSWERED.get(type(answer)) for answer in answers]
        skipped = self.in_sync and state.status is Status.UNCHANGED
        expect(state.status in said or skipped, "success that nobody reported", key)

    def check_receipts(self) -> None:
        """Check what the journal says of every event."""
        for event_id in self.entries:
            self._check_receipt(event_id, self.journal.receipt(event_id))
        for event_id in self.erased:
            for state in self.journal.receipt(event_id).states:
                expect(state.planned.email == "", "still has an address", event_id)

    def check_ended(self, *, healed: bool) -> None:
        """Check that nothing is left to do; once all accounts are well, that all is done."""
        for event_id in [*self.entries, *self.erased]:
            for state in self.journal.receipt(event_id).states:
                expect(state.status not in OPEN, "never ends", event_id, state)
                cannot = state.detail.endswith("the account cannot do this action")
                stuck = state.status in STUCK and not cannot
                expect(not (healed and stuck), "stuck at a healthy account", event_id, state)


def expect(condition: bool, otherwise: str, *facts: object) -> None:
    """Raise `BrokenPromise` unless the condition holds."""
    if not condition:
        raise BrokenPromise(": ".join([otherwise, *map(str, facts)]))


def _identity(event: Event) -> tuple[object, ...]:
    contact = None if event.contact is None else event.contact.key
    return (event.name, event.product_id, contact)
