"""The whole meaning of a rule set in plain loops: who has read this page knows what listboss does.

Written from the documentation to be read, not to be fast (unformatted, to stay one page); shares
nothing with the engine but the nouns and the classes of the result. For every input, tests hold
that `Engine(rules).plan(event)` equals `plan(rules, event)`: each action, reason, id, conflict.
"""
# fmt: off

import operator
import re
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeAlias

from listboss.plan import Conflict, ConflictRule, Idle, Plan, PlannedAction
from listboss.rules import AUTOMATIC, Action, Condition, Contact, Event, Place, Product, RuleSet
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import fold
from listboss.rules.action import AddLead, AddTag, MoveLead, ProviderAction, RemoveLead, RemoveTag
from listboss.rules.action import place_key as spot
from listboss.rules.condition import AllOf, AnyOf, Comparison, Not

__all__ = ["asked", "beats", "captured", "compare", "digest", "holds", "key_of", "plan", "plan_ids",
           "read", "settle"]

Wish: TypeAlias = tuple[str, Action, str, tuple[str, ...]]  # provider, action, rule, data to send
Result: TypeAlias = tuple[list[PlannedAction], list[Conflict]]
KINDS = {RemoveTag: "remove_tag", RemoveLead: "remove_lead", MoveLead: "move_lead",
         AddLead: "add_lead", AddTag: "add_tag", ProviderAction: "provider_action"}
PERSON = ("email", "name", "first_name", "last_name", "phone")
TYPES = {"integer": (int,), "decimal": (int, Decimal), "boolean": (bool,), "instant": (datetime,)}
TAG = "[a-z]{2,8}(-[a-z0-9]{1,8}){0,15}"
CODES = {"country": "[A-Z]{2}", "currency": "[A-Z]{3}", "language": TAG}
ASKS: Any = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
             "contains": operator.contains, "starts_with": str.startswith}

def plan(rules: RuleSet, event: Event, *, include_tests: bool = False) -> Plan:
    """Say which actions the event asks for and why, or why there are none."""
    product = next((p for p in rules.products if p.id == event.product_id), None)
    done: Result = ([], [])
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
        wishes = captured(rules, event, product) + asked(rules, event, product)
        done = settle(rules, event, event.contact, wishes)
    return Plan(
        event_id=event.id, event_name=event.name, product_id=event.product_id,
        occurred_at=event.occurred_at, is_test=event.is_test,
        actions=tuple(done[0]), conflicts=tuple(done[1]), idle=None if done[0] else idle)

def plan_ids(rules: RuleSet, event: Event, product: Product) -> set[str] | None:
    """All ids of the event's subscription plan, none if unknown; None where plans do not count."""
    event_type = rules.catalogue.event(event.name)
    if product.kind != "subscription" or event_type is None or not event_type.carries_plan:
        return None
    name = fold(event.plan_name or "")  # counts only where there is no id, and if it is unique
    found = [p for p in product.plans if event.plan_id is None and fold(p.name) == name]
    found += [p for p in product.plans if event.plan_id in p.ids]
    return set(found[0].ids) if len(found) == 1 else set()

def captured(rules: RuleSet, event: Event, product: Product) -> list[Wish]:
    """Everybody who interacts with an approved product is recorded, and has automatic tags."""
    provider = rules.capture_provider or ""
    account = rules.providers.get(provider)
    if account is None or product.approved_at is None or not account.takes_event(event.name):
        return []
    wanted: list[tuple[Action, str]] = [(AddLead(), "auto.capture")]
    for row in AUTOMATIC:
        wanted += [(AddTag(row.tag_for(product.id)), row.id)] * (event.name in row.adds_on)
        wanted += [(RemoveTag(row.tag_for(product.id)), row.id)] * (event.name in row.removes_on)
    send = ("email", *(f for f in ("name", "phone") if account.data is None or f in account.data))
    return [(provider, action, why, send) for action, why in wanted if account.can(action)]

def asked(rules: RuleSet, event: Event, product: Product) -> list[Wish]:
    """A rule runs that is on, has no error, and is for this product, event, plan and contact."""
    wishes: list[Wish] = []
    flagged = {f.segmentation_id for f in rules.findings_of(product.id) if f.severity == "error"}
    ids = plan_ids(rules, event, product)
    for rule in rules.segmentations:
        if rule.enabled and (rule.product_id, rule.event) == (product.id, event.name):
            usable = rule.id not in flagged and (ids is None or not ids.isdisjoint(rule.plan_ids))
            if usable and (rule.condition is None or holds(rule.condition, rules, event)):
                wishes += [(rule.provider, action, rule.id, rule.send) for action in rule.actions]
    return wishes

def holds(condition: Condition, rules: RuleSet, event: Event, *, negated: bool = False) -> bool:
    """Whether the contact is meant; `not` reaches down: not (a and b) is (not a) or (not b)."""
    match condition:
        case Not():
            return holds(condition.condition, rules, event, negated=not negated)
        case AllOf() | AnyOf():
            parts = [holds(part, rules, event, negated=negated) for part in condition.conditions]
            return all(parts) if isinstance(condition, AllOf) is not negated else any(parts)
        case Comparison():
            return compare(condition, rules, event) is (not negated)

