"""The two passes of a backtest in several processes.

A source may say how to cut what it reads, and then its parts are read in the processes, too. The
rules travel as canonical JSON. Results come back in the order of the parts, so the report is that
of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import islice
from typing import Any, Protocol, TypeAlias, runtime_checkable

from listboss._processes import in_order
from listboss.analysis._differences import Engines
from listboss.analysis._scope import Progress, Scope, concerned, engines_of, of_contacts
from listboss.codec._travel import Texts, rules_from, texts_of
from listboss.rules.event import Contact, Event

__all__ = ["InProcesses", "Read", "first_pass", "second_pass"]

Read: TypeAlias = Callable[[Any], Sequence[Any]]
"""Returns the events of a part, in order, and between them notes: anything else."""

MAX_EVENTS = 500
"""At most this many events in a part."""


@runtime_checkable
class _Source(Protocol):
    """Events that are read in the processes."""

    def parts(self) -> Iterable[Any]:
        """Return the parts in order; each can be pickled."""
        ...

    def reader(self) -> Read:
        """Return what reads a part; it can be pickled."""
        ...

    def note(self, note: Any) -> None:
        """Take a note that the reader made, in the order of one process."""
        ...


class _Given:
    """Events that are there already."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = events

    def parts(self) -> Iterator[tuple[Event, ...]]:
        events = iter(self._events)
        while part := tuple(islice(events, MAX_EVENTS)):
            yield part

    def reader(self) -> Read:
        return tuple[Any, ...]

    def note(self, note: Any) -> None:
        """There are none."""


class InProcesses:
    """Reads and plans the events in processes, counts them, and reports the progress."""

    def __init__(self, events: Iterable[Event], progress: Progress | None, processes: int) -> None:
        self._source = events if isinstance(events, _Source) else _Given(events)
        self._progress, self._processes = progress, processes
        self.count = 0

    def concerned(self, engines: Engines) -> set[str]:
        """Return the contacts that the change concerns."""
        found: set[str] = set()
        before, after = (texts_of(engine.rules) for engine in engines.both)
        arguments = before, after, self._source.reader()
        for count, keys, notes in self._map(first_pass, arguments):
            found |= keys
            self.count += count
            for note in notes:
                self._source.note(note)
            self._show(self.count, None)
        return found

    def again(self, keys: Set[str]) -> Iterator[tuple[Event, Contact]]:
        """Read the events of some contacts for the second time."""
        done = self.count
        for count, events in self._map(second_pass, (frozenset(keys), self._source.reader())):
            yield from of_contacts(events, keys)
            done += count
            self._show(done, 2 * self.count)

    def _map(self, make: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[Any]:
        return in_order(self._processes, make, arguments, self._source.parts())

    def _show(self, done: int, total: int | None) -> None:
        if self._progress is not None:
            self._progress(done, total)


def first_pass(before: Texts, after: Texts, read: Read) -> Callable[[Any], Any]:
    """Make a worker: how many events a part has, which contacts differ, and the notes."""
    old, new = rules_from(before), rules_from(after)
    engines = engines_of(old, new)
    scope = Scope.of(engines)

    def work(part: Any) -> tuple[int, set[str], list[Any]]:
        found = read(part)
        events = [each for each in found if isinstance(each, Event)]
        notes = [each for each in found if not isinstance(each, Event)]
        return len(events), concerned(engines, scope, events), notes

    return work


def second_pass(keys: Set[str], read: Read) -> Callable[[Any], Any]:
    """Make a worker: how many events a part has, and those of some contacts."""

    def work(part: Any) -> tuple[int, list[Event]]:
        events = [each for each in read(part) if isinstance(each, Event)]
        return len(events), [event for event, _ in of_contacts(events, keys)]

    return work
