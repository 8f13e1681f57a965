"""Judge a rule set before it runs: which rules contradict each other, and what a change does.

`analyse(rules)` returns a `Report` of findings, each with an event that shows it. `Region` is the
set of events on which a condition holds, as a value that can be combined and compared.
`explain` says why each rule runs on an event or does not, and what it would need to run.
`backtest` plans past events by two rule sets and reports what differs.
"""

from listboss.analysis._scope import Progress
from listboss.analysis.analyse import analyse
from listboss.analysis.backtest import backtest
from listboss.analysis.change import (
    BacktestReport,
    ContactChange,
    RuleChange,
    RuleSample,
    Sample,
    TargetChange,
)
from listboss.analysis.nearest import Nearest, explain, nearest
from listboss.analysis.regions import Region
from listboss.analysis.report import Report, Statistics

__all__ = [
    "BacktestReport",
    "ContactChange",
    "Nearest",
    "Progress",
    "Region",
    "Report",
    "RuleChange",
    "RuleSample",
    "Sample",
    "Statistics",
    "TargetChange",
    "analyse",
    "backtest",
    "explain",
    "nearest",
]
