"""What an engine costs grows with what is written, for any shape of rules.

Each test makes a small and a large rule set of one shape, and counts the lines of listboss that
run. Time would say less: one machine is faster than another.
"""

import random
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from types import FrameType
from typing import Any, TypeAlias

import pytest

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Condition,
    Contact,
    Engine,
    Event,
    MoveLead,
    Not,
    Place,
    Product,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    where,
)
from listboss.engine.matching import bucket, index
from listboss.rules import Action, Verb
from listboss.rules.condition import comparisons

SMALL, LARGE = 7, 28
SLACK = 6_000
"""Lines that do not count: a condition of a small rule set may be decided by its first part."""
SOURCE = "listboss"
TEXTS = ("offer", "src", "sck", "xcod", "coupon", "affiliate")
TAGS = ("pt", "pt-br", "en", "zh-hant-tw", "es-419")
PLANS = [SubscriptionPlan(f"p{n}", f"Plan {n}", also=[f"q{n}"]) for n in range(LARGE)]

Part: TypeAlias = Callable[[int, int], Condition]
"""Make part `k` of the condition of rule `n`."""


def _word(n: int, k: int) -> str:
    return f"a{97 * n + k}"


PARTS: dict[str, Part] = {
    "eq": lambda n, k: where.offer == _word(n, k),
    "ne": lambda n, k: where.offer != _word(n, k),
    "shared value": lambda _n, k: where.offer == _word(0, k),
    "spread facts": lambda n, k: where[TEXTS[k % len(TEXTS)]] == _word(n, k),
    "list": lambda n, k: where.src.is_in(*(_word(n, k + i) for i in range(k % 5 + 1))),
    "not in list": lambda n, k: where.src.not_in(*(_word(n, k + i) for i in range(k % 5 + 1))),
    "range": lambda n, k: where.price.between(n + k, n + 2 * k + 1),
    "outside a range": lambda n, k: Not(where.price.between(n + k, n + 2 * k + 1)),
    "bound": lambda n, k: where.price >= n + k,
    "language": lambda n, k: where.language == TAGS[(n + k) % len(TAGS)],
    "own language": lambda n, k: where.language == f"pt-{_word(n, k)}",
    "languages": lambda n, k: where.language.is_in("pt", f"pt-{_word(n, k)}", "en"),
    "contains": lambda n, k: where.src.contains(_word(n, k)),
    "found": lambda _n, k: where[TEXTS[k % len(TEXTS)]].contains("a" * (k % 40 + 1)),
    "found beside": lambda n, k: where.src.contains("a" * (k % 40 + 1)) & (where.price >= n),
    "starts with": lambda n, k: ~where.src.starts_with(_word(n, k)),
    "set": lambda _n, k: where[TEXTS[k % len(TEXTS)]].is_set(),
    "missing": lambda _n, k: where[TEXTS[k % len(TEXTS)]].is_missing(),
    "or": lambda n, k: (where.src == _word(n, k)) | (where.sck == _word(n, k + 1)),
    "or of ranges": lambda n, k: where.price.between(n, n + k) | (where.installments >= k % 12),
    "and": lambda n, k: (where.src == _word(n, k)) & (where.sck != _word(n, k + 1)),
    "or of ands": lambda n, k: AnyOf(
        *(AllOf(where.src == _word(n, i), where.sck == _word(k, i)) for i in range(3))
    ),
    "and of ors": lambda n, k: AllOf(
        *(AnyOf(where[f] == _word(n, k), where.price >= n + k) for f in TEXTS[:4])
    ),
}
JOINS: dict[str, Callable[..., Condition]] = {
    "all": AllOf,
    "any": AnyOf,
    "not all": lambda *parts: Not(AllOf(*parts)),
    "not any": lambda *parts: Not(AnyOf(*parts)),
    "all of ORs": lambda *parts: AllOf(*(AnyOf(*parts[i::3]) for i in range(3))),
    "any of ANDs": lambda *parts: AnyOf(*(AllOf(*parts[i::3]) for i in range(3))),
    "all of pairs": lambda *parts: AllOf(*(AnyOf(*parts[i:][:2]) for i in range(0, len(parts), 2))),
}
ACTIONS: dict[str, Callable[[int], Action]] = {
    "tag": lambda n: AddTag(f"t{n}"),
    "one tag": lambda _n: AddTag("t"),
    "tag against tag": lambda n: RemoveTag(f"t{n // 2}") if n % 2 else AddTag(f"t{n // 2}"),
    "add": lambda n: AddLead(f"L{n}"),
    "add at a place": lambda n: AddLead(Place(machine="7", level=str(n))),
    "move": lambda n: MoveLead(f"L{n}", source=f"Q{n}"),
    "move on": lambda n: MoveLead(f"L{n}", source=f"L{n + 1}"),
    "move from anywhere": lambda n: MoveLead(f"L{n}"),
    "moves from one place": lambda n: MoveLead(f"L{n}", source="Q"),
    "moves to one place": lambda n: MoveLead("L", source=f"Q{n}"),
    "remove": lambda n: RemoveLead(f"L{n // 2}") if n % 2 else AddLead(f"L{n // 2}"),
    "own verb": lambda n: ProviderAction(f"acme.v{n}", {"x": n}),
}
VALUES: tuple[Any, ...] = ("a1", "a98", "b", "é" * 4_000, "a" * 4_096)


