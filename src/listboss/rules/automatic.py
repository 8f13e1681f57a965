"""The automatic segmentations: one table, modelled on the platform's automatic capture.

They exist for every approved product, are the first level of organisation, and cannot be
built, edited, disabled or removed; custom segmentations complement them. The public help
pages state such tags for cart abandonment, approved purchase, canceled purchase and refund.
The other rows, the exact names and the events that remove a tag are this library's choice.
Capture itself (one automatic `AddLead` for each event) records, and never sends e-mail.
"""

from __future__ import annotations

from typing import Any, ClassVar, Never, Self

import attrs

from listboss.errors import AutomaticSegmentationError
from listboss.rules._text import Readable, fold, quoted
from listboss.rules.condition import Comparison, Operator
from listboss.rules.event import Event, EventName

__all__ = [
    "AUTOMATIC",
    "AUTOMATIC_ID_PREFIX",
    "CAPTURE_ID",
    "FIRST_CHARGE",
    "RESERVED_TAG_PREFIX",
    "AutomaticSegmentation",
    "is_first_charge",
    "is_reserved_tag",
    "refuse_automatic_id",
]

AUTOMATIC_ID_PREFIX = "auto."
CAPTURE_ID = "auto.capture"
"""The id in `because` of the automatic `AddLead` that records each contact."""
RESERVED_TAG_PREFIX = "auto:"
"""Custom actions cannot use a tag that begins with this."""
FIRST_CHARGE = Comparison("recurrence_number", Operator.EQ, 1)
"""The condition of `removes_on_first_charge`."""


def is_reserved_tag(tag: str) -> bool:
    """Whether only automatic segmentations may use the tag.

    >>> is_reserved_tag(" Auto:free-student:42")
    True
    """
    return fold(tag).startswith(RESERVED_TAG_PREFIX)


def refuse_automatic_id(segmentation_id: str) -> None:
    """Raise `AutomaticSegmentationError` for an id that custom segmentations cannot have."""
    if segmentation_id.startswith(AUTOMATIC_ID_PREFIX):
        raise AutomaticSegmentationError(
            f"{quoted(segmentation_id)} is an id of automatic segmentations, which cannot be"
            " changed",
            hint="use a custom segmentation, with another id",
        )


def is_first_charge(event: Event) -> bool:
    """Whether the event says that it is about the first charge of a subscription.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 5, 4, tzinfo=UTC)
    >>> event = Event("purchase.approved", id="e", product_id="42", contact=None, occurred_at=at)
    >>> [is_first_charge(event.with_facts(recurrence_number=n)) for n in (1, 2)]
    [True, False]
    """
    number = event.facts.get(FIRST_CHARGE.fact)
    return type(number) is int and number == FIRST_CHARGE.value


@attrs.frozen(init=False)
class AutomaticSegmentation(Readable):
    """A built-in rule: the events that add its tag and the events that remove it.

    The events in `removes_on_first_charge` remove the tag only if they are the first charge
    of a subscription. `permanent_reason` says why no event removes the tag, and is otherwise
    None.

    Only the built-ins in `AUTOMATIC` exist. An attempt to make or change one raises
    `AutomaticSegmentationError`; pickle and copy return the same built-in.

    >>> AUTOMATIC[0].id, AUTOMATIC[0].tag_for("42")
    ('auto.cart_abandonment', 'auto:cart-abandonment:42')
    >>> AutomaticSegmentation()
    Traceback (most recent call last):
    listboss.errors.AutomaticSegmentationError: automatic segmentations cannot be made ...
    """

    __attrs_init__: ClassVar[Any]  # made by attrs: sets the fields, in their order
    id: str
    tag_key: str
    adds_on: tuple[EventName, ...]
    removes_on: tuple[EventName, ...]
    removes_on_first_charge: tuple[EventName, ...]
    permanent_reason: str | None

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Raise `AutomaticSegmentationError`."""
        raise AutomaticSegmentationError(
            "automatic segmentations cannot be made or changed",
            hint="add a custom segmentation instead",
        )

    def __init_subclass__(cls) -> Never:
        raise AutomaticSegmentationError(
            "automatic segmentations cannot be subclassed",
            hint="add a custom segmentation instead",
        )

    @property
    def name(self) -> str:
        """The name on the dashboard."""
        return self.tag_key.replace("-", " ").capitalize()

    def tag_for(self, product_id: str) -> str:
        """Return the built-in's tag for one product."""
        return f"{RESERVED_TAG_PREFIX}{self.tag_key}:{product_id}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_built_in, (self.id,))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self


def _built_in(segmentation_id: str) -> AutomaticSegmentation:
    return next(row for row in AUTOMATIC if row.id == segmentation_id)


