"""The commands and the links of the README and the docs."""

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
    """Each command that sets everything up is alone in a code block, to be copied."""
    blocks = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

    assert [line] in [block.splitlines() for block in blocks]


def test_links_lead_somewhere():
    """Every link from a page to a file of the project leads to a file that exists."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    linked = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    if not (ROOT / "src").is_dir():  # the wheel is tested without the root folder
        linked = [link for link in linked if not re.match(r"src/|[A-Z]+(\.md)?$", link[1])]

    assert [] == [
        (page.name, target) for page, target in linked if not (page.parent / target).exists()
    ]
    assert len(linked) > 20
