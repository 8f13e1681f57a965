"""`analyse`: everything that can be said about a rule set without an event.

Every finding that has a witness was confirmed: an engine has planned that event.
"""

from __future__ import annotations

from listboss.analysis.report import Report, Statistics
from listboss.rules.finding import Finding, Severity
from listboss.rules.ruleset import RuleSet

__all__ = ["analyse"]

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


def analyse(rules: RuleSet) -> Report:
    """Return what is wrong or suspicious about a rule set, with the findings of its review.

    Rules that are disabled are reviewed, and not compared with others.
    """
    findings = rules.findings
    return Report(
        findings=tuple(sorted(findings, key=_order)), statistics=Statistics(rules=len(rules))
    )


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return (
        _RANKS[finding.severity],
        finding.product_id or "",
        finding.segmentation_id or "",
        finding.code,
        finding.path,
    )
