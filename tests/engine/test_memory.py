"""What an engine keeps for a rule is bounded, as docs/explanation/internals.md says."""

import gc
import tracemalloc
from collections.abc import Callable
from datetime import date
from typing import TypeAlias

import pytest

from listboss import (
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Condition,
    Engine,
    Product,
    RuleSet,
    Segmentation,
    Severity,
    where,
)

FACTS = ("offer", "src", "sck", "xcod", "coupon", "affiliate")
BYTES_PER_RULE = 1_024
"""Bytes for a rule with a few comparisons."""
PART, EXCLUSION, FOUND_SELDOM = 200, 250, 20
"""Bytes for each further part of a condition, for the exclusions of a fact in an OR, and for a part
of a long condition that few events have to evaluate."""


def _ors(n: int, first: int, number: int) -> Condition:
    """Make an AND of some ORs, from number `first` on."""
    return AllOf(
        *(
            (where[FACTS[k % 6]] == f"a{n}-{k // 6}") | (where[FACTS[(k + 1) % 6]] == f"b{n}")
            for k in range(first, first + number)
        )
    )


Make: TypeAlias = Callable[[int], Condition]
"""Make the condition of a rule."""

SHAPES: dict[str, tuple[int, int, Make]] = {
    "two comparisons": (200, 0, lambda n: (where.offer == f"a{n}") & (where.price >= n)),
    "an OR of ANDs of ORs": (
        40,
        FOUND_SELDOM,
        lambda n: AnyOf(*(_ors(n, 6 * group, 6) for group in range(15))),
    ),
    "an AND of ORs": (200, PART, lambda n: _ors(n, 0, 9)),
    "an OR of ranges": (
        200,
        PART,
        lambda n: AnyOf(*(where.price.between(n + k, n + 3 * k + 1) for k in range(30))),
    ),
    "an OR of exclusions": (
        200,
        EXCLUSION,
        lambda n: AnyOf(*(where[fact] != f"a{n}" for fact in FACTS)),
    ),
    "an AND of exclusions": (
        200,
        PART,
        lambda n: AllOf(*(where.offer != f"a{n}-{k}" for k in range(28))),
    ),
    "an OR of `starts_with`": (
        200,
        PART,
        lambda n: AnyOf(*(where.src.starts_with(f"a{n}-{k}") for k in range(28))),
    ),
}
"""How many rules, the bytes for each further part, and the condition of a rule."""


@pytest.mark.parametrize("shape", SHAPES)
def test_kept(shape: str) -> None:
    """A warm engine takes no more bytes than documented, beyond its rule set."""
    number, per_part, condition_of = SHAPES[shape]
    rules = RuleSet(
        [Product("42", "C", approved_at=date(2026, 1, 1))],
        [
            Segmentation(
                f"R{n}",
                id=f"r{n}",
                product_id="42",
                provider="mail",
                event="purchase.approved",
                condition=condition_of(n),
                actions=[AddTag("t")],
                enabled=True,
            )
            for n in range(number)
        ],
        providers={"mail": Capabilities.everything()},
    )
    parts = sum(0 if rule.condition is None else rule.condition.nodes for rule in rules)
    assert Severity.ERROR not in {finding.severity for finding in rules.findings}
    gc.collect()
    tracemalloc.start()
    engine = Engine(rules).warm()
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert engine.rules is rules  # which also keeps the engine until here
    assert kept < BYTES_PER_RULE * number + per_part * parts
