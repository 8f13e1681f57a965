"""What a rule set does with an event, in plain loops: this page defines the behaviour of listboss.

Written to be read (unformatted, to fit on one page), it shares only values, spellings and results
with the engine. For any input, tests check that it plans what `Engine(rules).plan(event)` plans.
"""

# fmt: off
import re
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from operator import contains, ge, gt, le, lt
from typing import Any, TypeAlias

from listboss.plan import Conflict, ConflictRule, Idle, Plan, PlannedAction
from listboss.rules import AUTOMATIC, AddLead, AddTag, Contact, Event, MoveLead, Product, RuleSet
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import fold
from listboss.rules._vocabulary import normal_form
from listboss.rules.action import Action, Place, ProviderAction, RemoveLead, RemoveTag, place_key
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not

__all__ = ["beats", "capture", "compare", "digest", "holds", "key_of", "normalize", "plan",
           "plan_ids", "resolve", "run_rules"]

Request: TypeAlias = tuple[str, Action, str, tuple[str, ...]]  # provider, action, rule id, send
Result: TypeAlias = tuple[list[PlannedAction], list[Conflict]]
KINDS = {RemoveTag: "remove_tag", RemoveLead: "remove_lead", MoveLead: "move_lead",
         AddLead: "add_lead", AddTag: "add_tag", ProviderAction: "provider_action"}  # in plan order
CONTACT_FIELDS = ("email", "name", "first_name", "last_name", "phone")
TYPES = {"integer": (int,), "decimal": (int, Decimal), "boolean": (bool,), "instant": (datetime,)}
CODES = {"country": "[A-Z]{2}", "currency": "[A-Z]{3}", "language": r"[a-z]{2,8}(-\w{1,8}){0,15}"}
OPERATORS: Any = {"lt": lt, "le": le, "gt": gt, "ge": ge, "contains": contains,
                  "starts_with": str.startswith}

def plan(rules: RuleSet, event: Event, *, include_tests: bool = False) -> Plan:
    """Return the actions to perform, each with its reasons, or why there are none."""
    product = next((p for p in rules.products if p.id == event.product_id), None)
    actions, conflicts = list[PlannedAction](), list[Conflict]()
    if event.contact is None:
        idle = Idle.UNADDRESSED
    elif event.is_test and not include_tests:
        idle = Idle.TEST
    elif product is None:
        idle = Idle.UNKNOWN_PRODUCT
    elif rules.catalogue.event(event.name) is None:
        idle = Idle.UNKNOWN_EVENT
    else:
        idle = Idle.UNKNOWN_PLAN if plan_ids(rules, event, product) == set() else Idle.NO_RULE
        requests = capture(rules, event, product) + run_rules(rules, event, product)
        actions, conflicts = resolve(rules, event, event.contact, requests)
    return Plan(event_id=event.id, event_name=event.name, product_id=event.product_id,
                occurred_at=event.occurred_at, is_test=event.is_test, actions=tuple(actions),
                conflicts=tuple(conflicts), idle=None if actions else idle)

def plan_ids(rules: RuleSet, event: Event, product: Product) -> set[str] | None:
    """All ids of the event's subscription plan; empty if unknown, None if it does not matter."""
    event_type = rules.catalogue.event(event.name)
    if product.kind != "subscription" or event_type is None or not event_type.carries_plan:
        return None
    name = normalize(event.plan_name, "text")  # used only without an id, if only one plan has it
    found = [p for p in product.plans if event.plan_id is None and fold(p.name) == name]
    found += [p for p in product.plans if event.plan_id in p.ids]
    return set(found[0].ids) if len(found) == 1 else set()

