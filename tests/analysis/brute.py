"""Brute force: on which of many concrete facts maps does a condition hold?

Independent of regions: concrete values of each fact, chosen from the comparisons (each value, its
neighbours, strings made of several patterns, no value, a wrong type), and the reference's own
`compare` for each. All combinations of values are tried at once: a condition is an integer with a
bit for each combination on which it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, combinations, pairwise, product
from types import SimpleNamespace
from typing import Any

from listboss import AllOf, AnyOf, Catalogue, Comparison, Condition, Contact, Event, FactKind, Not
from listboss.errors import ListBossError
from listboss.rules import FactType
from listboss.rules.condition import comparisons
from listboss.testing import reference

__all__ = ["Combinations", "event_with", "values_of"]

AT = datetime(2026, 5, 4, tzinfo=UTC)
TICK = timedelta(microseconds=1)
WORDS: dict[FactKind, tuple[Any, ...]] = {
    FactKind.TERM: ("something else",),
    FactKind.CHOICE: ("something else",),
    FactKind.COUNTRY: ("ZZ",),
    FactKind.CURRENCY: ("ZZZ",),
    FactKind.LANGUAGE: ("zz", "zz-ZZ"),
    FactKind.TEXT: ("something else",),
    FactKind.IDENTIFIER: ("something else",),
    FactKind.BOOLEAN: (True, False),
}


def event_with(facts: dict[str, Any], **fields: Any) -> Event:
    """Make an event with these facts; those of None are left out."""
    plain = {"name": "quiz.passed", "id": "e", "product_id": "1", **fields}
    return Event(
        plain.pop("name"),
        contact=Contact("ana@example.com"),
        occurred_at=AT,
        facts={name: value for name, value in facts.items() if value is not None},
        **plain,
    )


def values_of(fact: FactType, mentioned: Iterable[Comparison]) -> list[Any]:
    """Return a value in every cell of a fact, None for no value and a wrong type among them."""
    operands: list[Any] = []
    for each in mentioned:
        value = each.value
        operands += value if isinstance(value, tuple) else () if value is None else (value,)
    made: list[Any] = []
    match fact.kind:
        case FactKind.INTEGER:
            made = [n + step for n in operands for step in (-1, 0, 1)] or [7]
        case FactKind.DECIMAL:
            ordered = sorted(operands)
            made = [*ordered, *((Decimal(a) + Decimal(b)) / 2 for a, b in pairwise(ordered))]
            made += [ordered[0] - 1, ordered[-1] + 1] if ordered else [7]
        case FactKind.INSTANT:
            made = [at + n * TICK for at in operands for n in (-2, -1, 0, 1, 2)] or [AT]
        case FactKind.TEXT | FactKind.IDENTIFIER:
            made = [*WORDS[fact.kind], *operands, *_joined(dict.fromkeys(operands))]
        case _:
            made = [*operands, *fact.values, *(() if fact.closed else WORDS[fact.kind])]
    wrong = "text" if fact.kind in {"integer", "decimal", "instant", "boolean"} else 0
    return [None, wrong, *dict.fromkeys(made)]


def _joined(parts: Iterable[str]) -> list[str]:
    """Join each set of parts, with any of them first, or none."""
    known = list(parts)
    sets = chain.from_iterable(combinations(known, n) for n in range(1, min(len(known), 4) + 1))
    made: list[str] = []
    for chosen in sets:
        made.append("|".join(["", *chosen]))
        made += ["|".join([first.lstrip(), *chosen]) for first in chosen]
    return made


class Combinations:
    """All combinations of values of the facts that some conditions mention."""

    def __init__(self, conditions: Sequence[Condition | None], catalogue: Catalogue) -> None:
        self.rules: Any = SimpleNamespace(catalogue=catalogue)
        mentioned: dict[str, list[Comparison]] = {}
        for condition in conditions:
            for _, each in comparisons(condition):
                mentioned.setdefault(each.fact, []).append(each)
        facts = [catalogue.fact(name) for name in mentioned]
        self.values = {fact.name: values_of(fact, mentioned[fact.name]) for fact in facts if fact}
        self.maps = list(product(*self.values.values()))
        self.everything = (1 << len(self.maps)) - 1
        self._with: dict[str, list[int]] = {}
        for position, (name, values) in enumerate(self.values.items()):
            bits = {n: bytearray(len(self.maps) // 8 + 1) for n in range(len(values))}
            inner = 1
            for later in list(self.values.values())[position + 1 :]:
                inner *= len(later)
            for n in range(len(self.maps)):
                bits[n // inner % len(values)][n >> 3] |= 1 << (n & 7)
            self._with[name] = [int.from_bytes(each, "little") for each in bits.values()]

    def facts(self, number: int) -> dict[str, Any]:
        """Return the facts of one combination."""
        named = zip(self.values, self.maps[number], strict=True)
        return {name: value for name, value in named if value is not None}

    def holds(self, condition: Condition | None, *, negated: bool = False) -> int:
        """Return the combinations on which a condition holds."""
        match condition:
            case None:
                return self.everything
            case Comparison():
                found = 0
                for value, bits in zip(
                    self.values[condition.fact], self._with[condition.fact], strict=True
                ):
                    event: Any = SimpleNamespace(facts={condition.fact: value})
                    if reference.compare(condition, self.rules, event) is (not negated):
                        found |= bits
                return found
            case Not():
                return self.holds(condition.condition, negated=not negated)
            case AllOf() | AnyOf():
                parts = [self.holds(part, negated=negated) for part in condition.conditions]
                if isinstance(condition, AllOf) is not negated:
                    found = self.everything
                    for part in parts:
                        found &= part
                    return found
                found = 0
                for part in parts:
                    found |= part
                return found

    def where(self, name: str, usable: Iterable[Any]) -> int:
        """Return the combinations in which a fact has one of these values."""
        wanted = list(usable)
        return sum(
            bits
            for value, bits in zip(self.values[name], self._with[name], strict=True)
            if any(value is each for each in wanted)
        )


def is_accepted(facts: dict[str, Any]) -> bool:
    """Whether an event can have these facts."""
    try:
        event_with(facts)
    except ListBossError:
        return False
    return True
