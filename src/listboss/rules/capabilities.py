"""What a provider's account can do, as data that rules are reviewed against.

The provider decides which actions exist. A rule that uses another one is flagged and does
not run; no action is silently replaced by a similar one, unless the provider itself declares
that it emulates the action.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, assert_never, get_args

import attrs

from listboss.errors import ActionError, RuleError
from listboss.rules._facts import MAX_TEXT_LENGTH, READERS
from listboss.rules._mapping import FrozenMap, require_mapping
from listboss.rules._text import (
    check_bool,
    check_id,
    check_optional_id,
    check_word,
    fold,
    kind_of,
    require_id,
    require_member,
    require_number,
    require_text,
    require_tuple,
    unknown_word,
    wrong_type,
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
from listboss.rules.event import FactValue

__all__ = ["GENERAL_ACTIONS", "Ability", "Capabilities", "Verb", "require_accounts"]

Ability: TypeAlias = Literal["native", "emulated", "none"]

GENERAL_ACTIONS = ("add_tag", "remove_tag", "add_lead", "move_lead", "remove_lead")
"""The kinds of action that any provider may offer; each is a field of `Capabilities`."""


def require_accounts(providers: Mapping[str, Any]) -> FrozenMap[str, Capabilities]:
    """Freeze the accounts of a rule set: their capabilities by name."""
    require_mapping(providers, "$.providers", "map each account to its capabilities")
    accounts: dict[str, Capabilities] = {}
    for given, capabilities in providers.items():
        name = require_id(given, "$.providers", RuleError)
        if not isinstance(capabilities, Capabilities):
            hint = "such as `Capabilities.everything()`"
            raise wrong_type("capabilities", capabilities, f"$.providers.{name}", hint)
        accounts[name] = capabilities
    return FrozenMap(accounts)


def _parameter_kinds(value: Mapping[str, FactKind | str]) -> FrozenMap[str, FactKind]:
    require_mapping(value, "$.parameters", "map each parameter to the kind of its value")
    return FrozenMap(
        {
            require_id(name, "$.parameters", ActionError): require_member(
                kind, FactKind, "$.parameters", ActionError
            )
            for name, kind in value.items()
        }
    )


def _strings(path: str, value: Iterable[str]) -> tuple[str, ...]:
    strings = enumerate(require_tuple(value, path))
    return tuple(require_text(string, f"{path}[{n}]", ActionError) for n, string in strings)


def _optional(value: Iterable[str]) -> tuple[str, ...]:
    return _strings("$.optional", value)


def _fits(value: FactValue, kind: FactKind) -> bool:
    # A parameter is sent and never compared, so a string may be longer than that of a fact.
    short = value[:MAX_TEXT_LENGTH] if isinstance(value, str) else value
    return READERS[kind](short) is not None


@attrs.frozen
class Verb:
    """An action that only this provider offers: its name and the kind of each parameter.

    `parameters` maps the name of each parameter to the kind of its value; `optional` names those
    that may be left out.

    A verb that `asserts` or `clears` something is delivered like a tag: an older event does not
    assert what a newer one has cleared. Both name a parameter, whose value says which one it is
    (`asserts="course"`), or are a word of your own; the verb that does the opposite has the same
    name. Any other verb is not sent once a newer event has ended its purchase or subscription,
    unless it is `always` sent. Only an `idempotent` verb is sent again after an attempt without
    an answer.

    Raises `ActionError` or `ArgumentTypeError` for an invalid value.

    >>> Verb("acme.enrol", {"course": "text", "note": "text"}, optional=("note",)).name
    'acme.enrol'
    """

    name: str = attrs.field(validator=check_id(ActionError))
    parameters: FrozenMap[str, FactKind] = attrs.field(
        default=FrozenMap[str, FactKind](), converter=_parameter_kinds
    )
    optional: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_optional)
    asserts: str | None = attrs.field(
        default=None, kw_only=True, validator=check_optional_id(ActionError)
    )
    clears: str | None = attrs.field(
        default=None, kw_only=True, validator=check_optional_id(ActionError)
    )
    always: bool = attrs.field(default=False, kw_only=True, validator=check_bool)
    idempotent: bool = attrs.field(default=False, kw_only=True, validator=check_bool)

    def faults(self, action: ProviderAction) -> tuple[str, ...]:
        """Name the parameters that are missing, unknown or of the wrong kind."""
        given = action.parameters
        optional = set(self.optional)
        missing = [n for n in self.parameters if n not in given and n not in optional]
        wrong = [
            name
            for name, value in given.items()
            if name not in self.parameters or not _fits(value, self.parameters[name])
        ]
        return (*missing, *wrong)


_check_ability = check_word(ActionError, *get_args(Ability))


def _places(value: Iterable[Place | str] | None) -> tuple[Place, ...] | None:
    if value is None:
        return None
    return tuple(as_place(item) for item in require_tuple(value, "$.places", Place))


def _tags(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else _strings("$.tags", value)


def _data(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else _strings("$.data", value)


def _events(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else _strings("$.events", value)


def _verbs(value: Verb | Iterable[Verb | str]) -> tuple[Verb, ...]:
    return tuple(
        item if isinstance(item, Verb) else Verb(item)
        for item in require_tuple(value, "$.verbs", Verb)
    )


def _positive(value: object, path: str) -> int:
    expected = "expected an integer of at least 1"
    if not isinstance(value, int) or isinstance(value, bool):
        raise ActionError(f"{expected}, got {kind_of(value)}", path=path)
    number = int(require_number(value, path, ActionError))
    if number < 1:
        raise ActionError(f"{expected}, got a smaller one", path=path)
    return number


def _rate(value: int | None) -> int | None:
    return None if value is None else _positive(value, "$.rate")


def _batch(value: int) -> int:
    return _positive(value, "$.batch")


def _place_keys(places: tuple[Place, ...] | None) -> frozenset[tuple[str, ...]] | None:
    return None if places is None else frozenset(map(place_key, places))


def _tag_keys(tags: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if tags is None else frozenset(map(fold, tags))


def _set_of(names: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _verb_by_name(verbs: tuple[Verb, ...]) -> dict[str, Verb]:
    return {verb.name: verb for verb in reversed(verbs)}  # of equal names, the first counts


@attrs.frozen(kw_only=True)
class Capabilities:
    """What one account of a provider can do.

    Each general action is `native`, `emulated` (the provider composes it from other actions;
    rules that use it get a warning) or `none`. For `places`, `tags`, `data` and `events`,
    None means any.

    - `one_place`: a contact is at one place at a time.
    - `data`: the fields that may be sent.
    - `verbs`: the provider's own actions.
    - `rate`: at most this many actions a minute, None for no limit.
    - `batch`: at most this many actions in one call.
    - `idempotent`: the provider carries out an action only once for each id.

    Raises `ActionError` or `ArgumentTypeError` for an invalid value.

    >>> Capabilities(add_tag="native", remove_tag="native").kinds()
    ('add_tag', 'remove_tag')
    """

    add_tag: Ability = attrs.field(default="none", validator=_check_ability)
    remove_tag: Ability = attrs.field(default="none", validator=_check_ability)
    add_lead: Ability = attrs.field(default="none", validator=_check_ability)
    move_lead: Ability = attrs.field(default="none", validator=_check_ability)
    remove_lead: Ability = attrs.field(default="none", validator=_check_ability)
    idempotent: bool = attrs.field(default=False, validator=check_bool)
    places: tuple[Place, ...] | None = attrs.field(default=None, converter=_places)
    tags: tuple[str, ...] | None = attrs.field(default=None, converter=_tags)
    one_place: bool = attrs.field(default=False, validator=check_bool)
    data: tuple[str, ...] | None = attrs.field(default=("email", "name", "phone"), converter=_data)
    verbs: tuple[Verb, ...] = attrs.field(default=(), converter=_verbs)
    events: tuple[str, ...] | None = attrs.field(default=None, converter=_events)
    rate: int | None = attrs.field(default=None, converter=_rate)
    batch: int = attrs.field(default=1, converter=_batch)
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
    _data_set: frozenset[str] | None = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _set_of(self.data), takes_self=True),
    )
    _event_set: frozenset[str] | None = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _set_of(self.events), takes_self=True),
    )
    _verb_by_name: dict[str, Verb] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _verb_by_name(self.verbs), takes_self=True),
    )

    @classmethod
    def everything(cls) -> Capabilities:
        """Return the capabilities of an account without limits."""
        return cls(
            add_tag="native",
            remove_tag="native",
            add_lead="native",
            move_lead="native",
            remove_lead="native",
            data=None,
        )

    def ability(self, kind: str) -> Ability:
        """Return how the account carries out a general kind of action, such as `add_tag`.

        Raises `ActionError` for another kind.
        """
        if kind not in GENERAL_ACTIONS:
            raise unknown_word(kind, GENERAL_ACTIONS, "$.kind", ActionError)
        ability: Ability = getattr(self, kind)
        return ability

    def kinds(self) -> tuple[str, ...]:
        """List the actions for a form to offer: general kinds first, then the own verbs."""
        general = tuple(kind for kind in GENERAL_ACTIONS if self.ability(kind) != "none")
        return general + tuple(verb.name for verb in self.verbs)

    def verb(self, name: str) -> Verb | None:
        """Return the provider's own action of that name, or None."""
        return self._verb_by_name.get(name)

    def takes_event(self, event_name: str) -> bool:
        """Whether the account supports rules on that event."""
        return self._event_set is None or event_name in self._event_set

    def takes_field(self, field: str) -> bool:
        """Whether the account accepts that field; every account accepts the e-mail address."""
        return self._data_set is None or field == "email" or field in self._data_set

    def takes_place(self, place: Place | None) -> bool:
        """Whether the account has that place; every account has the contact base (None)."""
        return place is None or self._place_keys is None or place_key(place) in self._place_keys

    def takes_tag(self, tag: str) -> bool:
        """Whether the account has that tag."""
        return self._tag_keys is None or fold(tag) in self._tag_keys

    def can(self, action: Action) -> bool:
        """Whether the account can carry out the action, natively or emulated.

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