def capture(rules: RuleSet, event: Event, product: Product) -> list[Request]:
    """Record everyone who interacts with an approved product, and update the automatic tags."""
    provider, charge = rules.capture_provider or "", event.facts.get("recurrence_number")
    account, name = rules.providers.get(provider), event.name
    if account is None or product.approved_at is None or not account.takes_event(name):
        return []
    wanted: list[tuple[Action, str]] = [(AddLead(), "auto.capture")]
    wanted += [(AddTag(r.tag_for(product.id)), r.id) for r in AUTOMATIC if name in r.adds_on]
    wanted += [(RemoveTag(r.tag_for(product.id)), r.id) for r in AUTOMATIC
               if name in r.removes_on + r.removes_on_first_charge * (repr(charge) == "1")]
    send = ("email", *(f for f in ("name", "phone") if account.data is None or f in account.data))
    return [(provider, action, rule_id, send) for action, rule_id in wanted if account.can(action)]

def run_rules(rules: RuleSet, event: Event, product: Product) -> list[Request]:
    """Run each enabled rule without errors that fits the product, event, plan and contact."""
    requests: list[Request] = []
    flagged = {f.segmentation_id for f in rules.findings_of(product.id) if f.severity == "error"}
    ids = plan_ids(rules, event, product)
    for rule in rules.segmentations:
        if rule.enabled and (rule.product_id, rule.event) == (product.id, event.name):
            usable = rule.id not in flagged and (ids is None or not ids.isdisjoint(rule.plan_ids))
            if usable and (rule.condition is None or holds(rule.condition, rules, event)):
                requests += [(rule.provider, action, rule.id, rule.send) for action in rule.actions]
    return requests

def holds(condition: Condition, rules: RuleSet, event: Event, *, negated: bool = False) -> bool:
    """Whether the condition is met. `not` moves inward: not (a and b) is (not a) or (not b)."""
    match condition:
        case Not():
            return holds(condition.condition, rules, event, negated=not negated)
        case AllOf() | AnyOf():
            parts = [holds(part, rules, event, negated=negated) for part in condition.conditions]
            return all(parts) if isinstance(condition, AllOf) is not negated else any(parts)
        case Comparison():
            return compare(condition, rules, event) is (not negated)

def compare(comparison: Comparison, rules: RuleSet, event: Event) -> bool | None:
    """True or False, or None (neither) if the fact is missing or has the wrong type."""
    raw, fact = event.facts.get(comparison.fact), rules.catalogue.fact(comparison.fact)
    operator, operand = comparison.operator.value, comparison.value
    if operator in ("is_set", "is_missing") or fact is None:  # blank text counts as missing
        return (raw is not None and str(raw)[:4097].strip() != "") is (operator == "is_set")
    operands = operand if isinstance(operand, tuple) else [operand]
    value, wanted = normalize(raw, fact.kind), [normalize(item, fact.kind) for item in operands]
    if value is None or None in wanted:
        return None
    if operator == "between":
        return bool(wanted[0] <= value <= wanted[1])
    if operator in OPERATORS:
        return bool(OPERATORS[operator](value, wanted[0]))
    in_range = fact.kind == "language" and any(value.startswith(f"{tag}-") for tag in wanted)
    return (value in wanted or in_range) is (operator in ("eq", "in"))

def normalize(raw: Any, kind: str) -> Any:
    """The form in which a value is compared, or None if its type is wrong: nothing is converted."""
    if kind in TYPES:
        return raw if type(raw) in TYPES[kind] else None
    raw = raw.strip() if isinstance(raw, str) and len(raw) <= 4096 else ""  # longer is wrong, too
    if kind not in CODES:
        text = {"term": normal_form(fold(raw)), "identifier": raw}.get(kind) or fold(raw)
        return text if 0 < len(text) <= 4096 else None
    code = raw.replace("_", "-").lower() if kind == "language" else raw.upper()
    return code if raw.isascii() and re.fullmatch(CODES[kind], code) else None

