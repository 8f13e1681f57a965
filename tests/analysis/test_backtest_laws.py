"""A backtest agrees with two journals that take all events, and is a mirror of its reverse."""

import pickle
import random
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import attrs

from listboss import AddTag, Catalogue, Contact, Engine, Event, RuleSet, where
from listboss.analysis import BacktestReport, backtest
from listboss.delivery import MemoryJournal
from listboss.rules.action import action_key
from listboss.testing import random_condition, random_event, random_facts, random_rules
from listboss.testing._worlds import ACTIONS, NOON


def changed(dice: random.Random, rules: RuleSet) -> RuleSet:
    """Change a few rules of a small world, and sometimes an account or capture."""
    segmentations = [*rules.segmentations]
    for _ in range(dice.randint(1, 3) if segmentations else 0):
        at = dice.randrange(len(segmentations))
        rule = segmentations[at]
        condition = random_condition(dice) if rule.condition is None else None
        segmentations[at] = dice.choice(
            (
                attrs.evolve(rule, enabled=not rule.enabled),
                attrs.evolve(rule, condition=condition),
                attrs.evolve(rule, actions=[dice.choice(ACTIONS)]),
                attrs.evolve(rule, send=("email",)),
                attrs.evolve(rule, event="purchase.approved"),
            )
        )
    if dice.randint(0, 3) == 0:
        del segmentations[:1]
    providers = dict(rules.providers)
    if dice.randint(0, 9) == 0:
        name = dice.choice([*providers])
        providers[name] = attrs.evolve(providers[name], one_place=not providers[name].one_place)
    return RuleSet(
        rules.products,
        segmentations,
        providers=providers,
        catalogue=rules.catalogue if dice.randint(0, 7) else other_meaning(dice, rules.catalogue),
        capture_provider=rules.capture_provider if dice.randint(0, 9) else None,
    )


def other_meaning(dice: random.Random, catalogue: Catalogue) -> Catalogue:
    """Let one kind of event end what it did not end, or the reverse, and change its rank."""
    events = [*catalogue.events]
    at = dice.randrange(len(events))
    events[at] = attrs.evolve(
        events[at],
        about=events[at].about or "purchase",
        ends=not events[at].ends,
        rank=events[at].rank + 1,
    )
    return Catalogue(events, catalogue.facts)


