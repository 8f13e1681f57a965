"""Automations: which messages a contact gets, started by tags. Values only, nothing runs here.

An automation is configured and published by the user; capture itself never sends anything.
Its steps are messages that the host's mailer knows by name: listboss says what is due and
for whom, and sends no mail.
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

LONGEST_DELAY = timedelta(days=3660)


def _text(_value: object, attribute: attrs.Attribute[Any], value: object) -> None:
    require_text(value, f"$.{attribute.name}", RuleError)


def _delay(_step: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, timedelta):
        raise ArgumentTypeError("a duration is meant here", path="$.delay")
    if not timedelta(0) <= value <= LONGEST_DELAY:
        raise RuleError("a delay is between nothing and ten years", path="$.delay")


@attrs.frozen
class Step:
    """One message of an automation, due `delay` after the automation started.

    `message` is the host's name for the message, distinct within the automation.

    >>> Step("come-back", subject="You left something", delay=timedelta(hours=1)).message
    'come-back'
    """

    message: str = attrs.field(validator=check_id(RuleError))
    subject: str = attrs.field(default="", kw_only=True, validator=_text)
    delay: timedelta = attrs.field(default=timedelta(0), kw_only=True, validator=_delay)


def _tags(value: Iterable[str]) -> tuple[str, ...]:
    tags = require_tuple(value, "$.tags")
    for n, tag in enumerate(tags):
        require_id(tag, f"$.tags[{n}]", RuleError)
    if not tags:
        raise RuleError("an automation is started by at least one tag", path="$.tags")
    return tags


def _steps(value: Step | Iterable[Step]) -> tuple[Step, ...]:
    steps = require_tuple(value, "$.steps", Step)
    if not all(isinstance(step, Step) for step in steps):
        raise ArgumentTypeError("steps are meant here", path="$.steps")
    names = [step.message for step in steps]
    if len(names) != len(set(names)):
        raise RuleError("two steps have the same message", path="$.steps")
    return steps


def _match(_automation: object, _attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in ("any", "all"):
        raise RuleError("`match` is `any` or `all`", path="$.match")


@attrs.frozen
class Automation:
    """Messages that start when a contact is given tags; off until it is published.

    It starts at the moment when a contact gets one of `tags` (`match="any"`), or the last
    that was missing of them (`match="all"`), while it is published; tags put on earlier do
    not start it. Each contact takes each step once, however often the tags come back. With
    `while_tagged`, what is still to come is called off once the tags no longer match.

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
    tags: tuple[str, ...] = attrs.field(converter=_tags)
    match: Match = attrs.field(default="any", kw_only=True, validator=_match)
    steps: tuple[Step, ...] = attrs.field(default=(), kw_only=True, converter=_steps)
    while_tagged: bool = attrs.field(default=False, kw_only=True, validator=check_bool)
    published: bool = attrs.field(default=False, kw_only=True, validator=check_bool)


@attrs.frozen(kw_only=True)
class Message:
    """One message that is due: the host's mailer sends it, then says `done(id)`.

    `data` is what is known of the contact besides the e-mail; `due` is since when it waits.
    """

    id: int
    automation: str
    message: str
    subject: str
    email: str = attrs.field(repr=masked)
    data: FrozenMap[str, FactValue] = attrs.field(repr=masked)
    due: datetime
