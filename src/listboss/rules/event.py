"""What happened, and to whom: `Event`, `Contact`, and the names of the built-in events.

An event needs no payload: ten of the event types have no webhook, and the host makes them.
Its facts are kept as given, as plain values (a member of an enum as its string); the engine
reads only those that rules mention. No `repr` of an event or a contact shows personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias, cast

import attrs

from listboss.errors import EventError, ListBossError
from listboss.rules._address import contact_key, require_address
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import (
    check_bool,
    check_id,
    check_optional_id,
    masked,
    masked_address,
    require_id,
    require_number,
    require_text,
    wrong_type,
)

__all__ = [
    "ANY_VALUE",
    "CONTACT_FIELDS",
    "OWN_FACTS",
    "Contact",
    "Event",
    "EventName",
    "FactValue",
    "event_name",
    "plain_contact",
    "plain_event",
    "trimmed",
    "utc",
]

FactValue: TypeAlias = str | int | bool | Decimal | datetime
"""The type of a fact; money is a `Decimal`, never a float, and a `datetime` has a time zone."""
ANY_VALUE = "a string, integer, decimal, boolean, or date and time"
"""What a value of a fact, comparison or parameter looks like, for messages."""

_NO_ZONE_HINT = "pass a datetime with a time zone, such as `datetime.now(UTC)`"


class EventName(StrEnum):
    """The names of the built-in events; a host's own events have plain strings.

    >>> EventName.PURCHASE_APPROVED == "purchase.approved"
    True
    """

    PURCHASE_CART_ABANDONED = "purchase.cart_abandoned"
    PURCHASE_BILLET_PRINTED = "purchase.billet_printed"
    PURCHASE_WAITING_PAYMENT = "purchase.waiting_payment"
    PURCHASE_APPROVED = "purchase.approved"
    PURCHASE_COMPLETED = "purchase.completed"
    PURCHASE_DELAYED = "purchase.delayed"
    PURCHASE_CANCELED = "purchase.canceled"
    PURCHASE_CHARGEBACK = "purchase.chargeback"
    PURCHASE_EXPIRED = "purchase.expired"
    PURCHASE_PAYPAL_STARTED = "purchase.paypal_started"
    PURCHASE_PROTESTED = "purchase.protested"
    PURCHASE_REFUNDED = "purchase.refunded"
    PURCHASE_PARTIALLY_REFUNDED = "purchase.partially_refunded"
    ACCESS_FILE_DOWNLOADED = "access.file_downloaded"
    CLUB_FREE_REGISTRATION = "club.free_registration"
    CLUB_PROGRESS = "club.progress"
    CLUB_INACTIVE_7D = "club.inactive_7d"
    CLUB_INACTIVE_15D = "club.inactive_15d"
    CLUB_INACTIVE_30D = "club.inactive_30d"
    CLUB_FIRST_ACCESS = "club.first_access"
    CLUB_MODULE_COMPLETED = "club.module_completed"
    PRODUCT_RATED = "product.rated"
    PRODUCT_AVAILABLE = "product.available"
    SMART_INSTALLMENT_STATUS_CHANGED = "smart_installment.status_changed"
    SUBSCRIPTION_STARTED = "subscription.started"
    SUBSCRIPTION_ACTIVE = "subscription.active"
    SUBSCRIPTION_DELAYED = "subscription.delayed"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    SUBSCRIPTION_CANCELED_BY_ADMIN = "subscription.canceled_by_admin"
    SUBSCRIPTION_CANCELED_BY_CUSTOMER = "subscription.canceled_by_customer"
    SUBSCRIPTION_CANCELED_BY_SELLER = "subscription.canceled_by_seller"
    SUBSCRIPTION_INACTIVE = "subscription.inactive"
    SUBSCRIPTION_EXPIRED = "subscription.expired"
    SUBSCRIPTION_PLAN_SWITCHED = "subscription.plan_switched"
    SUBSCRIPTION_CHARGE_DATE_CHANGED = "subscription.charge_date_changed"
    WAITLIST_JOINED = "waitlist.joined"
    WEBINAR_REGISTERED = "webinar.registered"
    WEBINAR_ATTENDED = "webinar.attended"
    WEBINAR_MISSED = "webinar.missed"
    WEBINAR_ENDED = "webinar.ended"


_EVENT_NAMES: dict[str, EventName] = {str(name): name for name in EventName}


def event_name(
    value: str, path: str = "$.name", error: type[ListBossError] = EventError
) -> EventName | str:
    """Return the `EventName` with that value, else the host's own name as given."""
    if type(value) is EventName:
        return value
    text = require_id(value, path, error)
    return _EVENT_NAMES.get(text, text)


