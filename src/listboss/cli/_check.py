"""`listboss check`: is a rule file right, and do the tests of its rules pass?

Every finding of the review and of the analysis is reported at its line, and so is every test that
fails. What cannot be read exits with 2, and the rest is checked all the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from listboss.analysis import analyse
from listboss.cli._catalogue import add_catalogue_argument, catalogue_of
from listboss.cli._console import FAILED, OK, UNREADABLE, Console, UnreadableError
from listboss.cli._rule_files import RuleFile, UnreadableFileError, read_rule_file
from listboss.cli._rule_tests import SUFFIX, find_rule_tests, read_rule_tests
from listboss.codec import dump_event
from listboss.rules._text import quoted
from listboss.rules._wording import as_markdown
from listboss.rules.catalogue import Catalogue
from listboss.rules.event import Event
from listboss.rules.finding import Finding, Severity
from listboss.rules.ruleset import RuleSet

__all__ = ["add_arguments", "finding_text", "run"]

SEVERITIES = tuple(str(severity) for severity in Severity)


class _Line(NamedTuple):
    """One thing to report, and where it is."""

    file: str
    place: tuple[int, int]
    severity: str
    code: str
    message: str
    segmentation_id: str | None
    path: str
    others: tuple[str, ...] = ()
    witness: Event | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "rules", nargs="*", metavar="RULES", help="a rule file in TOML or JSON, any number of them"
    )
    parser.add_argument(
        "--tests",
        action="append",
        default=[],
        metavar="PATH",
        help=f"run the tests of rules in this file, or in all files below this folder whose names "
        f"end in {SUFFIX}; may be given several times",
    )
    add_catalogue_argument(parser)
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="the mildest finding that makes the command exit with 1 (default: warning)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the command."""
    if not (arguments.rules or arguments.tests):
        raise UnreadableError("nothing to check: name a rule file, or `--tests` with a path")
    catalogue = catalogue_of(arguments)
    lines: list[_Line] = []
    code = OK
    failing = SEVERITIES[: SEVERITIES.index(arguments.fail_on) + 1]
    for name in arguments.rules:
        found, is_readable = _check_file(name, catalogue, console)
        lines += found
        if not is_readable:
            code = UNREADABLE
        elif code == OK and any(line.severity in failing for line in found):
            code = FAILED
    tests = _Tests()
    for name in arguments.tests:
        tests.run(name, catalogue, console)
    lines += tests.failed
    if tests.unreadable:
        code = UNREADABLE
    _show(lines, arguments.format, console)
    if not lines and code == OK:
        console.message("no findings")
    if tests.number:
        passed = tests.number - len(tests.failed)
        console.message(f"{passed} of {tests.number} tests of rules passed")
    return code or (FAILED if tests.failed else OK)


def _check_file(name: str, catalogue: Catalogue, console: Console) -> tuple[list[_Line], bool]:
    """Return what is wrong with a rule file, and whether all of it could be read."""
    try:
        file = read_rule_file(name, catalogue)
    except UnreadableFileError as error:
        fault = error.fault
        return [_fault_line(name, fault.place, fault.error.code, fault.text, "$")], False
    except UnreadableError as error:
        console.message(str(error))
        return [], False
    faults = [
        _fault_line(name, fault.place, fault.error.code, fault.text, fault.error.path)
        for fault in file.faults
    ]
    findings = sorted(_finding_lines(file), key=_order)
    return [*faults, *findings], not faults


def _order(line: _Line) -> tuple[int, tuple[int, int]]:
    """Sort findings by severity, and then as they are in the file."""
    return SEVERITIES.index(line.severity), line.place


class _Tests:
    """The tests of rules that were run: how many, which failed, and what could not be read."""

    def __init__(self) -> None:
        self.failed: list[_Line] = []
        self.number = self.unreadable = 0

    def run(self, name: str, catalogue: Catalogue, console: Console) -> None:
        """Run the tests of a file, or of all files below a folder."""
        files = find_rule_tests(name)
        if not files:
            console.message(f"no file below `{name}` has a name that ends in {SUFFIX}")
            self.unreadable += 1
        for file in files:
            try:
                found = read_rule_tests(file, catalogue)
            except UnreadableError as error:
                console.message(str(error))
                self.unreadable += 1
                continue
            self.number += len(found.tests)
            for test in found.tests:
                failure = test.failure(found.engine)
                if failure is not None:
                    message = f"test {quoted(test.name)} failed\n{failure}"
                    line = _Line(str(file), test.place, "error", "test_failed", message, None, "$")
                    self.failed.append(line)


def _fault_line(file: str, place: tuple[int, int], code: str, message: str, path: str) -> _Line:
    return _Line(file, place, "error", code, message, None, path)


def _finding_lines(file: RuleFile) -> Iterator[_Line]:
    for finding in analyse(file.rules).findings:
        message = finding_text(finding, file.rules)
        if finding.witness is not None:
            message += f"\nfor example: {_example(finding.witness)}"
        yield _Line(
            file.name,
            file.place_of(finding),
            str(finding.severity),
            str(finding.code),
            message,
            finding.segmentation_id,
            finding.path,
            finding.others,
            finding.witness,
        )


def finding_text(finding: Finding, rules: RuleSet) -> str:
    """Return a finding in words, with the name of the segmentation and the hint."""
    text = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    if finding.segmentation_id is None or finding.segmentation_id not in rules:
        return text
    return f"segmentation {quoted(rules.segmentation(finding.segmentation_id).name)}: {text}"


def _example(event: Event) -> str:
    """Return in words an event that shows a finding; its contact and values are made up."""
    facts = {"plan_id": event.plan_id, "plan_name": event.plan_name, **event.facts}
    known = [f"{name}={value}" for name, value in facts.items() if value is not None]
    more = f" with {', '.join(map(quoted, known))}" if known else ""
    return f"event {quoted(str(event.name))}{more}"


def _show(lines: list[_Line], format: str, console: Console) -> None:
    if format == "json":
        console.json({"findings": [_content(line) for line in lines]})
    elif format == "markdown":
        console.result("| severity | where | what |\n|---|---|---|")
        for line in lines:
            message = as_markdown(line.message)
            where = as_markdown(quoted(f"{line.file}:{line.place[0]}"))
            console.result(f"| {line.severity} | {where} | {message} (`{line.code}`) |")
    elif format == "github":
        for line in lines:
            console.annotation(line.severity, line.file, line.place, line.code, line.message)
    else:
        for line in lines:
            place = ":".join(map(str, line.place))
            first, *rest = line.message.splitlines()
            console.result(f"{line.file}:{place}: {line.severity}: {first} [{line.code}]")
            for more in rest:
                console.result(f"  {more}")


def _content(line: _Line) -> dict[str, Any]:
    return {
        "file": line.file,
        "line": line.place[0],
        "column": line.place[1],
        "severity": line.severity,
        "code": line.code,
        "message": line.message,
        "segmentation_id": line.segmentation_id,
        "path": line.path,
        "others": [*line.others],
        "witness": None if line.witness is None else json.loads(dump_event(line.witness)),
    }
