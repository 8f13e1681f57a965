"""What would have to be different for a rule to run: the nearest event on which it does.

Nearest means that the fewest facts are changed, or added, or left out; a number changes to the
nearest one that fits. The event's type, its subscription plan, its contact and whether it is a
test are changed only if the rule needs it.

INVARIANT: an engine has planned every event that is returned, and the rule runs on it
(tests/analysis/test_nearest).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import attrs

from listboss.analysis._enabled import with_all_enabled
from listboss.analysis.regions import Region
from listboss.engine.engine import Engine
from listboss.engine.outcome import Explanation, Reason, RuleOutcome
from listboss.errors import ConditionError
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import quoted
from listboss.rules._wording import describe_condition
from listboss.rules.automatic import AUTOMATIC, FIRST_CHARGE, AutomaticSegmentation
from listboss.rules.condition import Comparison, Operator
from listboss.rules.event import OWN_FACTS, Contact, Event, FactValue
from listboss.rules.segmentation import Segmentation

__all__ = ["Nearest", "Needs", "explain", "nearest"]

SOMEBODY = Contact("contact@example.com")
MAX_WINNERS = 8
"""To find an event on which a rule loses no conflict, at most this many others are avoided."""
PLAN_FACTS = ("plan_id", "plan_name")
SEARCHED = frozenset({Reason.CONDITION_NOT_MET, Reason.LOST_CONFLICT})
"""The reasons that other facts may lift."""


@attrs.frozen
class Nearest:
    """The event nearest to another one on which a rule runs, and what is different.

    `facts` has the facts that are different, with None for a fact that the event must not have.
    `fields` names the fields that are. `str()` says all of it after *it would run*; it has no
    value of the original event.
    """

    event: Event
    facts: Mapping[str, FactValue | None] = FrozenMap[str, FactValue | None]()
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        event = self.event
        parts = [
            _FIELD_TEXTS[name].format(quoted(str(getattr(event, name)))) for name in self.fields
        ]
        given = [
            describe_condition(Comparison(name, Operator.EQ, value))
            for name, value in self.facts.items()
            if value is not None
        ]
        absent = [quoted(name) for name, value in self.facts.items() if value is None]
        if given:
            parts.append(f"with {' and '.join(given)}")
        if absent:
            parts.append(f"without {' and '.join(absent)}")
        return ", ".join(parts) or "as it is"


_FIELD_TEXTS = {
    "product_id": "on product {}",
    "name": "on {}",
    "plan_id": "for plan {}",
    "contact": "with an e-mail address",
    "is_test": "if it were not a test",
}


def explain(engine: Engine, event: Event, *, include_tests: bool = False) -> Explanation:
    """Explain an event as `Engine.explain` does, and say what each rule would need to run.

    >>> from datetime import UTC, date, datetime
    >>> from listboss import AddTag, Capabilities, Product, RuleSet, Segmentation, where
    >>> rules = RuleSet(
    ...     [Product("42", "Course", approved_at=date(2025, 1, 1))],
    ...     [
    ...         Segmentation(
    ...             "Big spenders",
    ...             id="big",
    ...             product_id="42",
    ...             provider="mail",
    ...             event="purchase.approved",
    ...             condition=(where.price >= 250) & (where.currency == "BRL"),
    ...             actions=AddTag("vip"),
    ...             enabled=True,
    ...         )
    ...     ],
    ...     providers={"mail": Capabilities.everything()},
    ... )
    >>> event = Event(
    ...     "purchase.approved",
    ...     id="e-1",
    ...     product_id="42",
    ...     contact=Contact("ana@example.com"),
    ...     occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
    ...     facts={"price": 120, "currency": "BRL"},
    ... )
    >>> print(explain(Engine(rules), event))
    event `e-1` on product `42` (idle: no rule)
      `big`: condition not met: `price` does not match `>= 250`; it would run with `price == 250`
    """
    needs = Needs(engine, include_tests=include_tests)
    explanation = engine.explain(event, include_tests=include_tests)
    outcomes = tuple(needs.added_to(outcome, event) for outcome in explanation.rules)
    return attrs.evolve(explanation, rules=outcomes)


class Needs:
    """Finds what rules would need to run, for any number of events.

    A rule that is disabled is looked at in an engine in which all rules are enabled: where it
    runs beside all of them, it runs beside fewer.
    """

    def __init__(self, engine: Engine, *, include_tests: bool = False) -> None:
        self._engine = engine
        self._include_tests = include_tests

    @cached_property
    def _with_all_enabled(self) -> Engine:
        return Engine(with_all_enabled(self._engine.rules))

    def added_to(self, outcome: RuleOutcome, event: Event) -> RuleOutcome:
        """Return the outcome of a rule with what it would need, unless it runs."""
        id, engine = outcome.segmentation_id, self._engine
        if outcome.runs:
            return outcome
        is_off = id in engine.rules and not engine.rules.segmentation(id).enabled
        engine = self._with_all_enabled if is_off else engine
        found = nearest(engine, event, id, include_tests=self._include_tests)
        if found is None:
            return outcome
        differences = str(found) if found.facts or found.fields else ""
        enabled = "once it is enabled" if is_off else ""
        return attrs.evolve(outcome, needs=", ".join(filter(None, (enabled, differences))))


def nearest(
    engine: Engine, event: Event, segmentation_id: str, *, include_tests: bool = False
) -> Nearest | None:
    """Return the nearest event on which a rule runs, or None if none was found.

    There is none for a rule that is disabled or flagged, and for one that loses a conflict
    whatever the event. None is also returned for a condition that takes too much work. Raises
    `UnknownIdError` for an id that the rule set does not have.
    """
    start = attrs.evolve(
        event, contact=event.contact or SOMEBODY, is_test=event.is_test and include_tests
    )
    row = next((row for row in AUTOMATIC if row.id == segmentation_id), None)
    if row is None:
        found = _for_custom(engine, start, engine.rules.segmentation(segmentation_id))
    else:
        events = _for_automatic(row, start)
        found = next((each for each in events if _runs(engine, each, row.id)), None)
    return None if found is None else _difference(event, found)


def _for_automatic(row: AutomaticSegmentation, event: Event) -> Iterator[Event]:
    if event.name in row.removes_on_first_charge:
        yield event.with_facts(**{FIRST_CHARGE.fact: 1})
    yield event
    for name in row.adds_on + row.removes_on:
        yield attrs.evolve(event, name=name)


def _for_custom(engine: Engine, event: Event, rule: Segmentation) -> Event | None:
    start = attrs.evolve(event, product_id=rule.product_id, name=rule.event)
    reason = _outcome(engine, start, rule.id).reason
    if reason is Reason.OTHER_PLAN:
        start = _on_plan(start, rule.plan_ids[0])
        reason = _outcome(engine, start, rule.id).reason
    if reason in SEARCHED:
        return _search(engine, start, rule)
    return start if reason is None else None


def _outcome(engine: Engine, event: Event, segmentation_id: str) -> RuleOutcome:
    (outcome,) = engine.explain(event, include_tests=True, only=[segmentation_id]).rules
    return outcome


def _runs(engine: Engine, event: Event, segmentation_id: str) -> bool:
    plan = engine.plan(event, include_tests=True)
    return any(segmentation_id in planned.because for planned in plan.actions)


def _on_plan(event: Event, plan_id: str) -> Event:
    facts = {name: value for name, value in event.facts.items() if name not in PLAN_FACTS}
    return attrs.evolve(event, plan_id=plan_id, plan_name=None, facts=facts)


def _search(engine: Engine, event: Event, rule: Segmentation) -> Event | None:
    """Return the event with the fewest changed facts on which the rule runs.

    Where the rule loses a conflict, the next event is one on which the winners do not hold.
    """
    catalogue = engine.rules.catalogue
    try:
        region = Region.of(rule.condition, catalogue)
        for _ in range(MAX_WINNERS):
            changes = region.nearest(event.facts)
            if changes is None:
                return None
            found = _with_facts(event, changes)
            outcome = _outcome(engine, found, rule.id)
            if outcome.runs:
                return found
            if not outcome.lost_to:
                return None
            for id in outcome.lost_to:
                region -= Region.of(engine.rules.segmentation(id).condition, catalogue)
    except ConditionError:
        return None
    return None


def _with_facts(event: Event, changes: Mapping[str, FactValue | None]) -> Event:
    facts = {**event.facts, **changes}
    present = {name: value for name, value in facts.items() if value is not None}
    fields: dict[str, Any] = {name: changes[name] for name in OWN_FACTS if name in changes}
    return attrs.evolve(event, facts=present, **fields)


def _difference(old: Event, new: Event) -> Nearest:
    fields = tuple(name for name in _FIELD_TEXTS if getattr(old, name) != getattr(new, name))
    names = dict.fromkeys((*old.facts, *new.facts))
    if "plan_id" in fields:
        names = dict.fromkeys(name for name in names if name not in PLAN_FACTS)
    facts = {
        name: new.facts.get(name) for name in names if old.facts.get(name) != new.facts.get(name)
    }
    return Nearest(new, facts, fields)