def utc(value: object, path: str, error: type[ListBossError] = EventError) -> datetime:
    """Return a datetime with a time zone as a plain one in UTC; refuse one without."""
    if not isinstance(value, datetime):
        raise wrong_type("a date and time with a time zone", value, path, _NO_ZONE_HINT)
    if datetime.utcoffset(value) is None:
        raise error("the time has no time zone", path=path, hint=_NO_ZONE_HINT)
    try:
        at = datetime.astimezone(value, UTC)
    except OverflowError:
        raise error("the time is not in the years 1 to 9999 in UTC", path=path) from None
    if at.__class__ is datetime and not at.fold:
        return at
    return datetime.combine(datetime.date(at), datetime.time(at).replace(fold=0), UTC)


def trimmed(value: str | None) -> str | None:
    """Trim a field of a contact; a blank one becomes None, so that it is never sent empty."""
    return (str.__str__(value).strip() or None) if isinstance(value, str) else value


def _email(value: str) -> str:
    return require_address(value, "$.email")


@attrs.frozen(weakref_slot=False)
class Contact:
    """A person as the event knows them: an e-mail address, and perhaps a name and a phone.

    `email` is trimmed and otherwise kept as given; two spellings of one address have the same
    `key` (see `contact_key`). Raises `EventError` if `email` is not an address.

    >>> contact = Contact("Ana@Example.com", name="Ana")
    >>> contact
    Contact(email=***, name=***, first_name=None, last_name=None, phone=None)
    >>> contact.email, contact.key
    ('Ana@Example.com', 'ana@example.com')
    """

    email: str = attrs.field(converter=_email, repr=masked)
    name: str | None = attrs.field(
        default=None,
        kw_only=True,
        converter=trimmed,
        validator=check_optional_id(EventError),
        repr=masked,
    )
    first_name: str | None = attrs.field(
        default=None,
        kw_only=True,
        converter=trimmed,
        validator=check_optional_id(EventError),
        repr=masked,
    )
    last_name: str | None = attrs.field(
        default=None,
        kw_only=True,
        converter=trimmed,
        validator=check_optional_id(EventError),
        repr=masked,
    )
    phone: str | None = attrs.field(
        default=None,
        kw_only=True,
        converter=trimmed,
        validator=check_optional_id(EventError),
        repr=masked,
    )
    key: str = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: contact_key(self.email), takes_self=True),
    )


CONTACT_FIELDS = ("email", "name", "first_name", "last_name", "phone")
"""The fields of a contact that a segmentation may send, in this order."""


def _fact(value: FactValue, path: str) -> FactValue:
    match value:
        case bool():
            return value
        case str():
            return require_text(value, path, EventError)
        case int() | Decimal():
            return require_number(value, path, EventError)
        case datetime():
            return utc(value, path)
        case _:
            raise wrong_type(
                ANY_VALUE, value, path, "write money as a decimal, and leave an unknown fact out"
            )


def _facts(value: Mapping[str, FactValue]) -> FrozenMap[str, FactValue]:
    given = cast("object", value)
    if not isinstance(given, Mapping):
        raise wrong_type("a mapping", given, "$.facts", "map each fact's name to its value")
    plain = ((require_id(name, "$.facts", EventError), fact) for name, fact in value.items())
    return FrozenMap({name: _fact(fact, f"$.facts.{name}") for name, fact in plain})


