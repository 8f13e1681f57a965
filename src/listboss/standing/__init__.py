"""What a contact should have, as a pure function of a set of events in any order.

A plan's actions become *marks*: it asserts a tag or place for a purchase or subscription,
its *grant*, or clears it. Events that end a grant are kept as *endings*. A target is on if,
reading marks and endings in the order in which their events happened, some assertion is
left: `fold` says so in plain loops, and `judge`, which delivery uses, from an index of marks.
This package does no I/O and knows no clock.
"""

from listboss.standing.effect import ANY_PLACE, Effect, Target, effects_of, single_effect
from listboss.standing.mark import (
    Ending,
    Grant,
    Links,
    Mark,
    Reach,
    Stamp,
    ending_of,
    grant_of,
    link_of,
    marks_of,
    stamp_of,
)
from listboss.standing.verdict import MarkIndex, Verdict, fold, judge

__all__ = [
    "ANY_PLACE",
    "Effect",
    "Ending",
    "Grant",
    "Links",
    "Mark",
    "MarkIndex",
    "Reach",
    "Stamp",
    "Target",
    "Verdict",
    "effects_of",
    "ending_of",
    "fold",
    "grant_of",
    "judge",
    "link_of",
    "marks_of",
    "single_effect",
    "stamp_of",
]
