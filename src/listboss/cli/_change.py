"""`listboss diff` and `listboss backtest`: what a change of a rule file is, and what it does.

Both compare two rule files. Without a threshold, a difference does not fail: somebody reads it.
With `--max-changed`, more changes than that exit with 1.
"""

from __future__ import annotations

import argparse

import attrs

from listboss.analysis import BacktestReport, backtest
from listboss.cli._catalogue import add_catalogue_argument, catalogue_of
from listboss.cli._console import FAILED, OK, Console
from listboss.cli._events import EventSource
from listboss.cli._plan import EVENTS_HELP, add_skip_argument, finish
from listboss.cli._rule_files import RuleFile, load_rule_file
from listboss.rules._text import quoted
from listboss.rules.dashboard import RuleSetDiff
from listboss.rules.segmentation import Segmentation

__all__ = ["add_arguments", "add_backtest_arguments", "run", "run_backtest"]


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="BEFORE", help="the rule file before the change")
    parser.add_argument("after", metavar="AFTER", help="the rule file after the change")
    add_catalogue_argument(parser)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


_count.__name__ = "count"  # argparse names the type by it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `diff`."""
    _add_files(parser)
    parser.add_argument(
        "--max-changed",
        type=_count,
        metavar="N",
        help="exit with 1 if more than N segmentations and settings differ",
    )


def add_backtest_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `backtest`."""
    _add_files(parser)
    parser.add_argument("events", nargs="+", metavar="EVENTS", help=EVENTS_HELP)
    add_skip_argument(parser)
    parser.add_argument(
        "--max-changed",
        type=_count,
        metavar="N",
        help="exit with 1 if more than N contacts would have got other actions",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run `diff`."""
    catalogue, names = catalogue_of(arguments), (arguments.before, arguments.after)
    before, after = (load_rule_file(name, catalogue, console) for name in names)
    diff = before.rules.diff(after.rules)
    lines = [*_lines(diff, before, after)]
    if arguments.format == "json":
        console.json({**attrs.asdict(diff), "fields": _fields(diff, before, after)})
    elif arguments.format == "github":
        for word, rule_id, text in lines:
            file = before if word == "removed" else after
            place = (1, 1) if rule_id is None else file.place_of_rule(rule_id)
            console.annotation("notice", file.name, place, word, text)
    elif arguments.format == "markdown":
        console.result("\n".join(f"- {word}: {text}" for word, _, text in lines))
    else:
        for word, _, text in lines:
            console.result(f"{word}: {text}")
    if not lines:
        console.message("the rules are equal")
    return _over(len(lines), arguments.max_changed, console)


def run_backtest(arguments: argparse.Namespace, console: Console) -> int:
    """Run `backtest`."""
    catalogue, names = catalogue_of(arguments), (arguments.before, arguments.after)
    before, after = (load_rule_file(name, catalogue, console) for name in names)
    with (
        EventSource(arguments.events, catalogue, console) as source,
        console.progress("backtest") as progress,
    ):
        report = backtest(before.rules, after.rules, source, progress=progress)
    show = console.show_personal_data
    if arguments.format == "json":
        console.json(report.to_json(show_personal_data=show))
    elif arguments.format == "markdown":
        console.result(report.markdown(show_personal_data=show))
    elif arguments.format == "github":
        _annotate(report, before, after, console)
    else:
        console.result(report.text(show_personal_data=show))
    code = finish(source, arguments, console)
    over = _over(report.changed, arguments.max_changed, console)
    return code or over


def _over(changed: int, threshold: int | None, console: Console) -> int:
    if threshold is None or changed <= threshold:
        return OK
    console.message(f"{changed:,} would change, which is more than {threshold:,}")
    return FAILED


def _annotate(report: BacktestReport, before: RuleFile, after: RuleFile, console: Console) -> None:
    """Annotate each segmentation that does something else; the first line says how much."""
    first = report.text().splitlines()[0]
    console.annotation("notice", after.name, (1, 1), "backtest", first)
    for change in report.rules:
        file = next(
            (file for file in (after, before) if change.segmentation_id in file.rules), after
        )
        rule_id = change.segmentation_id
        place = file.place_of_rule(rule_id) if rule_id in file.rules else (1, 1)
        text = (
            f"{quoted(change.name or rule_id)} would have run on {change.added:,} events more and "
            f"{change.removed:,} fewer, and asked for something else on {change.changed:,}"
        )
        console.annotation("warning", file.name, place, "backtest", text)


def _lines(
    diff: RuleSetDiff, before: RuleFile, after: RuleFile
) -> list[tuple[str, str | None, str]]:
    """Return what differs: a word, the segmentation if it is one, and a line of text."""
    fields = _fields(diff, before, after)
    lines: list[tuple[str, str | None, str]] = []
    for word, file in (("added", after), ("removed", before), ("changed", after)):
        for rule_id in getattr(diff, word):
            name = file.rules.segmentation(rule_id).name
            more = f" ({', '.join(fields[rule_id])})" if word == "changed" else ""
            lines.append((word, rule_id, f"segmentation {quoted(name)}{more}"))
    lines += [("changed", None, name.replace("_", " ")) for name in diff.settings]
    return lines


def _fields(diff: RuleSetDiff, before: RuleFile, after: RuleFile) -> dict[str, list[str]]:
    """Return the fields in which each changed segmentation differs."""
    return {
        rule_id: [
            field.name
            for field in attrs.fields(Segmentation)
            if getattr(before.rules.segmentation(rule_id), field.name)
            != getattr(after.rules.segmentation(rule_id), field.name)
        ]
        for rule_id in diff.changed
    }
