"""What is wrong with a rule or a rule set, as values: `Finding`, `FindingCode`, `Severity`.

A finding is for a person to read and for a program to sort: codes and severities are stable
words; messages and hints may change in any release. `review` makes those with a `FindingCode`,
about one rule or product; `listboss.analysis` those with an `AnalysisCode`, about rules together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from listboss.errors import RuleError
from listboss.rules._text import Readable, require_member

if TYPE_CHECKING:
    from listboss.rules.event import Event

__all__ = [
    "INFORMATION",
    "WARNINGS",
    "AnalysisCode",
    "Finding",
    "FindingCode",
    "FindingsDiff",
    "Severity",
    "findings_between",
    "severity_of",
]


class Severity(StrEnum):
    """How serious a finding is; only an error keeps its rule from running."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class FindingCode(StrEnum):
    """What is wrong, as a stable word for programs."""

    PROVIDER_MISSING = "provider_missing"
    ACTION_UNSUPPORTED = "action_unsupported"
    ACTION_EMULATED = "action_emulated"
    PLACE_UNSUPPORTED = "place_unsupported"
    TAG_UNSUPPORTED = "tag_unsupported"
    PARAMETERS_UNSUPPORTED = "parameters_unsupported"
    DATA_UNSUPPORTED = "data_unsupported"
    DATA_UNKNOWN = "data_unknown"
    DATA_NOT_CARRIED = "data_not_carried"
    EVENT_UNKNOWN = "event_unknown"
    EVENT_INCOMPATIBLE = "event_incompatible"
    EVENT_UNSUPPORTED = "event_unsupported"
    FACT_UNKNOWN = "fact_unknown"
    FACT_NOT_CARRIED = "fact_not_carried"
    GROUP_EMPTY = "group_empty"
    CURRENCY_MISSING = "currency_missing"
    OPERATOR_UNFIT = "operator_unfit"
    VALUE_UNFIT = "value_unfit"
    VALUE_UNKNOWN = "value_unknown"
    VALUE_UNFAMILIAR = "value_unfamiliar"
    VALUE_CASE = "value_case"
    VALUE_EMPTY = "value_empty"
    NEVER_HOLDS = "never_holds"
    ACTIONS_EMPTY = "actions_empty"
    ACTIONS_CONTRADICT = "actions_contradict"
    MOVE_WITHOUT_SOURCE = "move_without_source"
    RESERVED_TAG = "reserved_tag"
    PLAN_REQUIRED = "plan_required"
    PLAN_UNKNOWN = "plan_unknown"
    PLAN_NOT_CARRIED = "plan_not_carried"
    PRODUCT_UNKNOWN = "product_unknown"
    PRODUCT_NOT_APPROVED = "product_not_approved"
    NAME_DUPLICATE = "name_duplicate"
    BETA_CAPTURE = "beta_capture"
    CAPTURE_PROVIDER_MISSING = "capture_provider_missing"
    CAPTURE_LIMITED = "capture_limited"


class AnalysisCode(StrEnum):
    """What an analysis finds about rules that can run, as a stable word for programs."""

    ALWAYS_HOLDS = "always_holds"
    REDUNDANT_PART = "redundant_part"
    DUPLICATE = "duplicate"
    SHADOWED = "shadowed"
    CONFLICT = "conflict"
    LOSES_TO_AUTOMATIC = "loses_to_automatic"
    NEVER_REMOVED = "never_removed"
    ONLY_REMOVED = "only_removed"
    NO_RULE_FOR_PLAN = "no_rule_for_plan"
    GAP = "gap"
    TOO_COMPLEX = "too_complex"


WARNINGS: frozenset[FindingCode | AnalysisCode] = frozenset(
    {
        FindingCode.ACTION_EMULATED,
        FindingCode.DATA_NOT_CARRIED,
        FindingCode.GROUP_EMPTY,
        FindingCode.MOVE_WITHOUT_SOURCE,
        FindingCode.CURRENCY_MISSING,
        FindingCode.VALUE_UNFAMILIAR,
        FindingCode.VALUE_CASE,
        FindingCode.NAME_DUPLICATE,
        FindingCode.BETA_CAPTURE,
        FindingCode.CAPTURE_LIMITED,
        AnalysisCode.ALWAYS_HOLDS,
        AnalysisCode.DUPLICATE,
        AnalysisCode.SHADOWED,
        AnalysisCode.CONFLICT,
        AnalysisCode.LOSES_TO_AUTOMATIC,
        AnalysisCode.ONLY_REMOVED,
        AnalysisCode.NO_RULE_FOR_PLAN,
        AnalysisCode.TOO_COMPLEX,
    }
)
"""The codes of warnings."""
INFORMATION: frozenset[FindingCode | AnalysisCode] = frozenset(
    {AnalysisCode.REDUNDANT_PART, AnalysisCode.NEVER_REMOVED, AnalysisCode.GAP}
)
"""The codes of information. A code that is in neither set is an error."""


def _code(value: FindingCode | AnalysisCode | str) -> FindingCode | AnalysisCode:
    if value in list(AnalysisCode):
        return AnalysisCode(value)
    return require_member(value, FindingCode, "$.code", RuleError)


def _severity(value: Severity | str) -> Severity:
    return require_member(value, Severity, "$.severity", RuleError)


def severity_of(code: FindingCode | AnalysisCode | str) -> Severity:
    """Return the severity of the findings with that code."""
    known = _code(code)
    if known in INFORMATION:
        return Severity.INFO
    return Severity.WARNING if known in WARNINGS else Severity.ERROR


@attrs.frozen
class Finding(Readable):
    """One thing that is wrong with a rule or a rule set, and what to do about it.

    `path` says where in the segmentation. `others` has the ids of the other segmentations that
    the finding is about. `witness` is an event that shows the finding, if one is known.
    """

    code: FindingCode | AnalysisCode = attrs.field(converter=_code)
    severity: Severity = attrs.field(converter=_severity)
    message: str
    segmentation_id: str | None = attrs.field(default=None, kw_only=True)
    product_id: str | None = attrs.field(default=None, kw_only=True)
    path: str = attrs.field(default="$", kw_only=True)
    hint: str = attrs.field(default="", kw_only=True)
    witness: Event | None = attrs.field(default=None, kw_only=True)
    others: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    @property
    def key(self) -> tuple[str | None, ...]:
        """What identifies a finding: of two with one key, only the hints or examples differ."""
        return (self.code, self.segmentation_id, self.product_id, self.path, self.message)


@attrs.frozen(kw_only=True)
class FindingsDiff:
    """The findings that differ between two rule sets.

    `new` are those that only the second one has, `gone` those that only the first one has.
    `flagged` has the ids of the segmentations that have errors now and had none, and `unflagged`
    the ids of those that had errors and have none now.
    """

    new: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
    flagged: tuple[str, ...] = ()
    unflagged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.new, self.gone))


def findings_between(
    before: Iterable[Finding], after: Iterable[Finding], rule_ids: Collection[str]
) -> FindingsDiff:
    """Return what differs between the findings of two rule sets; the second has these rules."""
    old, new = ({finding.key: finding for finding in each} for each in (before, after))
    had, have = (
        {f.segmentation_id for f in each.values() if f.severity is Severity.ERROR}
        for each in (old, new)
    )
    return FindingsDiff(
        new=tuple(finding for key, finding in new.items() if key not in old),
        gone=tuple(finding for key, finding in old.items() if key not in new),
        flagged=tuple(each for each in rule_ids if each in have and each not in had),
        unflagged=tuple(each for each in rule_ids if each in had and each not in have),
    )
