"""Events and plans as documents."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import AddTag, Contact, Event, EventName, Idle, Plan, PlannedAction
from listboss.codec import _events, dump_event, dump_plan, load_event, load_plan
from listboss.errors import CodecError
from listboss.rules._mapping import FrozenMap
from listboss.testing import events

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVENT = {
    "name": "purchase.approved",
    "id": "e-1",
    "product_id": "1001",
    "contact": None,
    "occurred_at": "2026-05-04T12:00:00Z",
}


def test_an_event_with_everything() -> None:
    """All fields of an event and a contact are read, and facts of every type."""
    read = load_event(
        {
            **EVENT,
            "version": 1,
            "contact": {
                "email": "ana@example.com",
                "name": "Ana",
                "first_name": "Ana",
                "last_name": None,
                "phone": "5511999990000",
            },
            "plan_id": "10",
            "plan_name": "Monthly",
            "transaction": "HP1",
            "subscriber_code": "S1",
            "facts": {
                "offer": "bf",
                "installments": 3,
                "is_order_bump": False,
                "price": {"decimal": "49.90"},
                "ordered_at": {"instant": "2026-05-04T12:00:00Z"},
            },
            "is_test": True,
        }
    )

    assert read == Event(
        EventName.PURCHASE_APPROVED,
        id="e-1",
        product_id="1001",
        contact=Contact("ana@example.com", name="Ana", first_name="Ana", phone="5511999990000"),
        occurred_at=AT,
        plan_id="10",
        plan_name="Monthly",
        transaction="HP1",
        subscriber_code="S1",
        facts={
            "offer": "bf",
            "installments": 3,
            "is_order_bump": False,
            "price": Decimal("49.90"),
            "ordered_at": AT,
        },
        is_test=True,
    )


def test_an_event_in_a_mapping_may_hold_values_of_python() -> None:
    """A host that has datetimes and decimals need not write them as strings."""
    read = load_event({**EVENT, "occurred_at": AT, "facts": {"price": Decimal("49.90"), "at": AT}})

    assert (AT, {"price": Decimal("49.90"), "at": AT}) == (read.occurred_at, read.facts)


def test_the_name_of_a_built_in_event_is_read_as_such() -> None:
    """A built-in name is read as an `EventName`, a host's own name as a string."""
    own = load_event({**EVENT, "name": "quiz.passed"}).name

    assert (EventName, str) == (type(load_event(EVENT).name), type(own))


@pytest.mark.parametrize("key", list(EVENT))
def test_five_keys_are_required(key: str) -> None:
    """An event without one of its five keys is refused; one without a contact has null."""
    with pytest.raises(CodecError) as caught:
        load_event({name: value for name, value in EVENT.items() if name != key})

    assert ("missing_key", f"$.{key}") == (caught.value.code, caught.value.path)
    assert f"required keys: {', '.join(EVENT)}" == caught.value.hint


def test_the_only_required_key() -> None:
    """The hint of a missing key says so if the object needs no other one."""
    with pytest.raises(CodecError) as caught:
        load_event({**EVENT, "contact": {}})

    assert ("missing key `email`", "$.contact.email", "no other key is required") == (
        caught.value.message,
        caught.value.path,
        caught.value.hint,
    )


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"facts": {"price": []}}, "$.facts.price"),
        ({"facts": {"a person's name": []}}, "$.facts.*"),
        ({"facts": {" ": 1}}, "$.facts"),
        ({"contact": {"email": "nobody"}}, "$.contact.email"),
        ({"contact": {"mail": "x", "email": "ana@example.com"}}, "$.contact.mail"),
        ({"id": " "}, "$.id"),
        ({"plan_id": 10}, "$.plan_id"),
    ],
)
def test_the_path_leads_to_the_fault(change: dict[str, Any], path: str) -> None:
    """The path leads to the fault; a key that does not look like a name appears as a star."""
    with pytest.raises(CodecError) as caught:
        load_event({**EVENT, **change})

    assert path == caught.value.path


def test_the_format_of_a_plan() -> None:
    """The format of a plan, byte for byte."""
    plan = Plan(
        event_id="e-1",
        event_name=EventName.PURCHASE_APPROVED,
        product_id="1001",
        occurred_at=AT,
        is_test=False,
        actions=(
            PlannedAction(
                provider="mail",
                email="ana@example.com",
                action=AddTag("buyer"),
                data=FrozenMap({"price": Decimal("49.90")}),
                because=("auto.approved_purchase", "seg-1"),
                automatic=True,
                id="1-2",
            ),
        ),
    )

    assert (
        '{"actions":[{"action":{"add_tag":"buyer"},"automatic":true,'
        '"because":["auto.approved_purchase","seg-1"],"data":{"price":{"decimal":"49.9"}},'
        '"email":"ana@example.com","id":"1-2","provider":"mail"}],"event_id":"e-1",'
        '"event_name":"purchase.approved","is_test":false,"occurred_at":"2026-05-04T12:00:00Z",'
        '"product_id":"1001","version":1}'
    ) == dump_plan(plan)


def test_the_reason_of_an_idle_plan() -> None:
    """`idle` is read as a member of its enum."""
    read = load_plan(
        {"event_id": "e", "event_name": "e", "product_id": "1", "occurred_at": AT, "is_test": False,
         "idle": "no_rule"}
    )  # fmt: skip

    assert read.idle is Idle.NO_RULE


@pytest.mark.parametrize("code", ["transaction", "subscriber_code"])
def test_a_code_in_either_place(code: str) -> None:
    """An event that names a code as a field or as a fact is read and written as the same event."""
    as_field, as_fact = {**EVENT, code: "X1"}, {**EVENT, "facts": {code: "X1"}}

    assert load_event(as_field) == load_event(as_fact)
    assert dump_event(load_event(as_field)) == dump_event(load_event(as_fact))


ODD: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@given(events(), st.data())
def test_the_quick_reader_agrees_with_the_strict_one(event: Event, data: st.DataObject) -> None:
    """What `load_event` reads at once is what the reader of all documents would have read."""
    document = json.loads(dump_event(event))
    del document["version"]
    if data.draw(st.booleans()):
        places = [document, document.get("contact"), document.get("facts")]
        place = data.draw(st.sampled_from([each for each in places if each]))
        key = data.draw(st.sampled_from([*place, "name", "phone", "transaction", "plan_id"]))
        place[key] = data.draw(ODD)
    text = json.dumps(document)
    quick = _outcome(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_events, "_plain", lambda _fields: None)
        assert _outcome(text) == quick


def _outcome(text: str) -> Any:
    """Read an event: return all its parts with their types, or what is wrong."""
    try:
        event = load_event(text)
    except CodecError as error:
        return str(error)
    facts = [(name, type(value), value) for name, value in event.facts.items()]
    return event, event.contact and event.contact.key, type(event.name), facts
