"""Small worlds from dice: accounts of several kinds, rule sets, and what happens to contacts.

Tags, places, codes and times come from short lists, so that events of one contact assert and
clear the same targets, end the same purchases, and often happen at the same time. Codes are
sometimes missing, so that some events end anything of their product.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import attrs

from listboss import (
    HOTMART,
    Action,
    AddLead,
    AddTag,
    Capabilities,
    Contact,
    Event,
    EventType,
    MoveLead,
    Product,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    Verb,
)
from listboss.rules._contradiction import losers

START = datetime(2026, 5, 4, 12, tzinfo=UTC)

CATALOGUE = HOTMART.extended(
    events=[
        EventType("own.seen", "Seen"),
        EventType("own.refunded_part", "Refunded in part", about="purchase", rank=4),
        EventType("own.returned", "Returned", about="purchase", ends=True, rank=-1),
        EventType("own.left", "Left", about="subscription", ends=True, rank=3),
        EventType("own.paused", "Paused", about="subscription"),
    ]
)
"""The built-in catalogue, and events of a host: about each subject, ending it or not, ranked."""

COURSE = Product("c1", "Course", approved_at=date(2025, 1, 1))
OTHER = Product("c2", "Another course")
CLUB = Product(
    "club",
    "Club",
    kind="subscription",
    approved_at=date(2025, 1, 1),
    plans=[SubscriptionPlan("10", "Monthly")],
)
PRODUCTS = (COURSE, CLUB, OTHER)

VERBS = (
    Verb("acme.enrol", {"course": "text"}, asserts="course", idempotent=True),
    Verb("acme.drop", {"course": "text"}, clears="course", idempotent=True),
    Verb("acme.letter", {"text": "text"}),
    Verb("acme.note", {"text": "text"}, always=True, idempotent=True),
)
ALL = attrs.evolve(Capabilities.everything(), data=("email", "name", "phone"))
ACCOUNTS: Mapping[str, Capabilities] = {
    "full": ALL,
    "alone": attrs.evolve(ALL, one_place=True),
    "keyed": attrs.evolve(ALL, idempotent=True),
    "verbs": attrs.evolve(ALL, verbs=VERBS),
    "tags": Capabilities(add_tag="native", remove_tag="emulated", verbs=VERBS),
    "adds": Capabilities(add_tag="native", add_lead="native", move_lead="native"),
    "bulk": attrs.evolve(ALL, batch=2),
}
"""Accounts by name: one that can do everything, and others that differ from it."""

TAGS = ("vip", " VIP", "member")
PLACES = ("Buyers", "buyers ", "Members")
SET_ACTIONS: tuple[Action, ...] = (
    *(kind(tag) for kind in (AddTag, AddTag, RemoveTag) for tag in TAGS),
    *(kind(place) for kind in (AddLead, RemoveLead) for place in PLACES),
    MoveLead("Members"),
    MoveLead("Buyers"),
    MoveLead("Buyers", source="Leavers"),
    MoveLead("Members", source="Buyers"),
    MoveLead("Leavers", source="Members"),
    RemoveLead("Leavers"),
)
OTHER_ACTIONS: tuple[Action, ...] = (
    AddLead(),
    MoveLead("Leavers", source="Buyers", if_absent="skip"),
    ProviderAction("acme.enrol", {"course": "Welcome"}),
    ProviderAction("acme.drop", {"course": "welcome"}),
    ProviderAction("acme.letter", {"text": "hello"}),
    ProviderAction("acme.note", {"text": "hello"}),
)

SOLD = (
    "purchase.cart_abandoned", "purchase.approved", "purchase.approved", "purchase.approved",
    "purchase.completed", "purchase.delayed", "purchase.canceled", "purchase.expired",
    "purchase.protested", "purchase.refunded", "purchase.refunded", "purchase.chargeback",
    "own.seen", "own.refunded_part", "own.returned",
)  # fmt: skip
SUBSCRIBED = (
    "subscription.started", "subscription.active", "subscription.delayed",
    "subscription.canceled", "subscription.canceled_by_admin", "subscription.inactive",
    "subscription.plan_switched", "own.left", "own.paused",
)  # fmt: skip


@attrs.frozen
class World:
    """What a history takes place in: accounts, and the event names that it uses, by product."""

    accounts: Mapping[str, Capabilities]
    names: Mapping[str, Sequence[str]]


def random_world(dice: Random) -> World:
    """Choose one to three accounts, and a few event names for each product."""
    chosen = dice.sample(sorted(ACCOUNTS), dice.randint(1, 3))
    names = {
        COURSE.id: dice.sample(SOLD, 5),
        OTHER.id: dice.sample(SOLD, 3),
        CLUB.id: dice.sample(SOLD, 4) + dice.sample(SUBSCRIBED, 4),
    }
    return World({name: ACCOUNTS[name] for name in chosen}, names)


def random_rules(dice: Random, world: World) -> RuleSet:
    """Make a rule set: some rules assert, others clear the same targets."""
    rules: list[Segmentation] = []
    for name, account in world.accounts.items():
        able = [action for action in SET_ACTIONS if account.can(action)]
        odd = [action for action in OTHER_ACTIONS if account.can(action)]
        for _ in range(dice.randint(5, 16)):
            product = dice.choice((COURSE, CLUB, CLUB, OTHER))
            pool = odd if odd and dice.random() < 0.1 else able
            rules.append(
                Segmentation(
                    f"Rule {len(rules)}",
                    id=f"r{len(rules)}",
                    product_id=product.id,
                    provider=name,
                    event=dice.choice(world.names[product.id]),
                    actions=_together(
                        [dice.choice(pool) for _ in range(dice.randint(1, 2))], account
                    ),
                    plan_ids=("10",) if product is CLUB else (),
                    send=("email", "name") if account.data else ("email",),
                    enabled=True,
                )
            )
    return RuleSet(
        PRODUCTS if dice.random() < 0.8 else PRODUCTS[:2],
        rules,
        providers=world.accounts,
        catalogue=CATALOGUE,
        capture_provider=dice.choice((None, None, *world.accounts)),
    )


def _together(actions: list[Action], account: Capabilities) -> list[Action]:
    """Leave out what contradicts the rest: a rule that contradicts itself does not run."""
    lost = {n for n, _ in losers(actions, one_place=account.one_place)}
    return [action for n, action in enumerate(actions) if n not in lost]


def random_event(
    dice: Random, world: World, id: str, email: str = "ana@example.com", *, days: int = 4
) -> Event:
    """Make an event of the contact, at one of few times, with its codes or without.

    The name of the contact says which event it is from.
    """
    product = dice.choice((COURSE, COURSE, CLUB, CLUB, CLUB, OTHER))
    purchase = dice.randint(1, 3)
    subscription = f"S{purchase % 2}" if dice.random() < 0.95 else "S1"
    transaction = None if dice.random() < 0.2 else f"P{purchase}"
    return Event(
        dice.choice(world.names[product.id]),
        id=id,
        product_id=product.id,
        contact=Contact(email, name=f"name from {id}"),
        occurred_at=START + timedelta(days=dice.randint(0, days)),
        plan_id="10" if product is CLUB and dice.random() < 0.95 else None,
        transaction=transaction,
        subscriber_code=subscription if product is CLUB and dice.random() < 0.6 else None,
    )
