"""`listboss diff`: which segmentations differ between two rule files, how, and what that breaks.

A changed segmentation is shown with the fields that differ, before and after. Findings that only
one of the files has are shown, too: a change may bring a contradiction, or resolve one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple, cast

import attrs

from listboss.analysis import analyse
from listboss.cli._catalogue import catalogue_of
from listboss.cli._check import finding_text
from listboss.cli._console import Console
from listboss.cli._rule_files import RuleFile, load_rule_file
from listboss.cli._threshold import add_files, add_threshold, over_threshold
from listboss.rules._text import quoted
from listboss.rules.finding import findings_between
from listboss.rules.segmentation import Segmentation

__all__ = ["add_arguments", "run"]


class _Difference(NamedTuple):
    """One thing that differs, and where it is."""

    word: str
    text: str
    file: RuleFile
    place: tuple[int, int]
    severity: str = "notice"
    details: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_files(parser)
    add_threshold(parser, "segmentations and settings differ")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the command."""
    catalogue, names = catalogue_of(arguments), (arguments.before, arguments.after)
    before, after = (load_rule_file(name, catalogue, console) for name in names)
    changes = [*_changes(before, after)]
    findings = [*_findings(before, after)]
    for each in () if arguments.format == "json" else (*changes, *findings):
        if arguments.format == "github":
            text = "\n".join((each.text, *each.details))
            console.annotation(each.severity, each.file.name, each.place, each.word, text)
            continue
        lines = [f"{each.word}: {each.text}", *each.details]
        console.lines(lines, markdown=arguments.format == "markdown")
    if arguments.format == "json":
        console.json(_content(before, after, findings))
    elif not changes:
        console.message("the rules are equal")
    return over_threshold(len(changes), arguments.max_changed, console)


def _changes(before: RuleFile, after: RuleFile) -> Iterator[_Difference]:
    diff = before.rules.diff(after.rules)
    for word, file in (("added", after), ("removed", before), ("changed", after)):
        for rule_id in getattr(diff, word):
            rule = file.rules.segmentation(rule_id)
            text = f"segmentation {quoted(rule.name)}"
            details: tuple[str, ...] = (str(rule),)
            if word == "changed":
                old = before.rules.segmentation(rule_id)
                text += f" ({', '.join(_fields(old, rule))})"
                details = tuple(
                    f"{name}: {_shown(old, name)} -> {_shown(rule, name)}"
                    for name in _fields(old, rule)
                )
            place = file.place_of_rule(rule_id)
            yield _Difference(word, text, file, place, details=details)
    for name in diff.settings:
        yield _Difference("changed", name.replace("_", " "), after, (1, 1))


def _fields(old: Segmentation, new: Segmentation) -> list[str]:
    """Return the fields in which two versions of a segmentation differ."""
    names = (field.name for field in attrs.fields(Segmentation))
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _shown(rule: Segmentation, name: str) -> str:
    """Return the value of a field in words."""
    value: object = getattr(rule, name)
    match value:
        case None | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(map(_text, cast("tuple[object, ...]", value)))
        case _:
            return _text(value)


def _text(value: object) -> str:
    """Return a string in back-ticks, and an action, a place or a condition in words."""
    return quoted(value) if isinstance(value, str) else str(value)


def _findings(before: RuleFile, after: RuleFile) -> Iterator[_Difference]:
    old, new = (analyse(file.rules).findings for file in (before, after))
    diff = findings_between(old, new, [rule.id for rule in after.rules])
    for finding in diff.new:
        text = f"{finding.severity}: {finding_text(finding, after.rules)}"
        place = after.place_of(finding)
        yield _Difference("new finding", text, after, place, str(finding.severity))
    for finding in diff.gone:
        text = f"{finding.severity}: {finding_text(finding, before.rules)}"
        yield _Difference("finding gone", text, before, before.place_of(finding))


def _content(before: RuleFile, after: RuleFile, findings: list[_Difference]) -> dict[str, object]:
    diff = before.rules.diff(after.rules)
    fields = {
        rule_id: _fields(before.rules.segmentation(rule_id), after.rules.segmentation(rule_id))
        for rule_id in diff.changed
    }
    return {
        **attrs.asdict(diff),
        "fields": fields,
        "new_findings": [each.text for each in findings if each.word == "new finding"],
        "findings_gone": [each.text for each in findings if each.word == "finding gone"],
    }
