"""What is wrong with a rule or a rule set, as values: `Finding`, `FindingCode`, `Severity`.

A finding is for a person to read and for a program to sort: `code` and `severity` are stable
words, the message and the hint may change in any release. `review` makes the findings.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from listboss.rules.event import Event

__all__ = ["Finding", "FindingCode", "Severity"]


class Severity(StrEnum):
    """Whether a finding keeps its rule from running."""

    ERROR = "error"
    WARNING = "warning"


class FindingCode(StrEnum):
    """What is wrong; stable words for programs."""

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
    OPERATOR_UNFIT = "operator_unfit"
    VALUE_UNFIT = "value_unfit"
    VALUE_UNKNOWN = "value_unknown"
    VALUE_EMPTY = "value_empty"
    ACTIONS_EMPTY = "actions_empty"
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


@attrs.frozen
class Finding:
    """One thing that is wrong with a rule or a rule set, and what to do about it.

    `path` says where in the segmentation; `witness` is an event that shows the finding,
    where one is known.
    """

    code: FindingCode
    severity: Severity
    message: str
    segmentation_id: str | None = attrs.field(default=None, kw_only=True)
    product_id: str | None = attrs.field(default=None, kw_only=True)
    path: str = attrs.field(default="$", kw_only=True)
    hint: str = attrs.field(default="", kw_only=True)
    witness: Event | None = attrs.field(default=None, kw_only=True)
