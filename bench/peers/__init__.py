"""One module per engine, each with a `PEER`; `load(name)` imports only that engine's module.

Each peer uses the fastest form of its engine. `source` translates the rules and `event` an
event (both are not timed). `build` makes the engine (timed as build) and returns a function
that matches one event (timed as match). `ids` reads the rule ids from the function's result,
and `size` counts its entries (both are not timed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

from bench.workload import WorkEvent, Workload, flat

__all__ = ["PEERS", "Match", "Peer", "load", "rules_of"]

Match: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """How to use one engine; the types passed between its functions differ by engine."""

    reads: str
    source: Callable[[Workload], Any]
    build: Callable[[Any], Match]
    event: Callable[[WorkEvent], Any] = flat
    ids: Callable[[Any], set[str]] = set
    size: Callable[[Any], int] = len


PEERS: dict[str, str] = {
    "listboss": "bench.listboss_adapter:MATCH",
    "listboss plan": "bench.listboss_adapter:PLAN",
    "listboss plan, capture on": "bench.listboss_adapter:PLAN_WITH_CAPTURE",
    "hand-written program": "bench.peers.handwritten:PEER",
    "closures, loop": "bench.peers.closures:PEER",
    "zen-engine": "bench.peers.zen_table:PEER",
    "clipspy": "bench.peers.clips_rete:PEER",
    "durable-rules": "bench.peers.durable_rete:PEER",
    "datalogic-py, one program": "bench.peers.datalogic:ONE_PROGRAM",
    "datalogic-py, rule by rule": "bench.peers.datalogic:RULE_BY_RULE",
    "common-expression-language": "bench.peers.cel_programs:PEER",
    "business-rules": "bench.peers.business:PEER",
    "rule-engine": "bench.peers.rule_expressions:PEER",
}
"""The name of each engine in the tables, and the location of its `Peer`."""


def load(name: str) -> Peer:
    """Import one peer; raises `ImportError` if its engine is not installed."""
    module, _, attribute = PEERS[name].partition(":")
    peer = getattr(import_module(module), attribute)
    assert isinstance(peer, Peer)
    return peer


def rules_of(work: Workload) -> Sequence[Any]:
    """Return the rules unchanged, for peers that read them directly."""
    return work.rules
