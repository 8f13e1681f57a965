"""The names of tags and places: how the rules spell what standing compares.

Two spellings of a tag are one target. The first in alphabetical order is shown, so that a
report does not depend on the order of events or rule sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from listboss.analysis._replay import AccountTarget
from listboss.plan import Plan
from listboss.rules._text import quoted
from listboss.rules.action import Action, AddLead, AddTag, place_text
from listboss.standing import ANY_PLACE, Effect, Target, effects_of, single_effect

__all__ = ["TargetName", "TargetNames", "target_text"]

TargetName: TypeAlias = tuple[str, str]
"""A kind (`tag`, `place` or `own`), and the name as a rule spells it."""


def target_text(provider: str, name: TargetName) -> str:
    """Return a target in words."""
    return f"{name[0]} {quoted(name[1])} at {quoted(provider)}"


def _name(action: Action, target: Target) -> TargetName:
    match single_effect(action, Effect(target, asserts=True), None):
        case AddTag(tag):
            return ("tag", tag)
        case AddLead(place) if place is not None:
            return ("place", place_text(place))
        case _:
            return ("own", target.removeprefix("own:"))


class TargetNames:
    """The name of each target that a plan has mentioned."""

    def __init__(self) -> None:
        self._names: dict[AccountTarget, TargetName] = {}
        self._seen: set[tuple[str, Action]] = set()

    def add(self, plan: Plan) -> None:
        """Take up the names in the actions of a plan."""
        for planned in plan.actions:
            key = (planned.provider, planned.action)
            if key in self._seen:
                continue
            self._seen.add(key)
            account = plan.context.accounts.get(planned.provider)
            for effect in effects_of(planned.action, account):
                if effect.target != ANY_PLACE:
                    self._add((planned.provider, effect.target), planned.action)

    def _add(self, target: AccountTarget, action: Action) -> None:
        name = _name(action, target[1])
        self._names[target] = min(name, self._names.get(target, name))

    def __getitem__(self, target: AccountTarget) -> TargetName:
        return self._names[target]

    def texts(self, targets: Iterable[AccountTarget]) -> tuple[str, ...]:
        """Return targets in words, sorted."""
        return tuple(sorted(target_text(each[0], self._names[each]) for each in targets))
