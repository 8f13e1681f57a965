"""Is this rule usable? All findings about one rule, from what it says and what it refers to.

A rule with inconsistencies is flagged for review before use: an *error* keeps it from
running, a *warning* does not. The checks are one table of functions, each about one
segmentation in its context, so a changed rule is reviewed alone. A rule without error
findings never fails when an event is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import attrs

from listboss.errors import FlaggedSegmentationError
from listboss.rules._contradiction import contradictions
from listboss.rules._facts import EXPECTED_FORMS, FITTING_KINDS, MAX_TEXT_LENGTH, READERS
from listboss.rules._groups import bare_amounts, empty_groups
from listboss.rules._moves import sourceless_moves
from listboss.rules._satisfiable import can_hold, never_hint
from listboss.rules._text import alternatives, fold, kind_of, quoted, suggestion
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    action_kind,
    place_text,
)
from listboss.rules.automatic import RESERVED_TAG_PREFIX, is_reserved_tag
from listboss.rules.catalogue import Catalogue, EventType, FactKind, FactType, ProductKind
from listboss.rules.condition import NO_VALUE, Comparison, Operator, comparisons
from listboss.rules.event import CONTACT_FIELDS
from listboss.rules.finding import WARNINGS, Finding, FindingCode, Severity, severity_of

if TYPE_CHECKING:
    from listboss.rules.capabilities import Capabilities, Verb
    from listboss.rules.segmentation import Product, Segmentation

__all__ = ["ReviewContext", "flagged_error", "is_flagged", "review"]

MAX_SUGGESTIONS = 8
"""The review of one rule looks for at most this many nearest words."""


@attrs.frozen
class ReviewContext:
    """What a rule is reviewed against: its product and its provider's abilities, if known.

    `product_ids` and `provider_names` are those of the rule set.
    """

    product: Product | None
    capabilities: Capabilities | None
    catalogue: Catalogue
    product_ids: Collection[str] = ()
    provider_names: Collection[str] = ()


class _Unknown(NamedTuple):
    """A hint that takes a search for the nearest known word, so made only when it is shown."""

    word: str
    known: Collection[str]
    advice: str = ""


# code, message, path, hint
_Fault: TypeAlias = tuple[FindingCode, str, str, str | _Unknown]
_Check: TypeAlias = "Callable[[Segmentation, ReviewContext], Iterator[_Fault]]"

_C = FindingCode
_CODE_HINTS = {
    FactKind.COUNTRY: "use the ISO 3166-1 code of the country",
    FactKind.CURRENCY: "use the ISO 4217 code of the currency",
    FactKind.LANGUAGE: "use the BCP 47 tag of the language",
}
_CHECKLIST = "check the provider, the event, the conditions and the action"
_ACTIONS_HINT = "`RuleSet.actions_for` lists the actions of the provider"


def _provider(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    if context.capabilities is None:
        advice = "add the account to `providers`"
        hint = _Unknown(rule.provider, context.provider_names, advice)
        message = f"provider {quoted(rule.provider)} is not integrated"
        yield _C.PROVIDER_MISSING, message, "$.provider", hint


def _product(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    if context.product is None:
        advice = "add the product to `products`"
        hint = _Unknown(rule.product_id, context.product_ids, advice)
        yield _C.PRODUCT_UNKNOWN, f"unknown product {quoted(rule.product_id)}", "$.product_id", hint
    elif context.product.approved_at is None:
        yield (
            _C.PRODUCT_NOT_APPROVED, "the product is not approved", "$.product_id",
            "set `approved_at` of the product",
        )  # fmt: skip


def _event(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    event = context.catalogue.event(rule.event)
    if event is None:
        known = [each.name for each in context.catalogue.events]
        hint = _Unknown(rule.event, known, "add an event type with `Catalogue.extended`")
        yield _C.EVENT_UNKNOWN, f"unknown event {quoted(rule.event)}", "$.event", hint
        return
    product, capabilities = context.product, context.capabilities
    if product is not None and product.kind not in event.product_kinds:
        yield (
            _C.EVENT_INCOMPATIBLE,
            f"{quoted(rule.event)} is not offered for products of kind `{product.kind}`", "$.event",
            "`RuleSet.events_for` lists the events that are offered",
        )  # fmt: skip
    if capabilities is not None and not capabilities.takes_event(rule.event):
        yield (
            _C.EVENT_UNSUPPORTED, f"the provider does not support {quoted(rule.event)}", "$.event",
            "`RuleSet.events_for` lists the events that it supports",
        )  # fmt: skip
    if product is not None:
        yield from _plans(rule, product, event)


def _plans(rule: Segmentation, product: Product, event: EventType) -> Iterator[_Fault]:
    if product.kind is not ProductKind.SUBSCRIPTION or not event.carries_plan:
        if rule.plan_ids:
            yield (
                _C.PLAN_NOT_CARRIED, f"{quoted(rule.event)} of this product does not name a plan",
                "$.plan_ids", "remove `plan_ids`",
            )  # fmt: skip
        return
    ids = product.plan_ids
    advice = "add the plan to `plans` of the product"
    if not rule.plan_ids:
        such_as = (
            f"name the plan in `plan_ids`, such as {quoted(next(iter(ids)))}" if ids else advice
        )
        message = "a subscription product needs a segmentation for each plan"
        yield _C.PLAN_REQUIRED, message, "$.plan_ids", such_as
    for n, plan_id in enumerate(rule.plan_ids):
        if plan_id not in ids:
            message = f"the product has no plan {quoted(plan_id)}"
            yield _C.PLAN_UNKNOWN, message, f"$.plan_ids[{n}]", _Unknown(plan_id, ids, advice)


def _condition(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    usable = True
    for fault in chain(_comparisons(rule, context), empty_groups(rule.condition, "$.condition")):
        usable = usable and fault[0] in WARNINGS
        yield fault
    condition = rule.condition
    if condition is not None and usable and can_hold(condition, context.catalogue) is False:
        yield (
            _C.NEVER_HOLDS, "the condition can never hold, so the rule would never run",
            "$.condition", never_hint(condition),
        )  # fmt: skip


def _comparisons(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    catalogue = context.catalogue
    known_event = catalogue.event(rule.event) is not None
    for path, comparison in comparisons(rule.condition, "$.condition"):
        fact = catalogue.fact(comparison.fact)
        if fact is None:
            known = [each.name for each in catalogue.facts]
            hint = _Unknown(comparison.fact, known, "add a fact type with `Catalogue.extended`")
            yield _C.FACT_UNKNOWN, f"unknown fact {quoted(comparison.fact)}", path, hint
            continue
        if known_event and not catalogue.carries(rule.event, fact.name):
            message = f"{quoted(rule.event)} does not carry {quoted(fact.name)}"
            advice = "`RuleSet.facts_for` lists the facts that an event carries"
            yield _C.FACT_NOT_CARRIED, message, path, advice
        yield from _comparison(comparison, fact, path)


def _comparison(comparison: Comparison, fact: FactType, path: str) -> Iterator[_Fault]:
    operator = comparison.operator
    if operator in NO_VALUE:
        return
    kinds = FITTING_KINDS.get(operator)
    if kinds is not None and fact.kind not in kinds:
        message = f"`{operator}` does not fit {quoted(fact.name)}, a fact of kind `{fact.kind}`"
        hint = f"`{operator}` fits facts of kind {alternatives(sorted(kinds))}"
        yield _C.OPERATOR_UNFIT, message, path, hint
        return
    value = comparison.value
    values = value if isinstance(value, tuple) else (value,)
    if not values:
        yield _C.VALUE_EMPTY, "the list of values is empty", path, "add a value to the list"
    read = [READERS[fact.kind](item) for item in values]
    known = _known_values(fact.kind, fact.values) if fact.values or fact.closed else None
    good = None not in read and (known is None or known.issuperset(read))  # most lists are
    for raw, item in () if good else zip(values, read, strict=True):
        yield from _value(raw, item, known, fact, path)
    if (
        operator is Operator.BETWEEN
        and None not in read
        and read != sorted(cast("list[Any]", read))
    ):
        yield _C.VALUE_UNFIT, "the range is empty", path, "write the lower bound first"


def _value(
    raw: object, read: object, known: Collection[object] | None, fact: FactType, path: str
) -> Iterator[_Fault]:
    if isinstance(raw, str) and not raw.strip():
        hint = "use `is_missing()` to test for a missing fact"
        yield _C.VALUE_EMPTY, "the value is blank", path, hint
    elif isinstance(raw, str) and read is None and max(len(raw), len(fold(raw))) > MAX_TEXT_LENGTH:
        message = f"{quoted(fact.name)}: expected at most {MAX_TEXT_LENGTH:,} characters"
        yield _C.VALUE_UNFIT, message, path, "use a shorter string: a longer one never matches"
    elif read is None:
        form = EXPECTED_FORMS[fact.kind]
        code_hint = _CODE_HINTS.get(fact.kind)
        got = "another string" if code_hint and isinstance(raw, str) else kind_of(raw)
        yield (
            _C.VALUE_UNFIT, f"{quoted(fact.name)}: expected {form}, got {got}", path,
            code_hint or "values are not converted from one kind to another",
        )  # fmt: skip
    elif known is None or read in known:
        return
    elif fact.closed:
        message = f"{quoted(fact.name)} has no value {quoted(str(raw))}"
        yield _C.VALUE_UNKNOWN, message, path, _Unknown(str(raw), fact.values)
    else:
        advice = "keep the value if events can have it"
        message = f"{quoted(str(raw))} is not a known value of {quoted(fact.name)}"
        yield _C.VALUE_UNFAMILIAR, message, path, _Unknown(str(raw), fact.values, advice)


@lru_cache(maxsize=256)
def _known_values(kind: FactKind, values: tuple[str, ...]) -> frozenset[object]:
    return frozenset(map(READERS[kind], values))


def _actions(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    if not rule.actions:
        yield _C.ACTIONS_EMPTY, "the segmentation has no action", "$.actions", _ACTIONS_HINT
    account = context.capabilities
    yield from contradictions(rule.actions, one_place=account is not None and account.one_place)
    for n, action in enumerate(rule.actions):
        path = f"$.actions[{n}]"
        yield from _targets(action, path)
        if account is not None:
            yield from _ability(action, account, path)


def _targets(action: Action, path: str) -> Iterator[_Fault]:
    if isinstance(action, (AddTag, RemoveTag)):
        if not action.tag.strip():
            yield _C.VALUE_EMPTY, "the tag is blank", path, "write the name of a tag"
        if is_reserved_tag(action.tag):
            yield (
                _C.RESERVED_TAG, "the tag is reserved for automatic segmentations", path,
                f"choose a tag that does not begin with `{RESERVED_TAG_PREFIX}`",
            )  # fmt: skip
    for place in _places(action):
        if not place.parts or not all(value.strip() for value in place.parts.values()):
            yield _C.VALUE_EMPTY, "the place is blank", path, "write a value for each of its parts"


def _places(action: Action) -> tuple[Place, ...]:
    match action:
        case AddLead() | RemoveLead():
            named: tuple[Place | None, ...] = (action.place,)
        case MoveLead():
            named = (action.to, action.source)
        case _:
            named = ()
    return tuple(place for place in named if place is not None)


def _ability(action: Action, capabilities: Capabilities, path: str) -> Iterator[_Fault]:
    if isinstance(action, ProviderAction):
        verb = capabilities.verb(action.verb)
        if verb is not None:
            yield from _parameters(action, verb, path)
            return
        hint = _Unknown(action.verb, [each.name for each in capabilities.verbs], _ACTIONS_HINT)
        yield _C.ACTION_UNSUPPORTED, f"the provider has no action {quoted(action.verb)}", path, hint
        return
    kind = action_kind(action)
    ability = capabilities.ability(kind)
    if ability == "none":
        message = f"the provider does not support `{kind}`"
        yield _C.ACTION_UNSUPPORTED, message, path, _ACTIONS_HINT
    elif ability == "emulated":
        message = f"the provider emulates `{kind}`"
        yield _C.ACTION_EMULATED, message, path, "the provider composes it from other actions"
    if isinstance(action, (AddTag, RemoveTag)) and not capabilities.takes_tag(action.tag):
        hint = _Unknown(action.tag, capabilities.tags or (), "declare it in `Capabilities.tags`")
        yield _C.TAG_UNSUPPORTED, f"the provider has no tag {quoted(action.tag)}", path, hint
    for place in _places(action):
        if not capabilities.takes_place(place):
            text = place_text(place)
            known = [place_text(each) for each in capabilities.places or ()]
            hint = _Unknown(text, known, "declare it in `Capabilities.places`")
            yield _C.PLACE_UNSUPPORTED, f"the provider has no place {quoted(text)}", path, hint


def _parameters(action: ProviderAction, verb: Verb, path: str) -> Iterator[_Fault]:
    for name in verb.faults(action):
        hint: str | _Unknown = ""
        if name not in verb.parameters:
            message = f"{quoted(verb.name)} has no parameter {quoted(name)}"
            hint = _Unknown(name, verb.parameters, f"remove {quoted(name)}")
        elif name not in action.parameters:
            message = f"parameter {quoted(name)} of {quoted(verb.name)} is missing"
            hint = f"add {EXPECTED_FORMS[verb.parameters[name]]}"
        else:
            form, got = EXPECTED_FORMS[verb.parameters[name]], kind_of(action.parameters[name])
            message = f"parameter {quoted(name)} of {quoted(verb.name)}: expected {form}, got {got}"
            hint = "values are not converted from one kind to another"
        yield _C.PARAMETERS_UNSUPPORTED, message, path, hint


def _data(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    catalogue, capabilities = context.catalogue, context.capabilities
    for n, field in enumerate(rule.send):
        path = f"$.send[{n}]"
        if field not in CONTACT_FIELDS:
            if catalogue.fact(field) is None:
                known = [*CONTACT_FIELDS, *(fact.name for fact in catalogue.facts)]
                hint = _Unknown(field, known, "send a field of the contact or a fact")
                yield _C.DATA_UNKNOWN, f"unknown field {quoted(field)}", path, hint
                continue
            if not catalogue.carries(rule.event, field):
                message = f"{quoted(rule.event)} does not carry {quoted(field)}"
                advice = "the field is never sent: remove it from `send`"
                yield _C.DATA_NOT_CARRIED, message, path, advice
        if capabilities is not None and not capabilities.takes_field(field):
            known = [*dict.fromkeys(("email", *(capabilities.data or ())))]
            hint = _Unknown(field, known, "remove the field from `send`")
            yield _C.DATA_UNSUPPORTED, f"the provider does not accept {quoted(field)}", path, hint


def _amounts(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    yield from bare_amounts(rule, context.catalogue)


_CHECKS: tuple[_Check, ...] = (_provider, _product, _event, _condition, _actions, _data)
_WARNING_CHECKS: tuple[_Check, ...] = (_amounts, sourceless_moves)
"""Checks that yield warnings only: whether a rule is flagged does not depend on them."""


def review(rule: Segmentation, context: ReviewContext) -> tuple[Finding, ...]:
    """Return the findings about one segmentation, apart from the others of its product."""
    findings: list[Finding] = []
    searches = 0
    for check in _CHECKS + _WARNING_CHECKS:
        for code, message, path, hint in check(rule, context):
            text = hint if isinstance(hint, str) else hint.advice
            if isinstance(hint, _Unknown) and searches < MAX_SUGGESTIONS:
                searches += 1
                text = suggestion(*hint)
            findings.append(
                Finding(
                    code,
                    severity_of(code),
                    message,
                    segmentation_id=rule.id,
                    product_id=rule.product_id,
                    path=path,
                    hint=text,
                )
            )
    return tuple(findings)


def is_flagged(rule: Segmentation, context: ReviewContext) -> bool:
    """Whether the segmentation has an error, so that it does not run."""
    return any(fault[0] not in WARNINGS for check in _CHECKS for fault in check(rule, context))


def flagged_error(rule: Segmentation, findings: Iterable[Finding]) -> FlaggedSegmentationError:
    """Return the error for using a rule with these findings; only errors among them count."""
    errors = tuple(each for each in findings if each.severity is Severity.ERROR)
    start = f"segmentation {quoted(rule.name)} (id {quoted(rule.id)}) is flagged: "
    if len(errors) == 1:
        (one,) = errors
        hint = "; ".join(filter(None, (one.hint, _CHECKLIST)))
        error = FlaggedSegmentationError(start + one.message, path=one.path, hint=hint)
    else:
        faults = "; ".join(f"{each.message} @ {each.path}" for each in errors)
        error = FlaggedSegmentationError(start + faults, hint=_CHECKLIST)
    error.findings = errors
    return error
