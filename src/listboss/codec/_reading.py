"""A plain tree -> nouns, by one cattrs converter in which every hook is strict.

cattrs earns its place by what it collects: for each class it knows the keys, which of them
are needed, and it gathers all faults with the way to them. What it does by default, converting
whatever comes, happens nowhere: each type that a noun may hold has a hook of its own here,
and each checks first that it got a text, a list, an object. Conditions and actions are closed
unions that the format writes shorter than their classes, so these two are read by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import BaseValidationError
from cattrs.gen import (
    make_dict_structure_fn,
    make_mapping_structure_fn,  # pyright: ignore[reportUnknownVariableType] # partly annotated
    override,
)

from listboss.codec._faults import fault, faults_of, inside, unknown_key
from listboss.codec._scalars import an_object, expect, read_day, read_instant, read_scalar, wrong
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
    LISTS,
    NO_VALUE,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operator,
)
from listboss.rules.event import EventName, FactValue
from listboss.rules.segmentation import Product

__all__ = ["COMBINATORS", "read"]

T = TypeVar("T")

COMBINATORS = ("all", "any", "not")


def _only_key(given: dict[str, object], known: tuple[str, ...], meant: str) -> str:
    for key in given:
        if key not in known:
            raise unknown_key(key, known)
    if len(given) != 1:
        raise fault(
            "one_key", f"{meant} says one thing, not {len(given)}", f"one of {', '.join(known)}"
        )
    return next(iter(given))


# Conditions


def _read_condition(value: object, _type: object = None) -> Condition:
    given = an_object(value, "a condition")
    if not any(word in given for word in COMBINATORS):
        return _read_comparison(given)
    word = _only_key(given, COMBINATORS, "a condition")
    with inside(word):
        if word == "not":
            return Not(_read_condition(given[word]))
        parts = _CONVERTER.structure(given[word], tuple[Condition, ...])
        return AllOf(*parts) if word == "all" else AnyOf(*parts)


def _read_comparison(given: dict[str, object]) -> Comparison:
    questions = {key: value for key, value in given.items() if key != "fact"}
    operator = Operator(_only_key(questions, tuple(Operator), "a comparison"))
    if "fact" not in given:
        raise fault("missing_key", "a comparison names its `fact`")
    with inside("fact"):
        fact = expect(given["fact"], str, "the name of a fact")
    with inside(str(operator)):
        operand = _read_operand(operator, given[operator])
    try:
        return Comparison(fact, operator, operand)
    except ConditionError as error:
        error.path = error.path.replace("$.value", f"$.{operator}")
        raise


def _read_operand(operator: Operator, value: object) -> FactValue | tuple[FactValue, ...] | None:
    if operator in LISTS:
        return _CONVERTER.structure(value, tuple[FactValue, ...])
    if operator not in NO_VALUE:
        return read_scalar(value)
    if value is not True:
        raise wrong(value, "`true`", "ask the opposite with `is_set` or `is_missing`")
    return None


def _read_optional_condition(value: object, _type: object) -> Condition | None:
    return None if value is None else _read_condition(value)


# Actions


def _read_place(value: object, _type: object = None) -> Place:
    if isinstance(value, str):
        return Place(list=value)
    if not isinstance(value, dict):
        raise wrong(value, "the name of a list or an object of a place's parts")
    parts = _CONVERTER.structure(value, FrozenMap[str, str])
    return Place(**parts)


def _read_tag(value: object) -> str:
    return expect(value, str, "a tag")


def _read_lead(value: object) -> AddLead:
    return AddLead() if value is True else AddLead(_read_place(value))


_ACTIONS: dict[str, Callable[[object], Action]] = {
    "add_tag": lambda value: AddTag(_read_tag(value)),
    "remove_tag": lambda value: RemoveTag(_read_tag(value)),
    "add_lead": _read_lead,
    "move_lead": lambda value: _CONVERTER.structure(value, MoveLead),
    "remove_lead": lambda value: RemoveLead(_read_place(value)),
    "provider_action": lambda value: _CONVERTER.structure(value, ProviderAction),
}


def _read_action(value: object, _type: object = None) -> Action:
    given = an_object(value, "an action")
    kind = _only_key(given, tuple(ACTION_KINDS), "an action")
    with inside(kind):
        return _ACTIONS[kind](given[kind])


# Single values


def _read_text(value: object, _type: object) -> str:
    return expect(value, str, "a text", "write a number that is an id in quotes")


def _read_event_name(value: object, _type: object) -> EventName | str:
    text = expect(value, str, "the name of an event")
    if not text.strip():
        raise fault("blank", "the name is blank")
    return EventName(text) if text in set(EventName) else text


def _read_truth(value: object, _type: object) -> bool:
    return expect(value, bool, "true or false")


def _read_whole_number(value: object, _type: object) -> int:
    return expect(value, int, "a whole number")


def _read_word(value: object, kind: Any) -> Any:
    words = get_args(kind) if get_origin(kind) is Literal else tuple(kind)
    text = expect(value, str, "a word")
    for word in words:
        if word == text:
            return word
    raise fault("unknown_word", "there is no such word", f"one of {', '.join(words)}")


_HOOKS: tuple[tuple[Any, Callable[[object, Any], object]], ...] = (
    (str, _read_text),
    (bool, _read_truth),
    (int, _read_whole_number),
    (datetime, read_instant),
    (StrEnum, _read_word),
    (EventName | str, _read_event_name),
    (FactValue, read_scalar),
    (Condition, _read_condition),
    (Condition | None, _read_optional_condition),
    (Action, _read_action),
    (Place, _read_place),
)

# Containers and classes


def _read_any(value: object, kind: Any) -> object:
    return None if value in (None, "any") else _CONVERTER.structure(value, kind)


_OVERRIDES: dict[type, Any] = {
    Product: {"approved_at": override(struct_hook=read_day)},
    # TOML has no null, so None has a word where it is not the default alone.
    Capabilities: {
        name: override(struct_hook=_read_any) for name in ("places", "tags", "data", "events")
    },
}


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[object, Any], object]:
    gather = homogenous_tuple_structure_factory(kind, converter)

    def read_tuple(value: object, kind: Any) -> object:
        return gather(expect(value, list, "a list"), kind)

    return read_tuple


def _map_hook(kind: Any, converter: Converter) -> Callable[[object, Any], object]:
    gather = make_mapping_structure_fn(kind, converter)

    def read_map(value: object, kind: Any) -> object:
        return FrozenMap(cast("dict[str, object]", gather(an_object(value), kind)))

    return read_map


def _class_hook(cls: Any, converter: Converter) -> Callable[[object, Any], object]:
    build = make_dict_structure_fn(cls, converter, **_OVERRIDES.get(cls, {}))

    def read_class(value: object, cls: Any) -> object:
        return build(an_object(value), cls)

    return read_class


def _is(kind: object) -> Callable[[Any], bool]:
    return lambda other: other == kind


def _made_of(origin: object) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _strict() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    # Of two hooks that hold for a type, the later one is taken.
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    converter.register_structure_hook_factory(_made_of(tuple), _tuple_hook)
    converter.register_structure_hook_factory(_made_of(FrozenMap), _map_hook)
    converter.register_structure_hook_func(_made_of(Literal), _read_word)
    for kind, hook in _HOOKS:
        # A class is looked up along its bases, before every predicate; a union is none.
        if isinstance(kind, type):
            converter.register_structure_hook(kind, hook)
        else:
            converter.register_structure_hook_func(_is(kind), hook)
    return converter


_CONVERTER: Converter = _strict()


def read(
    value: object, kind: type[T], *, path: str = "$", private: bool = False
) -> tuple[T | None, list[CodecError]]:
    """Read one noun: it and no faults, or None and everything that is wrong with it."""
    try:
        return _CONVERTER.structure(value, kind), []
    except (BaseValidationError, ListBossError) as error:
        faults = list(faults_of(error, path=path, private=private))
    return None, faults
