"""What a provider's account can do, as data that rules are reviewed against.

The provider decides which actions exist. A rule that asks for more is flagged and does not
run; nothing is quietly replaced by something similar, unless the provider itself says that
it emulates it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, assert_never

import attrs

from listboss.errors import ActionError, ArgumentTypeError
from listboss.rules._facts import READERS
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import (
    check_bool,
    check_id,
    fold,
    require_id,
    require_member,
    require_tuple,
)
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    action_kind,
    as_place,
    place_key,
)
from listboss.rules.catalogue import FactKind

__all__ = ["GENERAL_ACTIONS", "Ability", "Capabilities", "Verb"]

Ability: TypeAlias = Literal["native", "emulated", "none"]

GENERAL_ACTIONS = ("add_tag", "remove_tag", "add_lead", "move_lead", "remove_lead")
"""The kinds of action that every provider may offer; each is a field of `Capabilities`."""


def _parameter_kinds(value: Mapping[str, FactKind | str]) -> FrozenMap[str, FactKind]:
    return FrozenMap(
        {
            require_id(name, "$.parameters", ActionError): require_member(
                kind, FactKind, "$.parameters", ActionError
            )
            for name, kind in value.items()
        }
    )


def _optional(value: Iterable[str]) -> tuple[str, ...]:
    return require_tuple(value, "$.optional")


@attrs.frozen
class Verb:
    """One action of a provider's own: its name and its parameters, each of a kind.

    >>> Verb("acme.enrol", {"course": "text", "note": "text"}, optional=("note",)).name
    'acme.enrol'
    """

    name: str = attrs.field(validator=check_id(ActionError))
    parameters: FrozenMap[str, FactKind] = attrs.field(
        default=FrozenMap[str, FactKind](), converter=_parameter_kinds
    )
    optional: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_optional)

    def faults(self, action: ProviderAction) -> tuple[str, ...]:
        """Name the parameters that are missing, unknown or of a wrong kind."""
        given = action.parameters
        missing = [n for n in self.parameters if n not in given and n not in self.optional]
        wrong = [
            name
            for name, value in given.items()
            if name not in self.parameters or READERS[self.parameters[name]](value) is None
        ]
        return (*missing, *wrong)


def _ability(_caps: object, attribute: attrs.Attribute[Ability], value: object) -> None:
    if value not in ("native", "emulated", "none"):
        raise ActionError(
            "an ability is `native`, `emulated` or `none`", path=f"$.{attribute.name}"
        )


def _places(value: Iterable[Place | str] | None) -> tuple[Place, ...] | None:
    if value is None:
        return None
    return tuple(as_place(item) for item in require_tuple(value, "$.places", Place))


def _texts(path: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    texts = require_tuple(value, path)
    if not all(isinstance(text, str) for text in texts):
        raise ArgumentTypeError("texts are meant here", path=path)
    return texts


def _tags(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return _texts("$.tags", value)


def _data(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return _texts("$.data", value)


def _events(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return _texts("$.events", value)


def _verbs(value: Verb | Iterable[Verb | str]) -> tuple[Verb, ...]:
    return tuple(
        item if isinstance(item, Verb) else Verb(item)
        for item in require_tuple(value, "$.verbs", Verb)
    )


def _positive(_caps: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None and attribute.default is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ActionError("a whole number of at least 1 is meant", path=f"$.{attribute.name}")


def _place_keys(places: tuple[Place, ...] | None) -> frozenset[tuple[str, ...]] | None:
    return None if places is None else frozenset(map(place_key, places))


def _tag_keys(tags: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if tags is None else frozenset(map(fold, tags))


@attrs.frozen(kw_only=True)
class Capabilities:
    """What one account of a provider can do.

    Each general action is `native`, `emulated` (the provider composes it of others; rules
    that use it get a warning) or `none`. None means any for `places`, `tags`, `data` and
    `events`. `one_place`: a contact is at one place at a time. `data`: the fields that may
    be sent. `verbs`: the provider's own actions. `rate`: actions a minute, None for no
    limit. `batch`: how many actions one call may carry. `idempotent`: an action repeated
    with the same id is done once.

    >>> Capabilities(add_tag="native", remove_tag="native").kinds()
    ('add_tag', 'remove_tag')
    """

    add_tag: Ability = attrs.field(default="none", validator=_ability)
    remove_tag: Ability = attrs.field(default="none", validator=_ability)
    add_lead: Ability = attrs.field(default="none", validator=_ability)
    move_lead: Ability = attrs.field(default="none", validator=_ability)
    remove_lead: Ability = attrs.field(default="none", validator=_ability)
    idempotent: bool = attrs.field(default=False, validator=check_bool)
    places: tuple[Place, ...] | None = attrs.field(default=None, converter=_places)
    tags: tuple[str, ...] | None = attrs.field(default=None, converter=_tags)
    one_place: bool = attrs.field(default=False, validator=check_bool)
    data: tuple[str, ...] | None = attrs.field(default=("email", "name", "phone"), converter=_data)
    verbs: tuple[Verb, ...] = attrs.field(default=(), converter=_verbs)
    events: tuple[str, ...] | None = attrs.field(default=None, converter=_events)
    rate: int | None = attrs.field(default=None, validator=_positive)
    batch: int = attrs.field(default=1, validator=_positive)
    _place_keys: frozenset[tuple[str, ...]] | None = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _place_keys(self.places), takes_self=True),
    )
    _tag_keys: frozenset[str] | None = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _tag_keys(self.tags), takes_self=True),
    )

    @classmethod
    def everything(cls) -> Capabilities:
        """Return the capabilities of an account without limits, for hosts that want none."""
        return cls(
            add_tag="native",
            remove_tag="native",
            add_lead="native",
            move_lead="native",
            remove_lead="native",
            data=None,
        )

    def ability(self, kind: str) -> Ability:
        """Return how the account does a general kind of action."""
        ability: Ability = getattr(self, kind)
        return ability

    def kinds(self) -> tuple[str, ...]:
        """List the actions a form would offer: general kinds first, then own verbs."""
        general = tuple(kind for kind in GENERAL_ACTIONS if self.ability(kind) != "none")
        return general + tuple(verb.name for verb in self.verbs)

    def verb(self, name: str) -> Verb | None:
        """Return the account's own action of that name, or None."""
        return next((verb for verb in self.verbs if verb.name == name), None)

    def takes_event(self, event_name: str) -> bool:
        """Whether rules on that event are offered for the account."""
        return self.events is None or event_name in self.events

    def takes_place(self, place: Place | None) -> bool:
        """Whether the account has that place; the contact base is always there."""
        return place is None or self._place_keys is None or place_key(place) in self._place_keys

    def takes_tag(self, tag: str) -> bool:
        """Whether the account has that tag."""
        return self._tag_keys is None or fold(tag) in self._tag_keys

    def can(self, action: Action) -> bool:
        """Whether the account can do the action, natively or emulated.

        >>> Capabilities(add_tag="native").can(RemoveTag("buyer"))
        False
        """
        match action:
            case ProviderAction():
                verb = self.verb(action.verb)
                return verb is not None and not verb.faults(action)
            case AddTag() | RemoveTag():
                fits = self.takes_tag(action.tag)
            case AddLead() | RemoveLead():
                fits = self.takes_place(action.place)
            case MoveLead():
                fits = self.takes_place(action.to) and self.takes_place(action.source)
            case _:
                assert_never(action)
        return fits and self.ability(action_kind(action)) != "none"
