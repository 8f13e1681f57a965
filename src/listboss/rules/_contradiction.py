"""Which actions of one segmentation never run, because another of its actions contradicts them.

Between segmentations this is a conflict, which the plan resolves. Within one, it is a mistake:
the actions always come together, so the one that loses never runs. The rows are those of the
conflict table (`engine.planning.conflict`), and two that need only one segmentation: a move to
its own source, and a move that is skipped because the lead was removed from its source.

INVARIANT: an action loses to another by the conflict table exactly if it is found here
(`tests/rules/test_contradiction.py`). The time is linear in the number of actions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from listboss.rules._text import fold
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    RemoveLead,
    RemoveTag,
    action_key,
    place_key,
)
from listboss.rules.finding import FindingCode

__all__ = ["contradictions", "losers"]

_Key = tuple[str, ...]


def contradictions(
    actions: Sequence[Action], *, one_place: bool
) -> Iterator[tuple[FindingCode, str, str, str]]:
    """Yield a fault for each action that never runs: its code, message, path and hint."""
    for n, winner in losers(actions, one_place=one_place):
        if n == winner:
            message = f"{actions[n]}: the contact is there already"
            hint = "move the contact to another place"
        else:
            message = f"{actions[n]} never runs beside {actions[winner]}"
            hint = "remove one of the two, or move it to a segmentation on another event"
        yield FindingCode.ACTIONS_CONTRADICT, message, f"$.actions[{n}]", hint


def losers(actions: Sequence[Action], *, one_place: bool) -> Iterator[tuple[int, int]]:
    """Yield the position of each action that never runs, and of one that keeps it from running.

    With `one_place`, a contact is at one place at a time, so only the first place is kept.

    >>> list(losers([AddTag("a"), RemoveTag("A"), AddTag("b")], one_place=False))
    [(0, 1)]
    """
    if len(actions) == 1 and not isinstance(actions[0], MoveLead):
        return
    tags = {fold(a.tag): n for n, a in enumerate(actions) if isinstance(a, RemoveTag)}
    places = {place_key(a.place): n for n, a in enumerate(actions) if isinstance(a, RemoveLead)}
    movers = _Movers(one_place=one_place)
    seen: set[_Key] = set()
    for n, action in enumerate(actions):
        key = action_key(action)
        if key in seen:  # equal actions are one action
            continue
        seen.add(key)
        winner: int | None = None
        match action:
            case AddTag(tag):
                winner = tags.get(fold(tag))
            case AddLead(Place() as place):
                removed = places.get(place_key(place))
                earlier = movers.beating_add(place_key(place), n)
                winner = earlier if removed is None else removed
            case MoveLead():
                removed = _removed(action, places, n)
                earlier = movers.beating_move(action, n)
                winner = earlier if removed is None else removed
            case _:
                pass
        if winner is not None:
            yield n, winner


def _removed(move: MoveLead, places: dict[_Key, int], n: int) -> int | None:
    """Return the removal, or the move itself, that leaves a move nothing to do."""
    to, source = place_key(move.to), place_key(move.source)
    if move.source is not None and to == source:
        return n
    if move.source is not None and move.if_absent == "skip" and source in places:
        return places[source]
    return places.get(to)


class _Movers:
    """The additions and moves so far: where each goes to and comes from."""

    def __init__(self, *, one_place: bool) -> None:
        self._one_place = one_place
        self._adds: dict[_Key, int] = {}
        self._moves: list[int] = []
        self._targets: dict[_Key, int] = {}
        self._sources: dict[_Key, int] = {}
        self._sourceless: dict[_Key, int] = {}  # by target

    def beating_add(self, place: _Key, n: int) -> int | None:
        """Return an earlier action that an addition loses to, and keep the addition."""
        winners = [_other(self._sourceless, place), self._sources.get(place)]
        if self._one_place:
            winners.append(_other(self._adds, place))
        self._adds.setdefault(place, n)
        return _first(winners)

    def beating_move(self, move: MoveLead, n: int) -> int | None:
        """Return an earlier action that a move loses to, and keep the move."""
        to, source = place_key(move.to), place_key(move.source)
        if move.source is None:
            winners = [*self._moves[:1], _other(self._adds, to)]
            self._sourceless.setdefault(to, n)
        else:
            winners = [
                *list(self._sourceless.values())[:1],
                self._sources.get(source),
                self._sources.get(to),
                self._targets.get(source),
                self._adds.get(source),
            ]
            self._sources.setdefault(source, n)
        self._moves.append(n)
        self._targets.setdefault(to, n)
        return _first(winners)


def _other(found: dict[_Key, int], key: _Key) -> int | None:
    """Return the first entry with another key."""
    return next((n for other, n in found.items() if other != key), None)


def _first(positions: Sequence[int | None]) -> int | None:
    return next((n for n in positions if n is not None), None)
