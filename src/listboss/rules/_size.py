"""How large conditions and rule sets are, and how large they may be.

A size is counted in parts of conditions. Whatever takes longer to index or to evaluate than one
part counts for several. The limits grow with the number of rules, so that many small rules are
never refused; a few rules of any size are held to what keeps building and planning fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import add
from typing import NamedTuple, TypeAlias

from listboss.errors import RuleError
from listboss.rules._text import quoted
from listboss.rules.action import AddLead, MoveLead
from listboss.rules.condition import Comparison, Condition, Not, Operator
from listboss.rules.segmentation import Segmentation

__all__ = ["Sizes", "size_of"]

MAX_PARTS, MAX_PARTS_PER_RULE = 60_000, 30
"""The most parts of all segmentations together, and of those on one event of a product: the first
number, or the second for each of them if that is more. Measured: at most 1.9 s to build."""
MAX_ACTIONS, MAX_ACTIONS_PER_RULE = 4_000, 2
"""The most actions of the segmentations on one event of a product. Measured: at most 7 ms to
plan."""

PARTS_OF_RANGE = 2
VALUES_PER_PART = 4
"""The number of values of a list that count as one part."""
PARTS_OF_SEARCH, CHARACTERS_PER_PART = 15, 5
"""How many more parts a string of `contains` counts as, and how many of its characters count as
one: a fact of 4,096 characters may be searched for it."""
MAX_COPIES, PLANS_PER_PART = 4, 16
"""At most this many times, a condition for several subscription plans counts; and how many plans
count as one part."""
FIELDS_PER_ACTION = 8
"""The number of fields to send that count as one action."""

_Key: TypeAlias = tuple[str, str]
_ALL: _Key = ("", "")
_HINTS = {
    "parts": "shorten the longest conditions, or split the products over several rule sets",
    "actions": "take fewer actions on one event: an addition and a move count twice",
}


def size_of(condition: Condition) -> int:
    """Return the size of a condition.

    >>> from listboss import where
    >>> size_of((where.price > 5) & where.offer.is_in("a", "b", "c", "d"))
    4
    """
    if isinstance(condition, Comparison):
        value = condition.value
        if isinstance(value, tuple):
            listed = condition.operator is not Operator.BETWEEN
            return 1 + len(value) // VALUES_PER_PART if listed else PARTS_OF_RANGE
        if condition.operator is Operator.CONTAINS and isinstance(value, str):
            return 1 + PARTS_OF_SEARCH + len(value) // CHARACTERS_PER_PART
        return 1
    if isinstance(condition, Not):
        return 1 + size_of(condition.condition)
    return 1 + sum([size_of(part) for part in condition.conditions])


def _size(rule: Segmentation) -> tuple[int, int]:
    """Return the parts and the actions of a rule; an action counts as a part, too."""
    parts = 0 if rule.condition is None else size_of(rule.condition)
    if plans := len(rule.plan_ids):
        parts = min(plans, MAX_COPIES) * parts + plans // PLANS_PER_PART
    actions = len(rule.actions) + len(rule.send) // FIELDS_PER_ACTION
    for each in rule.actions:
        actions += isinstance(each, (AddLead, MoveLead))  # which may contradict many others
    return parts + len(rule.actions), actions


class _Total(NamedTuple):
    rules: int = 0
    parts: int = 0
    actions: int = 0


class Sizes:
    """How large the segmentations on each event of each product are, and all of them together."""

    __slots__ = ("_totals",)

    def __init__(self) -> None:
        self._totals: dict[_Key, _Total] = {}

    def changed(self, added: Sequence[Segmentation], removed: Sequence[Segmentation] = ()) -> Sizes:
        """Return the sizes after a change; raises `RuleError` if they grow and are too large."""
        changes: dict[_Key, list[int]] = {_ALL: [0, 0, 0]}
        for rules, sign in ((removed, -1), (added, 1)):
            for rule in rules:
                key = rule.product_id, rule.event
                change = changes.get(key) or changes.setdefault(key, [0, 0, 0])
                parts, actions = _size(rule)
                change[0] += sign
                change[1] += sign * parts
                change[2] += sign * actions
        changes[_ALL] = [sum(each) for each in zip(*changes.values(), strict=True)]
        new = Sizes()
        new._totals = dict(self._totals)
        for key, change in changes.items():
            before = self._totals.get(key, _Total())
            total = new._totals[key] = _Total(*map(add, before, change))
            if not total.rules:
                del new._totals[key]
            most = max(MAX_PARTS, MAX_PARTS_PER_RULE * total.rules)
            if total.parts > max(most, before.parts):
                raise _too_complex(key, added, "parts", total.parts, most)
            most = max(MAX_ACTIONS, MAX_ACTIONS_PER_RULE * total.rules)
            if key is not _ALL and total.actions > max(most, before.actions):
                raise _too_complex(key, added, "actions", total.actions, most)
        return new


def _too_complex(
    key: _Key, added: Sequence[Segmentation], what: str, total: int, most: int
) -> RuleError:
    """Make the error of the first added rule with which the total is over the limit."""
    sizes = [
        _size(rule)[what == "actions"] if key in (_ALL, (rule.product_id, rule.event)) else 0
        for rule in added
    ]
    totals = accumulate(sizes, initial=total - sum(sizes))
    n = next(n for n, each in enumerate(totals, -1) if each > most)
    where = "" if key is _ALL else f" on {quoted(key[1])} of product {quoted(key[0])}"
    return RuleError(
        f"with {quoted(added[n].name)}, the segmentations{where} have more than {most:,} {what}",
        code="too_complex",
        path=f"$.segmentations[{n}]",
        hint=_HINTS[what],
    )
