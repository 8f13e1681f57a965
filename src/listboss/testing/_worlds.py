"""Small random worlds: rule sets and events whose rules often match, merge and conflict.

All values come from short lists: tags and places that differ only in case, numbers on and
next to a rule's limit, facts that are missing, blank or of a wrong type, plans found by id,
by name or not at all, rules that are disabled or flagged. Randomness is an argument:
`random.Random` is fast, and the choices of Hypothesis (see `testing.strategies`) shrink
failures. Equal choices make equal worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import attrs

from listboss.rules import (
    HOTMART,
    Action,
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Catalogue,
    Comparison,
    Condition,
    Contact,
    Event,
    EventType,
    FactKind,
    FactType,
    FactValue,
    MoveLead,
    Not,
    Operator,
    Place,
    Product,
    ProductKind,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    Verb,
)
from listboss.rules._contradiction import losers

__all__ = [
    "Dice",
    "once_in",
    "random_comparison",
    "random_condition",
    "random_event",
    "random_facts",
    "random_products",
    "random_rule",
    "random_rules",
]

T = TypeVar("T")


class Dice(Protocol):
    """A source of random choices, such as `random.Random`."""

    def choice(self, seq: Sequence[T], /) -> T:
        """Choose one item."""
        ...

    def randint(self, a: int, b: int, /) -> int:
        """Choose an integer from `a` to `b`, both included."""
        ...


def once_in(dice: Dice, n: int) -> bool:
    """Return True once in `n` times."""
    return dice.randint(1, n) == n


# Facts

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
UTC_MINUS_3 = timezone(timedelta(hours=-3))
TICK = timedelta(microseconds=1)

_BUILT_IN = (
    "approved_at", "country", "currency", "installments", "is_order_bump", "language", "offer",
    "payment_method", "price",
)  # fmt: skip
_CUSTOM = (
    FactType("score", FactKind.INTEGER),
    FactType("note", FactKind.TEXT),
    FactType("grade", FactKind.CHOICE, values=("Gold", "Silver"), closed=True),
    FactType("state", FactKind.TERM),
)
FACTS = (*(fact for fact in HOTMART.facts if fact.name in _BUILT_IN), *_CUSTOM)
"""The facts of small worlds: at least one of each kind."""

RULE_VALUES: dict[FactKind, tuple[FactValue, ...]] = {
    FactKind.CHOICE: ("gold", "SILVER", " Gold "),
    FactKind.TERM: ("CANCELED", "cancelled", "Canceled by client", "CANCELLED_BY_CUSTOMER", "paid"),
    FactKind.COUNTRY: ("BR", "pt", " us"),
    FactKind.CURRENCY: ("BRL", "usd ", "EUR"),
    FactKind.LANGUAGE: ("pt", "pt-BR", "PT_br", "en", "en-US"),
    FactKind.TEXT: ("abc", "ab", "B", " abC", "straße", "Jose\u0301"),
    FactKind.IDENTIFIER: ("aB3", "Ab3", " aB3 ", "aB"),
    FactKind.INTEGER: (0, 1, 2, 6, 12, -(2**63)),
    FactKind.DECIMAL: (Decimal(0), Decimal("49.90"), Decimal("49.9"), 50, Decimal("1E+2")),
    FactKind.BOOLEAN: (True, False),
    FactKind.INSTANT: (
        NOON,
        NOON.astimezone(UTC_MINUS_3),
        NOON + TICK,
        datetime(1, 1, 2, tzinfo=UTC),
    ),
}
"""What rules compare with, by kind of fact; some equal values in several spellings."""

OTHER_VALUES: dict[FactKind, tuple[FactValue, ...]] = {
    FactKind.CHOICE: ("bronze", "gol"),
    FactKind.TERM: ("canceled by seller", "Overdue", "no, a sentence"),
    FactKind.COUNTRY: ("Pt", "FR", "BRA", "b1"),
    FactKind.CURRENCY: ("eur", "GBP", "R$"),
    FactKind.LANGUAGE: ("pt-PT", "en_us-x", "ptx", "pt-", "p", "e n"),
    FactKind.TEXT: ("xabcx", "abcd", "a", "STRASSE", "pt-br", "JOSÉ"),
    FactKind.IDENTIFIER: ("ab3", "AB3", "aB3x", "xaB3"),
    FactKind.INTEGER: (-1, 3, 5, 7, 11, 13, -(2**63) - 1),
    FactKind.DECIMAL: (Decimal("49.89"), Decimal("49.91"), 49, 51, 100, Decimal("-0.01")),
    FactKind.BOOLEAN: (),
    FactKind.INSTANT: (NOON - TICK, NOON + 2 * TICK),
}
"""More values for events: some next to those of rules, some that cannot be read."""

ANY_VALUES: tuple[FactValue, ...] = ("", " ", "\u3000", "1", 1, 0, True, Decimal(1), NOON, "true")
"""Blank text, and values that have the wrong type for most facts."""

EQUALITY = ("eq", "ne", "in", "not_in", "is_set", "is_missing")
ORDER = ("lt", "le", "gt", "ge", "between")
OPERATORS: dict[FactKind, tuple[str, ...]] = {
    **dict.fromkeys(FactKind, EQUALITY),
    **dict.fromkeys((FactKind.INTEGER, FactKind.DECIMAL, FactKind.INSTANT), EQUALITY + ORDER),
    FactKind.TEXT: (*EQUALITY, "contains", "starts_with"),
    FactKind.IDENTIFIER: (*EQUALITY, "starts_with"),
}


def _values(fact: FactType) -> tuple[FactValue, ...]:
    """Return three words of a choice, in several spellings, or the values of the fact's kind."""
    if not fact.values:
        return RULE_VALUES[fact.kind]
    first, *others = fact.values[:3]
    return (first, f" {first.lower()}", *(word.title() for word in others))


