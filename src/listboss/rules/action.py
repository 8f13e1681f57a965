"""What a rule does at the provider: actions as values, and when two of them are equal.

A closed union of six: `AddTag`, `RemoveTag`, `AddLead`, `MoveLead`, `RemoveLead`, and
`ProviderAction` for anything else that a provider offers. Tags and places are trimmed and
sent as written, and compare by `fold`. `action_key` alone defines when two actions are
equal, from canonical values only: merging, conflicts and action ids all use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias, assert_never, cast

import attrs

from listboss.errors import ActionError
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import (
    Readable,
    check_word,
    fold,
    require_id,
    require_number,
    require_text,
    shortest,
    wrong_type,
)
from listboss.rules.event import ANY_VALUE, FactValue, utc

__all__ = [
    "ACTION_KINDS",
    "Action",
    "AddLead",
    "AddTag",
    "MoveLead",
    "Place",
    "ProviderAction",
    "RemoveLead",
    "RemoveTag",
    "action_key",
    "action_kind",
    "action_spelling",
    "as_place",
    "place_key",
    "place_text",
]

IfAbsent: TypeAlias = Literal["add", "skip"]


def _trimmed(value: object, path: str) -> str:
    return require_text(value, path, ActionError).strip()


@attrs.frozen(init=False, repr=False)
class Place(Readable):
    """Where a lead is at a provider: in a list, or at a level of a sequence, for example.

    The parts have the names that the provider uses; each value is a string and is trimmed.
    Raises `ActionError` for a blank name and for a string that cannot be stored.

    >>> Place(machine="7", sequence="2", level="1")
    Place(level='1', machine='7', sequence='2')
    >>> AddLead("English-Speaking Buyers").place
    Place(list='English-Speaking Buyers')
    """

    __attrs_init__: ClassVar[Any]  # made by attrs: sets the fields, in their order
    parts: FrozenMap[str, str]

    def __init__(self, /, **parts: str) -> None:
        plain = ((require_id(name, "$", ActionError), value) for name, value in parts.items())
        trimmed = {name: _trimmed(value, f"$.{name}") for name, value in plain}
        self.__attrs_init__(FrozenMap(trimmed))

    def __repr__(self) -> str:
        return f"Place({', '.join(f'{name}={value!r}' for name, value in self.parts.items())})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_place, (dict(self.parts),))


def _place(parts: dict[str, str]) -> Place:
    return Place(**parts)


def as_place(value: Place | str) -> Place:
    """Return the place; a string names a list."""
    given = cast("object", value)
    if isinstance(given, str):
        return Place(list=given)
    if isinstance(given, Place):
        return given
    raise wrong_type("a place or the name of a list", given, "$.place")


def _as_optional_place(value: Place | str | None) -> Place | None:
    return None if value is None else as_place(value)


def _tag(value: str) -> str:
    return _trimmed(value, "$.tag")


@attrs.frozen
class AddTag(Readable):
    """Add a tag to the contact; the tag is trimmed.

    >>> AddTag(" buyer")
    AddTag(tag='buyer')
    """

    tag: str = attrs.field(converter=_tag)


@attrs.frozen
class RemoveTag(Readable):
    """Remove a tag from the contact; a tag that the contact does not have is not an error.

    >>> RemoveTag("cart-abandoned").tag
    'cart-abandoned'
    """

    tag: str = attrs.field(converter=_tag)


@attrs.frozen
class AddLead(Readable):
    """Record the contact at a place; without one, in the provider's contact base.

    >>> AddLead().place is None
    True
    """

    place: Place | None = attrs.field(default=None, converter=_as_optional_place)


@attrs.frozen
class MoveLead(Readable):
    """Move the contact to a place, from `source` or, without one, from wherever it is.

    `if_absent` says what happens when the contact is not at the source: it is added to the
    target (`add`), or the move is skipped (`skip`). Another word raises `ActionError`.

    >>> MoveLead("Customers", source="Prospects", if_absent="skip").to
    Place(list='Customers')
    """

    to: Place = attrs.field(converter=as_place)
    source: Place | None = attrs.field(default=None, converter=_as_optional_place)
    if_absent: IfAbsent = attrs.field(
        default="add", kw_only=True, validator=check_word(ActionError, "add", "skip")
    )


@attrs.frozen
class RemoveLead(Readable):
    """Remove the contact from one place; it stays in the provider's contact base.

    >>> RemoveLead("Prospects").place
    Place(list='Prospects')
    """

    place: Place = attrs.field(converter=as_place)


def _parameters(value: Mapping[str, FactValue]) -> FrozenMap[str, FactValue]:
    """Check and freeze the parameters of a provider's own action."""
    given = cast("object", value)
    if not isinstance(given, Mapping):
        raise wrong_type("a mapping", given, "$.parameters", "map each parameter to its value")
    plain = ((require_id(name, "$.parameters", ActionError), item) for name, item in value.items())
    return FrozenMap({name: _parameter(item, f"$.parameters.{name}") for name, item in plain})


