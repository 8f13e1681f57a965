"""`backtest`: what a change of the rules would have done to past events.

The events are read twice. The first pass finds the contacts that the change concerns: those
with an event that the two rule sets plan differently. The second pass replays these contacts
alone, so memory grows with what differs and not with the events. Late and repeated events
count as they do in delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Protocol, cast

from listboss.analysis._differences import Differences, Engines
from listboss.analysis._scope import Progress, Scope, concerned, engines_of, of_contacts
from listboss.analysis.change import BacktestReport
from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.rules._text import wrong_type
from listboss.rules.event import Contact, Event
from listboss.rules.ruleset import RuleSet

__all__ = ["backtest"]

PROGRESS_EVERY = 1_000


def backtest(
    before: RuleSet,
    after: RuleSet,
    events: Iterable[Event],
    *,
    progress: Progress | None = None,
    processes: int = 1,
) -> BacktestReport:
    """Return what `after` would have done differently with past events than `before`.

    `events` is read twice, so it is a list or an object that opens its source each time it is
    iterated over; an iterator raises `ArgumentTypeError`. An event that is repeated counts
    once: it is known by its id and its contact. Test events and events without a contact
    change nothing.

    With more than one of `processes`, events are planned in as many, and the report is the same.
    That pays if planning takes longer than reading: of ready events, only for large changes.
    Start such a backtest below `if __name__ == "__main__":`, since each process imports the
    main module.

    >>> from datetime import UTC, date, datetime
    >>> from listboss import AddTag, Capabilities, Contact, Product, Segmentation
    >>> at = datetime(2026, 5, 4, tzinfo=UTC)
    >>> event = Event(
    ...     "purchase.approved",
    ...     id="e-1",
    ...     product_id="42",
    ...     contact=Contact("ana@example.com"),
    ...     occurred_at=at,
    ... )
    >>> rule = Segmentation(
    ...     "Buyers",
    ...     product_id="42",
    ...     provider="mail",
    ...     event="purchase.approved",
    ...     actions=AddTag("buyer"),
    ...     enabled=True,
    ... )
    >>> course = Product("42", "Course", approved_at=date(2025, 1, 1))
    >>> before = RuleSet([course], providers={"mail": Capabilities.everything()})
    >>> report = backtest(before, before.add(rule), [event])
    >>> [str(target) for target in report.targets], report.contacts[0].added
    (['tag `buyer` at `mail`'], ('tag `buyer` at `mail`',))
    """
    for name, rules in (("before", before), ("after", after)):
        if not isinstance(cast("object", rules), RuleSet):
            raise wrong_type("a rule set", rules, f"$.{name}")
    if not isinstance(cast("object", events), Iterable):
        raise wrong_type("a list of events", events, "$.events")
    if iter(events) is events:
        raise ArgumentTypeError(
            "the events can be read only once",
            path="$.events",
            hint="pass a list, or an object that opens its source each time it is iterated over",
        )
    if not isinstance(cast("object", processes), int) or processes < 1:
        raise ConfigurationError("expected an integer of at least 1", path="$.processes")
    engines = engines_of(before, after)
    if processes == 1:
        return _compare(engines, _Reading(events, progress))
    from listboss.analysis._in_processes import InProcesses  # noqa: PLC0415 # only then

    return _compare(engines, InProcesses(events, progress, processes))


class _Passes(Protocol):
    """What reads the events twice, and counts them."""

    count: int

    def concerned(self, engines: Engines) -> set[str]:
        """Return the contacts that the change concerns."""
        ...

    def again(self, keys: Set[str]) -> Iterator[tuple[Event, Contact]]:
        """Read the events of some contacts for the second time."""
        ...


def _compare(engines: Engines, passes: _Passes) -> BacktestReport:
    keys = passes.concerned(engines)
    differences = Differences(engines)
    for event, contact in passes.again(keys):
        differences.take(event, contact)
    return differences.report(passes.count)


class _Reading:
    """Reads the events twice, counts them, and reports the progress."""

    def __init__(self, events: Iterable[Event], progress: Progress | None) -> None:
        self._events, self._progress = events, progress
        self.count = 0

    def concerned(self, engines: Engines) -> set[str]:
        """Return the contacts that the change concerns."""
        return concerned(engines, Scope.of(engines), self._first())

    def again(self, keys: Set[str]) -> Iterator[tuple[Event, Contact]]:
        """Read the events of some contacts for the second time."""
        return of_contacts(self._counted(self.count, 2 * self.count), keys)

    def _first(self) -> Iterator[Event]:
        for event in self._counted(0, None):
            self.count += 1
            yield event

    def _counted(self, done: int, total: int | None) -> Iterator[Event]:
        progress = self._progress
        if progress is None:
            yield from self._events
            return
        for event in self._events:
            yield event
            done += 1
            if done % PROGRESS_EVERY == 0:
                progress(done, total)
        progress(done, total)
