"""Automations: the messages that a contact gets once it has certain tags. Values only.

The user configures and publishes an automation; automatic capture itself never sends
anything. Its steps are messages that the host's mailer knows by name: listboss returns which
message is due for whom, and sends no mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import attrs

from listboss.errors import ArgumentTypeError, RuleError
from listboss.rules._mapping import FrozenMap
from listboss.rules._text import (
    check_bool,
    check_id,
    masked,
    require_id,
    require_text,
    require_tuple,
)
from listboss.rules.event import FactValue

__all__ = ["Automation", "Match", "Message", "Step"]

Match: TypeAlias = Literal["any", "all"]

MAX_DELAY = timedelta(days=3660)


def _check_text(_value: object, attribute: attrs.Attribute[Any], value: object) -> None:
    require_text(value, f"$.{attribute.name}", RuleError)


def _check_delay(_step: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, timedelta):
        raise ArgumentTypeError("expected a timedelta", path="$.delay")
    if not timedelta(0) <= value <= MAX_DELAY:
        raise RuleError("expected a delay from zero to 3660 days", path="$.delay")


def _check_latest(_step: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if not isinstance(value, timedelta):
        raise ArgumentTypeError("expected a timedelta or None", path="$.latest")
    if not timedelta(0) < value <= MAX_DELAY:
        raise RuleError(
            "expected a time of more than zero and at most 3660 days",
            path="$.latest",
            hint="it is how late the message may be sent",
        )


@attrs.frozen
class Step:
    """One message of an automation, due `delay` after the automation started.

    `message` is the host's name for the message and unique within the automation. `latest` is
    how late it may be sent, counted from when it is due; then it lapses. Without `latest`, it
    gives way to a later step of the automation that is due as well, once it is a week late,
    or when the automation is published again or the contact is unsuppressed.

    >>> Step("come-back", delay=timedelta(hours=1), latest=timedelta(days=2)).message
    'come-back'
    """

    message: str = attrs.field(validator=check_id(RuleError))
    subject: str = attrs.field(default="", kw_only=True, validator=_check_text)
    delay: timedelta = attrs.field(default=timedelta(0), kw_only=True, validator=_check_delay)
    latest: timedelta | None = attrs.field(default=None, kw_only=True, validator=_check_latest)


def _as_tags(value: Iterable[str]) -> tuple[str, ...]:
    tags = require_tuple(value, "$.tags")
    if not tags:
        raise RuleError("expected at least one tag", path="$.tags")
    return tuple(require_id(tag, f"$.tags[{n}]", RuleError) for n, tag in enumerate(tags))


def _as_steps(value: Step | Iterable[Step]) -> tuple[Step, ...]:
    steps = require_tuple(value, "$.steps", Step)
    if not all(isinstance(step, Step) for step in steps):
        raise ArgumentTypeError("expected a list of `Step`", path="$.steps")
    names = [step.message for step in steps]
    if len(names) != len(set(names)):
        raise RuleError(
            "two steps have the same message", path="$.steps", hint="give each step its own"
        )
    return steps


def _check_match(_automation: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in ("any", "all"):
        raise RuleError("expected `any` or `all`", path="$.match")


@attrs.frozen
class Automation:
    """Messages that start when a contact gets certain tags; off until it is published.

    A published automation starts when a contact gets one of `tags` (`match="any"`) or the
    last one that was missing (`match="all"`). Tags added before it was published do not
    start it. A contact takes each step once, even if the tags are removed and added again.
    With `while_tagged`, the open messages are cancelled when the tags no longer match.

    >>> recovery = Automation(
    ...     "Cart recovery",
    ...     ["auto:cart-abandonment:42"],
    ...     steps=Step("come-back", delay=timedelta(hours=1)),
    ...     while_tagged=True,
    ... )
    >>> recovery.published
    False
    """

    name: str = attrs.field(validator=check_id(RuleError))
    tags: tuple[str, ...] = attrs.field(converter=_as_tags)
    match: Match = attrs.field(default="any", kw_only=True, validator=_check_match)
    steps: tuple[Step, ...] = attrs.field(default=(), kw_only=True, converter=_as_steps)
    while_tagged: bool = attrs.field(default=False, kw_only=True, validator=check_bool)
    published: bool = attrs.field(default=False, kw_only=True, validator=check_bool)


@attrs.frozen(kw_only=True)
class Message:
    """A message that is due: the host's mailer sends it, then calls `done(id)`.

    `data` are the contact's fields besides the e-mail. `due` is when it became due.
    """

    id: int
    automation: str
    message: str
    subject: str
    email: str = attrs.field(repr=masked)
    data: FrozenMap[str, FactValue] = attrs.field(repr=masked)
    due: datetime
