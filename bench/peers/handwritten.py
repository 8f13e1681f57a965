"""A program as one would write it by hand: a dict by product and event, then plain ifs.

Its source is generated from the rules and compiled; facts are read once into locals. It
reads the same `Event` objects as listboss, and shows what Python can do without an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from bench.listboss_event import event
from bench.peers import Match, Peer
from bench.workload import Rule, Scalar, Test, Workload

__all__ = ["PEER"]

IFS_PER_FUNCTION = 1_000


class _Constants(dict[str, Decimal]):
    """Python has no decimal literals, so each decimal gets a name in the program's globals."""

    def text(self, value: Scalar) -> str:
        if not isinstance(value, Decimal):
            return repr(value)
        name = f"D{str(value).replace('.', '_')}"
        self[name] = value
        return name


def _condition(test: Test, constants: _Constants) -> str:
    match test:
        case Test(fact, "in", tuple(values)):
            return f"{fact} in {{{', '.join(map(constants.text, values))}}}"
        case Test(fact, "between", (low, high)):
            return f"{constants.text(low)} <= {fact} <= {constants.text(high)}"
        case Test(fact, operator, (str() | int() | Decimal()) as value):
            return f"{fact} {'==' if operator == 'eq' else '>='} {constants.text(value)}"
    raise ValueError(test.operator)


def _lines(rules: Iterable[Rule], constants: _Constants) -> Iterable[str]:
    for rule in rules:
        condition = " and ".join(_condition(test, constants) for test in rule.tests)
        yield f"    if {condition or 'True'}: found({rule.id!r})"


def _function(name: str, rules: list[Rule], constants: _Constants) -> str:
    facts = sorted({test.fact for rule in rules for test in rule.tests})
    head = [f"def {name}(facts, found):", *(f"    {fact} = facts[{fact!r}]" for fact in facts)]
    return "\n".join([*head, *_lines(rules, constants)])


def _source(work: Workload) -> tuple[str, dict[tuple[str, str], list[str]], _Constants]:
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in work.rules:
        groups.setdefault((rule.product_id, rule.event), []).append(rule)
    constants = _Constants()
    functions: list[str] = []
    names: dict[tuple[str, str], list[str]] = {}
    for key, rules in groups.items():
        for start in range(0, len(rules), IFS_PER_FUNCTION):
            name = f"rules_{len(functions)}"
            part = rules[start : start + IFS_PER_FUNCTION]
            functions.append(_function(name, part, constants))
            names.setdefault(key, []).append(name)
    return "\n\n".join(functions), names, constants


def _build(source: tuple[str, dict[tuple[str, str], list[str]], _Constants]) -> Match:
    text, names, constants = source
    program: dict[str, Any] = dict(constants)
    exec(compile(text, "<program>", "exec"), program)
    table: dict[tuple[str, str], tuple[Callable[..., None], ...]] = {
        key: tuple(program[name] for name in parts) for key, parts in names.items()
    }

    def match(event: Any) -> list[str]:
        found: list[str] = []
        facts = event.facts
        for rules in table.get((event.product_id, event.name), ()):
            rules(facts, found.append)
        return found

    return match


PEER = Peer("Event", _source, _build, event)
