"""What a contact should have: the worked examples, each in every order of arrival.

An example is a few rules, what happened on which day, and what the account holds in the end.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, permutations
from random import Random
from typing import NamedTuple

import pytest

from listboss import AddLead, AddTag, Event, MoveLead, Place, RemoveLead, RemoveTag
from listboss.delivery import Journal, MemoryJournal, SqliteJournal
from tests.simulation.host import Host, Rule, happened
from tests.simulation.oracle import Target, place_target, tag_target

COURSE = (
    ("c1", "purchase.approved", AddTag("owner")),
    ("c1", "purchase.approved", RemoveTag("reminder")),
    ("c1", "purchase.refunded", RemoveTag("owner")),
    ("c1", "purchase.partially_refunded", RemoveTag("owner")),
    ("c1", "purchase.cart_abandoned", AddTag("reminder")),
)
CLUB = (
    ("club", "purchase.approved", AddTag("member")),
    ("club", "purchase.refunded", RemoveTag("member")),
    ("club", "subscription.canceled", RemoveTag("member")),
)
LISTS = (
    ("c1", "purchase.cart_abandoned", AddLead("Prospects")),
    ("c1", "purchase.approved", MoveLead("Buyers", source="Prospects")),
    ("c1", "purchase.refunded", RemoveLead("Buyers")),
)
NOTHING: set[Target] = set()
OWNER, MEMBER = {tag_target("owner")}, {tag_target("member")}
BUYERS = {place_target(Place(list="Buyers"))}

What = tuple[str, str | None, str | None]
"""An event of the course or the club: its name, and the codes of purchase and subscription."""


def buy(purchase: str | None = None, subscription: str | None = None) -> What:
    """A purchase is approved."""
    return ("purchase.approved", purchase, subscription)


def refund(purchase: str, subscription: str | None = None) -> What:
    """A purchase is refunded."""
    return ("purchase.refunded", purchase, subscription)


def cancel(subscription: str) -> What:
    """A subscription is canceled."""
    return ("subscription.canceled", None, subscription)


class Example(NamedTuple):
    """What happened, one event a day, under which rules, and what is held in the end."""

    sentence: str
    rules: Sequence[Rule]
    days: Sequence[What]
    held: set[Target]
    capture: bool = False

    def events(self) -> list[Event]:
        """Return the events."""
        return [
            happened(
                name,
                f"e{day}",
                day=day,
                product_id=self.rules[0][0],
                transaction=purchase,
                subscriber_code=subscription,
            )
            for day, (name, purchase, subscription) in enumerate(self.days)
        ]


CART: What = ("purchase.cart_abandoned", None, None)
CHARGEBACK: What = ("purchase.chargeback", "P1", None)
IN_PART: What = ("purchase.partially_refunded", "P2", None)
RENEWALS = [buy(f"P{month}", "S1") for month in range(7)]

EXAMPLES = (
    Example("two bought", COURSE, [buy("P1"), buy("P2")], OWNER),
    Example("two bought, one refunded", COURSE, [buy("P1"), buy("P2"), refund("P2")], OWNER),
    Example("two bought, the first refunded", COURSE, [buy("P1"), buy("P2"), refund("P1")], OWNER),
    Example(
        "two bought, both refunded",
        COURSE,
        [buy("P1"), buy("P2"), refund("P2"), refund("P1")],
        NOTHING,
    ),
    Example("bought and refunded", COURSE, [buy("P1"), refund("P1")], NOTHING),
    Example("bought again after a refund", COURSE, [buy("P1"), refund("P1"), buy("P2")], OWNER),
    Example("a cart left before the purchase", COURSE, [CART, buy("P1")], OWNER),
    Example("one of seven renewals refunded", CLUB, [*RENEWALS, refund("P3", "S1")], MEMBER),
    Example(
        "one of seven renewals refunded, then canceled",
        CLUB,
        [*RENEWALS, refund("P3", "S1"), cancel("S1")],
        NOTHING,
    ),
    Example(
        "two plans, one canceled", CLUB, [buy("P1", "S1"), buy("P2", "S2"), cancel("S1")], MEMBER
    ),
    Example(
        "two plans, both canceled",
        CLUB,
        [buy("P1", "S1"), buy("P2", "S2"), cancel("S1"), cancel("S2")],
        NOTHING,
    ),
    Example(
        "a chargeback without a rule, then the other purchase refunded",
        COURSE,
        [buy("P1"), buy("P2"), CHARGEBACK, refund("P2")],
        NOTHING,
    ),
    Example("a chargeback without a rule", COURSE, [buy("P1"), CHARGEBACK], OWNER),
    Example("a partial refund of one of two", COURSE, [buy("P1"), buy("P2"), IN_PART], OWNER),
    Example(
        "an approval without subscriber code, then the subscription canceled",
        CLUB,
        [buy("P1"), cancel("S1")],
        NOTHING,
    ),
    Example(
        "an approval whose subscription a later event names, another one canceled",
        CLUB,
        [buy("P1"), ("purchase.completed", "P1", "S2"), cancel("S1")],
        MEMBER,
    ),
    Example(
        "a refund that names no purchase",
        COURSE,
        [buy("P1"), buy("P2"), ("purchase.refunded", None, None)],
        NOTHING,
    ),
    Example("from one list to the other and out", LISTS, [CART, buy("P1"), refund("P1")], NOTHING),
    Example(
        "moved twice, one purchase refunded",
        LISTS,
        [CART, buy("P1"), buy("P2"), refund("P1")],
        BUYERS,
    ),
    Example(
        "a refund stays recorded while another purchase is open",
        COURSE,
        [buy("P1"), buy("P2"), refund("P2")],
        OWNER | {tag_target(f"auto:purchase-{what}:c1") for what in ("approved", "refunded")},
        capture=True,
    ),
    Example(
        "a cancellation stays recorded while another plan is open",
        CLUB,
        [buy("P1", "S1"), buy("P2", "S2"), cancel("S1")],
        MEMBER
        | {
            tag_target("auto:purchase-approved:club"),
            tag_target("auto:subscription-canceled:club"),
        },
        capture=True,
    ),
)


def orders(events: Sequence[Event], most: int) -> Iterator[Sequence[Event]]:
    """Return every order of the events, or a sample that has the first and last ones."""
    if len(events) <= 5 and most >= 120:
        yield from permutations(events)
        return
    yield events
    yield events[::-1]
    dice = Random(len(events))
    for _ in range(most):
        yield dice.sample(events, len(events))


def held_after(journal: Journal, example: Example, events: Sequence[Event]) -> set[Target]:
    """Return what the account holds after the events arrived in this order, one of them twice."""
    host = Host(journal, example.rules, capture=example.capture)
    for event in (*events, events[0]):
        host.executor.handle(event)
    return host.held


@pytest.mark.parametrize("example", EXAMPLES, ids=[each.sentence for each in EXAMPLES])
class TestExamples:
    """However the events of an example arrive, the contact ends with the same tags and places."""

    def test_in_every_order(self, example):
        """All orders of up to five events, and many of more."""
        for events in orders(example.events(), 120):
            assert example.held == held_after(MemoryJournal(), example, events)

    def test_in_a_file(self, example, tmp_path):
        """A few orders with a journal in a file."""
        for n, events in enumerate(islice(orders(example.events(), 4), 6)):
            with SqliteJournal(tmp_path / f"{n}.db") as journal:
                assert example.held == held_after(journal, example, events)

    def test_in_a_database(self, example, new_postgres_journal):
        """A few orders with a journal in PostgreSQL."""
        for events in islice(orders(example.events(), 4), 3):
            assert example.held == held_after(new_postgres_journal(), example, events)
