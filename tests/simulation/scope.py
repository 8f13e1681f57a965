"""Which tags and places the promise of any order covers, and which it leaves out.

Left out are the goals and sources of moves that skip, since the provider's state decides what
these do; what an account cannot do by itself; and the places of a contact at an account with
one place, once a plan puts the contact at two.
"""

from collections.abc import Iterable, Mapping

from listboss import AddLead, Capabilities, Event, MoveLead, Place, Plan
from tests.simulation.oracle import Target, place_target

Held = tuple[str, Target]
EVERY_PLACE: Target = ("place", "*")
EVERYTHING: Target = ("*",)


def is_promised(
    held: Held, *, on: bool, outside: set[Held], accounts: Mapping[str, Capabilities]
) -> bool:
    """Whether a tag or place has to be in this state in the end."""
    account = accounts[held[0]]
    if held[1][0] == "tag":
        ability = account.add_tag if on else account.remove_tag
    else:
        ability = account.add_lead if on else account.remove_lead
    return ability != "none" and is_inside(held, outside)


def is_inside(held: Held, outside: set[Held]) -> bool:
    """Whether nothing that happened puts a target outside the promise."""
    name, target = held
    all_of = {(name, EVERYTHING), (name, (*target[:1], "*"))}
    return held not in outside and not all_of & outside


def outside_of(
    happened: Iterable[tuple[Event, Plan]], accounts: Mapping[str, Capabilities]
) -> set[Held]:
    """Return the tags and places that the promise leaves out, because of what was planned."""
    found: set[Held] = set()
    for _, plan in happened:
        goals: dict[str, set[Target]] = {name: set() for name in accounts}
        for planned in plan.actions:
            name = planned.provider
            match planned.action:
                case MoveLead(to, source, if_absent=if_absent):
                    goals[name].add(place_target(to))
                    if if_absent == "skip":
                        alone = accounts[name].one_place or source is None
                        found.add((name, EVERY_PLACE if alone else place_target(to)))
                        found.add((name, place_target(to if source is None else source)))
                case AddLead(Place() as place):
                    goals[name].add(place_target(place))
                case _:
                    pass
        for name, places in goals.items():
            if accounts[name].one_place and len(places) > 1:
                found.add((name, EVERY_PLACE))
    return found
