"""The records of decisions: numbered, dated and complete."""

import re
from datetime import date
from pathlib import Path

from listboss import AUTOMATIC

DECISIONS = Path(__file__).parents[2] / "docs" / "explanation" / "decisions"
PAGES = [page for page in sorted(DECISIONS.glob("*.md")) if page.name != "index.md"]
INDEX = (DECISIONS / "index.md").read_text("utf-8")
HEADING = re.compile(r"^## (.*)\n\n(.*)$", re.MULTILINE)


def records() -> list[tuple[str, str]]:
    """Return the heading of every record, and the line below it."""
    return [record for page in PAGES for record in HEADING.findall(page.read_text("utf-8"))]


def test_numbers_are_consecutive():
    """No number is missing or used twice."""
    numbers = sorted(int(heading.partition(".")[0]) for heading, _ in records())

    assert list(range(1, len(numbers) + 1)) == numbers
    assert len(numbers) > 60


def test_every_record_has_its_date():
    """The line below each heading is the date of the decision."""
    lines = [line for _, line in records()]

    assert [] == [line for line in lines if line != f"*{date.fromisoformat(line.strip('*'))}*"]


def test_the_index_links_every_record():
    """The first page links each record, with its number."""
    linked = re.findall(r"^- \[(.*)\]\(", INDEX, re.MULTILINE)

    assert sorted(heading for heading, _ in records()) == sorted(linked)


def test_every_automatic_row_is_explained():
    """The decisions have a row for each automatic segmentation, in the order of the code."""
    page = (DECISIONS / "automatic-segmentations.md").read_text("utf-8")

    assert [row.id for row in AUTOMATIC] == re.findall(r"^\| `(auto\.\w+)` \|", page, re.MULTILINE)