def random_facts(dice: Dice, facts: Sequence[FactType] = FACTS) -> dict[str, FactValue]:
    """Make the facts of one event: some missing, some blank, some of a wrong type."""
    made: dict[str, FactValue] = {}
    for fact in facts:
        roll = dice.randint(0, 9)
        if roll < 6:
            made[fact.name] = dice.choice(_values(fact))
        elif roll < 8:
            made[fact.name] = dice.choice(OTHER_VALUES[fact.kind] or ANY_VALUES)
        elif roll == 8:
            made[fact.name] = dice.choice(ANY_VALUES)
    return made


# Conditions


def random_comparison(dice: Dice, facts: Sequence[FactType] = FACTS) -> Comparison:
    """Compare one of the facts with values of its kind."""
    fact = dice.choice(facts)
    operator = Operator(dice.choice(OPERATORS[fact.kind]))
    values = _values(fact)
    value: Any
    match operator:
        case Operator.IS_SET | Operator.IS_MISSING:
            value = None
        case Operator.IN | Operator.NOT_IN:
            value = tuple(dice.choice(values) for _ in range(dice.randint(1, 3)))
        case Operator.BETWEEN:
            value = tuple(sorted((dice.choice(values), dice.choice(values))))
        case _:
            value = dice.choice(values)
    return Comparison(fact.name, operator, value)


def random_condition(dice: Dice, facts: Sequence[FactType] = FACTS, *, depth: int = 3) -> Condition:
    """Make a condition without errors, nested up to `depth` and sometimes empty."""
    roll = dice.randint(0, 9) if depth else 0
    if roll < 4:
        return random_comparison(dice, facts)
    if roll < 6:
        inner = random_condition(dice, facts, depth=depth - 1)
        return ~inner if once_in(dice, 2) else Not(inner)
    size = 0 if once_in(dice, 12) else dice.randint(1, 3)
    parts = [random_condition(dice, facts, depth=depth - 1) for _ in range(size)]
    return AllOf(*parts) if roll < 8 else AnyOf(*parts)


# Accounts, actions, products

