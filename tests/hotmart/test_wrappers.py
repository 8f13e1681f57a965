"""Wrappers around a webhook, and several webhooks in one body."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.errors import WebhookError
from listboss.hotmart import MAX_WEBHOOKS, IgnoredReason, parse, verify
from listboss.hotmart._reading import MAX_VALUES, MAX_WRAPPERS, WRAPPERS, read

SHAPES = Path(__file__).parent / "shapes"
V2 = {"id": "w-1", "event": "PURCHASE_APPROVED", "data": {"product": {"id": 7}, "a": [1]}}
V1 = {"hottok": "sample-hottok", "prod": "7", "status": "approved"}
OBJECT = {"cancellationDate": 1746000000000, "productName": "Club"}
NOT_ONE = {"headers": {"event": "x"}, "status": "ok"}

wrappers = st.one_of(
    st.sampled_from((*WRAPPERS, "raw_payload", "x")).map(lambda key: lambda it: {key: it}),
    st.sampled_from(
        [
            lambda it: [it],
            lambda it: [{"json": it}],
            lambda it: {"id": 1, "headers": {}, "query": {}, "body": it, "webhookUrl": "x"},
            lambda it: {"request": {"headers": {"a": ["b"]}, "body": it}},
            lambda it: {"event": "hook.received", "payload": it},
            lambda it: {"status": "new", "attempts": 1, "raw": it},
            json.dumps,
            lambda it: {"message": json.dumps(it)},
            lambda it: {"": [], "other": {"list": [{"a": 1}]}, "value": it},
        ]
    ),
)


@given(st.sampled_from([V2, V1, OBJECT]), st.lists(wrappers, max_size=MAX_WRAPPERS // 2))
def test_wrappers_of_tools(webhook, around):
    """A webhook is found in any of the usual wrappers, in any order, as an object and as text."""
    body: Any = webhook
    for wrap in around:
        body = body if wrap is json.dumps and isinstance(body, str) else wrap(body)
    assert [webhook] == read(json.dumps(body))
    if not isinstance(body, str):
        assert [webhook] == read(body)


@pytest.mark.parametrize(
    "body",
    [
        {**V2, "body": V1},
        {**V1, "payload": V2},
        {**OBJECT, "json": V1},
        {"data": {"product": {"id": 7}, "purchase": {"status": "a", "transaction": "b"}}},
        {"event": "SWITCH_PLAN", "data": None},
        {"event": "SWITCH_PLAN"},
        {"status": "approved", "transaction": "HP1"},
        NOT_ONE,
        {},
    ],
    ids=repr,
)
def test_not_a_wrapper(body):
    """A webhook is not unwrapped, and neither is an object in which there is none."""
    assert [body] == read(body)


def test_sure_ones_first():
    """What only looks a bit like a webhook counts under a usual key, if there is no other."""
    doubtful = {"event": "received"}
    assert [V2] == read({"body": doubtful, "user": {"email": "a", "status": "b"}, "hook": V2})
    assert [doubtful] == read({"body": doubtful, "x": {}})
    assert [{"meta": doubtful}] == read({"meta": doubtful})


@pytest.mark.parametrize("webhook", [V2, V1], ids=["2.0.0", "1.0.0"])
@pytest.mark.parametrize("key", [None, "body", "payload"])
def test_events_of_other_systems(webhook, key):
    """A webhook is found in the data of another system's event, itself or under a usual key."""
    data = webhook if key is None else {key: webhook, "tries": 1}
    assert [webhook] == read({"event": "hook.received", "data": data})
    assert [webhook] == read({"event": "hook.received", "data": {"data": {"body": data}}})
    unusual = {"event": "hook.received", "data": {"x": webhook}}
    assert [unusual] == read(unusual)
    hotmart_s = {"event": "PURCHASE_APPROVED", "data": data}
    assert [hotmart_s] == read(hotmart_s)


FORGED = json.dumps({**V2, "id": "forged"})


def _filled(node: Any) -> Any:
    """Put a forged webhook into every string of a body."""
    if isinstance(node, dict):
        return {key: node[key] if key in KEPT else _filled(node[key]) for key in node}
    if isinstance(node, list):
        return [_filled(each) for each in node]
    return FORGED if isinstance(node, str) else node


KEPT = ("event", "version", "hottok", "status", "callback_type")


@pytest.mark.parametrize("file", sorted(SHAPES.glob("*.json")), ids=lambda file: file.name)
def test_a_buyer_cannot_forge_a_webhook(file):
    """JSON in the fields of a real webhook, which buyers can fill, is never read as one."""
    body = json.loads(file.read_bytes())
    assert [_filled(content) for content in read(body)] == read(_filled(body))


def test_a_buyer_cannot_forge_a_form(form):
    """The same holds for a form, and for a form in a wrapper."""
    filled = _filled(form)
    assert [filled] == read(filled) == read(urlencode(filled)) == read({"body": urlencode(filled)})


