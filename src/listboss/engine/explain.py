"""Explain why each rule of an event's product runs or does not.

Each rule is in the plan, or has exactly one reason. Texts show the values that rules compare
with, and never those of the event, which may be personal: a host can read them in `actual`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import assert_never

import attrs

from listboss.engine.matching.predicate import predicate
from listboss.engine.matching.router import plan_names
from listboss.errors import RuleError
from listboss.plan import Conflict, Idle, Plan
from listboss.rules._facts import READERS, Facts, is_present
from listboss.rules._literal import literal
from listboss.rules._text import masked, masked_address, one_line, quoted, require_member
from listboss.rules._wording import (
    as_html,
    as_markdown,
    describe_event,
    describe_mismatch,
    in_words,
)
from listboss.rules.action import action_key
from listboss.rules.automatic import FIRST_CHARGE, AutomaticSegmentation, is_first_charge
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue, ProductKind
from listboss.rules.condition import NEGATED, AllOf, AnyOf, Comparison, Condition, Not
from listboss.rules.event import Event, FactValue
from listboss.rules.finding import Finding, Severity
from listboss.rules.review import review
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import Product, Segmentation

__all__ = ["Explanation", "FactState", "Reason", "RuleOutcome", "explain"]


class Reason(StrEnum):
    """Why a rule does not run: the first of these that applies."""

    UNADDRESSED = "unaddressed"
    TEST = "test"
    OTHER_EVENT = "other_event"
    DISABLED = "disabled"
    FLAGGED = "flagged"
    OTHER_PLAN = "other_plan"
    CONDITION_NOT_MET = "condition_not_met"
    LOST_CONFLICT = "lost_conflict"
    PROVIDER_CANNOT = "provider_cannot"
    """Automatic segmentations only: the capture provider cannot do the action."""


class FactState(StrEnum):
    """Whether the event has a usable value of the fact that decided."""

    KNOWN = "known"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"


def _idle(value: Idle | str | None) -> Idle | None:
    return None if value is None else require_member(value, Idle, "$.idle", RuleError)


def _reason(value: Reason | str | None) -> Reason | None:
    return None if value is None else require_member(value, Reason, "$.reason", RuleError)


def _state(value: FactState | str | None) -> FactState | None:
    return None if value is None else require_member(value, FactState, "$.state", RuleError)


@attrs.frozen
class RuleOutcome:
    """Whether one rule runs, and if not, the reason.

    For `condition_not_met`, `comparison` is the first one that did not hold, `actual` is the
    raw value of its fact, and `state` says whether that is usable. `findings` say why a rule
    is flagged; `conflict` is the one that it lost.
    """

    segmentation_id: str
    runs: bool
    reason: Reason | None = attrs.field(default=None, converter=_reason)
    comparison: Comparison | None = None
    actual: FactValue | None = attrs.field(default=None, repr=masked)
    state: FactState | None = attrs.field(default=None, kw_only=True, converter=_state)
    findings: tuple[Finding, ...] = attrs.field(default=(), kw_only=True)
    conflict: Conflict | None = attrs.field(default=None, kw_only=True)

    @property
    def text(self) -> str:
        """The outcome in words, without any value of the event."""
        if self.runs:
            return "runs"
        words = in_words(str(self.reason))
        if self.comparison is not None:
            return f"{words}: {describe_mismatch(self.comparison, self.state)}"
        if self.findings:
            return f"{words}: {'; '.join(finding.message for finding in self.findings)}"
        if self.conflict is not None:
            return f"{words} over {quoted(self.conflict.target)}: {in_words(self.conflict.rule)}"
        return words

    def __str__(self) -> str:
        return f"{quoted(self.segmentation_id)}: {one_line(self.text)}"


@attrs.frozen
class Explanation:
    """The outcome of every rule of an event's product, automatic ones first."""

    event_id: str = attrs.field(repr=masked_address)
    product_id: str = attrs.field(repr=masked_address)
    idle: Idle | None = attrs.field(converter=_idle)
    rules: tuple[RuleOutcome, ...]

    def __str__(self) -> str:
        event, product = describe_event(self.event_id), describe_event(self.product_id)
        idle = "" if self.idle is None else f" (idle: {in_words(self.idle)})"
        return "\n  ".join([f"event {event} on product {product}{idle}", *map(str, self.rules)])

    def markdown(self) -> str:
        """Return a Markdown table of the rules and their outcomes."""
        rows = (f"| {rule} | {text} |" for rule, text in self._cells(as_markdown))
        return "\n".join(["| rule | outcome |", "|---|---|", *rows])

    def _repr_html_(self) -> str:
        cells = self._cells(as_html)
        rows = "".join(f"<tr><td>{rule}</td><td>{text}</td></tr>" for rule, text in cells)
        return f"<table><tr><th>rule</th><th>outcome</th></tr>{rows}</table>"

    def _cells(self, medium: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        for rule in self.rules:
            yield medium(quoted(rule.segmentation_id)), medium(rule.text)


def explain(rules: RuleSet, event: Event, plan: Plan) -> Explanation:
    """Explain the plan of an event: why each rule of the product runs or does not."""
    running = {reason for action in plan.actions for reason in action.because}
    outcomes: list[RuleOutcome] = []
    for entry in rules.for_product(event.product_id):
        rule = entry.segmentation
        if rule.id in running:
            outcomes.append(RuleOutcome(rule.id, runs=True))
        elif isinstance(rule, AutomaticSegmentation):
            outcomes.append(_automatic(rule, event, plan))
        else:
            outcomes.append(_custom(rule, rules, event, plan))
    return Explanation(event.id, event.product_id, plan.idle, tuple(outcomes))


def _plan_wide(plan: Plan) -> Reason | None:
    match plan.idle:
        case Idle.UNADDRESSED:
            return Reason.UNADDRESSED
        case Idle.TEST:
            return Reason.TEST
        case _:
            return None


def _automatic(row: AutomaticSegmentation, event: Event, plan: Plan) -> RuleOutcome:
    # The condition is the platform's, so its fact is, too: a host's catalogue may lack it.
    reason = _plan_wide(plan)
    if reason is None and event.name in row.removes_on_first_charge and not is_first_charge(event):
        return _not_met(row.id, FIRST_CHARGE, event, HOTMART)
    events = row.adds_on + row.removes_on + row.removes_on_first_charge
    other = Reason.PROVIDER_CANNOT if event.name in events else Reason.OTHER_EVENT
    return RuleOutcome(row.id, runs=False, reason=reason or other)


def _custom(rule: Segmentation, rules: RuleSet, event: Event, plan: Plan) -> RuleOutcome:
    context = rules.review_context(rule)
    errors = tuple(f for f in review(rule, context) if f.severity is Severity.ERROR)
    reason = _plan_wide(plan)
    if reason is None and rule.event != event.name:
        reason = Reason.OTHER_EVENT
    if reason is None and not rule.enabled:
        reason = Reason.DISABLED
    if reason is not None:
        return RuleOutcome(rule.id, runs=False, reason=reason)
    if errors:
        return RuleOutcome(rule.id, runs=False, reason=Reason.FLAGGED, findings=errors)
    if context.product is not None and not _plan_fits(rule, context.product, event):
        return RuleOutcome(rule.id, runs=False, reason=Reason.OTHER_PLAN)
    condition, catalogue = rule.condition, rules.catalogue
    if condition is not None and not predicate(condition, catalogue)(event.facts):
        return _not_met(rule.id, condition, event, catalogue)
    lost = _lost_conflict(rule, plan)
    return RuleOutcome(rule.id, runs=False, reason=Reason.LOST_CONFLICT, conflict=lost)


def _plan_fits(rule: Segmentation, product: Product, event: Event) -> bool:
    if product.kind is not ProductKind.SUBSCRIPTION or not rule.plan_ids:
        return True
    names = plan_names(product)
    plan = names.resolve(event)
    return plan is not None and plan in {names.by_id[plan_id] for plan_id in rule.plan_ids}


def _lost_conflict(rule: Segmentation, plan: Plan) -> Conflict | None:
    keys = {action_key(action) for action in rule.actions}
    for conflict in plan.conflicts:
        if conflict.provider == rule.provider and action_key(conflict.dropped) in keys:
            return conflict
    return None


def _not_met(rule_id: str, condition: Condition, event: Event, catalogue: Catalogue) -> RuleOutcome:
    comparison = next(_failures(condition, event.facts, catalogue))
    actual = event.facts.get(comparison.fact)
    if not is_present(actual):
        state = FactState.MISSING
    elif READERS[literal(comparison, catalogue).kind](actual) is None:
        state = FactState.WRONG_TYPE
    else:
        state = FactState.KNOWN
    return RuleOutcome(
        rule_id,
        runs=False,
        reason=Reason.CONDITION_NOT_MET,
        comparison=comparison,
        actual=actual,
        state=state,
    )


def _failures(
    condition: Condition, facts: Facts, catalogue: Catalogue, *, negated: bool = False
) -> Iterator[Comparison]:
    """Yield the comparisons, negated where need be, that keep the condition from holding.

    There is always one: a rule is flagged if its condition never holds whatever it compares.
    """
    if predicate(condition, catalogue, negated=negated)(facts):
        return
    match condition:
        case Comparison():
            if negated and condition.operator in NEGATED:
                yield Comparison(condition.fact, NEGATED[condition.operator], condition.value)
            else:
                yield condition
        case Not():
            yield from _failures(condition.condition, facts, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            for part in condition.conditions:
                yield from _failures(part, facts, catalogue, negated=negated)
        case _:
            assert_never(condition)
