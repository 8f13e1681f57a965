"""Write values as a plain tree, with one cattrs converter, and the tree as canonical JSON.

Canonical: sorted keys, one spelling for each value, and no default except the `id` of a rule
and whether it is `enabled`. Equal values give equal text on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, assert_never, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from listboss.codec._document import VERSION
from listboss.codec._scalars import write_instant, write_scalar
from listboss.plan import Plan
from listboss.rules._mapping import FrozenMap
from listboss.rules.action import (
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    action_kind,
)
from listboss.rules.capabilities import Capabilities
from listboss.rules.condition import NO_VALUE, AllOf, AnyOf, Comparison, Condition, Not
from listboss.rules.event import FactValue
from listboss.rules.segmentation import Segmentation

__all__ = ["canonical_json", "write"]


def _write_condition(condition: Condition) -> dict[str, object]:
    match condition:
        case Comparison():
            return {"fact": condition.fact, str(condition.operator): _write_operand(condition)}
        case AllOf() | AnyOf():
            word = "all" if isinstance(condition, AllOf) else "any"
            return {word: [_write_condition(part) for part in condition.conditions]}
        case Not():
            return {"not": _write_condition(condition.condition)}
        case _:
            assert_never(condition)


def _write_operand(comparison: Comparison) -> object:
    match comparison.value:
        case None:
            return comparison.operator in NO_VALUE
        case tuple() as values:
            return [write_scalar(value) for value in values]
        case value:
            return write_scalar(value)


def _write_place(place: Place) -> object:
    match place.parts:
        case {"list": name, **rest} if not rest:
            return name
        case parts:
            return dict(parts)


def _write_action(action: AddTag | RemoveTag | AddLead | RemoveLead) -> object:
    if isinstance(action, (AddTag, RemoveTag)):
        return {action_kind(action): action.tag}
    return {action_kind(action): True if action.place is None else _write_place(action.place)}


def _write_values(values: Mapping[str, FactValue]) -> object:
    return {name: write_scalar(value) for name, value in values.items()}


def _write_any(values: tuple[object, ...] | None) -> object:
    return "any" if values is None else write(values)


_ALWAYS = override(omit_if_default=False)
_OR_ANY = override(unstruct_hook=_write_any)
_OVERRIDES: dict[type, Any] = {
    Plan: {"context": override(omit=True)},
    Segmentation: {"id": _ALWAYS, "enabled": _ALWAYS},
    Capabilities: dict.fromkeys(("places", "tags", "data", "events"), _OR_ANY),
}


def _class_hook(cls: Any, converter: Converter) -> Any:
    return make_dict_unstructure_fn(
        cls, converter, _cattrs_omit_if_default=True, **_OVERRIDES.get(cls, {})
    )


def _make_converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook_factory(attrs.has, _class_hook)
    converter.register_unstructure_hook_func(
        lambda kind: FrozenMap in (kind, get_origin(kind)), _write_values
    )
    converter.register_unstructure_hook(datetime, write_instant)
    converter.register_unstructure_hook(Place, _write_place)
    for condition in (Comparison, AllOf, AnyOf, Not):
        converter.register_unstructure_hook(condition, _write_condition)
    for action in (AddTag, RemoveTag, AddLead, RemoveLead):
        converter.register_unstructure_hook(action, _write_action)
    for kind in (MoveLead, ProviderAction):
        converter.register_unstructure_hook(kind, _kind_and_fields(kind, converter))
    return converter


def _kind_and_fields(kind: Any, converter: Converter) -> Callable[[Any], dict[str, object]]:
    fields = _class_hook(kind, converter)
    return lambda action: {action_kind(action): fields(action)}


_CONVERTER = _make_converter()


def write(value: object) -> Any:
    """Turn a value into dicts, lists, strings, numbers and booleans."""
    return _CONVERTER.unstructure(value)


def canonical_json(content: Mapping[str, object], *, indent: int | None = None) -> str:
    """Write a document, with its version, in its only canonical form."""
    return json.dumps(
        {"version": VERSION, **content},
        allow_nan=False,
        ensure_ascii=False,
        indent=indent,
        separators=(",", ": " if indent else ":"),
        sort_keys=True,
    )
