"""Measure the edges: webhooks, documents and large rule sets, as multiples of `json.loads`.

`python -m bench.edges` prints one Markdown table for each section; name sections to run only these.
A time is the median of rounds in processor time, and each round runs between two rounds of
`json.loads` of the same bytes (for a form, of the JSON of its fields), so that a ratio does not
depend on the machine. The models of pydantic and msgspec are skipped if these are not installed.
"""

from __future__ import annotations

import importlib
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import parse_qsl

import attrs

from bench.webhook import BODY
from listboss import (
    HOTMART,
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
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    where,
)
from listboss.codec import dump_event, dump_plan, dump_rules, load_event, load_rules
from listboss.hotmart import parse, verify
from listboss.rules import Action

__all__ = ["SECTIONS", "main"]

HERE = Path(__file__).resolve().parent.parent
SHAPES = HERE / "tests" / "hotmart" / "shapes"
APPROVAL = HERE / "examples" / "webhooks" / "02-approved-card.json"
TOKEN = {"X-Hotmart-Hottok": "a-token"}
ROUNDS, ROUND_SECONDS = 15, 0.02
RULES, PLANS = 2_000, 600


def _once(work: Callable[[], object], times: int) -> float:
    started = process_time()
    for _ in range(times):
        work()
    return (process_time() - started) / times


def _times_json(work: Callable[[], object], text: bytes | str) -> tuple[float, float]:
    """Return the time of `work` in µs, and as a multiple of `json.loads` of a string."""

    def loads() -> object:
        return json.loads(text)

    many = max(1, int(ROUND_SECONDS / max(_once(work, 3), 1e-6)))
    many_loads = max(1, int(ROUND_SECONDS / max(_once(loads, 3), 1e-6)))
    times: list[float] = []
    ratios: list[float] = []
    for _ in range(ROUNDS):
        before = _once(loads, many_loads)
        times.append(_once(work, many))
        ratios.append(2 * times[-1] / (before + _once(loads, many_loads)))
    return statistics.median(times) * 1e6, statistics.median(ratios)


def _row(*cells: object) -> str:
    shown = (f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in cells)
    return f"| {' | '.join(shown)} |"


def _as_json(body: bytes) -> bytes:
    """Return a body as JSON: a form as the object of its fields."""
    if body.lstrip()[:1] in (b"{", b"["):
        return body
    return json.dumps(dict(parse_qsl(body.decode(), keep_blank_values=True))).encode()


def webhooks() -> Iterator[str]:
    """Every known shape of a webhook: parsing it."""
    yield "| shape | bytes | `parse`, µs | x `json.loads` |"
    yield "|---|---|---|---|"
    ratios: list[float] = []
    for file in sorted(SHAPES.iterdir()):
        body = file.read_bytes()
        took, ratio = _times_json(lambda body=body: parse(body), _as_json(body))
        ratios.append(ratio)
        yield _row(file.name, len(body), took, ratio)
    yield _row("median", "", "", statistics.median(ratios))
    yield _row("largest", "", "", max(ratios))


def approval() -> Iterator[str]:
    """The approval of the quickstart, from its bytes to its plan."""
    body = APPROVAL.read_bytes()
    rules = load_rules((HERE / "examples" / "rules.toml").read_text(), format="toml")
    engine = Engine(rules).warm()
    events = parse(body).events
    plans = [engine.plan(event) for event in events]

    def whole() -> None:
        if verify(TOKEN, body, "a-token"):
            for event in parse(body).events:
                engine.plan(event)

    parts: dict[str, Callable[[], object]] = {
        "`json.loads` of the body": lambda: json.loads(body),
        "`verify`, with the token in a header": lambda: verify(TOKEN, body, "a-token"),
        "`parse`": lambda: parse(body),
        "`Engine.plan` of every event": lambda: [engine.plan(event) for event in events],
        "all of these": whole,
        "`dump_event` of the first event": lambda: dump_event(events[0]),
        "`dump_plan` of its plan": lambda: dump_plan(plans[0]),
    }
    actions = sum(len(plan.actions) for plan in plans)
    yield f"| {APPROVAL.name}, {len(body):,} bytes, {actions} actions | µs | x `json.loads` |"
    yield "|---|---|---|"
    for name, part in parts.items():
        yield _row(name, *_times_json(part, body))


