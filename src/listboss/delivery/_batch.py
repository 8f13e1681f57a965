"""Which attempts go out in one call, and which have to wait for one before them.

A batch has one account, and each contact once: the order within a call is the provider's. Tests
and other actions are kept apart. Behind an action that has to wait, its lane waits, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

from listboss.delivery._outcome import as_outcome
from listboss.delivery.life import Attempt, Result, Status
from listboss.provider import BatchProvider, Call, Outcome, Unknown
from listboss.rules._address import contact_key

__all__ = [
    "ACCOUNT_WAITS",
    "Lane",
    "as_outcomes",
    "call_of",
    "groups_of",
    "held_by",
    "lane_of",
    "largest",
]

ACCOUNT_WAITS = "the account has to wait"
Lane: TypeAlias = tuple[str, str]
"""An account, and the key of a contact."""


def lane_of(attempt: Attempt) -> Lane:
    """Return the lane of an attempt."""
    return attempt.planned.provider, contact_key(attempt.planned.email)


def held_by(results: Iterable[Result]) -> dict[str | Lane, str]:
    """Return the accounts and lanes to which nothing more is sent after these results, and why."""
    held: dict[str | Lane, str] = {}
    for result in results:
        if result.pause_until is not None:
            held[result.attempt.planned.provider] = ACCOUNT_WAITS
        if result.status is Status.WAITING:
            held[lane_of(result.attempt)] = "an action before it has to wait"
    return held


def largest(provider: object) -> int:
    """Return how many actions a provider takes in one call."""
    capabilities = getattr(provider, "capabilities", None)
    return capabilities.batch if isinstance(provider, BatchProvider) and capabilities else 1


def groups_of(attempts: Iterable[Attempt], providers: Mapping[str, object]) -> list[list[Attempt]]:
    """Return the attempts of each call, in the order of the first one of each."""
    groups: list[list[Attempt]] = []
    sizes: dict[str, int] = {}
    filling: dict[str, list[tuple[list[Attempt], set[str]]]] = {}
    for attempt in attempts:
        name = attempt.planned.provider
        most = sizes.get(name)
        if most is None:
            most = sizes[name] = largest(providers.get(name))
        if most == 1:
            groups.append([attempt])
            continue
        contact = contact_key(attempt.planned.email)
        open_groups = filling.setdefault(name, [])
        # The last batch that has the contact comes before the one that takes its next action.
        after = max((n for n, (_, has) in enumerate(open_groups) if contact in has), default=-1)
        free = (
            each
            for each in open_groups[after + 1 :]
            if len(each[0]) < most and each[0][0].call.is_test is attempt.call.is_test
        )
        group = next(free, None)
        if group is None:
            group = (list[Attempt](), set[str]())
            open_groups.append(group)
            groups.append(group[0])
        group[0].append(attempt)
        group[1].add(contact)
    return groups


def call_of(group: Sequence[Attempt]) -> Call:
    """Return how a batch is carried out: as its most repeated and most urgent action."""
    deadlines = [each.call.deadline for each in group if each.call.deadline is not None]
    return Call(
        attempt=max(each.call.attempt for each in group),
        deadline=min(deadlines, default=None),
        is_test=group[0].call.is_test,
    )


def as_outcomes(answer: object, count: int) -> list[Outcome]:
    """Return the answer as that many outcomes; if it is anything else, nothing is known."""
    if isinstance(answer, Sequence):
        answers = cast("Sequence[object]", answer)
        if len(answers) == count:
            return [as_outcome(each) for each in answers]
    return [Unknown("no outcome for each action")] * count