class Shape:
    """One shape of rule sets, drawn from a seed: which dimension grows, and what it is made of."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.grows_by_rules = rng.random() < 0.5
        self.rules, self.parts = rng.randint(1, SMALL), rng.randint(1, SMALL)
        self.part_names = rng.sample(sorted(PARTS), rng.choice((1, 1, 2, 3)))
        self.actions = rng.randint(1, SMALL)
        self.join = rng.choice(sorted(JOINS))
        self.action = rng.choice(sorted(ACTIONS))
        self.plans = rng.choice(("none", "one", "all"))
        self.one_place = rng.random() < 0.3
        self.capture = rng.random() < 0.3
        self.facts = {
            **{fact: rng.choice(VALUES) for fact in TEXTS if rng.random() < 0.8},
            "price": rng.randrange(60),
            "installments": rng.randrange(12),
            "language": rng.choice(TAGS),
        }

    def __repr__(self) -> str:
        grows = "rules" if self.grows_by_rules else "parts"
        return f"more {grows}: {self.join} {self.part_names}, {self.action}, plans: {self.plans}"

    def rule_set(self, size: int) -> RuleSet:
        """Make the rule set of a size."""
        rules, parts, actions = self.rules, size, size
        if self.grows_by_rules:
            rules, parts, actions = size, self.parts, self.actions
        product = Product("42", "C", approved_at=date(2025, 1, 1))
        if self.plans != "none":
            product = Product(
                "42", "C", kind="subscription", plans=PLANS[:size], approved_at=date(2025, 1, 1)
            )
        return RuleSet(
            [product],
            [self._rule(n, parts, actions, size) for n in range(rules)],
            providers={
                "mail": Capabilities(
                    add_tag="native",
                    remove_tag="native",
                    add_lead="native",
                    move_lead="native",
                    remove_lead="native",
                    one_place=self.one_place,
                    verbs=[Verb(f"acme.v{n}", {"x": "integer"}) for n in range(rules * actions)],
                )
            },
            capture_provider="mail" if self.capture else None,
        )

    def _rule(self, n: int, parts: int, actions: int, size: int) -> Segmentation:
        made = [PARTS[self.part_names[k % len(self.part_names)]](n, k) for k in range(parts)]
        plan_ids = {"none": [], "one": [n % size], "all": range(size)}[self.plans]
        return Segmentation(
            f"s{n}",
            id=f"s{n}",
            product_id="42",
            provider="mail",
            event="purchase.approved",
            condition=JOINS[self.join](*made),
            actions=[ACTIONS[self.action](n * actions + a) for a in range(actions)],
            plan_ids=[f"p{m}" for m in plan_ids],
            enabled=True,
        )

    def event(self) -> Event:
        """Make the event that is planned."""
        return Event(
            "purchase.approved",
            id="e-1",
            product_id="42",
            contact=Contact("ana@example.com"),
            occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
            plan_id="p0",
            facts=self.facts,
        )


def _lines(work: Callable[[], object]) -> int:
    """Count the lines of listboss that run."""
    lines = 0

    def local(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return local

    def start(frame: FrameType, _event: str, _argument: object) -> Any:
        return local if SOURCE in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(start)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


def costs(shape: Shape, size: int) -> dict[str, int]:
    """Count what a rule set of a size costs: to build, to review, and for one event."""
    rules, event = shape.rule_set(size), shape.event()
    engine = Engine(rules)
    return {
        "build": _lines(engine.warm),
        "findings": _lines(lambda: rules.findings),
        "plan": _lines(lambda: engine.plan(event)),
    }


def written(rules: RuleSet) -> int:
    """Count what is written in a rule set: parts of conditions, their values, plans and actions."""
    size = sum(len(product.plans) for product in rules.products)
    for rule in rules.segmentations:
        values = [each.value for _, each in comparisons(rule.condition)]
        size += sum(len(value) for value in values if isinstance(value, tuple))
        size += 3 if rule.condition is None else 3 + rule.condition.nodes
        size += len(rule.plan_ids) + len(rule.actions)
    return size


MODES = {
    "scanned": [(bucket, "MAX_SCAN_BUCKET", 10_000), (bucket, "MAX_EVALUATED", 10_000)],
    "indexed": [(bucket, "MAX_SCAN_BUCKET", -1), (index, "MAX_SCANNED", -1)],
    "evaluated together": [
        (bucket, "MAX_SCAN_BUCKET", -1),
        (index, "MAX_SCANNED", -1),
        (bucket, "MAX_ALONE", -1),
    ],
}
"""Settings that make the engine find its rules in the same way at both sizes."""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(25))
def test_costs_grow_with_what_is_written(seed, mode, monkeypatch):
    """At four times the size, nothing costs over twice as much for what is written."""
    for module, constant, value in MODES[mode]:
        monkeypatch.setattr(module, constant, value)
    shape = Shape(seed)
    small, large = costs(shape, SMALL), costs(shape, LARGE)
    growth = written(shape.rule_set(LARGE)) / written(shape.rule_set(SMALL))

    too_much = [what for what in small if large[what] > 2 * growth * small[what] + SLACK]
    assert [] == too_much, (shape, growth, small, large)
