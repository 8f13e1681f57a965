"""What the README promises by its form."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SET_UP = (
    "python -m pip install . && python examples/quickstart.py",
    'python -m pip install -e ".[test]" && python -m pytest',
)


@pytest.mark.parametrize("line", SET_UP)
def test_set_up_in_one_line(line: str):
    """The lines that do all their own set-up stand alone in a code block."""
    blocks = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

    assert [line] in [block.splitlines() for block in blocks]


def test_links_lead_somewhere():
    """Every link of a page to a file of the project names one that exists."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    linked = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    if not (ROOT / "src").is_dir():  # an installed package is tested without what is at the root
        linked = [link for link in linked if not re.match(r"src/|[A-Z]+(\.md)?$", link[1])]

    assert [] == [
        (page.name, target) for page, target in linked if not (page.parent / target).exists()
    ]
    assert len(linked) > 20
