"""Everything that is checked about listboss, each in a virtual environment of its own.

`nox` runs the quick sessions; `nox -s soak` tries the large figures and takes hours.
"""

import shutil
from pathlib import Path

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)  # from the classifiers
EXAMPLES = ("quickstart.py", "custom_provider.py")

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "tests", "wheel", "docs"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The test suite, on every supported Python."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Spelling, style, the direction of imports, and the declared dependencies."""
    session.install("-e", ".[dev]")
    session.run("codespell")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")
    session.run("deptry", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Two type checkers, both strict."""
    session.install("-e", ".[dev]")
    session.run("mypy")
    session.run("pyright")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation; a warning is an error."""
    session.install("-e", ".[dev]")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build")


@nox.session
def wheel(session: nox.Session) -> None:
    """What a user installs: tests and examples with the built wheel, `src` out of the way."""
    session.install("build")
    scratch = Path(session.create_tmp())
    dist, elsewhere = scratch / "dist", scratch / "elsewhere"
    for left_over in (dist, elsewhere):
        shutil.rmtree(left_over, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist))
    (built,) = dist.glob("*.whl")
    session.install(f"{built}[test]")

    for folder in ("tests", "docs", "examples"):
        shutil.copytree(folder, elsewhere / folder)
    for file in ("pyproject.toml", "conftest.py", "README.md", "CHANGELOG.md", "ARCHITECTURE.md"):
        shutil.copy(file, elsewhere)
    with session.chdir(elsewhere):
        session.run("python", "-m", "pytest", "tests", "docs", "README.md", *session.posargs)
        for example in EXAMPLES:
            session.run("python", f"examples/{example}")


@nox.session
def soak(session: nox.Session) -> None:
    """The suite with the large figures, and new random cases each time."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs, env={"LISTBOSS_PROFILE": "soak"})


@nox.session(name="bench-compare")
def bench_compare(session: nox.Session) -> None:
    """What planning and matching cost in two revisions: `nox -s bench-compare -- OLD NEW`."""
    session.install("-e", ".")
    session.run("python", "-m", "bench.compare", *session.posargs)
