from decimal import Decimal

import attrs
import pytest

from listboss.errors import ArgumentTypeError, RuleError
from listboss.rules._text import (
    MAX_DECIMAL,
    MAX_INTEGER_BITS,
    check_id,
    check_optional_id,
    did_you_mean,
    fold,
    require_id,
    require_number,
    require_text,
    require_tuple,
)


@attrs.frozen
class Thing:
    """A value with a name that is needed and one that is not."""

    name: object = attrs.field(validator=check_id(RuleError))
    other: object = attrs.field(default=None, validator=check_optional_id(RuleError))


class TestFold:
    """How texts compare."""

    @pytest.mark.parametrize(
        ("text", "folded"),
        [("  A b\t", "a b"), ("STRASSE", "strasse"), ("straße", "strasse"), ("\u3000É ", "é")],
    )
    def test_fold(self, text, folded):
        """Trimmed and case-folded, in every script."""
        assert folded == fold(text)


class TestRequireText:
    """Texts that can be stored and digested."""

    @pytest.mark.parametrize("text", ["", " ", "é", "🎉", "\u200f"])
    def test_as_given(self, text):
        """A text comes back as given, blank or not."""
        assert text is require_text(text, "$.x", RuleError)

    @pytest.mark.parametrize("text", ["\ud83d", "a\udfff", "a\0b", "é\0"])
    def test_unusable(self, text):
        """Half a character and a null character are refused, without showing the text."""
        with pytest.raises(RuleError) as caught:
            require_text(text, "$.x", RuleError)
        assert "$.x" == caught.value.path
        assert text not in str(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("value", [None, 3, b"a", ["a"]])
    def test_no_text(self, value):
        """Anything but a text is of a wrong type."""
        with pytest.raises(ArgumentTypeError):
            require_text(value, "$.x", RuleError)


class TestRequireNumber:
    """Numbers of bounded size."""

    @pytest.mark.parametrize("sign", [1, -1])
    def test_integers(self, sign):
        """A whole number has up to 128 bits."""
        largest = 2**MAX_INTEGER_BITS - 1
        for number in (largest - 1, largest):
            require_number(sign * number, "$.x", RuleError)
        with pytest.raises(RuleError):
            require_number(sign * (largest + 1), "$.x", RuleError)

    @pytest.mark.parametrize("digit", ["1", "-9"])
    def test_digits(self, digit):
        """A decimal has up to 128 digits."""
        for count in (MAX_DECIMAL - 2, MAX_DECIMAL - 1):
            require_number(Decimal(f"{digit}.{'3' * count}"), "$.x", RuleError)
        with pytest.raises(RuleError):
            require_number(Decimal(f"{digit}.{'3' * MAX_DECIMAL}"), "$.x", RuleError)

    @pytest.mark.parametrize("sign", ["", "-"])
    def test_places(self, sign):
        """Its first digit lies up to 128 places away from the point, on either side."""
        for places in (MAX_DECIMAL - 1, MAX_DECIMAL):
            require_number(Decimal(f"1E{sign}{places}"), "$.x", RuleError)
        with pytest.raises(RuleError):
            require_number(Decimal(f"1E{sign}{MAX_DECIMAL + 1}"), "$.x", RuleError)

    @pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
    def test_not_finite(self, number):
        """What is not finite is no number."""
        with pytest.raises(RuleError) as caught:
            require_number(Decimal(number), "$.x", RuleError)
        assert "the number is not finite @ $.x" == str(caught.value)


class TestIds:
    """Names and ids are not blank."""

    @pytest.mark.parametrize("text", ["", " ", "\n\t"])
    def test_blank(self, text):
        """A blank one is refused."""
        with pytest.raises(RuleError) as caught:
            require_id(text, "$.x", RuleError)
        assert "an id or name is not blank @ $.x" == str(caught.value)

    def test_validators(self):
        """A field is checked by its name; an optional one may be None."""
        assert ("a", None, "b") == (Thing("a").name, Thing("a").other, Thing("a", "b").other)
        for wrong, path in (((" ",), "$.name"), (("a", " "), "$.other")):
            with pytest.raises(RuleError) as caught:
                Thing(*wrong)
            assert path == caught.value.path


class TestRequireTuple:
    """Tuples where several are meant."""

    def test_iterables(self):
        """Whatever can be iterated becomes a tuple."""
        assert (1, 2) == require_tuple(iter([1, 2]), "$.x")

    def test_a_single_one(self):
        """One value of a named type stands for a tuple of it."""
        assert (3,) == require_tuple(3, "$.x", int)

    @pytest.mark.parametrize("value", ["ab", b"bytes", 3, None])
    def test_refused(self, value):
        """A bare text is no tuple of letters."""
        with pytest.raises(ArgumentTypeError) as caught:
            require_tuple(value, "$.x")
        assert "$.x" == caught.value.path


class TestDidYouMean:
    """A hint with the nearest known word."""

    def test_the_nearest_word(self):
        """A typo is answered with the word it is nearest to, whatever its case."""
        assert "did you mean `PIX`?" == did_you_mean("pixx", ["BILLET", "PIX"])

    def test_nothing_near(self):
        """A word that resembles none gets no hint."""
        assert "" == did_you_mean("quantum", ["BILLET", "PIX"])

    def test_no_word(self):
        """What is not a string gets no hint."""
        assert "" == did_you_mean(7, ["7"])

    def test_a_very_long_word(self):
        """A very long word gets no hint: looking for one would cost too much."""
        assert "" == did_you_mean("x" * 65, ["x" * 64])
