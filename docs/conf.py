"""How Sphinx builds these pages."""

import tomllib
from pathlib import Path

_pyproject = Path(__file__).parent.parent / "pyproject.toml"
_project = tomllib.loads(_pyproject.read_text("utf-8"))["project"]

project = _project["name"]
author = "the listboss maintainers"
copyright = author
version = release = _project["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the signature shows them already
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

html_theme = "furo"
html_title = f"{project} {release}"
