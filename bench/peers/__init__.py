"""One module per engine measured, each with a `PEER`; `load(name)` imports only the one asked for.

A peer takes rules and events in the form it likes best: `source` writes the rules in its
own language and `event` the event in its own types (neither is timed), `build` makes the
engine (timed as build), and what `build` returns answers one event (timed as match).
`ids` reads the rule ids out of an answer afterwards, `size` counts what it holds (not timed).
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
    """How to use one engine: the types between its functions are its own affair."""

    how: str
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
"""Each engine's name in the tables, and where its `Peer` is."""


def load(name: str) -> Peer:
    """Import one peer; raises `ImportError` if what it needs is not installed."""
    module, _, attribute = PEERS[name].partition(":")
    peer = getattr(import_module(module), attribute)
    assert isinstance(peer, Peer)
    return peer


def rules_of(work: Workload) -> Sequence[Any]:
    """Give the rules as they are, for peers that need no language of their own."""
    return work.rules
