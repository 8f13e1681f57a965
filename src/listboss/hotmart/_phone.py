"""A phone number and its code, which the sender may send apart or together.

In Brazil the code is the area code, and some senders put the country code there. Whether
the number has its code already cannot be seen from its first digits alone: 981234567 is a
local number of area 98, too. Its length decides. The number keeps its format otherwise, and
nothing checks whether the result can be dialled.
"""

from __future__ import annotations

import re

__all__ = ["join_phone"]

MAX_CODE_LENGTH = 4
"""A longer code is ignored, such as the row of nines that the test button sends."""
BRAZIL = "55"
_AREA = r"(?:[14689][1-9]|2[12478]|3[1-578]|5[1345]|7[134579])"
_AREA_CODE = re.compile(_AREA)
# An area code and a number: nine digits from 9 on for a mobile phone, or eight.
_BRAZILIAN = re.compile(rf"{_AREA}(?:9[0-9]{{8}}|[2-9][0-9]{{7}})")
MIN_NATIONAL = {1: 10, 2: 9, 3: 7, 4: 7}
"""The digits of the shortest number after a country code, by the length of the code."""
_NOT_DIGITS = re.compile(r"[^0-9]")


def join_phone(code: str | None, number: str) -> str:
    """Put `code` before `number` if it is a plausible code and not there yet.

    >>> join_phone("98", "981234567"), join_phone("98", "98981234567")
    ('98981234567', '98981234567')
    >>> join_phone("55", "11999990000"), join_phone("55", "5511999990000")
    ('5511999990000', '5511999990000')
    >>> join_phone("999999999", "11999990000"), join_phone("55", "+351 910 000 000")
    ('11999990000', '+351 910 000 000')
    """
    digits = (code or "").strip("+() ").lstrip("0")
    plausible = digits.isascii() and digits.isdigit() and len(digits) <= MAX_CODE_LENGTH
    if not plausible or number.startswith(("+", "00")):
        return number
    if digits.startswith(BRAZIL) and _AREA_CODE.fullmatch(digits[2:]):
        return _joined(BRAZIL, _joined(digits[2:], number))
    return _joined(digits, number)


def _joined(code: str, number: str) -> str:
    local = number.lstrip("0") if code == BRAZIL or _AREA_CODE.fullmatch(code) else number
    return number if _has_code(_NOT_DIGITS.sub("", local), code) else code + local


def _has_code(digits: str, code: str) -> bool:
    """Whether a number has its code already: what follows is long enough to be a number."""
    if code == BRAZIL:
        return len(digits) > 11 and digits.startswith(BRAZIL)
    if _AREA_CODE.fullmatch(code):
        national = digits.removeprefix(BRAZIL) if len(digits) > 11 else digits
        with_area = len(national) in {10, 11} and national.startswith(code)
        return with_area or _BRAZILIAN.fullmatch(national) is not None
    return digits.startswith(code) and len(digits) - len(code) >= MIN_NATIONAL[len(code)]
