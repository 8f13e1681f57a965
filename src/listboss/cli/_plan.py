"""`listboss plan` and `listboss explain`: what the rules do with some events, and why.

Nothing is sent: a plan is only shown. Events are read and shown one by one, so there may be any
number of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import attrs

from listboss.analysis.nearest import Needs
from listboss.cli._catalogue import add_catalogue_argument, catalogue_of
from listboss.cli._console import OK, UNREADABLE, Console, listed
from listboss.cli._events import EventSource, Part, PartReader, Skipped
from listboss.cli._numbers import number_from
from listboss.cli._rule_files import load_rule_file
from listboss.codec import dump_plan
from listboss.codec._travel import Texts, rules_from, texts_of
from listboss.engine import Engine, Explanation, Reason, RuleOutcome
from listboss.plan import Plan
from listboss.rules._text import without_address
from listboss.rules.automatic import AUTOMATIC
from listboss.rules.catalogue import Catalogue
from listboss.rules.event import Event, EventName
from listboss.rules.ruleset import RuleSet

__all__ = [
    "add_arguments",
    "add_event_arguments",
    "add_explain_arguments",
    "add_plan_arguments",
    "add_processes",
    "event_source",
    "finish",
    "run",
    "run_explain",
]

EVENTS_HELP = "webhook bodies or events: a file, a folder, JSON lines, a journal, or - for stdin"
MASK = "***"
_AUTOMATIC_IDS = frozenset(row.id for row in AUTOMATIC)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `plan` and `explain`."""
    parser.add_argument("rules", metavar="RULES", help="a rule file in TOML or JSON")
    add_event_arguments(parser)
    add_catalogue_argument(parser)
    parser.add_argument(
        "--include-tests", action="store_true", help="also plan events that are marked as tests"
    )


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `plan`."""
    add_arguments(parser)
    add_processes(parser)


def add_processes(parser: argparse.ArgumentParser) -> None:
    """Add the argument of the commands that may read many events."""
    parser.add_argument(
        "--processes",
        type=number_from(1, "number of processes"),
        metavar="N",
        default=1,
        help="read and plan in this many processes; the result is the same (default: 1)",
    )


def add_event_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of all commands that read events."""
    parser.add_argument("events", nargs="+", metavar="EVENTS", help=EVENTS_HELP)
    parser.add_argument(
        "--pix-as",
        metavar="EVENT",
        default=str(EventName.PURCHASE_WAITING_PAYMENT),
        help="the event that webhooks of PIX payments become, as for `hotmart.parse` "
        f"(default: {EventName.PURCHASE_WAITING_PAYMENT})",
    )
    parser.add_argument(
        "--skip-unreadable",
        action="store_true",
        help="report events that cannot be read, and do not exit with 2 because of them",
    )


def add_explain_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `explain`."""
    add_arguments(parser)
    parser.add_argument("--rule", metavar="ID", help="explain only the segmentation with this id")
    parser.add_argument(
        "--all", action="store_true", help="also list the segmentations for other events"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run `plan`."""
    catalogue = catalogue_of(arguments)
    rules = load_rule_file(arguments.rules, catalogue, console).rules
    terms = _Terms(arguments.format, arguments.include_tests, console.show_personal_data)
    with event_source(arguments, catalogue, console) as source:
        if arguments.processes == 1:
            show = _Shown(Engine(rules), terms)
            for event in source:
                console.result(show(event))
        else:
            for found in _in_processes(arguments.processes, rules, source, terms):
                if isinstance(found, str):
                    console.result(found)
                else:
                    source.note(found)
        return finish(source, arguments, console)


class _Terms(NamedTuple):
    """How plans are made and shown."""

    format: str
    include_tests: bool
    show_personal_data: bool


class _Shown:
    """Plans events, and says how each plan is shown."""

    def __init__(self, engine: Engine, terms: _Terms) -> None:
        self._engine, self._terms = engine, terms
        self._console = Console(show_personal_data=terms.show_personal_data)

    def __call__(self, event: Event) -> str:
        """Return the lines of the plan of an event."""
        plan = self._engine.plan(event, include_tests=self._terms.include_tests)
        if self._terms.format == "json":
            return json.dumps(_plan_content(plan, self._console), ensure_ascii=False)
        if self._terms.format == "markdown":
            return "\n".join(listed(str(plan).splitlines(), markdown=True))
        if event.contact is None or not self._terms.show_personal_data:
            return str(plan)
        return f"{plan}\n  for {event.contact.email}"


