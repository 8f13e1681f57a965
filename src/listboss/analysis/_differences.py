"""The second pass of a backtest: the contacts that the change concerns, under both rule sets.

Each event that is kept counts once. What is stored of it is what a later delivery of the same
event may need, and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import attrs

from listboss.analysis._replay import CAN_BE_REPLANNED, AccountTarget, Replay, said
from listboss.analysis._target import TargetNames
from listboss.analysis.change import (
    BacktestReport,
    ContactChange,
    RuleChange,
    RuleSample,
    Sample,
    TargetChange,
)
from listboss.engine import Engine
from listboss.plan import Idle, Plan, PlannedAction
from listboss.rules.event import Contact, Event

__all__ = ["Differences", "Engines", "same_actions"]

MAX_SAMPLES = 10
"""At most this many kinds of difference have a sample."""

Actions: TypeAlias = tuple[PlannedAction, ...]
Kind: TypeAlias = frozenset[tuple[str, str]]
"""How an event is planned differently: for each rule that differs, its id and the word."""


def same_actions(before: Actions, after: Actions) -> bool:
    """Whether two plans of one event ask for the same, for the same reasons.

    An id covers the account and the contact, and equal fields of one event have equal values.
    Measured: comparing all values of the actions takes as long as planning them.
    """
    if len(before) != len(after):
        return False
    for old, new in zip(before, after, strict=True):
        if (
            old.id != new.id
            or old.because != new.because
            or (old.action is not new.action and old.action != new.action)
            or old.data.keys() != new.data.keys()
        ):
            return False
    return True


@attrs.frozen
class Engines:
    """The engines of both rule sets.

    `types` are the events of which equal actions may still say something else of targets.
    """

    before: Engine
    after: Engine
    types: frozenset[str]

    @property
    def both(self) -> tuple[Engine, Engine]:
        """The engine before and the engine after."""
        return self.before, self.after

    def plans(self, event: Event) -> tuple[Plan, Plan]:
        """Plan an event by both."""
        return self.before.plan(event), self.after.plan(event)

    def differ(self, event: Event) -> bool:
        """Whether the two plans of an event ask for or mean different things."""
        before, after = self.plans(event)
        if not same_actions(before.actions, after.actions):
            return True
        return event.name in self.types and said(event, before) != said(event, after)


class _Outcome(NamedTuple):
    """What came of an event under one rule set."""

    idle: Idle | None
    actions: Actions

    def gives_way_to(self, plan: Plan) -> bool:
        """Whether a later delivery is planned anew: the reason to do nothing is gone."""
        return self.idle in CAN_BE_REPLANNED and plan.idle is not self.idle

    def beside(self, other: _Outcome) -> _Outcome:
        """Return what must be stored: the actions only if the other one may be replanned."""
        return self if other.idle in CAN_BE_REPLANNED else self._replace(actions=())


class _Kept(NamedTuple):
    """An event that counts: what it is, and what came of it under each rule set."""

    identity: tuple[str, str]
    before: _Outcome
    after: _Outcome
    differs: bool


class _Person:
    """One contact under both rule sets."""

    __slots__ = ("differing", "email", "kept", "number", "replays")

    def __init__(self, number: int, email: str) -> None:
        self.number, self.email = number, email
        self.replays = (Replay(), Replay())
        self.kept: dict[str, _Kept] = {}
        self.differing = 0


class Differences:
    """Counts what differs, event by event."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._people: dict[str, _Person] = {}
        self._rules: Counter[tuple[str, str]] = Counter()
        self._names = TargetNames()
        self._samples: dict[Kind, tuple[_Person, Event]] = {}

    def take(self, event: Event, contact: Contact) -> None:
        """Take the next event of a contact that the change concerns."""
        person = self._people.get(contact.key)
        if person is None:
            person = _Person(len(self._people) + 1, contact.email)
            self._people[contact.key] = person
        plans = self._engines.plans(event)
        identity, old = (str(event.name), event.product_id), person.kept.get(event.id)
        if old is None:
            fresh = (True, True)
        elif old.identity == identity:
            fresh = (old.before.gives_way_to(plans[0]), old.after.gives_way_to(plans[1]))
        else:
            return  # the id of another event: delivery keeps the first one, too
        if not any(fresh):
            return
        before, after = (_Outcome(plan.idle, plan.actions) for plan in plans)
        if old is not None:
            self._forget(person, event.id, old)
            before, after = (before if fresh[0] else old.before, after if fresh[1] else old.after)
        differs = self._keep(person, event, plans, fresh)
        differs = self._count(person, event, before, after) or differs
        person.kept[event.id] = _Kept(identity, before.beside(after), after.beside(before), differs)
        person.differing += differs

    def _keep(
        self,
        person: _Person,
        event: Event,
        plans: tuple[Plan, Plan],
        fresh: tuple[bool, bool],
    ) -> bool:
        """Keep what an event says where it is planned; return whether it says something else."""
        first = said(event, plans[0])
        says = (first, first)
        is_same = same_actions(plans[0].actions, plans[1].actions)
        if not is_same or event.name in self._engines.types:
            says = (first, said(event, plans[1]))
        for replay, plan, spoken, is_fresh in zip(person.replays, plans, says, fresh, strict=True):
            if is_fresh:
                replay.keep(event, plan, spoken)
                self._names.add(plan)
        return all(fresh) and says[0] != says[1]

    def _count(self, person: _Person, event: Event, before: _Outcome, after: _Outcome) -> bool:
        """Count the rules of an event; return whether one of them does something else."""
        words = _rule_words(before.actions, after.actions)
        self._rules.update(words.items())
        kind = frozenset(pair for pair in words.items() if pair[1] != "unchanged")
        if kind and kind not in self._samples and len(self._samples) < MAX_SAMPLES:
            self._samples[kind] = (person, event)
        return bool(kind)

    def _forget(self, person: _Person, event_id: str, old: _Kept) -> None:
        """Take back what was counted of an event that is planned anew."""
        self._rules.subtract(_rule_words(old.before.actions, old.after.actions).items())
        person.differing -= old.differs
        for kind, (owner, event) in [*self._samples.items()]:
            if owner is person and event.id == event_id:
                del self._samples[kind]

    def report(self, events: int) -> BacktestReport:
        """Return what differs in the end."""
        contacts: list[ContactChange] = []
        targets: Counter[tuple[AccountTarget, str]] = Counter()
        changed = 0
        for person in self._people.values():
            before, after = (replay.on() for replay in person.replays)
            added, removed, same = after - before, before - after, before & after
            changed += bool(person.differing or added or removed)
            for word, places in (("added", added), ("removed", removed), ("unchanged", same)):
                targets.update((place, word) for place in places)
            if added or removed:
                contacts.append(
                    ContactChange(
                        number=person.number,
                        contact=person.email,
                        events=person.differing,
                        added=self._names.texts(added),
                        removed=self._names.texts(removed),
                        unchanged=len(same),
                    )
                )
        return BacktestReport(
            events=events,
            changed=changed,
            rules=self._rule_changes(),
            targets=self._target_changes(targets),
            contacts=tuple(contacts),
            samples=tuple(self._sample(kind, *pair) for kind, pair in self._samples.items()),
        )

    def _rule_changes(self) -> tuple[RuleChange, ...]:
        words = ("added", "removed", "changed")
        ids = {rule for (rule, word), count in self._rules.items() if word in words and count}
        changes = [
            RuleChange(
                segmentation_id=rule,
                name=_name(rule, self._engines),
                unchanged=self._rules[rule, "unchanged"],
                **{word: self._rules[rule, word] for word in words},
            )
            for rule in ids
        ]
        changes.sort(
            key=lambda each: (-each.added - each.removed, -each.changed, each.segmentation_id)
        )
        return tuple(changes)

    def _target_changes(
        self, counts: Counter[tuple[AccountTarget, str]]
    ) -> tuple[TargetChange, ...]:
        differing = {target for target, word in counts if word != "unchanged"}
        changes: list[TargetChange] = []
        for target in differing:
            provider, (kind, name) = target[0], self._names[target]
            changes.append(
                TargetChange(
                    provider=provider,
                    kind=kind,
                    name=name,
                    **{word: counts[target, word] for word in ("added", "removed", "unchanged")},
                )
            )
        changes.sort(key=lambda each: (-each.added - each.removed, attrs.astuple(each)[:3]))
        return tuple(changes)

    def _sample(self, kind: Kind, person: _Person, event: Event) -> Sample:
        before, after = self._engines.plans(event)
        rules = sorted(rule for rule, _ in kind)
        old, new = (_why(engine, event, rules) for engine in self._engines.both)
        return Sample(
            event_id=event.id,
            event_name=event.name,
            product_id=event.product_id,
            occurred_at=event.occurred_at,
            number=person.number,
            contact=person.email,
            before=_action_texts(before.actions, after.actions),
            after=_action_texts(after.actions, before.actions),
            rules=tuple(
                RuleSample(
                    segmentation_id=rule,
                    name=_name(rule, self._engines),
                    before=old[rule],
                    after=new[rule],
                )
                for rule in rules
            ),
        )


