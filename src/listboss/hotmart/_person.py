"""The contact of a webhook, taken from whichever of eight places has an e-mail address.

Every field of a contact comes from the object that holds its e-mail, so two people are
never mixed. Document numbers, addresses and IP addresses are never read.

The sender may send a phone number and its code separately or together. In Brazil the code is the
area code, and some senders put the country code there. Whether a number has its code already is
seen from its length, not from its first digits: 981234567 is also a local number in area 98.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from listboss.errors import EventError
from listboss.hotmart._lookup import Field, FieldReader, Paths, paths
from listboss.hotmart._reading import Version
from listboss.hotmart._values import is_mapping, text
from listboss.rules.event import Contact, plain_contact

__all__ = ["join_phone", "read_contact"]

# In the order tried: if a body has two e-mails, its events are about the buyer. The empty
# path is the body itself, where version 1.0.0 has the buyer's fields. No step is spelled in two
# ways, and none is a list.
PEOPLE: Paths = (
    *paths("buyer subscriber subscription.user user subscription.subscriber"),
    *paths("subscription.subscriber.user buyerVO"),
    (),
)
# Codes and numbers, in the order tried.
PHONES = (
    ("checkout_phone_code", "checkout_phone"),
    ("phone.dddCell", "phone.cell"),
    ("phone.dddPhone", "phone.phone"),
    ("phone_checkout_local_code", "phone_checkout_number"),
    ("phone_local_code", "phone_number"),
    ("", "phone"),
)
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
PERSON: Mapping[str, Field] = {
    "email": Field(text, "email user_email", ""),
    "name": Field(text, "name user_name", ""),
    "first_name": Field(text, "first_name", ""),
    "last_name": Field(text, "last_name", ""),
    **{path: Field(text, path, "") for pair in PHONES for path in pair if path},
}
_PERSON = FieldReader(PERSON, Version.V2)


def read_contact(root: Mapping[str, object]) -> Contact | None:
    """Return the contact of a webhook, or None if it has no plausible e-mail address."""
    for path in PEOPLE:
        person: object = root
        for step in path:
            person = person.get(step) if is_mapping(person) else None
        if person is not None and (contact := _contact(person)) is not None:
            return contact
    return None


def _contact(person: object) -> Contact | None:
    if not is_mapping(person):
        return None
    fields = _PERSON.read(person)
    first_name, last_name = fields.get("first_name"), fields.get("last_name")
    names = " ".join(filter(None, (first_name, last_name)))
    # A dot at the end is a typing error that would make a second contact.
    email = fields.get("email", "").rstrip(".")
    phones = (join_phone(fields.get(code), fields[key]) for code, key in PHONES if key in fields)
    try:
        return plain_contact(
            email,
            name=fields.get("name") or names or None,
            first_name=first_name,
            last_name=last_name,
            phone=next(phones, None),
        )
    except EventError:
        return None


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
