import pytest

from listboss.hotmart._person import read_contact

ANA, BRUNO = {"email": "ana@example.com"}, {"email": "bruno@example.com"}


@pytest.mark.parametrize(
    "data",
    [
        {"buyer": ANA},
        {"subscriber": ANA},
        {"subscription": {"user": ANA}},
        {"user": ANA},
        {"subscription": {"subscriber": ANA}},
        {"subscription": {"subscriber": {"code": "S1", "user": ANA}}},
        {"buyerVO": ANA},
        {"userEmail": "ana@example.com"},
        ANA,
        {"buyer": ANA, "subscriber": BRUNO, "user": BRUNO},
        {"buyer": {"email": ""}, "subscriber": ANA},
        {"buyer": {"email": "no address"}, "user": ANA},
        {"buyer": None, "subscriber": [], "subscription": "x", "user": ANA},
    ],
    ids=repr,
)
def test_place_of_the_email(data):
    """The contact is the first person with an e-mail address, starting with the buyer."""
    contact = read_contact(data)
    assert contact is not None
    assert contact.email == "ana@example.com"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Ana@Example.COM ", "Ana@Example.COM"),
        ("ana@example.com.", "ana@example.com"),
        ("", None),
        ("ana", None),
        ("ana@", None),
        ("@example.com", None),
        ("ana souza@example.com", None),
        ("a" * 320 + "@example.com", None),
        (7, None),
        (None, None),
    ],
    ids=repr,
)
def test_plausible_email(given, kept):
    """An address loses outer spaces and final dots; implausible ones are absent."""
    contact = read_contact({"buyer": {"email": given, "name": "Ana"}})
    assert kept == (contact.email if contact else None)


def test_no_two_people_are_mixed():
    """Name and phone come from the object that has the e-mail address."""
    contact = read_contact({"buyer": {"name": "Bruno", "phone": "1"}, "subscriber": ANA})
    assert contact is not None
    assert (contact.name, contact.phone) == (None, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "Ana Souza"}, ("Ana Souza", None, None)),
        ({"first_name": "Ana", "last_name": "Souza"}, ("Ana Souza", "Ana", "Souza")),
        ({"first_name": "Ana", "last_name": ""}, ("Ana", "Ana", None)),
        ({"name": " ", "last_name": "Souza"}, ("Souza", None, "Souza")),
        ({"userName": "Ana Souza"}, ("Ana Souza", None, None)),
        ({"firstName": "Ana", "lastName": "Souza"}, ("Ana Souza", "Ana", "Souza")),
        ({"name": "A" * 300}, ("A" * 300, None, None)),
        ({"name": "🙂 سارة"}, ("🙂 سارة", None, None)),
        ({"name": ["Ana"], "first_name": {}}, (None, None, None)),
    ],
    ids=repr,
)
def test_names(given, expected):
    """A missing name is joined from its parts; a full name is never split."""
    contact = read_contact({"buyer": {**ANA, **given}})
    assert contact is not None
    assert expected == (contact.name, contact.first_name, contact.last_name)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"checkout_phone": "11999990000", "checkout_phone_code": "55"}, "5511999990000"),
        ({"checkout_phone": "5511999990000", "checkout_phone_code": "55"}, "5511999990000"),
        ({"checkout_phone": "555511999990000", "checkout_phone_code": "55"}, "555511999990000"),
        ({"checkout_phone": "999990000", "checkout_phone_code": "11"}, "11999990000"),
        ({"checkout_phone": "11999990000", "checkout_phone_code": "999999999"}, "11999990000"),
        ({"checkout_phone": 11999990000, "checkout_phone_code": 55}, "5511999990000"),
        ({"checkout_phone": "", "checkout_phone_code": "55"}, None),
        ({"checkout_phone": " ", "phone": "11 99999-0000"}, "11 99999-0000"),
        ({"phone": {"dddPhone": "", "phone": "", "dddCell": "", "cell": ""}}, None),
        ({"phone": {"dddPhone": "11", "phone": "3333", "dddCell": "", "cell": ""}}, "113333"),
        ({"phone": {"dddPhone": "11", "phone": "3333", "dddCell": "21", "cell": "9"}}, "219"),
        ({"phone_local_code": "11", "phone_number": "3333"}, "113333"),
        ({"phone_checkout_number": "9", "phone_number": "3333"}, "9"),
        ({"phone": []}, None),
    ],
    ids=repr,
)
def test_phone(given, expected):
    """The number is kept as given, after its code if that is plausible."""
    contact = read_contact({"buyer": {**ANA, **given}})
    assert contact is not None
    assert expected == contact.phone
