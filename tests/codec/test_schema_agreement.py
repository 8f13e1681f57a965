"""The schema of rule files and `load_rules` accept the same documents, but for a documented list.

The documents are made from the schema itself, and most of them are then changed a little, so
a new key or type is covered as soon as the schema has it.
"""

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from listboss.codec import read_rules, rules_schema
from listboss.errors import CodecError

SCHEMA = rules_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "codec.md"

RULE: dict[str, Any] = {
    "name": "Buyers", "product_id": "1", "provider": "mail", "event": "purchase.approved",
    "actions": [],
}  # fmt: skip
COMPARISON: dict[str, Any] = {"fact": "price", "eq": 1}
PRODUCT: dict[str, Any] = {"id": "1", "name": "Course"}
PLANS = [{"id": "10", "name": "Monthly"}, {"id": "20", "name": "Annual", "also": ["10"]}]


def nested(levels: int) -> dict[str, Any]:
    """Make a condition that is negated that many times."""
    return COMPARISON if levels == 0 else {"not": nested(levels - 1)}


def when(condition: dict[str, Any]) -> dict[str, Any]:
    """Make a file with one rule with that condition."""
    return {"segmentations": [{**RULE, "condition": condition}]}


# What the loader refuses although the schema accepts it: code, start of the message, example.
BEYOND_A_SCHEMA: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("duplicate_id", "", {"products": [PRODUCT, PRODUCT]}),
    ("invalid_rule", "two plans have the id",
     {"products": [{**PRODUCT, "kind": "subscription", "plans": PLANS}]}),
    ("too_deep", "the condition is nested", when(nested(33))),
    ("too_large", "the condition has more than", when({"any": [COMPARISON] * 1_000})),
    ("too_complex", "with `Buyers`, the segmentations on",
     {"segmentations": [{**RULE, "actions": [{"add_tag": f"t{n}"} for n in range(4_001)]}]}),
    ("not_instant", "the date is not in the calendar",
     {"products": [{**PRODUCT, "approved_at": "2025-02-30"}]}),
    ("not_instant", "the time is outside the years",
     when({"fact": "ordered_at", "eq": {"instant": "9999-12-31T23:00:00-02:00"}})),
    ("number_too_large", "the number has more than 128 digits",
     when({"fact": "price", "eq": {"decimal": "1e129"}})),
    ("float", "", {"providers": {"mail": {"rate": 60.0}}}),
    ("null_character", "", {"capture_provider": "mail\0"}),
    ("lone_surrogate", "", {"capture_provider": "mail\ud800"}),
)  # fmt: skip

STRINGS = (
    "a", "b", "A", "mail", "", " ", "\t", "\u00a0", "\u0085", "\u3000 x", "any", "null", "native",
    "none", "text", "purchase.approved", "acme.enrol", "a.", "a. ", ".a", " .a", "a.b.c", "auto.x",
    "AUTO.x", "auto:x", "x\0y", "\ud800", "e\u0301", "l\u0131st", "2025-01-10", "2025-02-30",
    "2025-01-10\n", "0000-01-01", "2025-01-10T12:00:00Z", "2025-01-10t12:00:00.5+01:00",
    "2025-01-10T12:00:00", "2025-01-10T24:00:00Z", "2025-01-10T12:00:00Z\n",
    "9999-12-31T23:00:00-02:00", "1", "-1.50", "1e128", "1E-128", "1e129", "0e999", "1e99999",
    "1,5", "1.", "1\n", "9" * 128, "9" * 129, "0" * 259, "0" * 260,
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 1.0, 1.5, 2**127, 2**128 - 1, 2**128, -(2**128), 10**40)
OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    ["a"],
    {"a": "b"},
    {"decimal": "1"},
    {"instant": "1"},
)
KEYS = ("a", "list", "fact", "eq", "all", "version", "name", "id", "parameters", " ", "")
ANY = (*STRINGS, *NUMBERS, *OTHERS)
MAX_NESTING = 6


