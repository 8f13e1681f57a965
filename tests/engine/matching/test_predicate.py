from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from listboss import AllOf, AnyOf, Catalogue, Comparison, FactType, Not, where
from listboss.engine.matching.predicate import predicate
from listboss.rules import FactKind, Operator

CATALOGUE = Catalogue((), [FactType(str(kind), kind) for kind in FactKind])
SECOND = datetime(2026, 5, 4, 12, tzinfo=UTC)
FIRST = SECOND - timedelta(days=1)
THIRD = SECOND + timedelta(days=1)
SECOND_IN_RIO = SECOND.astimezone(timezone(timedelta(hours=-3)))

ANY = ("eq", "ne", "in", "not_in")
ORDERED = ("lt", "le", "gt", "ge", "between")
TEXT = ("contains", "starts_with")
OPERATORS = {
    kind: ANY
    + (ORDERED if kind in ("integer", "decimal", "instant") else ())
    + (TEXT if kind == "text" else TEXT[1:] if kind == "identifier" else ())
    for kind in FactKind
}

# kind: a rule's values, then fact values with the operators that hold for them; of the ordered
# kinds, the rule compares with the second of three values, and with the range to the third.
EQUAL = ("eq", "in")
UNEQUAL = ("ne", "not_in")
KNOWN: dict[str, list[tuple[Any, Any, Any, Any, tuple[str, ...]]]] = {
    "choice": [
        ("PIX", ("PIX", "WALLET"), None, "PIX", EQUAL),
        ("PIX", ("PIX", "WALLET"), None, " pix ", EQUAL),
        ("pix", ("wallet", " Pix"), None, "PIX", EQUAL),
        ("PIX", ("PIX", "WALLET"), None, "WALLET", ("ne", "in")),
        ("PIX", ("PIX", "WALLET"), None, "BILLET", UNEQUAL),
    ],
    "country": [
        ("BR", ("BR", "PT"), None, "BR", EQUAL),
        (" br", ("pt", "br"), None, "Br ", EQUAL),
        ("BR", ("BR", "PT"), None, "PT", ("ne", "in")),
        ("BR", ("BR", "PT"), None, "AR", UNEQUAL),
    ],
    "currency": [
        ("BRL", ("BRL", "USD"), None, "brl", EQUAL),
        ("BRL", ("BRL", "USD"), None, "USD", ("ne", "in")),
        ("BRL", ("BRL", "USD"), None, "EUR", UNEQUAL),
    ],
    "language": [
        ("pt", ("pt", "en"), None, "pt", EQUAL),
        ("pt", ("pt", "en"), None, "pt-BR", EQUAL),
        ("PT", ("pt", "en"), None, "pt_br", EQUAL),
        ("pt-BR", ("pt_BR", "en"), None, "pt-br-x", EQUAL),
        ("pt-BR", ("pt-BR", "en-GB"), None, "pt", UNEQUAL),
        ("pt-BR", ("pt-BR", "en-GB"), None, "pt-PT", UNEQUAL),
        ("pt", ("pt", "en"), None, "en-US", ("ne", "in")),
        ("pt", ("pt", "en"), None, "ptx", UNEQUAL),
    ],
    "term": [
        ("past_due", ("Past due", "x"), None, "DELAYED", EQUAL),
        ("CANCELED_BY_VENDOR", ("x",), None, "canceled by seller", ("eq", "not_in")),
        ("CANCELED", ("CANCELLED",), None, "CANCELLED_BY_SELLER", UNEQUAL),
        ("no, a sentence", ("x",), None, "No, a Sentence", ("eq", "not_in")),
        ("x", ("y", "complete"), None, "completed", ("ne", "in")),
    ],
    "text": [
        ("Ab", ("ab", "cd"), None, " AB ", (*EQUAL, "contains", "starts_with")),
        ("Ab", ("ab", "cd"), None, "abc", (*UNEQUAL, "contains", "starts_with")),
        (" Ab ", ("ab", "cd"), None, "cabc", (*UNEQUAL, "contains")),
        ("Ab", ("ab", "cd"), None, "cd", ("ne", "in")),
        ("straße", ("x",), None, "STRASSE", ("eq", "not_in", "contains", "starts_with")),
    ],
    "identifier": [
        ("aB3", ("aB3", "Ab3"), None, " aB3 ", (*EQUAL, "starts_with")),
        (" aB3", ("x",), None, "aB3x", (*UNEQUAL, "starts_with")),
        ("aB3", ("aB3", "Ab3"), None, "Ab3", ("ne", "in")),
        ("aB3", ("aB3", "Ab3"), None, "ab3", UNEQUAL),
        ("straße", ("straße",), None, "STRASSE", UNEQUAL),
    ],
    "integer": [
        (6, (6, 7), (6, 7), 5, (*UNEQUAL, "lt", "le")),
        (6, (6, 7), (6, 7), 6, (*EQUAL, "le", "ge", "between")),
        (6, (6, 7), (6, 7), 7, ("ne", "in", "gt", "ge", "between")),
        (6, (6, 7), (6, 7), 8, (*UNEQUAL, "gt", "ge")),
        (0, (0,), (0, 0), 0, (*EQUAL, "le", "ge", "between")),
        (10**38, (1,), (0, 10**38), 10**38 - 1, (*UNEQUAL, "lt", "le", "between")),
    ],
    "decimal": [
        (Decimal("9.90"), (Decimal("9.9"),), (Decimal("9.9"), 10), Decimal("9.89"),
         (*UNEQUAL, "lt", "le")),
        (Decimal("9.90"), (Decimal("9.9"),), (Decimal("9.9"), 10), Decimal("9.900"),
         (*EQUAL, "le", "ge", "between")),
        (Decimal("9.90"), (Decimal("9.9"), 10), (Decimal("9.9"), 10), 10,
         ("ne", "in", "gt", "ge", "between")),
        (10, (10, 11), (Decimal(10), 11), Decimal("10.00"), (*EQUAL, "le", "ge", "between")),
        (0, (0,), (0, 1), Decimal(0), (*EQUAL, "le", "ge", "between")),
        (0, (0,), (0, 1), Decimal("-0.01"), (*UNEQUAL, "lt", "le")),
    ],
    "boolean": [
        (True, (True,), None, True, EQUAL),
        (True, (True,), None, False, UNEQUAL),
        (False, (False, True), None, False, EQUAL),
        (False, (False, True), None, True, ("ne", "in")),
    ],
    "instant": [
        (SECOND, (SECOND, THIRD), (SECOND, THIRD), FIRST, (*UNEQUAL, "lt", "le")),
        (SECOND, (SECOND, THIRD), (SECOND, THIRD), SECOND_IN_RIO, (*EQUAL, "le", "ge", "between")),
        (SECOND_IN_RIO, (FIRST,), (FIRST, SECOND), SECOND, ("eq", "not_in", "le", "ge", "between")),
        (SECOND, (SECOND, THIRD), (SECOND, THIRD), THIRD, ("ne", "in", "gt", "ge", "between")),
    ],
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "choice": [5, True, Decimal(1), SECOND, 1.5],
    "term": [5, True, Decimal(1), SECOND, 1.5],
    "country": ["BRA", "B", "B1", "ÄÖ", 5],
    "currency": ["R$", "EURO", "BR1", 986],
    "language": [
        "p",
        "english speaking",
        "português",
        "toolonglanguage",
        "12",
        5,
        "pt-br-ninechars",
    ],
    "text": [5, False, Decimal(1), SECOND],
    "identifier": [5, True, Decimal(1), SECOND],
    "integer": ["6", "", True, False, Decimal(6), 6.0, SECOND],
    "decimal": ["9.90", True, 9.9, Decimal("NaN"), Decimal("Infinity"), SECOND],
    "boolean": ["true", 1, 0, Decimal(1), SECOND],
    "instant": ["2026-05-04T12:00:00Z", 1, datetime(2026, 5, 4)],  # noqa: DTZ001 # naive on purpose
}


