"""What is sold, and the rules on it: `Product`, `SubscriptionPlan`, `Segmentation`.

A segmentation has three elements: an event (when), an optional condition (who) and actions
(what, at the provider). It belongs to one product and one provider, and is switched off
until it is enabled. These are values without opinions: whether a segmentation can be used
is told by `RuleSet.findings`, so that a rule can be written, stored and shown before it is
right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import cast, get_args

import attrs

from listboss.errors import ArgumentTypeError, RuleError
from listboss.rules._text import check_bool, check_id, require_id, require_member, require_tuple
from listboss.rules.action import Action
from listboss.rules.catalogue import ProductKind
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not
from listboss.rules.event import EventName, event_name, utc

__all__ = [
    "BETA_CAPTURE_UNTIL",
    "SENT",
    "Product",
    "Segmentation",
    "SubscriptionPlan",
    "digest",
]

BETA_CAPTURE_UNTIL = datetime(2024, 7, 1, tzinfo=UTC)
"""Products approved before this day may use the beta of automatic capture."""

SENT = ("email", "name", "phone")
"""What a segmentation sends unless it says otherwise."""

_ACTIONS: tuple[type, ...] = get_args(Action)

_SIZES = tuple(f"{size}:" for size in range(1_024))
"""The prefixes of short strings, formatted once: worth 1.07 x of a plan."""
_new_hash = blake2b(digest_size=12).copy  # in half the time of a new one


def digest(parts: Sequence[str]) -> str:
    """Digest strings in order, each prefixed by its length in bytes, to 24 hex digits.

    The same on every machine, in every release: ids rest on it.

    >>> digest(["ab", "c"]) == digest(["a", "bc"])
    False
    """
    joined = ""
    for part in parts:
        size = len(part)
        joined += (_SIZES[size] if size < len(_SIZES) else f"{size}:") + part
    if not joined.isascii():
        joined = "".join([f"{len(part.encode())}:" + part for part in parts])
    hashed = _new_hash()
    hashed.update(joined.encode())
    return hashed.hexdigest()


def _ids(path: str, value: object) -> tuple[str, ...]:
    ids = require_tuple(value, path)
    for n, item in enumerate(ids):
        require_id(item, f"{path}[{n}]", RuleError)
    return tuple(dict.fromkeys(ids))


def _also(value: Iterable[str]) -> tuple[str, ...]:
    return _ids("$.also", value)


@attrs.frozen
class SubscriptionPlan:
    """One plan of a subscription product.

    `also` lists ids that the sales platform put behind this plan, such as recovery plans;
    a rule on the plan covers them.

    >>> SubscriptionPlan("20", "Annual", also=["21"]).ids
    ('20', '21')
    """

    id: str = attrs.field(validator=check_id(RuleError))
    name: str = attrs.field(validator=check_id(RuleError))
    also: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_also)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that means this plan, its own first."""
        return (self.id, *self.also)


def _plans(value: SubscriptionPlan | Iterable[SubscriptionPlan]) -> tuple[SubscriptionPlan, ...]:
    plans = require_tuple(value, "$.plans", SubscriptionPlan)
    if not all(isinstance(plan, SubscriptionPlan) for plan in plans):
        raise ArgumentTypeError("subscription plans are meant here", path="$.plans")
    return plans


def _kind(value: ProductKind | str) -> ProductKind:
    return require_member(value, ProductKind, "$.kind", RuleError)


def _approved_at(value: datetime | date | None) -> datetime | None:
    given = cast("object", value)
    if isinstance(given, date) and not isinstance(given, datetime):
        return datetime(given.year, given.month, given.day, tzinfo=UTC)
    return None if given is None else utc(given, "$.approved_at")


