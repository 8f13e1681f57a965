import copy
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from listboss import AUTOMATIC, HOTMART, AutomaticSegmentation, Event
from listboss.errors import AutomaticSegmentationError
from listboss.rules.automatic import CAPTURE_ID, is_first_charge, is_reserved_tag

CANCELED = (
    "subscription.canceled",
    "subscription.canceled_by_admin",
    "subscription.canceled_by_customer",
    "subscription.canceled_by_seller",
)
ACCESS = ("club.first_access", "club.module_completed", "club.progress")
CHARGE_ENDS = (
    "purchase.approved",
    "purchase.canceled",
    "purchase.chargeback",
    "purchase.completed",
    "purchase.expired",
    "purchase.refunded",
    *CANCELED,
    "subscription.expired",
    "subscription.inactive",
)
TEMPORARY = ("cart_abandonment", "purchase_pending", "purchase_delayed", "purchase_protested")
TABLE = (
    (
        "auto.cart_abandonment",
        "cart-abandonment",
        ("purchase.cart_abandoned",),
        CHARGE_ENDS,
    ),
    (
        "auto.purchase_pending",
        "purchase-pending",
        ("purchase.billet_printed", "purchase.waiting_payment"),
        CHARGE_ENDS,
    ),
    (
        "auto.purchase_approved",
        "purchase-approved",
        ("purchase.approved",),
        ("purchase.chargeback", "purchase.refunded"),
    ),
    (
        "auto.purchase_canceled",
        "purchase-canceled",
        ("purchase.canceled",),
        ("purchase.approved",),
    ),
    (
        "auto.purchase_refunded",
        "purchase-refunded",
        ("purchase.refunded",),
        ("purchase.approved",),
    ),
    ("auto.purchase_chargeback", "purchase-chargeback", ("purchase.chargeback",), ()),
    ("auto.purchase_expired", "purchase-expired", ("purchase.expired",), ("purchase.approved",)),
    (
        "auto.purchase_delayed",
        "purchase-delayed",
        ("purchase.delayed",),
        tuple(sorted([*CHARGE_ENDS, "subscription.active"])),
    ),
    (
        "auto.purchase_protested",
        "purchase-protested",
        ("purchase.protested",),
        CHARGE_ENDS,
    ),
    ("auto.subscription_canceled", "subscription-canceled", CANCELED, ("subscription.active",)),
    ("auto.free_student", "free-student", ("club.free_registration",), ()),
    ("auto.inactive_7d", "inactive-7-days", ("club.inactive_7d",), ACCESS),
    ("auto.inactive_15d", "inactive-15-days", ("club.inactive_15d",), ACCESS),
    ("auto.inactive_30d", "inactive-30-days", ("club.inactive_30d",), ACCESS),
    (
        "auto.waitlist",
        "waitlist",
        ("waitlist.joined",),
        ("product.available", "purchase.approved"),
    ),
)
MINE: dict[str, Any] = {"tag_key": "mine"}
each = pytest.mark.parametrize("row", AUTOMATIC, ids=lambda row: row.id)


class TestTable:
    """Which events add an automatic tag, and which remove it."""

    def test_rows(self):
        """The documented rows in their order; ids and tag keys never change."""
        rows = tuple(
            (row.id, row.tag_key, tuple(sorted(row.adds_on)), tuple(sorted(row.removes_on)))
            for row in AUTOMATIC
        )
        assert rows == TABLE

    def test_first_charge(self):
        """Only the tag of a canceled subscription depends on the charge of an approval."""
        rows = {row.id: row.removes_on_first_charge for row in AUTOMATIC}
        assert {"auto.subscription_canceled": ("purchase.approved",)} == {
            row: events for row, events in rows.items() if events
        }

    @each
    def test_every_state_has_an_end_or_a_reason(self, row):
        """An event removes the tag, unless the row says why the tag is permanent."""
        assert bool(row.removes_on) != bool(row.permanent_reason)

    def test_permanent_rows(self):
        """Two tags are permanent."""
        assert ["auto.purchase_chargeback", "auto.free_student"] == [
            row.id for row in AUTOMATIC if row.permanent_reason
        ]

    def test_ends_of_a_charge(self):
        """Each event that ends something in the catalogue ends a charge, as success does."""
        ends = {event.name for event in HOTMART.events if event.ends}
        assert {*ends, "purchase.approved", "purchase.completed"} == set(CHARGE_ENDS)

    @pytest.mark.parametrize("id", TEMPORARY)
    @pytest.mark.parametrize("event", CHARGE_ENDS)
    def test_temporary_states_end_with_the_charge(self, id, event):
        """However a charge ends, nothing temporary that was announced about it is left."""
        (row,) = (row for row in AUTOMATIC if row.id == f"auto.{id}")
        assert event in row.removes_on

    @each
    def test_tag_of_a_product(self, row):
        """Each product has its own tag, under the reserved prefix."""
        assert f"auto:{row.tag_key}:42" == row.tag_for("42")

    @each
    def test_events_are_in_the_catalogue(self, row):
        """Each event in the row is in the built-in catalogue."""
        events = row.adds_on + row.removes_on + row.removes_on_first_charge
        assert [] == [name for name in events if HOTMART.event(name) is None]

    @each
    def test_no_event_does_both(self, row):
        """No event both adds and removes a tag."""
        assert set() == set(row.adds_on) & {*row.removes_on, *row.removes_on_first_charge}

    def test_names(self):
        """A row has a name that a dashboard can show."""
        assert ("Cart abandonment", "Inactive 7 days") == (AUTOMATIC[0].name, AUTOMATIC[11].name)

    def test_the_id_of_capture_is_not_a_row(self):
        """The id of the automatic `AddLead` belongs to no segmentation."""
        assert CAPTURE_ID not in {row.id for row in AUTOMATIC}


