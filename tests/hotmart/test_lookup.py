"""The compiled reader of a table finds what looking up one field after another finds."""

import copy
import json
from collections import UserDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.hotmart._lookup import Field, FieldReader, affiliate_name, most_specific
from listboss.hotmart._person import PERSON
from listboss.hotmart._reading import Version, read
from listboss.hotmart._values import text
from listboss.hotmart.fields import FACTS, IDS, MARKED

SHAPES = sorted((Path(__file__).parent / "shapes").iterdir())
TABLE = {
    "one": Field(text, "a.two_words c.a two_words", "b_c_ b_c"),
    "none": Field(text, "", ""),
    "both": Field(text, "a.b_c a.bC c.b_c c.two_words c.bC", "b_c bC.two_words bC c"),
    "status": Field(text, "c.status b_c a.*", "c", most_specific),
    "listed": Field(text, "a.*.two_words b_c.*.b_c.two_words", "a.*"),
    "blank": Field(affiliate_name, "c.* b_c", "", lambda names: next(names, None) or None),
}
KEYS = st.sampled_from(["a", "two_words", "twoWords", "b_c", "bC", "b_c_", "c", "status"])
ENDS = st.sampled_from([None, "", " x ", "y", 7, True, "CANCELED", "CANCELLED_BY_ADMIN"])
BODIES = st.recursive(
    ENDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=5)
        | st.dictionaries(KEYS, inner, max_size=5).map(UserDict)
    ),
    max_leaves=20,
)


def _found(table: Any, root: Any, version: Version) -> dict[str, Any]:
    values = {name: field.find(root, version) for name, field in table.items()}
    return {name: value for name, value in values.items() if value is not None}


@given(st.dictionaries(KEYS, BODIES, max_size=6), st.sampled_from(Version))
def test_generated_bodies(root, version):
    """Keys in one or two spellings, lists of any length, and mappings of other kinds."""
    assert _found(TABLE, root, version) == FieldReader(TABLE, version).read(root)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda file: file.name)
def test_every_shape(shape, version):
    """Every known shape, whatever the table and the version."""
    for content in read(shape.read_bytes()):
        data = content.get("data")
        for root in [content, *([data] if isinstance(data, dict) else [])]:
            for table in ({**FACTS, **IDS, **MARKED}, PERSON):
                assert _found(table, root, version) == FieldReader(table, version).read(root)


def test_fields_are_in_the_order_of_their_names():
    """A body in which no field is left undecided needs no sorting."""
    root = json.loads((SHAPES[0].parent / "02-approved-first.json").read_bytes())["data"]
    names = list(FieldReader(FACTS, Version.V2).read(root))
    assert sorted(names) == names


def test_a_blank_element_before_a_usable_one():
    """What the first elements of two lists give is dropped where a later element decides."""
    root = {"c": [7.5, {"affiliate_code": "x"}], "b_c": "y"}
    assert {"status": "y"} == FieldReader(TABLE, Version.V2).read(root)


def test_the_body_stays_as_it_is():
    """Keys in camelCase are not written into the body."""
    root: dict[str, Any] = {"a": {"twoWords": "x"}}
    before = copy.deepcopy(root)
    assert {"one": "x"} == FieldReader(TABLE, Version.V2).read(root)
    assert before == root
