"""What happens in the histories that check a journal: rules, events, and answers.

Two contacts, two products and two accounts, so that events often assert and clear the same
tags and places, end the same purchases and subscriptions, and share lanes. Three sets of rules
disagree, for plans that are made again.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from listboss.engine import Engine
from listboss.provider import (
    Accepted,
    Applied,
    NoChange,
    Outcome,
    Refused,
    RefusedKind,
    Throttled,
    Unknown,
)
from listboss.rules import (
    Action,
    AddLead,
    AddTag,
    Capabilities,
    Contact,
    Event,
    FactKind,
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

__all__ = ["CONTACTS", "ENGINES", "START", "happened", "outcomes"]

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
CONTACTS = ("ana@example.com", "bia@example.com")
_VERBS = (
    Verb("crm.enrol", {"course": FactKind.TEXT}, asserts="course", idempotent=True),
    Verb("crm.drop", {"course": FactKind.TEXT}, clears="course", idempotent=True),
    Verb("crm.call"),
    Verb("crm.note", always=True, idempotent=True),
)
_ACCOUNTS = {
    "mail": Capabilities.everything(),
    "crm": attrs.evolve(Capabilities.everything(), one_place=True, verbs=_VERBS),
}
_PRODUCTS = (
    Product("course", "Course", approved_at=date(2025, 1, 1)),
    Product("club", "Club", kind="subscription", plans=[SubscriptionPlan("10", "Monthly")]),
)
_COURSE = {"course": "Welcome"}

_RULES: tuple[tuple[str, str, str, tuple[Action, ...]], ...] = (
    ("course", "purchase.cart_abandoned", "mail", (AddTag("cart"), AddLead("Prospects"))),
    ("course", "purchase.cart_abandoned", "crm", (AddLead("Prospects"),)),
    ("course", "purchase.approved", "mail", (AddTag("Owner"), RemoveTag("cart"))),
    ("course", "purchase.approved", "mail", (MoveLead("Buyers", source="Prospects"),)),
    (
        "course",
        "purchase.approved",
        "crm",
        (MoveLead("Buyers"), ProviderAction("crm.enrol", _COURSE), ProviderAction("crm.call")),
    ),
    ("course", "purchase.refunded", "mail", (RemoveTag("owner"), MoveLead("Leavers"))),
    (
        "course",
        "purchase.refunded",
        "crm",
        (RemoveLead("Buyers"), ProviderAction("crm.drop", _COURSE), ProviderAction("crm.note")),
    ),
    ("course", "purchase.protested", "mail", (AddTag("owner"), RemoveLead("leavers"))),
    (
        "course",
        "purchase.protested",
        "crm",
        (MoveLead("Leavers", source="Buyers", if_absent="skip"),),
    ),
    ("club", "purchase.approved", "mail", (AddTag("Member"), AddLead("Buyers"))),
    ("club", "purchase.approved", "crm", (AddLead("Members"),)),
    ("club", "purchase.delayed", "mail", (AddTag("late"),)),
    ("club", "purchase.refunded", "mail", (RemoveTag("member"), RemoveTag("late"))),
    ("club", "subscription.canceled", "mail", (RemoveTag("member"), RemoveLead("Buyers"))),
    ("club", "subscription.canceled", "crm", (RemoveLead("Members"),)),
)
_EVENTS = {
    "course": (
        "purchase.cart_abandoned",
        "purchase.approved",
        "purchase.refunded",
        "purchase.chargeback",
        "purchase.protested",
    ),
    "club": (
        "purchase.approved",
        "purchase.delayed",
        "purchase.refunded",
        "subscription.canceled",
        "subscription.started",
    ),
}


def _engine(version: int) -> Engine:
    """Make the engine of one set of rules: each leaves other ones out; one captures, too."""
    rules = [
        Segmentation(
            f"Rule {n}",
            id=f"r{n}",
            product_id=product,
            provider=account,
            event=event,
            actions=actions,
            plan_ids=("10",) if product == "club" else (),
            send=("email", "name"),
            enabled=version == 0 or n % 3 != version,
        )
        for n, (product, event, account, actions) in enumerate(_RULES)
    ]
    capture = "mail" if version == 1 else None
    return Engine(RuleSet(_PRODUCTS, rules, providers=_ACCOUNTS, capture_provider=capture))


ENGINES = tuple(_engine(version) for version in range(3))
"""Engines of rules that differ, as before and after an edit."""


@st.composite
def happened(draw: st.DrawFn) -> Event:
    """Generate an event; its id is given to it when it is accepted."""
    product = draw(st.sampled_from([*_EVENTS]))
    email = draw(st.sampled_from([*CONTACTS, *CONTACTS, CONTACTS[0].upper(), None]))
    name = draw(st.sampled_from(["Ana", "Ana B", None]))
    return Event(
        draw(st.sampled_from(_EVENTS[product])),
        id="new",
        product_id=product,
        contact=None if email is None else Contact(email, name=name),
        occurred_at=START + timedelta(days=draw(st.integers(-2, 2))),
        plan_id="10" if product == "club" else None,
        transaction=draw(st.sampled_from([None, "P1", "P2"])),
        subscriber_code=draw(st.sampled_from([None, "S1", "S2"])) if product == "club" else None,
        is_test=draw(st.sampled_from([False] * 9 + [True])),
    )


def outcomes() -> SearchStrategy[Outcome]:
    """Generate answers of a provider, the good ones more often."""
    waits = st.sampled_from([timedelta(0), timedelta(seconds=30), timedelta(hours=1)])
    good: SearchStrategy[Outcome] = st.sampled_from([Applied(), NoChange(), Accepted("job-1")])
    bad: SearchStrategy[Outcome] = st.sampled_from(
        [Unknown("timeout"), Refused("blocked", RefusedKind.CONTACT)]
    )
    return good | st.builds(Throttled, waits, st.sampled_from(["account", "contact"])) | bad
