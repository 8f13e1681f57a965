from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.hotmart import _values as values

ODD = [None, "", "  ", [], {}, [1], {"a": 1}, float("nan"), float("inf"), b"7"]
READERS = {
    "text": values.text,
    "term": values.term,
    "country": values.country,
    "currency": values.currency,
    "money": values.money,
    "count": values.count,
    "boolean": values.boolean,
    "instant": values.instant,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_is_absent(read, odd):
    """Absent, blank and odd values are None."""
    assert read(odd) is None


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@given(value=st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.decimals()))
def test_readers_never_raise(read, value):
    """Any scalar gives None or a usable fact."""
    found = read(value)
    assert found is None or isinstance(found, (str, int, bool, Decimal, datetime))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" HP1 ", "HP1"),
        (0, "0"),
        ("00000", "00000"),
        (1234567, "1234567"),
        (1234567.0, "1234567"),
        (-0.0, "0"),
        (1.5, None),
        (2.0**60, None),
        (True, None),
        (2**128 - 1, str(2**128 - 1)),
        (2**128, None),
        pytest.param(10**5000, None, id="huge"),
        ("half \ud83d", "half ?"),
        ("a\0b", "ab"),
        ("\0", None),
        ("سارة 🙂", "سارة 🙂"),
        ("x" * 300, "x" * 300),
    ],
    ids=repr,
)
def test_text(value, expected):
    """Strings are trimmed and encodable; integers become strings, booleans do not."""
    assert expected == values.text(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("credit_card", "CREDIT_CARD"),
        ("Boleto", "BILLET"),
        ("brand-new", "BRAND_NEW"),
        ("No, a sentence.", None),
        ("X" * 64, "X" * 64),
        ("X" * 65, None),
        (7, "7"),
    ],
    ids=repr,
)
def test_term(value, expected):
    """Words are upper case with one spelling; unknown words are kept, sentences are not."""
    assert expected == values.term(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(" br ", "BR"), ("Brasil", None), ("Brazil", None), ("B1", None), ("éé", None), (55, None)],
    ids=repr,
)
def test_country(value, expected):
    """Only two ASCII letters are a country."""
    assert expected == values.country(value)


@pytest.mark.parametrize(("value", "expected"), [("usd", "USD"), ("US", None), ("R$1", None)])
def test_currency(value, expected):
    """Only three ASCII letters are a currency."""
    assert expected == values.currency(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (997, "997"),
        (0, "0"),
        (74.78, "74.78"),
        ("10.90", "10.90"),
        (" 1500.0 ", "1500.0"),
        (Decimal("64.90"), "64.90"),
        (-5, "-5"),
        ("1,5", None),
        ("1.500,00", None),
        ("1e3", None),
        (1e300, None),
        (Decimal("1e999999"), None),
        ("NaN", None),
        ("1_000", None),
        ("１２", None),
        (10**18, None),
        (True, None),
    ],
    ids=repr,
)
def test_money(value, expected):
    """Amounts are exact decimals; ambiguous ones are None."""
    assert (None if expected is None else Decimal(expected)) == values.money(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        ("12", 12),
        (9_999, 9_999),
        (10_000, None),
        (0, None),
        (-1, None),
        ("1.0", None),
        (12.0, 12),
        (1.5, None),
        (True, None),
        (1746000000123, None),
        pytest.param("9" * 5000, None, id="many digits"),
        ("٣", None),
    ],
    ids=repr,
)
def test_count(value, expected):
    """Counts start at 1 and have a limit."""
    assert expected == values.count(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), (" TRUE ", True), ("false", False), ("yes", None), (1, None)],
    ids=repr,
)
def test_boolean(value, expected):
    """Booleans and their names are read; numbers are not."""
    assert expected is values.boolean(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1746000000123, "2025-04-30T08:00:00.123"),
        ("1746000000123", "2025-04-30T08:00:00.123"),
        (1746000000, "2025-04-30T08:00:00"),
        (1746000000.5, "2025-04-30T08:00:00.5"),
        ("1746000000", "2025-04-30T08:00:00"),
        (10**11 - 1, "5138-11-16T09:46:39"),
        (10**11, "1973-03-03T09:46:40"),
        ("2025-05-06T00:00:00Z", "2025-05-06T00:00:00"),
        ("2025-05-06T00:00:00.000Z", "2025-05-06T00:00:00"),
        ("2025-05-06T00:00:00+00:00", "2025-05-06T00:00:00"),
        ("2025-05-06T00:00:00-03:00", "2025-05-06T03:00:00"),
        ("2025-05-06T00:00:00-0300", "2025-05-06T03:00:00"),
        ("2025-05-06T10:00:00", "2025-05-06T10:00:00"),
        ("2025-05-06 10:00:00", "2025-05-06T10:00:00"),
        ("2025-05-06T10:00:00 -03:00Z", "2025-05-06T13:00:00"),
        ("2025-05-06T10:00:00-03:00Z", "2025-05-06T13:00:00"),
        ("2025-05-06T10:00:00 +00:00Z", "2025-05-06T10:00:00"),
        ("2025-05-06T10:00:00.5 +0200 Z", "2025-05-06T08:00:00.5"),
        ("2025-05-06T10:00:00Z+02:00", "2025-05-06T08:00:00"),
        ("2025-05-06T10:00:00  02:00Z", "2025-05-06T08:00:00"),
        ("2025-05-06 10:00:00 -03:00", "2025-05-06T13:00:00"),
        ("2025-05-06T10:00:00 Z", "2025-05-06T10:00:00"),
        ("2025-05-06T10:00:00ZZ", None),
        ("2025-05-06T10:00:00 -99:00Z", None),
        (" 2025-05-06 ", "2025-05-06T00:00:00"),
        ("20250506", "2025-05-06T00:00:00"),
        ("1969-12-31", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("9999-12-31T23:59:59-10:00", None),
        ("10000-01-01", None),
        (10**15, None),
        pytest.param(10**400, None, id="10**400"),
        (0, None),
        (-1746000000, None),
        ("30/04/2025", None),
        ("now", None),
        ("2025-05-06" + " " * 40, None),
        (False, None),
        (True, None),
    ],
    ids=repr,
)
def test_instant(value, expected):
    """Milliseconds, seconds and ISO 8601 give a time in UTC; the rest is None."""
    moment = None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert moment == values.instant(value)
