"""E-mail addresses: what is accepted as one, and when two of them are one contact.

The identity of a contact decides who gets the access that a person paid for. Mail servers may
distinguish addresses that look alike, so a local part keeps its characters: only its ASCII
letters are lower-cased. A domain has one identity however it is written: label by label in
lower case and NFC, with `xn--` labels decoded. This uses the standard library alone, so that
a web process and a worker agree.
"""

from __future__ import annotations

from unicodedata import category, normalize

from listboss.errors import EventError
from listboss.rules._text import require_text, text_fault

__all__ = ["contact_key", "require_address"]

MAX_EMAIL_LENGTH = 320
MAX_LABEL_LENGTH = 63
"""Longer labels are not decoded: no domain has them."""
ENCODED_PREFIX = "xn--"
_ASCII_LOWER = {ord(letter): ord(letter.lower()) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _is_odd(text: str) -> bool:
    if text.isascii():
        return " " in text or not text.isprintable()
    return any(char.isspace() or category(char) == "Cc" for char in text)


def require_address(value: object, path: str) -> str:
    """Return the trimmed e-mail address as a plain string, else raise `EventError`."""
    text = require_text(value, path, EventError).strip()
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or _is_odd(text) or len(text) > MAX_EMAIL_LENGTH:
        raise EventError(
            "expected an e-mail address, got another string",
            path=path,
            hint="for an event without an address, pass `contact=None`",
        )
    return text


def contact_key(email: str) -> str:
    """Return the identity of an e-mail address.

    >>> contact_key(" Ana@Example.COM ")
    'ana@example.com'
    >>> contact_key("info@xn--strae-oqa.example") == contact_key("INFO@STRA\u1e9eE.example")
    True
    >>> contact_key("info@stra\u00dfe.example") == contact_key("info@strasse.example")
    False
    """
    text = email.strip()
    local, at, domain = text.rpartition("@")
    if text.isascii() and ENCODED_PREFIX not in (lower := text.lower()):
        return text if text == lower else lower  # no second copy
    return local.translate(_ASCII_LOWER) + at + ".".join(map(_label, domain.split(".")))


def _label(label: str) -> str:
    lower = _lower(label)
    is_encoded = lower.isascii() and lower.startswith(ENCODED_PREFIX)
    return _decoded(lower) if is_encoded and len(lower) <= MAX_LABEL_LENGTH else lower


def _lower(label: str) -> str:
    return normalize("NFC", normalize("NFC", label).lower())


def _decoded(label: str) -> str:
    """Return the label that an `xn--` label encodes, or the label itself if it is not valid."""
    encoded = label.removeprefix(ENCODED_PREFIX)
    try:
        text = encoded.encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    canonical = not text.isascii() and text == _lower(text) and not _is_odd(text)
    if text_fault(text) or not canonical or text.encode("punycode") != encoded.encode("ascii"):
        return label
    return text
