"""The tables of the reference pages agree with the code."""

import importlib.util
import re
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

from listboss import Idle
from listboss.engine import ConflictRule, Reason
from listboss.hotmart import IgnoredReason
from listboss.provider import RefusedKind
from listboss.rules.action import ACTION_KINDS
from listboss.rules.finding import AnalysisCode, FindingCode

DOCS = Path(__file__).parents[2] / "docs"
WORDS = re.compile(r"<!-- words: (\w+) -->\n(.*?)(?=\n\n|\Z)", re.DOTALL)
FIRST_CELL = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)


def load_tables() -> ModuleType:
    """Load the script that writes the tables."""
    spec = importlib.util.spec_from_file_location("docs_tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = load_tables()
PAGES = [page.relative_to(DOCS).as_posix() for page in TABLES.PAGES]
LISTED = {
    kind.__name__: [member.value for member in kind]
    for kind in (AnalysisCode, ConflictRule, FindingCode, Idle, IgnoredReason, Reason, RefusedKind)
} | {"ACTION_KINDS": list(ACTION_KINDS)}


def text(page: str) -> str:
    """Read a page."""
    return (DOCS / page).read_text("utf-8")


def described() -> dict[str, list[str]]:
    """Return the words that the pages describe, by the name of the enumeration."""
    return {
        name: FIRST_CELL.findall(rows) for page in PAGES for name, rows in WORDS.findall(text(page))
    }


@pytest.mark.parametrize("page", PAGES)
def test_tables_are_those_of_the_code(page: str):
    """The tables of a page are the ones that `python docs/tables.py` writes."""
    assert TABLES.filled(text(page)) == text(page)


def test_every_table_is_on_a_page():
    """Each table is on exactly one page."""
    places = [name for page in PAGES for _, name, _ in TABLES.BLOCK.findall(text(page))]

    assert sorted(TABLES.TABLES) == sorted(places)


def test_a_stale_table_is_noticed():
    """A row that is not in the code is removed."""
    stale = "<!-- table: product-kinds -->\n| `barter` | none |\n<!-- end -->"

    assert "barter" not in TABLES.filled(stale)


@pytest.mark.parametrize("name", sorted(LISTED))
def test_every_word_is_described(name: str):
    """The page that describes an enumeration has each of its words once."""
    assert sorted(LISTED[name]) == sorted(described().get(name, []))


def test_no_enumeration_is_empty():
    """The enumerations that the pages describe are not empty."""
    assert all(LISTED.values())
    assert issubclass(FindingCode, Enum)
