"""Is this rule usable? Everything that is wrong with a rule, from the nouns alone.

A rule with inconsistencies is flagged for review before use: an *error* keeps it from
running, a *warning* does not. The checks are one table of functions, each about one
segmentation in its context, so a changed rule is reviewed alone. A rule without error
findings never fails when an event is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from listboss.errors import FlaggedSegmentationError
from listboss.rules._facts import ORDERED_KINDS, READERS
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
)
from listboss.rules.automatic import is_reserved_tag
from listboss.rules.catalogue import Catalogue, EventType, FactKind, FactType, ProductKind
from listboss.rules.condition import NO_VALUE, Comparison, Operator, comparisons
from listboss.rules.event import CONTACT_FIELDS
from listboss.rules.finding import Finding, FindingCode, Severity

if TYPE_CHECKING:
    from listboss.rules.capabilities import Capabilities
    from listboss.rules.segmentation import Product, Segmentation

__all__ = ["ReviewContext", "flagged_error", "is_flagged", "review"]


@attrs.frozen
class ReviewContext:
    """What a rule is reviewed against: its product and its provider's abilities, if known."""

    product: Product | None
    capabilities: Capabilities | None
    catalogue: Catalogue


# code, severity, message, path, hint
_Fault: TypeAlias = tuple[FindingCode, Severity, str, str, str]
_Check: TypeAlias = "Callable[[Segmentation, ReviewContext], Iterator[_Fault]]"

_E, _W = Severity.ERROR, Severity.WARNING
_C = FindingCode
_ORDER = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE, Operator.BETWEEN})
_PARTS_OF_TEXT = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})


