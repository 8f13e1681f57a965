"""Automations, lead limit, AUTO label, dashboard and history: statements N1 to N5, H1, H2."""

from datetime import timedelta

import attrs
import pytest

from listboss import AUTOMATIC, AddTag, Contact
from listboss.delivery import DeliveryStatus, Status
from listboss.send import Automation, Origin, Step

CART = "auto:cart-abandonment:course"
RECOVERY = Automation("Cart recovery", [CART], steps=Step("come-back", subject="Your cart"))


def _people(make_event, number, name="purchase.approved"):
    return [
        make_event(name, id=f"e-{n}", contact=Contact(f"{n:05}@example.com")) for n in range(number)
    ]


class TestN1Automations:
    """N1: Automations send e-mail; tags on contacts trigger them; they must be configured and
    published by the user.
    """

    def _due(self, host, make_event, *automations):
        shop = host(capture_provider="mail")
        for automation in automations:
            shop.send.save(automation)
        shop.handle(make_event("purchase.cart_abandoned"))
        return [(message.email, message.message) for message in shop.send.due(shop.now)]

    def test_a_tag_triggers_it(self, host, make_event):
        """If it is published, its message is due for a contact that gets the tag."""
        published = attrs.evolve(RECOVERY, published=True)
        assert [("ana@example.com", "come-back")] == self._due(host, make_event, published)

    def test_not_published(self, host, make_event):
        """If it is configured but not published, no message is due."""
        assert [] == self._due(host, make_event, RECOVERY)

    def test_not_configured(self, host, make_event):
        """Without an automation, a tag makes no message due."""
        assert [] == self._due(host, make_event)

    def test_another_tag(self, host, make_event):
        """Another tag does not trigger it."""
        other = attrs.evolve(RECOVERY, tags=["auto:free-student:course"], published=True)
        assert [] == self._due(host, make_event, other)

    def test_delay(self, host, make_event):
        """A message is due once its delay has passed, until the mailer reports it as sent."""
        shop = host(capture_provider="mail")
        later = Step("later", delay=timedelta(days=1))
        shop.send.save(attrs.evolve(RECOVERY, steps=later, published=True))
        shop.handle(make_event("purchase.cart_abandoned"))
        now, then = shop.send.due(shop.now), shop.send.due(shop.now + timedelta(days=1))
        shop.send.done(then[0].id)
        assert ((), ["later"], ()) == (
            now,
            [message.message for message in then],
            shop.send.due(shop.now + timedelta(days=1)),
        )


class TestN2LeadLimit:
    """N2: Leads captured automatically count toward the plan's lead limit: with a limit of 5,000
    and 1,000 captured, 4,000 remain.
    """

    def test_the_example(self, host, make_event):
        """With 1,000 captured contacts and a limit of 5,000, 4,000 leads are left."""
        shop = host(lead_limit=5_000, capture_provider="mail")
        shop.handle(*_people(make_event, 1_000, "waitlist.joined"))
        assert (1_000, 4_000) == (
            len(shop.send.contacts(origin=Origin.AUTO)),
            shop.send.remaining,
        )

    def test_other_leads_count_too(self, host, rule, make_event):
        """Contacts that a custom segmentation added count as well."""
        shop = host(rule("r", AddTag("x")), lead_limit=5)
        shop.handle(*_people(make_event, 2))
        assert 3 == shop.send.remaining


class TestN3BeyondTheLimit:
    """N3: Contacts beyond the limit stay visible and receive no sends, in campaigns or
    automations.
    """

    def _shop(self, host, make_event):
        shop = host(lead_limit=2, capture_provider="mail")
        shop.send.save(attrs.evolve(RECOVERY, published=True))
        shop.handle(*_people(make_event, 3, "purchase.cart_abandoned"))
        return shop

    def test_visible(self, host, make_event):
        """With a limit of two, all three contacts are listed with their tags."""
        shop = self._shop(host, make_event)
        assert ([(CART,)] * 3, 0) == (
            [lead.tags for lead in shop.send.contacts()],
            shop.send.remaining,
        )

    def test_no_campaigns(self, host, make_event):
        """The third contact is marked as one that receives nothing."""
        shop = self._shop(host, make_event)
        assert [True, True, False] == [lead.sendable for lead in shop.send.contacts()]

    def test_no_automations(self, host, make_event):
        """Messages of automations are due only for the first two contacts."""
        shop = self._shop(host, make_event)
        assert ["00000@example.com", "00001@example.com"] == [
            message.email for message in shop.send.due(shop.now)
        ]


class TestN4AutoLabel:
    """N4: Automatically captured contacts show the AUTO label next to their e-mail."""

    def test_captured(self, host, make_event):
        """A contact that capture added has the label."""
        shop = host(capture_provider="mail")
        shop.handle(make_event())
        assert [("ana@example.com", "AUTO")] == [
            (lead.email, lead.label) for lead in shop.send.contacts()
        ]

    def test_not_captured(self, host, rule, make_event):
        """A contact that a custom segmentation added does not have the label."""
        shop = host(rule("r", AddTag("x")))
        shop.handle(make_event())
        assert [""] == [lead.label for lead in shop.send.contacts()]


class TestN5LeadsOfATag:
    """N5: From an automatic tag one can list the leads that have it."""

    @pytest.mark.parametrize("row", AUTOMATIC, ids=lambda row: row.id)
    def test_listed(self, host, make_event, row):
        """Exactly the contacts for whom the event occurred are listed."""
        shop = host(capture_provider="mail")
        tagged = make_event(row.adds_on[0], contact=Contact("bia@example.com"))
        shop.handle(make_event("product.rated"), tagged)
        assert ["bia@example.com"] == [
            lead.email for lead in shop.send.contacts(tag=row.tag_for("course"))
        ]


class TestH1Dashboard:
    """H1: Automatic segmentations of a product show on that product's dashboard."""

    def test_shown(self, rule_set):
        """The dashboard of each approved product has all of them."""
        rules = rule_set(capture_provider="mail")
        assert [list(AUTOMATIC)] * 4 == [
            [entry.segmentation for entry in rules.for_product(product.id)]
            for product in rules.products
        ]

    def test_unknown_product(self, rule_set):
        """The dashboard of an unknown product is empty."""
        assert () == rule_set(capture_provider="mail").for_product("other")


class TestH2History:
    """H2: Recorded events can be followed in the history of the product."""

    def test_actions(self, host, rule, make_event):
        """Each action has a record: time, contact, reasons, event, action and outcome."""
        shop = host(rule("r", AddTag("x")))
        shop.handle(make_event())
        (record,) = shop.journal.history("course")
        assert (
            shop.now,
            "ana@example.com",
            ("r",),
            "purchase.approved",
            AddTag("x"),
            Status.APPLIED,
            False,
        ) == (
            record.time,
            record.contact,
            record.segmentation_ids,
            record.event_name,
            record.action,
            record.status,
            record.is_test,
        )

    def test_events_without_actions(self, host, make_event):
        """An event that no rule matches has a record, too, with the reason."""
        shop = host()
        shop.handle(make_event())
        (record,) = shop.journal.history("course")
        assert (DeliveryStatus.IDLE, "no_rule", None) == (
            record.status,
            record.detail,
            record.action,
        )

    def test_order(self, host, rule, make_event):
        """The history of a product has only its own events, in the order of handling."""
        shop = host()
        names = ["purchase.cart_abandoned", "purchase.approved", "purchase.refunded"]
        shop.handle(*map(make_event, names), make_event("webinar.ended", product_id="talk"))
        assert names == [record.event_name for record in shop.journal.history("course")]