def _in_processes(
    processes: int, rules: RuleSet, source: EventSource, terms: _Terms
) -> Iterator[str | Skipped]:
    """Return the lines of each plan, and what gave no event, in the order of one process."""
    from listboss._processes import in_order  # noqa: PLC0415 # only if it is asked for

    arguments = (texts_of(rules), source.reader(), terms)
    for lines in in_order(processes, _make_shown, arguments, source.parts()):
        yield from lines


def _make_shown(
    texts: Texts, read: PartReader, terms: _Terms
) -> Callable[[Part], list[str | Skipped]]:
    """Make the worker of a process."""
    show = _Shown(Engine(rules_from(texts)), terms)
    return lambda part: [show(e) if isinstance(e, Event) else e for e in read(part)]


def run_explain(arguments: argparse.Namespace, console: Console) -> int:
    """Run `explain`."""
    tests = arguments.include_tests
    catalogue = catalogue_of(arguments)
    engine = Engine(load_rule_file(arguments.rules, catalogue, console).rules)
    if arguments.rule is not None and arguments.rule not in _AUTOMATIC_IDS:
        engine.rules.segmentation(arguments.rule)  # raises `UnknownIdError`
    needs = Needs(engine, include_tests=tests)
    with event_source(arguments, catalogue, console) as source:
        for event in source:
            found = engine.explain(event, include_tests=tests)
            kept = [
                needs.added_to(rule, event)
                for rule in found.rules
                if arguments.rule == rule.segmentation_id
                or (arguments.rule is None and (arguments.all or rule.reason != Reason.OTHER_EVENT))
            ]
            found = attrs.evolve(found, rules=tuple(kept))
            if arguments.format == "json":
                console.json(_explanation_content(found, console), indent=None)
            else:
                show = found.markdown if arguments.format == "markdown" else found.text
                console.result(show(values=console.show_personal_data))
        return finish(source, arguments, console)


def event_source(
    arguments: argparse.Namespace, catalogue: Catalogue, console: Console
) -> EventSource:
    """Return the events that the arguments name."""
    return EventSource(
        arguments.events, console=console, catalogue=catalogue, pix_as=arguments.pix_as
    )


def finish(source: EventSource, arguments: argparse.Namespace, console: Console) -> int:
    """Say what gave no event, and return the exit code."""
    if source.ignored:
        noun = "webhook" if source.ignored == 1 else "webhooks"
        console.message(f"{source.ignored:,} {noun} without an event that listboss knows")
    if source.unreadable:
        console.message(f"{source.unreadable:,} of the inputs cannot be read")
    return UNREADABLE if source.unreadable and not arguments.skip_unreadable else OK


def _plan_content(plan: Plan, console: Console) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(dump_plan(plan))
    if not console.show_personal_data:
        for name in ("event_id", "product_id"):
            content[name] = without_address(content[name])
        for action in content.get("actions", ()):
            action["email"] = MASK
            action["data"] = dict.fromkeys(action.get("data", {}), MASK)
    return content


def _explanation_content(found: Explanation, console: Console) -> dict[str, Any]:
    def shown(text: str) -> str:
        return text if console.show_personal_data else without_address(text)

    return {
        "event_id": shown(found.event_id),
        "product_id": shown(found.product_id),
        "idle": found.idle,
        "rules": [_outcome_content(rule, console) for rule in found.rules],
    }


def _outcome_content(rule: RuleOutcome, console: Console) -> dict[str, Any]:
    content: dict[str, Any] = {
        "segmentation_id": rule.segmentation_id,
        "runs": rule.runs,
        "reason": rule.reason,
        "text": rule.describe(values=console.show_personal_data),
    }
    if console.show_personal_data and rule.actual is not None:
        content["actual"] = str(rule.actual)
    return content
