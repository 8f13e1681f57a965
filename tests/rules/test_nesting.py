"""The depth of a document's brackets, before anything parses it."""

import json
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.rules import _nesting
from listboss.rules._nesting import (
    brackets_of,
    count_values,
    depth_of,
    json_outline,
    nests_deeper,
)


@pytest.mark.parametrize(("depth", "deeper"), [(19, False), (20, False), (21, True)])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_limit_is_exact(opening: str, closing: str, depth: int, deeper: bool):
    """One level below the limit and at it fits, one above does not."""
    assert deeper is nests_deeper(opening * depth + closing * depth, 20)


def test_closed_brackets_do_not_add_up():
    """A wide document is not deep."""
    assert not nests_deeper("[" + "[{}]," * 1_000 + "[]]", 3)


@pytest.mark.parametrize("text", ['["[[["]', r'["\"[[["]', r'["\\", "[[["]', '["[[[', '["[[[\\'])
def test_brackets_in_strings_do_not_count(text: str):
    """A string may hold brackets, with escapes before them, and even if it never ends."""
    assert not nests_deeper(text, 1)


def test_brackets_after_a_string_count():
    """A quote that is escaped does not end its string; the next one does."""
    assert nests_deeper(r'["\"", [[]]]', 2)


def test_a_text_that_never_closes_is_as_deep_as_it_opens():
    """Brackets count even if the text is not valid."""
    assert nests_deeper("[" * 100_000, 80)


def _count(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_count, parts))


def _depth(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    nested = isinstance(value, (dict, list))
    return nested + max(map(_depth, parts), default=0)


JSON = st.recursive(
    st.none() | st.integers() | st.text(r'"\[]{},: x'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(r'"\[]{},:'), inner),
)


@given(JSON, st.integers(1, 9), st.sampled_from([None, 1]))
def test_depth_and_number_of_values(value: object, size: int, indent: int | None):
    """The outline of a document has its depth and its number of values, however it is sliced."""
    text = json.dumps(value, indent=indent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_nesting, "SLICE", size)
        outline = json_outline(text)
    assert (_count(value), _depth(value)) == (count_values(outline), depth_of(outline))


@pytest.mark.parametrize(
    "text", ['"' * 300_000, "[]" * 300_000, '["",' * 100_000, '"\\"' * 100_000]
)
@pytest.mark.parametrize("outline", [json_outline, brackets_of])
def test_memory_is_bounded(text: str, outline: Callable[[str], bytes]):
    """The outline of a document, or its brackets, need at most three times its memory."""
    tracemalloc.start()
    depth_of(outline(text))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(text) + 8_000_000


@given(st.text('"[]{},:\\ a1', max_size=40))
def test_brackets(text):
    """The brackets alone nest as deep as the outline, in any text."""
    brackets = brackets_of(text)
    assert depth_of(json_outline(text)) == depth_of(brackets)
    assert set(brackets) <= set(b"[]{}") or brackets == json_outline(text)
