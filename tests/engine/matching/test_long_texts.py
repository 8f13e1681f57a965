"""Long texts in facts: what is compared, once for all rules, and nothing that stays behind."""

from random import Random

import pytest

from listboss import AddTag, AllOf, AnyOf, Condition, Engine, FactType, where
from listboss.engine.matching.predicate import predicate
from listboss.rules import FactKind
from listboss.rules._facts import (
    LONG_TEXTS,
    MAX_CACHED_TEXTS,
    MAX_TEXT_LENGTH,
    READERS,
    TextCache,
    is_present,
)
from listboss.rules.builtin import HOTMART
from listboss.testing import reference

KINDS = ("choice", "term", "text", "identifier", "language", "country", "currency")
CATALOGUE = HOTMART.extended(facts=[FactType(f"own_{kind}", kind) for kind in KINDS])


@pytest.fixture(autouse=True)
def _nothing_kept():
    LONG_TEXTS.clear()
    yield
    LONG_TEXTS.clear()


class TestLength:
    """A string of over 4,096 characters has the wrong type, in an event and in a rule."""

    @pytest.mark.parametrize("kind", ["choice", "term", "text", "identifier"])
    def test_the_longest(self, kind):
        """A string of 4,096 characters is read, and a longer one is not."""
        read = READERS[FactKind(kind)]
        found = [read("x" * length) for length in (MAX_TEXT_LENGTH, MAX_TEXT_LENGTH + 1)]
        assert ["x" * MAX_TEXT_LENGTH, None] == found

    @pytest.mark.parametrize("kind", ["choice", "term", "text"])
    def test_longer_by_folding(self, kind):
        """A string of fewer characters has the wrong type if it is longer in its folded form."""
        read = READERS[FactKind(kind)]
        third = MAX_TEXT_LENGTH // 3
        assert ["ffi" * third, None] == [read("\ufb03" * length) for length in (third, third + 1)]

    @pytest.mark.parametrize(("kind", "word"), [("country", "BR"), ("language", "en")])
    def test_blanks_count(self, kind, word):
        """The blanks around a string count, too."""
        read = READERS[FactKind(kind)]
        found = [read(word.ljust(n)) is None for n in (MAX_TEXT_LENGTH, MAX_TEXT_LENGTH + 1)]
        assert [False, True] == found

    def test_present(self):
        """Whether it is blank is seen from its first characters."""
        blank = " " * MAX_TEXT_LENGTH
        assert [False, True, False] == [is_present(blank + end) for end in (" ", "x", " x")]

    @pytest.mark.parametrize("kind", KINDS)
    def test_as_in_the_reference(self, rule, rule_set, happens, kind):
        """The engine decides as the reference does, on both sides of the limit."""
        fact = where[f"own_{kind}"]
        conditions: list[Condition] = [fact == "en", fact != "en", fact.is_set(), fact.is_missing()]
        if kind == "text":
            conditions += [fact.contains("needle"), ~fact.contains("needle"), fact.contains("n")]
        rules = rule_set(
            *(rule(f"r{n}", AddTag(f"t{n}"), condition=c) for n, c in enumerate(conditions)),
            catalogue=CATALOGUE,
        )
        engine = Engine(rules)
        starts = ("en", "", "a needle", "need", "é needle ")
        ends = " x\ufb03"  # the last of which is three letters when it is folded
        for raw in (s.ljust(n, end) for s in starts for n in (300, 4_096, 4_097) for end in ends):
            event = happens(facts={f"own_{kind}": raw})
            assert reference.plan(rules, event) == engine.plan(event)


class TestContains:
    """`contains` and `starts_with` on long texts, also for several strings at once."""

    @pytest.mark.parametrize("wanted", ["needle", "dle", "n", "le 1", "edle", "x", "needles"])
    @pytest.mark.parametrize("length", [10, 256, 257, 4_000])
    def test_as_python_does(self, wanted, length):
        """Every string is found that Python finds, and no other."""
        for text in ("needle 1".rjust(length), "needle 1".ljust(length), "e" * length):
            found = predicate(where.src.contains(wanted), HOTMART)({"src": text})
            assert (wanted in text) is found

    @pytest.mark.parametrize("length", [10, 256, 257, 4_000])
    def test_several_strings(self, length):
        """One of several strings, or none of them, is what Python says of each of them."""
        dice = Random(f"strings/{length}")
        for _ in range(200):
            text = "".join(dice.choice("ab") for _ in range(length))
            cuts = [text[dice.randrange(length) :][: dice.randint(1, 40)] for _ in range(3)]
            strings = [dice.choice("ab") * dice.randint(0, 3) + each for each in cuts]
            found = [
                predicate(condition, HOTMART)({"src": text})
                for condition in (
                    AnyOf(*map(where.src.contains, strings)),
                    AllOf(*(~where.src.contains(each) for each in strings)),
                    ~AnyOf(*map(where.src.contains, strings)),
                    AllOf(*map(where.src.contains, strings)),
                    AnyOf(*map(where.src.starts_with, strings)),
                    AllOf(*(~where.src.starts_with(each) for each in strings)),
                )
            ]
            inside = [each in text for each in strings]
            starts = any(map(text.startswith, strings))
            some = any(inside)
            assert [some, not some, not some, all(inside), starts, not starts] == found


class TestCache:
    """What is made of a long text is kept while one event is decided."""

    def test_folded_once(self):
        """A string is folded once; a short one is not kept."""
        read = READERS[FactKind.TEXT]
        long = "É" * 100
        assert read(long) is read(long)
        assert read("É") == "é"
        assert [long] == [text for _, text in LONG_TEXTS]

    @pytest.mark.parametrize("kind", KINDS)
    def test_read_once(self, kind):
        """A string of every kind is read once, whether it fits or not, and so is its presence."""
        read = READERS[FactKind(kind)]
        for raw in (f" {'x' * 90}", f"{' ' * 90}en", f"{' ' * 90}br", " " * 90):
            LONG_TEXTS.clear()
            found = [(read(raw), is_present(raw)) for _ in range(3)]
            assert [found[0]] * 3 == found
            assert [raw, raw] == [text for _, text in LONG_TEXTS]

    def test_nothing_is_kept(self, engine, rule, happens):
        """After an event was planned, matched or explained, nothing is left of it."""
        eng = engine(rule("r", AddTag("x"), condition=where.src.contains("needle")))
        event = happens(facts={"src": "É" * 1_000})
        kept = []
        for decide in (eng.plan, eng.match, eng.explain):
            decide(event)
            kept.append(len(LONG_TEXTS))
        assert [0, 0, 0] == kept

    def test_bounded(self):
        """It never holds more than a fixed number of texts."""
        cache = TextCache()
        made = [cache[str.upper, f"text {n}"] for n in range(MAX_CACHED_TEXTS + 1)]
        assert ["TEXT 0", f"TEXT {MAX_CACHED_TEXTS}"] == [made[0], made[-1]]
        assert [(str.upper, f"text {MAX_CACHED_TEXTS}")] == list(cache)