def _check_contact(_event: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if not (value is None or isinstance(value, Contact)):
        raise wrong_type(
            "a contact or None", value, "$.contact", 'such as `Contact("ana@example.com")`'
        )


def _utc(value: datetime) -> datetime:
    return utc(value, "$.occurred_at")


OWN_FACTS = ("plan_id", "plan_name", "subscriber_code", "transaction")
"""The fields of an event that are facts as well."""
_FROM_FACTS = ("subscriber_code", "transaction")


def _is_blank(fact: FactValue) -> bool:
    """Whether a fact counts as missing."""
    return isinstance(fact, str) and not fact.strip()


@attrs.frozen(kw_only=True, weakref_slot=False)
class Event:
    """One event: what happened to which product, to whom, when, and the facts about it.

    - `name`: an `EventName`, or the name of an event type in the host's own catalogue.
    - `id`: unique for each event; a redelivery has the same id. An id that contains an e-mail
      address is masked in every `repr`, and journals keep it: prefer ids without.
    - `contact`: None for an event without an e-mail address.
    - `occurred_at`: a datetime with a time zone, kept in UTC.
    - `plan_id`, `plan_name`: the plan of the subscription.
    - `transaction`, `subscriber_code`: the purchase and the subscription that it belongs to.
    - `facts`: from names to strings, integers, booleans, `Decimal` or datetimes with a time
      zone. A subclass becomes its plain value, nothing else is converted; floats are refused.

    Rules read facts. So `plan_id`, `plan_name`, `transaction` and `subscriber_code` become
    facts too, unless `facts` has them already; and a `transaction` or `subscriber_code` that
    is only among the facts becomes the field.

    Raises `EventError` or `ArgumentTypeError` for an invalid value.

    >>> from datetime import UTC, datetime
    >>> event = Event(
    ...     EventName.PURCHASE_APPROVED,
    ...     id="e-1",
    ...     product_id="42",
    ...     contact=Contact("ana@example.com"),
    ...     occurred_at=datetime(2026, 5, 4, 12, tzinfo=UTC),
    ...     facts={"currency": "BRL"},
    ... )
    >>> event.with_facts(language="en").facts["language"]
    'en'
    >>> event.with_facts(transaction="HP1").transaction
    'HP1'
    """

    name: EventName | str = attrs.field(kw_only=False, converter=event_name)
    id: str = attrs.field(validator=check_id(EventError), repr=masked_address)
    product_id: str = attrs.field(validator=check_id(EventError), repr=masked_address)
    contact: Contact | None = attrs.field(validator=_check_contact)
    occurred_at: datetime = attrs.field(converter=_utc)
    plan_id: str | None = attrs.field(
        default=None, validator=check_optional_id(EventError), repr=masked_address
    )
    plan_name: str | None = attrs.field(
        default=None, validator=check_optional_id(EventError), repr=masked_address
    )
    transaction: str | None = attrs.field(
        default=None, validator=check_optional_id(EventError), repr=masked_address
    )
    subscriber_code: str | None = attrs.field(
        default=None, validator=check_optional_id(EventError), repr=masked_address
    )
    facts: FrozenMap[str, FactValue] = attrs.field(
        default=FrozenMap[str, FactValue](), converter=_facts
    )
    is_test: bool = attrs.field(default=False, validator=check_bool)

    def __attrs_post_init__(self) -> None:
        # Every webhook makes an event, so one that is complete already costs eight look-ups.
        facts = self.facts
        more: dict[str, FactValue] = {}
        for name in OWN_FACTS:
            own, fact = getattr(self, name), facts.get(name)
            if own is not None:
                if fact is None or _is_blank(fact):
                    more[name] = own
            elif name in _FROM_FACTS and isinstance(fact, str) and not _is_blank(fact):
                object.__setattr__(self, name, fact)
        if more:
            facts = FrozenMap[str, FactValue].of_sorted(dict(sorted({**facts, **more}.items())))
            object.__setattr__(self, "facts", facts)

    def with_facts(
        self, facts: Mapping[str, FactValue] | None = None, /, **more: FactValue
    ) -> Event:
        """Return the event with more facts; a fact of the same name is replaced.

        No webhook carries the buyer's language: a host that knows it adds it here.
        """
        return attrs.evolve(self, facts={**self.facts, **(facts or {}), **more})


class _OpenEvent:
    """An event that can still be filled. Measured: making one is 4.7 x faster."""

    __slots__ = tuple(field.name for field in attrs.fields(Event))


class _OpenContact:
    """A contact that can still be filled. Measured: making one is 1.9 x faster."""

    __slots__ = tuple(field.name for field in attrs.fields(Contact))


def plain_contact(
    email: str,
    *,
    name: str | None,
    first_name: str | None,
    last_name: str | None,
    phone: str | None,
) -> Contact:
    """Make a contact of values that are known to be plain, as the constructor would keep them.

    Only the address is checked: raises `EventError` if `email` is not one.
    """
    email = require_address(email, "$.email")
    contact: Any = _OpenContact()
    contact.email = email
    contact.name = name
    contact.first_name = first_name
    contact.last_name = last_name
    contact.phone = phone
    contact.key = contact_key(email)
    contact.__class__ = Contact
    made: Contact = contact
    return made


def plain_event(
    *,
    name: str,
    id: str,
    product_id: str,
    contact: Contact | None,
    occurred_at: datetime,
    plan_id: str | None,
    plan_name: str | None,
    transaction: str | None,
    subscriber_code: str | None,
    facts: FrozenMap[str, FactValue],
    is_test: bool,
) -> Event:
    """Make an event of values that are known to be plain, as the constructor would keep them.

    `facts` has those of `OWN_FACTS` that the event has.
    """
    event: Any = _OpenEvent()
    event.name = _EVENT_NAMES.get(name, name)
    event.id = id
    event.product_id = product_id
    event.contact = contact
    event.occurred_at = occurred_at
    event.plan_id = plan_id
    event.plan_name = plan_name
    event.transaction = transaction
    event.subscriber_code = subscriber_code
    event.facts = facts
    event.is_test = is_test
    event.__class__ = Event
    made: Event = event
    return made
