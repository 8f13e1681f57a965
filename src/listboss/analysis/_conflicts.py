"""Conflicts: two rules of which one event asks for actions that contradict each other.

Pairs are found by target: only rules that add to a tag or a place are compared with those that
remove from it, and rules that move contacts with each other. The engine decides which of the two
wins, in its plan of the witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from typing import NamedTuple, TypeAlias

import attrs

from listboss.analysis._draft import Draft, Observe, Sighting, draft, named
from listboss.analysis._group import Group, Member, overlap
from listboss.analysis._meeting import Meeting, numbers_in
from listboss.engine.planning.compiled import ADDS, MOVES, REMOVES, CompiledAction
from listboss.engine.planning.conflict import contradict, resolve
from listboss.plan import Conflict, ConflictRule
from listboss.rules._boxes import Box, Budget, Space, TooComplexError, are_disjoint
from listboss.rules._text import quoted
from listboss.rules._wording import describe_action
from listboss.rules.action import action_key
from listboss.rules.event import Event
from listboss.rules.finding import AnalysisCode

__all__ = ["MAX_PAIRS", "conflicts"]

MAX_PAIRS = 100
"""A target with more conflicting pairs of rules is reported once."""
MAX_SHOWN = 10
"""This many pairs of such a target are shown."""
MAX_COMPARED = 2_000_000
"""At most this many pairs of rules are compared for one target."""
MAX_BOXES_COMPARED = 10_000_000
"""At most this many pairs of boxes are compared for one target."""
MAX_WITNESSES = 1_000
"""The smallest event is chosen from at most this many."""
MAX_WITNESS_STEPS = 100_000
"""After this many pairs of boxes, no more events are looked for."""

_Target: TypeAlias = tuple[str, ...]


class _Pair(NamedTuple):
    """Two rules in declared order."""

    one: Member
    other: Member


@attrs.define
class _Contested:
    """A target, and the pairs of rules that contradict each other over it.

    `pairs` has for the number of a rule the mask of later rules. `is_complete` is false if a limit
    was reached before all pairs were compared.
    """

    pairs: dict[int, int] = attrs.field(factory=dict[int, int])
    compared: int = 0
    is_complete: bool = True
    budget: Budget = attrs.field(factory=lambda: Budget(steps=MAX_BOXES_COMPARED))

    def compare(self, ones: int, others: int, contest: _Contest) -> None:
        """Add the pairs of two sets of rules that one event can run, within the limits."""
        try:
            self._compare(ones, others, contest)
        except TooComplexError:
            self.is_complete = False

    def _compare(self, ones: int, others: int, contest: _Contest) -> None:
        for n in numbers_in(ones):
            one = contest.members[n]
            for m in numbers_in(others & contest.meeting.of(n) & ~(1 << n)):
                if self.compared == MAX_COMPARED:
                    self.is_complete = False
                    return
                self.compared += 1
                if overlap(one, contest.members[m], contest.space, self.budget):
                    first, second = min(n, m), max(n, m)
                    self.pairs[first] = self.pairs.get(first, 0) | 1 << second

    @property
    def count(self) -> int:
        """The number of pairs."""
        return sum(mask.bit_count() for mask in self.pairs.values())

    def listed(self, members: Sequence[Member]) -> Iterator[_Pair]:
        """Yield the pairs, in declared order."""
        for n in sorted(self.pairs):
            for m in numbers_in(self.pairs[n]):
                yield _Pair(members[n], members[m])


class _Contest(NamedTuple):
    """The rules of a group, and what says which of them may meet."""

    members: Sequence[Member]
    meeting: Meeting
    space: Space


def conflicts(
    group: Group, meeting: Meeting, observe: Observe, count: Callable[[int], None]
) -> Iterator[Draft]:
    """Yield a finding for each pair of rules, or one for each target with very many pairs."""
    members = group.compared
    few = _Contested()
    contest = _Contest(members, meeting, group.space)
    for target, contested in {**_removals(contest), **_moves(contest)}.items():
        count(contested.compared)
        if not contested.is_complete:
            yield draft(
                AnalysisCode.TOO_COMPLEX,
                f"too many pairs of rules, or of their cases, could conflict over {_text(target)}: "
                f"{contested.compared:,} pairs of rules were compared, and the others were not",
                "use fewer rules for it, or rules with fewer alternatives",
                product_id=group.product.id,
            )
        if contested.count > MAX_PAIRS:
            yield _many(target, contested, group, observe)
        else:
            for n, mask in contested.pairs.items():
                few.pairs[n] = few.pairs.get(n, 0) | mask
    for pair in few.listed(members):
        yield _one(pair, group, observe)


def _removals(contest: _Contest) -> dict[_Target, _Contested]:
    """Find the pairs of each tag and place that some rules add to, and others remove from."""
    adding: dict[_Target, int] = {}
    removing: dict[_Target, int] = {}
    for n, member in enumerate(contest.members):
        for action in member.actions:
            if action.role & ADDS:
                adding[action.target] = adding.get(action.target, 0) | 1 << n
            if action.role & REMOVES:
                removing[action.target] = removing.get(action.target, 0) | 1 << n
    found = {target: _Contested() for target in sorted(adding.keys() & removing.keys())}
    for target, contested in found.items():
        contested.compare(adding[target], removing[target], contest)
    return found


def _moves(contest: _Contest) -> dict[_Target, _Contested]:
    """Find the pairs over the places of contacts, for each account."""
    moving: dict[str, dict[str, tuple[CompiledAction, int]]] = {}
    for n, member in enumerate(contest.members):
        for action in member.actions:
            if action.role & MOVES:
                movers = moving.setdefault(action.provider, {})
                movers[action.order] = (action, movers.get(action.order, (action, 0))[1] | 1 << n)
    found: dict[_Target, _Contested] = {}
    for provider in sorted(moving):
        contested = found[provider, "moves"] = _Contested()
        for action, rules in moving[provider].values():
            others = 0
            for another, mask in moving[provider].values():
                if action.order < another.order and contradict(action, another):
                    others |= mask
            contested.compare(rules, others, contest)
    return found


def _text(target: _Target) -> str:
    provider, kind, *parts = target
    if kind == "moves":
        return f"the place of a contact at {quoted(provider)}"
    values = parts if kind == "tag" else parts[1::2]
    return f"the {kind} {quoted(', '.join(values))} at {quoted(provider)}"


# Findings


def _witness(pair: _Pair, group: Group) -> Event:
    """Return a small event on which both rules hold."""
    found = islice(_common_boxes(pair, group.space), MAX_WITNESSES)
    return group.witness(pair.one.plans & pair.other.plans, group.space.member(found))


def _common_boxes(pair: _Pair, space: Space) -> Iterator[Box]:
    """Yield boxes where both rules hold: all of them if that is not too much work, else some."""
    has_found = False
    for n, (one, other) in enumerate(product(pair.one.where(), pair.other.where())):
        if has_found and n >= MAX_WITNESS_STEPS:
            return
        both = None if are_disjoint(one, other) else space.intersection(one, other)
        if both is not None:
            has_found = True
            yield both


def _keys(member: Member) -> set[tuple[str, ...]]:
    return {action_key(action) for action in member.rule.actions}


def _decided(pair: _Pair, sighting: Sighting) -> tuple[Conflict, Member, Member]:
    """Return a conflict of the two rules, with its loser and its winner.

    It is one of the plan of the witness, if another rule does not decide that one.
    """
    one, other = pair
    options = [
        (conflict, loser, winner)
        for conflict in (*sighting.plan.conflicts, *resolve([*one.actions, *other.actions])[1])
        for loser, winner in ((other, one), (one, other))
        if conflict.provider == loser.rule.provider and action_key(conflict.dropped) in _keys(loser)
    ]
    between = (each for each in options if action_key(each[0].kept) in _keys(each[2]))
    return next(between, options[0])


def _shows(pair: _Pair, sighting: Sighting) -> bool:
    keys = _keys(pair.one) | _keys(pair.other)
    dropped = {action_key(conflict.dropped) for conflict in sighting.plan.conflicts}
    return {pair.one.id, pair.other.id} <= sighting.matched and not keys.isdisjoint(dropped)


def _one(pair: _Pair, group: Group, observe: Observe) -> Draft:
    sighting = observe(_witness(pair, group))
    conflict, loser, winner = _decided(pair, sighting)
    kept, dropped = describe_action(conflict.kept), describe_action(conflict.dropped)
    why = "the removal wins" if conflict.rule is ConflictRule.REMOVE_WINS else "the first one wins"
    return draft(
        AnalysisCode.CONFLICT,
        f"one event can run {quoted(winner.rule.name)} ({kept}) and {quoted(loser.rule.name)} "
        f"({dropped}): {why}",
        "let their conditions exclude each other",
        rule=pair.one.rule,
        path="$.actions",
        others=(pair.other.id,),
        event=sighting.event,
        shows=lambda seen: _shows(pair, seen),
    )


def _many(target: _Target, contested: _Contested, group: Group, observe: Observe) -> Draft:
    shown = list(islice(contested.listed(group.compared), MAX_SHOWN))
    names = "; ".join(named([one.rule.name, other.rule.name]) for one, other in shown)
    ids = dict.fromkeys(member.id for pair in shown for member in pair)
    first = shown[0]
    return draft(
        AnalysisCode.CONFLICT,
        f"{contested.count:,} pairs of rules contradict each other over {_text(target)}, "
        f"such as {names}",
        "let their conditions exclude each other, or use another tag or place",
        rule=first.one.rule,
        path="$.actions",
        others=[each for each in ids if each != first.one.id],
        event=observe(_witness(first, group)).event,
        shows=lambda sighting: _shows(first, sighting),
    )
