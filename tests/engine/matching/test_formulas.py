"""Many conditions evaluated together hold where each of them holds alone."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from listboss import AddTag, AllOf, AnyOf, Condition, Engine, Not, where
from listboss.engine.matching.bitmap import WideFact, set_bits
from listboss.engine.matching.bucket import MAX_ALONE, IndexedBucket
from listboss.engine.matching.formulas import Formulas, most_found
from listboss.engine.matching.normal_form import normal_form
from listboss.engine.matching.predicate import predicate
from listboss.engine.matching.router import route
from listboss.rules._literal import Conjunction, hold
from listboss.rules._size import size_of
from listboss.rules.builtin import HOTMART
from listboss.testing import reference

NOW = datetime(2026, 5, 4, tzinfo=UTC)
WORDS = ("a", "ab", "b", "abc", "bca", "é", "abcabc")


def comparison(dice: Random) -> Condition:
    """Draw a comparison of any kind."""
    word, other, n = dice.choice(WORDS), dice.choice(WORDS), dice.randrange(40)
    choices: list[Condition] = [
        where.src == word,
        where.src != word,
        where.src.is_in(word, other),
        where.sck.not_in(word, other),
        where.src.contains(word),
        where.sck.contains(word),
        where.src.starts_with(word),
        where.offer.starts_with(word),
        where.price.between(n, n + dice.randrange(20)),
        where.price < n,
        where.installments >= n,
        where.language == dice.choice(("pt", "pt-br", "en")),
        where.is_funnel == dice.choice((True, False)),
        where.ordered_at < NOW + timedelta(days=n),
        where.src.is_set(),
        where.coupon.is_missing(),
    ]
    return dice.choice(choices)


def condition(dice: Random, depth: int) -> Condition:
    """Draw a condition of at most that depth; some groups are empty."""
    kind = dice.randrange(4) if depth else 3
    if kind == 3:
        return comparison(dice)
    if kind == 2:
        return Not(condition(dice, depth - 1))
    parts = [condition(dice, depth - 1) for _ in range(dice.choice((0, 1, 2, 2, 3, 5)))]
    return (AllOf, AnyOf)[kind](*parts)


def facts_of(dice: Random) -> dict[str, Any]:
    """Draw facts: usable ones, missing ones, and some of a wrong type."""
    facts: dict[str, Any] = {
        "src": dice.choice((*WORDS, " ABC ", "xabcab" * 100, 5)),
        "sck": dice.choice((*WORDS, "é" * 300, "")),
        "offer": dice.choice((*WORDS, "AB")),
        "coupon": dice.choice(("a", None)),
        "price": dice.choice((dice.randrange(60), "7")),
        "installments": dice.randrange(40),
        "language": dice.choice(("pt", "pt-br-x", "en", "fr")),
        "is_funnel": dice.choice((True, False)),
        "ordered_at": NOW + timedelta(days=dice.randrange(40)),
    }
    return {fact: raw for fact, raw in facts.items() if dice.random() < 0.8}


@pytest.mark.parametrize("seed", range(12))
def test_as_each_alone(seed):
    """Of random conditions, those hold together that hold one by one."""
    dice = Random(seed)
    conditions = {n: condition(dice, dice.randrange(6)) for n in range(3, 3 + 40 * (1 + seed))}
    formulas = Formulas(conditions, HOTMART)
    alone = {n: predicate(each, HOTMART) for n, each in conditions.items()}
    for _ in range(25):
        facts = facts_of(dice)
        assert [n for n in conditions if alone[n](facts)] == formulas.holding(conditions, facts)


@pytest.mark.parametrize("points", [10, 600])
def test_many_values_of_one_fact(points):
    """A fact keeps some of its bitmaps, and finds the others from what changes."""
    dice = Random(points)
    conditions: dict[int, Condition] = {
        n: AllOf(where.price >= dice.randrange(points), where.price < n) for n in range(points)
    }
    conditions |= {points + n: where.price == 5 for n in range(points)}
    formulas = Formulas(conditions, HOTMART)
    for price in (*range(0, points + 2, 7), 5, -1):
        alone = [n for n, each in conditions.items() if predicate(each, HOTMART)({"price": price})]
        assert alone == formulas.holding(conditions, {"price": price})


@pytest.mark.parametrize("others", [1, 60, 130, 300, 700])
@pytest.mark.parametrize("seldom", ["coupon", "price", "sck"])
def test_a_fact_that_few_conditions_compare(seldom, others):
    """One comparison of a fact among hundreds of another one: the fact keeps hardly any bitmaps."""
    one = {
        "coupon": where.coupon == "c0",
        "price": where.price >= 7,
        "sck": where.sck.starts_with("ab"),
    }[seldom]
    conditions: dict[int, Condition] = {0: one | where.src.contains("q0")}
    conditions |= {
        n: (where.offer == f"o{n}") | where.src.contains(f"q{n}") for n in range(1, others)
    }
    formulas = Formulas(conditions, HOTMART)
    usual: dict[str, Any] = {"offer": "o3", "src": "q5"}
    for raw in (None, "c0", "abc", "b", 7, 6, True):
        for facts in ({seldom: raw}, {seldom: raw, **usual}):
            alone = [n for n, each in conditions.items() if predicate(each, HOTMART)(facts)]
            assert alone == formulas.holding(conditions, facts)


@pytest.mark.parametrize("share", [1, 1 / 2, 1 / 100, 1 / 1_000])
def test_a_share_of_the_bitmaps(share):
    """Every cell has its bitmap, however few are kept."""
    spans = {bit: ((3 * bit % 19, 3 * bit % 19 + 1 + bit % 4),) for bit in range(40)}
    wide = WideFact(30, spans, 45, share)
    for cell in range(30):
        inside = {bit for bit, ((low, high),) in spans.items() if low <= cell < high}
        assert {*inside, *range(40, 45)} == set(set_bits(wide.bitmap(cell) & ((1 << 45) - 1)))


def entries_of(conditions: dict[int, Condition]) -> list[tuple[int, Conjunction]]:
    """Return the conjunctions by which each condition is found."""
    forms = {n: normal_form(each, HOTMART) for n, each in conditions.items()}
    return [(n, each) for n, form in forms.items() for each in form.conjunctions]


class TestMostFound:
    """How much one event can find to be rechecked is known beforehand."""

    @pytest.mark.parametrize("seed", range(12))
    def test_no_event_finds_more(self, seed):
        """Whatever the facts are, what is found is at most as large as said."""
        dice = Random(seed)
        conditions = {n: condition(dice, dice.randrange(4)) for n in range(30)}
        entries, sizes = entries_of(conditions), {n: n + 1 for n in conditions if n % 5}
        most = most_found(entries, sizes)
        for _ in range(60):
            facts = facts_of(dice)
            found = {n for n, conjunction in entries if hold(conjunction, facts)}
            assert sum(sizes.get(n, 0) for n in found) <= most

    @pytest.mark.parametrize(
        ("conditions", "most"),
        [
            ([where.offer == f"a{n}" for n in range(30)], 1),
            ([where.offer == f"a{n % 3}" for n in range(30)], 10),
            ([(where.offer == f"a{n}") & (where.price > 3) for n in range(30)], 1),
            ([(where.price > n) & (where.offer == f"a{n}") for n in range(30)], 1),
            ([(where.country == "BR") & (where.offer == f"a{n}") for n in range(30)], 1),
            ([where.price.between(10 * n, 10 * n + 19) for n in range(30)], 2),
            ([(where.offer == f"a{n}") | (where.src == f"a{n}") for n in range(30)], 2),
            ([where.src.contains(f"a{n}") for n in range(30)], 30),
            ([where.coupon.is_missing(), where.coupon.is_set(), where.coupon == "x"], 2),
            ([], 0),
        ],
    )
    def test_is_not_much_more(self, conditions, most):
        """Conditions that exclude each other by one fact are counted once."""
        numbered = dict(enumerate(conditions))
        assert most == most_found(entries_of(numbered), dict.fromkeys(numbered, 1))


@pytest.mark.parametrize("offers", [1, 300])
def test_prepared_only_if_an_event_may_find_many(rule, rule_set, offers):
    """Nothing is prepared for long conditions of which no event can find many."""
    strings = [where.src.contains(f"string {k}") for k in range(4)]
    made = [AllOf(where.offer == f"a{n % offers}", *strings) for n in range(300)]
    rules = rule_set(*(rule(f"r{n}", AddTag("t"), condition=c) for n, c in enumerate(made)))
    bucket = route(rules.products[0], rules).bucket("purchase.approved")
    assert isinstance(bucket, IndexedBucket)
    assert sum(bucket.sizes.values()) > MAX_ALONE
    assert (bucket.formulas is not None) is (offers == 1)


def test_prepared_in_deltas(rule, rule_set):
    """Of what an event may find in all deltas, little is evaluated one by one."""
    before = [where.offer == f"a{n}" for n in range(2_000)]
    after = [AllOf(*[where.offer.starts_with("a")] * 28) for _ in range(400)]
    old, new = (
        rule_set(*(rule(f"r{n}", AddTag("t"), condition=c) for n, c in enumerate(conditions)))
        for conditions in (before, [*after, *before[400:]])
    )
    engine = Engine(old).warm().with_rules(new)
    router = engine._router("42")
    assert router is not None
    bucket = router.bucket("purchase.approved")
    assert isinstance(bucket, IndexedBucket)
    alone = [
        size_of(after[0])
        for delta in bucket.deltas
        if not isinstance(delta, IndexedBucket) or delta.formulas is None
        for _ in delta.rules()
    ]
    assert len(bucket.deltas) > 10
    assert sum(alone) <= MAX_ALONE


@pytest.mark.parametrize("numbers", [[], [1], [2, 0], [0, 1, 2]])
def test_some_of_them(numbers):
    """Only the numbers that are asked for are returned."""
    conditions = {0: where.src == "a", 1: where.src == "b", 2: where.src.contains("a")}
    holding = Formulas(conditions, HOTMART).holding(numbers, {"src": "a"})
    assert [n for n in numbers if n != 1] == holding


@pytest.mark.parametrize("rules_of_a_kind", [3, 160])
def test_in_an_engine(rule, rule_set, happens, rules_of_a_kind):
    """The engine plans as the reference does, with rules that are rechecked and others."""
    made: list[Condition] = []
    for n in range(rules_of_a_kind):
        ors = [AnyOf(where.src == f"a{n + k}", where.price >= k) for k in range(9)]
        made += [
            AllOf(*ors),
            where.src.contains(f"{n}") & (where.offer == f"a{n % 5}"),
            Not(where.sck.contains(f"{n}")),
            where.price >= n,
        ]
    rules = rule_set(*(rule(f"r{n}", AddTag(f"t{n}"), condition=c) for n, c in enumerate(made)))
    engine = Engine(rules)
    for n in range(8):
        facts = {"src": f"a{n}" * n, "sck": f"{n}" * 300, "offer": f"a{n}", "price": 3 * n}
        event = happens(facts=facts)
        assert reference.plan(rules, event) == engine.plan(event)