def test_data_as_a_string(sale):
    """`data` may be a string of JSON."""
    assert parse(sale) == parse({**sale, "data": json.dumps(sale["data"])})


def test_too_many_wrappers():
    """Deeper than the limit nothing is found, and an object of no use is the result."""
    body: Any = V2
    for _ in range(MAX_WRAPPERS):
        body = {"x": body}
    assert [V2] == read(body)
    assert [{"x": body}] == read({"x": body})


def test_too_many_values():
    """The search ends after a number of values, so that no body takes long."""
    few: dict[str, Any] = {f"k{n}": [] for n in range(MAX_VALUES - 10)}
    many: dict[str, Any] = {f"k{n}": [] for n in range(MAX_VALUES + 10)}
    assert [V2] == read({**few, "x": V2})
    assert [{**many, "x": V2}] == read({**many, "x": V2})


def test_an_object_in_itself():
    """An object from the host that contains itself does no harm."""
    body: dict[str, Any] = {"a": 1}
    body |= {"x": body, "body": [body, body]}
    assert [body] == read(body)


class TestParts:
    """A list of several webhooks is read as one part for each."""

    def _parts(self, body: Any, **options: Any) -> list[Any]:
        parsed = parse(body, **options)
        assert parsed.events == tuple(event for part in parsed.parts for event in part.events)
        return list(parsed.parts)

    @pytest.mark.parametrize(
        "wrap",
        [
            list,
            json.dumps,
            lambda all_: {"body": all_},
            lambda all_: {"payload": json.dumps(all_)},
            lambda all_: [{"json": {"body": each}} for each in all_],
            lambda all_: [all_],
            lambda all_: list(map(json.dumps, all_)),
        ],
        ids=range(7),
    )
    def test_each_is_parsed_alone(self, shape, wrap):
        """Each part is what its webhook gives alone, in the same order."""
        bodies = [
            shape(name)
            for name in ("02-approved-first.json", "17-cart.json", "16-order-fulfillment.json")
        ]
        assert [parse(body) for body in bodies] == self._parts(wrap(bodies))

    def test_one_is_not_a_part(self, sale):
        """A list of one webhook is like the webhook."""
        assert parse(sale) == parse([sale])
        assert parse([sale]).parts == ()

    def test_elements_of_another_kind(self, sale):
        """An element that is not a webhook is an ignored part, and harms no other."""
        parts = self._parts([sale, None, 7, "x", [], {}, {"a": 1}, sale])
        assert [parts[0]] + [None] * 6 + [parts[-1]] == [
            part if part.events else None for part in parts
        ]
        assert {IgnoredReason.NO_EVENT} == {part.ignored.reason for part in parts[1:-1]}

    def test_all_ignored(self):
        """Without any event, the first reason is that of the whole body."""
        parsed = parse([{"event": "NEW_ONE", "data": {}}, {}])
        assert parsed.events == ()
        assert parsed.ignored == parsed.parts[0].ignored
        assert parsed.ignored is not None
        assert parsed.ignored.event == "NEW_ONE"

    @pytest.mark.parametrize(
        ("tests", "whole"), [([True, True], True), ([True, False], False), ([False] * 2, False)]
    )
    def test_is_test(self, sale, tests, whole):
        """Each part says whether it is a test; the whole is one if all parts are."""
        test = {**sale, "data": {**sale["data"], "producer": {"name": "Producer Test Name"}}}
        parsed = parse([test if each else sale for each in tests])
        assert (tests, whole) == ([part.is_test for part in parsed.parts], parsed.is_test)

    def test_options_are_for_all(self, shape):
        """Every part has the host's options."""
        bodies = [shape("05-pix.json")] * 2
        names = {event.name for event in parse(bodies, pix_as="club.progress").events}
        assert {"club.progress"} == names

    @pytest.mark.parametrize(("count", "ok"), [(MAX_WEBHOOKS, True), (MAX_WEBHOOKS + 1, False)])
    @pytest.mark.parametrize("body", [V2, {}], ids=["webhook", "object"])
    def test_limit(self, body, count, ok):
        """At the limit the parts are read, one more is refused."""
        if ok:
            assert count == len(parse([body] * count).parts)
        else:
            with pytest.raises(WebhookError) as caught:
                parse([body] * count)
            assert caught.value.code == "webhook_too_large"

    @pytest.mark.parametrize(
        ("tokens", "expected"),
        [(["t", "t"], True), (["t", "other"], False), (["t", None], False), (["t"], True)],
        ids=repr,
    )
    def test_verify(self, tokens, expected):
        """Every webhook of a body has to have the token."""
        assert expected is verify({}, [{**V2, "hottok": token} for token in tokens], "t")
