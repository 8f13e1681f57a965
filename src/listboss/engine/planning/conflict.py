"""When actions of one plan contradict each other, and which one is dropped: one table.

| an action | loses to | because |
|---|---|---|
| adds a tag | one that removes the tag | an added tag sends mail: not adding is the safe side |
| adds or moves to a place | one that removes from the place | the same |
| moves from a source | an earlier move from the same source | first declared wins |
| moves | an earlier move out of its target, or into its source | first declared wins |
| moves out of a place / adds to it | the other of the two, if declared earlier | the same |
| adds to a place | an earlier add to another, where a contact is at one place | the same |

An action loses to what contradicts it whether or not that one is dropped itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from listboss.engine.planning.compiled import ADDS, ALONE, MOVES, REMOVES, Step
from listboss.plan import Conflict, ConflictRule
from listboss.rules._text import fold
from listboss.rules.action import Action, AddLead, MoveLead, Place, place_key

__all__ = ["may_conflict", "resolve", "spelled"]

Groups = Mapping[str, Sequence[Step]]


def spelled(steps: Sequence[Step]) -> Action:
    """Choose the spelling of equal actions that is sent, whatever the order of the rules."""
    return steps[0].action if len(steps) == 1 else min((s.action for s in steps), key=repr)


def may_conflict(steps: Iterable[Step]) -> bool:
    """Whether two of the steps might contradict each other: rarely so."""
    roles: dict[tuple[str, ...], int] = {}
    for step in steps:
        if step.role & MOVES:
            return True
        if step.role:
            subject = step.subject
            roles[subject] = roles.get(subject, 0) | step.role
    return any(role == ADDS | REMOVES for role in roles.values())


def _same(one: Place | None, other: Place | None) -> bool:
    return place_key(one) == place_key(other)


def _moves_clash(one: MoveLead, other: MoveLead) -> bool:
    overlap = one.source is None or other.source is None or _same(one.source, other.source)
    return overlap or _same(one.to, other.source) or _same(other.to, one.source)


def _add_and_move_clash(add: AddLead, move: MoveLead) -> bool:
    if move.source is None:
        return not _same(add.place, move.to)
    return _same(add.place, move.source)


def _clash(one: Step, other: Step) -> bool:
    if one.provider != other.provider:
        return False
    match one.action, other.action:
        case MoveLead() as a, MoveLead() as b:
            return _moves_clash(a, b)
        case (AddLead() as add, MoveLead() as move) | (MoveLead() as move, AddLead() as add):
            return _add_and_move_clash(add, move)
        case _:
            return bool(one.role & ALONE)


def _target(action: Action) -> str:
    match action:
        case AddLead(place=Place() as place) | MoveLead(to=place):
            return ", ".join(f"{name}={fold(value)}" for name, value in place.parts.items())
        case _:
            return fold(getattr(action, "tag", ""))


def resolve(groups: Groups) -> tuple[set[str], tuple[Conflict, ...]]:
    """Find what is dropped: the orders of the dropped actions, and the conflicts to report.

    `groups` maps the order of each distinct action to its steps, in the order declared. An
    action that loses to a dropped one stays dropped: so to take a rule away never takes away
    what only other rules ask for.
    """
    firsts = {order: steps[0] for order, steps in groups.items()}
    removers = {step.subject: order for order, step in firsts.items() if step.role & REMOVES}
    beaten: dict[str, str] = {
        order: removers[step.subject]
        for order, step in firsts.items()
        if step.role & ADDS and step.subject in removers
    }
    losses = _losses([(order, step) for order, step in firsts.items() if step.role & MOVES])
    dropped = beaten.keys() | losses.keys()
    conflicts: list[Conflict] = []
    for order in sorted(dropped):
        if order in beaten:
            winner, rule = beaten[order], ConflictRule.REMOVE_WINS
        else:
            winner = _first(losses[order], lambda other: other not in dropped)
            rule = ConflictRule.FIRST_WINS
        action = spelled(groups[order])
        conflicts.append(
            Conflict(
                firsts[order].provider,
                _target(action),
                spelled(groups[winner]),
                action,
                rule,
            )
        )
    return set(dropped), tuple(conflicts)


def _losses(movers: list[tuple[str, Step]]) -> dict[str, list[str]]:
    """For each adding or moving step, the earlier declared ones that it clashes with."""
    losses: dict[str, list[str]] = {}
    for n, (order, step) in enumerate(movers):
        earlier = [other for other, winner in movers[:n] if _clash(winner, step)]
        if earlier:
            losses[order] = earlier
    return losses


def _first(orders: list[str], good: Callable[[str], bool]) -> str:
    return next((order for order in orders if good(order)), orders[0])