def _provider(_rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    if context.capabilities is None:
        yield (
            _C.PROVIDER_MISSING, _E, "the provider is not integrated", "$.provider",
            "integrate it with `RuleSet.with_provider`",
        )  # fmt: skip


def _product(_rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    if context.product is None:
        yield (
            _C.PRODUCT_UNKNOWN, _E, "the rule set does not have the product", "$.product_id",
            "add it with `RuleSet.with_product`",
        )  # fmt: skip
    elif context.product.approved_at is None:
        yield (
            _C.PRODUCT_NOT_APPROVED, _E, "the product is not approved", "$.product_id",
            "give it an `approved_at`",
        )  # fmt: skip


def _event(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    event = context.catalogue.event(rule.event)
    if event is None:
        yield (
            _C.EVENT_UNKNOWN, _E, f"there is no event `{rule.event}`", "$.event",
            "add an own event type with `Catalogue.extended`",
        )  # fmt: skip
        return
    product, capabilities = context.product, context.capabilities
    if product is not None and product.kind not in event.product_kinds:
        yield (
            _C.EVENT_INCOMPATIBLE, _E,
            f"`{rule.event}` is not offered for a product of kind `{product.kind}`", "$.event", "",
        )  # fmt: skip
    if capabilities is not None and not capabilities.takes_event(rule.event):
        yield (
            _C.EVENT_UNSUPPORTED,
            _E,
            f"the provider does not take `{rule.event}`",
            "$.event",
            "",
        )
    if product is not None:
        yield from _plans(rule, product, event)


def _plans(rule: Segmentation, product: Product, event: EventType) -> Iterator[_Fault]:
    if product.kind is not ProductKind.SUBSCRIPTION or not event.carries_plan:
        if rule.plan_ids:
            yield (
                _C.PLAN_NOT_CARRIED, _E, f"`{rule.event}` of this product names no plan",
                "$.plan_ids", "leave the plans out",
            )  # fmt: skip
        return
    if not rule.plan_ids:
        yield (
            _C.PLAN_REQUIRED, _E, "a subscription product needs a segmentation for each plan",
            "$.plan_ids", "name the plan",
        )  # fmt: skip
    for n, plan_id in enumerate(rule.plan_ids):
        if product.plan(plan_id) is None:
            yield (
                _C.PLAN_UNKNOWN, _E, f"the product has no plan `{plan_id}`", f"$.plan_ids[{n}]", "",
            )  # fmt: skip


def _conditions(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    known_event = context.catalogue.event(rule.event) is not None
    for path, comparison in comparisons(rule.condition, "$.condition"):
        fact = context.catalogue.fact(comparison.fact)
        if fact is None:
            yield (
                _C.FACT_UNKNOWN, _E, f"there is no fact `{comparison.fact}`", path,
                "add an own fact type with `Catalogue.extended`",
            )  # fmt: skip
            continue
        if known_event and not context.catalogue.carries(rule.event, fact.name):
            yield (
                _C.FACT_NOT_CARRIED, _E, f"`{rule.event}` does not carry `{fact.name}`", path, "",
            )  # fmt: skip
        yield from _comparison(comparison, fact, path)


def _comparison(comparison: Comparison, fact: FactType, path: str) -> Iterator[_Fault]:
    operator = comparison.operator
    if operator in NO_VALUE:
        return
    if (operator in _ORDER and fact.kind not in ORDERED_KINDS) or (
        operator in _PARTS_OF_TEXT and fact.kind is not FactKind.TEXT
    ):
        yield (
            _C.OPERATOR_UNFIT, _E, f"`{operator}` does not fit `{fact.name}`, a fact of kind "
            f"`{fact.kind}`", path, "",
        )  # fmt: skip
        return
    value = comparison.value
    values = value if isinstance(value, tuple) else (value,)
    if not values:
        yield (_C.VALUE_EMPTY, _E, "the list of values is empty", path, "")
    reader = READERS[fact.kind]
    read = [reader(item) for item in values]
    good = None not in read and not fact.closed  # most lists are long and good
    for raw, item in () if good else zip(values, read, strict=True):
        if isinstance(raw, str) and not raw.strip():
            yield (_C.VALUE_EMPTY, _E, "the value is blank", path, "ask `is_missing` for absence")
        elif item is None:
            yield (
                _C.VALUE_UNFIT, _E, f"the value does not fit `{fact.name}`, a fact of kind "
                f"`{fact.kind}`", path, "nothing is coerced: give a value of that kind",
            )  # fmt: skip
        elif fact.closed and item not in _known_values(fact.kind, fact.values):
            yield (
                _C.VALUE_UNKNOWN, _E, f"`{fact.name}` is never `{raw}`", path,
                f"one of {', '.join(fact.values)}",
            )  # fmt: skip
    if (
        operator is Operator.BETWEEN
        and None not in read
        and read != sorted(cast("list[Any]", read))
    ):
        yield (_C.VALUE_UNFIT, _E, "the range is empty", path, "give the lower bound first")


@lru_cache(maxsize=256)
def _known_values(kind: FactKind, values: tuple[str, ...]) -> frozenset[object]:
    return frozenset(map(READERS[kind], values))


def _actions(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    if not rule.actions:
        yield (_C.ACTIONS_EMPTY, _E, "the segmentation has no action", "$.actions", "")
    for n, action in enumerate(rule.actions):
        path = f"$.actions[{n}]"
        yield from _values(action, path)
        if context.capabilities is not None:
            yield from _ability(action, context.capabilities, path)


def _values(action: Action, path: str) -> Iterator[_Fault]:
    if isinstance(action, (AddTag, RemoveTag)):
        if not action.tag.strip():
            yield (_C.VALUE_EMPTY, _E, "the tag is blank", path, "")
        if is_reserved_tag(action.tag):
            yield (
                _C.RESERVED_TAG, _E, "the tag is reserved for automatic segmentations", path,
                "choose a tag that does not begin with `auto:`",
            )  # fmt: skip
    for place in _places(action):
        if not place.parts or not all(value.strip() for value in place.parts.values()):
            yield (_C.VALUE_EMPTY, _E, "the place is blank", path, "")


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
        if verb is None:
            yield (
                _C.ACTION_UNSUPPORTED, _E, f"the provider has no action `{action.verb}`", path, "",
            )  # fmt: skip
        else:
            for name in verb.faults(action):
                yield (
                    _C.PARAMETERS_UNSUPPORTED, _E, f"`{action.verb}` does not take `{name}` so",
                    path, "give each declared parameter, and a value of its kind",
                )  # fmt: skip
        return
    kind = action_kind(action)
    ability = capabilities.ability(kind)
    if ability == "none":
        yield (_C.ACTION_UNSUPPORTED, _E, f"the provider does not do `{kind}`", path, "")
    elif ability == "emulated":
        yield (_C.ACTION_EMULATED, _W, f"the provider emulates `{kind}`", path, "")
    if isinstance(action, (AddTag, RemoveTag)) and not capabilities.takes_tag(action.tag):
        yield (_C.TAG_UNSUPPORTED, _E, f"the provider has no tag `{action.tag}`", path, "")
    for place in _places(action):
        if not capabilities.takes_place(place):
            yield (_C.PLACE_UNSUPPORTED, _E, "the provider does not have the place", path, "")


def _data(rule: Segmentation, context: ReviewContext) -> Iterator[_Fault]:
    catalogue, capabilities = context.catalogue, context.capabilities
    allowed = None if capabilities is None else capabilities.data
    for n, field in enumerate(rule.send):
        path = f"$.send[{n}]"
        if field not in CONTACT_FIELDS:
            if catalogue.fact(field) is None:
                yield (
                    _C.DATA_UNKNOWN, _E, f"there is no datum `{field}`", path,
                    "name a field of the contact or a fact",
                )  # fmt: skip
                continue
            if not catalogue.carries(rule.event, field):
                yield (
                    _C.DATA_NOT_CARRIED, _W, f"`{rule.event}` does not carry `{field}`", path,
                    "an absent datum is left out",
                )  # fmt: skip
        if allowed is not None and field != "email" and field not in allowed:
            yield (_C.DATA_UNSUPPORTED, _E, f"the provider does not take `{field}`", path, "")


_CHECKS: tuple[_Check, ...] = (_provider, _product, _event, _conditions, _actions, _data)


def review(rule: Segmentation, context: ReviewContext) -> tuple[Finding, ...]:
    """Return what is wrong with one segmentation, apart from the others of its product."""
    return tuple(
        Finding(
            code,
            severity,
            message,
            segmentation_id=rule.id,
            product_id=rule.product_id,
            path=path,
            hint=hint,
        )
        for check in _CHECKS
        for code, severity, message, path, hint in check(rule, context)
    )


def is_flagged(rule: Segmentation, context: ReviewContext) -> bool:
    """Whether the segmentation has an error, so that it does not run."""
    return any(fault[1] is _E for check in _CHECKS for fault in check(rule, context))


def flagged_error(rule: Segmentation, findings: Iterable[Finding]) -> FlaggedSegmentationError:
    """Return the error for using a rule with these findings; only errors among them count."""
    errors = tuple(finding for finding in findings if finding.severity is _E)
    error = FlaggedSegmentationError(
        f"segmentation `{rule.id}` is flagged: " + "; ".join(each.message for each in errors),
        hint="check the provider, the event, the conditions and the action",
    )
    error.findings = errors
    return error
