"""The rules and events that every engine is measured on, in neutral terms, made from a seed.

There are two shapes. *tenants* has N/8 products with 8 rules each. *hot* has N rules for
one product and event, of which about 1 % and at most 20 match an event.
A rule has an event, a product and 0 to 3 tests, which must all hold. Every event has every
fact, in the same spelling as in rules, so no engine pays for guards or case folding.

INVARIANT: equal shape, size, seed and count give equal rules and events; all events differ.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

__all__ = [
    "EVENT_COUNT",
    "FACTS",
    "INTEGERS",
    "MAX_MATCHES",
    "SHAPES",
    "SIZES",
    "Action",
    "Operator",
    "Rule",
    "Scalar",
    "Shape",
    "Test",
    "WorkEvent",
    "Workload",
    "expected",
    "flat",
    "holds",
    "number",
    "sample",
    "workload",
]

Shape: TypeAlias = Literal["tenants", "hot"]
Operator: TypeAlias = Literal["eq", "in", "gte", "between"]
Scalar: TypeAlias = str | int | Decimal

SHAPES: tuple[Shape, ...] = ("tenants", "hot")
SIZES = (10, 100, 1_000, 10_000, 100_000)
EVENT_COUNT = 20_000
MAX_MATCHES = 20
OPERATOR_ORDER: tuple[Operator, ...] = ("eq", "in", "gte", "between")
RULES_PER_PRODUCT = 8
OFFERS_PER_PRODUCT = 4
SHARED_TAGS = 50
MIN_PRICE, MAX_PRICE = 100, 100_000  # cents

EVENTS = (
    "purchase.approved",
    "purchase.billet_printed",
    "purchase.canceled",
    "purchase.delayed",
    "purchase.expired",
    "purchase.refunded",
)
CHOICES: Mapping[str, tuple[str, ...]] = {
    "payment_method": (
        "BILLET",
        "CREDIT_CARD",
        "DIRECT_DEBIT",
        "GOOGLE_PAY",
        "HYBRID",
        "PAYPAL",
        "PIX",
        "WALLET",
    ),
    "currency": ("ARS", "BRL", "CLP", "COP", "EUR", "MXN", "PEN", "USD"),
    "language": ("de", "en", "es", "fr", "it", "pt"),
    "country": (
        *("AR", "BO", "BR", "CA", "CL", "CO", "CR", "DE", "EC", "ES"),
        *("FR", "GB", "IT", "MX", "PE", "PT", "PY", "US", "UY", "VE"),
    ),
}
INTEGERS: Mapping[str, int] = {"installments": 12, "recurrence_number": 24}
FACTS = (*CHOICES, "offer", *INTEGERS, "price")


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison; for `in` and `between` (both ends included) `value` is a tuple."""

    fact: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """The action of a rule: add or remove a tag."""

    kind: Literal["add", "remove"]
    tag: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: all `tests` must hold for an event `event` of the product `product_id`."""

    id: str
    product_id: str
    event: str
    tests: tuple[Test, ...]
    action: Action


@dataclass(frozen=True, slots=True)
class WorkEvent:
    """One event; the attributes used in matching have the names of those of `listboss.Event`."""

    id: str
    name: str
    product_id: str
    facts: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Workload:
    """Rules of one shape and size, and the events to match with them."""

    shape: Shape
    size: int
    products: tuple[str, ...]
    rules: tuple[Rule, ...]
    events: tuple[WorkEvent, ...]


# --- meaning ---------------------------------------------------------------------------------

MEANING: Mapping[Operator, Callable[[object, object], bool]] = {
    "eq": lambda actual, value: actual == value,
    "in": lambda actual, value: actual in value,  # type: ignore[operator]  # a tuple
    "gte": lambda actual, value: actual >= value,  # type: ignore[operator]  # both numbers
    "between": lambda actual, value: value[0] <= actual <= value[1],  # type: ignore[index]  # a pair
}


def holds(rule: Rule, event: WorkEvent) -> bool:
    """Return whether `rule` matches `event`; every engine must agree."""
    return (
        rule.product_id == event.product_id
        and rule.event == event.name
        and all(MEANING[test.operator](event.facts[test.fact], test.value) for test in rule.tests)
    )


def expected(rules: Sequence[Rule], event: WorkEvent) -> set[str]:
    """Return the ids of the rules that match `event`."""
    return {rule.id for rule in rules if holds(rule, event)}


def number(value: Scalar) -> str | int | float:
    """Return a value as in JSON: engines other than listboss do not have decimals."""
    return float(value) if isinstance(value, Decimal) else value


def flat(event: WorkEvent) -> dict[str, str | int | float]:
    """Return an event as one flat dict, which most engines read."""
    facts = {name: number(value) for name, value in event.facts.items()}
    return {"product_id": event.product_id, "event": event.name, **facts}


# --- generating ------------------------------------------------------------------------------


def _cents(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)


def _some(rng: random.Random, values: Sequence[str], most: int) -> tuple[str, ...]:
    return tuple(sorted(rng.sample(values, rng.randint(2, min(most, len(values))))))


def _broad(rng: random.Random, fact: str, offers: Sequence[str]) -> Test:
    """Make a test that about a third of all events pass."""
    if fact in INTEGERS:
        most = INTEGERS[fact]
        low = rng.randint(1, most)
        match rng.choice(("eq", "gte", "between")):
            case "eq":
                return Test(fact, "eq", low)
            case "gte":
                return Test(fact, "gte", low)
            case _:
                return Test(fact, "between", (low, rng.randint(low, most)))
    if fact == "price":
        low = rng.randint(MIN_PRICE, MAX_PRICE)
        if rng.random() < 0.5:
            return Test(fact, "gte", _cents(low))
        return Test(fact, "between", (_cents(low), _cents(rng.randint(low, MAX_PRICE))))
    values = offers if fact == "offer" else CHOICES[fact]
    if rng.random() < 0.4:
        return Test(fact, "eq", rng.choice(values))
    return Test(fact, "in", _some(rng, values, max(2, len(values) // 2)))


def _broad_tests(
    rng: random.Random, count: int, offers: Sequence[str], but: str = ""
) -> list[Test]:
    facts = [fact for fact in FACTS if fact != but]
    return [_broad(rng, fact, offers) for fact in rng.sample(facts, count)]


def _selective(rng: random.Random, offers: Sequence[str], width: int) -> Test:
    """Make a test that few events pass: one or a few offers, or a narrow price range."""
    kind = rng.random()
    if kind < 0.5:
        return Test("offer", "eq", rng.choice(offers))
    if kind < 0.65:
        return Test("offer", "in", _some(rng, offers, 3))
    low = rng.randint(MIN_PRICE, MAX_PRICE - width)
    return Test("price", "between", (_cents(low), _cents(low + width)))


def _action(rng: random.Random, rule_id: str) -> Action:
    kind = rng.random()
    if kind < 0.7:
        return Action("add", f"tag of {rule_id}")
    shared = rng.randrange(SHARED_TAGS)
    return Action("add", f"shared {shared}") if kind < 0.9 else Action("remove", f"old {shared}")


def _ordered(tests: Sequence[Test]) -> tuple[Test, ...]:
    """Order tests by cost, cheapest first, for the engines that evaluate them in order."""
    return tuple(sorted(tests, key=lambda test: OPERATOR_ORDER.index(test.operator)))


def _offers(product_id: str) -> tuple[str, ...]:
    return tuple(f"{product_id}o{index}" for index in range(OFFERS_PER_PRODUCT))


def _event(rng: random.Random, index: int, name: str, product: str, offer: str) -> WorkEvent:
    facts: dict[str, Scalar] = {fact: rng.choice(values) for fact, values in CHOICES.items()}
    facts["offer"] = offer
    facts.update({fact: rng.randint(1, most) for fact, most in INTEGERS.items()})
    facts["price"] = _cents(rng.randint(MIN_PRICE, MAX_PRICE))
    return WorkEvent(f"event-{index}", name, product, facts)


def _distinct(events: Iterator[WorkEvent], count: int) -> tuple[WorkEvent, ...]:
    seen: dict[tuple[object, ...], WorkEvent] = {}
    while len(seen) < count:
        event = next(events)
        seen.setdefault((event.name, event.product_id, *event.facts.values()), event)
    return tuple(seen.values())


def _tenants(rng: random.Random, size: int, count: int) -> Workload:
    products = tuple(f"p{index}" for index in range(-(-size // RULES_PER_PRODUCT)))
    rules: list[Rule] = []
    for index in range(size):
        product = products[index // RULES_PER_PRODUCT]
        tests = _broad_tests(rng, rng.randint(0, 3), _offers(product))
        rule_id = f"r{index}"
        rules.append(
            Rule(rule_id, product, rng.choice(EVENTS), _ordered(tests), _action(rng, rule_id))
        )

    def stream() -> Iterator[WorkEvent]:
        index = 0
        while True:
            product = rng.choice(products)
            yield _event(rng, index, rng.choice(EVENTS), product, rng.choice(_offers(product)))
            index += 1

    return Workload("tenants", size, products, tuple(rules), _distinct(stream(), count))


def _counter(rules: Sequence[Rule]) -> Callable[[WorkEvent], int]:
    """Return a function that counts an event's matches; it indexes rules by their first test."""
    always: list[Rule] = []
    by_offer: dict[object, list[Rule]] = {}
    by_price: dict[int, list[Rule]] = {}
    for rule in rules:
        match rule.tests:
            case (Test("offer", "eq", value), *_):
                by_offer.setdefault(value, []).append(rule)
            case (Test("offer", "in", tuple(values)), *_):
                for value in values:
                    by_offer.setdefault(value, []).append(rule)
            case (Test("price", "between", (Decimal() as low, Decimal() as high)), *_):
                for cell in range(int(low), int(high) + 1):
                    by_price.setdefault(cell, []).append(rule)
            case _:
                always.append(rule)

    def count(event: WorkEvent) -> int:
        candidates = (
            *always,
            *by_offer.get(event.facts["offer"], ()),
            *by_price.get(int(Decimal(event.facts["price"])), ()),
        )
        return sum(holds(rule, event) for rule in candidates)

    return count