def _cases():
    for kind, rows in KNOWN.items():
        for value, values, bounds, fact, holding in rows:
            for operator in OPERATORS[FactKind(kind)]:
                operand = {"in": values, "not_in": values, "between": bounds}.get(operator, value)
                yield Comparison(kind, operator, operand), fact, operator in holding


CASES = list(_cases())


def _holds(condition, **facts):
    return predicate(condition, CATALOGUE)(facts)


@pytest.mark.parametrize(("comparison", "fact", "expected"), CASES)
def test_known(comparison, fact, expected):
    """Each operator on each kind of fact, with equal values, other spellings and other values."""
    assert expected is _holds(comparison, **{comparison.fact: fact})


@pytest.mark.parametrize(("comparison", "fact", "expected"), CASES)
@pytest.mark.parametrize(
    "negated",
    [Not, lambda c: ~c, lambda c: Not(AllOf(c)), lambda c: ~~~c],
    ids=["not", "tilde", "not-all", "three"],
)
def test_known_and_negated(comparison, fact, expected, negated):
    """On a known fact, the negation holds exactly where the comparison does not."""
    assert (not expected) is _holds(negated(comparison), **{comparison.fact: fact})


def test_the_table_is_complete():
    """The table has each operator on each kind that it fits, both holding and not."""
    tested = {(c.fact, str(c.operator), expected) for c, _, expected in CASES}
    assert {
        (str(kind), operator, outcome)
        for kind, operators in OPERATORS.items()
        for operator in operators
        for outcome in (True, False)
    } == tested


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (kind, facts)
        for kind in KNOWN
        for facts in (
            {},
            {kind: None},
            {kind: ""},
            {kind: " \t\n"},
            *({kind: raw} for raw in WRONG[kind]),
        )
    ],
)
def test_unknown(kind, facts):
    """No comparison holds on a missing, blank or wrongly typed fact, negated or not."""
    comparisons = [c for c, _, _ in CASES if c.fact == kind]
    conditions = [*comparisons, *map(Not, comparisons), *(~c for c in comparisons)]
    assert [] == [condition for condition in conditions if _holds(condition, **facts)]


