"""The whole meaning of a rule set in plain loops: who has read this page knows what listboss does.

`plan(rules, event)` says which actions an event asks for, at which provider, and why. Written
from the documentation, to be read and not to be fast, it shares nothing with the engine but
the nouns and the classes of the result: two programs answer each question, and on every
input `Engine(rules).plan(event)` equals `plan(rules, event)` in each action, reason and id.
"""

import operator
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeAlias

from listboss.engine.plan import Conflict, ConflictRule, Idle, Plan, PlannedAction
from listboss.rules import (
    AUTOMATIC, Action, AddLead, AddTag, AllOf, AnyOf, Comparison, Condition, Contact, Event, MoveLead,
    Not, Place, Product, ProviderAction, RemoveLead, RemoveTag, RuleSet, SubscriptionPlan,
)  # fmt: skip
from listboss.rules.mapping import FrozenMap

__all__ = ["plan"]

Wish: TypeAlias = tuple[Action, str, tuple[str, ...]]  # what, by which rule, with which data
KINDS = {RemoveTag: "remove_tag", RemoveLead: "remove_lead", MoveLead: "move_lead",
         AddLead: "add_lead", AddTag: "add_tag", ProviderAction: "provider_action"}  # fmt: skip
TYPES = {"integer": (int,), "decimal": (int, Decimal), "boolean": (bool,), "instant": (datetime,)}
CODES = {"country": "[A-Z]{2}", "currency": "[A-Z]{3}", "language": "[a-z]{2,8}(-[a-z0-9]{1,8})*"}
ASKS: Any = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
             "contains": operator.contains, "starts_with": str.startswith}  # fmt: skip


def plan(
    rules: RuleSet, event: Event, *, include_tests: bool = False, flagged: set[str] | None = None
) -> Plan:
    """Say what `event` asks for; `flagged` may name the rules with errors, else they are looked up."""
    product = next((p for p in rules.products if p.id == event.product_id), None)
    actions: list[PlannedAction] = []
    conflicts: list[Conflict] = []
    if event.contact is None:
        idle = Idle.UNADDRESSED
    elif event.is_test and not include_tests:
        idle = Idle.TEST
    elif product is None:
        idle = Idle.UNKNOWN_PRODUCT
    elif rules.catalogue.event(event.name) is None:
        idle = Idle.UNKNOWN_EVENT
    else:
        unknown = has_plans(rules, event, product) and plan_of(event, product) is None
        idle = Idle.UNKNOWN_PLAN if unknown else Idle.NO_RULE
        if flagged is None:
            flagged = {str(f.segmentation_id) for f in rules.findings if f.severity == "error"}
        for provider in sorted(rules.providers):
            wishes = [*automatic(rules, event, product, provider)]
            wishes += custom(rules, event, product, provider, flagged)
            settle(rules, event, event.contact, provider, wishes, actions, conflicts)
    return Plan(
        event_id=event.id, event_name=event.name, product_id=event.product_id,
        occurred_at=event.occurred_at, is_test=event.is_test, actions=tuple(actions),
        conflicts=tuple(conflicts), idle=None if actions else idle,
    )  # fmt: skip


def has_plans(rules: RuleSet, event: Event, product: Product) -> bool:
    """Whether the event is about one of the product's subscription plans."""
    row = rules.catalogue.event(event.name)
    return product.kind == "subscription" and row is not None and row.carries_plan


def plan_of(event: Event, product: Product) -> SubscriptionPlan | None:
    """Find it by its id or an id behind it; else by its name, if it alone has that name."""
    by_id = [p for p in product.plans if event.plan_id in (p.id, *p.also)]
    found = by_id or [p for p in product.plans if fold(p.name) == fold(event.plan_name or "")]
    return found[0] if len(found) == 1 else None


def automatic(rules: RuleSet, event: Event, product: Product, provider: str) -> Iterator[Wish]:
    """Record everybody who interacts with an approved product, and set its automatic tags."""
    account = rules.providers[provider]
    approved = product.approved_at is not None and account.takes_event(event.name)
    if not approved or provider != rules.capture_provider:
        return
    asked: list[tuple[Action, str]] = [(AddLead(), "auto.capture")]
    for row in AUTOMATIC:
        asked += [(AddTag(row.tag_for(product.id)), row.id)] * (event.name in row.adds_on)
        asked += [(RemoveTag(row.tag_for(product.id)), row.id)] * (event.name in row.removes_on)
    send = [f for f in ("name", "phone") if account.data is None or f in account.data]
    yield from ((action, why, ("email", *send)) for action, why in asked if account.can(action))


def custom(
    rules: RuleSet, event: Event, product: Product, provider: str, flagged: set[str]
) -> Iterator[Wish]:
    """A rule runs if switched on, free of errors, and for this product, event, plan and contact."""
    for rule in rules.segmentations:
        here = (rule.provider, rule.product_id, rule.event) == (provider, product.id, event.name)
        if not here or not rule.enabled or rule.id in flagged:
            continue
        mine = plan_of(event, product)
        for_plan = mine is not None and {mine.id, *mine.also} & set(rule.plan_ids)
        if for_plan or not has_plans(rules, event, product):
            if rule.condition is None or holds(rule.condition, rules, event):
                yield from ((action, rule.id, rule.send) for action in rule.actions)


