"""`listboss backtest`: what a change of a rule file would have done to past events.

The report has numbers instead of contacts, unless personal data is asked for. Input that cannot
be read exits with 2, whatever the report says.
"""

from __future__ import annotations

import argparse

from listboss.analysis import BacktestReport, backtest
from listboss.cli._catalogue import catalogue_of
from listboss.cli._console import Console
from listboss.cli._plan import add_event_arguments, add_processes, event_source, finish
from listboss.cli._rule_files import RuleFile, load_rule_file
from listboss.cli._threshold import add_files, add_threshold, over_threshold
from listboss.rules._text import quoted

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_files(parser)
    add_event_arguments(parser)
    add_processes(parser)
    add_threshold(parser, "contacts would have got other actions")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the command."""
    catalogue, names = catalogue_of(arguments), (arguments.before, arguments.after)
    before, after = (load_rule_file(name, catalogue, console) for name in names)
    with (
        event_source(arguments, catalogue, console) as source,
        console.progress("backtest") as progress,
    ):
        report = backtest(
            before.rules, after.rules, source, progress=progress, processes=arguments.processes
        )
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
    over = over_threshold(report.changed, arguments.max_changed, console)
    return code or over


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
