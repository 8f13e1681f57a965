"""Whom a webhook is about: its contact, from the one of six places that has an e-mail.

All that is known of a contact comes from the object that holds the e-mail, so that no two
people are mixed. Document number, address and IP are never looked at. A phone number is
kept as given; a country or area code given apart is put before it if it fits, and no
claim is made that the result can be dialled.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.errors import EventError
from listboss.hotmart._values import is_mapping, text
from listboss.hotmart.fields import Paths, first, paths
from listboss.rules.event import Contact

__all__ = ["contact_in", "joined_phone"]

# The buyer comes first: with two e-mails in one body, the one who pays is meant. The last
# one is the body itself, where version 1.0.0 keeps the buyer.
PEOPLE: Paths = (
    *paths("buyer subscriber subscription.user user subscription.subscriber buyerVO"),
    (),
)
NAME, FIRST_NAME, LAST_NAME = paths("name"), paths("first_name"), paths("last_name")
# Code and number, in the order tried.
PHONES: tuple[tuple[Paths, Paths], ...] = (
    (paths("checkout_phone_code"), paths("checkout_phone")),
    (paths("phone.dddCell"), paths("phone.cell")),
    (paths("phone.dddPhone"), paths("phone.phone")),
    (paths("phone_checkout_local_code"), paths("phone_checkout_number")),
    (paths("phone_local_code"), paths("phone_number")),
    ((), paths("phone")),
)
MAX_CODE = 4
"""A longer "code" is junk, such as the nines of the test button."""


def contact_in(root: Mapping[str, object]) -> Contact | None:
    """Return the contact of a webhook, or None if it has no plausible e-mail address."""
    return first(root, PEOPLE, _contact)


def _contact(person: object) -> Contact | None:
    if not is_mapping(person):
        return None
    given, family = first(person, FIRST_NAME, text), first(person, LAST_NAME, text)
    try:
        return Contact(
            # A dot at the end is a slip of the pen that would make a second contact.
            (text(person.get("email")) or "").rstrip("."),
            name=first(person, NAME, text) or " ".join(filter(None, (given, family))),
            first_name=given,
            last_name=family,
            phone=_phone(person),
        )
    except EventError:
        return None


def _phone(person: Mapping[str, object]) -> str | None:
    for code, number in PHONES:
        if found := first(person, number, text):
            return joined_phone(first(person, code, text), found)
    return None


def joined_phone(code: str | None, number: str) -> str:
    """Put `code` before `number` where it is plausible and not there yet.

    >>> joined_phone("55", "11999990000"), joined_phone("55", "5511999990000")
    ('5511999990000', '5511999990000')
    >>> joined_phone("999999999", "11999990000"), joined_phone("55", "+351 910 000 000")
    ('11999990000', '+351 910 000 000')
    """
    digits = (code or "").removeprefix("+")
    plausible = digits.isascii() and digits.isdigit() and len(digits) <= MAX_CODE
    return number if not plausible or number.startswith(("+", "00", digits)) else digits + number