def holds(condition: Condition, rules: RuleSet, event: Event, *, negated: bool = False) -> bool:
    """Whether the contact is meant; `not` reaches down: not (a and b) is (not a) or (not b)."""
    match condition:
        case Not():
            return holds(condition.condition, rules, event, negated=not negated)
        case AllOf() | AnyOf():
            parts = [holds(part, rules, event, negated=negated) for part in condition.conditions]
            return all(parts) if isinstance(condition, AllOf) is not negated else any(parts)
        case Comparison():
            answer = compare(condition, rules, event)
            return answer is not None and answer is not negated


def compare(comparison: Comparison, rules: RuleSet, event: Event) -> bool | None:
    """Yes or no; None, which is neither, where the fact is missing or of a wrong type."""
    raw, fact = event.facts.get(comparison.fact), rules.catalogue.fact(comparison.fact)
    asked, given = comparison.operator.value, comparison.value
    if asked in ("is_set", "is_missing") or fact is None:
        return says_something(raw) is (asked == "is_set")
    value = read(raw, fact.kind)
    wanted = [read(v, fact.kind) for v in (given if isinstance(given, tuple) else (given,))]
    if value is None or None in wanted:
        return None
    if asked == "between":
        return bool(wanted[0] <= value <= wanted[1])
    if asked in ASKS:
        return bool(ASKS[asked](value, wanted[0]))
    in_range = fact.kind == "language" and any(value.startswith(f"{tag}-") for tag in wanted)
    return (value in wanted or in_range) is (asked in ("eq", "in"))


def read(raw: Any, kind: str) -> Any:
    """The form in which a value compares; None for a wrong type, since nothing is coerced."""
    if kind in TYPES:
        fits = isinstance(raw, TYPES[kind]) and isinstance(raw, bool) is (kind == "boolean")
        return (raw.astimezone(UTC) if kind == "instant" else raw) if fits else None
    if not isinstance(raw, str) or kind not in CODES:
        return (fold(raw) or None) if isinstance(raw, str) else None
    code = raw.strip().replace("_", "-").lower() if kind == "language" else raw.strip().upper()
    return code if re.fullmatch(CODES[kind], code) else None


def says_something(raw: object) -> bool:
    """Blank text is no value; it does not hold, and is not sent."""
    return bool(raw.strip()) if isinstance(raw, str) else raw is not None


def fold(text: str) -> str:
    """Texts, names, tags and places compare trimmed, and capitals do not count."""
    return text.strip().casefold()


def spot(place: Place | None) -> list[str]:
    return [word for n, v in place.parts.items() for word in (n, fold(v))] if place else []


def key_of(action: Action) -> tuple[str, ...]:
    """What makes two actions equal, and what their ids are digested from: all that they say."""
    match action:
        case AddTag(tag) | RemoveTag(tag):
            words = [fold(tag)]
        case AddLead(place) | RemoveLead(place):
            words = spot(place)
        case MoveLead(to, source):
            words = [str(len(spot(to))), *spot(to), *spot(source), action.if_absent]
        case ProviderAction(verb, parameters):
            words = [verb]
            for name, value in parameters.items():
                text = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
                words += [name, type(value).__name__, str(text)]
    return (KINDS[type(action)], *words)


def removes(one: Action, other: Action) -> bool:
    """Remove wins, since an added tag sends mail: over adding to, or moving into, what is removed."""
    match one, other:
        case RemoveTag(tag), AddTag(added):
            return fold(tag) == fold(added)
        case RemoveLead(place), AddLead(to) | MoveLead(to):
            return spot(place) == spot(to)
    return False


def clashes(one: Action, other: Action, *, one_place: bool) -> bool:
    """Of two moves or adds that cannot both be, the first declared wins."""
    match one, other:
        case MoveLead(to, source), MoveLead(goal, origin):
            overlap = source is None or origin is None or spot(source) == spot(origin)
            return overlap or spot(to) == spot(origin) or spot(goal) == spot(source)
        case (AddLead(Place() as place), MoveLead(to, source)) | (MoveLead(to, source), AddLead(Place() as place)):
            return spot(place) == spot(source) if source else spot(place) != spot(to)
        case AddLead(Place()), AddLead(Place()):
            return one_place
    return False


def settle(
    rules: RuleSet, event: Event, contact: Contact, provider: str, wishes: list[Wish], 
    actions: list[PlannedAction], conflicts: list[Conflict],
) -> None:
    """Merge equal actions, drop those that lose, and put both in order."""
    merged: dict[tuple[str, ...], list[Wish]] = {}  # by first mention
    for wish in wishes:
        merged.setdefault(key_of(wish[0]), []).append(wish)
    chosen = {key: min((wish[0] for wish in same), key=repr) for key, same in merged.items()}
    loses_to: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for n, (key, action) in enumerate(chosen.items()):
        earlier = list(chosen)[:n]
        one_place = rules.providers[provider].one_place
        loses_to[key] = [k for k in chosen if removes(chosen[k], action)] or [
            k for k in earlier if clashes(chosen[k], action, one_place=one_place)
        ]
    for key in sorted(chosen, key=lambda key: (list(KINDS.values()).index(key[0]), key)):
        if loses_to[key]:
            winner = next((w for w in loses_to[key] if not loses_to[w]), loses_to[key][0])
            rule = ConflictRule.REMOVE_WINS if winner[0].startswith("remove") else ConflictRule.FIRST_WINS
            conflicts.append(Conflict(provider, target(chosen[key]), chosen[winner], chosen[key], rule))
        else:
            because = tuple(sorted({wish[1] for wish in merged[key]}))
            ...
