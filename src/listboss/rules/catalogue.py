"""The kinds of events and facts, and which fits which, as tables.

`EventType` says which product kinds an event is offered for, which facts it carries and
where it comes from; `FactType` says of which kind a fact is. A `Catalogue` answers every
question about what fits. The built-in one is `listboss.rules.builtin.HOTMART`; a host adds
its own events and facts with `Catalogue.extended` and can never change a built-in row.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, cast

import attrs

from listboss.errors import CatalogueError
from listboss.rules._mapping import FrozenMap, look_up
from listboss.rules._text import (
    check_bool,
    check_id,
    quoted,
    require_id,
    require_member,
    require_text,
    require_tuple,
    suggestion,
    wrong_type,
)

__all__ = [
    "LISTED_KINDS",
    "Catalogue",
    "EventType",
    "FactKind",
    "FactType",
    "ProductKind",
    "Source",
    "Subject",
]


class ProductKind(StrEnum):
    """What kind of product is sold; the host knows this, a webhook does not."""

    SINGLE = "single"
    SUBSCRIPTION = "subscription"
    FREE = "free"
    WEBINAR = "webinar"


class Source(StrEnum):
    """Where the occurrences of an event type come from."""

    WEBHOOK = "webhook"
    """A webhook event of its own."""
    DERIVED = "derived"
    """Derived from the content of a webhook with another event name."""
    HOST = "host"
    """No webhook: the host makes the event."""
    EXTENSION = "extension"
    """In a webhook, but not in the public list of events."""
    PROVISIONAL = "provisional"
    """Expected to exist but not documented in public: may change in any release."""


class Subject(StrEnum):
    """What an event can be about: whose state it changes."""

    PURCHASE = "purchase"
    """The purchase with the event's transaction code."""
    SUBSCRIPTION = "subscription"
    """The subscription with the event's subscriber code."""


class FactKind(StrEnum):
    """How the values of a fact are read and compared."""

    CHOICE = "choice"
    """A word from a set; compares like a text fact."""
    TERM = "term"
    """A status or another word that Hotmart uses; all its known spellings are equal."""
    COUNTRY = "country"
    """ISO 3166-1 alpha-2: two ASCII letters, in upper or lower case."""
    CURRENCY = "currency"
    """ISO 4217: three ASCII letters, in upper or lower case."""
    LANGUAGE = "language"
    """BCP-47; `pt-BR` matches a rule on `pt`."""
    TEXT = "text"
    """Any string; compares trimmed, in Unicode normal form NFC, and case-folded."""
    IDENTIFIER = "identifier"
    """A code such as an offer's; compares trimmed, and upper and lower case count."""
    INTEGER = "integer"
    DECIMAL = "decimal"
    """A `Decimal` or an int; a float is refused."""
    BOOLEAN = "boolean"
    INSTANT = "instant"
    """A datetime with a time zone."""


LISTED_KINDS = frozenset({FactKind.CHOICE, FactKind.TERM})
"""The kinds of fact that have a list of known values."""
PLAN_FACTS = frozenset({"plan_id", "plan_name"})
"""The facts that an event carries if it names the plan of a subscription."""
AMOUNT_KINDS = frozenset({FactKind.DECIMAL, FactKind.INTEGER})
"""The kinds of fact that an amount of money can have."""


def _kinds(value: Iterable[ProductKind | str]) -> tuple[ProductKind, ...]:
    kinds = require_tuple(value, "$.product_kinds", ProductKind)
    return tuple(
        require_member(kind, ProductKind, "$.product_kinds", CatalogueError) for kind in kinds
    )


def _kind(value: FactKind | str) -> FactKind:
    return require_member(value, FactKind, "$.kind", CatalogueError)


def _source(value: Source | str) -> Source:
    return require_member(value, Source, "$.source", CatalogueError)


def _subject(value: Subject | str | None) -> Subject | None:
    return None if value is None else require_member(value, Subject, "$.about", CatalogueError)


def _rank(value: int) -> int:
    if not isinstance(cast("object", value), int) or isinstance(value, bool):
        raise wrong_type("an integer", value, "$.rank")
    return int.__int__(value)


def _label(value: str) -> str:
    return require_text(value, "$.label", CatalogueError)


def _group(value: str) -> str:
    return require_text(value, "$.group", CatalogueError)


