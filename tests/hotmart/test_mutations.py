"""Any input gives a consistent result or a `WebhookError`."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from listboss.errors import WebhookError
from listboss.hotmart import Parsed, parse, verify
from listboss.hotmart._events import EVENTS
from listboss.hotmart._reading import V1_FIELDS, V1_OBJECTS, WRAPPERS
from listboss.hotmart.fields import FACTS, IDS
from listboss.rules.builtin import HOTMART

SHAPES = [
    json.loads(file.read_bytes())
    for file in sorted((Path(__file__).parent / "shapes").glob("*.json"))
]
TOKEN = "sample-hottok"
ODD: list[Any] = [
    None, True, False, 0, -1, 7, 2**63, 2**200, 10**30, 1.5, 1e308, float("nan"), float("inf"),
    float("-inf"), "", " ", "0", "00000", "x", "1e999", "NaN", "true", "49,90", "\0", "\ud83d",
    "ana@example.com", "@", "2025-13-45", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    "1746000000123", "9" * 400, "x" * 1000, [], {}, [[]], [{}], [None], {"": None},
    {"id": {"id": {}}},
    {"value": "x"}, [{"current": True}, {"current": True}],
]  # fmt: skip
NAMES = sorted(
    {*EVENTS, *V1_FIELDS, *V1_OBJECTS, *WRAPPERS, "event", "id", "creationDate", "buyerVO"}
    | {
        step
        for field in [*FACTS.values(), *IDS.values()]
        for path in field.v2 + field.v1
        for step in path
    }
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6)
    ),
    max_leaves=30,
)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield node, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


def _replace(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    # A copy, because a later mutation may change it.
    container[key] = copy.deepcopy(draw(st.sampled_from(ODD) | json_values))


def _remove(container: Any, key: Any, _draw: Callable[..., Any]) -> None:
    del container[key]


def _wrap(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    value = container[key]
    wrapped = [[value], {"body": value}, {"x": {"payload": value}}, [value, value], str(value)]
    container[key] = draw(st.sampled_from(wrapped))


def _rename(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    if isinstance(container, dict) and key != "hottok":  # else the token would be a fact
        container[draw(st.sampled_from(NAMES))] = container.pop(key)


def _spell_as_text(container: Any, key: Any, _draw: Callable[..., Any]) -> None:
    container[key] = json.dumps(container[key])


def _change_type(container: Any, key: Any, _draw: Callable[..., Any]) -> None:
    value = container[key]
    container[key] = list(value.values()) if isinstance(value, dict) else {"0": value}


@st.composite
def mutated_webhooks(draw: Callable[..., Any]) -> Any:
    """A known shape with up to five mutations."""
    body = copy.deepcopy(draw(st.sampled_from(SHAPES)))
    for _ in range(draw(st.integers(1, 5))):
        places = list(_places(body))
        if places:
            container, key = draw(st.sampled_from(places))
            mutate = draw(
                st.sampled_from([_replace, _remove, _wrap, _rename, _spell_as_text, _change_type])
            )
            mutate(container, key, draw)
    return body


def _check(body: Any, **options: Any) -> Parsed | None:
    """Parse the body and check what holds for every result."""
    try:
        parsed = parse(body, **options)
    except WebhookError:
        return None
    for part in (parsed, *parsed.parts):
        assert bool(part.events) is (part.ignored is None)
        assert "@" not in repr(part.ignored)
    for part in parsed.parts or [parsed]:
        ids = [event.id for event in part.events]
        assert len(ids) == len(set(ids))
        assert {event.is_test for event in part.events} <= {part.is_test}
    for event in parsed.events:
        assert HOTMART.event(event.name) is not None
        assert all(HOTMART.carries(event.name, fact) for fact in event.facts)
        assert hash(event) == hash(event)
    assert TOKEN not in repr(parsed)
    assert parsed.events == (sum((part.events for part in parsed.parts), ()) or parsed.events)
    return parsed


@given(json_values)
def test_arbitrary_values(value):
    """Any JSON value, as an object and as a string."""
    _check(value)
    _check(json.dumps(value))


@given(st.text() | st.binary(), st.sampled_from([None, "application/json", "text/html"]))
def test_arbitrary_text(body, content_type):
    """Any string and any bytes, with any content type."""
    _check(body, content_type=content_type)


@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.sampled_from(["approved", "7"])))
def test_arbitrary_forms(fields):
    """Any form, in both encodings."""
    for encoding in ("utf-8", "latin-1"):
        _check(urlencode(fields, encoding=encoding, errors="replace"))


@given(mutated_webhooks())
def test_mutated_webhooks(body):
    """A mutated shape gives the same events as a JSON string and as an object."""
    as_object, as_text = _check(body), _check(json.dumps(body))
    assert (as_object is None) is (as_text is None)
    if as_object is not None and as_text is not None:
        names = [event.name for event in as_object.events]
        assert names == [event.name for event in as_text.events]


@given(mutated_webhooks())
def test_parsing_is_pure(body):
    """The same body gives the same result and is not changed."""
    before = json.dumps(body)
    assert _check(body) == _check(body)
    assert before == json.dumps(body)


@given(st.sampled_from(SHAPES), st.data())
def test_broken_bytes(shape, data):
    """A known shape with bytes lost, doubled or changed."""
    body = bytearray(json.dumps(shape, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        stop = min(len(body), start + data.draw(st.integers(0, 20)))
        body[start:stop] = data.draw(st.binary(max_size=8))
    _check(bytes(body))


@given(json_values | mutated_webhooks(), st.text())
def test_verify_never_raises(body, token):
    """`verify` returns a boolean for any body."""
    assert verify({}, body, token) in {True, False}
