"""What a backtest reports: the values, and how they are shown to people and to programs.

Only what differs is in a report. Swapping the two rule sets swaps `added` with `removed`, and
`before` with `after`, and changes nothing else. Nothing shows who a contact is, unless it is
asked for: a contact is then a number of the report, and an id with an address is masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import attrs

from listboss.rules._text import masked, masked_address, quoted, without_address
from listboss.rules._wording import as_markdown
from listboss.rules.event import EventName

__all__ = [
    "BacktestReport",
    "ContactChange",
    "RuleChange",
    "RuleSample",
    "Sample",
    "TargetChange",
]

MAX_SHOWN = 20
"""At most this many lines of a list are shown to people; `to_json` has all."""


@attrs.frozen(kw_only=True)
class RuleChange:
    """On how many events a segmentation runs now and did not before, and the reverse.

    `changed` counts events on which it runs under both rule sets and asks for something else;
    `unchanged` those on which it asks for the same. Each event counts once, and only events
    of contacts that the change concerns.
    """

    segmentation_id: str
    name: str
    added: int
    removed: int
    changed: int
    unchanged: int


@attrs.frozen(kw_only=True)
class TargetChange:
    """How many contacts end with a tag or at a place now and did not before, and the reverse.

    `kind` is `tag`, `place` or `own` (what a provider's own action declares). `unchanged`
    counts contacts that the change concerns and that have it either way.
    """

    provider: str
    kind: str
    name: str
    added: int
    removed: int
    unchanged: int

    def __str__(self) -> str:
        return f"{self.kind} {quoted(self.name)} at {quoted(self.provider)}"


@attrs.frozen(kw_only=True)
class ContactChange:
    """What a contact ends with now and did not before, and the reverse.

    `number` is shown instead of the contact where personal data is masked. `events` counts the
    events that are planned differently; `unchanged` the tags and places that it has either
    way.
    """

    number: int
    contact: str = attrs.field(repr=masked)
    events: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int


@attrs.frozen(kw_only=True)
class RuleSample:
    """Why a segmentation runs, or does not, on the event of a sample."""

    segmentation_id: str
    name: str
    before: str
    after: str


@attrs.frozen(kw_only=True)
class Sample:
    """One event that is planned differently: the actions, and why.

    `number` is that of its contact. `before` and `after` are the actions in words.
    """

    event_id: str = attrs.field(repr=masked_address)
    event_name: EventName | str
    product_id: str = attrs.field(repr=masked_address)
    occurred_at: datetime
    number: int
    contact: str = attrs.field(repr=masked)
    before: tuple[str, ...]
    after: tuple[str, ...]
    rules: tuple[RuleSample, ...]


@attrs.frozen(kw_only=True)
class BacktestReport:
    """What would have been different: by rule, by tag and place, and by contact.

    `events` counts what was read, repeated events included. `changed` counts the contacts
    that get other actions or end differently; `contacts` has those that end differently, in
    the order in which they first appear. `samples` has one event for each kind of difference.
    A report without differences is false.
    """

    events: int
    changed: int = 0
    rules: tuple[RuleChange, ...] = ()
    targets: tuple[TargetChange, ...] = ()
    contacts: tuple[ContactChange, ...] = ()
    samples: tuple[Sample, ...] = ()

    def __bool__(self) -> bool:
        return self.changed > 0

    def __str__(self) -> str:
        return self.text()

    def text(self, *, show_personal_data: bool = False) -> str:
        """Return the report for a terminal; long lists are cut."""
        lines = [_headline(self)]
        for title, _, rows in _tables(self, show_personal_data=show_personal_data):
            lines += ["", title, *_aligned(rows)]
        for sample in self.samples:
            lines += ["", *_sample_lines(sample, show_personal_data=show_personal_data)]
        return "\n".join(lines)

    def markdown(self, *, show_personal_data: bool = False) -> str:
        """Return the report for a comment on a change; long lists are cut."""
        lines = [_headline(self)]
        for title, head, rows in _tables(self, show_personal_data=show_personal_data):
            lines += ["", f"### {title}", "", *_markdown_table(head, rows)]
        if self.samples:
            lines += ["", "### samples"]
        for sample in self.samples:
            first, *rest = _sample_lines(sample, show_personal_data=show_personal_data)
            lines += [
                "",
                f"- {as_markdown(first)}",
                *(f"  - {as_markdown(line.strip())}" for line in rest),
            ]
        return "\n".join(lines)

    def to_json(self, *, show_personal_data: bool = False) -> dict[str, Any]:
        """Return the report as an object of strings, numbers and lists.

        >>> BacktestReport(events=3).to_json()
        {'events': 3, 'changed': 0, 'rules': [], 'targets': [], 'contacts': [], 'samples': []}
        """
        return {
            "events": self.events,
            "changed": self.changed,
            "rules": [attrs.asdict(rule) for rule in self.rules],
            "targets": [attrs.asdict(target) for target in self.targets],
            "contacts": [
                _shown(each, show_personal_data=show_personal_data) for each in self.contacts
            ],
            "samples": [
                _shown(each, show_personal_data=show_personal_data) for each in self.samples
            ],
        }


def _shown(change: ContactChange | Sample, *, show_personal_data: bool) -> dict[str, Any]:
    content = attrs.asdict(change, value_serializer=_as_list)
    content["contact"] = _contact(change, show_personal_data=show_personal_data)
    if isinstance(change, Sample):
        content["occurred_at"] = change.occurred_at.isoformat()
        content["event_name"] = str(change.event_name)
        for name in ("event_id", "product_id"):
            content[name] = _id(content[name], show_personal_data=show_personal_data)
    return content


def _as_list(_change: object, _field: object, value: object) -> object:
    return [*cast("tuple[object, ...]", value)] if isinstance(value, tuple) else value


def _id(text: str, *, show_personal_data: bool) -> str:
    return text if show_personal_data else without_address(text)


def _contact(change: ContactChange | Sample, *, show_personal_data: bool) -> str:
    return change.contact if show_personal_data else f"contact {change.number}"


def _headline(report: BacktestReport) -> str:
    if not report:
        return f"{_count(report.events, 'event')}: nothing would have been different"
    ends = len(report.contacts)
    return (
        f"{_count(report.events, 'event')}: {_count(report.changed, 'contact')} would have got "
        f"other actions, and {ends or 'none'} of them would have ended differently"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _tables(
    report: BacktestReport, *, show_personal_data: bool
) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """Yield the title, the head and the rows of each list that is not empty."""
    if report.rules:
        rows = [_rule_row(rule) for rule in report.rules]
        yield "rules (events)", ("rule", "added", "removed", "changed", "unchanged"), _cut(rows)
    if report.targets:
        rows = [_target_row(target) for target in report.targets]
        yield "tags and places (contacts)", ("target", "added", "removed", "unchanged"), _cut(rows)
    if report.contacts:
        rows = [
            (
                _contact(each, show_personal_data=show_personal_data),
                f"+ {_listed(each.added)}" if each.added else "",
                f"- {_listed(each.removed)}" if each.removed else "",
            )
            for each in report.contacts
        ]
        yield "contacts", ("contact", "added", "removed"), _cut(rows)


def _rule_row(rule: RuleChange) -> tuple[str, ...]:
    counts = (f"+{rule.added}", f"-{rule.removed}", f"~{rule.changed}", f"={rule.unchanged}")
    return (quoted(rule.name or rule.segmentation_id), *counts)


def _target_row(target: TargetChange) -> tuple[str, ...]:
    return (str(target), f"+{target.added}", f"-{target.removed}", f"={target.unchanged}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "-"


def _cut(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    more = len(rows) - MAX_SHOWN
    if more <= 0:
        return rows
    return [*rows[:MAX_SHOWN], (f"and {more} more", *("" for _ in rows[0][1:]))]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        # The head of a column says what a number counts, so it needs no sign.
        cells = (as_markdown(cell.lstrip("+-~=") if cell[1:].isdigit() else cell) for cell in row)
        yield f"| {' | '.join(cells)} |"


def _sample_lines(sample: Sample, *, show_personal_data: bool) -> Iterator[str]:
    event_id = quoted(_id(sample.event_id, show_personal_data=show_personal_data))
    product_id = quoted(_id(sample.product_id, show_personal_data=show_personal_data))
    contact = _contact(sample, show_personal_data=show_personal_data)
    yield (
        f"sample: {quoted(str(sample.event_name))} of product {product_id}, event {event_id}, "
        f"{sample.occurred_at:%Y-%m-%d %H:%M}, {contact}"
    )
    yield f"  before: {_listed(sample.before)}"
    yield f"  after: {_listed(sample.after)}"
    for rule in sample.rules:
        both = rule.before if rule.before == rule.after else f"{rule.before} -> {rule.after}"
        yield f"  {quoted(rule.name or rule.segmentation_id)}: {both}"
