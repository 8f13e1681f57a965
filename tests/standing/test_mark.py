"""What an event and its plan say: the stamp, the grant, what it ends, and the marks."""

from datetime import UTC, datetime

import attrs
import pytest

from listboss import (
    AddTag,
    Capabilities,
    Contact,
    Event,
    MoveLead,
    Plan,
    PlannedAction,
    RemoveTag,
)
from listboss.plan import PlanContext
from listboss.rules._mapping import FrozenMap
from listboss.standing import (
    ANY_PLACE,
    Ending,
    Grant,
    Mark,
    Reach,
    Stamp,
    ending_of,
    grant_of,
    link_of,
    marks_of,
    stamp_of,
)

AT = datetime(2026, 5, 4, tzinfo=UTC)
STAMP = Stamp(AT, 3, "e-1")
PURCHASE, SUBSCRIPTION = Grant("42", transaction="P1"), Grant("42", subscriber_code="S1")
BOTH = {"transaction": "P1", "subscriber_code": "S1"}


def event(**more) -> Event:
    """Make an event of product 42."""
    return Event(
        "own.event", id="e-1", product_id="42", contact=Contact("a@b.c"), occurred_at=AT, **more
    )


def plan(*actions, about=None, ends=False, account=None) -> Plan:
    """Make the plan of the event, with these actions at the account `mail`."""
    planned = [
        PlannedAction(
            provider="mail",
            email="a@b.c",
            action=action,
            data=FrozenMap(),
            because=("r1",),
            automatic=False,
            id=f"a-{n}",
        )
        for n, action in enumerate(actions)
    ]
    return Plan(
        event_id="e-1",
        event_name="own.event",
        product_id="42",
        occurred_at=AT,
        is_test=False,
        actions=tuple(planned),
        context=PlanContext(about, ends, 3, {} if account is None else {"mail": account}),
    )


def test_stamp():
    """A stamp is the time, the rank of the event type, and the id of the event."""
    assert STAMP == stamp_of(plan())


def test_stamps_are_ordered():
    """Time comes first, then the rank, then the id."""
    later = datetime(2026, 5, 5, tzinfo=UTC)
    stamps = [Stamp(AT, 0, "b"), Stamp(AT, 1, "a"), Stamp(AT, 1, "b"), Stamp(later, -1, "a")]
    assert stamps == sorted([stamps[n] for n in (2, 0, 3, 1)])


class TestGrant:
    """Which purchase or subscription an event means."""

    @pytest.mark.parametrize(
        ("codes", "about", "expected"),
        [
            ({}, None, None),
            ({}, "subscription", None),
            ({"transaction": "P1"}, None, PURCHASE),
            ({"transaction": "P1"}, "subscription", PURCHASE),
            ({"subscriber_code": "S1"}, "purchase", SUBSCRIPTION),
            ({"subscriber_code": "S1"}, None, SUBSCRIPTION),
            (BOTH, None, PURCHASE),
            (BOTH, "purchase", PURCHASE),
            (BOTH, "subscription", SUBSCRIPTION),
            ({"facts": {"transaction": " P1 "}}, None, PURCHASE),
            ({"facts": {"transaction": 1}}, None, None),
        ],
    )
    def test_grant(self, codes, about, expected):
        """What the event is about decides if it names both; facts name what fields do not."""
        assert expected == grant_of(event(**codes), about)

    def test_kinds(self):
        """A grant is a purchase or a subscription."""
        assert (True, False) == (PURCHASE.is_purchase, SUBSCRIPTION.is_purchase)

    @pytest.mark.parametrize(
        ("codes", "expected"),
        [
            (BOTH, (PURCHASE, SUBSCRIPTION)),
            ({"transaction": "P1"}, None),
            ({"subscriber_code": "S1"}, None),
        ],
    )
    def test_link(self, codes, expected):
        """An event that names both says which subscription the purchase belongs to."""
        assert expected == link_of(event(**codes))


class TestEnding:
    """What an event ends."""

    @pytest.mark.parametrize(
        ("codes", "about", "ends", "expected"),
        [
            (BOTH, "purchase", True, PURCHASE),
            (BOTH, "subscription", True, SUBSCRIPTION),
            ({}, "purchase", True, Grant("42")),
        ],
    )
    def test_ends(self, codes, about, ends, expected):
        """It ends the grant that it is about, or any of its product if it names none."""
        assert Ending(expected, STAMP) == ending_of(event(**codes), plan(about=about, ends=ends))

    @pytest.mark.parametrize(("about", "ends"), [("purchase", False), (None, False), (None, True)])
    def test_ends_nothing(self, about, ends):
        """An event that is about nothing ends nothing, whatever its plan says."""
        assert None is ending_of(event(**BOTH), plan(about=about, ends=ends))


class TestMarks:
    """The marks of a plan."""

    def test_asserts(self):
        """An assertion is made for the grant of the event."""
        mark = Mark("mail", "tag:vip", PURCHASE, None, STAMP, "a-0")
        assert ((mark,), True) == (marks_of(event(**BOTH), plan(AddTag("vip"))), mark.asserts)

    def test_asserts_for_the_purchase(self):
        """So it does if the event is about the subscription."""
        (mark,) = marks_of(event(**BOTH), plan(AddTag("vip"), about="subscription"))
        assert PURCHASE == mark.grant

    @pytest.mark.parametrize(
        ("codes", "about", "grant", "reach"),
        [
            (BOTH, "purchase", PURCHASE, Reach.GRANT),
            (BOTH, "subscription", SUBSCRIPTION, Reach.GRANT),
            ({}, "purchase", Grant("42"), Reach.PRODUCT),
            ({}, None, Grant("42"), Reach.ALL),
            (BOTH, None, PURCHASE, Reach.ALL),
        ],
    )
    def test_clears(self, codes, about, grant, reach):
        """What a clear reaches depends on what the event is about, and what it names."""
        mark = Mark("mail", "tag:vip", grant, reach, STAMP, "a-0")
        made = marks_of(event(**codes), plan(RemoveTag("vip"), about=about))
        assert ((mark,), False) == (made, mark.asserts)

    def test_one_place(self):
        """At an account with one place, a move clears every other place for all."""
        account = attrs.evolve(Capabilities.everything(), one_place=True)
        moved = plan(MoveLead("Buyers", source="Leavers"), about="purchase", account=account)
        clear, assertion = marks_of(event(**BOTH), moved)
        assert (ANY_PLACE, Reach.ALL, assertion.target) == (clear.target, clear.reach, clear.keep)