PLACES = (
    Place(list="Buyers"),
    Place(list=" buyers"),
    Place(list="Customers"),
    Place(machine="7", level="1"),
)
TAGS = ("vip", " VIP", "Vip", "buyer", "late", "josé", "Jose\u0301")
ACTIONS: tuple[Action, ...] = (
    *(kind(tag) for kind in (AddTag, RemoveTag) for tag in TAGS),
    AddLead(),
    *(kind(place) for kind in (AddLead, RemoveLead) for place in PLACES),
    *(MoveLead(to, source) for to in PLACES for source in (None, *PLACES) if to is not source),
    MoveLead("Customers", source="Buyers", if_absent="skip"),
    ProviderAction("acme.enrol", {"course": "Welcome"}),
    ProviderAction("acme.enrol", {"course": "welcome", "seats": 1, "until": NOON}),
    ProviderAction("acme.enrol", {"course": "Welcome", "until": NOON.astimezone(UTC_MINUS_3)}),
    ProviderAction("acme.enrol", {"course": "Welcome", "fee": Decimal("49.90")}),
    ProviderAction("acme.enrol", {"course": "Welcome", "fee": Decimal("4.99E+1")}),
)
ENROL = Verb(
    "acme.enrol",
    {
        "course": FactKind.TEXT,
        "fee": FactKind.DECIMAL,
        "seats": FactKind.INTEGER,
        "until": FactKind.INSTANT,
    },
    optional=("fee", "seats", "until"),
)
_USUAL = ("email", "name", "phone")
ACCOUNTS: tuple[tuple[str, Capabilities], ...] = (
    ("all", attrs.evolve(Capabilities.everything(), verbs=(ENROL,))),
    ("one place", attrs.evolve(Capabilities.everything(), one_place=True, data=_USUAL)),
    ("tags", Capabilities(add_tag="native", remove_tag="emulated", data=("name",))),
    (
        "few",
        Capabilities(
            add_tag="native",
            add_lead="emulated",
            move_lead="native",
            tags=("vip",),
            places=PLACES[:1],
            data=("email", "phone", "offer"),
            events=("purchase.approved", "quiz.passed"),
        ),
    ),
)
SENT: dict[str, tuple[tuple[str, ...], ...]] = {
    "all": (("email", "name", "phone"), ("last_name", "price", "note"), (), ("offer", "email")),
    "one place": (("email", "name", "phone"), ("name",), ()),
    "tags": (("email", "name"), ("email",)),
    "few": (("email",), ("phone", "offer"), ("email", "phone")),
}
"""The data that rules send, by account: what the account accepts."""
PLANS = (
    SubscriptionPlan("10", "Annual", also=("11", "12")),
    SubscriptionPlan("20", "Monthly"),
    SubscriptionPlan("30", " MONTHLY"),
)
EVENTS: dict[ProductKind, tuple[str, ...]] = {
    ProductKind.SINGLE: ("purchase.approved", "quiz.passed", "purchase.refunded"),
    ProductKind.SUBSCRIPTION: (
        "purchase.approved",
        "subscription.active",
        "purchase.cart_abandoned",
    ),
    ProductKind.FREE: ("club.free_registration", "quiz.passed"),
    ProductKind.WEBINAR: ("webinar.attended", "quiz.passed"),
}
ODD_EVENTS = ("subscription.canceled", "club.progress", "waitlist.joined", "quiz.failed")
CATALOGUE = Catalogue(
    (
        *(
            attrs.evolve(event, facts=[fact for fact in event.facts if fact in _BUILT_IN])
            for event in HOTMART.events
            if event.name in {*ODD_EVENTS, *(name for names in EVENTS.values() for name in names)}
        ),
        EventType("quiz.passed", "Quiz passed", carries_plan=True, facts=_BUILT_IN),
    ),
    FACTS,
)
"""The catalogue of small worlds: a dozen built-in events, one custom event, and their facts."""
NAMES = ("Welcome", "welcome ", "Goodbye")
PEOPLE = (
    Contact("ana@example.com", name="Ana", phone="+55 11 1"),
    Contact("Ana@Example.COM", first_name="Ana", last_name=" "),
    Contact("jose\u0301@example.com", name="José"),
    Contact("mi\u212ae@stra\u00dfe.example"),
    Contact("mi\u212ae@XN--STRAE-OQA.example"),
)