def arrivals(dice: random.Random, rules: RuleSet, number: int = 30) -> list[Event]:
    """Make events that arrive late and repeatedly, some of them with other facts."""
    events: list[Event] = []
    for n in range(number):
        known = random_event(dice, rules, id=f"e-{n}")
        hours = timedelta(hours=dice.randint(-5, 5))
        more: dict[str, Any] = {
            "transaction": dice.choice((None, "P1", "P2", "P3")),
            "subscriber_code": dice.choice((None, None, "S1", "S2")),
        }
        events.append(attrs.evolve(known, occurred_at=NOON + hours, **more))
    for _ in range(number // 4):
        again = dice.choice(events)
        if dice.randint(0, 1):
            again = attrs.evolve(again, facts=random_facts(dice))
        events.insert(dice.randint(0, len(events)), again)
    return events


def journal_of(rules: RuleSet, events: list[Event]) -> MemoryJournal:
    """Deliver all events to a journal."""
    engine, journal = Engine(rules), MemoryJournal(keep=None)
    for event in events:
        journal.accept(event, engine.plan(event), NOON)
    return journal


def on(journal: MemoryJournal, contact: Contact) -> set[object]:
    """The tags and places that a contact should have."""
    entries = journal.standing(contact)
    return {(entry.provider, action_key(entry.target)) for entry in entries if entry.on}


def runs(journal: MemoryJournal, events: list[Event]) -> dict[str, set[str]]:
    """The events on which each rule runs."""
    found: dict[str, set[str]] = {}
    for event in events:
        for state in journal.receipt(event.id).states:
            if "#" not in state.planned.id:  # what a late event corrects has another id
                for rule in state.planned.because:
                    found.setdefault(rule, set()).add(event.id)
    return found


def case(seed: int) -> tuple[RuleSet, RuleSet, list[Event]]:
    """Two rule sets and the events of one small world."""
    dice = random.Random(seed)
    before = random_rules(dice)
    return before, changed(dice, before), arrivals(dice, before)


def mirrored(report: BacktestReport) -> BacktestReport:
    """Swap before and after."""
    return attrs.evolve(
        report,
        rules=tuple(map(swapped, report.rules)),
        targets=tuple(map(swapped, report.targets)),
        contacts=tuple(map(swapped, report.contacts)),
        samples=tuple(
            turned(each, rules=tuple(map(turned, each.rules))) for each in report.samples
        ),
    )


def swapped(line: Any) -> Any:
    """Swap what is added and what is removed."""
    return attrs.evolve(line, added=line.removed, removed=line.added)


def turned(line: Any, **more: Any) -> Any:
    """Swap what was before and what is after."""
    return attrs.evolve(line, before=line.after, after=line.before, **more)


def test_agrees_with_journals(amount):
    """The contacts and rules that differ are those of two journals that take every event."""
    differing = 0
    for seed in range(amount(ci=100, soak=20_000)):
        before, after, events = case(seed)
        old, new = journal_of(before, events), journal_of(after, events)
        contacts = {event.contact.key: event.contact for event in events if event.contact}
        expected = {}
        for key, contact in contacts.items():
            was, is_now = on(old, contact), on(new, contact)
            if was != is_now:
                expected[key] = (len(is_now - was), len(was - is_now), len(was & is_now))
        was_running, runs_now = runs(old, events), runs(new, events)
        rules = {
            rule: (
                len(runs_now.get(rule, set()) - was_running.get(rule, set())),
                len(was_running.get(rule, set()) - runs_now.get(rule, set())),
            )
            for rule in was_running | runs_now
        }
        report = backtest(before, after, events)
        assert expected == {
            Contact(each.contact).key: (len(each.added), len(each.removed), each.unchanged)
            for each in report.contacts
        }
        assert {rule: pair for rule, pair in rules.items() if any(pair)} == {
            each.segmentation_id: (each.added, each.removed)
            for each in report.rules
            if each.added or each.removed
        }
        differing += bool(report)
    assert differing > 0


def test_same_rules(amount):
    """Law 13: a backtest of a rule set against an equal one is empty."""
    for seed in range(amount(ci=50, soak=20_000)):
        before, _, events = case(seed)
        report = backtest(before, pickle.loads(pickle.dumps(before)), events)
        assert BacktestReport(events=len(events)) == report


def test_mirror(amount):
    """Law 13: a backtest is the mirror of its reverse."""
    for seed in range(amount(ci=100, soak=20_000)):
        before, after, events = case(seed)
        there, back = backtest(before, after, events), backtest(after, before, events)
        assert there == mirrored(back)


class Stream:
    """Events that are made anew each time they are read."""

    def __init__(self, number: int, make_event) -> None:
        self.number, self.make_event = number, make_event

    def __iter__(self) -> Iterator[Event]:
        for n in range(self.number):
            yield self.make_event(
                f"e-{n}", who=f"c{n % 500}", facts={"offer": f"o{n % 5_000}"}, transaction=f"P{n}"
            )


def test_memory(amount, rules, rule, event):
    """Ten times as many events need no more memory, if the contacts that differ stay the same."""
    before = rules(*(rule(f"r{n}", condition=where.offer == f"o{n}") for n in range(1_000)))
    after = before.replace(rule("r7", condition=where.offer == "o7", actions=AddTag("changed")))
    peaks = []
    for number in (2_000, amount(ci=20_000, soak=1_000_000)):
        tracemalloc.start()
        report = backtest(before, after, Stream(number, event))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (number, 1) == (report.events, len(report.contacts))
    assert peaks[1] <= 1.2 * peaks[0]
