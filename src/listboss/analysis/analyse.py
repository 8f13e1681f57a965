"""`analyse`: everything that can be said about a rule set without an event.

Rules are compared within their product and event, and found by their actions, not by trying all
pairs. Every finding that has a witness was confirmed: an engine has planned that event.
"""

from __future__ import annotations

from collections.abc import Iterator

from listboss.analysis._alone import alone
from listboss.analysis._conflicts import conflicts
from listboss.analysis._coverage import coverage
from listboss.analysis._draft import Draft, Observe, Sighting
from listboss.analysis._enabled import with_all_enabled
from listboss.analysis._group import Group, groups_of
from listboss.analysis._meeting import Meeting
from listboss.analysis._sets import gaps, plans, tags
from listboss.analysis.report import Report, Statistics
from listboss.engine.engine import Engine
from listboss.engine.planning.capture import Capture
from listboss.rules.finding import AnalysisCode, Finding, Severity
from listboss.rules.ruleset import RuleSet

__all__ = ["analyse"]

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


def analyse(rules: RuleSet, *, include_disabled: bool = False) -> Report:
    """Return what is wrong or suspicious about a rule set, with the findings of its review.

    Rules that are disabled are reviewed, and not compared with others, unless
    `include_disabled` is set: then they are judged as if they were enabled.

    >>> from datetime import date
    >>> from listboss import AddTag, Capabilities, Product, RemoveTag, Segmentation, where
    >>> fields = {"product_id": "42", "provider": "mail", "event": "purchase.approved"}
    >>> rules = RuleSet(
    ...     [Product("42", "Course", approved_at=date(2025, 1, 1))],
    ...     [
    ...         Segmentation("Buyers", actions=AddTag("buyer"), enabled=True, **fields),
    ...         Segmentation(
    ...             "Few installments",
    ...             condition=where.installments < 6,
    ...             actions=RemoveTag("buyer"),
    ...             enabled=True,
    ...             **fields,
    ...         ),
    ...     ],
    ...     providers={"mail": Capabilities.everything()},
    ... )
    >>> (finding,) = analyse(rules).findings
    >>> finding.code, dict(finding.witness.facts)
    (<AnalysisCode.CONFLICT: 'conflict'>, {'installments': 5})
    """
    if include_disabled:
        rules = with_all_enabled(rules)
    reviewed = rules.findings
    flagged = {each.segmentation_id for each in reviewed if each.severity is Severity.ERROR}
    groups = list(groups_of(rules, flagged))
    engine = Engine(rules)
    comparisons: list[int] = []
    found = [
        draft.finding
        for draft in _drafts(groups, rules, lambda event: Sighting(engine, event), comparisons)
        if draft.event is None or draft.shows(Sighting(engine, draft.event))
    ]
    undecided = {each.segmentation_id for each in found if each.code is AnalysisCode.TOO_COMPLEX}
    return Report(
        findings=tuple(sorted((*reviewed, *found), key=_order)),
        undecided=tuple(sorted(each for each in undecided if each is not None)),
        statistics=Statistics(
            rules=len(rules),
            analysed=sum(len(group.members) for group in groups),
            groups=len(groups),
            comparisons=sum(comparisons),
        ),
    )


def _drafts(
    groups: list[Group], rules: RuleSet, observe: Observe, comparisons: list[int]
) -> Iterator[Draft]:
    capture = Capture.of(rules)
    for group in groups:
        yield from alone(group)
        meeting = Meeting(group.compared)
        yield from coverage(group, meeting, capture)
        yield from conflicts(group, meeting, observe, comparisons.append)
        yield from plans(group)
        yield from gaps(group)
    known = {member.id for group in groups for member in group.members}
    yield from tags(groups, [rule for rule in rules if rule.enabled and rule.id not in known])


def _order(finding: Finding) -> tuple[int, str, str, str, str, tuple[str, ...]]:
    return (
        _RANKS[finding.severity],
        finding.product_id or "",
        finding.segmentation_id or "",
        finding.code,
        finding.path,
        finding.others,
    )