def key_of(action: Action) -> tuple[str, ...]:
    """What makes two actions equal, and what their ids are made from: all that the action says."""
    key = [KINDS[type(action)]]
    match action:
        case AddTag(tag) | RemoveTag(tag):
            key += [fold(tag)]
        case AddLead(place) | RemoveLead(place):
            key += place_key(place)
        case MoveLead(to, source, if_absent=if_absent):
            key += [str(len(place_key(to))), *place_key(to), *place_key(source), if_absent]
        case ProviderAction(verb, parameters):
            key += [verb]
            for name, v in parameters.items():  # equal decimals have one text: 49.90 is 49.9
                text = v.isoformat() if isinstance(v, datetime) else str(v)
                short = re.sub(r"\.?0+$", "", f"{v or 0:.256f}") if isinstance(v, Decimal) else text
                key += [name, type(v).__name__, short]
    return tuple(key)

def beats(one: Action, other: Action, *, earlier: bool, one_place: bool) -> bool:
    """Whether `other` is dropped: removing wins; of two that contradict each other, the first."""
    at = place_key
    match one, other:
        case RemoveTag(tag), AddTag(added):
            return fold(tag) == fold(added)
        case RemoveLead(place), AddLead(to) | MoveLead(to):
            return at(place) == at(to)
        case MoveLead(to, source), MoveLead(to2, source2):
            overlap = at(source) in (at(source2), at(to2)) or at(to) == at(source2)
            return earlier and (source is None or source2 is None or overlap)
        case MoveLead(to, source), AddLead(Place() as place):
            return earlier and (at(place) == at(source) if source else at(place) != at(to))
        case AddLead(Place()), MoveLead():
            return beats(other, one, earlier=earlier, one_place=one_place)
        case _:
            places = [a.place for a in (one, other) if isinstance(a, AddLead) and a.place]
            return earlier and one_place and len(places) == 2

def resolve(rules: RuleSet, event: Event, contact: Contact, requests: list[Request]) -> Result:
    """Merge equal actions at one provider, drop what another beats (even a dropped one), sort."""
    actions, conflicts = list[PlannedAction](), list[Conflict]()
    merged: dict[tuple[str, ...], list[Request]] = {}  # by provider and action, in declared order
    for request in requests:
        merged.setdefault((request[0], *key_of(request[1])), []).append(request)
    spelled = {key: min((action for _, action, _, _ in merged[key]), key=repr) for key in merged}
    beaten_by = {key: [other for n, other in enumerate(merged) if other[0] == key[0] and beats(
        spelled[other], spelled[key], earlier=n < position,
        one_place=rules.providers[key[0]].one_place)] for position, key in enumerate(merged)}
    known = {**event.facts, **{field: getattr(contact, field) for field in CONTACT_FIELDS}}
    for key in sorted(merged, key=lambda key: (key[0], [*KINDS.values()].index(key[1]), key)):
        provider, action = key[0], spelled[key]
        if beaten_by[key]:  # report one winner: one that removes, or else one that is not dropped
            winner = min(beaten_by[key], key=lambda k: (k[1][:6] != "remove", beaten_by[k] != []))
            rule = ConflictRule("remove_wins" if winner[1][:6] == "remove" else "first_wins")
            place = getattr(action, "to", getattr(action, "place", None))
            target = [f"{n}={fold(v)}" for n, v in place.parts.items()] if place else [key[2]]
            conflicts.append(Conflict(provider, ", ".join(target), spelled[winner], action, rule))
            continue
        send = {field for _, _, _, fields in merged[key] for field in fields}
        data = {k: v for k, v in known.items() if k in send and v is not None and str(v).strip()}
        because = tuple(sorted({rule_id for _, _, rule_id, _ in merged[key]}))
        actions.append(PlannedAction(
            provider, contact.email, action, FrozenMap(data), because=because,
            automatic=any(rule_id.startswith("auto.") for rule_id in because),
            id=digest(event.id, provider, contact.key) + "-" + digest(*key[1:])))
    return actions, conflicts

def digest(*words: str) -> str:
    """Hash the words; the length before each keeps ("ab", "c") apart from ("a", "bc")."""
    text = b"".join(b"%d:%b" % (len(word.encode()), word.encode()) for word in words)
    return blake2b(text, digest_size=12).hexdigest()