def documents() -> Iterator[str]:
    """Events and rule files in our own format."""
    event = dump_event(parse(BODY).events[0])
    rules = dump_rules(RuleSet([PRODUCT], [_rule(n, _mixed(n, 0)) for n in range(1_000)]))
    yield "| document | bytes | µs | x `json.loads` |"
    yield "|---|---|---|---|"
    yield _row("`load_event`", len(event), *_times_json(lambda: load_event(event), event))
    what = "`load_rules`, 1,000 segmentations"
    yield _row(what, len(rules), *_times_json(lambda: load_rules(rules), rules))


def peers() -> Iterator[str]:
    """The same webhook, read by models of pydantic and msgspec, and with another JSON parser."""
    facts = dict(parse(BODY).events[0].facts)
    yield "| reader | µs | x `json.loads` |"
    yield "|---|---|---|"
    yield _row("`parse`", *_times_json(lambda: parse(BODY), BODY))
    for name in ("pydantic", "msgspec"):
        try:
            read = importlib.import_module(f"bench.edge_models.{name}_model").read
        except ImportError:
            yield _row(f"{name}: not installed", "", "")
            continue
        assert facts == read(BODY), f"{name} reads other facts"
        yield _row(f"a model of {name}", *_times_json(lambda read=read: read(BODY), BODY))
    try:
        loads = importlib.import_module("orjson").loads
    except ImportError:
        return
    yield _row("`parse(orjson.loads(body))`", *_times_json(lambda: parse(loads(BODY)), BODY))


# Large rule sets. Each is hostile in one way.

PRODUCT = Product("42", "Course", approved_at=date(2025, 1, 1))
FACTS = ("offer", "src", "sck", "xcod", "coupon", "affiliate")


def _rule(n: int, condition: Condition | None = None) -> Segmentation:
    return Segmentation(
        f"rule {n}",
        id=f"r{n}",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        condition=condition,
        actions=AddTag(f"tag {n}"),
        enabled=True,
    )


def _mixed(n: int, k: int) -> Condition:
    return (where[FACTS[k % 6]] == f"a{n}") & (where.price.between(n, n + k + 5))


def _ors(n: int, k: int) -> Condition:
    return AnyOf(where[FACTS[k % 6]] == f"a{n}", where[FACTS[(k + 1) % 6]] == f"b{n}")


def _ranges(n: int, k: int) -> Condition:
    return AnyOf(where.price.between(n + k, n + 3 * k + 5), where.installments.between(k, k + 6))


def _others(n: int, k: int) -> Condition:
    return AnyOf(where[FACTS[k % 6]] != f"a{n}", where[FACTS[(k + 1) % 6]] != f"b{n}-{k}")


def _bounds(n: int, k: int) -> Condition:
    return AnyOf(where[FACTS[k % 6]] == "a0", where.price >= n + k)


def _cut(n: int, length: int, fact: str = "src") -> str:
    start = 37 * n % (4_096 - length)
    return TEXTS[fact][start : start + length]


TEXT_FACTS = tuple(
    fact.name for fact in HOTMART.facts_of("purchase.approved") if fact.kind == "text"
)
TEXTS = {
    fact: "".join(random.Random(fact).choices("ab", k=4_096)) for fact in (*TEXT_FACTS, "affiliate")
}
"""What an event has: texts in which short strings occur often, so that searching them is slow."""

