"""An account at a provider that fails on purpose, and remembers every call that it got."""

from collections import defaultdict
from datetime import timedelta
from random import Random

import attrs

from listboss import (
    Action,
    AddLead,
    AddTag,
    Capabilities,
    MoveLead,
    Place,
    PlannedAction,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.provider import (
    Accepted,
    Applied,
    Call,
    NoChange,
    Outcome,
    Refused,
    Throttled,
    Unknown,
)
from listboss.rules._address import contact_key
from tests.simulation.oracle import Target, place_target, tag_target


class ConnectionLostError(Exception):
    """What a provider raises that got no answer."""


@attrs.define
class Trouble:
    """How likely an account is to answer something else than it should, by answer."""

    throttled: float = 0.0
    unknown: float = 0.0
    refused: float = 0.0
    down: bool = False

    @classmethod
    def some(cls, dice: Random) -> "Trouble":
        """Choose how bad it is: often fine, sometimes down, else something of everything."""
        mood = dice.random()
        if mood < 0.4:
            return cls()
        if mood < 0.55:
            return cls(down=True)
        throttled, unknown, refused = (dice.choice((0.0, 0.1, 0.4)) for _ in range(3))
        return cls(throttled, unknown, refused)


@attrs.define
class Account:
    """What an account holds for each contact: tags, places and data; it does what it is said.

    An idempotent account carries out a key only once.
    """

    name: str
    capabilities: Capabilities
    dice: Random = attrs.field(factory=lambda: Random(0))
    held: dict[str, set[Target]] = attrs.field(factory=lambda: defaultdict(set))
    data: dict[str, dict[str, object]] = attrs.field(factory=lambda: defaultdict(dict))
    done: set[str] = attrs.field(factory=set)
    trouble: Trouble = attrs.field(factory=Trouble)

    def apply(self, planned: PlannedAction, call: Call) -> Outcome:
        """Carry out a call without trouble."""
        return Applied() if self.carry_out(planned, call) else NoChange()

    def answer(self, planned: PlannedAction, call: Call) -> tuple[Outcome, bool]:
        """Carry out a call, or fail; return the answer, and whether to raise it instead."""
        dice, trouble = self.dice, self.trouble
        if trouble.down or dice.random() < trouble.unknown:
            if not trouble.down and dice.random() < 0.5:
                self.carry_out(planned, call)
            return Unknown("timeout"), dice.random() < 0.5
        if dice.random() < trouble.throttled:
            wait = timedelta(seconds=dice.choice((0, 5, 90, 4_000)))
            everybody = dice.random() < 0.5
            return Throttled(wait, "account" if everybody else "contact"), False
        if dice.random() < trouble.refused:
            return Refused("not today", dice.choice(("contact", "configuration"))), False
        changed = self.carry_out(planned, call)
        if dice.random() < 0.1:
            return Accepted("job"), False
        return (Applied() if changed else NoChange()), False

    def erase(self, email: str) -> bool:
        """Forget a contact."""
        key = contact_key(email)
        known = bool(self.held.pop(key, None))
        return self.data.pop(key, None) is not None or known

    def carry_out(self, planned: PlannedAction, call: Call) -> bool:
        """Do what is asked for; return whether that changed anything."""
        if self.capabilities.idempotent:
            if call.key in self.done:
                return False
            self.done.add(call.key)
        key = contact_key(planned.email)
        self.data[key] |= planned.data
        before = frozenset(self.held[key])
        self._change(self.held[key], planned.action)
        return before != self.held[key]

    def _change(self, held: set[Target], action: Action) -> None:
        match action:
            case AddTag(tag):
                held.add(tag_target(tag))
            case RemoveTag(tag):
                held.discard(tag_target(tag))
            case AddLead(Place() as place):
                self._put(held, place)
            case RemoveLead(place):
                held.discard(place_target(place))
            case MoveLead(to, source, if_absent=if_absent):
                there = _places(held) if source is None else held & {place_target(source)}
                if there or if_absent == "add":
                    held -= there
                    self._put(held, to)
            case AddLead() | ProviderAction():
                pass

    def _put(self, held: set[Target], place: Place) -> None:
        if self.capabilities.one_place:
            held -= _places(held)
        held.add(place_target(place))


def _places(held: set[Target]) -> set[Target]:
    return {target for target in held if target[0] == "place"}
