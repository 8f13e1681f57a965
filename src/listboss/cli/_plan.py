"""`listboss plan` and `listboss explain`: what the rules do with some events, and why.

Nothing is sent: a plan is only shown. Events are read and shown one by one, so there may be any
number of them.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import attrs

from listboss.analysis.nearest import Needs
from listboss.cli._catalogue import add_catalogue_argument, catalogue_of
from listboss.cli._console import OK, UNREADABLE, Console
from listboss.cli._events import EventSource
from listboss.cli._rule_files import load_rule_file
from listboss.codec import dump_plan
from listboss.engine import Engine, Explanation, Reason, RuleOutcome
from listboss.plan import Plan
from listboss.rules._text import without_address
from listboss.rules.automatic import AUTOMATIC
from listboss.rules.catalogue import Catalogue
from listboss.rules.event import EventName

__all__ = [
    "add_arguments",
    "add_event_arguments",
    "add_explain_arguments",
    "event_source",
    "finish",
    "run",
    "run_explain",
]

EVENTS_HELP = "webhook bodies or events: a file, a folder, JSON lines, a journal, or - for stdin"
MASK = "***"
_AUTOMATIC_IDS = frozenset(row.id for row in AUTOMATIC)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `plan`."""
    parser.add_argument("rules", metavar="RULES", help="a rule file in TOML or JSON")
    add_event_arguments(parser)
    add_catalogue_argument(parser)
    parser.add_argument(
        "--include-tests", action="store_true", help="also plan events that are marked as tests"
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
    engine = Engine(load_rule_file(arguments.rules, catalogue, console).rules)
    with event_source(arguments, catalogue, console) as source:
        for event in source:
            plan = engine.plan(event, include_tests=arguments.include_tests)
            if arguments.format == "json":
                console.json(_plan_content(plan, console), indent=None)
            elif arguments.format == "markdown":
                console.lines(str(plan).splitlines(), markdown=True)
            else:
                console.result(str(plan))
                if console.show_personal_data and event.contact is not None:
                    console.result(f"  for {event.contact.email}")
        return finish(source, arguments, console)


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
