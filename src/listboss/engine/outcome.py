"""What an explanation says: for each rule that it runs, or the reason why it does not.

Texts show the values that rules compare with. Those of the event may be personal: they are
shown only if `values` is set, and a host can read them in `actual`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

import attrs

from listboss.errors import RuleError
from listboss.plan import Conflict, Idle
from listboss.rules._text import masked, masked_address, one_line, quoted, require_member
from listboss.rules._wording import (
    as_html,
    as_markdown,
    describe_action,
    describe_event,
    describe_mismatch,
    in_words,
)
from listboss.rules.action import Action
from listboss.rules.condition import Comparison
from listboss.rules.event import FactValue
from listboss.rules.finding import Finding

__all__ = ["Explanation", "FactState", "Reason", "RuleOutcome"]


class Reason(StrEnum):
    """Why a rule does not run: the first of these that applies."""

    UNADDRESSED = "unaddressed"
    TEST = "test"
    OTHER_EVENT = "other_event"
    DISABLED = "disabled"
    FLAGGED = "flagged"
    OTHER_PLAN = "other_plan"
    CONDITION_NOT_MET = "condition_not_met"
    LOST_CONFLICT = "lost_conflict"
    PROVIDER_CANNOT = "provider_cannot"
    """Automatic segmentations only: the capture provider cannot do the action."""


class FactState(StrEnum):
    """Whether the event has a usable value of the fact that decided."""

    KNOWN = "known"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"


def _idle(value: Idle | str | None) -> Idle | None:
    if value is None or isinstance(value, Idle):
        return value
    return require_member(value, Idle, "$.idle", RuleError)


def _reason(value: Reason | str | None) -> Reason | None:
    if value is None or isinstance(value, Reason):
        return value
    return require_member(value, Reason, "$.reason", RuleError)


def _state(value: FactState | str | None) -> FactState | None:
    if value is None or isinstance(value, FactState):
        return value
    return require_member(value, FactState, "$.state", RuleError)


@attrs.frozen
class RuleOutcome:
    """Whether one rule runs, and if not, the reason.

    For `condition_not_met`, `comparison` is the first one that did not hold, `actual` is the
    raw value of its fact, and `state` says whether that is usable. `findings` say why a rule
    is flagged. `conflict` is the one that the rule lost, perhaps with only one of its actions,
    and `lost_to` has the ids of the rules that won it.

    `actions` is what an automatic segmentation does, or would have done, on this event: put its
    tag on or take it off. `needs` says what would have to be different for the rule to run, if
    the explanation is that of `listboss.analysis.explain`. `name` is the name of a segmentation
    with the default id, which says nothing to people.
    """

    segmentation_id: str
    runs: bool
    reason: Reason | None = attrs.field(default=None, converter=_reason)
    comparison: Comparison | None = None
    actual: FactValue | None = attrs.field(default=None, repr=masked)
    state: FactState | None = attrs.field(default=None, kw_only=True, converter=_state)
    findings: tuple[Finding, ...] = attrs.field(default=(), kw_only=True)
    conflict: Conflict | None = attrs.field(default=None, kw_only=True)
    lost_to: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    actions: tuple[Action, ...] = attrs.field(default=(), kw_only=True)
    needs: str = attrs.field(default="", kw_only=True)
    name: str = attrs.field(default="", kw_only=True)

    @property
    def text(self) -> str:
        """The outcome in words, without any value of the event."""
        return self.describe()

    def describe(self, *, values: bool = False) -> str:
        """Return the outcome in words; with `values`, also the event's value that decided."""
        words = "".join(self._words(values=values))
        return f"{words}; it would run {self.needs}" if self.needs else words

    def _words(self, *, values: bool) -> Iterator[str]:
        yield "runs" if self.runs else in_words(str(self.reason))
        if self.comparison is not None:
            actual = self.actual if values else None
            yield f": {describe_mismatch(self.comparison, self.state, actual)}"
        elif self.findings:
            yield f": {'; '.join(finding.message for finding in self.findings)}"
        elif self.conflict is not None:
            yield self._lost(self.conflict)
        if self.actions:
            actions = "; ".join(map(describe_action, self.actions))
            yield f": {actions}" if self.runs else f" (would {actions})"

    def _lost(self, conflict: Conflict) -> str:
        winners = f" to {', '.join(map(quoted, self.lost_to))}" if self.lost_to else ""
        lost = f" over {quoted(conflict.target)}{winners}: {in_words(conflict.rule)}"
        dropped = describe_action(conflict.dropped)
        return f" without {dropped}: lost conflict{lost}" if self.runs else lost

    @property
    def title(self) -> str:
        """The id, and before it the name of a segmentation with the default id."""
        id = quoted(self.segmentation_id)
        return f"{quoted(self.name)} ({id})" if self.name else id

    def __str__(self) -> str:
        return f"{self.title}: {one_line(self.text)}"


@attrs.frozen
class Explanation:
    """The outcome of every rule of an event's product, automatic ones first."""

    event_id: str = attrs.field(repr=masked_address)
    product_id: str = attrs.field(repr=masked_address)
    idle: Idle | None = attrs.field(converter=_idle)
    rules: tuple[RuleOutcome, ...]

    def __str__(self) -> str:
        return self.text()

    def text(self, *, values: bool = False) -> str:
        """Return one line for the event and one for each rule.

        With `values`, here and below, it shows values of the event, which may be personal.
        """
        event, product = describe_event(self.event_id), describe_event(self.product_id)
        idle = "" if self.idle is None else f" (idle: {in_words(self.idle)})"
        rules = (f"{title}: {one_line(text)}" for title, text in self._texts(values=values))
        return "\n  ".join([f"event {event} on product {product}{idle}", *rules])

    def markdown(self, *, values: bool = False) -> str:
        """Return a Markdown table of the rules and their outcomes."""
        cells = self._cells(as_markdown, values=values)
        rows = (f"| {rule} | {text} |" for rule, text in cells)
        return "\n".join(["| rule | outcome |", "|---|---|", *rows])

    def html(self, *, values: bool = False) -> str:
        """Return an HTML table of the rules and their outcomes."""
        cells = self._cells(as_html, values=values)
        rows = "".join(f"<tr><td>{rule}</td><td>{text}</td></tr>" for rule, text in cells)
        return f"<table><tr><th>rule</th><th>outcome</th></tr>{rows}</table>"

    def _repr_html_(self) -> str:
        return self.html()

    def _texts(self, *, values: bool) -> Iterator[tuple[str, str]]:
        for rule in self.rules:
            yield rule.title, rule.describe(values=values)

    def _cells(self, medium: Callable[[str], str], *, values: bool) -> Iterator[tuple[str, str]]:
        for title, text in self._texts(values=values):
            yield medium(title), medium(text)
