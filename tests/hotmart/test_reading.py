import json
from collections.abc import Mapping
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.errors import WebhookError
from listboss.hotmart._reading import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_WRAPPERS,
    Version,
    _unquoted,
    read,
    version_of,
)

CONTENT = {"event": "SWITCH_PLAN", "data": {"a": "é=&"}}
PIECES = [*"%=_+ \t\r\n\0aF~é", "%2", "%41", "%3D", "%C3%A9", "%e9", "%0a", "%%", "=\n"]
TEXT = json.dumps(CONTENT, ensure_ascii=False)


def _only(body: object, content_type: str | None = None) -> Mapping[str, object]:
    (content,) = read(body, content_type)
    return content


def _fault(body: object, content_type: str | None = None) -> str:
    with pytest.raises(WebhookError) as caught:
        read(body, content_type)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value.code


@pytest.mark.parametrize(
    "body",
    [
        CONTENT,
        [CONTENT],
        TEXT,
        TEXT.encode(),
        bytearray(TEXT.encode()),
        TEXT.encode("latin-1"),
        b"\xef\xbb\xbf" + TEXT.encode(),
        f"\ufeff \n{TEXT}\n",
        {"headers": {}, "body": CONTENT},
        {"headers": {}, "body": TEXT},
        {"headers": {}, "body": TEXT.encode()},
        {"body": {"body": [CONTENT]}},
        json.dumps([{"headers": {}, "body": CONTENT}]),
        json.dumps(TEXT),
        {TEXT: ""},
        {"payload": TEXT},
        {"first": "{broken", "second": f" {TEXT}"},
    ],
    ids=repr,
)
def test_wrappers_come_off(body):
    """The fields are the same with any wrapper and encoding."""
    assert CONTENT == _only(body)


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain"])
def test_json_whatever_the_content_type_says(content_type):
    """JSON is read as JSON even if its content type says form."""
    assert CONTENT == _only(TEXT, content_type)


def test_form_with_percent_encoded_json():
    """JSON that was percent-encoded as a whole is read."""
    assert {"event": "X"} == _only("%7B%22event%22%3A%22X%22%7D")


@pytest.mark.parametrize(("encoded", "name"), [("%C3%A9", "é"), ("%E9", "é"), ("a+b", "a b")])
def test_form_encodings(encoded, name):
    """A form is read as UTF-8, or else as Latin-1, and keeps blank fields."""
    assert {"status": "", "prod": "1", "name": name} == _only(f"status=&prod=1&name={encoded}")


def test_form_with_separators_side_by_side():
    """Two separators side by side do not add a field."""
    assert [{"status": "approved", "prod": "1"}] == read("status=approved&&prod=1&")


def test_form_with_unencoded_letters():
    """Letters that were not percent-encoded stay as they are, beside those that were."""
    assert [{"prod": "é", "status": "São", "name": "ação"}] == read(
        "prod=%C3%A9&status=S%C3%A3o&name=aç%C3%A3o"
    )


def test_form_announced_as_json():
    """A body whose content type is JSON is not read as a form."""
    assert _fault("status=approved", "application/json; charset=utf-8") == "invalid_webhook"


def test_body_that_is_only_a_text_field():
    """An object whose `body` is not a webhook is returned unchanged."""
    assert {"body": "hello"} == _only({"body": "hello"})
    assert {"body": ""} == _only({"body": ""})
    assert {"body": 7} == _only({"body": 7})
    assert {"body": "7"} == _only({"body": "7"})


def test_webhook_with_a_body_field_is_not_a_wrapper():
    """A webhook that has a field `body` is not a wrapper."""
    content = {**CONTENT, "body": {"event": "OTHER"}}
    assert content == _only(content)


@pytest.mark.parametrize("blank", ["", "  ", b"", "\ufeff", b"\n"], ids=repr)
def test_empty(blank):
    """An empty body is refused."""
    assert _fault(blank) == "empty_webhook"


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "7",
        '"text"',
        "[]",
        "[1]",
        "[[]]",
        "[" * (MAX_WRAPPERS + 1) + TEXT + "]" * (MAX_WRAPPERS + 1),
        None,
        7,
        [],
        "prose",
        "<p class='a'>=</p>",
        TEXT[:-1],
        TEXT[:-1].encode(),
        b"\x00\x01",
        "--boundary\r\nContent-Disposition: form-data",
        json.dumps(json.dumps(json.dumps(TEXT))),
    ],
    ids=repr,
)
def test_not_a_webhook(body):
    """A body that is not a webhook raises one error code, without a cause."""
    assert _fault(body) == "invalid_webhook"


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ('{"event": "X",', 1, 15),
        (b'{"event": "X",\n "data": }', 2, 10),
        ('\ufeff\n\n  {"event": }', 3, 13),
        ("[{'event'}]", 1, 3),
        ('{"event": "X"} {}', 1, 16),
    ],
)
def test_place_of_invalid_json(body, line, column):
    """What begins as JSON and is not valid is reported with the line and column as received."""
    with pytest.raises(WebhookError) as caught:
        read(body)

    assert f"invalid JSON at line {line}, column {column}" == caught.value.message
    assert "pass the whole body, as received" == caught.value.hint


