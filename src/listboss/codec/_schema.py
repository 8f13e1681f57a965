"""The JSON Schema (2020-12) of rule files, made from the classes that the reader uses.

Fields, defaults and types come from the classes, words from their enums and literals, and the
names of events, facts and fields to send, as examples, from the catalogue. The schema is for
editors and forms. It accepts a file if `load_rules` does, but for what a schema cannot say
(equal ids, nesting): the reference of rule files lists that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from enum import Enum
from types import UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin

import attrs

from listboss.codec._document import VERSION
from listboss.codec._reading import COMBINATORS
from listboss.codec._rules import TOP_LEVEL
from listboss.codec._scalars import DATE, DECIMAL, INSTANT, MAX_DECIMAL_TEXT
from listboss.rules._facts import operators_of
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import MAX_INTEGER_BITS
from listboss.rules.action import ACTION_KINDS, Action, MoveLead, Place, ProviderAction
from listboss.rules.automatic import AUTOMATIC_ID_PREFIX
from listboss.rules.builtin import HOTMART
from listboss.rules.capabilities import Capabilities, Verb
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import BOUNDS, LISTS, NO_VALUE, Condition, Operator
from listboss.rules.event import CONTACT_FIELDS, FactValue
from listboss.rules.segmentation import Product, Segmentation, SubscriptionPlan

__all__ = ["Schema", "rules_schema"]

Schema: TypeAlias = dict[str, Any]

# Patterns must mean the same in every language. So a blank is not `\s` but what `str.isspace`
# says, and the end is not `$`, which Python also finds before a line feed at the end.
_BLANK = r"\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_END = r"(?![\s\S])"
_VERB = rf"^[{_BLANK}]*[^.{_BLANK}][^.]*\.[\s\S]*[^{_BLANK}]"

_NAME: Schema = {"type": "string", "pattern": f"[^{_BLANK}]"}
_NAMES: Schema = {"type": "array", "items": _NAME}
_TEXT: Schema = {"type": "string"}
_MAX_INTEGER = 2**MAX_INTEGER_BITS - 1
_COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": _MAX_INTEGER}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Mapping[str, Schema], required: tuple[str, ...]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _exactly(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern}){_END}"}


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_any(items: Schema) -> Schema:
    return {"anyOf": [_list_of(items), {"const": "any"}]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


# Fields with a schema that does not follow from their type.
_FIELDS: dict[tuple[type, str], Schema] = {
    (SubscriptionPlan, "also"): _NAMES,
    (Product, "approved_at"): {"anyOf": [_exactly(DATE), _exactly(INSTANT)]},
    (Segmentation, "id"): {**_NAME, "not": {"pattern": rf"^{re.escape(AUTOMATIC_ID_PREFIX)}"}},
    (Segmentation, "event"): _NAME,
    (Segmentation, "plan_ids"): _NAMES,
    (Capabilities, "places"): _or_any(_ref("Place")),
    (Capabilities, "tags"): _or_any(_TEXT),
    (Capabilities, "data"): _or_any(_TEXT),
    (Capabilities, "events"): _or_any(_TEXT),
    (Capabilities, "rate"): _COUNT,
    (Capabilities, "batch"): _COUNT,
    (Verb, "asserts"): _NAME,
    (Verb, "clears"): _NAME,
    (ProviderAction, "verb"): {"type": "string", "pattern": _VERB},
}
_CLASSES = (Product, SubscriptionPlan, Segmentation, Capabilities, Verb, MoveLead, ProviderAction)

_TYPES: dict[Any, Schema] = {
    str: _TEXT,
    bool: {"type": "boolean"},
    Place: _ref("Place"),
    FactValue: _ref("Value"),
    Action: _ref("Action"),
    Condition | None: _ref("Condition"),
}


def _class_schema(cls: type[Any]) -> Schema:
    fields = [field for field in attrs.fields(attrs.resolve_types(cls)) if field.init]
    return _object(
        {field.name: _field_schema(cls, field) for field in fields},
        tuple(field.name for field in fields if field.default is attrs.NOTHING),
    )


def _field_schema(cls: type[Any], field: attrs.Attribute[Any]) -> Schema:
    """Return the schema of a field; null in an optional one means that it is absent."""
    schema = _FIELDS.get((cls, field.name))
    if schema is None:
        schema = _NAME if field.type is str else _type_schema(field.type)
    return schema if field.default is attrs.NOTHING else _or_null(schema)


def _type_schema(kind: Any) -> Schema:
    """Return the schema of a type; only types that rule files contain have one."""
    if kind in _TYPES:
        return _TYPES[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [str(word.value) for word in kind]}
    if isinstance(kind, type) and attrs.has(kind):
        return _ref(kind.__name__)
    return _CONTAINERS[get_origin(kind)](get_args(kind))


_CONTAINERS: dict[Any, Callable[[tuple[Any, ...]], Schema]] = {
    tuple: lambda kinds: _list_of(_type_schema(kinds[0])),
    FrozenMap: lambda kinds: _map_of(_type_schema(kinds[1])),
    Literal: lambda words: {"enum": list(words)},
    UnionType: lambda kinds: _type_schema(kinds[0]),  # the other one is None
}


def _map_of(values: Schema) -> Schema:
    return {"type": "object", "propertyNames": _NAME, "additionalProperties": values}


_DECIMAL: Schema = {**_exactly(DECIMAL), "maxLength": MAX_DECIMAL_TEXT}
_VALUE: Schema = {
    "anyOf": [
        _TEXT,
        {"type": "boolean"},
        {"type": "integer", "minimum": -_MAX_INTEGER, "maximum": _MAX_INTEGER},
        _object({"decimal": _DECIMAL}, ("decimal",)),
        _object({"instant": _exactly(INSTANT)}, ("instant",)),
    ]
}


def _condition(catalogue: Catalogue) -> Schema:
    parts = _list_of(_ref("Condition"))
    combined = {"all": parts, "any": parts, "not": _ref("Condition")}
    return {
        "anyOf": [
            *(_object({word: combined[word]}, (word,)) for word in COMBINATORS),
            *(_comparison(operator, catalogue) for operator in Operator),
        ]
    }


def _comparison(operator: Operator, catalogue: Catalogue) -> Schema:
    operand = _ref("Value")
    if operator in NO_VALUE:
        operand = {"const": True}
    elif operator is Operator.BETWEEN:
        operand = {**_list_of(operand), "minItems": BOUNDS, "maxItems": BOUNDS}
    elif operator in LISTS:
        operand = _list_of(operand)
    facts = [fact.name for fact in catalogue.facts if operator in operators_of(fact.kind)]
    fact = {**_NAME, "examples": facts}
    return _object({"fact": fact, str(operator): operand}, ("fact", str(operator)))


def _action() -> Schema:
    contents = {
        "remove_tag": _TEXT,
        "remove_lead": _ref("Place"),
        "move_lead": _ref("MoveLead"),
        "add_lead": {"anyOf": [{"const": True}, _ref("Place")]},
        "add_tag": _TEXT,
        "provider_action": _ref("ProviderAction"),
    }
    return {"anyOf": [_object({kind: contents[kind]}, (kind,)) for kind in ACTION_KINDS]}


def _product() -> Schema:
    subscription = {"properties": {"kind": {"const": "subscription"}}, "required": ["kind"]}
    no_plans = {"properties": {"plans": {"maxItems": 0}}}
    return {**_class_schema(Product), "if": subscription, "else": no_plans}


def _segmentation(catalogue: Catalogue) -> Schema:
    schema = _class_schema(Segmentation)
    sent = [*CONTACT_FIELDS, *(fact.name for fact in catalogue.facts)]
    schema["properties"] |= {
        "event": {**_NAME, "examples": [str(event.name) for event in catalogue.events]},
        "send": _or_null(_list_of({**_NAME, "examples": sent})),
    }
    return schema


def rules_schema(catalogue: Catalogue = HOTMART) -> Schema:
    """Return the JSON Schema (draft 2020-12) of rule files in JSON.

    It names the events and facts of the catalogue, and with each operator the facts that the
    operator fits, as examples: a rule on another one can be loaded, and has a finding.

    >>> schema = rules_schema()
    >>> schema["$schema"], sorted(schema["properties"])[0]
    ('https://json-schema.org/draft/2020-12/schema', 'capture_provider')
    """
    top_level = {
        "version": {"const": VERSION},
        "products": _list_of(_ref("Product")),
        "segmentations": _list_of(_ref("Segmentation")),
        "providers": _map_of(_ref("Capabilities")),
        "capture_provider": _NAME,
    }
    schema: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:listboss:rules:{VERSION}",
        "title": "listboss rules",
        **_object({key: _or_null(top_level[key]) for key in TOP_LEVEL}, ()),
        "$defs": {
            **{cls.__name__: _class_schema(cls) for cls in _CLASSES},
            "Product": _product(),
            "Place": {"anyOf": [_TEXT, _map_of(_TEXT)]},
            "Value": _VALUE,
            "Segmentation": _segmentation(catalogue),
            "Condition": _condition(catalogue),
            "Action": _action(),
        },
    }
    return deepcopy(schema)  # since it shares the tables above
