"""The reference pages say what the code says."""

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
from listboss.rules.finding import FindingCode

DOCS = Path(__file__).parents[2] / "docs"
WORDS = re.compile(r"<!-- words: (\w+) -->\n(.*?)(?=\n\n|\Z)", re.DOTALL)
FIRST_CELL = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)


def load_tables() -> ModuleType:
    """The script that writes the tables."""
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
    for kind in (ConflictRule, FindingCode, Idle, IgnoredReason, Reason, RefusedKind)
} | {"ACTION_KINDS": list(ACTION_KINDS)}


def text(page: str) -> str:
    """A page as it is on disk."""
    return (DOCS / page).read_text("utf-8")


def described() -> dict[str, list[str]]:
    """The words that the pages describe, by the name of what lists them."""
    return {
        name: FIRST_CELL.findall(rows) for page in PAGES for name, rows in WORDS.findall(text(page))
    }


@pytest.mark.parametrize("page", PAGES)
def test_tables_are_those_of_the_code(page: str):
    """A page has its tables as `python docs/tables.py` writes them."""
    assert TABLES.filled(text(page)) == text(page)


def test_every_table_has_its_place():
    """Each table that can be made stands on a page, once."""
    places = [name for page in PAGES for _, name, _ in TABLES.BLOCK.findall(text(page))]

    assert sorted(TABLES.TABLES) == sorted(places)


def test_a_stale_table_is_noticed():
    """A row that the code does not have is taken out."""
    stale = "<!-- table: product-kinds -->\n| `barter` | none |\n<!-- end -->"

    assert "barter" not in TABLES.filled(stale)


@pytest.mark.parametrize("name", sorted(LISTED))
def test_every_word_is_described(name: str):
    """The page that describes codes or reasons has each of them, once."""
    assert sorted(LISTED[name]) == sorted(described().get(name, []))


def test_words_are_those_of_enums():
    """What the check above compares with is not empty."""
    assert all(LISTED.values())
    assert issubclass(FindingCode, Enum)
