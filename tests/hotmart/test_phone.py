import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.hotmart._person import join_phone

AREAS = [
    11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 24, 27, 28, 31, 32, 33, 34, 35, 37, 38, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 51, 53, 54, 61, 62, 63, 64, 65, 66, 67, 68, 69, 71, 73, 74, 75, 77, 79,
    81, 82, 83, 84, 85, 86, 87, 88, 89, 91, 92, 93, 94, 95, 96, 97, 98, 99,
]  # fmt: skip
areas = st.sampled_from(AREAS).map(str)
mobiles = st.from_regex(r"9[0-9]{8}", fullmatch=True)
local_numbers = mobiles | st.from_regex(r"[2-9][0-9]{7}", fullmatch=True)


@given(areas, local_numbers)
def test_area_code_of_a_local_number(area, number):
    """A number of eight or nine digits never has its area code, whatever its first digits are."""
    assert area + number == join_phone(area, number)


@given(areas, local_numbers)
def test_area_code_is_there(area, number):
    """A number of ten or eleven digits has its area code, and may have the country code, too."""
    assert area + number == join_phone(area, area + number)
    assert "55" + area + number == join_phone(area, "55" + area + number)


@given(areas, areas, local_numbers)
def test_another_area_code_is_there(area, other, number):
    """A whole Brazilian number keeps its area code beside another one."""
    assert other + number == join_phone(area, other + number)


@given(areas | st.just("55"), local_numbers)
def test_country_code(area, number):
    """Brazil's code is put before a complete number once, even in area 55."""
    whole = area + number
    assert "55" + whole == join_phone("55", whole)
    assert "55" + whole == join_phone("+55", "55" + whole)


@given(areas, local_numbers)
def test_country_and_area_code(area, number):
    """A code of four digits is a country code and an area code; each is put where it is missing."""
    whole = "55" + area + number
    assert [whole] * 3 == [join_phone("55" + area, each) for each in (number, area + number, whole)]


@given(st.none() | st.text("0123456789+() a", max_size=12), st.text("0123456789+-() ", max_size=16))
def test_nothing_is_lost(code, number):
    """The result ends with the number, without the zero that is dialled inside a country."""
    assert join_phone(code, number).endswith(number.lstrip("0"))


@pytest.mark.parametrize(
    ("code", "number", "joined"),
    [
        ("+55", "11999990000", "5511999990000"),
        ("055", "11999990000", "5511999990000"),
        ("55", "+5511999990000", "+5511999990000"),
        ("55", "005511999990000", "005511999990000"),
        ("55", "011999990000", "5511999990000"),
        ("011", "99999-0000", "1199999-0000"),
        ("11", "(11) 99999-0000", "(11) 99999-0000"),
        ("(11)", "3333-0000", "113333-0000"),
        ("351", "910000000", "351910000000"),
        ("351", "351910000000", "351910000000"),
        ("39", "3910000000", "393910000000"),
        ("39", "393910000000", "393910000000"),
        ("1", "2125550100", "12125550100"),
        ("1", "12125550100", "12125550100"),
        ("52", "5512345678", "525512345678"),
        ("1234", "5", "12345"),
        ("12345", "5", "5"),
        ("999999999", "00", "00"),
        ("x", "5", "5"),
        ("٥", "5", "5"),
        ("0", "5", "5"),
        ("", "5", "5"),
        (None, "5", "5"),
    ],
    ids=repr,
)
def test_join_phone(code, number, joined):
    """A code is put before a number if it is plausible and not there yet."""
    assert joined == join_phone(code, number)
