"""Everything that is checked about listboss, each in a virtual environment of its own.

`nox` runs the quick sessions; `nox -s soak` tries the large figures and takes hours.
"""

import shutil
import tarfile
from pathlib import Path

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)  # from the classifiers
EXAMPLES = ("quickstart.py", "custom_provider.py")

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "tests", "wheel", "sdist", "docs"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The test suite, on every supported Python."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """The HTML page of a rule set in the system's Chromium."""
    session.install("-e", ".[browser]")
    session.run("python", "-m", "pytest", "-n", "0", "tests/diagram/test_browser.py")


@nox.session
def spark(session: nox.Session) -> None:
    """Batches, streams and the outbox on the Spark of PyPI; needs Java."""
    session.install("-e", ".[test,spark]")
    session.run(
        "python", "-m", "pytest", "-n", "0",
        "tests/scale/test_spark.py", "docs/howto/plan-with-spark.md",
    )  # fmt: skip


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
    session.run("mypy", ".ci/build.py")  # the sdist does not have it, so the setting cannot name it
    session.run("pyright")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation; a warning is an error."""
    session.install("-e", ".[dev]")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build")


def _built(session: nox.Session) -> tuple[Path, Path, Path]:
    """Build from tracked files only; return the wheel, the sdist and the unpacked sdist."""
    session.install("build")
    scratch = Path(session.create_tmp())
    for left_over in scratch.iterdir():
        shutil.rmtree(left_over)
    session.run("python", ".ci/build.py", str(scratch / "dist"))
    (wheel,) = scratch.glob("dist/*.whl")
    (sdist,) = scratch.glob("dist/*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(scratch, filter="data")
    return wheel, sdist, scratch / sdist.name.removesuffix(".tar.gz")


@nox.session
def wheel(session: nox.Session) -> None:
    """What a user installs: tests and examples with the built wheel, `src` out of the way."""
    built, _, unpacked = _built(session)
    session.install(f"{built}[test]")
    shutil.rmtree(unpacked / "src")
    with session.chdir(unpacked):
        session.run("python", "-m", "pytest", "tests", "docs", "README.md", *session.posargs)
        for example in EXAMPLES:
            session.run("python", f"examples/{example}")


@nox.session
def sdist(session: nox.Session) -> None:
    """What a packager does: install from the sdist, and run the tests that are in it."""
    _, built, unpacked = _built(session)
    session.install(f"{built}[test]")
    with session.chdir(unpacked):
        session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """The suite with the large figures, and new random cases each time; the service under load."""
    session.install("-e", ".[test]")
    session.run("python", "examples/webhook_service/load.py")
    session.run("python", "-m", "pytest", *session.posargs, env={"LISTBOSS_PROFILE": "soak"})


@nox.session(name="bench-compare")
def bench_compare(session: nox.Session) -> None:
    """What planning and matching cost in two revisions: `nox -s bench-compare -- OLD NEW`."""
    session.install("-e", ".")
    session.run("python", "-m", "bench.compare", *session.posargs)
