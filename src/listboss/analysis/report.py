"""What an analysis returns: `Report`, with findings, what stays undecided, and counts.

A report is a value: the same rule set always gives an equal one, with its findings in the same
order, so the text of a report can be kept and compared.
"""

from __future__ import annotations

import attrs

from listboss.rules.finding import Finding, Severity

__all__ = ["Report", "Statistics"]


@attrs.frozen(kw_only=True)
class Statistics:
    """How much was analysed.

    `rules` counts all segmentations and `analysed` those that can run: enabled, and without error
    findings. `groups` counts the pairs of product and event that such rules are about.
    `comparisons` counts the pairs of rules that were compared.
    """

    rules: int = 0
    analysed: int = 0
    groups: int = 0
    comparisons: int = 0


@attrs.frozen(kw_only=True)
class Report:
    """The findings about a rule set, by severity, product, rule and code.

    They include those of the review (`RuleSet.findings`). `undecided` has the ids of the rules
    about which the analysis could not say everything, because that takes too much work; each has
    a finding `too_complex`.
    """

    findings: tuple[Finding, ...] = ()
    undecided: tuple[str, ...] = ()
    statistics: Statistics = Statistics()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep a rule from running."""
        return tuple(each for each in self.findings if each.severity is Severity.ERROR)
