"""The depth of a document's brackets, before anything parses it."""

import pytest

from listboss.rules._nesting import nests_deeper


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
