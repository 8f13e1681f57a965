"""Judge a rule set before it runs: which rules contradict, repeat or never reach each other.

`analyse(rules)` returns a `Report` of findings, each with an event that shows it. `Region` is the
set of events on which a condition holds, as a value that can be combined and compared.
"""

from listboss.analysis.analyse import analyse
from listboss.analysis.regions import Region
from listboss.analysis.report import Report, Statistics

__all__ = ["Region", "Report", "Statistics", "analyse"]