def _hot(rng: random.Random, size: int, count: int) -> Workload:
    product, name = "p0", EVENTS[0]
    rarity = max(100, size // 10)  # an event matches one rule in `rarity`
    offers = tuple(f"o{index}" for index in range(max(8, round(rarity * 0.55))))
    width = round(2.1 * (MAX_PRICE - MIN_PRICE) / rarity)
    rules: list[Rule] = []
    for index in range(size):
        tests = [] if index == 0 else [_selective(rng, offers, width)]
        if tests:
            tests += _broad_tests(rng, rng.randint(0, 2), offers, but=tests[0].fact)
        rules.append(Rule(f"r{index}", product, name, tuple(tests), _action(rng, f"r{index}")))
    matches = _counter(rules)

    def stream() -> Iterator[WorkEvent]:
        index = 0
        while True:
            event = _event(rng, index, name, product, rng.choice(offers))
            if matches(event) <= MAX_MATCHES:
                yield event
            index += 1

    events = _distinct(stream(), count)
    shuffled = tuple(
        Rule(rule.id, product, name, _ordered(rule.tests), rule.action)
        for rule in rng.sample(rules, len(rules))
    )
    return Workload("hot", size, (product,), shuffled, events)


MAKERS: Mapping[Shape, Callable[[random.Random, int, int], Workload]] = {
    "tenants": _tenants,
    "hot": _hot,
}


def workload(shape: Shape, size: int, *, seed: int = 1, count: int = EVENT_COUNT) -> Workload:
    """Make `size` rules of `shape` and `count` distinct events."""
    return MAKERS[shape](random.Random(f"{shape}-{size}-{seed}"), size, count)


def _satisfying(rule: Rule, event: WorkEvent) -> WorkEvent:
    """Change an event so that `rule` matches it; ranges get their lower end."""
    facts = dict(event.facts)
    for test in rule.tests:
        facts[test.fact] = test.value[0] if isinstance(test.value, tuple) else test.value
    return WorkEvent(f"{event.id}-{rule.id}", rule.event, rule.product_id, facts)


def sample(work: Workload, count: int) -> tuple[WorkEvent, ...]:
    """Return events on which to compare engines; every other one is made to match a rule."""
    rng = random.Random(count)
    chosen = rng.choices(work.rules, k=count)
    events = rng.sample(work.events, count)
    return tuple(
        _satisfying(rule, event) if index % 2 == 0 else event
        for index, (rule, event) in enumerate(zip(chosen, events, strict=True))
    )
