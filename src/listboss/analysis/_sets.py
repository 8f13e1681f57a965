"""Findings about what is missing between rules: tags that are never taken off or never put on,
subscription plans without a rule, and values of a choice for which no rule of a family runs.

A rule that is flagged counts as if it ran: what is missing because of its errors is not reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from listboss.analysis._draft import Draft, draft, named
from listboss.analysis._group import Group, Member
from listboss.rules._boxes import Dimension
from listboss.rules._facts import READERS
from listboss.rules._text import did_you_mean, fold, quoted
from listboss.rules.action import AddTag, RemoveTag, action_kind
from listboss.rules.catalogue import LISTED_KINDS
from listboss.rules.finding import AnalysisCode
from listboss.rules.segmentation import Segmentation

__all__ = ["gaps", "plans", "tags"]

_Tagging = dict[tuple[str, str], tuple[str, Group, Member]]
"""By account and folded tag: the tag as it is written, and the first rule with it."""


def tags(groups: Iterable[Group], flagged: Iterable[Segmentation]) -> Iterator[Draft]:
    """Yield the tags of an account that rules only put on, and those that they only take off."""
    of_flagged = {
        (isinstance(action, AddTag), rule.provider, fold(action.tag))
        for rule in flagged
        for action in rule.actions
        if isinstance(action, (AddTag, RemoveTag))
    }
    added: _Tagging = {}
    removed: _Tagging = {}
    for group in groups:
        for member in group.members:
            if member.boxes == ():
                continue
            for action in member.rule.actions:
                if isinstance(action, (AddTag, RemoveTag)):
                    found = added if isinstance(action, AddTag) else removed
                    key = (member.rule.provider, fold(action.tag))
                    found.setdefault(key, (action.tag, group, member))
    for key, (tag, group, member) in added.items():
        if key not in removed and (False, *key) not in of_flagged:
            yield _tag(
                AnalysisCode.NEVER_REMOVED,
                f"no rule removes the tag {quoted(tag)} from contacts at {quoted(key[0])}",
                "add a rule that removes it, unless contacts keep it forever",
                group,
                member,
            )
    for key, (tag, group, member) in removed.items():
        if key not in added and (True, *key) not in of_flagged:
            known = [other for (account, _), (other, _, _) in added.items() if account == key[0]]
            yield _tag(
                AnalysisCode.ONLY_REMOVED,
                f"no rule adds the tag {quoted(tag)} to contacts at {quoted(key[0])}, "
                "and this one removes it",
                did_you_mean(tag, known) or "add a rule that adds it, unless another system does",
                group,
                member,
            )


def _tag(code: AnalysisCode, message: str, hint: str, group: Group, member: Member) -> Draft:
    return draft(
        code,
        message,
        hint,
        rule=member.rule,
        path="$.actions",
        event=None if member.boxes is None else group.witness_of(member),
        shows=lambda sighting: member.id in sighting.matched,
    )


def plans(group: Group) -> Iterator[Draft]:
    """Yield the subscription plans that have no rule for an event for which others have one."""
    covered = 0
    for member in group.members:
        covered |= 0 if member.boxes == () else member.plans
    if not group.by_plan or not covered:
        return
    of_flagged = {plan_id for rule in group.flagged for plan_id in rule.plan_ids}
    for n, plan in enumerate(group.product.plans):
        if covered >> n & 1 or not of_flagged.isdisjoint(plan.ids):
            continue
        yield draft(
            AnalysisCode.NO_RULE_FOR_PLAN,
            f"no rule for {quoted(group.event)} is for the plan {quoted(plan.name)}; "
            "other plans have one",
            f"add a rule for it, or add {quoted(plan.id)} to `plan_ids` of a rule",
            product_id=group.product.id,
            path=f"$.plans[{n}]",
            event=group.witness(1 << n, None),
            shows=lambda sighting: not sighting.matched,
        )


def gaps(group: Group) -> Iterator[Draft]:
    """Yield the choices whose values are divided among rules that leave some values out.

    A family of rules asks one account for the same kinds of action, under the same conditions but
    for the values of one choice, and no two of its rules have a value in common.
    """
    families: dict[tuple[object, ...], list[Member]] = {}
    for member in group.compared if not group.flagged else ():
        if len(member.where()) != 1:
            continue
        (box,) = member.where()
        kinds = tuple(action_kind(action) for action in member.rule.actions)
        for name, mask in box.items():
            if not isinstance(name, str) or mask & ~group.space.facts[name].known:
                continue
            fact = group.space.facts[name].fact
            if fact.kind in LISTED_KINDS and fact.values:
                rest = frozenset(item for item in box.items() if item[0] != name)
                key = (name, member.rule.provider, member.plans, kinds, rest)
                families.setdefault(key, []).append(member)
    for (fact_name, *_), members in families.items():
        if len(members) > 1:
            yield from _gap(str(fact_name), members, group)


def _gap(name: str, members: list[Member], group: Group) -> Iterator[Draft]:
    cells = group.space.facts[name]
    covered = 0
    for member in members:
        mask = member.where()[0][name]
        if covered & mask:
            return  # two of them run on one value: they do not divide the values among them
        covered |= mask
    read, cell_of = READERS[cells.fact.kind], cells.partition.cell_of
    left = [word for word in cells.fact.values if not covered >> cell_of(read(word)) & 1]
    if not left:
        return
    first, *others = members
    box: dict[Dimension, int] = {**first.where()[0], name: 1 << cell_of(read(left[0]))}
    ids = {member.id for member in members}
    yield draft(
        AnalysisCode.GAP,
        f"none of {named([member.rule.name for member in members])} runs if {quoted(name)} is "
        f"{named(left)}",
        "add a rule for these values, unless nothing is to happen then",
        rule=first.rule,
        path="$.condition",
        others=[member.id for member in others],
        event=group.witness(first.plans, group.space.member([box])),
        shows=lambda sighting: ids.isdisjoint(sighting.matched),
    )