class TestFirstCharge:
    """Which events are about the first charge of a subscription."""

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"recurrence_number": 1}, True),
            ({"recurrence_number": 2}, False),
            ({"recurrence_number": 0}, False),
            ({"recurrence_number": True}, False),
            ({"recurrence_number": Decimal(1)}, False),
            ({"recurrence_number": "1"}, False),
            ({}, False),
        ],
    )
    def test_is_first_charge(self, facts, expected):
        """The recurrence number must be known, an integer, and 1."""
        event = Event(
            "purchase.approved",
            id="e",
            product_id="42",
            contact=None,
            occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
            facts=facts,
        )
        assert expected is is_first_charge(event)


def _subclass():
    type("Mine", (AutomaticSegmentation,), {})


class TestImmutable:
    """Automatic segmentations cannot be made or changed."""

    @pytest.mark.parametrize(
        "attempt",
        [
            AutomaticSegmentation,
            lambda: AutomaticSegmentation("auto.mine", "mine", (), ()),
            lambda: attrs.evolve(AUTOMATIC[0], **MINE),
            lambda: attrs.evolve(AUTOMATIC[0]),
            _subclass,
        ],
        ids=["bare", "with-fields", "evolve", "evolve-nothing", "subclass"],
    )
    def test_making_one(self, attempt):
        """Building, evolving and subclassing are refused."""
        with pytest.raises(AutomaticSegmentationError) as caught:
            attempt()
        assert "automatic_segmentation" == caught.value.code

    @pytest.mark.parametrize("field", ["id", "tag_key", "adds_on", "removes_on", "name", "other"])
    def test_setting_a_field(self, field):
        """No field can be set or added."""
        with pytest.raises(AttributeError):
            setattr(AUTOMATIC[0], field, "x")

    @pytest.mark.parametrize("field", ["id", "tag_key", "adds_on", "removes_on"])
    def test_deleting_a_field(self, field):
        """No field can be deleted."""
        with pytest.raises(AttributeError):
            delattr(AUTOMATIC[0], field)

    @each
    @pytest.mark.parametrize(
        "again",
        [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))],
        ids=["copy", "deepcopy", "pickle"],
    )
    def test_copies_are_the_same(self, row, again):
        """Copy and pickle return the same built-in."""
        assert row is again(row)

    def test_comparable_and_hashable(self):
        """The rows are distinct values."""
        assert len(AUTOMATIC) == len(set(AUTOMATIC))


class TestReservedTags:
    """Only automatic segmentations use tags that begin with `auto:`."""

    @pytest.mark.parametrize("tag", ["auto:x", " auto:x", "AUTO:x", "Auto:", "\tauto:waitlist:42"])
    def test_reserved(self, tag):
        """Case and blanks around the tag are ignored."""
        assert is_reserved_tag(tag)

    @pytest.mark.parametrize("tag", ["auto", "auto x", "my auto:x", "automatic:x", ""])
    def test_free(self, tag):
        """Other tags are free."""
        assert not is_reserved_tag(tag)

    @each
    def test_own_tags_are_reserved(self, row):
        """Each automatic tag is reserved, for any product."""
        assert is_reserved_tag(row.tag_for("42"))
