"""The contact of a webhook, taken from whichever of eight places has an e-mail address.

Every field of a contact comes from the object that holds its e-mail, so two people are
never mixed. Document numbers, addresses and IP addresses are never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from listboss.errors import EventError
from listboss.hotmart._lookup import Field, FieldReader, Paths, paths
from listboss.hotmart._phone import join_phone
from listboss.hotmart._reading import Version
from listboss.hotmart._values import is_mapping, text
from listboss.rules.event import Contact, plain_contact

__all__ = ["read_contact"]

# In the order tried: if a body has two e-mails, its events are about the buyer. The empty
# path is the body itself, where version 1.0.0 has the buyer's fields. No step is spelled in two
# ways, and none is a list.
PEOPLE: Paths = (
    *paths(
        "buyer subscriber subscription.user user subscription.subscriber"
        " subscription.subscriber.user buyerVO"
    ),
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
        if (contact := _contact(person)) is not None:
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
    try:
        return plain_contact(
            email,
            name=fields.get("name") or names or None,
            first_name=first_name,
            last_name=last_name,
            phone=_phone(fields),
        )
    except EventError:
        return None


def _phone(fields: Mapping[str, Any]) -> str | None:
    for code, number in PHONES:
        if number in fields:
            return join_phone(fields.get(code), fields[number])
    return None
