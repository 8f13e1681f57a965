"""What the shape of a condition hides: groups without conditions, and amounts without a currency.

An empty `all` always holds and an empty `any` never does. That is what logic says, and hardly
ever what the author of a rule meant. An amount is only comparable in its currency: 300 yen are
not 300 dollars. The review reports both. Parts of a condition that no event can reach are found
elsewhere (`_satisfiable`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

from listboss.rules._text import quoted
from listboss.rules.catalogue import Catalogue, FactKind, FactType
from listboss.rules.condition import NO_VALUE, AllOf, AnyOf, Comparison, Condition, Not
from listboss.rules.finding import FindingCode

if TYPE_CHECKING:
    from listboss.rules.segmentation import Segmentation

__all__ = ["bare_amounts", "empty_groups", "has_empty_group"]

_Fault: TypeAlias = tuple[FindingCode, str, str, str]  # code, message, path, hint


class _Group(NamedTuple):
    """An empty group, with the `not` around it taken into account."""

    path: str
    name: str
    holds: bool
    effect: str


def empty_groups(condition: Condition | None, path: str) -> Iterator[_Fault]:
    """Yield a fault for each empty group: an error if the rule never runs because of it.

    >>> from listboss import where
    >>> [message for _, message, _, _ in empty_groups((where.a == 1) & AnyOf(), "$")]
    ['the empty `any` never holds, so the rule never runs']
    """
    if condition is None or not has_empty_group(condition):
        return
    groups: list[_Group] = []
    whole = _constant(condition, path, groups)
    for group in groups:
        code, effect = FindingCode.GROUP_EMPTY, group.effect
        if whole is group.holds is True:
            effect = "so the rule runs for every contact"
        elif whole is group.holds is False:
            code, effect = FindingCode.NEVER_HOLDS, "so the rule never runs"
        message = f"{group.name} {'always' if group.holds else 'never'} holds, {effect}"
        yield code, message, group.path, "add a condition to the group, or remove the group"


def has_empty_group(condition: Condition) -> bool:
    """Whether there is one: quick, since few conditions have any."""
    if isinstance(condition, Comparison):
        return False
    if isinstance(condition, Not):
        return has_empty_group(condition.condition)
    parts = condition.conditions
    return not parts or any(
        has_empty_group(part) for part in parts if not isinstance(part, Comparison)
    )


def _constant(
    condition: Condition,
    path: str,
    groups: list[_Group],
    *,
    negated: bool = False,
    parent_needs_all: bool | None = None,
) -> bool | None:
    """Return the truth value that a condition always has, or None, and collect its empty groups.

    A group needs all of its parts if it is an `all`, or an `any` below a `not`.
    """
    match condition:
        case Comparison():
            return None
        case Not(part):
            return _constant(
                part, f"{path}.not", groups, negated=not negated, parent_needs_all=parent_needs_all
            )
        case AllOf(parts) | AnyOf(parts):
            word = "all" if isinstance(condition, AllOf) else "any"
            needs_all = (word == "all") is not negated
        case _:
            assert_never(condition)
    if not parts:
        name = f"the empty `{word}`{' below `not`' if negated else ''}"
        around = f"{'and so' if needs_all else 'nor'} does the group around it"
        effect = "so it has no effect" if needs_all is parent_needs_all else around
        groups.append(_Group(path, name, needs_all, effect))
        return needs_all
    values = {
        None
        if isinstance(part, Comparison)
        else _constant(
            part, f"{path}.{word}[{n}]", groups, negated=negated, parent_needs_all=needs_all
        )
        for n, part in enumerate(parts)
    }
    if (not needs_all) in values:
        return not needs_all
    return None if None in values else needs_all


def bare_amounts(rule: Segmentation, catalogue: Catalogue) -> Iterator[_Fault]:
    """Yield a fault for each comparison of an amount beside which no currency is compared."""
    if rule.condition is None:
        return
    for path, fact in _bare(rule.condition, catalogue, "$.condition", negated=False):
        if not catalogue.carries(rule.event, fact.name):
            continue  # an error already
        message = f"{quoted(fact.name)} is compared without a currency, so any currency matches"
        yield FindingCode.CURRENCY_MISSING, message, path, _currency_hint(rule.event, catalogue)


def _currency_hint(event: str, catalogue: Catalogue) -> str:
    for fact in catalogue.facts_of(event):
        if fact.kind is FactKind.CURRENCY:
            return f"compare {quoted(fact.name)} too, in the same `all`"
    return f"{quoted(event)} does not carry a currency: check that you sell in only one"


def _bare(
    condition: Condition, catalogue: Catalogue, path: str, *, negated: bool
) -> Iterator[tuple[str, FactType]]:
    match condition:
        case Comparison(name, operator):
            fact = catalogue.fact(name)
            if fact is not None and fact.is_amount and operator not in NO_VALUE:
                yield path, fact
        case Not(part):
            yield from _bare(part, catalogue, f"{path}.not", negated=not negated)
        case AllOf(parts) | AnyOf(parts):
            word = "all" if isinstance(condition, AllOf) else "any"
            needs_all = (word == "all") is not negated
            compared = [needs_all and _has_currency(p, catalogue, negated=negated) for p in parts]
            for n, part in enumerate(parts):
                if sum(compared) == compared[n]:  # no other part compares it
                    yield from _bare(part, catalogue, f"{path}.{word}[{n}]", negated=negated)
        case _:
            assert_never(condition)


def _has_currency(condition: Condition, catalogue: Catalogue, *, negated: bool) -> bool:
    """Whether a currency is compared in every way in which the condition can hold."""
    match condition:
        case Comparison(name, operator):
            fact = catalogue.fact(name)
            return fact is not None and fact.kind is FactKind.CURRENCY and operator not in NO_VALUE
        case Not(part):
            return _has_currency(part, catalogue, negated=not negated)
        case AllOf(parts) | AnyOf(parts):
            found = [_has_currency(part, catalogue, negated=negated) for part in parts]
            return any(found) if isinstance(condition, AllOf) is not negated else all(found)
        case _:
            assert_never(condition)
