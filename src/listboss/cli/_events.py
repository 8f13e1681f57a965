"""Past events as the command line reads them: files, folders, JSON lines, journals and stdin.

A source can be read more than once, and is never in memory as a whole, so that a backtest of
many events needs little. What cannot be read does not stop the rest: it is reported once, by
file and line, without its content.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Self, TypeAlias, cast

import attrs

from listboss.cli._console import Console, UnreadableError, reason_of
from listboss.codec import load_event
from listboss.codec._travel import catalogue_from, catalogue_text
from listboss.delivery import SqliteJournal
from listboss.errors import CodecError, ListBossError, WebhookError
from listboss.hotmart import MAX_BYTES, Parsed, parse
from listboss.rules.catalogue import Catalogue
from listboss.rules.event import Event

__all__ = ["EventSource", "Part", "PartReader", "Skipped"]

STDIN = "-"
SUFFIXES = (".json", ".jsonl", ".ndjson", ".form")
"""The files of a folder that are read."""
LINES = (".jsonl", ".ndjson")
Parse: TypeAlias = Callable[[bytes], Parsed]
"""How a webhook body becomes events, with what the host says about its webhooks."""
_SQLITE = b"SQLite format 3\0"


MAX_PART = 500
"""At most this many events or bodies in a part."""
MAX_PART_BYTES = 1_000_000
"""A part ends with the body that makes it larger than this."""


@attrs.frozen
class Skipped:
    """What gave no event: a body that cannot be read, or one that is ignored for a reason."""

    reason: str
    is_unreadable: bool
    place: str = ""


Raw: TypeAlias = bytes | Event | Skipped
"""What a file has: a body, or what needs no reading."""
Part: TypeAlias = list[tuple[str, Raw]]
"""Some of it, each with its place."""


class PartReader:
    """Reads parts in another process; the catalogue of the host travels as JSON."""

    def __init__(self, catalogue: str, pix_as: str) -> None:
        self._catalogue, self._pix_as = catalogue, pix_as
        self._parse: Parse | None = None

    def __call__(self, part: Part) -> list[Event | Skipped]:
        """Return the events of a part, and what gave none, in order."""
        if self._parse is None:
            catalogue = catalogue_from(self._catalogue)
            self._parse = partial(parse, catalogue=catalogue, pix_as=self._pix_as)
        return [found for place, raw in part for found in _read(place, raw, self._parse)]


class EventSource:
    """The events of some files, folders, journals and stdin, in the order given.

    `unreadable` and `ignored` count what the first reading skipped. Use it as a context
    manager, which removes the copy of stdin.
    """

    def __init__(
        self, names: Sequence[str], *, console: Console, catalogue: Catalogue, pix_as: str
    ) -> None:
        self._names, self._console = names, console
        self._catalogue, self._pix_as = catalogue, pix_as
        self._parse = partial(parse, catalogue=catalogue, pix_as=pix_as)
        self._spooled: BinaryIO | None = None
        self._is_first = True
        self.unreadable = self.ignored = 0
        for name in names:
            if name != STDIN and not Path(name).exists():
                raise UnreadableError(f"cannot read `{name}`: no such file or directory")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._spooled is not None:
            self._spooled.close()

    def __iter__(self) -> Iterator[Event]:
        for place, raw in self._all():
            for found in _read(place, raw, self._parse):
                if isinstance(found, Event):
                    yield found
                else:
                    self.note(found)
        self._is_first = False

    def parts(self) -> Iterator[Part]:
        """Return what there is to read, for several processes."""
        part: Part = []
        size = 0
        for place, raw in self._all():
            part.append((place, raw))
            size += len(raw) if isinstance(raw, bytes) else 0
            if len(part) >= MAX_PART or size >= MAX_PART_BYTES:
                yield part
                part, size = [], 0
        if part:
            yield part

    def reader(self) -> PartReader:
        """Return what reads a part."""
        return PartReader(catalogue_text(self._catalogue), self._pix_as)

    def note(self, note: Skipped) -> None:
        """Count what gave no event, and report what cannot be read."""
        if self._is_first:
            self.unreadable += note.is_unreadable
            self.ignored += not note.is_unreadable
            if note.is_unreadable:
                self._console.message(f"{note.place}: {note.reason}")

    def _all(self) -> Iterator[tuple[str, Raw]]:
        for name in self._names:
            if name == STDIN:
                yield from _of_file("stdin", self._stdin(), lines=False)
                continue
            path = Path(name)
            for file in _files(path) if path.is_dir() else [path]:
                yield from _of_path(file)

    def _stdin(self) -> BinaryIO:
        """Return what stdin has, kept in a temporary file since it can be read only once."""
        if self._spooled is None:
            self._spooled = cast("BinaryIO", TemporaryFile())  # noqa: SIM115 # until the end
            shutil.copyfileobj(sys.stdin.buffer, self._spooled)
        self._spooled.seek(0)
        return self._spooled


def _files(folder: Path) -> Iterator[Path]:
    """Return the files of a folder and those below it, sorted."""
    yield from sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )


def _of_path(path: Path) -> Iterator[tuple[str, Raw]]:
    try:
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                file.seek(0)
                lines = path.suffix.lower() in LINES
                yield from _of_file(str(path), file, lines=lines)
                return
    except OSError as error:
        yield str(path), Skipped(f"cannot be read: {reason_of(error)}", is_unreadable=True)
        return
    yield from _of_journal(path)


def _of_journal(path: Path) -> Iterator[tuple[str, Raw]]:
    try:
        with SqliteJournal(path, keep=None) as journal:
            for event in journal.events():
                yield str(path), event
    except ListBossError as error:
        yield str(path), Skipped(f"cannot be read: {error.message}", is_unreadable=True)


def _of_file(name: str, file: BinaryIO, *, lines: bool) -> Iterator[tuple[str, Raw]]:
    """Read JSON lines, or a file that is one body.

    It is JSON lines if its name says so, or if its first line alone is a JSON document.
    """
    number, first = 1, _line_of(file)
    while first and not first.strip():
        number, first = number + 1, _line_of(file)
    if not first:
        yield name, Skipped("the file is empty", is_unreadable=True)
    elif lines or _is_json(first):
        while first:
            if first.strip():
                yield f"{name}:{number}", first
            number, first = number + 1, _line_of(file)
    else:
        yield name, first + file.read(max(0, MAX_BYTES + 1 - len(first)))


def _line_of(file: BinaryIO) -> bytes:
    """Read a line; of one that is too long for a webhook, only as much as shows that."""
    line = more = file.readline(MAX_BYTES + 1)
    while len(more) > MAX_BYTES and not more.endswith(b"\n"):
        more = file.readline(MAX_BYTES + 1)
    return line


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), (dict, list))
    except (ValueError, RecursionError):
        return False


def _read(place: str, raw: Raw, parse_body: Parse) -> Iterator[Event | Skipped]:
    """Read what a file has, unless it is read already."""
    if isinstance(raw, bytes):
        for found in _of_body(raw, parse_body):
            yield found if isinstance(found, Event) else attrs.evolve(found, place=place)
    else:
        yield raw if isinstance(raw, Event) else attrs.evolve(raw, place=place)


def _of_body(body: bytes, parse_body: Parse) -> Iterator[Event | Skipped]:
    """Read an event as `dump_event` writes it, or a webhook with any number of events."""
    try:
        if _is_event(body):
            yield load_event(body)
            return
        parsed = parse_body(body)
    except CodecError as error:
        yield Skipped(f"not an event: {_one_line(error)}", is_unreadable=True)
    except WebhookError as error:
        yield Skipped(f"not a webhook: {error.message}", is_unreadable=True)
    else:
        yield from parsed.events
        if parsed.ignored is not None:
            yield Skipped(parsed.ignored.reason.replace("_", " "), is_unreadable=False)


def _one_line(error: CodecError) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines())


def _is_event(body: bytes) -> bool:
    if b'"occurred_at"' not in body or b'"product_id"' not in body:
        return False
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "occurred_at" in content and "product_id" in content