@pytest.mark.parametrize("kind", KNOWN)
class TestPresence:
    """`is_set` holds for a present fact of any type; `is_missing` is its negation."""

    def _both(self, kind, facts):
        conditions = where[kind].is_set(), where[kind].is_missing()
        return [
            _holds(c, **facts)
            for c in (*conditions, *map(Not, conditions), *(~c for c in conditions))
        ]

    def test_known(self, kind):
        """A known fact is set."""
        facts = {kind: KNOWN[kind][0][3]}
        assert [True, False, False, True, False, True] == self._both(kind, facts)

    def test_wrong(self, kind):
        """A fact of a wrong type is set, too."""
        facts = {kind: WRONG[kind][0]}
        assert [True, False, False, True, False, True] == self._both(kind, facts)

    @pytest.mark.parametrize("raw", [None, "", "  "])
    def test_missing(self, kind, raw):
        """An absent or blank one is missing."""
        assert [False, True, True, False, True, False] == self._both(kind, {kind: raw})


class TestCombined:
    """`AllOf`, `AnyOf` and `Not` over comparisons."""

    YES, NO, UNKNOWN = where.integer == 1, where.integer == 2, where.text == "a"

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (AllOf(), True),
            (AnyOf(), False),
            (Not(AllOf()), False),
            (Not(AnyOf()), True),
            (AllOf(YES), True),
            (AnyOf(NO), False),
            (AllOf(YES, NO), False),
            (AllOf(YES, YES, YES), True),
            (AnyOf(NO, YES), True),
            (AnyOf(NO, UNKNOWN), False),
            (AllOf(YES, UNKNOWN), False),
            (AnyOf(YES, UNKNOWN), True),
            (Not(AllOf(YES, UNKNOWN)), False),
            (Not(AnyOf(NO, UNKNOWN)), False),
            (Not(AllOf(NO, UNKNOWN)), True),
            (Not(AnyOf(NO, NO)), True),
            (Not(Not(UNKNOWN)), False),
            (AnyOf(AllOf(NO, YES), AllOf(YES, Not(NO))), True),
        ],
    )
    def test_each(self, condition, expected):
        """`Not` is pushed down to the comparisons, so nothing holds on an unknown fact."""
        assert expected is _holds(condition, integer=1)

    @pytest.mark.parametrize("facts", [{}, {"integer": 1}, {"integer": 2}, {"integer": "1"}])
    def test_excluded_middle_holds_for_what_is_known(self, facts):
        """`c | ~c` holds exactly if the fact is known."""
        known = isinstance(facts.get("integer"), int)
        assert known is _holds(self.YES | ~self.YES, **facts)


LONG = [f"code {n}" for n in range(100)]


@pytest.mark.parametrize(
    ("raw", "listed"),
    [("code 0", True), (" Code 42", True), ("code 99", True), ("code", False), ("z", False)],
)
def test_long_lists(raw, listed):
    """A list of many values means the same as a short one, sorted or not."""
    one_of, none_of = Comparison("text", "in", LONG[::-1]), Comparison("text", "not_in", LONG)
    assert (listed, not listed) == (_holds(one_of, text=raw), _holds(none_of, text=raw))


def test_a_fact_of_another_catalogue():
    """A condition is compiled against a catalogue that knows its facts."""
    with pytest.raises(LookupError):
        predicate(where.other == 1, CATALOGUE)


def test_every_operator_is_tested():
    """The table and the two operators without a value cover all operators."""
    assert set(Operator) == {
        *ANY, *ORDERED, *TEXT, "is_set", "is_missing"
    }  # fmt: skip


@pytest.mark.parametrize("tags", [3, 16, 17, 40])
def test_lists_of_languages(tags):
    """A tag is in a list if one of its prefixes is, however long the list and the tag are."""
    listed = ["pt-br", "zh-hant", *(f"en-x{n}" for n in range(tags - 2))]
    holds, excludes = (
        predicate(condition, CATALOGUE)
        for condition in (where.language.is_in(*listed), where.language.not_in(*listed))
    )
    inside = ["pt-BR", "PT_br-x", "zh-Hant-TW-x-y-z"]
    outside = ["pt", "pt-PT", "zh", "pt-brx", "en-" + "-".join(["abc"] * 14)]
    for raw in (*inside, *outside):
        facts = {"language": raw}
        assert (raw in inside, raw in outside) == (holds(facts), excludes(facts))
