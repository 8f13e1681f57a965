"""Tests of rules, beside the rules: which actions an event gives, as TOML that anybody can read.

A file `NAME.rules-test.toml` names a rule file and has a list of tests. Each has an event, or a
webhook body, and the actions that the segmentations then ask for. `listboss check --tests` and
the pytest plug-in run them. A test that fails says which actions differ, and why the rules that
ask for a missing action did not run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeAlias, cast

import attrs

from listboss.cli._catalogue import load_catalogue
from listboss.cli._console import UnreadableError
from listboss.cli._positions import Positions, parts_of
from listboss.cli._rule_files import read_file, read_rule_file
from listboss.codec import LIMITS, load_action, load_event
from listboss.codec._document import read_tree
from listboss.engine import Engine
from listboss.errors import CodecError, WebhookError
from listboss.hotmart import parse
from listboss.plan import Plan, PlannedAction
from listboss.rules._text import did_you_mean, quoted
from listboss.rules.action import Action
from listboss.rules.automatic import AUTOMATIC_ID_PREFIX
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue
from listboss.rules.event import Event
from listboss.rules.ruleset import RuleSet

__all__ = ["SUFFIX", "RuleTest", "RuleTests", "find_rule_tests", "read_rule_tests"]

SUFFIX = ".rules-test.toml"
"""How the names of the files end."""

Expected: TypeAlias = frozenset[tuple[str, Action]]
"""Actions with the name of the provider."""

_TOP_LEVEL = ("rules", "catalogue", "defaults", "tests")
_KEYS = ("name", "event", "webhook", "facts", "actions", "automatic")
_DEFAULTS: Mapping[str, Any] = {
    "id": "test",
    "contact": {"email": "contact@example.com"},
    "occurred_at": datetime(2026, 1, 1, tzinfo=UTC),
    "facts": {},
}


@attrs.frozen
class RuleTest:
    """One test: its name and place, its events, and the actions that are expected.

    `automatic` is None if the test does not care about the automatic segmentations.
    """

    name: str
    place: tuple[int, int]
    events: tuple[Event, ...]
    actions: Expected
    automatic: Expected | None

    def failure(self, engine: Engine) -> str | None:
        """Run the test; return None if it passes, else how the actions differ."""
        plans = [engine.plan(event) for event in self.events]
        lines = [*_difference(self.actions, _planned(plans, automatic=False), self, engine)]
        if self.automatic is not None:
            lines += _difference(self.automatic, _planned(plans, automatic=True), self, engine)
        return "\n".join(lines) if lines else None


@attrs.frozen
class RuleTests:
    """The tests of one file, and the engine of the rules that they are about."""

    engine: Engine
    tests: tuple[RuleTest, ...]


def find_rule_tests(name: str) -> list[Path]:
    """Return the files of tests below a folder, sorted, or the file itself."""
    path = Path(name)
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob(f"*{SUFFIX}") if each.is_file())


def _planned(plans: list[Plan], *, automatic: bool) -> dict[tuple[str, Action], PlannedAction]:
    """Return the actions of custom segmentations, or those of automatic ones."""
    return {
        (planned.provider, planned.action): planned
        for plan in plans
        for planned in plan.actions
        if (
            planned.automatic
            if automatic
            else any(not rule.startswith(AUTOMATIC_ID_PREFIX) for rule in planned.because)
        )
    }


def _difference(
    expected: Expected,
    planned: Mapping[tuple[str, Action], PlannedAction],
    test: RuleTest,
    engine: Engine,
) -> Iterator[str]:
    """Say which actions are missing and why, and which were not expected and why."""
    for provider, action in sorted(expected - planned.keys(), key=str):
        yield f"missing: {action} at {quoted(provider)}"
        for line in _why_not(provider, action, test, engine):
            yield f"  {line}"
    for key in sorted(planned.keys() - expected, key=str):
        because = ", ".join(_rule_name(rule, engine.rules) for rule in planned[key].because)
        yield f"not expected: {planned[key]}"
        yield f"  because of {because}"


def _rule_name(rule_id: str, rules: RuleSet) -> str:
    return quoted(rules.segmentation(rule_id).name if rule_id in rules else rule_id)


def _why_not(provider: str, action: Action, test: RuleTest, engine: Engine) -> Iterator[str]:
    """Say why the rules that ask for an action did not run on the event."""
    rules, found = engine.rules, False
    for event in test.events:
        texts = {each.segmentation_id: each.text for each in engine.explain(event).rules}
        for rule in rules.rules_of(event.product_id):
            if rule.provider == provider and action in rule.actions and rule.event == event.name:
                found = True
                yield f"segmentation {quoted(rule.name)}: {texts[rule.id]}"
    if not found:
        yield "no segmentation of the product asks for it on this event"


# Reading


class _File:
    """A file that is being read: makes errors with the place of a path."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.folder = path.parent
        self.catalogue = HOTMART
        source = read_file(self.name)
        try:
            tree = read_tree(source, "toml", LIMITS)
        except CodecError as error:
            raise UnreadableError(f"{self.name}: error: {error.message} ({error.hint})") from None
        self.tree = cast("dict[str, Any]", tree)
        self.positions = Positions(source.decode(), "toml")

    def refuse(self, path: str, message: str) -> NoReturn:
        """Raise the error that something at a path is wrong."""
        line, column = self.positions.find(parts_of(path))
        raise UnreadableError(f"{self.name}:{line}:{column}: error: {message}")

    def wrong(self, path: str, error: CodecError) -> NoReturn:
        """Raise an error of the codec, with its path below this one."""
        several = cast("tuple[CodecError, ...]", getattr(error, "exceptions", (error,)))
        first = several[0]
        hint = f" ({first.hint})" if first.hint else ""
        self.refuse(path + first.path[1:], f"{first.message}{hint}")

    def known(self, table: object, path: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """Return a table that has no other keys than these."""
        if not isinstance(table, dict):
            self.refuse(path, f"expected a table with {', '.join(keys)}")
        for key in cast("dict[str, Any]", table):
            if key not in keys:
                hint = did_you_mean(key, keys) or f"known keys: {', '.join(keys)}"
                self.refuse(f"{path}.{key}", f"unknown key {quoted(key)} ({hint})")
        return cast("dict[str, Any]", table)

    def text(self, table: dict[str, Any], path: str, key: str) -> str:
        """Return a string that is not blank."""
        value = table.get(key)
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{path}.{key}", f"expected a string for {quoted(key)}")
        return value


def read_rule_tests(path: Path, catalogue: Catalogue = HOTMART) -> RuleTests:
    """Read a file of tests and the rule file that it names; raises `UnreadableError`.

    `catalogue` is that of the rules if the file does not name one.
    """
    file = _File(path)
    tree = file.known(file.tree, "$", _TOP_LEVEL)
    if "catalogue" in tree:
        catalogue = load_catalogue(file.text(tree, "$", "catalogue"))
    file.catalogue = catalogue
    rules = read_rule_file(str(file.folder / file.text(tree, "$", "rules")), catalogue)
    if rules.faults:
        fault = rules.faults[0]
        line, column = fault.place
        raise UnreadableError(f"{rules.name}:{line}:{column}: error: {fault.text}")
    defaults = tree.get("defaults", {})
    if not isinstance(defaults, dict):
        file.refuse("$.defaults", "expected a table with fields of events")
    listed = tree.get("tests", [])
    if not isinstance(listed, list) or not listed:
        file.refuse("$.tests", "expected tests: begin each with [[tests]]")
    tests = tuple(
        _read_test(file, item, f"$.tests[{n}]", cast("dict[str, Any]", defaults), rules.rules)
        for n, item in enumerate(cast("list[object]", listed))
    )
    return RuleTests(Engine(rules.rules), tests)


def _read_test(
    file: _File, item: object, path: str, defaults: dict[str, Any], rules: RuleSet
) -> RuleTest:
    table = file.known(item, path, _KEYS)
    name = file.text(table, path, "name")
    if ("event" in table) is ("webhook" in table):
        file.refuse(path, "expected an `event` or a `webhook`, and not both")
    read = _read_event if "event" in table else _read_webhook
    if "actions" not in table:
        file.refuse(path, "missing key `actions` (write `actions = []` to expect none)")
    automatic = None
    if "automatic" in table:
        automatic = _read_actions(file, table["automatic"], f"{path}.automatic", rules)
    return RuleTest(
        name,
        file.positions.find(parts_of(path)),
        read(file, table, path, defaults),
        _read_actions(file, table["actions"], f"{path}.actions", rules),
        automatic,
    )


def _read_event(
    file: _File, table: dict[str, Any], path: str, defaults: dict[str, Any]
) -> tuple[Event, ...]:
    given = table["event"]
    if not isinstance(given, dict):
        file.refuse(f"{path}.event", "expected a table with the fields of an event")
    fields = {**_DEFAULTS, **defaults, **cast("dict[str, Any]", given)}
    facts: dict[str, Any] = {}
    for layer in (defaults, cast("dict[str, Any]", given), table):
        more = layer.get("facts", {})
        if not isinstance(more, dict):
            file.refuse(f"{path}.event", "expected a table for `facts`")
        facts |= cast("dict[str, Any]", more)
    try:
        return (load_event({**fields, "facts": facts}),)
    except CodecError as error:
        file.wrong(f"{path}.event", error)


def _read_webhook(
    file: _File, table: dict[str, Any], path: str, _defaults: dict[str, Any]
) -> tuple[Event, ...]:
    name = file.text(table, path, "webhook")
    try:
        parsed = parse(read_file(str(file.folder / name)), catalogue=file.catalogue)
    except WebhookError as error:
        file.refuse(f"{path}.webhook", f"{quoted(name)} is not a webhook: {error.message}")
    if parsed.ignored is not None:
        reason = parsed.ignored.reason.replace("_", " ")
        file.refuse(f"{path}.webhook", f"{quoted(name)} has no event: {reason}")
    facts = table.get("facts", {})
    try:
        return tuple(
            event.with_facts(load_event({**_DEFAULTS, **_ANY_EVENT, "facts": facts}).facts)
            for event in parsed.events
        )
    except CodecError as error:
        file.wrong(path, error)


_ANY_EVENT = {"name": "any", "product_id": "any"}


def _read_actions(file: _File, value: object, path: str, rules: RuleSet) -> Expected:
    """Read a list of actions, or lists by provider if there are several."""
    accounts = [*rules.providers]
    lists = value
    if isinstance(value, list):
        if len(accounts) != 1:
            file.refuse(path, "expected a table of lists by provider, since there are several")
        lists = {accounts[0]: cast("list[object]", value)}
    if not isinstance(lists, dict):
        file.refuse(path, "expected a list of actions")
    expected: set[tuple[str, Action]] = set()
    for provider, actions in cast("dict[str, object]", lists).items():
        here = path if isinstance(value, list) else f"{path}.{provider}"
        if provider not in accounts:
            hint = did_you_mean(provider, accounts) or f"known providers: {', '.join(accounts)}"
            file.refuse(here, f"unknown provider {quoted(provider)} ({hint})")
        if not isinstance(actions, list):
            file.refuse(here, "expected a list of actions")
        for n, action in enumerate(cast("list[object]", actions)):
            try:
                expected.add((provider, load_action(cast("Any", action))))
            except CodecError as error:
                file.wrong(f"{here}[{n}]", error)
    return frozenset(expected)
