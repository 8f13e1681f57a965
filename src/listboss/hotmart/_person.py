"""The contact of a webhook, taken from whichever of eight places has an e-mail address.

Every field of a contact comes from the object that holds its e-mail, so two people are
never mixed. Document numbers, addresses and IP addresses are never read.
"""

from __future__ import annotations

from collections.abc import Mapping

from listboss.errors import EventError
from listboss.hotmart._lookup import Paths, paths, read_first
from listboss.hotmart._phone import join_phone
from listboss.hotmart._values import is_mapping, text
from listboss.rules.event import Contact

__all__ = ["read_contact"]

# In the order tried: if a body has two e-mails, its events are about the buyer. The empty
# path is the body itself, where version 1.0.0 has the buyer's fields.
PEOPLE: Paths = (
    *paths(
        "buyer subscriber subscription.user user subscription.subscriber"
        " subscription.subscriber.user buyerVO"
    ),
    (),
)
EMAIL, NAME = paths("email user_email"), paths("name user_name")
FIRST_NAME, LAST_NAME = paths("first_name"), paths("last_name")
# Paths of the code and of the number, in the order tried.
PHONES: tuple[tuple[Paths, Paths], ...] = (
    (paths("checkout_phone_code"), paths("checkout_phone")),
    (paths("phone.dddCell"), paths("phone.cell")),
    (paths("phone.dddPhone"), paths("phone.phone")),
    (paths("phone_checkout_local_code"), paths("phone_checkout_number")),
    (paths("phone_local_code"), paths("phone_number")),
    ((), paths("phone")),
)


def read_contact(root: Mapping[str, object]) -> Contact | None:
    """Return the contact of a webhook, or None if it has no plausible e-mail address."""
    return read_first(root, PEOPLE, _contact)


def _contact(person: object) -> Contact | None:
    if not is_mapping(person):
        return None
    first_name = read_first(person, FIRST_NAME, text)
    last_name = read_first(person, LAST_NAME, text)
    try:
        return Contact(
            # A dot at the end is a typing error that would make a second contact.
            (read_first(person, EMAIL, text) or "").rstrip("."),
            name=read_first(person, NAME, text) or " ".join(filter(None, (first_name, last_name))),
            first_name=first_name,
            last_name=last_name,
            phone=_phone(person),
        )
    except EventError:
        return None


def _phone(person: Mapping[str, object]) -> str | None:
    for code_paths, number_paths in PHONES:
        if number := read_first(person, number_paths, text):
            return join_phone(read_first(person, code_paths, text), number)
    return None
