"""Exactly the rules whose condition holds are found, however many there are."""

import gc
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any

import pytest

from listboss import HOTMART, AddTag, AllOf, AnyOf, Engine, EventType, FactType, Not, where
from listboss.engine.matching.predicate import predicate
from listboss.rules import FactKind

CATALOGUE = HOTMART.extended(
    events=[EventType("quiz.passed", "Passed")],
    facts=[FactType(f"own_{kind}", kind) for kind in FactKind],
)
START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("alpha", "beta", "gamma", " Delta ", "EPSILON", "alphabet")
SMALL: dict[str, tuple[Any, ...]] = {
    "own_choice": WORDS,
    "own_text": WORDS,
    "own_country": ("BR", "pt", "AR", "US"),
    "own_currency": ("BRL", "usd", "EUR"),
    "own_language": ("pt", "pt-BR", "pt_pt", "en", "en-US", "es"),
    "own_integer": tuple(range(-2, 8)),
    "own_decimal": (0, 1, Decimal("0.5"), Decimal("1.50"), Decimal("9.90"), 10),
    "own_boolean": (True, False),
    "own_instant": tuple(START + timedelta(hours=n) for n in range(6)),
}
WIDE: dict[str, tuple[Any, ...]] = {
    **SMALL,
    "own_text": tuple(f"offer-{n}" for n in range(1_500)),
    "own_integer": tuple(range(0, 4_000, 3)),
    "own_decimal": tuple(Decimal(n) / 100 for n in range(0, 90_000, 7)),
    "own_language": tuple(
        f"{a}{b}-{c}" for a in "abcde" for b in "fghij" for c in ("BR", "US", "x")
    ),
    "own_instant": tuple(START + timedelta(minutes=n) for n in range(3_000)),
}
UNKNOWN = ("", "  ", 7, True, "x", Decimal("0.1"), START, "not a code!", "ç")
ORDERED = ("own_integer", "own_decimal", "own_instant")


def _comparison(random, values):
    fact = random.choice(tuple(values))
    ref, known = where[fact], values[fact]
    one, other = random.choice(known), random.choice(known)
    kinds = [
        lambda: ref == one,
        lambda: ref == one,
        lambda: ref != one,
        lambda: ref.is_in(*random.sample(known, min(3, len(known)))),
        lambda: ref.not_in(one, other),
        ref.is_set,
        ref.is_missing,
    ]
    if fact in ORDERED:
        near = known[min(len(known) - 1, known.index(one) + random.randrange(12))]
        kinds += [
            lambda: ref < one,
            lambda: ref <= one,
            lambda: ref > one,
            lambda: ref >= one,
            lambda: ref.between(*sorted((one, other))),
            lambda: ref.between(*sorted((one, near))),
            lambda: ref.between(*sorted((one, near))),
        ]
    if fact == "own_text":
        kinds += [lambda: ref.contains(one[1:4]), lambda: ref.starts_with(one[:2])]
    return random.choice(kinds)()


def _condition(random, values, depth=2):
    kind = random.randrange(8)
    if depth == 0 or kind < 4:
        return _comparison(random, values)
    if kind == 4:
        return Not(_condition(random, values, depth - 1))
    combine = AllOf if kind < 7 else AnyOf
    parts = random.randrange(4) if random.random() < 0.2 else 2
    return combine(*(_condition(random, values, depth - 1) for _ in range(parts)))


def _facts(random, values):
    facts = {}
    for fact, known in values.items():
        draw = random.random()
        if draw < 0.8:
            facts[fact] = random.choice(known)
        elif draw < 0.9:
            facts[fact] = random.choice(UNKNOWN)
    return facts


def _expected(rules, event):
    return tuple(
        each.id
        for each in rules
        if each.enabled
        and (each.condition is None or predicate(each.condition, CATALOGUE)(event.facts))
    )


@pytest.fixture
def random_rules(rule, happens):
    """Make many rules with random conditions, and events that match some of them."""

    def random_rules(seed, number, values, events=60):
        random = Random(seed)
        rules = [
            rule(
                f"r{n}",
                AddTag(str(n)),
                event="quiz.passed",
                condition=None if random.random() < 0.03 else _condition(random, values),
            )
            for n in range(number)
        ]
        made = [happens("quiz.passed", facts=_facts(random, values)) for _ in range(events)]
        return rules, [*made, happens("quiz.passed")]

    return random_rules


