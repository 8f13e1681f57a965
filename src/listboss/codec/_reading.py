"""Read rules, events and plans from a plain tree, with one cattrs converter of strict hooks.

cattrs collects: for each class it knows the keys and which of them are required, and it
gathers all faults with their paths. Its default, to convert whatever comes, is switched off:
each type that a field can have has a hook here that first checks for a string, a list or an
object. The format writes conditions and actions, two closed unions, shorter than their
classes, so these are read by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from functools import partial
from operator import eq
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError, IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from listboss.codec._document import Limits, Source, read_tree, root_object
from listboss.codec._faults import (
    KINDS,
    MAX_FAULTS,
    add_faults,
    combine,
    fault,
    inside,
    list_words,
    unknown_key,
    unknown_word,
    wrong_type,
)
from listboss.codec._scalars import (
    PLAIN,
    SCALAR,
    read_day,
    read_instant,
    read_scalar,
    require_object,
    require_type,
)
from listboss.errors import CodecError, ConditionError, ListBossError
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import (
    ACTION_KINDS,
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.rules.capabilities import Capabilities
from listboss.rules.condition import (
    BOUNDS,
    LISTS,
    NEGATED,
    NO_VALUE,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operator,
    plain_comparison,
)
from listboss.rules.event import EventName, FactValue, event_name
from listboss.rules.segmentation import Product

__all__ = ["COMBINATORS", "UNREADABLE", "read", "read_document", "read_root", "reader_of"]

T = TypeVar("T")

COMBINATORS = ("all", "any", "not")
_COMBINATORS = frozenset(COMBINATORS)

_CONDITION_HINT = "write one comparison, or one of `all`, `any` and `not`"
_COMPARISON_HINT = "write one operator in each comparison, and combine them with `all`"
_ACTION_HINT = 'write an object for each action, such as {"add_tag": "buyer"}'
_PLACE_HINT = "write the name of a list, or an object with the parts of the place"
_OPERAND_HINTS: dict[type, str] = {
    type(None): "write `is_missing` to find an absent fact",
    list: "write `in` to compare with several values",
}
_OPERATORS = {str(operator): operator for operator in Operator}
_SPECIAL = LISTS | NO_VALUE
_OPERATOR_NAMES, _ACTION_NAMES = tuple(_OPERATORS), tuple(ACTION_KINDS)


def _only_key(fields: dict[str, object], known: tuple[str, ...], noun: str, hint: str) -> str:
    for key in fields:
        if key not in known:
            raise unknown_key(key, known, noun)
    if len(fields) != 1:
        hint = hint if fields else list_words(known, noun)
        raise fault("one_key", f"expected one {noun}, got {len(fields) or 'none'}", hint)
    return next(iter(fields))


# Conditions


def _read_condition(value: object, _type: object = None) -> Condition:
    fields = require_object(value, "a condition", _CONDITION_HINT)
    if _COMBINATORS.isdisjoint(fields):
        return _read_comparison(fields)
    word = _only_key(fields, COMBINATORS, "key", _CONDITION_HINT)
    with inside(word):
        if word == "not":
            return Not(_read_condition(fields[word]))
        parts = _read_conditions(fields[word], None)
        return AllOf(*parts) if word == "all" else AnyOf(*parts)


def _read_comparison(fields: dict[str, object]) -> Comparison:
    operands = fields.copy()
    fact = operands.pop("fact", None)
    word = _only_key(operands, _OPERATOR_NAMES, "operator", _COMPARISON_HINT)
    operator = _OPERATORS[word]
    if type(fact) is not str:
        if "fact" not in fields:
            raise fault("missing_key", "missing key `fact`", "name the fact to compare")
        with inside("fact"):
            raise wrong_type(fact, "a string", "name the fact to compare")
    operand = cast("Any", operands[word])
    if operator in LISTS and operand.__class__ is list and PLAIN.issuperset(map(type, operand)):
        operand = tuple(operand)
    elif operator in _SPECIAL or type(operand) not in PLAIN:
        with inside(word):
            operand = _read_operand(operator, operand)
    is_complete = operator is not Operator.BETWEEN or len(cast("Any", operand)) == BOUNDS
    if is_complete and fact.strip():  # so nothing is left to check
        return plain_comparison(fact, operator, operand)
    try:
        return Comparison(fact, operator, operand)
    except ConditionError as error:
        error.path = error.path.replace("$.value", f"$.{operator}")
        raise


def _read_operand(operator: Operator, value: object) -> FactValue | tuple[FactValue, ...] | None:
    if operator in LISTS:
        return _read_values(value, None)
    if operator not in NO_VALUE:
        if type(value) in _OPERAND_HINTS:
            raise wrong_type(value, SCALAR, _OPERAND_HINTS[type(value)])
        return read_scalar(value)
    if value is False:
        opposite = NEGATED[operator]
        raise fault("wrong_type", "expected true, got false", f"write `{opposite}` instead")
    if value is not True:
        raise wrong_type(value, "true", "write true, without quotes")
    return None


# Actions


def _read_place(value: object, _type: object = None) -> Place:
    if isinstance(value, str):
        return Place(list=value)
    if not isinstance(value, dict):
        raise wrong_type(value, "a place", _PLACE_HINT)
    parts = _CONVERTER.structure(value, FrozenMap[str, str])
    return Place(**parts)


def _read_tag(value: object) -> str:
    return require_type(value, str, "a string", "write the tag in quotes")


_ACTIONS: dict[str, Callable[[object], Action]] = {
    "add_tag": lambda value: AddTag(_read_tag(value)),
    "remove_tag": lambda value: RemoveTag(_read_tag(value)),
    "add_lead": lambda value: AddLead(None if value is True else _read_place(value)),
    "move_lead": lambda value: _CONVERTER.structure(value, MoveLead),
    "remove_lead": lambda value: RemoveLead(_read_place(value)),
    "provider_action": lambda value: _CONVERTER.structure(value, ProviderAction),
}


def _read_action(value: object, _type: object = None) -> Action:
    fields = require_object(value, "an action", _ACTION_HINT)
    kind = _only_key(fields, _ACTION_NAMES, "action", _ACTION_HINT)
    with inside(kind):
        return _ACTIONS[kind](fields[kind])


# Single values


def _read_exactly(value: object, kind: type[T]) -> T:
    return value if type(value) is kind else require_type(value, kind, KINDS[kind])


def _read_event_name(value: object, _type: object) -> EventName | str:
    text = require_type(value, str, "a string")
    if not text.strip():
        raise fault("blank", "the name is blank")
    return event_name(text)


def _read_word(value: object, kind: Any) -> Any:
    words = get_args(kind) if get_origin(kind) is Literal else tuple(kind)
    if not isinstance(value, str):
        raise wrong_type(value, "a string", list_words(words))
    for word in words:
        if word == value:
            return word
    raise unknown_word(value, words)


_HOOKS: tuple[tuple[Any, Callable[[object, Any], object]], ...] = (
    (str, _read_exactly),
    (bool, _read_exactly),
    (int, _read_exactly),
    (datetime, read_instant),
    (StrEnum, _read_word),
    (EventName | str, _read_event_name),
    (FactValue, read_scalar),
    (Condition, _read_condition),
    (Condition | None, _read_condition),
    (Action, _read_action),
    (Place, _read_place),
)

# Containers and classes


def _read_any(value: object, kind: Any) -> object:
    if value == "any":
        return None
    if not isinstance(value, list):
        raise wrong_type(value, 'a list or "any"', 'write "any", or a list of values')
    return _CONVERTER.structure(value, kind)


_OVERRIDES: dict[type, Any] = {
    Product: {"approved_at": override(struct_hook=read_day)},
    # A null means absent, and TOML has none: so None is written `any`.
    Capabilities: {
        name: override(struct_hook=_read_any) for name in ("places", "tags", "data", "events")
    },
}


def _gather(
    items: Iterable[tuple[int | str, object]], hook: Callable[[Any, Any], Any], kind: Any
) -> list[Any]:
    """Return the values as a hook reads them; collect faults as cattrs does, but few."""
    values: list[Any] = []
    errors: list[Exception] = []
    for key, item in items:
        try:
            values.append(hook(item, kind))
        except Exception as error:
            error.add_note(IterableValidationNote("", key, kind))
            errors.append(error)
            if len(errors) > MAX_FAULTS:
                break
    if errors:
        raise IterableValidationError("", errors, kind)  # pyright: ignore[reportCallIssue] # the stub lacks its third argument
    return values


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[object, Any], object]:
    of = get_args(kind)[0]
    hook = converter.get_structure_hook(of)

    def read_tuple(value: object, _kind: Any) -> object:
        items = cast("list[object]", require_type(value, list, "a list"))
        return tuple(_gather(enumerate(items), hook, of))

    return read_tuple


def _map_hook(kind: Any, converter: Converter) -> Callable[[object, Any], object]:
    of = get_args(kind)[1]
    hook = converter.get_structure_hook(of)

    def read_map(value: object, _kind: Any) -> object:
        fields = require_object(value)
        return FrozenMap(dict(zip(fields, _gather(fields.items(), hook, of), strict=True)))

    return read_map


def _class_hook(cls: Any, converter: Converter) -> Callable[[object, Any], object]:
    build = make_dict_structure_fn(cls, converter, **_OVERRIDES.get(cls, {}))
    optional = {field.name for field in attrs.fields(cls) if field.default is not attrs.NOTHING}

    def read_class(value: object, cls: Any) -> object:
        fields = require_object(value)
        if None in fields.values():  # a form writes null where nothing was typed: it is absent
            fields = {k: v for k, v in fields.items() if v is not None or k not in optional}
        return build(fields, cls)

    return read_class


def _has_origin(origin: object) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    # Of two hooks that fit a type, cattrs takes the later one.
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    converter.register_structure_hook_factory(_has_origin(tuple), _tuple_hook)
    converter.register_structure_hook_factory(_has_origin(FrozenMap), _map_hook)
    converter.register_structure_hook_func(_has_origin(Literal), _read_word)
    for kind, hook in _HOOKS:
        # cattrs looks up a class along its bases, before all predicates. A union is not a class.
        if isinstance(kind, type):
            converter.register_structure_hook(kind, hook)
        else:
            converter.register_structure_hook_func(partial(eq, kind), hook)
    return converter


_CONVERTER: Converter = _make_converter()
_read_conditions: Callable[[object, Any], tuple[Condition, ...]]
_read_conditions = _CONVERTER.get_structure_hook(tuple[Condition, ...])
_read_values: Callable[[object, Any], tuple[FactValue, ...]]
_read_values = _CONVERTER.get_structure_hook(tuple[FactValue, ...])


UNREADABLE = (BaseValidationError, ListBossError)
"""What a reader raises for a value that is not valid, for `add_faults`."""


def read(
    value: object,
    kind: type[T],
    faults: list[CodecError],
    *,
    path: str = "$",
    prefix: str = "",
    private: bool = False,
) -> T | None:
    """Read one value; if it is not valid, add its faults to `faults` and return None."""
    try:
        return _CONVERTER.structure(value, kind)
    except UNREADABLE as error:
        add_faults(faults, error, path=path, prefix=prefix, private=private)
    return None


def reader_of(kind: Any) -> Callable[[object, Any], Any]:
    """Return the hook that reads values of a kind: it takes a value, and the kind again."""
    return _CONVERTER.get_structure_hook(kind)


def read_document(source: Source, kind: type[T], limits: Limits, *, private: bool) -> T:
    """Read a JSON document that is one value, or raise its faults."""
    return read_root(root_object(read_tree(source, "json", limits)), kind, private=private)


def read_root(root: dict[str, object], kind: type[T], *, private: bool) -> T:
    """Read the object of a document, or raise its faults."""
    faults: list[CodecError] = []
    noun = read(root, kind, faults, private=private)
    if noun is None:
        raise combine(faults)
    return noun
