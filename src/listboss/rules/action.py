"""What happens at the provider: actions as values, and when two of them are the same.

A closed union of six: `AddTag`, `RemoveTag`, `AddLead`, `MoveLead`, `RemoveLead`, and
`ProviderAction` for what a provider offers beyond these. Tags and places compare trimmed
and case-folded and are sent as written. `action_key` is the one definition of equality
between actions: merging, conflicts and action ids all rest on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias, assert_never, cast

import attrs

from listboss.errors import ActionError, ArgumentTypeError
from listboss.rules._mapping import FrozenMap, fill
from listboss.rules._text import fold, require_id, require_number, require_text
from listboss.rules.event import FactValue, utc

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
    "as_place",
    "parameters",
    "place_key",
]

IfAbsent: TypeAlias = Literal["add", "skip"]


@attrs.frozen(init=False, repr=False)
class Place:
    """Where a lead stands at a provider: a list, or machine, sequence and level, or the like.

    The parts are named as the provider names them; each is a text.

    >>> Place(machine="7", sequence="2", level="1")
    Place(level='1', machine='7', sequence='2')
    >>> AddLead("English-Speaking Buyers").place
    Place(list='English-Speaking Buyers')
    """

    parts: FrozenMap[str, str]

    def __init__(self, /, **parts: str) -> None:
        for name, value in parts.items():
            require_text(value, f"$.{require_id(name, '$', ActionError)}", ActionError)
        fill(self, parts=FrozenMap(parts))

    def __repr__(self) -> str:
        return f"Place({', '.join(f'{name}={value!r}' for name, value in self.parts.items())})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_place, (dict(self.parts),))


def _place(parts: dict[str, str]) -> Place:
    return Place(**parts)


def as_place(value: Place | str) -> Place:
    """Return the place; a bare text names a list."""
    given = cast("object", value)
    if isinstance(given, str):
        return Place(list=given)
    if isinstance(given, Place):
        return given
    raise ArgumentTypeError("a place or the name of a list is meant here", path="$.place")


def _as_optional_place(value: Place | str | None) -> Place | None:
    return None if value is None else as_place(value)


def _tag(_action: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    require_text(value, "$.tag", ActionError)


@attrs.frozen
class AddTag:
    """Put a tag on the contact.

    >>> AddTag("buyer")
    AddTag(tag='buyer')
    """

    tag: str = attrs.field(validator=_tag)


@attrs.frozen
class RemoveTag:
    """Take a tag off the contact; one that is not there is no error.

    >>> RemoveTag("cart-abandoned").tag
    'cart-abandoned'
    """

    tag: str = attrs.field(validator=_tag)


@attrs.frozen
class AddLead:
    """Record the contact at a place; without one, in the provider's contact base.

    >>> AddLead().place is None
    True
    """

    place: Place | None = attrs.field(default=None, converter=_as_optional_place)


def _add_or_skip(_action: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in ("add", "skip"):
        raise ActionError("`if_absent` is `add` or `skip`", path="$.if_absent")


@attrs.frozen
class MoveLead:
    """Move the contact to a place, out of `source` or, without one, out of where it is.

    `if_absent` says what happens when the contact is not at the source: it is added to the
    target, or the move is skipped.

    >>> MoveLead("Customers", source="Prospects", if_absent="skip").to
    Place(list='Customers')
    """

    to: Place = attrs.field(converter=as_place)
    source: Place | None = attrs.field(default=None, converter=_as_optional_place)
    if_absent: IfAbsent = attrs.field(default="add", kw_only=True, validator=_add_or_skip)


@attrs.frozen
class RemoveLead:
    """Take the contact out of one place; it stays in the provider's contact base.

    >>> RemoveLead("Prospects").place
    Place(list='Prospects')
    """

    place: Place = attrs.field(converter=as_place)


def parameters(value: Mapping[str, FactValue]) -> FrozenMap[str, FactValue]:
    """Check and freeze the parameters of a provider's own action."""
    given = cast("object", value)
    if not isinstance(given, Mapping):
        raise ArgumentTypeError("parameters are a mapping", path="$.parameters")
    for name, item in value.items():
        path = f"$.parameters.{require_id(name, '$.parameters', ActionError)}"
        match item:
            case bool():
                pass
            case str():
                require_text(item, path, ActionError)
            case int() | Decimal():
                require_number(item, path, ActionError)
            case datetime():
                utc(item, path)
            case _:
                raise ArgumentTypeError(
                    "a parameter is a text, whole number, decimal, truth value or instant",
                    path=path,
                )
    return FrozenMap(value)


def _verb(_action: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    vendor, dot, name = require_id(value, "$.verb", ActionError).partition(".")
    if not (vendor and dot and name):
        raise ActionError("a verb reads `vendor.verb`", path="$.verb")


@attrs.frozen
class ProviderAction:
    """What one provider offers beyond the general actions, named `vendor.verb`.

    The provider's `Capabilities` declare the verb and its parameters.

    >>> ProviderAction("acme.enrol", {"course": "welcome"}).verb
    'acme.enrol'
    """

    verb: str = attrs.field(validator=_verb)
    parameters: FrozenMap[str, FactValue] = attrs.field(
        default=FrozenMap[str, FactValue](), converter=parameters
    )


Action: TypeAlias = AddTag | RemoveTag | AddLead | MoveLead | RemoveLead | ProviderAction
"""What a segmentation may do."""

ACTION_KINDS: dict[str, type[Any]] = {
    "remove_tag": RemoveTag,
    "remove_lead": RemoveLead,
    "move_lead": MoveLead,
    "add_lead": AddLead,
    "add_tag": AddTag,
    "provider_action": ProviderAction,
}
"""The kinds by name, in the order in which the actions of a plan are sorted."""

_KIND_NAMES = {kind: name for name, kind in ACTION_KINDS.items()}


def action_kind(action: Action) -> str:
    """Return the name of the action's kind.

    >>> action_kind(AddTag("buyer"))
    'add_tag'
    """
    return _KIND_NAMES[type(action)]


def place_key(place: Place | None) -> tuple[str, ...]:
    """Return what makes two places equal: the parts' names and their folded values."""
    if place is None:
        return ()
    return tuple(text for name, value in place.parts.items() for text in (name, fold(value)))


def _parameter_key(value: FactValue) -> tuple[str, str]:
    if isinstance(value, datetime):
        return ("datetime", value.astimezone(UTC).isoformat())
    return (type(value).__name__, str(value))


def action_key(action: Action) -> tuple[str, ...]:
    """Return what makes two actions equal: the kind, then everything it says.

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
