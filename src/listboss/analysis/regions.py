"""`Region`: the set of all facts that an event can have for which a condition holds, exactly.

A region is a union of boxes over the cells of its facts. Two regions are combined in a space with
the cells of both, so regions of any conditions over one catalogue can be compared. Nothing is
sampled and nothing is guessed: a region that takes too much work raises `ConditionError`. Only how
long a string may be is not taken into account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from listboss.rules._boxes import Box, Budget, Space
from listboss.rules.catalogue import Catalogue
from listboss.rules.condition import Condition
from listboss.rules.event import FactValue

__all__ = ["Region"]


class Region:
    """The facts for which a condition holds: made by `of`, combined by `&`, `|`, `-` and `~`.

    `~region` has all other facts, also those of events that lack a fact or have it with a wrong
    type. The region of the condition `~condition` is smaller: a rule fires only on what is known.

    >>> from listboss import HOTMART, where
    >>> many = Region.of(where.installments >= 6, HOTMART)
    >>> few = Region.of(where.installments < 6, HOTMART)
    >>> few.overlaps(many), few.implies(~many), (~many).implies(few)
    (False, True, False)
    >>> (~many - few).member()
    {}
    """

    __slots__ = ("_boxes", "_space")

    def __init__(self, space: Space, boxes: Iterable[Box]) -> None:
        self._space = space
        self._boxes = tuple(boxes)

    @classmethod
    def of(cls, condition: Condition | None, catalogue: Catalogue) -> Region:
        """Return where a condition holds; None always holds.

        The condition must not have error findings. Raises `ConditionError` with the code
        `too_complex` for a condition of too many cases.
        """
        space = Space.of([condition], catalogue)
        return Region(space, space.boxes(condition, Budget()))

    def __repr__(self) -> str:
        return f"<Region of {len(self._boxes)} boxes>"

    def is_empty(self) -> bool:
        """Whether no facts are in it: the condition can never hold."""
        return not self._boxes

    def member(self) -> dict[str, FactValue] | None:
        """Return the facts of one event in it, as few as possible, or None if it is empty.

        >>> from listboss import HOTMART, where
        >>> Region.of((where.country == "BR") & where.offer.is_missing(), HOTMART).member()
        {'country': 'BR'}
        """
        return self._space.member(self._boxes)

    def nearest(self, facts: Mapping[str, FactValue]) -> dict[str, FactValue | None] | None:
        """Return what to change in some facts so that they are in it: as few facts as possible.

        The value of a fact to leave out is None. Facts that are in it need no change; if the
        region is empty, the result is None.

        >>> from listboss import HOTMART, where
        >>> region = Region.of((where.country == "BR") & (where.installments <= 6), HOTMART)
        >>> region.nearest({"country": "BR", "installments": 12})
        {'installments': 6}
        """
        return self._space.nearest(self._boxes, facts)

    def implies(self, other: Region) -> bool:
        """Whether all of it is in the other region, too."""
        space, mine, theirs = self._with(other)
        return space.uncovered(mine, theirs, Budget()) is None

    def equals(self, other: Region) -> bool:
        """Whether both have the same facts."""
        return self.implies(other) and other.implies(self)

    def overlaps(self, other: Region) -> bool:
        """Whether some facts are in both."""
        return not (self & other).is_empty()

    def __and__(self, other: Region) -> Region:
        space, mine, theirs = self._with(other)
        return Region(space, space.product(mine, theirs, Budget()))

    def __or__(self, other: Region) -> Region:
        space, mine, theirs = self._with(other)
        budget = Budget()
        budget.spend(len(mine) + len(theirs), 0)
        return Region(space, space.simplified([*mine, *theirs], budget))

    def __sub__(self, other: Region) -> Region:
        space, mine, theirs = self._with(other)
        return Region(space, space.minus(mine, theirs, Budget()))

    def __invert__(self) -> Region:
        everything = self._space.boxes(None, Budget())
        return Region(self._space, self._space.minus(everything, self._boxes, Budget()))

    def _with(self, other: Region) -> tuple[Space, tuple[Box, ...], tuple[Box, ...]]:
        """Return a space for both regions, and their boxes in it."""
        space = self._space.merged(other._space)
        return (
            space,
            space.translated(self._boxes, self._space),
            space.translated(other._boxes, other._space),
        )
