"""What the events say of one contact: they are replayed, in the order in which they happened.

This is the meaning of the promise of any order, in plain loops. It shares nothing with
`listboss.standing`: events are sorted by their stamps, every event that ends something marks
the holders of that purchase or subscription, and every action is then carried out at once, on
a naive account that remembers who holds each tag and place.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

import attrs

from listboss import (
    Action,
    AddLead,
    AddTag,
    Capabilities,
    Event,
    MoveLead,
    Place,
    Plan,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.rules import Subject

Target = tuple[str, ...]
"""A tag or a place, folded: `("tag", "vip")`, `("place", "list", "buyers")`."""


class Grant(NamedTuple):
    """What a contact has of a product: a purchase or a subscription, by its code."""

    product: str
    kind: Literal["purchase", "subscription"]
    code: str


Covers = Callable[[Grant | None], bool]


def tag_target(tag: str) -> Target:
    """Return the target of a tag."""
    return ("tag", tag.strip().casefold())


def place_target(place: Place) -> Target:
    """Return the target of a place."""
    parts = ((name, value.strip().casefold()) for name, value in sorted(place.parts.items()))
    return ("place", *(text for part in parts for text in part))


def target_of(action: Action) -> Target:
    """Return the target of an action that has one."""
    match action:
        case AddTag(tag) | RemoveTag(tag):
            return tag_target(tag)
        case AddLead(Place() as place) | RemoveLead(place) | MoveLead(to=place):
            return place_target(place)
        case _:
            return ()


def stamp(event: Event, plan: Plan) -> tuple[object, ...]:
    """Return what events are ordered by: time, rank of the event type, id."""
    return (event.occurred_at, plan.context.rank, event.id)


@attrs.define
class Replay:
    """One contact at naive accounts: who holds each tag and place, by account."""

    accounts: Mapping[str, Capabilities]
    holders: dict[tuple[str, Target], dict[Grant | None, bool]] = attrs.field(factory=dict)
    """The holders of each target, and whether each is marked as ended."""
    links: dict[tuple[str, str], str] = attrs.field(factory=dict)
    """The subscription of each purchase, by product and transaction."""

    def run(self, happened: Iterable[tuple[Event, Plan]]) -> dict[tuple[str, Target], bool]:
        """Replay the events with their plans; return whether each target that was named is on."""
        pairs = sorted(happened, key=lambda pair: stamp(*pair))
        for event, _ in pairs:
            if event.transaction is not None and event.subscriber_code is not None:
                self.links[event.product_id, event.transaction] = event.subscriber_code
        for event, plan in pairs:
            self._replay(event, plan)
        return {target: bool(held) for target, held in self.holders.items()}

    def _replay(self, event: Event, plan: Plan) -> None:
        subject = self._subject(event, plan)
        if plan.context.ends and subject is not None:
            for held in self.holders.values():
                for grant in held:
                    if subject(grant):
                        held[grant] = True
        for planned in plan.actions:
            self._carry_out(planned.provider, planned.action, grant_of(event), subject)

    def _subject(self, event: Event, plan: Plan) -> Covers | None:
        """Return which grants the event is about; None if it is about nothing."""
        product, transaction, code = event.product_id, event.transaction, event.subscriber_code
        about = plan.context.about
        if about is None:
            return None
        if code is not None and (about is Subject.SUBSCRIPTION or transaction is None):
            return lambda grant: grant is not None and self._belongs(grant, product, code)
        if transaction is not None:
            return lambda grant: grant == Grant(product, "purchase", transaction)
        return lambda grant: grant is not None and grant.product == product

    def _belongs(self, grant: Grant, product: str, code: str) -> bool:
        if grant.product != product:
            return False
        if grant.kind == "subscription":
            return grant.code == code
        return self.links.get((product, grant.code), code) == code

    def _carry_out(
        self, account: str, action: Action, grant: Grant | None, subject: Covers | None
    ) -> None:
        match action:
            case AddTag(tag):
                self._assert(account, tag_target(tag), grant)
            case RemoveTag(tag):
                self._clear(account, tag_target(tag), subject)
            case AddLead(Place() as place):
                if self.accounts[account].one_place:
                    self._clear_others(account, place, None)
                self._assert(account, place_target(place), grant)
            case RemoveLead(place):
                self._clear(account, place_target(place), subject)
            case MoveLead(to, source):
                if source is None:
                    self._clear_others(account, to, subject)
                else:
                    self._clear(account, place_target(source), subject)
                if self.accounts[account].one_place:
                    self._clear_others(account, to, None)
                self._assert(account, place_target(to), grant)
            case AddLead() | ProviderAction():
                pass  # neither is a tag or a place

    def _assert(self, account: str, target: Target, grant: Grant | None) -> None:
        self.holders.setdefault((account, target), {})[grant] = False

    def _clear(self, account: str, target: Target, subject: Covers | None) -> None:
        held = self.holders.setdefault((account, target), {})
        for grant, ended in list(held.items()):
            if subject is None or grant is None or ended or subject(grant):
                del held[grant]

    def _clear_others(self, account: str, place: Place, subject: Covers | None) -> None:
        for at, target in list(self.holders):
            if at == account and target[0] == "place" and target != place_target(place):
                self._clear(account, target, subject)


def grant_of(event: Event) -> Grant | None:
    """Return the purchase that the event names, or else its subscription."""
    if event.transaction is not None:
        return Grant(event.product_id, "purchase", event.transaction)
    if event.subscriber_code is not None:
        return Grant(event.product_id, "subscription", event.subscriber_code)
    return None


def final_state(
    happened: Iterable[tuple[Event, Plan]], accounts: Mapping[str, Capabilities]
) -> dict[tuple[str, Target], bool]:
    """Return which tags and places one contact should have, by account, and which not."""
    return Replay(accounts).run(happened)
