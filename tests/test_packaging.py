"""The installed package: its names, its size, what it loads and what it depends on.

The tests read the imported package, not the checkout, so they hold for an installed wheel too.
"""

import ast
import importlib
import importlib.metadata
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import listboss

PACKAGE = Path(listboss.__file__).parent
PROJECT = Path(__file__).parent.parent
MODULES = sorted(
    ["listboss", *(found.name for found in pkgutil.walk_packages([str(PACKAGE)], "listboss."))]
)
MAX_LINES = 400
HEAVY = ("asyncio", "cattrs", "hypothesis", "sqlite3")


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads in a new interpreter."""
    program = (
        "import json, sys; before = set(sys.modules)\n"
        f"{statement}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    # Coverage would load some of the modules in question before the statement does.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


def source(module: str) -> str:
    """The source text of an installed module."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text(encoding="utf-8")


def is_package(module: str) -> bool:
    """Whether a module is a folder."""
    return PACKAGE.joinpath(*module.split(".")[1:]).is_dir()


def taken(module: str) -> set[tuple[str, str]]:
    """What a module imports from the modules of listboss: pairs of module and name."""
    return {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(source(module)))
        if isinstance(node, ast.ImportFrom) and node.module in MODULES
        for alias in node.names
    }


def defined(module: str) -> set[str]:
    """The public functions and classes of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    body = ast.parse(source(module)).body
    names = {statement.name for statement in body if isinstance(statement, kinds)}
    return {name for name in names if not name.startswith("_")}


def assigned(module: str) -> set[str]:
    """The constants and aliases of a module."""
    body = ast.parse(source(module)).body
    values = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    return {
        name.id
        for value in values
        for target in (value.targets if isinstance(value, ast.Assign) else [value.target])
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }


TAKEN = frozenset(pair for module in MODULES for pair in taken(module))


def test_import_loads_nothing_heavy():
    """`import listboss` loads no codec, no event loop, no database and no test tool."""
    loaded = {name.split(".")[0] for name in loaded_by("import listboss")}

    assert set() == loaded & set(HEAVY)


def test_a_heavy_module_would_be_noticed():
    """The check above notices a heavy module."""
    assert "sqlite3" in loaded_by("import sqlite3")


@pytest.mark.parametrize("module", MODULES)
def test_all_names_what_is_public(module: str):
    """`__all__` has every public function and class, and every name that others import."""
    others_import = {name for origin, name in TAKEN if origin == module}
    submodules = {name for name in others_import if f"{module}.{name}" in MODULES}

    names = importlib.import_module(module).__all__

    assert [] == sorted((defined(module) | others_import) - submodules - set(names))


@pytest.mark.parametrize("module", MODULES)
def test_all_names_nothing_else(module: str):
    """`__all__` has only names that the module defines or, in a package, imports."""
    gathered = {name for _, name in taken(module)} if is_package(module) else set[str]()

    names = importlib.import_module(module).__all__

    assert [] == sorted(set(names) - defined(module) - assigned(module) - gathered)


@pytest.mark.parametrize("module", MODULES)
def test_every_name_in_all_exists(module: str):
    """Each name in `__all__` exists in the module and is listed once."""
    imported = importlib.import_module(module)

    assert sorted(set(imported.__all__)) == sorted(imported.__all__)
    assert [] == [name for name in imported.__all__ if not hasattr(imported, name)]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_short(module: str):
    """A module has fewer lines than the limit."""
    assert len(source(module).splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is(module: str):
    """A module's docstring has 3 to 12 lines."""
    docstring = ast.get_docstring(ast.parse(source(module))) or ""

    assert len(docstring.splitlines()) in range(3, 13)


def test_the_package_is_typed():
    """Type checkers read the annotations of the installed package."""
    assert (PACKAGE / "py.typed").is_file()


def test_version_is_one():
    """The installed version is the version in `pyproject.toml`."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == importlib.metadata.version("listboss")


def test_changelog_knows_the_version():
    """The newest section of the changelog is about the installed version."""
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, *_ = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)

    assert importlib.metadata.version("listboss") == newest


def test_three_runtime_dependencies():
    """Installing listboss installs attrs, cattrs and typing-extensions, and nothing else."""
    required = importlib.metadata.requires("listboss") or []
    names = [re.split(r"[^\w-]", line)[0] for line in required if "extra ==" not in line]

    assert ["attrs", "cattrs", "typing-extensions"] == sorted(names)