class Documents:
    """Documents that fit a schema in types, keys and patterns, of random content."""

    def __init__(self, schema: dict[str, Any], dice: random.Random) -> None:
        self.schema, self.dice = schema, dice

    def make(self) -> Any:
        """Make a document of the schema."""
        return self._value(self.schema, 0)

    def changed(self, document: Any) -> Any:
        """Return the document with one to three small changes."""
        root = [copy.deepcopy(document)]
        for _ in range(self.dice.randint(1, 3)):
            places = [*_places(root)]
            (place, key), (other, other_key) = self.dice.choice(places), self.dice.choice(places)
            if self.dice.randrange(6):
                self._change(place, key)
            else:
                place[key] = copy.deepcopy(other[other_key])
        return root[0]

    def _change(self, place: Any, key: Any) -> None:
        dice, value = self.dice, place[key]
        match dice.randrange(5):
            case 0:
                place[key] = self._anything()
            case 1 if isinstance(place, dict):
                place[dice.choice(KEYS)] = place.pop(key)
            case 2 if isinstance(value, list):
                value += copy.deepcopy(value[:1]) or [self._anything()]
            case 2 if isinstance(value, dict):
                value[dice.choice(KEYS)] = self._anything()
            case 3 if isinstance(value, str):
                place[key] = dice.choice([value + "\n", f" {value}", value.upper(), value[:-1]])
            case 4 if isinstance(place, dict):
                del place[key]
            case _:
                place[key] = dice.choice([[value], {"a": value}, None])

    def _anything(self) -> Any:
        return copy.deepcopy(self.dice.choice(ANY))

    def _value(self, schema: dict[str, Any], depth: int) -> Any:
        if "$ref" in schema:
            return self._value(self.schema["$defs"][schema["$ref"].rpartition("/")[2]], depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.dice.choice(schema["enum"])
        if "anyOf" in schema:
            return self._value(self._branch(schema["anyOf"], depth), depth)
        if "if" in schema:
            return self._conditional(schema, depth)
        return getattr(self, f"_{schema['type']}")(schema, depth)

    def _branch(self, branches: list[dict[str, Any]], depth: int) -> dict[str, Any]:
        if depth > MAX_NESTING:  # only what does not nest any further
            branches = [each for each in branches if "#/$defs/Condition" not in json.dumps(each)]
        return self.dice.choice(branches)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        chosen = [key for key in properties if key in required or self.dice.random() < 0.4]
        made = {key: self._value(properties[key], depth + 1) for key in chosen}
        if values := schema.get("additionalProperties"):
            for _ in range(self.dice.randint(0, 2)):
                made[self.dice.choice(KEYS)] = self._value(values, depth + 1)
        return made

    def _conditional(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        made = self._object(schema, depth)
        branch = "then" if VALIDATOR.evolve(schema=schema["if"]).is_valid(made) else "else"
        overruled = schema.get(branch, {}).get("properties", {})
        for key in made.keys() & overruled.keys():
            made[key] = self._value({**schema["properties"][key], **overruled[key]}, depth + 1)
        return made

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        few, many = schema.get("minItems", 0), schema.get("maxItems", 3)
        return [
            self._value(schema["items"], depth + 1) for _ in range(self.dice.randint(few, many))
        ]

    def _string(self, schema: dict[str, Any], _depth: int) -> str:
        words = [*STRINGS, *schema.get("examples", ())]
        fitting: list[str] = [word for word in words if re.search(schema.get("pattern", ""), word)]
        if self.dice.randrange(4):  # most of them usual, since one fault is enough
            fitting = [word for word in fitting if word.isascii() and word.isprintable()]
        return self.dice.choice(fitting)

    def _integer(self, schema: dict[str, Any], _depth: int) -> int:
        numbers: list[int] = [1, 2, 12, schema["minimum"], schema["maximum"]]
        return self.dice.choice(numbers)

    def _boolean(self, _schema: dict[str, Any], _depth: int) -> bool:
        return self.dice.choice([True, False])

    def _null(self, _schema: dict[str, Any], _depth: int) -> None:
        return None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place of a document: the object or list that it is in, and its key."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield value, key
        yield from _places(value[key])


def faults(document: Any) -> list[CodecError]:
    """Return what the loader says about a document."""
    try:
        return [*read_rules(json.dumps(document)).errors]
    except CodecError as error:
        return [error]


def is_documented(error: CodecError) -> bool:
    """Whether a fault is one that a schema cannot find."""
    message = error.message.rpartition("`: ")[2]  # without the name of the rule
    return any(
        error.code == code and message.startswith(start) for code, start, _ in BEYOND_A_SCHEMA
    )


def test_schema_and_loader_agree(amount: Callable[..., int]) -> None:
    """Of random documents, the loader accepts those of the schema, but for documented faults."""
    total = amount(ci=5_000, soak=300_000)
    accepted = refused = 0
    for seed in range(total):
        documents = Documents(SCHEMA, random.Random(seed))
        document = documents.make()
        if seed % 4:
            document = documents.changed(document)
        found = faults(document)
        if VALIDATOR.is_valid(document):
            assert (seed, []) == (seed, [each for each in found if not is_documented(each)])
            accepted += not found
        else:
            assert (seed, True) == (seed, bool(found))
            refused += 1
    assert min(accepted, refused) > total / 5


@pytest.mark.parametrize(("code", "start", "document"), BEYOND_A_SCHEMA)
def test_what_only_the_loader_finds(code: str, start: str, document: dict[str, Any]) -> None:
    """The schema accepts each example of the list, and the loader refuses it for one reason."""
    (error,) = faults(document)

    assert VALIDATOR.is_valid(document)
    assert (code, True) == (error.code, is_documented(error))
    assert start in error.message


def test_the_list_is_documented() -> None:
    """The page about rule files has each code that only the loader finds, and no other."""
    _, _, section = PAGE.read_text("utf-8").partition("## What a schema cannot say\n")
    codes = re.findall(r"^\| `(\w+)` \|", section.partition("\n## ")[0], re.MULTILINE)

    assert [*dict.fromkeys(code for code, _, _ in BEYOND_A_SCHEMA)] == codes
