"""Explain why each rule of an event's product runs or does not.

Each rule is in the plan, or has exactly one reason. An `Explainer` holds the rules of one product
with what does not depend on the event: their findings, and what is said of rules on other events.
Each condition is compiled once, to a search for the comparison that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Any, NamedTuple, TypeAlias, assert_never

import attrs

from listboss.engine.matching.router import PlanNames, plan_names
from listboss.engine.outcome import Explanation, FactState, Reason, RuleOutcome
from listboss.plan import Idle, Plan
from listboss.rules._facts import READERS, Facts, Reader, is_present
from listboss.rules._literal import hold, literal
from listboss.rules.action import Action, AddTag, RemoveTag, action_key
from listboss.rules.automatic import FIRST_CHARGE, AutomaticSegmentation
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue, ProductKind
from listboss.rules.condition import NEGATED, AllOf, AnyOf, Comparison, Condition, Not
from listboss.rules.dashboard import DashboardEntry
from listboss.rules.event import Event
from listboss.rules.finding import Finding, Severity
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import Segmentation, readable_name

__all__ = ["Explainer"]

_EVERY_RULE = {Idle.UNADDRESSED: Reason.UNADDRESSED, Idle.TEST: Reason.TEST}
"""Why a plan has no actions, if that is a reason of every rule."""


class _Failure(NamedTuple):
    """A comparison that does not hold, and how the values of its fact are read."""

    comparison: Comparison
    read: Reader


_Search: TypeAlias = Callable[[Facts], "_Failure | bool"]
"""True if a condition holds; else the first comparison that fails, or False if there is none."""


@attrs.frozen
class _Rule:
    """One rule, and what is known of it for one event type.

    `otherwise` is its outcome if it does not run and nothing else is the reason; `is_decided`
    says that nothing else can be. `plans` are the ids of the subscription plans that it is for,
    None for all, and `keys` those of its actions.
    """

    id: str
    runs: RuleOutcome
    otherwise: RuleOutcome
    is_decided: bool = True
    plans: Set[str] | None = None
    search: _Search | None = None
    provider: str = ""
    keys: Set[tuple[str, ...]] = frozenset()

    @classmethod
    def decided_as(
        cls, rule: Segmentation, reason: Reason, findings: tuple[Finding, ...] = ()
    ) -> _Rule:
        """Return a rule that does not run on any event of the type, for that reason."""
        runs = RuleOutcome(rule.id, runs=True, name=readable_name(rule))
        return cls(rule.id, runs, attrs.evolve(runs, runs=False, reason=reason, findings=findings))


class Explainer:
    """Explains the plans of the events of one product."""

    __slots__ = ("_by_event", "_catalogue", "_elsewhere", "_entries", "_plans")

    def __init__(self, rules: RuleSet, product_id: str) -> None:
        self._catalogue = rules.catalogue
        self._entries = rules.for_product(product_id)
        self._elsewhere = {
            rule.id: _Rule.decided_as(rule, Reason.OTHER_EVENT)
            for rule in rules.rules_of(product_id)
        }
        product = rules.product(product_id)
        self._plans: PlanNames | None = None
        if product is not None and product.kind is ProductKind.SUBSCRIPTION:
            self._plans = plan_names(product)
        self._by_event: dict[str, dict[str, _Rule]] = {}

    def explain(self, event: Event, plan: Plan, only: Iterable[str] | None = None) -> Explanation:
        """Explain the plan of an event of the product: why each rule runs or does not."""
        rules = self._by_event.get(event.name)
        if rules is None:
            compiled = (self._compiled(entry, event) for entry in self._entries)
            rules = {rule.id: rule for rule in compiled}
            if self._catalogue.event(event.name) is not None:
                self._by_event[event.name] = rules
        wanted = rules.values() if only is None else [rules[id] for id in only if id in rules]
        outcomes = tuple(self._outcomes(wanted, event, plan))
        return Explanation(event.id, event.product_id, plan.idle, outcomes)

    def _outcomes(self, rules: Iterable[_Rule], event: Event, plan: Plan) -> Iterator[RuleOutcome]:
        running = {id for planned in plan.actions for id in planned.because}
        reason = None if plan.idle is None else _EVERY_RULE.get(plan.idle)
        plan_id = None if self._plans is None else self._plans.resolve(event)
        for rule in rules:
            if rule.id in running:
                yield _with_conflict(rule, rule.runs, plan)
            elif reason is not None:
                yield attrs.evolve(rule.runs, runs=False, reason=reason)
            elif rule.is_decided:
                yield rule.otherwise
            elif rule.plans is not None and plan_id not in rule.plans:
                yield attrs.evolve(rule.otherwise, reason=Reason.OTHER_PLAN)
            elif rule.search is not None and (failed := rule.search(event.facts)) is not True:
                yield _not_met(rule, failed, event)
            else:
                yield _with_conflict(rule, rule.otherwise, plan)

    # Once a rule and event type

    def _compiled(self, entry: DashboardEntry, event: Event) -> _Rule:
        rule = entry.segmentation
        if isinstance(rule, AutomaticSegmentation):
            return _automatic(rule, event)
        if rule.event != event.name:
            return self._elsewhere[rule.id]
        if not rule.enabled:
            return _Rule.decided_as(rule, Reason.DISABLED)
        errors = tuple(each for each in entry.findings if each.severity is Severity.ERROR)
        if errors:
            return _Rule.decided_as(rule, Reason.FLAGGED, errors)
        plans = None
        if self._plans is not None and rule.plan_ids:
            plans = frozenset(self._plans.by_id[plan_id] for plan_id in rule.plan_ids)
        runs = RuleOutcome(rule.id, runs=True, name=readable_name(rule))
        return _Rule(
            rule.id,
            runs,
            attrs.evolve(runs, runs=False, reason=Reason.LOST_CONFLICT),
            is_decided=False,
            plans=plans,
            search=None if rule.condition is None else _search(rule.condition, self._catalogue),
            provider=rule.provider,
            keys=frozenset(map(action_key, rule.actions)),
        )


def _automatic(row: AutomaticSegmentation, event: Event) -> _Rule:
    tag, first = row.tag_for(event.product_id), event.name in row.removes_on_first_charge
    actions: tuple[Action, ...] = ()
    if event.name in row.adds_on:
        actions = (AddTag(tag),)
    elif first or event.name in row.removes_on:
        actions = (RemoveTag(tag),)
    reason = Reason.PROVIDER_CANNOT if actions else Reason.OTHER_EVENT
    return _Rule(
        row.id,
        RuleOutcome(row.id, runs=True, actions=actions),
        RuleOutcome(row.id, runs=False, reason=reason, actions=actions),
        is_decided=not first,
        search=_FIRST_CHARGE if first else None,
    )


def _with_conflict(rule: _Rule, outcome: RuleOutcome, plan: Plan) -> RuleOutcome:
    """Add the first conflict that an action of the rule lost, and the rules that won it."""
    for conflict in plan.conflicts:
        if conflict.provider == rule.provider and action_key(conflict.dropped) in rule.keys:
            kept = (conflict.provider, action_key(conflict.kept))
            winners = next(
                (
                    planned.because
                    for planned in plan.actions
                    if (planned.provider, action_key(planned.action)) == kept
                ),
                (),
            )
            return attrs.evolve(outcome, conflict=conflict, lost_to=winners)
    return outcome


def _not_met(rule: _Rule, failed: Any, event: Event) -> RuleOutcome:
    # There is always a comparison: a rule is flagged if its condition fails without any.
    comparison, read = failed
    actual = event.facts.get(comparison.fact)
    if not is_present(actual):
        state = FactState.MISSING
    else:
        state = FactState.WRONG_TYPE if read(actual) is None else FactState.KNOWN
    return RuleOutcome(
        rule.id,
        runs=False,
        reason=Reason.CONDITION_NOT_MET,
        comparison=comparison,
        actual=actual,
        state=state,
        actions=rule.runs.actions,
        name=rule.runs.name,
    )


# Conditions


def _search(condition: Condition, catalogue: Catalogue, *, negated: bool = False) -> _Search:
    """Compile a condition to a search for the first comparison that fails, negated if need be."""
    match condition:
        case Comparison():
            return _comparison(condition, catalogue, negated=negated)
        case Not():
            return _search(condition.condition, catalogue, negated=not negated)
        case AllOf() | AnyOf():
            parts = [_search(part, catalogue, negated=negated) for part in condition.conditions]
            return _all(parts) if isinstance(condition, AllOf) is not negated else _any(parts)
        case _:
            assert_never(condition)


def _comparison(comparison: Comparison, catalogue: Catalogue, *, negated: bool) -> _Search:
    literals = (literal(comparison, catalogue, negated=negated),)
    if negated and comparison.operator in NEGATED:
        comparison = Comparison(comparison.fact, NEGATED[comparison.operator], comparison.value)
    failure = _Failure(comparison, READERS[literals[0].kind])
    return lambda facts: hold(literals, facts) or failure


def _all(parts: Sequence[_Search]) -> _Search:
    def search(facts: Facts) -> _Failure | bool:
        verdicts = [found for part in parts if (found := part(facts)) is not True]
        return next((found for found in verdicts if found), not verdicts)

    return search


def _any(parts: Sequence[_Search]) -> _Search:
    def search(facts: Facts) -> _Failure | bool:
        first: _Failure | bool = False
        for part in parts:
            found = part(facts)
            if found is True:
                return True
            first = first or found
        return first

    return search


# The condition is the platform's, so its fact is, too: a host's catalogue may lack it.
_FIRST_CHARGE = _search(FIRST_CHARGE, HOTMART)
