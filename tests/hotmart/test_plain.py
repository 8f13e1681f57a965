"""The events of a webhook are made of plain values, as the constructor would make them."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given

from listboss import Contact, Event
from listboss.errors import EventError, WebhookError
from listboss.hotmart import parse
from listboss.rules.event import CONTACT_FIELDS, plain_contact
from listboss.testing import payloads

SHAPES = sorted((Path(__file__).parent / "shapes").iterdir())


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}


def _remade(event: Event) -> Event:
    """Make an event again, with the constructors of the event and its contact."""
    fields = _fields(event)
    if event.contact is not None:
        kept = {name: getattr(event.contact, name) for name in CONTACT_FIELDS}
        fields["contact"] = Contact(kept.pop("email"), **kept)
    return Event(fields.pop("name"), **fields)


def _typed(value: Any) -> Any:
    """Show a value with the types of everything in it, in order."""
    if isinstance(value, (Event, Contact)):
        return type(value), {name: _typed(part) for name, part in _fields(value).items()}
    if isinstance(value, dict):
        return type(value), [(name, _typed(part)) for name, part in value.items()]
    return type(value), value


def _check(body: Any) -> None:
    try:
        events = parse(body).events
    except WebhookError:
        return
    for event in events:
        assert _typed(_remade(event)) == _typed(event)
        assert hash(_remade(event)) == hash(event)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda file: file.name)
def test_every_shape(shape: Path) -> None:
    """The constructor keeps every value of the events of every known shape."""
    _check(shape.read_bytes())


@given(payloads())
def test_generated_bodies(payload: Any) -> None:
    """The same holds for generated bodies, as objects and as text."""
    _check(payload)
    _check(json.dumps(payload))


@pytest.mark.parametrize("email", ["", "ana", "@example.com", "a b@example.com", "a@b\x7f.com"])
def test_an_address_is_checked(email: str) -> None:
    """A contact is not made of what is not an address."""
    with pytest.raises(EventError):
        plain_contact(email, name=None, first_name=None, last_name=None, phone=None)
