"""Lines and columns of the values of rule files."""

import json
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from listboss.cli._positions import Positions, parts_of
from listboss.codec import dump_rules, load_rules
from listboss.testing import random_rules

EXAMPLE = (Path(__file__).parents[2] / "examples" / "rules.toml").read_text("utf-8")
TOML = """\
# [[segmentations]] in a comment
title = "a # no comment, [[no table]]"  # a comment
"quoted.key" = 'it''s' # noqa
[a.b]
c.d = {e = [1, {f = 2}], g = "}"}
date = 1979-05-27 07:32:00Z
long = \"\"\"
[[segmentations]]
\"\"\"
raw = '''
[x]'''
[[list]]
x = 1
[[list.inner]]
y = [
  1, # one
  [2, 3],
]
[[list.inner]]
y = 2
[list.table]
z = true
[[list]]
[list.table]
z = false
"""


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path of a document."""
    if path:
        yield path
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else pairs:
        yield from paths(item, (*path, key))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("title",), (2, 1)),
        (("a",), (4, 1)),
        (("a", "b"), (4, 1)),
        (("a", "b", "c"), (5, 1)),
        (("a", "b", "c", "d", "e", 1, "f"), (5, 17)),
        (("a", "b", "c", "d", "g"), (5, 26)),
        (("a", "b", "date"), (6, 1)),
        (("a", "b", "raw"), (10, 1)),
        (("list",), (12, 1)),
        (("list", 0, "x"), (13, 1)),
        (("list", 0, "inner", 0), (14, 1)),
        (("list", 0, "inner", 0, "y", 1, 1), (17, 7)),
        (("list", 0, "inner", 1, "y"), (20, 1)),
        (("list", 0, "table", "z"), (22, 1)),
        (("list", 1), (23, 1)),
        (("list", 1, "table", "z"), (25, 1)),
        (("list", 1, "gone", "z"), (23, 1)),
        (("gone",), (1, 1)),
    ],
)
def test_toml(path, place):
    """Keys, items and tables have the place where they start; else, what is around them."""
    assert place == Positions(TOML.replace("'it''s'", "'its'"), "toml").find(path)


def test_quoted_key():
    """A key in quotes is one key."""
    assert (2, 1) == Positions("\n'a.b' = 1", "toml").find(("a.b",))


def test_example_is_complete():
    """Every value of the example has a place of its own, where its key or its item is."""
    positions, lines = Positions(EXAMPLE, "toml"), EXAMPLE.splitlines()
    for path in paths(tomllib.loads(EXAMPLE)):
        line, column = positions.find(path)
        at = lines[line - 1][column - 1 :]
        key = path[-1]
        assert at.startswith((*'[{"123456789',) if isinstance(key, int) else (key, "["))


def test_json(amount):
    """In JSON, every key has the place of its quote."""
    for seed in range(amount(ci=20, soak=2_000)):
        text = dump_rules(random_rules(random.Random(seed)))
        positions, lines = Positions(text, "json"), text.splitlines()
        for path in paths(json.loads(text)):
            line, column = positions.find(path)
            at = lines[line - 1][column - 1 :]
            key = path[-1]
            assert isinstance(key, int) or at.startswith(json.dumps(key, ensure_ascii=False))


def test_example_in_json():
    """The example has as many places in JSON."""
    text = dump_rules(load_rules(EXAMPLE, format="toml"))
    found = {Positions(text, "json").find(path) for path in paths(json.loads(text))}
    assert len(found) > 200


@pytest.mark.parametrize("text", ["a = [1, 2", "a = ", "[", '{"a": ', "[[", '{"a" 1}', "{:", "="])
@pytest.mark.parametrize("format", ["toml", "json"])
def test_what_does_not_parse(text, format):
    """What the scan does not follow gives the nearest place, and no error."""
    line, column = Positions(f"{text}\n", format).find(("a", 0))
    assert (1, True) == (line, column >= 1)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("$", ()),
        ("$.a[0].b", ("a", 0, "b")),
        ('$["a b"].c-d', ("a b", "c-d")),
        ('$["\\u202e"][1]', ("\u202e", 1)),
    ],
)
def test_parts(path, parts):
    """A JSON path in parts."""
    assert parts == parts_of(path)
