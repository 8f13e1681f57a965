"""Rules whose actions are always asked for by others: duplicates, shadowed rules, and rules that
do what automatic capture does already.

Rules are looked at from the last to the first, and one that is reported no longer covers others:
so all rules that are reported can be removed, and every plan has the same actions as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from listboss.analysis._alone import too_complex
from listboss.analysis._draft import Draft, Sighting, draft, named
from listboss.analysis._group import Group, Member, overlap
from listboss.analysis._meeting import Meeting, numbers_in
from listboss.engine.planning.capture import Capture
from listboss.engine.planning.compiled import CompiledAction
from listboss.rules._boxes import Box, Budget, Space, TooComplexError
from listboss.rules._text import quoted
from listboss.rules.finding import AnalysisCode

__all__ = ["coverage"]

COVER_BOXES = 512
"""To decide whether rules cover another one, 16 times this many boxes are compared at most."""
MAX_BOXES_COMPARED = 250_000
"""At most this many pairs of boxes are compared to find the rules that may cover another one."""


def coverage(group: Group, meeting: Meeting, capture: Capture | None) -> Iterator[Draft]:
    """Yield the rules of a group that add nothing to the others, the last first."""
    automatic: dict[str, CompiledAction] = {}
    if capture is not None:
        always, _ = capture.actions(group.product.id, group.event)
        automatic = {action.order: action for action in always}
    members = group.compared
    search = _Search(members, group, meeting, automatic)
    for n in reversed(range(len(members))):
        try:
            found = search.look_at(n)
        except TooComplexError:
            found = too_complex(members[n], "too many rules ask for the same actions")
        if found is not None:
            search.reported |= 1 << n
            yield found


class _Search:
    """The rules of a group by the actions that they ask for, and those reported until now."""

    def __init__(
        self,
        members: Sequence[Member],
        group: Group,
        meeting: Meeting,
        automatic: Mapping[str, CompiledAction],
    ) -> None:
        self._members = members
        self._group = group
        self._meeting = meeting
        self._automatic = automatic
        self.reported = 0
        self._asking: dict[str, int] = {}  # by the order of an action: a mask of rules
        for n, member in enumerate(members):
            for action in member.actions:
                self._asking[action.order] = self._asking.get(action.order, 0) | 1 << n

    def look_at(self, number: int) -> Draft | None:
        """Return a finding if others ask for all that a rule does."""
        member, group = self._members[number], self._group
        own = [
            action
            for action in member.actions
            if not _sends(self._automatic.get(action.order), action)
        ]
        if not own:
            return _automatic(member, group)
        asking = [self._asking[action.order] & ~self.reported & ~(1 << number) for action in own]
        if not all(asking):
            return None
        meeting = self._meeting.of(number)
        covering: dict[str, Member] = {}
        for action, mask in zip(own, asking, strict=True):
            candidates = [self._members[n] for n in numbers_in(mask & meeting)]
            used = _cover(member, [e for e in candidates if _asks(e, action)], group.space)
            if used is None:
                return None
            covering |= {each.id: each for each in used}
        for n in numbers_in(asking[0] & meeting):
            if _equal(member, self._members[n], group):
                return _duplicate(member, self._members[n], group)
        others = [each for each in group.members if each.id in covering]
        return _shadowed(member, others, group, with_capture=len(own) < len(member.actions))


def _sends(other: CompiledAction | None, action: CompiledAction) -> bool:
    """Whether an equal action sends at least the same data."""
    return other is not None and set(action.send) <= set(other.send)


def _asks(other: Member, action: CompiledAction) -> bool:
    return any(each.order == action.order and _sends(each, action) for each in other.actions)


def _cover(member: Member, candidates: Sequence[Member], space: Space) -> list[Member] | None:
    """Return rules of which at least one holds wherever the member does; None if there are none.

    One rule is preferred to several.
    """
    boxes, plans = member.where(), member.plans
    budget = Budget(steps=MAX_BOXES_COMPARED)
    for each in candidates:
        if not plans & ~each.plans and _is_covered(boxes, each.where(), space, budget):
            return [each]
    meeting = [each for each in candidates if overlap(member, each, space, budget)]
    left = plans
    while left:
        plan = left & -left
        left ^= plan
        others = [box for each in meeting if each.plans & plan for box in each.where()]
        if space.uncovered(boxes, others, Budget(COVER_BOXES)) is not None:
            return None
    return meeting


def _is_covered(boxes: Sequence[Box], others: Sequence[Box], space: Space, budget: Budget) -> bool:
    """Whether each box is inside one of the others."""
    for box in boxes:
        budget.spend(0, len(others))
        if not any(space.is_inside(box, other) for other in others):
            return False
    return True


def _automatic(member: Member, group: Group) -> Draft:
    def shows(sighting: Sighting) -> bool:
        reasons = {action.because for action in sighting.plan.actions if action.automatic}
        return any(member.id in because for because in reasons)

    return draft(
        AnalysisCode.LOSES_TO_AUTOMATIC,
        "automatic capture does everything that this rule does, on every event where it runs",
        "remove the rule, or give the lead a place",
        rule=member.rule,
        path="$.actions",
        event=group.witness_of(member),
        shows=shows,
    )


def _duplicate(member: Member, twin: Member, group: Group) -> Draft:
    return draft(
        AnalysisCode.DUPLICATE,
        f"the rule does the same as {quoted(twin.rule.name)}, on the same events",
        "remove one of them",
        rule=member.rule,
        others=(twin.id,),
        event=group.witness_of(member),
        shows=lambda sighting: {member.id, twin.id} <= sighting.matched,
    )


def _shadowed(member: Member, others: list[Member], group: Group, *, with_capture: bool) -> Draft:
    ids = {each.id for each in others}
    names = named([each.rule.name for each in others])
    if with_capture:
        names = f"automatic capture and {names}"
    return draft(
        AnalysisCode.SHADOWED,
        f"wherever the rule runs, all that it does is already asked for by {names}",
        "remove the rule, or change its condition or its actions",
        rule=member.rule,
        others=[each.id for each in others],
        event=group.witness_of(member),
        shows=lambda seen: member.id in seen.matched and not ids.isdisjoint(seen.matched),
    )


def _equal(one: Member, other: Member, group: Group) -> bool:
    """Whether two rules ask for the same, with the same data, on the same events."""
    return (
        one.plans == other.plans
        and one.asked == other.asked
        and all(
            group.space.uncovered(a.where(), b.where(), Budget(COVER_BOXES)) is None
            for a, b in ((one, other), (other, one))
        )
    )