def _rule_words(before: Actions, after: Actions) -> dict[str, str]:
    """Return for each rule that runs: `added`, `removed`, `changed` or `unchanged`."""
    if same_actions(before, after):
        return {rule: "unchanged" for planned in before for rule in planned.because}
    old, new = _by_rule(before), _by_rule(after)
    words: dict[str, str] = {}
    for rule in {**old, **new}:
        if rule not in new:
            words[rule] = "removed"
        elif rule not in old:
            words[rule] = "added"
        else:
            words[rule] = "unchanged" if old[rule] == new[rule] else "changed"
    return words


def _by_rule(actions: Actions) -> dict[str, list[tuple[str, object, object]]]:
    """Return what each rule asks for, in the order of the plan."""
    asked: dict[str, list[tuple[str, object, object]]] = {}
    for planned in actions:
        for rule in planned.because:
            asked.setdefault(rule, []).append((planned.id, planned.action, planned.data))
    return asked


def _action_texts(actions: Actions, others: Actions) -> tuple[str, ...]:
    """Return in words what only these actions ask for; the fields where only they differ."""
    ids = {planned.id for planned in others}
    return tuple(
        str(planned)
        + (f", with {', '.join(planned.data) or 'no data'}" if planned.id in ids else "")
        for planned in actions
        if planned not in others
    )


def _why(engine: Engine, event: Event, rules: Sequence[str]) -> dict[str, str]:
    """Return for each rule that it runs, or why it does not."""
    plan = engine.plan(event)
    texts = {outcome.segmentation_id: outcome.text for outcome in engine.explain(event).rules}
    running = {rule for planned in plan.actions for rule in planned.because}
    return {
        rule: "runs" if rule in running else texts.get(rule, "there is no such rule")
        for rule in rules
    }


def _name(rule_id: str, engines: Engines) -> str:
    """Return the name of a rule: both names if it was renamed, none of an automatic one."""
    names = {
        engine.rules.segmentation(rule_id).name
        for engine in engines.both
        if rule_id in engine.rules
    }
    return " / ".join(sorted(names))
