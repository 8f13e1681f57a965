"""Where results, messages and progress go.

Results go to stdout, so that they can be piped; messages go to stderr, and so does the progress
of long work if stderr is a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Literal, TypeAlias

import attrs

from listboss.rules._wording import as_markdown

__all__ = [
    "FAILED",
    "FORMATS",
    "OK",
    "UNREADABLE",
    "Console",
    "Format",
    "UnreadableError",
    "listed",
    "reason_of",
]

OK, FAILED, UNREADABLE = 0, 1, 2
"""The exit codes: all is well; findings, or changes over a threshold; unreadable input."""

Format: TypeAlias = Literal["text", "json", "markdown", "github"]
FORMATS: tuple[Format, ...] = ("text", "json", "markdown", "github")
PROGRESS_EVERY = 1.0
"""Seconds between two lines of progress."""

_LEVELS = {"error": "error", "warning": "warning"}


class UnreadableError(Exception):
    """Input that cannot be read; the message is for people and has no personal data."""


def reason_of(error: OSError) -> str:
    """Return in lower case why a file cannot be used."""
    return (error.strerror or "unknown reason").lower()


def listed(lines: Iterable[str], *, markdown: bool) -> Iterator[str]:
    """Indent the lines below the first one; in Markdown, make an item and its items."""
    indent = ""
    for line in map(str.strip, lines):
        yield f"{indent}- {as_markdown(line)}" if markdown else f"{indent}{line}"
        indent = "  "


@attrs.frozen
class Console:
    """Writes results to stdout and messages to stderr."""

    show_personal_data: bool = False

    def result(self, text: str) -> None:
        """Write a line or several of a result."""
        sys.stdout.write(text + "\n")

    def lines(self, lines: Iterable[str], *, markdown: bool) -> None:
        """Write a line of a result and those below it; in Markdown, an item and its items."""
        for line in listed(lines, markdown=markdown):
            self.result(line)

    def json(self, content: object, *, indent: int | None = 2) -> None:
        """Write a result as JSON."""
        self.result(json.dumps(content, ensure_ascii=False, indent=indent))

    def message(self, text: str) -> None:
        """Write a message."""
        sys.stderr.write(text + "\n")

    def annotation(
        self, severity: str, file: str, place: tuple[int, int], title: str, message: str
    ) -> None:
        """Write a result as an annotation of a line, in the form that GitHub's runners read."""
        line, column = place
        properties = {"file": file, "line": str(line), "col": str(column), "title": title}
        listed = ",".join(
            f"{name}={_escaped(value, property=True)}" for name, value in properties.items()
        )
        level = _LEVELS.get(severity, "notice")
        self.result(f"::{level} {listed}::{_escaped(message, property=False)}")

    @contextmanager
    def progress(self, what: str) -> Generator[Callable[[int, int | None], None] | None]:
        """Show the progress of long work, if stderr is a terminal.

        A bar if `rich` is installed, else a line now and then.
        """
        if not sys.stderr.isatty():
            yield None
            return
        try:
            from rich.console import Console as RichConsole  # noqa: PLC0415 # an extra
            from rich.progress import Progress as RichProgress  # noqa: PLC0415 # an extra
        except ImportError:
            yield self._lines(what)
            return
        with RichProgress(console=RichConsole(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)

            def show(done: int, total: int | None) -> None:
                bar.update(task, completed=done, total=total)

            yield show

    def _lines(self, what: str) -> Callable[[int, int | None], None]:
        shown_at = monotonic()

        def show(done: int, total: int | None) -> None:
            nonlocal shown_at
            if monotonic() - shown_at >= PROGRESS_EVERY:
                shown_at = monotonic()
                of = "" if total is None else f" of {total:,}"
                self.message(f"{what}: {done:,}{of}")

        return show


def _escaped(text: str, *, property: bool) -> str:  # noqa: A002 # the forge's own word
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text
