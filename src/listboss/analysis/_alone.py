"""Findings about the condition of one rule: it never or always holds, or a part has no effect.

A condition of too many cases has the finding `too_complex`, and nothing else is said of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from listboss.analysis._draft import Draft, Sighting, draft, named
from listboss.analysis._group import Group, Member
from listboss.rules._boxes import Box, Budget, Space, TooComplexError
from listboss.rules._groups import has_empty_group
from listboss.rules._literal import literal
from listboss.rules._satisfiable import never_hint
from listboss.rules._wording import describe_condition
from listboss.rules.condition import (
    NO_VALUE,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    comparisons,
)
from listboss.rules.finding import AnalysisCode, FindingCode

__all__ = ["alone", "too_complex"]

MAX_PARTS = 64
"""Conditions with more parts are not searched for redundant ones."""
PART_BOXES = 256
"""While redundant parts are looked for, a condition may have at most this many boxes."""


def alone(group: Group) -> Iterator[Draft]:
    """Yield what there is to say about each rule, whatever the others are."""
    for each in group.members:
        condition = each.rule.condition
        if condition is None:
            continue
        if each.boxes is None:
            yield too_complex(each, "its condition has too many cases")
        elif not each.boxes:
            message = "the condition can never hold, so the rule would never run"
            yield draft(
                FindingCode.NEVER_HOLDS, message, never_hint(condition), rule=each.rule,
                path="$.condition",
            )  # fmt: skip
        elif not has_empty_group(condition):  # the review reports empty groups, and what they mean
            yield from _without_effect(each, condition, group)


def too_complex(member: Member, why: str) -> Draft:
    """Make the finding that something about a rule could not be decided."""
    return draft(
        AnalysisCode.TOO_COMPLEX,
        f"the rule was not analysed completely: {why}",
        "split it over several segmentations, or compare fewer alternatives",
        rule=member.rule,
        path="$.condition",
    )


def _without_effect(member: Member, condition: Condition, group: Group) -> list[Draft]:
    try:
        return _always_holds(member, condition, group) or _redundant(member, condition, group)
    except TooComplexError:
        return [too_complex(member, "what its condition excludes has too many cases")]


def _runs(member: Member, sighting: Sighting) -> bool:
    return member.id in sighting.matched


def _always_holds(member: Member, condition: Condition, group: Group) -> list[Draft]:
    """Whether it holds on every event that has a usable value of each compared fact."""
    mentioned = [comparison for _, comparison in comparisons(condition)]
    compared = dict.fromkeys(each.fact for each in mentioned if each.operator not in NO_VALUE)
    known: Box = {name: group.space.facts[name].known for name in compared}
    if group.space.uncovered([known], member.where(), Budget()) is not None:
        return []
    message = "the condition holds on every event"
    if compared:
        message = f"the condition holds whatever the value of {named([*compared])} is"
    return [
        draft(
            AnalysisCode.ALWAYS_HOLDS,
            message,
            "remove the condition, or compare with the values that you want to exclude",
            rule=member.rule,
            path="$.condition",
            event=group.witness(member.plans, group.space.member([known])),
            shows=lambda sighting: _runs(member, sighting),
        )
    ]


# Parts without effect


_Address = tuple[int, ...]
"""The way to a part: its number in each combination, and 0 below a `Not`."""


def _redundant(member: Member, condition: Condition, group: Group) -> list[Draft]:
    """Find parts that can be left out, so that all those that are reported can be removed."""
    if not _may_be_redundant(condition, group.space):
        return []
    if condition.nodes > MAX_PARTS:
        return [too_complex(member, f"its condition has more than {MAX_PARTS} parts")]
    try:
        removed = _removable(condition, member.where(), group.space)
    except TooComplexError:
        return [too_complex(member, "without one of its parts, the condition has too many cases")]
    return [
        draft(
            AnalysisCode.REDUNDANT_PART,
            f"the part {describe_condition(part)} changes nothing: "
            "the rule runs on the same events without it",
            "remove it, or correct it if it was to exclude something",
            rule=member.rule,
            path=path,
            event=group.witness_of(member),
            shows=lambda sighting: _runs(member, sighting),
        )
        for _, path, part in sorted(removed, key=lambda each: each[0])
    ]


def _may_be_redundant(condition: Condition, space: Space) -> bool:
    """Whether a fact is compared twice, or a comparison never holds: else every part matters."""
    mentioned = [comparison for _, comparison in comparisons(condition)]
    counts = Counter(each.fact for each in mentioned)
    return max(counts.values()) > 1 or any(
        space.box(literal(each, space.catalogue, negated=negated)) is None
        for each in mentioned
        for negated in (False, True)
    )


def _removable(
    condition: Condition, boxes: tuple[Box, ...], space: Space
) -> list[tuple[_Address, str, Condition]]:
    """Return the parts that can be left out together, with their addresses and paths.

    Parts are tried again, since one may have lost its effect with another one.
    """
    removed: list[tuple[_Address, str, Condition]] = []
    before = -1
    while before < len(removed):
        before = len(removed)
        _remove(condition, boxes, space, removed)
    gone = [address for address, _, _ in removed]
    return [
        each
        for each in removed
        if not any(len(other) < len(each[0]) and each[0][: len(other)] == other for other in gone)
    ]


def _remove(
    condition: Condition,
    boxes: tuple[Box, ...],
    space: Space,
    removed: list[tuple[_Address, str, Condition]],
) -> None:
    for address, path, part in _parts(condition, (), "$.condition"):
        gone = {each for each, _, _ in removed}
        if any(address[: len(each)] == each for each in gone):
            continue
        without = _without(condition, (), gone | {address})
        if without is None:
            continue
        budget = Budget(PART_BOXES)
        others = space.boxes(without, budget)
        if (
            space.uncovered(boxes, others, budget) is None
            and space.uncovered(others, boxes, budget) is None
        ):
            removed.append((address, path, part))


def _parts(
    condition: Condition, address: _Address, path: str
) -> Iterator[tuple[_Address, str, Condition]]:
    """Yield the parts of all combinations: the last first, and each before what is inside it."""
    match condition:
        case Comparison():
            return
        case Not():
            yield from _parts(condition.condition, (*address, 0), f"{path}.not")
        case _:
            word = "all" if isinstance(condition, AllOf) else "any"
            for n in reversed(range(len(condition.conditions))):
                part = condition.conditions[n]
                yield (*address, n), f"{path}.{word}[{n}]", part
                yield from _parts(part, (*address, n), f"{path}.{word}[{n}]")


def _without(condition: Condition, address: _Address, gone: set[_Address]) -> Condition | None:
    """Return a condition without some parts; None if nothing is left of a combination."""
    match condition:
        case Comparison():
            return condition
        case Not():
            inner = _without(condition.condition, (*address, 0), gone)
            return None if inner is None else Not(inner)
        case _:
            kept = [
                _without(part, (*address, n), gone)
                for n, part in enumerate(condition.conditions)
                if (*address, n) not in gone
            ]
            parts = [part for part in kept if part is not None]
            if len(parts) < len(kept) or (condition.conditions and not parts):
                return None
            return AllOf(*parts) if isinstance(condition, AllOf) else AnyOf(*parts)
