from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from listboss.errors import ArgumentTypeError, RuleError
from listboss.rules._text import (
    MAX_COMPARED,
    MAX_DECIMAL,
    MAX_INTEGER_BITS,
    MAX_LISTED,
    check_id,
    check_optional_id,
    did_you_mean,
    fold,
    kind_of,
    require_id,
    require_number,
    require_text,
    require_tuple,
    suggestion,
)


@attrs.frozen
class Thing:
    """A value with a required and an optional name."""

    name: object = attrs.field(validator=check_id(RuleError))
    other: object = attrs.field(default=None, validator=check_optional_id(RuleError))


class TestFold:
    """How strings compare."""

    @pytest.mark.parametrize(
        ("text", "folded"),
        [
            ("  A b\t", "a b"),
            ("STRASSE", "strasse"),
            ("straße", "strasse"),
            ("\u3000É ", "é"),
            ("Jose\u0301", "jos\u00e9"),
            ("\u01f0", "j\u030c"),
            ("J\u030c", "j\u030c"),
        ],
    )
    def test_fold(self, text, folded):
        """Strings compare trimmed, in NFC and case-folded, in every script."""
        assert folded == fold(text)


class TestRequireText:
    """Strings that can be stored and digested."""

    @pytest.mark.parametrize("text", ["", " ", "é", "🎉", "\u200f"])
    def test_as_given(self, text):
        """A string is returned as given, blank or not."""
        assert text is require_text(text, "$.x", RuleError)

    @pytest.mark.parametrize("text", ["\ud83d", "a\udfff", "a\0b", "é\0"])
    def test_unusable(self, text):
        """A lone surrogate and a null character are refused, without showing the string."""
        with pytest.raises(RuleError) as caught:
            require_text(text, "$.x", RuleError)
        assert "$.x" == caught.value.path
        assert text not in str(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("value", [None, 3, b"a", ["a"]])
    def test_not_a_string(self, value):
        """Anything but a string has the wrong type."""
        with pytest.raises(ArgumentTypeError):
            require_text(value, "$.x", RuleError)


class TestRequireNumber:
    """Numbers of bounded size."""

    @pytest.mark.parametrize("sign", [1, -1])
    def test_integers(self, sign):
        """An integer has at most 128 bits."""
        largest = 2**MAX_INTEGER_BITS - 1
        for number in (largest - 1, largest):
            require_number(sign * number, "$.x", RuleError)
        with pytest.raises(RuleError):
            require_number(sign * (largest + 1), "$.x", RuleError)

    @pytest.mark.parametrize("digit", ["1", "-9"])
    def test_digits(self, digit):
        """A decimal has at most 128 digits."""
        for count in (MAX_DECIMAL - 2, MAX_DECIMAL - 1):
            require_number(Decimal(f"{digit}.{'3' * count}"), "$.x", RuleError)
        with pytest.raises(RuleError):
            require_number(Decimal(f"{digit}.{'3' * MAX_DECIMAL}"), "$.x", RuleError)

    @pytest.mark.parametrize("sign", ["", "-"])
    def test_places(self, sign):
        """The first digit is at most 128 places from the point, on either side."""
        for places in (MAX_DECIMAL - 1, MAX_DECIMAL):
            require_number(Decimal(f"1E{sign}{places}"), "$.x", RuleError)
        with pytest.raises(RuleError):
            require_number(Decimal(f"1E{sign}{MAX_DECIMAL + 1}"), "$.x", RuleError)

    @pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
    def test_not_finite(self, number):
        """A number that is not finite is refused."""
        with pytest.raises(RuleError) as caught:
            require_number(Decimal(number), "$.x", RuleError)
        assert "the number is not finite @ $.x" == str(caught.value)


class TestIds:
    """Names and ids, which must not be blank."""

    @pytest.mark.parametrize("text", ["", " ", "\n\t"])
    def test_blank(self, text):
        """A blank string is refused."""
        with pytest.raises(RuleError) as caught:
            require_id(text, "$.x", RuleError)
        assert "expected an id or a name, got a blank string @ $.x" == str(caught.value)

    def test_validators(self):
        """The error's path has the field's name; an optional field may be None."""
        assert ("a", None, "b") == (Thing("a").name, Thing("a").other, Thing("a", "b").other)
        for wrong, path in (((" ",), "$.name"), (("a", " "), "$.other")):
            with pytest.raises(RuleError) as caught:
                Thing(*wrong)
            assert path == caught.value.path


class TestRequireTuple:
    """Lists of values, kept as tuples."""

    def test_iterables(self):
        """Any iterable becomes a tuple."""
        assert (1, 2) == require_tuple(iter([1, 2]), "$.x")

    def test_a_single_one(self):
        """One value of the given type may be passed instead of a list."""
        assert (3,) == require_tuple(3, "$.x", int)

    @pytest.mark.parametrize("value", ["ab", b"bytes", 3, None])
    def test_refused(self, value):
        """A bare string is not a list of letters."""
        with pytest.raises(ArgumentTypeError) as caught:
            require_tuple(value, "$.x")
        assert "$.x" == caught.value.path


class TestDidYouMean:
    """A hint with the nearest known word."""

    def test_the_nearest_word(self):
        """A misspelled word gets the nearest known word, whatever its case."""
        assert "did you mean `PIX`?" == did_you_mean("pixx", ["BILLET", "PIX"])

    def test_nothing_near(self):
        """A word that is near no known word gets no hint."""
        assert "" == did_you_mean("quantum", ["BILLET", "PIX"])

    def test_not_a_string(self):
        """Anything but a string gets no hint."""
        assert "" == did_you_mean(7, ["7"])

    def test_a_very_long_word(self):
        """A very long word gets no hint, which bounds the cost of the search."""
        assert "" == did_you_mean("x" * 65, ["x" * 64])

    def test_many_known_words(self):
        """Only the first thousand known words are compared."""
        known = [f"{n:04}" for n in range(MAX_COMPARED)]
        assert "" == did_you_mean("purchase", [*known, "purchases"])
        assert "did you mean `purchases`?" == did_you_mean("purchase", [*known[1:], "purchases"])


class TestSuggestion:
    """A hint for an unknown word: the nearest known word, or all of a short list."""

    def test_a_short_list(self):
        """Without a near word, at most ten known words are listed."""
        known = [str(n) for n in range(MAX_LISTED)]
        assert suggestion("word", known).startswith("choose `0`, `1`, ")
        assert "" == suggestion("word", [*known, "10"])

    @pytest.mark.parametrize(
        ("word", "known", "hint"),
        [
            ("mial", ["mail"], "did you mean `mail`? otherwise, add it"),
            ("x", ["mail"], "choose `mail`, or add it"),
            ("x", [], "add it"),
        ],
    )
    def test_advice(self, word, known, hint):
        """The advice follows what is suggested, or is the whole hint."""
        assert hint == suggestion(word, known, "add it")


class TestKindOf:
    """The kind of a value in a user's words."""

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("a string", "x"),
            ("a boolean", True),
            ("an integer", 1),
            ("a float", 1.5),
            ("a decimal", Decimal(1)),
            ("a date and time", datetime(2026, 5, 4, tzinfo=UTC)),
            ("a date", date(2026, 5, 4)),
            ("bytes", b"x"),
            ("a mapping", {}),
            ("a list", ()),
            ("None", None),
            ("a class", dict),
            ("something else", object()),
        ],
    )
    def test_each(self, kind, value):
        """Every kind of value has a name; a type of its own is something else."""
        assert kind == kind_of(value)
