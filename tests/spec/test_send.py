"""Automations, the lead limit, the AUTO label, dashboard and history: N1 to N5, H1 and H2."""

from datetime import timedelta

import attrs
import pytest

from listboss import AUTOMATIC, AddTag, Contact
from listboss.delivery import DeliveryStatus, Status
from listboss.send import Automation, Origin, Step

CART = "auto:cart-abandonment:course"
RECOVERY = Automation("Cart recovery", [CART], steps=Step("come-back", subject="Your cart"))


def _people(happens, number, name="purchase.approved"):
    return [
        happens(name, id=f"e-{n}", contact=Contact(f"{n:05}@example.com")) for n in range(number)
    ]


class TestN1Automations:
    """N1: Automations send e-mail; tags on contacts trigger them; they must be configured and
    published by the user.
    """

    def _due(self, host, happens, *automations):
        shop = host(capture_provider="mail")
        for automation in automations:
            shop.send.save(automation)
        shop.handle(happens("purchase.cart_abandoned"))
        return [(message.email, message.message) for message in shop.send.due(shop.now)]

    def test_a_tag_triggers_it(self, host, happens):
        """A published one has its message due for the contact that got the tag."""
        published = attrs.evolve(RECOVERY, published=True)
        assert [("ana@example.com", "come-back")] == self._due(host, happens, published)

    def test_unpublished_it_sends_nothing(self, host, happens):
        """Configured but not published, it does nothing."""
        assert [] == self._due(host, happens, RECOVERY)

    def test_not_configured_there_is_none(self, host, happens):
        """Tags alone send nothing."""
        assert [] == self._due(host, happens)

    def test_another_tag_does_not_trigger_it(self, host, happens):
        """Only its own tags start it."""
        other = attrs.evolve(RECOVERY, tags=["auto:free-student:course"], published=True)
        assert [] == self._due(host, happens, other)

    def test_steps_come_in_their_time(self, host, happens):
        """A step is due when its delay has passed, until the mailer has sent it."""
        shop = host(capture_provider="mail")
        later = Step("later", delay=timedelta(days=1))
        shop.send.save(attrs.evolve(RECOVERY, steps=later, published=True))
        shop.handle(happens("purchase.cart_abandoned"))
        now, then = shop.send.due(shop.now), shop.send.due(shop.now + timedelta(days=1))
        shop.send.done(then[0].id)
        assert ((), ["later"], ()) == (
            now,
            [message.message for message in then],
            shop.send.due(shop.now + timedelta(days=1)),
        )


class TestN2LeadLimit:
    """N2: Leads caught by capture count toward the plan's lead limit: with a limit of 5,000 and
    1,000 captured, 4,000 remain.
    """

    def test_the_example(self, host, happens):
        """A thousand people interact."""
        shop = host(lead_limit=5_000, capture_provider="mail")
        shop.handle(*_people(happens, 1_000, "waitlist.joined"))
        assert (1_000, 4_000) == (
            len(shop.send.contacts(origin=Origin.AUTO)),
            shop.send.remaining,
        )

    def test_own_leads_count_alike(self, host, rule, happens):
        """So do contacts of custom segmentations."""
        shop = host(rule("r", AddTag("x")), lead_limit=5)
        shop.handle(*_people(happens, 2))
        assert 3 == shop.send.remaining


class TestN3BeyondTheLimit:
    """N3: Contacts beyond the limit stay visible and receive no sends, in campaigns or
    automations.
    """

    def _shop(self, host, happens):
        shop = host(lead_limit=2, capture_provider="mail")
        shop.send.save(attrs.evolve(RECOVERY, published=True))
        shop.handle(*_people(happens, 3, "purchase.cart_abandoned"))
        return shop

    def test_visible(self, host, happens):
        """All three are listed, with their tags, and none is left."""
        shop = self._shop(host, happens)
        assert ([(CART,)] * 3, 0) == (
            [lead.tags for lead in shop.send.contacts()],
            shop.send.remaining,
        )

    def test_no_campaigns(self, host, happens):
        """The third is marked as not to be sent to."""
        shop = self._shop(host, happens)
        assert [True, True, False] == [lead.sendable for lead in shop.send.contacts()]

    def test_no_automations(self, host, happens):
        """Messages are due for the first two."""
        shop = self._shop(host, happens)
        assert ["00000@example.com", "00001@example.com"] == [
            message.email for message in shop.send.due(shop.now)
        ]


class TestN4AutoLabel:
    """N4: Automatically captured contacts show the AUTO label next to their e-mail."""

    def test_captured(self, host, happens):
        """A contact that capture brought in shows it."""
        shop = host(capture_provider="mail")
        shop.handle(happens())
        assert [("ana@example.com", "AUTO")] == [
            (lead.email, lead.label) for lead in shop.send.contacts()
        ]

    def test_others_do_not(self, host, rule, happens):
        """A contact of a custom segmentation does not."""
        shop = host(rule("r", AddTag("x")))
        shop.handle(happens())
        assert [""] == [lead.label for lead in shop.send.contacts()]


class TestN5LeadsOfATag:
    """N5: From an automatic tag one can list the leads that have it."""

    @pytest.mark.parametrize("row", AUTOMATIC, ids=lambda row: row.id)
    def test_listed(self, host, happens, row):
        """Those for whom the event occurred, and no others."""
        shop = host(capture_provider="mail")
        tagged = happens(row.adds_on[0], contact=Contact("bia@example.com"))
        shop.handle(happens("product.rated"), tagged)
        assert ["bia@example.com"] == [
            lead.email for lead in shop.send.contacts(tag=row.tag_for("course"))
        ]


class TestH1Dashboard:
    """H1: Automatic segmentations of a product show on that product's dashboard."""

    def test_shown(self, rule_set):
        """All of them, on each approved product."""
        rules = rule_set(capture_provider="mail")
        assert [list(AUTOMATIC)] * 4 == [
            [entry.segmentation for entry in rules.for_product(product.id)]
            for product in rules.products
        ]

    def test_not_on_an_unknown_product(self, rule_set):
        """There is no dashboard of a product that is not there."""
        assert () == rule_set(capture_provider="mail").for_product("other")


class TestH2History:
    """H2: Recorded events can be followed in the history of the product."""

    def test_what_was_done(self, host, rule, happens):
        """Each action has its line: when, for whom, why, what, and how it went."""
        shop = host(rule("r", AddTag("x")))
        shop.handle(happens())
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

    def test_what_asked_for_nothing(self, host, happens):
        """An event without any rule is recorded too, with the reason."""
        shop = host()
        shop.handle(happens())
        (record,) = shop.journal.history("course")
        assert (DeliveryStatus.IDLE, "no_rule", None) == (
            record.status,
            record.detail,
            record.action,
        )

    def test_in_order_and_by_product(self, host, rule, happens):
        """The events of the product, in the order in which they were handled, and no others."""
        shop = host()
        names = ["purchase.cart_abandoned", "purchase.approved", "purchase.refunded"]
        shop.handle(*map(happens, names), happens("webinar.ended", product_id="talk"))
        assert names == [record.event_name for record in shop.journal.history("course")]