def _parameter(value: FactValue, path: str) -> FactValue:
    match value:
        case bool():
            return value
        case str():
            return require_text(value, path, ActionError)
        case int() | Decimal():
            return require_number(value, path, ActionError)
        case datetime():
            return utc(value, path, ActionError)
        case _:
            raise wrong_type(ANY_VALUE, value, path)


def _verb(value: str) -> str:
    verb = require_id(value, "$.verb", ActionError)
    vendor, _, name = verb.partition(".")
    if not (vendor.strip() and name.strip()):
        raise ActionError(
            "the verb does not have the form `vendor.verb`",
            path="$.verb",
            hint="write the provider's name, a dot and its action, such as `acme.enrol`",
        )
    return verb


@attrs.frozen
class ProviderAction(Readable):
    """An action that only one provider offers, named `vendor.verb`.

    The provider's `Capabilities` declare the verb and its parameters. Raises `ActionError` for a
    verb of another form, and `ArgumentTypeError` for a parameter that is not a string, number,
    boolean, or date and time.

    >>> ProviderAction("acme.enrol", {"course": "welcome"}).verb
    'acme.enrol'
    """

    verb: str = attrs.field(converter=_verb)
    parameters: FrozenMap[str, FactValue] = attrs.field(
        default=FrozenMap[str, FactValue](), converter=_parameters
    )


Action: TypeAlias = AddTag | RemoveTag | AddLead | MoveLead | RemoveLead | ProviderAction
"""Any action of a segmentation."""

ACTION_KINDS: dict[str, type[Any]] = {
    "remove_tag": RemoveTag,
    "remove_lead": RemoveLead,
    "move_lead": MoveLead,
    "add_lead": AddLead,
    "add_tag": AddTag,
    "provider_action": ProviderAction,
}
"""The kinds of action by name, in the order in which a plan sorts its actions."""

_KIND_NAMES = {kind: name for name, kind in ACTION_KINDS.items()}


def action_kind(action: Action) -> str:
    """Return the name of the action's kind.

    >>> action_kind(AddTag("buyer"))
    'add_tag'
    """
    return _KIND_NAMES[type(action)]


def place_key(place: Place | None) -> tuple[str, ...]:
    """Return a key that equal places share: the names of the parts and their folded values."""
    if place is None:
        return ()
    return tuple(text for name, value in place.parts.items() for text in (name, fold(value)))


def place_text(place: Place) -> str:
    """Return the place as messages show it: the name of a list, or else every part.

    >>> place_text(Place(list="Buyers")), place_text(Place(machine="7", level="1"))
    ('Buyers', 'level=1, machine=7')
    """
    if list(place.parts) == ["list"]:
        return place.parts["list"]
    return ", ".join(f"{name}={value}" for name, value in place.parts.items())


def _parameter_key(value: FactValue) -> tuple[str, str]:
    match value:
        case datetime():
            return ("datetime", value.isoformat())
        case Decimal():
            return ("Decimal", f"{shortest(value):f}")
        case _:
            return (type(value).__name__, str(value))


def action_key(action: Action) -> tuple[str, ...]:
    """Return a key that equal actions share: the kind, then the canonical form of its values.

    >>> action_key(AddTag(" VIP")) == action_key(AddTag("vip"))
    True
    """
    kind = action_kind(action)
    match action:
        case AddTag() | RemoveTag():
            return (kind, fold(action.tag))
        case AddLead() | RemoveLead():
            return (kind, *place_key(action.place))
        case MoveLead():
            to = place_key(action.to)
            return (kind, str(len(to)), *to, *place_key(action.source), action.if_absent)
        case ProviderAction():
            pairs = ((name, *_parameter_key(v)) for name, v in action.parameters.items())
            return (kind, action.verb, *(text for pair in pairs for text in pair))
        case _:
            assert_never(action)


def action_spelling(action: Action) -> str:
    """Return the spelling of an action; of equal actions, the one that sorts first is sent.

    >>> action_spelling(AddTag("VIP")) < action_spelling(AddTag("vip"))
    True
    """
    if isinstance(action, ProviderAction):  # its `repr` masks the values
        return "\0".join(map(str, action.parameters.values()))
    return repr(action)
