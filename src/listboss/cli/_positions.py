"""Where the values of a rule file are: lines and columns, by their JSON paths.

The file is known to be valid. Neither of the parsers says where a value was, so the text is
scanned a second time for keys and brackets alone. Where the scan does not follow, the nearest
value above is found: a position may be less exact, and never an error.
"""

from __future__ import annotations

import json
import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from listboss.codec import Format

__all__ = ["Path", "Positions", "parts_of"]

Path: TypeAlias = tuple[str | int, ...]
"""A JSON path in parts: keys and indexes."""

_PART = re.compile(r'\.([\w-]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')
_JSON_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+)')
_WHITESPACE = re.compile(r"\s*")
_COLON = re.compile(r"\s*:")
_EQUALS = re.compile(r"=[ \t]*")
_HEADER_END = re.compile(r"[ \t]*\]{1,2}")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^\s,\]}#]+(?:[ ][0-9:.]+(?:Z|[+-][0-9:]+)?)?")


def parts_of(path: str) -> Path:
    """Split a JSON path.

    >>> parts_of("$.segmentations[0].actions[1].add_tag")
    ('segmentations', 0, 'actions', 1, 'add_tag')
    """
    return tuple(
        name or (int(index) if index else str(json.loads(quoted)))
        for name, index, quoted in _PART.findall(path)
    )


class Positions:
    r"""The lines and columns of the values of one file, both counted from 1.

    >>> Positions("a = 1\n[[b]]\nc = 2", "toml").find(("b", 0, "c"))
    (3, 1)
    """

    def __init__(self, text: str, format: Format) -> None:
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        scan = _Json(text) if format == "json" else _Toml(text)
        self._offsets = scan.offsets
        with suppress(_LostError, ValueError):  # what was found until there counts
            scan.document()

    def find(self, path: Path) -> tuple[int, int]:
        """Return the line and column of a value, or of the nearest one around it."""
        while path and path not in self._offsets:
            path = path[:-1]
        offset = self._offsets.get(path, 0)
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


class _LostError(Exception):
    """The scan does not follow the text any more."""


class _Scan:
    """Where the scan is, and the offsets that it found."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at: int = 0
        self.offsets: dict[Path, int] = {}

    def take(self, pattern: re.Pattern[str]) -> str:
        """Read what the pattern matches here."""
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _LostError
        self.at = match.end()
        return match.group()

    def found(self, path: Path, offset: int) -> None:
        """Note where a value is; the first place counts."""
        self.offsets.setdefault(path, offset)

    def items(self, end: str, step: Callable[[int], None], peek: Callable[[], str]) -> None:
        """Read what is between brackets: `step` reads an item, `peek` skips to the next sign."""
        number = 0
        self.at += 1
        while (sign := peek()) != end:
            if sign == ",":
                self.at += 1
                continue
            step(number)
            number += 1
        self.at += 1


class _Json(_Scan):
    def document(self) -> None:
        self.value(())

    def peek(self) -> str:
        self.take(_WHITESPACE)
        return self.text[self.at : self.at + 1]

    def value(self, path: Path) -> None:
        sign = self.peek()
        self.found(path, self.at)
        if sign == "{":
            self.items("}", lambda _: self.entry(path), self.peek)
        elif sign == "[":
            self.items("]", lambda number: self.value((*path, number)), self.peek)
        else:
            self.take(_JSON_TOKEN)

    def entry(self, path: Path) -> None:
        offset = self.at
        key: str = json.loads(self.take(_JSON_TOKEN))
        self.found((*path, key), offset)
        self.take(_COLON)
        self.value((*path, key))


class _Toml(_Scan):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tables: dict[Path, int] = {}  # the last index of each array of tables

    def document(self) -> None:
        table: Path = ()
        while self.peek():
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.entry(table)

    def peek(self) -> str:
        self.take(_BLANK)
        return self.text[self.at : self.at + 1]

    def header(self) -> Path:
        offset, is_array = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        keys = self.key()
        self.take(_HEADER_END)
        if is_array:
            array = (*self.inside(tuple(keys[:-1])), keys[-1])
            self.tables[array] = self.tables.get(array, -1) + 1
        path = self.inside(tuple(keys))
        for size in range(len(path)):
            self.found(path[: size + 1], offset)
        return path

    def inside(self, path: Path) -> Path:
        """Lead a path into the last table of each array of tables."""
        inner: Path = ()
        for part in path:
            inner = (*inner, part)
            if inner in self.tables:
                inner = (*inner, self.tables[inner])
        return inner

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.take(_SPACE)
            text = self.take(_KEY)
            parts.append(text if text[0] not in "\"'" else next(iter(tomllib.loads(f"{text} = 1"))))
            self.take(_SPACE)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def entry(self, table: Path) -> None:
        offset, path = self.at, table
        for part in self.key():
            path = (*path, part)
            self.found(path, offset)
        self.take(_EQUALS)
        self.value(path)

    def value(self, path: Path) -> None:
        sign = self.text[self.at : self.at + 1]
        self.found(path, self.at)
        if sign == "{":
            self.items("}", lambda _: self.entry(path), self.peek)
        elif sign == "[":
            self.items("]", lambda number: self.value((*path, number)), self.peek)
        else:
            self.take(_STRING if sign in "\"'" else _SCALAR)