CONDITIONS: Mapping[str, Callable[[int], Condition | None]] = {
    "no condition": lambda _n: None,
    "one offer each": lambda n: where.offer == f"a{n}",
    "one offer for all": lambda _n: where.offer == "a0",
    "lists of 110": lambda n: where.offer.is_in(*(f"a{n + i}" for i in range(110))),
    "excluded lists of 110": lambda n: where.offer.not_in(*(f"b{110 * n + i}" for i in range(110))),
    "ranges left out": lambda n: ~where.price.between(n, 2 * n),
    "languages": lambda n: where.language == f"pt-{n:x}",
    "presence": lambda n: where[FACTS[n % 6]].is_set(),
    "`starts_with`, all found": lambda n: AnyOf(
        *(where.src.starts_with(TEXTS["src"][: 28 * (n % 18) + k + 1]) for k in range(28))
    ),
    "one `contains` each, all found": lambda n: where.src.contains(_cut(n, 20)),
    "one `contains` each, in 8 facts": lambda n: where[TEXT_FACTS[n % 8]].contains(
        _cut(n, 20, TEXT_FACTS[n % 8])
    ),
    "any of 28 exclusions": lambda n: AnyOf(
        *(where[FACTS[i % 6]] != f"b{n}-{i}" for i in range(28))
    ),
    "any of 13 ranges left out": lambda n: Not(
        AllOf(*(where.price.between(n + i, n + 3 * i) for i in range(13)))
    ),
    "ANDs of nine ORs": lambda n: AllOf(*(_ors(n, k) for k in range(9))),
    "ANDs of four ORs of ranges": lambda n: AllOf(*(_ranges(n, k) for k in range(4))),
    "ANDs of nine ORs of exclusions": lambda n: AllOf(*(_others(n, k) for k in range(9))),
    "ANDs of nine ORs with a bound": lambda n: AllOf(*(_bounds(n, k) for k in range(9))),
}
"""Conditions of at most 29 parts, so that 2,000 of them are just accepted."""
FEW = 60
LONG_CONDITIONS: Mapping[str, Callable[[int], Condition]] = {
    "any of 499 ranges": lambda n: AnyOf(
        *(where.price.between(500 * n + k, 500 * n + 3 * k) for k in range(499))
    ),
    "any of 997 bounds": lambda n: AnyOf(*(where.price >= 1_000 * n + k for k in range(997))),
    "all of 997 exclusions": lambda n: AllOf(
        *(where[FACTS[k % 6]] != f"b{n}-{k}" for k in range(997))
    ),
    "all of 40 `contains`, all found": lambda n: AllOf(
        *(where.src.contains(_cut(40 * n + k, 16)) for k in range(40))
    ),
}
"""Conditions of at most 999 parts, so that 60 of them are just accepted."""
ACTIONS: Mapping[str, Callable[[int], Sequence[Action]]] = {
    "adds to a place each": lambda n: [AddLead(f"L{n}")],
    "moves, none in conflict": lambda n: [MoveLead(f"L{n}", source=f"Q{n}")],
    "moves, all in conflict": lambda n: [MoveLead(f"L{n}", source="Q")],
    "tags that other rules remove": lambda n: [AddTag(f"t{n}"), RemoveTag(f"t{n + 1}")],
}


def _many_plans() -> tuple[Product, list[Segmentation]]:
    """Make rules of a subscription product, each of all its plans but one."""
    plans = [SubscriptionPlan(f"p{n}", f"Plan {n}") for n in range(PLANS)]
    product = attrs.evolve(PRODUCT, kind="subscription", plans=plans)
    ids = [plan.id for plan in plans]
    rules = [_rule(n, _mixed(n, 0)) for n in range(PLANS)]
    return product, [
        attrs.evolve(rule, plan_ids=[*ids[:n], *ids[n + 1 :]]) for n, rule in enumerate(rules)
    ]


def rule_sets() -> Iterator[str]:
    """Large rule sets, most of them just accepted: building an engine, and a plan."""
    shapes: Iterator[tuple[str, Product, Sequence[Segmentation]]] = chain(
        (
            (name, PRODUCT, [_rule(n, condition(n)) for n in range(RULES)])
            for name, condition in CONDITIONS.items()
        ),
        (
            (f"{FEW} rules: {name}", PRODUCT, [_rule(n, condition(n)) for n in range(FEW)])
            for name, condition in LONG_CONDITIONS.items()
        ),
        (
            (name, PRODUCT, [attrs.evolve(_rule(n), actions=actions(n)) for n in range(RULES)])
            for name, actions in ACTIONS.items()
        ),
        [(f"{PLANS} rules, each of {PLANS - 1} plans", *_many_plans())],
    )  # one after another: the garbage collector would look at all of them whenever one is built
    event = Event(
        "purchase.approved",
        id="e-1",
        product_id="42",
        contact=Contact("ana@example.com"),
        occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
        plan_id="p7",
        facts={**TEXTS, "offer": "a0", "price": 1_500, "language": "pt"},
    )
    yield f"| {RULES:,} rules | build, s | first plan, ms | plan, ms |"
    yield "|---|---|---|---|"
    for name, product, rules in shapes:
        rule_set = RuleSet([product], rules, providers={"mail": Capabilities.everything()})
        started = process_time()
        engine = Engine(rule_set).warm()
        build = process_time() - started
        plans = [_once(lambda engine=engine: engine.plan(event), 1) for _ in range(9)]
        first, median = plans[0] * 1e3, statistics.median(plans) * 1e3
        yield f"| {name} | {build:.2f} | {first:.1f} | {median:.1f} |"


SECTIONS: Mapping[str, Callable[[], Iterator[str]]] = {
    section.__name__: section for section in (webhooks, approval, documents, peers, rule_sets)
}


def main(arguments: Sequence[Any] | None = None) -> int:
    """Print the sections that are named, or all of them."""
    named = sys.argv[1:] if arguments is None else arguments
    for name in named or SECTIONS:
        print(f"\n### {name}\n")
        for line in SECTIONS[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