def test_too_many_wrappers():
    """Wrappers are removed up to the limit."""
    body: object = CONTENT
    for _ in range(MAX_WRAPPERS):
        body = {"body": body}
    assert CONTENT == _only(body)
    assert _only({"body": body}) != CONTENT


@pytest.mark.parametrize(("extra", "ok"), [(0, True), (1, False)])
@pytest.mark.parametrize("encode", [str, str.encode])
def test_size_limit(encode, extra, ok):
    """A body of exactly the maximum length is read; one more byte is refused."""
    frame = len('{"a": ""}')
    body = encode('{"a": "%s"}' % ("x" * (MAX_BYTES - frame + extra)))
    if ok:
        assert ["a"] == list(_only(body))
    else:
        assert _fault(body) == "webhook_too_large"


def test_depth_limit():
    """Nesting at the limit is read; anything deeper is refused."""
    deep = [MAX_DEPTH, MAX_DEPTH + 1, 100_000]
    bodies = ['{"a":' * (depth - 1) + "{}" + "}" * (depth - 1) for depth in deep]
    assert ["a"] == list(_only(bodies[0]))
    assert [_fault(body) for body in bodies[1:]] == ["webhook_too_deep"] * 2
    lists = '{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}"
    assert _fault(lists) == "webhook_too_deep"


def test_depth_is_checked_before_the_body_is_parsed():
    """A body that opens too many brackets is refused for that, even if it is not valid JSON."""
    assert "webhook_too_deep" == _fault("[" * (MAX_DEPTH + 1))


def test_many_brackets_are_not_depth():
    """Many brackets side by side are not depth."""
    assert {"a": [[]] * (2 * MAX_DEPTH)} == _only({"a": [[]] * (2 * MAX_DEPTH)})
    assert {"a": [[]] * (2 * MAX_DEPTH)} == _only(json.dumps({"a": [[]] * (2 * MAX_DEPTH)}))


@pytest.mark.parametrize(("fields", "ok"), [(MAX_FIELDS, True), (MAX_FIELDS + 1, False)])
def test_field_limit(fields, ok):
    """A form with exactly the maximum of fields is read; one more is refused."""
    body = "&".join(f"f{number}=1" for number in range(fields))
    if ok:
        assert fields == len(_only(body))
    else:
        assert _fault(body) == "webhook_too_large"


def test_huge_number():
    """A number of 5,000 digits counts as absent, and the rest is read."""
    assert {"event": "X", "n": None, "m": 12} == _only(
        '{"event": "X", "n": 1%s, "m": 12}' % ("0" * 5000)
    )


@pytest.mark.parametrize(
    ("content", "version"),
    [
        ({"event": "X", "data": {}}, Version.V2),
        ({"data": {}}, Version.V2),
        ({"event": "X"}, Version.V2),
        ({"event": "X", "data": None}, Version.V2),
        ({"version": "1.0.0", "event": "X", "data": {}}, Version.V2),
        ({"version": "2.0.0", "status": "approved", "prod": "1"}, Version.V1),
        ({"buyerVO": {}}, Version.V1),
        ({"status": "approved", "prod": "1", "event": "X", "data": {}}, Version.V2),
        ({"status": "approved", "prod": "1", "event": "X"}, Version.V1),
        ({"status": "ok"}, None),
        ({"buyerVO": None}, None),
        ({}, None),
    ],
)
def test_version_by_shape(content, version):
    """The shape decides the version, not the field `version`."""
    assert version is version_of(content)


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.sampled_from(["utf-8", "latin-1"]))
def test_percent_encoding(text: str, encoding: str):
    """It is decoded as Python decodes it, whatever is malformed."""
    try:
        expected = unquote(text, encoding, "strict")
    except UnicodeDecodeError as error:
        with pytest.raises(type(error)):
            _unquoted(text, encoding)
    else:
        assert expected == _unquoted(text, encoding)
