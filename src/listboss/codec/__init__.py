"""Read and write rules, events and plans as JSON, and read rules as TOML.

`load_rules` reads what `dump_rules` writes, and so for one segmentation, condition, action,
event or plan. `read_rules` returns the valid rules of a file and the faults of the others;
`rules_schema` is the JSON Schema of a rule file. Each fault of a document is a `CodecError`
with a code from `HINTS`, a JSON path and a hint; several are raised as a group. Nothing is
converted, nothing unknown is ignored, nothing in a document is executed.
"""

from __future__ import annotations

from listboss.codec._document import LIMITS, VERSION, Format, Limits, Source
from listboss.codec._events import dump_event, dump_plan, load_event, load_plan
from listboss.codec._faults import HINTS, MAX_FAULTS
from listboss.codec._parts import (
    dump_action,
    dump_condition,
    dump_segmentation,
    load_action,
    load_condition,
    load_segmentation,
)
from listboss.codec._rules import Loaded, dump_rules, load_rules, read_rules
from listboss.codec._schema import rules_schema

__all__ = [
    "HINTS",
    "LIMITS",
    "MAX_FAULTS",
    "VERSION",
    "Format",
    "Limits",
    "Loaded",
    "Source",
    "dump_action",
    "dump_condition",
    "dump_event",
    "dump_plan",
    "dump_rules",
    "dump_segmentation",
    "load_action",
    "load_condition",
    "load_event",
    "load_plan",
    "load_rules",
    "load_segmentation",
    "read_rules",
    "rules_schema",
]
