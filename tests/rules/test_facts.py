from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.rules import FactKind
from listboss.rules._facts import (
    EXPECTED_FORMS,
    READERS,
    is_present,
    language_range,
    operators_of,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
WRONG = {
    FactKind.CHOICE: ["", " ", 1, True, Decimal(1), NOON],
    FactKind.TERM: ["", " ", 1, True, Decimal(1), NOON],
    FactKind.TEXT: ["", "\t", 1, False, NOON],
    FactKind.IDENTIFIER: ["", " ", 1, True, Decimal(1), NOON],
    FactKind.COUNTRY: ["", "B", "BRA", "B1", "ÉÉ", "\ufb01", "ß", 55, True],
    FactKind.CURRENCY: ["BR", "BRLX", "R$1", " ", Decimal(1)],
    FactKind.LANGUAGE: ["", "p", "pt-", "-pt", "pt--br", "p1", "e n", "é-br", "abcdefghi",
                        "pt-abcdefghi", "pt-b r", 1],
    FactKind.INTEGER: [True, False, "150", Decimal(150), 1.0, NOON],
    FactKind.DECIMAL: [True, "49.90", 49.9, NOON, Decimal("NaN"), Decimal("Infinity")],
    FactKind.BOOLEAN: [0, 1, "true", Decimal(1)],
    FactKind.INSTANT: ["2026-05-04", 1746000000, NOON.replace(tzinfo=None), None],
}  # fmt: skip


class TestReaders:
    """One reader for each kind; nothing is converted."""

    def test_every_kind_has_one(self):
        """Each kind of fact has a reader, and a form that messages can show."""
        assert set(FactKind) == set(READERS) == set(WRONG) == set(EXPECTED_FORMS)

    @pytest.mark.parametrize(
        ("kind", "raw", "value"),
        [
            (FactKind.CHOICE, " Credit_Card ", "credit_card"),
            (FactKind.TERM, " credit card ", "CREDIT_CARD"),
            (FactKind.TERM, "past_due", "DELAYED"),
            (FactKind.TERM, "No, a Sentence.", "no, a sentence."),
            (FactKind.TEXT, " ABC ", "abc"),
            (FactKind.TEXT, "Jose\u0301", "jos\u00e9"),
            (FactKind.IDENTIFIER, " aB3 ", "aB3"),
            (FactKind.IDENTIFIER, "Jose\u0301", "Jose\u0301"),
            (FactKind.COUNTRY, " br ", "BR"),
            (FactKind.COUNTRY, "BR", "BR"),
            (FactKind.CURRENCY, "usd", "USD"),
            (FactKind.LANGUAGE, " PT_br ", "pt-br"),
            (FactKind.LANGUAGE, "pt", "pt"),
            (FactKind.LANGUAGE, "EN", "en"),
            (FactKind.LANGUAGE, "zh-Hant-TW", "zh-hant-tw"),
            (FactKind.LANGUAGE, "abcdefgh-12345678", "abcdefgh-12345678"),
            (FactKind.INTEGER, -3, -3),
            (FactKind.DECIMAL, Decimal("49.90"), Decimal("49.9")),
            (FactKind.DECIMAL, 3, 3),
            (FactKind.BOOLEAN, False, False),
            (FactKind.INSTANT, NOON.astimezone(timezone(timedelta(hours=-3))), NOON),
        ],
    )
    def test_right(self, kind, raw, value):
        """A value of the right type is read to the form in which it compares."""
        assert value == READERS[kind](raw)
        assert type(value) is type(READERS[kind](raw))

    @pytest.mark.parametrize("kind", FactKind)
    def test_wrong(self, kind):
        """A value of the wrong type is read as None."""
        assert [] == [raw for raw in WRONG[kind] if READERS[kind](raw) is not None]

    @pytest.mark.parametrize("raw", ["\u0131n", "\u212aen", "straße", "ß"])
    def test_letters_that_fold_to_ascii(self, raw):
        """A code consists of ASCII letters before its case is changed, too."""
        for kind in (FactKind.COUNTRY, FactKind.CURRENCY, FactKind.LANGUAGE):
            assert READERS[kind](raw) is None

    @pytest.mark.parametrize("kind", FactKind)
    @given(
        st.text()
        | st.sampled_from(["\xa0dispute", "di\u017fpute", "canceled by the the client", "Dispute "])
        | st.from_regex(r"(?i)cancel(l)?ed[ _]by[ _][a-z _]{0,60}", fullmatch=True)
    )
    def test_read_twice(self, kind, raw):
        """What has been read is read as itself: an encoder looks both up in one table."""
        read = READERS[kind](raw)
        assert read is None or read == READERS[kind](read)

    @pytest.mark.parametrize("raw", ["\xa0Dispute", "di\u017fpute", "protested", "DISPUTE\n"])
    def test_any_spelling_of_a_term(self, raw):
        """A word is looked up in the form in which other strings compare."""
        assert READERS[FactKind.TERM](raw) == "DISPUTE"

    def test_instants_are_utc(self):
        """A date and time is read into UTC."""
        read = READERS[FactKind.INSTANT](NOON.astimezone(timezone(timedelta(hours=9))))
        assert isinstance(read, datetime)
        assert UTC is read.tzinfo


class TestIsPresent:
    """Whether a fact has a value."""

    @pytest.mark.parametrize("raw", ["a", 0, False, Decimal(0), NOON])
    def test_present(self, raw):
        """Zero and false are values."""
        assert is_present(raw)

    @pytest.mark.parametrize("raw", [None, "", " \t\u3000"])
    def test_missing(self, raw):
        """None and blank text count as missing."""
        assert not is_present(raw)


class TestLanguageRange:
    """The values of a rule that match a tag."""

    def test_prefixes(self):
        """The tag and its prefixes, longest first."""
        assert ("zh-hant-tw", "zh-hant", "zh") == language_range("zh-hant-tw")


class TestOperators:
    """Which operators fit which kind of fact."""

    @pytest.mark.parametrize("kind", FactKind)
    def test_operators_of(self, kind):
        """Equality, lists and presence fit every kind, order and text only some."""
        ordered = ("lt", "le", "gt", "ge", "between")
        others: tuple[str, ...] = {
            FactKind.TEXT: ("contains", "starts_with"),
            FactKind.IDENTIFIER: ("starts_with",),
            FactKind.INTEGER: ordered,
            FactKind.DECIMAL: ordered,
            FactKind.INSTANT: ordered,
        }.get(kind, ())
        expected = ["eq", "ne", "in", "not_in", *others, "is_set", "is_missing"]
        assert expected == [*operators_of(kind)]
