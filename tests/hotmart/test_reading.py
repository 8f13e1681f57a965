import json

import pytest

from listboss.errors import WebhookError
from listboss.hotmart._reading import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_WRAPPERS,
    Version,
    read,
    version_of,
)

CONTENT = {"event": "SWITCH_PLAN", "data": {"a": "é=&"}}
TEXT = json.dumps(CONTENT, ensure_ascii=False)


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
        {TEXT: ""},
        {"payload": TEXT},
        {"first": "{broken", "second": f" {TEXT}"},
    ],
    ids=repr,
)
def test_wrappers_come_off(body):
    """However a body is wrapped or encoded, its fields are the same."""
    assert CONTENT == read(body)


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain"])
def test_json_whatever_the_content_type_says(content_type):
    """JSON is read as JSON also when it is announced as a form."""
    assert CONTENT == read(TEXT, content_type)


def test_form_with_percent_encoded_json():
    """A body that was percent-encoded as a whole is read."""
    assert {"event": "X"} == read("%7B%22event%22%3A%22X%22%7D")


@pytest.mark.parametrize(("encoded", "name"), [("%C3%A9", "é"), ("%E9", "é"), ("a+b", "a b")])
def test_form_encodings(encoded, name):
    """A form is read as UTF-8, and as Latin-1 if it is none; blank fields stay."""
    assert {"status": "", "prod": "1", "name": name} == read(f"status=&prod=1&name={encoded}")


def test_form_announced_as_json():
    """What is announced as JSON is not taken for a form."""
    assert _fault("status=approved", "application/json; charset=utf-8") == "invalid_webhook"


def test_body_that_is_only_a_text_field():
    """An object whose `body` is prose wraps nothing, and is an object all the same."""
    assert {"body": "hello"} == read({"body": "hello"})
    assert {"body": ""} == read({"body": ""})
    assert {"body": 7} == read({"body": 7})
    assert {"body": "7"} == read({"body": "7"})


def test_webhook_with_a_body_field_is_no_wrapper():
    """Fields of the webhook itself win over a `body` beside them."""
    content = {**CONTENT, "body": {"event": "OTHER"}}
    assert content == read(content)


@pytest.mark.parametrize("blank", ["", "  ", b"", "\ufeff", b"\n"], ids=repr)
def test_empty(blank):
    """An empty body is no webhook."""
    assert _fault(blank) == "empty_webhook"


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "7",
        '"text"',
        "[]",
        "[1]",
        "[{}, {}]",
        "[[[[[{}]]]]]",
        None,
        7,
        [],
        "prose",
        "<p class='a'>=</p>",
        TEXT[:-1],
        TEXT[:-1].encode(),
        b"\x00\x01",
        "--boundary\r\nContent-Disposition: form-data",
        json.dumps(TEXT),
    ],
    ids=repr,
)
def test_no_webhook_at_all(body):
    """Neither JSON nor a form, or no object: one declared error, which carries no cause."""
    assert _fault(body) == "invalid_webhook"


def test_too_many_wrappers():
    """Wrappers come off up to the limit, and no further."""
    body: object = CONTENT
    for _ in range(MAX_WRAPPERS):
        body = {"body": body}
    assert CONTENT == read(body)
    assert read({"body": body}) != CONTENT


@pytest.mark.parametrize(("extra", "ok"), [(0, True), (1, False)])
@pytest.mark.parametrize("encode", [str, str.encode])
def test_size_limit(encode, extra, ok):
    """A body of exactly the limit is read, one more byte is refused."""
    frame = len('{"a": ""}')
    body = encode('{"a": "%s"}' % ("x" * (MAX_BYTES - frame + extra)))
    if ok:
        assert ["a"] == list(read(body))
    else:
        assert _fault(body) == "webhook_too_large"


def test_depth_limit():
    """Nesting at the limit is read, one deeper is refused, also far beyond."""
    deep = [MAX_DEPTH, MAX_DEPTH + 1, 100_000]
    bodies = ['{"a":' * (depth - 1) + "{}" + "}" * (depth - 1) for depth in deep]
    assert ["a"] == list(read(bodies[0]))
    assert [_fault(body) for body in bodies[1:]] == ["webhook_too_deep"] * 2
    lists = '{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}"
    assert _fault(lists) == "webhook_too_deep"


def test_many_brackets_are_not_depth():
    """A broad body with more brackets than the limit is not deep."""
    assert {"a": [[]] * (2 * MAX_DEPTH)} == read({"a": [[]] * (2 * MAX_DEPTH)})
    assert {"a": [[]] * (2 * MAX_DEPTH)} == read(json.dumps({"a": [[]] * (2 * MAX_DEPTH)}))


@pytest.mark.parametrize(("fields", "ok"), [(MAX_FIELDS, True), (MAX_FIELDS + 1, False)])
def test_field_limit(fields, ok):
    """A form of exactly the limit is read, one more field is refused."""
    body = "&".join(f"f{number}=1" for number in range(fields))
    if ok:
        assert fields == len(read(body))
    else:
        assert _fault(body) == "invalid_webhook"


def test_huge_number():
    """A number of 5,000 digits reads as absent and spoils nothing."""
    assert {"event": "X", "n": None, "m": 12} == read(
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
    """The shape tells the version, whatever `version` says."""
    assert version is version_of(content)