@pytest.mark.parametrize("values", [SMALL, WIDE], ids=["small", "wide"])
@pytest.mark.parametrize("number", [1, 5, 12, 40, 100, 400])
@pytest.mark.parametrize("seed", range(3))
def test_any_number_of_rules(rule_set, random_rules, seed, number, values):
    """Exactly the rules whose condition holds match, in the order declared."""
    rules, events = random_rules(seed, number, values)
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE))
    assert [_expected(rules, event) for event in events] == [eng.match(e) for e in events]


ONE_FACT = {
    "offers": lambda n: where.own_text == f"offer-{n % 1_500}",
    "several-offers": lambda n: where.own_text.is_in(f"offer-{n % 1_500}", f"offer-{n % 7}"),
    "an-offer-and-a-country": lambda n: (
        (where.own_text == f"offer-{n % 40}") & (where.own_country == ("BR", "PT", "AR")[n % 3])
    ),
    "narrow-ranges": lambda n: where.own_integer.between(n, n + 2),
    "wide-ranges": lambda n: where.own_integer.between(n, n + 1_000),
    "thresholds": lambda n: where.own_decimal >= Decimal(n) / 2,
    "offers-and-narrow-ranges": lambda n: (
        (where.own_text == f"offer-{n % 40}") & where.own_integer.between(n, n + 400)
    ),
    "one-price-for-all-and-one-of-its-own": lambda n: where.own_decimal.is_in(4, n + 5),
    "prices-and-more": lambda n: (
        where.own_decimal.between(n, n + 3)
        & (where.own_country != "BR")
        & (where.own_integer < n % 500)
    ),
    "not-an-offer": lambda n: where.own_text != f"offer-{n}",
    "one-word-for-many": lambda n: where.own_text == f"offer-{n % 36}",
    "either": lambda n: (where.own_text == f"offer-{n}") | (where.own_integer == n),
    "all-but-a-range": lambda n: Not(where.own_integer.between(n, n + 50)),
    "instants": lambda n: where.own_instant.between(
        START + timedelta(minutes=n), START + timedelta(minutes=n + 5)
    ),
    "missing-or-set": lambda n: (
        (where.own_text.is_missing() if n % 2 else where.own_text.is_set())
        & (where.own_integer >= n % 600)
    ),
    "too-many-ways": lambda n: AllOf(
        AnyOf(*(where.own_text != f"offer-{n + k}" for k in range(9))),
        AnyOf(*(where.own_integer < 100 * k + n for k in range(9))),
    ),
    "languages": lambda n: where.own_language == WIDE["own_language"][n % 75],
    "families-of-languages": lambda n: where.own_language.is_in(
        WIDE["own_language"][n % 75][:2], WIDE["own_language"][(n * 7) % 75]
    ),
    "two-on-one-fact": lambda n: (where.own_integer > n) & (where.own_integer != n + 3),
    "never": lambda n: (where.own_integer > n) & (where.own_integer < n),
    "never-and-missing": lambda n: where.own_integer.is_missing() & (where.own_integer < n),
}


@pytest.mark.parametrize("shape", ONE_FACT)
@pytest.mark.parametrize("number", [60, 600])
def test_many_rules_of_one_shape(rule, rule_set, happens, shape, number):
    """Exactly the right rules match, whatever shape their conditions have."""
    rules = [
        rule(f"r{n}", AddTag(str(n)), event="quiz.passed", condition=ONE_FACT[shape](n))
        for n in range(number)
    ]
    random = Random(number)
    events = [happens("quiz.passed", facts=_facts(random, WIDE)) for _ in range(80)]
    facts: dict[str, Any] = {"own_text": "OFFER-3", "own_integer": 5, "own_decimal": Decimal(4)}
    events += [
        happens("quiz.passed", facts={**facts, "own_country": "ar", "own_instant": START}),
        happens("quiz.passed", facts={"own_integer": -5, "own_decimal": 99_999}),
        happens("quiz.passed", facts={"own_integer": "5", "own_decimal": True, "own_text": 3}),
        happens("quiz.passed", facts={"own_instant": 1, "own_text": "offer-3"}),
        happens("quiz.passed"),
    ]
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE))
    assert [_expected(rules, event) for event in events] == [eng.match(e) for e in events]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("number", "changes"), [(20, 30), (400, 150)])
