import json

import pytest

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