def compare(comparison: Comparison, rules: RuleSet, event: Event) -> bool | None:
    """Yes or no; None, which is neither, where the fact is missing or of a wrong type."""
    raw, fact = event.facts.get(comparison.fact), rules.catalogue.fact(comparison.fact)
    question, given = comparison.operator.value, comparison.value
    if question in ("is_set", "is_missing") or fact is None:
        return (raw is not None and str(raw).strip() != "") is (question == "is_set")
    value = read(raw, fact.kind)
    wanted = [read(item, fact.kind) for item in (given if isinstance(given, tuple) else [given])]
    if value is None or None in wanted:
        return None
    if question == "between":
        return bool(wanted[0] <= value <= wanted[1])
    if question in ASKS:
        return bool(ASKS[question](value, wanted[0]))
    in_range = fact.kind == "language" and any(value.startswith(f"{tag}-") for tag in wanted)
    return (value in wanted or in_range) is (question in ("eq", "in"))

def read(raw: Any, kind: str) -> Any:
    """The form in which a value compares; None for a wrong type, since nothing is coerced."""
    if kind in TYPES:
        fits = isinstance(raw, TYPES[kind]) and isinstance(raw, bool) is (kind == "boolean")
        return (raw.astimezone(UTC) if isinstance(raw, datetime) else raw) if fits else None
    text = raw.strip() if isinstance(raw, str) else ""
    if kind not in CODES:
        return fold(text) or None
    code = text.replace("_", "-").lower() if kind == "language" else text.upper()
    return code if re.fullmatch(CODES[kind], code) else None

def key_of(action: Action) -> tuple[str, ...]:
    """What makes two actions equal, and what ids are digested from: all that an action says."""
    words = [KINDS[type(action)]]
    match action:
        case AddTag(tag) | RemoveTag(tag):
            words += [fold(tag)]
        case AddLead(place) | RemoveLead(place):
            words += spot(place)
        case MoveLead(to, source, if_absent=if_absent):
            words += [str(len(spot(to))), *spot(to), *spot(source), if_absent]
        case ProviderAction(verb, parameters):
            words += [verb]
            for name, v in parameters.items():
                text = v.astimezone(UTC).isoformat() if isinstance(v, datetime) else str(v)
                words += [name, type(v).__name__, text]
    return tuple(words)

def beats(one: Action, other: Action, *, earlier: bool, one_place: bool) -> bool:
    """Whether `other` is dropped: remove wins; else, of what cannot both be, the first declared."""
    match one, other:
        case RemoveTag(tag), AddTag(added):
            return fold(tag) == fold(added)
        case RemoveLead(place), AddLead(to) | MoveLead(to):
            return spot(place) == spot(to)
        case MoveLead(to, source), MoveLead(goal, origin):
            met = spot(source) in (spot(origin), spot(goal)) or spot(to) == spot(origin)
            return earlier and (source is None or origin is None or met)
        case MoveLead(to, source), AddLead(Place() as place):
            return earlier and (spot(place) == spot(source) if source else spot(place) != spot(to))
        case AddLead(Place()), MoveLead():
            return beats(other, one, earlier=earlier, one_place=one_place)
        case _:
            places = [a.place for a in (one, other) if isinstance(a, AddLead) and a.place]
            return earlier and one_place and len(places) == 2

def settle(rules: RuleSet, event: Event, contact: Contact, wishes: list[Wish]) -> Result:
    """Merge equal actions at one provider, drop what loses, and put all in order."""
    done: Result = ([], [])
    same: dict[tuple[str, ...], list[Wish]] = {}  # by provider and action, as first mentioned
    for wish in wishes:
        same.setdefault((wish[0], *key_of(wish[1])), []).append(wish)
    sent = {key: min((wish[1] for wish in same[key]), key=repr) for key in same}
    one_place = {name: account.one_place for name, account in rules.providers.items()}
    lost = {b: [a for n, a in enumerate(same) if a[0] == b[0] and beats(
        sent[a], sent[b], earlier=n < m, one_place=one_place[b[0]])] for m, b in enumerate(same)}
    said = {**event.facts, **{field: getattr(contact, field) for field in PERSON}}
    for key in sorted(same, key=lambda key: (key[0], [*KINDS.values()].index(key[1]), key)):
        if lost[key]:
            kept = min(lost[key], key=lambda k: (k[1][:6] != "remove", lost[k] != []))
            rule = ConflictRule("remove_wins" if kept[1][:6] == "remove" else "first_wins")
            place = getattr(sent[key], "to", getattr(sent[key], "place", None))
            parts = [f"{n}={fold(v)}" for n, v in place.parts.items()] if place else [key[2]]
            done[1].append(Conflict(key[0], ", ".join(parts), sent[kept], sent[key], rule))
            continue
        send = {field for wish in same[key] for field in wish[3]}
        data = {k: v for k, v in said.items() if k in send and v is not None and str(v).strip()}
        why = tuple(sorted({wish[2] for wish in same[key]}))
        done[0].append(PlannedAction(
            key[0], contact.email, sent[key], FrozenMap(data), because=why,
            automatic=any(rule_id.startswith("auto.") for rule_id in why),
            id=digest(event.id, key[0], contact.key) + "-" + digest(*key[1:])))
    return done

def digest(*words: str) -> str:
    """Tell texts apart, in their order, each with its length before it."""
    told = b"".join(b"%d:%b" % (len(word.encode()), word.encode()) for word in words)
    return blake2b(told, digest_size=12).hexdigest()