def test_any_series_of_changes(rule_set, random_rules, seed, number, changes):
    """After any series of changes, an engine matches like one made of the last rules."""
    pool, events = random_rules(seed, number + changes, WIDE, events=12)
    random = Random(seed)
    spare = pool[number:]
    eng = Engine(rule_set(*pool[:number], catalogue=CATALOGUE)).warm()
    for _ in range(changes):
        rules = eng.rules
        some = random.choice(rules.segmentations).id
        change = random.randrange(5)
        if change == 0:
            rules = rules.add(spare.pop())
        elif change == 1:
            rules = rules.remove(some)
        elif change == 2:
            rules = rules.disable(some) if rules.segmentation(some).enabled else rules.enable(some)
        else:
            other = random.choice(pool)
            edited = type(other)(
                **{
                    **{name: getattr(other, name) for name in other.__slots__ if name[0] != "_"},
                    "id": some,
                }
            )
            rules = rules.replace(edited)
        eng = eng.with_rules(rules)
        event = random.choice(events)
        assert _expected(rules, event) == eng.match(event)
    assert [_expected(eng.rules, e) for e in events] == [eng.warm().match(e) for e in events]


def test_more_changes_than_deltas_hold(rule, rule_set, happens):
    """After thousands of changes to a large product, the last rules match."""
    rules = rule_set(
        *(
            rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=where.own_integer == n)
            for n in range(300)
        ),
        catalogue=CATALOGUE,
    )
    eng = Engine(rules)
    for n in range(2_100):
        changed = rule(
            f"r{n % 300}",
            AddTag("x"),
            event="quiz.passed",
            condition=where.own_integer == 1_000 + n,
        )
        eng = eng.with_rules(eng.rules.replace(changed))
    event = happens("quiz.passed", facts={"own_integer": 3_099})
    assert (("r299",), _expected(eng.rules, event)) == (eng.match(event), eng.match(event))


def test_rules_in_another_order(rule, rule_set, happens):
    """Rules match in the new order if a rule set has the same ones in another order."""
    rules = [rule(f"r{n}", AddTag("x"), event="quiz.passed") for n in range(100)]
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE)).warm()
    shorter = rules[:10] + rules[50:]
    for order in (rules[::-1], shorter, rules[50:] + rules[:50], rules, shorter, rules):
        eng = eng.with_rules(rule_set(*order, catalogue=CATALOGUE))
        assert tuple(each.id for each in order) == eng.match(happens("quiz.passed"))


@pytest.mark.parametrize("number", [30, 500])
def test_equal_values_of_other_types(rule, rule_set, happens, number):
    """`True`, 1 and "1" are different values, whatever came before."""
    rules = [
        rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=where.own_integer == n % 20)
        for n in range(number)
    ]
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE))
    raws = (1, True, "1", Decimal(1), 1, True, 0, False)
    events = [happens("quiz.passed", facts={"own_integer": raw}) for raw in raws]
    assert [_expected(rules, event) for event in events] == [eng.match(e) for e in events]


@pytest.mark.parametrize("number", [20, 400])
def test_long_values_are_not_cached(rule, rule_set, happens, number):
    """Long values of an event are freed with the event."""
    rules = [
        rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=where.own_text == f"offer {n}")
        for n in range(number)
    ]
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE)).warm()
    short, long = "offer 1 ".upper(), " Offer 1".ljust(4_000)
    before = sys.getrefcount(short), sys.getrefcount(long)
    found = [eng.match(happens("quiz.passed", facts={"own_text": raw})) for raw in (short, long)]

    assert [("r1",), ("r1",)] == found
    assert (before[0] + 1, before[1]) == (sys.getrefcount(short), sys.getrefcount(long))


class EqualToTheFirst(str):
    """A string that is equal to the first offer, wherever it is looked up."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == "offer 1"

    def __hash__(self) -> int:
        return hash("offer 1")


@pytest.mark.parametrize("number", [4, 20, 400])
def test_string_types_in_events(rule, rule_set, happens, number):
    """A string in an event is compared by its characters, whatever its type says."""
    rules = [
        rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=where.own_text == f"offer {n}")
        for n in range(number)
    ]
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE))
    for raw in (EqualToTheFirst("offer 2"), "offer 1"):
        event = happens("quiz.passed", facts={"own_text": raw})
        assert (f"r{str.__str__(raw)[-1]}",) == eng.match(event)


class EqualInAnyCase(str):
    """A string that is equal to any spelling of itself."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.casefold() == other.casefold()

    def __hash__(self) -> int:
        return hash(self.casefold())