def _row(
    name: str,
    tag_key: str,
    adds_on: tuple[EventName, ...],
    removes_on: tuple[EventName, ...] = (),
    removes_on_first_charge: tuple[EventName, ...] = (),
    *,
    permanent_reason: str | None = None,
) -> AutomaticSegmentation:
    row: AutomaticSegmentation = object.__new__(AutomaticSegmentation)
    row.__attrs_init__(
        name, tag_key, adds_on, removes_on, removes_on_first_charge, permanent_reason
    )
    return row


_E = EventName
_CANCELED = (
    _E.SUBSCRIPTION_CANCELED,
    _E.SUBSCRIPTION_CANCELED_BY_ADMIN,
    _E.SUBSCRIPTION_CANCELED_BY_CUSTOMER,
    _E.SUBSCRIPTION_CANCELED_BY_SELLER,
)
# However a charge ends, the temporary states before that are over: an abandoned cart, and a
# pending, overdue or disputed payment.
_CHARGE_ENDS = (
    _E.PURCHASE_APPROVED,
    _E.PURCHASE_COMPLETED,
    _E.PURCHASE_EXPIRED,
    _E.PURCHASE_CANCELED,
    _E.PURCHASE_REFUNDED,
    _E.PURCHASE_CHARGEBACK,
    _E.SUBSCRIPTION_EXPIRED,
    _E.SUBSCRIPTION_INACTIVE,
    *_CANCELED,
)
_CLUB_ACCESS = (_E.CLUB_FIRST_ACCESS, _E.CLUB_MODULE_COMPLETED, _E.CLUB_PROGRESS)

AUTOMATIC: tuple[AutomaticSegmentation, ...] = (
    _row(
        "auto.cart_abandonment",
        "cart-abandonment",
        (_E.PURCHASE_CART_ABANDONED,),
        _CHARGE_ENDS,
    ),
    _row(
        "auto.purchase_pending",
        "purchase-pending",
        (_E.PURCHASE_BILLET_PRINTED, _E.PURCHASE_WAITING_PAYMENT),
        _CHARGE_ENDS,
    ),
    _row(
        "auto.purchase_approved",
        "purchase-approved",
        (_E.PURCHASE_APPROVED,),
        (_E.PURCHASE_REFUNDED, _E.PURCHASE_CHARGEBACK),
    ),
    _row(
        "auto.purchase_canceled",
        "purchase-canceled",
        (_E.PURCHASE_CANCELED,),
        (_E.PURCHASE_APPROVED,),
    ),
    _row(
        "auto.purchase_refunded",
        "purchase-refunded",
        (_E.PURCHASE_REFUNDED,),
        (_E.PURCHASE_APPROVED,),
    ),
    _row(
        "auto.purchase_chargeback",
        "purchase-chargeback",
        (_E.PURCHASE_CHARGEBACK,),
        permanent_reason="the buyer took money back through the bank; no later event undoes that",
    ),
    _row(
        "auto.purchase_expired", "purchase-expired", (_E.PURCHASE_EXPIRED,), (_E.PURCHASE_APPROVED,)
    ),
    _row(
        "auto.purchase_delayed",
        "purchase-delayed",
        (_E.PURCHASE_DELAYED,),
        (*_CHARGE_ENDS, _E.SUBSCRIPTION_ACTIVE),
    ),
    _row(
        "auto.purchase_protested",
        "purchase-protested",
        (_E.PURCHASE_PROTESTED,),
        _CHARGE_ENDS,
    ),
    _row(
        "auto.subscription_canceled",
        "subscription-canceled",
        _CANCELED,
        (_E.SUBSCRIPTION_ACTIVE,),
        # A later charge can be the last one of the subscription that was canceled.
        (_E.PURCHASE_APPROVED,),
    ),
    _row(
        "auto.free_student",
        "free-student",
        (_E.CLUB_FREE_REGISTRATION,),
        permanent_reason="the contact registered for free; buying later does not change that",
    ),
    _row("auto.inactive_7d", "inactive-7-days", (_E.CLUB_INACTIVE_7D,), _CLUB_ACCESS),
    _row("auto.inactive_15d", "inactive-15-days", (_E.CLUB_INACTIVE_15D,), _CLUB_ACCESS),
    _row("auto.inactive_30d", "inactive-30-days", (_E.CLUB_INACTIVE_30D,), _CLUB_ACCESS),
    _row(
        "auto.waitlist",
        "waitlist",
        (_E.WAITLIST_JOINED,),
        (_E.PURCHASE_APPROVED, _E.PRODUCT_AVAILABLE),
    ),
)
"""All automatic segmentations: id, tag key, the events that add and that remove the tag.

Each tag has an event that removes it, or a reason why it is permanent. The approval of a
later purchase removes the tag of a refund. An event does not know what came before it: the
code that delivers a plan sees in `Plan.occurred_at` that a late approval is older than the
refund.
"""