@attrs.frozen
class Product:
    """A product or webinar; only an approved one (`approved_at` given) runs segmentations.

    `approved_at` is an aware time or a date (midnight UTC). `plans` are the plans of a
    subscription; two of them never share an id.

    >>> from datetime import date
    >>> Product("42", "Course", approved_at=date(2024, 6, 30)).has_beta_capture
    True
    """

    id: str = attrs.field(validator=check_id(RuleError))
    name: str = attrs.field(validator=check_id(RuleError))
    kind: ProductKind = attrs.field(default=ProductKind.SINGLE, kw_only=True, converter=_kind)
    plans: tuple[SubscriptionPlan, ...] = attrs.field(default=(), kw_only=True, converter=_plans)
    approved_at: datetime | None = attrs.field(default=None, kw_only=True, converter=_approved_at)

    def __attrs_post_init__(self) -> None:
        if self.plans and self.kind is not ProductKind.SUBSCRIPTION:
            raise RuleError("only a subscription product has plans", path="$.plans")
        ids = [plan_id for plan in self.plans for plan_id in plan.ids]
        if len(ids) != len(set(ids)):
            raise RuleError("two plans share an id", path="$.plans")

    @property
    def has_beta_capture(self) -> bool:
        """Whether the product was approved before 2024-07-01.

        Such products may use the beta of capture, which may create segmentations and tags
        without capturing leads; own segmentations are the advice.
        """
        return self.approved_at is not None and self.approved_at < BETA_CAPTURE_UNTIL

    def plan(self, plan_id: str) -> SubscriptionPlan | None:
        """Return the plan that the id means, its own or one of its `also`, or None."""
        return next((plan for plan in self.plans if plan_id in plan.ids), None)


def _actions(value: Action | Iterable[Action]) -> tuple[Action, ...]:
    actions = require_tuple(value, "$.actions", *_ACTIONS, str)
    for n, action in enumerate(actions):
        if not isinstance(action, _ACTIONS):
            raise ArgumentTypeError(
                "an action is meant here", path=f"$.actions[{n}]", hint='such as AddTag("...")'
            )
    return actions


def _condition(value: Condition | Iterable[Condition] | None) -> Condition | None:
    match value:
        case None | Comparison() | AllOf() | AnyOf() | Not():
            return value
        case _:
            return AllOf(*require_tuple(value, "$.condition"))


def _plan_ids(value: Iterable[str]) -> tuple[str, ...]:
    return _ids("$.plan_ids", value)


def _send(value: Iterable[str]) -> tuple[str, ...]:
    return SENT if value is SENT else _ids("$.send", value)


def _default_id(rule: Segmentation) -> str:
    fields = {"name": rule.name, "product_id": rule.product_id, "provider": rule.provider}
    for field, value in fields.items():
        require_id(value, f"$.{field}", RuleError)
    return "seg-" + digest((rule.product_id, rule.provider, rule.name))


@attrs.frozen(kw_only=True)
class Segmentation:
    """A custom segmentation: when (event), who (condition), what (actions, at a provider).

    `id` defaults to a digest of product, provider and name that is the same everywhere.
    `actions` takes one action or several. Without a `condition` the rule runs for every
    contact that triggers the event. `plan_ids` name the subscription plans it is for.
    `send` is the data to send: contact fields and fact names; what is absent is left out.
    Off until enabled.

    >>> from listboss import AddLead, EventName, where
    >>> rule = Segmentation(
    ...     "English buyers",
    ...     product_id="42",
    ...     provider="mail",
    ...     event=EventName.PURCHASE_APPROVED,
    ...     condition=where.language == "en",
    ...     actions=AddLead("English-Speaking Buyers"),
    ... )
    >>> rule.id, rule.enabled
    ('seg-69bfa79e90a94951adc5e6d3', False)
    """

    name: str = attrs.field(kw_only=False, validator=check_id(RuleError))
    product_id: str = attrs.field(validator=check_id(RuleError))
    provider: str = attrs.field(validator=check_id(RuleError))
    id: str = attrs.field(
        default=attrs.Factory(_default_id, takes_self=True), validator=check_id(RuleError)
    )
    event: EventName | str = attrs.field(converter=event_name)
    actions: tuple[Action, ...] = attrs.field(converter=_actions)
    condition: Condition | None = attrs.field(default=None, converter=_condition)
    plan_ids: tuple[str, ...] = attrs.field(default=(), converter=_plan_ids)
    send: tuple[str, ...] = attrs.field(default=SENT, converter=_send)
    enabled: bool = attrs.field(default=False, validator=check_bool)