def _names(value: Iterable[str]) -> tuple[str, ...]:
    names = require_tuple(value, "$.facts")
    return tuple(dict.fromkeys(require_id(name, "$.facts", CatalogueError) for name in names))


def _values(value: Iterable[str]) -> tuple[str, ...]:
    values = require_tuple(value, "$.values")
    return tuple(require_id(word, "$.values", CatalogueError) for word in values)


@attrs.frozen
class FactType:
    """One fact that events may carry, and how it compares.

    `values` are the known words of a choice. A rule on another word gets a warning; with
    `closed` there are no other words, and the rule is flagged. `is_amount` marks an amount of
    money: a rule that compares it without a currency gets a warning. With `on_any_event` a host may
    add the fact to every event; otherwise only the event types that list it carry it. Raises
    `CatalogueError` for a blank name, an unknown kind, and settings that the kind cannot have.

    >>> FactType("score", FactKind.INTEGER, label="Score of our own quiz").on_any_event
    True
    """

    name: str = attrs.field(validator=check_id(CatalogueError))
    kind: FactKind = attrs.field(converter=_kind)
    label: str = attrs.field(default="", kw_only=True, converter=_label)
    values: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_values)
    closed: bool = attrs.field(default=False, kw_only=True, validator=check_bool)
    is_amount: bool = attrs.field(default=False, kw_only=True, validator=check_bool)
    on_any_event: bool = attrs.field(default=True, kw_only=True, validator=check_bool)

    def __attrs_post_init__(self) -> None:
        if self.is_amount and self.kind not in AMOUNT_KINDS:
            raise CatalogueError(
                f"{quoted(self.name)} has the kind `{self.kind}`, which is not one of amounts",
                path="$.is_amount",
                hint="use the kind `decimal` or `integer`, or remove `is_amount`",
            )
        if (self.values or self.closed) and self.kind not in LISTED_KINDS:
            raise CatalogueError(
                f"{quoted(self.name)} has the kind `{self.kind}`, which has no list of values",
                path="$.values",
                hint=f"use one of {', '.join(sorted(LISTED_KINDS))},"
                " or remove `values` and `closed`",
            )


@attrs.frozen
class EventType:
    """One kind of event: its name, the products it is offered for, and the facts it carries.

    `facts` are the names of the facts that an event of this type may carry; `carries_plan`
    says whether it names the plan of a subscription, and so carries `plan_id` and `plan_name`.

    `about` is what an occurrence changes the state of: the purchase, the subscription, or
    None. With `ends`, that purchase or subscription is over. Of events that happened at the
    same time, the one with the lower `rank` counts as the earlier one.

    Raises `CatalogueError` for a blank name or label, an unknown kind or source, and a type that
    ends something but is about nothing.

    >>> EventType("quiz.passed", "Passed our quiz", group="Own", facts=("score",)).source
    <Source.HOST: 'host'>
    """

    name: str = attrs.field(validator=check_id(CatalogueError))
    label: str = attrs.field(validator=check_id(CatalogueError))
    group: str = attrs.field(default="Own", kw_only=True, converter=_group)
    product_kinds: tuple[ProductKind, ...] = attrs.field(
        default=tuple(ProductKind), kw_only=True, converter=_kinds
    )
    facts: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_names)
    carries_plan: bool = attrs.field(default=False, kw_only=True, validator=check_bool)
    source: Source = attrs.field(default=Source.HOST, kw_only=True, converter=_source)
    about: Subject | None = attrs.field(default=None, kw_only=True, converter=_subject)
    ends: bool = attrs.field(default=False, kw_only=True, validator=check_bool)
    rank: int = attrs.field(default=0, kw_only=True, converter=_rank)

    def __attrs_post_init__(self) -> None:
        if self.ends and self.about is None:
            raise CatalogueError(
                f"{quoted(self.name)} ends something but is about nothing",
                path="$.ends",
                hint="set `about` to what it ends: `purchase` or `subscription`",
            )


def _events(value: Iterable[EventType]) -> tuple[EventType, ...]:
    return _rows(value, "$.events", EventType, "an event type")


def _facts(value: Iterable[FactType]) -> tuple[FactType, ...]:
    return _rows(value, "$.facts", FactType, "a fact type")


def _rows(value: object, path: str, row_type: type, expected: str) -> tuple[Any, ...]:
    rows = require_tuple(value, path, row_type)
    for n, row in enumerate(rows):
        if not isinstance(row, row_type):
            raise wrong_type(expected, row, f"{path}[{n}]")
    return rows


