"""E-mail addresses: when two of them are one contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.rules._address import MAX_LABEL_LENGTH, contact_key

ONE_CONTACT = [
    ("Ana@Example.com", "ana@example.COM "),
    ("ana@stra\u00dfe.example", "ANA@STRA\u1e9eE.EXAMPLE"),
    ("ana@stra\u00dfe.example", "ana@xn--strae-oqa.example"),
    ("ana@stra\u00dfe.example", "ana@XN--STRAE-OQA.example"),
    ("ana@cafe\u0301.example", "ana@CAF\u00c9.example"),
    ("ana@caf\u00e9.example", "ana@xn--caf-dma.example"),
    ("ana@mail.\u03c3\u03b1\u03c2.example", "ana@mail.\u03a3\u0391\u03a3.example"),
    ("jos\u00e9@caf\u00e9.example", "JOS\u00e9@xn--caf-dma.EXAMPLE"),
]
TWO_CONTACTS = [
    ("mi\u212ae@example.com", "mike@example.com"),
    ("mo\u017fe\u017f@example.com", "moses@example.com"),
    ("\ufb01n@example.com", "fin@example.com"),
    ("stra\u00dfe@example.com", "strasse@example.com"),
    ("jos\u00e9@example.com", "jose\u0301@example.com"),
    ("jos\u00e9@example.com", "JOS\u00c9@example.com"),
    ("ana@stra\u00dfe.example", "ana@strasse.example"),
    ("ana@\u03c3\u03b1\u03c2.example", "ana@\u03c3\u03b1\u03c3.example"),
    ("\u0131@example.com", "i@example.com"),
    ("ana@example.com", "ana@example.com."),
]
INVALID_LABELS = {
    "no code": "xn--",
    "only ASCII": "xn--abc-",
    "not punycode": "xn--99999999",
    "half a character": "xn--" + "\ud800".encode("punycode").decode(),
    "white space": "xn--" + "a\u3000".encode("punycode").decode(),
    "a control character": "xn--" + "a\x85".encode("punycode").decode(),
    "upper case": "xn--" + "\u00c9".encode("punycode").decode(),
    "decomposed": "xn--" + "e\u0301".encode("punycode").decode(),
    "longer than a label": "xn--" + ("\u00e9" * 60).encode("punycode").decode(),
}

letters = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="@."), min_size=1
)


@pytest.mark.parametrize(("one", "other"), ONE_CONTACT)
def test_one_contact(one: str, other: str):
    """The case of ASCII letters does not count, nor how a domain is written."""
    assert contact_key(one) == contact_key(other)


@pytest.mark.parametrize(("one", "other"), TWO_CONTACTS)
def test_two_contacts(one: str, other: str):
    """A mail server may distinguish these, so they are two people."""
    assert contact_key(one) != contact_key(other)


@pytest.mark.parametrize("label", INVALID_LABELS.values(), ids=INVALID_LABELS)
def test_an_invalid_label_stays(label: str):
    """A label that does not encode exactly one domain is compared as it is."""
    assert f"ana@{label}.example" == contact_key(f"ana@{label.upper()}.example")


def test_the_longest_label():
    """A label of 63 characters is decoded, a longer one is not."""
    encoded = ("\u00e9" + "a" * 55).encode("punycode").decode()
    label = f"xn--{encoded}"

    assert MAX_LABEL_LENGTH == len(label)
    assert "\u00e9" in contact_key(f"ana@{label}")
    assert f"ana@{label}a" == contact_key(f"ana@{label}a")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_key_is_its_own_key(email: str):
    """The key of a key is the key itself."""
    assert contact_key(email) == contact_key(contact_key(email))


@given(letters, letters)
def test_the_local_part_is_kept(local: str, domain: str):
    """Only ASCII letters change in a local part."""
    key, _, _ = contact_key(f"{local}@{domain}").rpartition("@")
    changed = [(old, new) for old, new in zip(local, key, strict=True) if old != new]

    assert all(old.isascii() and old.lower() == new for old, new in changed)


@given(letters)
def test_an_encoded_domain_is_the_domain(domain: str):
    """A label and its `xn--` form are one, in any case."""
    (label,) = [contact_key(f"a@{domain}").removeprefix("a@")]
    encoded = f"xn--{label.encode('punycode').decode('ascii')}"

    if not label.isascii() and len(encoded) <= MAX_LABEL_LENGTH:
        assert contact_key(f"a@{domain}") == contact_key(f"a@{encoded}")
        assert contact_key(f"a@{domain}") == contact_key(f"a@{encoded.upper()}")