def random_products(dice: Dice) -> list[Product]:
    """Make two to four products, each of another kind; most are approved."""
    made = [
        Product(
            str(n),
            f"Product {n}",
            kind=kind,
            plans=PLANS[: dice.randint(1, 3)] if kind is ProductKind.SUBSCRIPTION else (),
            approved_at=None if once_in(dice, 8) else date(2024 + dice.randint(0, 1), 6, 1),
        )
        for n, kind in enumerate(ProductKind)
    ]
    return made[: dice.randint(2, 4)]


def random_rule(dice: Dice, n: int, product: Product, accounts: Sequence[str]) -> Segmentation:
    """Make a rule that is usually ready to run, and sometimes disabled or flagged."""
    account = dice.choice(accounts)
    event = dice.choice(EVENTS[product.kind] + (ODD_EVENTS if once_in(dice, 8) else ()))
    event_type = CATALOGUE.event(event)
    needs_plan = product.kind is ProductKind.SUBSCRIPTION and event_type and event_type.carries_plan
    known = [fact for fact in FACTS if CATALOGUE.carries(event, fact.name)]
    facts = known if known and not once_in(dice, 20) else FACTS
    able = [action for action in ACTIONS if dict(ACCOUNTS)[account].can(action)]
    actions = able if not once_in(dice, 20) else (*ACTIONS, AddTag("auto:vip"), AddTag(" "))
    plans = [plan_id for plan in product.plans for plan_id in plan.ids]
    return Segmentation(
        dice.choice(NAMES),
        id=f"r{n}",
        product_id=product.id if not once_in(dice, 30) else "gone",
        provider=account,
        event=event,
        actions=_random_actions(dice, actions, one_place=dict(ACCOUNTS)[account].one_place),
        condition=None if once_in(dice, 3) else random_condition(dice, facts),
        plan_ids=_plan_ids(dice, plans) if needs_plan else (),
        send=dice.choice(SENT["all" if once_in(dice, 30) else account]),
        enabled=not once_in(dice, 10),
    )


def _random_actions(dice: Dice, actions: Sequence[Action], *, one_place: bool) -> list[Action]:
    """Choose some actions, which contradict those of other rules, and in few rules each other."""
    chosen = [dice.choice(actions) for _ in range(dice.randint(1, 6))]
    lost = () if once_in(dice, 12) else {n for n, _ in losers(chosen, one_place=one_place)}
    return [action for n, action in enumerate(chosen) if n not in lost] or chosen


def _plan_ids(dice: Dice, plans: Sequence[str]) -> tuple[str, ...]:
    if once_in(dice, 12):
        return ()
    return tuple(dice.choice(plans) for _ in range(dice.randint(1, 2)))


def random_rules(dice: Dice, *, size: int = 24) -> RuleSet:
    """Make a rule set of up to `size` rules, for up to four products and accounts.

    >>> from random import Random
    >>> random_rules(Random(7)) == random_rules(Random(7))
    True
    """
    products = random_products(dice)
    names = [name for name, _ in ACCOUNTS]
    integrated = dict(ACCOUNTS[: dice.randint(2, 4)])
    accounts = list(integrated) if not once_in(dice, 6) else names
    return RuleSet(
        products,
        [
            random_rule(dice, n, dice.choice(products), accounts)
            for n in range(dice.randint(size // 4, size))
        ],
        providers=integrated,
        catalogue=CATALOGUE,
        capture_provider=dice.choice((None, *names, *names)),
    )


# Events


def random_event(dice: Dice, rules: RuleSet, *, id: str = "e-1") -> Event:
    """Make an event that often matches rules; one in eight has a name that few rules use."""
    product = dice.choice(rules.products)
    names = EVENTS[product.kind] if not once_in(dice, 8) else ODD_EVENTS
    return Event(
        dice.choice(names),
        id=id,
        product_id=product.id if not once_in(dice, 30) else "unknown",
        contact=dice.choice(PEOPLE) if not once_in(dice, 30) else None,
        occurred_at=NOON,
        plan_id=dice.choice((None, "10", "11", "20", "30", "99")),
        plan_name=dice.choice((None, "Annual", " annual", "monthly", "Weekly")),
        facts=random_facts(dice),
        is_test=once_in(dice, 30),
    )
