"""Explain why each rule of an event's product runs or does not.

Each rule is in the plan, or has exactly one reason. Texts show the values that rules compare
with, and never those of the event, which may be personal: a host can read them in `actual`.
"""

from __future__ import annotations

from enum import StrEnum
from html import escape
from typing import assert_never

import attrs

from listboss.engine.matching.predicate import predicate
from listboss.engine.matching.router import plan_names
from listboss.plan import Conflict, Idle, Plan
from listboss.rules._facts import READERS, Facts, is_present
from listboss.rules._text import masked, masked_address, without_address
from listboss.rules.action import action_key
from listboss.rules.automatic import FIRST_CHARGE, AutomaticSegmentation, is_first_charge
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue, ProductKind
from listboss.rules.condition import NEGATED, AllOf, AnyOf, Comparison, Condition, Not, Operator
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


_SYMBOLS = {
    Operator.EQ: "==",
    Operator.NE: "!=",
    Operator.LT: "<",
    Operator.LE: "<=",
    Operator.GT: ">",
    Operator.GE: ">=",
}


class FactState(StrEnum):
    """Whether the event has a usable value of the fact that decided."""

    KNOWN = "known"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"


@attrs.frozen
class RuleOutcome:
    """Whether one rule runs, and if not, the reason.

    For `condition_not_met`, `comparison` is the first one that did not hold, `actual` is the
    raw value of its fact, and `state` says whether that is usable. `findings` say why a rule
    is flagged; `conflict` is the one that it lost.
    """

    segmentation_id: str
    runs: bool
    reason: Reason | None = None
    comparison: Comparison | None = None
    actual: FactValue | None = attrs.field(default=None, repr=masked)
    state: FactState | None = attrs.field(default=None, kw_only=True)
    findings: tuple[Finding, ...] = attrs.field(default=(), kw_only=True)
    conflict: Conflict | None = attrs.field(default=None, kw_only=True)

    @property
    def text(self) -> str:
        """The outcome in words, without any value of the event."""
        if self.runs:
            return "runs"
        words = str(self.reason).replace("_", " ")
        if self.comparison is not None:
            return f"{words}: {_mismatch(self.comparison, self.state)}"
        if self.findings:
            return f"{words}: {'; '.join(finding.message for finding in self.findings)}"
        if self.conflict is not None:
            return f"{words} over `{self.conflict.target}`: {self.conflict.rule}"
        return words


def _mismatch(comparison: Comparison, state: FactState | None) -> str:
    fact, value = comparison.fact, comparison.value
    match state:
        case FactState.MISSING if comparison.operator is not Operator.IS_MISSING:
            return f"`{fact}` is missing"
        case FactState.WRONG_TYPE:
            return f"`{fact}` has the wrong type"
        case _:
            operator = _SYMBOLS.get(comparison.operator, comparison.operator.replace("_", " "))
            values = value if isinstance(value, tuple) else () if value is None else (value,)
            wanted = " ".join([operator, ", ".join(map(str, values))]).strip()
            return f"`{fact}` does not match `{wanted}`"


@attrs.frozen
class Explanation:
    """The outcome of every rule of an event's product, automatic ones first."""

    event_id: str = attrs.field(repr=masked_address)
    product_id: str = attrs.field(repr=masked_address)
    idle: Idle | None
    rules: tuple[RuleOutcome, ...]

    def __str__(self) -> str:
        event, product = map(without_address, (self.event_id, self.product_id))
        head = f"event {event} on product {product}"
        idle = "" if self.idle is None else f" (idle: {self.idle})"
        lines = (f"  {rule.segmentation_id}: {rule.text}" for rule in self.rules)
        return "\n".join([head + idle, *lines])

    def markdown(self) -> str:
        """Return a Markdown table of the rules and their outcomes."""
        cells = ((_cell(rule.segmentation_id), _cell(rule.text)) for rule in self.rules)
        rows = (f"| {rule} | {text} |" for rule, text in cells)
        return "\n".join(["| rule | outcome |", "|---|---|", *rows])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(rule.segmentation_id)}</td><td>{escape(rule.text)}</td></tr>"
            for rule in self.rules
        )
        return f"<table><tr><th>rule</th><th>outcome</th></tr>{rows}</table>"


def _cell(text: str) -> str:
    return escape(" ".join(text.split()), quote=False).replace("|", "\\|")


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
    outcome = RuleOutcome(rule_id, runs=False, reason=Reason.CONDITION_NOT_MET)
    comparison = _first_failure(condition, event.facts, catalogue)
    fact = None if comparison is None else catalogue.fact(comparison.fact)
    if comparison is None or fact is None:
        return outcome
    actual = event.facts.get(fact.name)
    if not is_present(actual):
        state = FactState.MISSING
    elif READERS[fact.kind](actual) is None:
        state = FactState.WRONG_TYPE
    else:
        state = FactState.KNOWN
    return attrs.evolve(outcome, comparison=comparison, actual=actual, state=state)


def _first_failure(
    condition: Condition, facts: Facts, catalogue: Catalogue, *, negated: bool = False
) -> Comparison | None:
    """Return the first comparison that keeps the condition from holding, negated if need be.

    None if the condition holds, or fails without a comparison (an empty `AnyOf`).
    """
    if predicate(condition, catalogue, negated=negated)(facts):
        return None
    match condition:
        case Comparison():
            if negated and condition.operator in NEGATED:
                return Comparison(condition.fact, NEGATED[condition.operator], condition.value)
            return condition
        case Not():
            return _first_failure(condition.condition, facts, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            failures = (
                _first_failure(part, facts, catalogue, negated=negated)
                for part in condition.conditions
            )
            return next((failure for failure in failures if failure is not None), None)
        case _:
            assert_never(condition)
