import json
from datetime import UTC, datetime

import attrs
import pytest

from listboss.errors import EventError
from listboss.hotmart import IgnoredReason, parse
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue, EventType

NOON = datetime(2025, 4, 30, 12, tzinfo=UTC)


def _without(*names: str) -> Catalogue:
    return Catalogue([event for event in HOTMART.events if event.name not in names], HOTMART.facts)


@pytest.mark.parametrize(
    ("body", "reason", "event"),
    [
        ({}, "no_event", None),
        ({"data": {}}, "no_event", None),
        ({"event": None, "data": {}}, "no_event", None),
        ({"event": [], "data": {}}, "no_event", None),
        ({"event": 7, "data": {}}, "unknown_event", "7"),
        ({"event": "SUBSCRIPTION_RENEWED", "data": {}}, "unknown_event", "SUBSCRIPTION_RENEWED"),
        ({"event": "PURCHASE_MISSPELT", "data": {}}, "unknown_event", "PURCHASE_MISSPELT"),
        ({"event": "PURCHASE_CANCELLED", "data": {}}, "no_product", "PURCHASE_CANCELLED"),
        ({"event": "ana@example.com", "data": {}}, "unknown_event", None),
        ({"event": "X" * 65, "data": {}}, "unknown_event", None),
        ({"event": "PURCHASE_APPROVED"}, "no_product", "PURCHASE_APPROVED"),
        ({"event": "PURCHASE_APPROVED", "data": None}, "no_product", "PURCHASE_APPROVED"),
        ({"event": "PURCHASE_APPROVED", "data": []}, "no_product", "PURCHASE_APPROVED"),
        ({"event": "PURCHASE_APPROVED", "data": "x"}, "no_product", "PURCHASE_APPROVED"),
        ({"event": "SWITCH_PLAN", "data": {"product": {"id": 7}}}, "no_time", "SWITCH_PLAN"),
        ({"buyerVO": {}}, "no_product", "buyerVO"),
        ({"callback_type": "2", "prod": "7"}, "no_time", None),
    ],
    ids=repr,
)
def test_ignored(body, reason, event):
    """An ignored body has a reason, and its event name if that is printable."""
    parsed = parse(body)
    assert parsed.events == ()
    assert parsed.ignored is not None
    assert (parsed.ignored.reason, parsed.ignored.event) == (IgnoredReason(reason), event)


def test_event_that_the_catalogue_lacks(shape):
    """An event that the catalogue does not have is ignored."""
    parsed = parse(shape("07-refunded.json"), catalogue=_without("purchase.refunded"))
    assert parsed.ignored is not None
    assert parsed.ignored.reason is IgnoredReason.NOT_IN_CATALOGUE
    assert parsed.ignored.event == "PURCHASE_REFUNDED"


def test_one_of_two_events_in_the_catalogue(sale):
    """Only the events that the catalogue has are returned."""
    parsed = parse(sale, catalogue=_without("purchase.approved"))
    assert [event.name for event in parsed.events] == ["subscription.active"]
    assert parsed.ignored is None


def test_pix_as_a_host_s_own_event(shape):
    """PIX can become the host's own event, with the facts of its type and its own codes."""
    own = EventType("pix.printed", "PIX printed", facts=("pix_code",))
    body = shape("05-pix-renewal.json")
    (event,) = parse(body, catalogue=HOTMART.extended(events=[own]), pix_as="pix.printed").events
    assert event.name == "pix.printed"
    assert list(event.facts) == ["pix_code", "subscriber_code", "transaction"]
    assert (event.plan_id, event.plan_name) == (None, None)


def test_pix_as_an_event_that_is_derived_too(shape):
    """A name that occurs twice gives one event."""
    body = shape("05-billet-started.json")
    body["data"]["purchase"]["payment"]["type"] = "PIX"
    events = parse(body, pix_as="subscription.started").events
    assert [event.name for event in events] == ["subscription.started"]


def test_pix_as_an_unknown_event(shape):
    """PIX as an event that the catalogue does not have is ignored."""
    parsed = parse(shape("05-pix.json"), pix_as="own.event")
    assert parsed.ignored is not None
    assert parsed.ignored.reason is IgnoredReason.NOT_IN_CATALOGUE


def test_received_at_where_the_body_has_no_date(shape):
    """`received_at` is used only if the body has no date."""
    body = shape("15-club-first-access.json")
    assert parse(body, received_at=NOON).events[0].occurred_at != NOON
    del body["creationDate"]
    assert parse(body, received_at=NOON).events[0].occurred_at == NOON


def test_naive_received_at(sale):
    """A `received_at` without a time zone raises `EventError`."""
    with pytest.raises(EventError) as caught:
        parse(sale, received_at=datetime(2025, 4, 30))  # noqa: DTZ001 # the mistake under test
    assert caught.value.path == "$.received_at"


def test_no_email(sale):
    """A body without an address gives events without a contact."""
    sale["data"]["buyer"]["email"] = "none"
    events = parse(sale).events
    assert [event.contact for event in events] == [None, None]


def test_subscriber_code_is_on_the_event(sale):
    """The code of the subscription is a field of each event of the body."""
    sale["data"]["subscription"] = {"status": "ACTIVE", "subscriber": {"code": "S1"}}
    assert ["S1", "S1"] == [event.subscriber_code for event in parse(sale).events]


def test_transaction_is_on_the_event(sale):
    """The transaction is a field of the event."""
    assert parse(sale).events[0].transaction == "HP0000000001"


@pytest.mark.parametrize("encode", [dict, json.dumps, lambda body: json.dumps(body).encode()])
def test_bytes_text_and_mapping_are_one(sale, encode):
    """The same body gives equal events as bytes, a string and a mapping."""
    assert parse(sale) == parse(encode(sale))


def test_parsing_changes_nothing(sale):
    """A body that is passed as an object is not changed."""
    before = json.dumps(sale)
    parse(sale)
    assert before == json.dumps(sale)


def test_parsed_is_a_value(sale):
    """The result is frozen and hashable."""
    parsed = parse(sale)
    assert hash(parsed) == hash(parse(sale))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        parsed.events = ()  # type: ignore[misc] # frozen
