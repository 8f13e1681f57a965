import json
import re
from email.header import Header
from email.message import Message
from typing import Any

import pytest

from listboss.errors import ArgumentTypeError
from listboss.hotmart import verify

TOKEN = "sample-hottok"


@pytest.mark.parametrize("name", ["X-HOTMART-HOTTOK", "x-hotmart-hottok", "X-Hotmart-Hottok"])
def test_header(name):
    """Header names are case-insensitive."""
    assert verify({"Accept": "*/*", name: TOKEN}, b"", TOKEN) is True
    assert verify({name: "wrong"}, b"", TOKEN) is False


@pytest.mark.parametrize(
    "body",
    [
        {"hottok": TOKEN},
        json.dumps({"hottok": TOKEN, "event": "X"}),
        f"hottok={TOKEN}&status=approved&prod=1".encode(),
        {"headers": {}, "body": {"hottok": TOKEN, "event": "X"}},
    ],
    ids=repr,
)
def test_body(body):
    """Without a header, the token is read from the body."""
    assert verify({}, body, TOKEN) is True
    assert verify({}, body, "another") is False


def test_header_decides_alone():
    """If the header is wrong, the body is not looked at."""
    assert verify({"x-hotmart-hottok": "wrong"}, {"hottok": TOKEN}, TOKEN) is False
    assert verify({"x-hotmart-hottok": ""}, {"hottok": TOKEN}, TOKEN) is False


@pytest.mark.parametrize(
    "body",
    [b"", b"broken {", "null", "{}", {"hottok": None}, {"hottok": ""}, {"hottok": 7}, b"[1, 2]"],
    ids=repr,
)
@pytest.mark.parametrize("token", [TOKEN, ""])
def test_missing_token(body, token):
    """A missing token is refused, even if the host's token is empty."""
    assert verify({}, body, token) is False
    assert verify({"X-Hotmart-Signature": TOKEN}, body, token) is False


def test_empty_token_of_the_host():
    """An empty token of the host matches nothing."""
    assert verify({"x-hotmart-hottok": ""}, {"hottok": ""}, "") is False


@pytest.mark.parametrize("token", ["tóken", "\ud83d", "トークン"])
def test_token_of_any_characters(token):
    """A token may contain any characters."""
    assert verify({"x-hotmart-hottok": token}, b"", token) is True
    assert verify({"x-hotmart-hottok": token + "x"}, b"", token) is False


@pytest.mark.parametrize(
    ("headers", "token", "message"),
    [
        ({}, b"t", "expected a string, got bytes @ $.hottok (decode it with `.decode()`)"),
        ({}, None, "expected a string, got None @ $.hottok"),
        ({}, 7, "expected a string, got an integer @ $.hottok"),
        ({b"X-Hotmart-Hottok": b"t"}, "t", "expected a string, got bytes @ $.headers (decode"),
        ({"X-Hotmart-Hottok": b"t"}, "t", "got bytes @ $.headers.x-hotmart-hottok (decode"),
        ([("X-Hotmart-Hottok", "t")], "t", "expected a mapping, got a list @ $.headers (pass"),
        (None, "t", "expected a mapping, got None @ $.headers (pass"),
    ],
    ids=repr,
)
def test_wrong_types_of_the_host(headers, token, message):
    """What could never be equal is an error: the host would refuse every webhook."""
    with pytest.raises(ArgumentTypeError, match=re.escape(message)):
        verify(headers, b"", token)


@pytest.mark.parametrize("value", [None, 7, ["sample-hottok"], Header("sample-hottok")], ids=str)
def test_a_header_that_is_not_a_string(value):
    """A sender cannot cause an error with a header that a server does not make a string of."""
    headers: dict[Any, Any] = {7: "x", "X-Hotmart-Hottok": value}
    assert verify(headers, b"", TOKEN) is False


def test_headers_of_the_standard_library():
    """The headers of `http.server` are not a mapping, and are read all the same."""
    headers: Any = Message()
    headers["X-Hotmart-Hottok"] = TOKEN
    assert verify(headers, b"", TOKEN) is True


@pytest.mark.parametrize("body", [None, 7, object(), {"hottok": b"t"}, {7: "t"}])
def test_wrong_types_of_a_body(body):
    """A body that is not a webhook has no token."""
    assert verify({}, body, "t") is False