@pytest.mark.parametrize("number", [1, 20, 400])
def test_string_types_in_rules(rule, rule_set, happens, number):
    """A string in a rule is compared by its characters, too."""
    texts = [EqualInAnyCase(f"OFFER {n}") for n in range(20)]
    rules = [
        rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=condition)
        for n, condition in enumerate(
            [where.own_text.contains(texts[7]), where.own_text.is_in(*texts)] * number
        )
    ]
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE))
    met = eng.match(happens("quiz.passed", facts={"own_text": "Offer 7"}))
    assert tuple(each.id for each in rules) == met


@pytest.mark.parametrize("number", [20, 400])
@pytest.mark.parametrize("compare", [where.own_text.__eq__, where.own_text.contains])
def test_an_unused_engine_is_freed_at_once(rule, rule_set, happens, number, compare):
    """An unused engine is freed at once, without the garbage collector."""
    rules = [
        rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=compare(f"offer {n}"))
        for n in range(number)
    ]
    rules = rule_set(*rules, catalogue=CATALOGUE)
    gc.collect()
    gc.disable()
    try:
        eng = Engine(rules).warm()
        eng.match(happens("quiz.passed", facts={"own_text": "Offer 7"}))
        gc.collect()
        del eng
        assert 0 == gc.collect()
    finally:
        gc.enable()


class Word(str, Enum):  # noqa: UP042 # `str()` of a member is not its value
    """Strings whose `str()` is another string."""

    COUNTRY = "BR"
    CURRENCY = "BRL"
    LANGUAGE = "pt"
    TEXT = "offer"


@pytest.mark.parametrize("number", [1, 20, 400])
@pytest.mark.parametrize("member", Word)
def test_enum_members_are_their_values(rule, rule_set, happens, number, member):
    """Enum members match plain strings, in rules and in events."""
    fact = where[f"own_{member.name.lower()}"]
    conditions = (fact == member, fact != member, fact.is_in(member)) * number
    rules = [
        rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=condition)
        for n, condition in enumerate(conditions)
    ]
    eng = Engine(rule_set(*rules, catalogue=CATALOGUE))
    events = [
        happens("quiz.passed", facts={f"own_{member.name.lower()}": raw})
        for raw in (member, member.value, "zz")
    ]
    assert [_expected(rules, event) for event in events] == [eng.match(e) for e in events]
    assert eng.match(events[0]) == eng.match(events[1]) != ()


@pytest.mark.parametrize(("subtags", "met"), [(15, ("r0",)), (16, ()), (100_000, ())])
def test_a_language_of_many_subtags(rule, rule_set, happens, subtags, met):
    """A tag of more than sixteen subtags is not a language, and costs no more than reading it."""
    rules = [
        rule(f"r{n}", AddTag("x"), event="quiz.passed", condition=where.own_language == tag)
        for n, tag in enumerate(["pt", *(f"en-{n}" for n in range(19))])
    ]
    event = happens("quiz.passed", facts={"own_language": "pt" + "-a" * subtags})
    engines = [Engine(rule_set(*some, catalogue=CATALOGUE)) for some in (rules[:1], rules)]
    assert [met, met] == [eng.match(event) for eng in engines]


def test_the_first_rule_on_an_event(rule, rule_set, happens):
    """A product that is indexed already can get its first rule on an event."""
    eng = Engine(rule_set(rule("r", AddTag("x")), catalogue=CATALOGUE)).warm()
    eng = eng.with_rules(eng.rules.add(rule("new", AddTag("y"), event="quiz.passed")))
    assert [("r",), ("new",)] == [eng.match(happens()), eng.match(happens("quiz.passed"))]


def test_a_disabled_first_rule_on_an_event(rule, rule_set, happens):
    """If the first rule on an event is disabled, no rule matches the event."""
    eng = Engine(rule_set(rule("r", AddTag("x")), catalogue=CATALOGUE)).warm()
    eng = eng.with_rules(
        eng.rules.add(rule("new", AddTag("y"), event="quiz.passed", enabled=False))
    )
    eng = eng.with_rules(eng.rules.remove("new"))
    assert () == eng.match(happens("quiz.passed"))


def test_match_of_an_unknown_event(engine, happens):
    """An event that the catalogue does not have matches nothing."""
    assert () == engine().match(happens("quiz.failed"))
