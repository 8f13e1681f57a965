"""A finding before it is confirmed: with its event, and what an engine must say about it.

What the engine does not confirm is not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TypeAlias

import attrs

from listboss.engine.engine import Engine
from listboss.plan import Plan
from listboss.rules._text import quoted
from listboss.rules.event import Event
from listboss.rules.finding import AnalysisCode, Finding, FindingCode, severity_of
from listboss.rules.segmentation import Segmentation

__all__ = ["Draft", "Observe", "Sighting", "draft", "named"]

MAX_NAMED = 3
"""A message names at most this many rules or values, and counts the others."""


class Sighting:
    """What an engine does with one event."""

    def __init__(self, engine: Engine, event: Event) -> None:
        self._engine = engine
        self.event = event

    @cached_property
    def matched(self) -> frozenset[str]:
        """The ids of the rules that hold."""
        return frozenset(self._engine.match(self.event))

    @cached_property
    def plan(self) -> Plan:
        """The plan of the event."""
        return self._engine.plan(self.event)


Observe: TypeAlias = Callable[[Event], Sighting]


@attrs.frozen(eq=False)
class Draft:
    """A finding, its event if it has one, and a test of what the engine does with that event."""

    finding: Finding
    event: Event | None
    shows: Callable[[Sighting], bool]


def draft(
    code: AnalysisCode | FindingCode,
    message: str,
    hint: str,
    *,
    rule: Segmentation | None = None,
    product_id: str | None = None,
    path: str = "$",
    others: Iterable[str] = (),
    event: Event | None = None,
    shows: Callable[[Sighting], bool] = lambda _: True,
) -> Draft:
    """Make a draft about a rule, or else about a product."""
    finding = Finding(
        code,
        severity_of(code),
        message,
        segmentation_id=None if rule is None else rule.id,
        product_id=product_id if rule is None else rule.product_id,
        path=path,
        hint=hint,
        witness=event,
        others=tuple(others),
    )
    return Draft(finding, event, shows)


def named(words: Sequence[str]) -> str:
    """List words in back-ticks; many of them are counted.

    >>> named(["a", "b"]), named(["a", "b", "c", "d", "e"])
    ('`a` and `b`', '`a`, `b`, `c` and 2 more')
    """
    shown = [quoted(word) for word in words[:MAX_NAMED]]
    if len(words) > MAX_NAMED:
        return f"{', '.join(shown)} and {len(words) - MAX_NAMED} more"
    *most, last = shown
    return f"{', '.join(most)} and {last}" if most else last