def _by_name(rows: tuple[Any, ...], path: str) -> FrozenMap[str, Any]:
    by_name: dict[str, Any] = {}
    for row in rows:
        if row.name in by_name:
            raise CatalogueError(
                f"the catalogue has {quoted(row.name)} twice", path=path, hint="rename one of them"
            )
        by_name[row.name] = row
    return FrozenMap(by_name)


def _carried(
    events: tuple[EventType, ...], facts: tuple[FactType, ...]
) -> dict[str, frozenset[str]]:
    """Return the names of the facts of each event type, as given if a fact is not known."""
    on_any_event = {fact.name for fact in facts if fact.on_any_event}
    of_a_plan = {fact.name for fact in facts if fact.name in PLAN_FACTS}
    return {
        event.name: frozenset(
            on_any_event.union(event.facts, of_a_plan if event.carries_plan else ())
        )
        for event in events
    }


@attrs.frozen
class Catalogue:
    """All event types and fact types that a rule set knows.

    Raises `CatalogueError` for a name used twice and for an event with an unknown fact.

    >>> from listboss.rules.builtin import HOTMART
    >>> HOTMART.event("purchase.approved").label
    'Purchase approved'
    >>> HOTMART.fact("country").kind
    <FactKind.COUNTRY: 'country'>
    >>> own = HOTMART.extended(
    ...     events=[EventType("quiz.passed", "Passed our quiz")],
    ...     facts=[FactType("score", FactKind.INTEGER)],
    ... )
    >>> [fact.name for fact in own.facts_of("quiz.passed")]
    ['language', 'score']
    """

    events: tuple[EventType, ...] = attrs.field(default=(), converter=_events)
    facts: tuple[FactType, ...] = attrs.field(default=(), converter=_facts)
    _event_by_name: FrozenMap[str, EventType] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _by_name(self.events, "$.events"), takes_self=True),
    )
    _fact_by_name: FrozenMap[str, FactType] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _by_name(self.facts, "$.facts"), takes_self=True),
    )
    _carried: dict[str, frozenset[str]] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _carried(self.events, self.facts), takes_self=True),
    )

    def __attrs_post_init__(self) -> None:
        for event in self.events:
            for fact in event.facts:
                if fact not in self._fact_by_name:
                    raise CatalogueError(
                        f"event {quoted(event.name)} lists the unknown fact {quoted(fact)}",
                        path="$.events",
                        hint=suggestion(fact, self._fact_by_name, "add the fact type to `facts`"),
                    )

    def __repr__(self) -> str:
        return f"<Catalogue of {len(self.events)} events and {len(self.facts)} facts>"

    def event(self, name: str) -> EventType | None:
        """Return the event type of that name, or None."""
        return look_up(self._event_by_name, name, "$.event")

    def fact(self, name: str) -> FactType | None:
        """Return the fact type of that name, or None."""
        return look_up(self._fact_by_name, name, "$.fact")

    def carried(self, event_name: str) -> frozenset[str]:
        """Return the names of the facts that an event of that type may carry.

        >>> from listboss.rules.builtin import HOTMART
        >>> sorted(HOTMART.carried("waitlist.joined"))
        ['language', 'product_name']
        """
        return look_up(self._carried, event_name, "$.event") or frozenset()

    def carries(self, event_name: str, fact_name: str) -> bool:
        """Whether an event of that type may carry the fact; False if either is unknown."""
        return fact_name in self.carried(event_name)

    def facts_of(self, event_name: str) -> tuple[FactType, ...]:
        """Return the facts that an event of that type may carry, in catalogue order."""
        carried = self.carried(event_name)
        return tuple(fact for fact in self.facts if fact.name in carried)

    def events_for(self, kind: ProductKind | str) -> tuple[EventType, ...]:
        """Return the event types offered for products of that kind.

        Only the events compatible with the chosen product are offered.
        """
        kind = require_member(kind, ProductKind, "$.kind", CatalogueError)
        return tuple(event for event in self.events if kind in event.product_kinds)

    def extended(
        self, *, events: Iterable[EventType] = (), facts: Iterable[FactType] = ()
    ) -> Catalogue:
        """Return a catalogue with more rows; a name used twice raises `CatalogueError`."""
        return Catalogue(
            self.events + require_tuple(events, "$.events", EventType),
            self.facts + require_tuple(facts, "$.facts", FactType),
        )
