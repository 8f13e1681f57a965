from datetime import UTC, datetime

import pytest

from listboss import AddLead, AddTag, Place
from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.provider import Call
from listboss.send import Origin, Send

ANA, BRUNO, CARLA = "ana@example.com", "bruno@example.com", "carla@example.com"


def emails(leads):
    """The addresses, in order."""
    return [lead.email for lead in leads]


class TestQueries:
    """Queries for hosts."""

    @pytest.fixture(autouse=True)
    def _three(self, do, clock):
        do(AddTag("auto:waitlist:42"), ANA, automatic=True)
        clock.turn(hours=1)
        do(AddTag("buyer"), BRUNO)
        do(AddTag("Buyer"), ANA)
        do(AddLead("Course"), CARLA, automatic=True)

    def test_all(self, send):
        """Contacts are listed in the order of arrival."""
        assert [ANA, BRUNO, CARLA] == emails(send.contacts())

    def test_by_tag(self, send):
        """A tag lists its contacts."""
        assert [ANA] == emails(send.contacts("auto:waitlist:42"))

    def test_by_tag_folded(self, send):
        """Tags are compared without case and outer blanks."""
        assert [ANA, BRUNO] == emails(send.contacts(tag=" BUYER"))

    def test_by_origin(self, send):
        """Captured contacts can be listed apart from others."""
        assert [ANA, CARLA] == emails(send.contacts(origin=Origin.AUTO))
        assert [BRUNO] == emails(send.contacts(origin=Origin.OWN))

    def test_by_both(self, send):
        """A contact must match both the tag and the origin."""
        assert [ANA] == emails(send.contacts("buyer", Origin.AUTO))

    @pytest.mark.parametrize("tag", ["refunded", "", "buy%", "buyer' OR 1=1 --"])
    def test_by_unused_tag(self, send, tag):
        """A tag without contacts lists nothing."""
        assert () == send.contacts(tag)

    def test_tags(self, send):
        """Every tag in use has its count, automatic tags included."""
        assert {"auto:waitlist:42": 1, "buyer": 2} == send.tags()

    def test_places(self, send):
        """Every place in use has its count."""
        assert {Place(list="Course"): 1} == send.places()

    def test_since(self, send):
        """A contact has the time at which it was created."""
        assert datetime(2026, 5, 4, 12, tzinfo=UTC) == send.contact("Ana@Example.com").since

    def test_unknown_contact(self, send):
        """An unknown contact has no lead, tags or places."""
        nobody = "nobody@example.com"
        assert (None, (), ()) == (send.contact(nobody), send.tags(nobody), send.places(nobody))

    def test_repr_is_masked(self, send):
        """The repr of a contact shows no e-mail."""
        assert "ana@" not in repr(send.contacts())


class TestErase:
    """Erasing a contact."""

    def test_everything(self, send, do):
        """An erased contact is gone with its tags, places and data."""
        do(AddTag("buyer"), ANA, name="Ana")
        do(AddLead("Course"), ANA)
        assert True is send.erase("ANA@example.com")
        assert ((), {}, {}) == (send.contacts(), send.tags(), send.places())

    def test_others_stay(self, send, do):
        """Erasing one contact keeps the others."""
        do(AddTag("buyer"), ANA)
        do(AddTag("buyer"), BRUNO)
        send.erase(ANA)
        assert {"buyer": 1} == send.tags()

    def test_unknown(self, send):
        """Erasing an unknown contact returns False."""
        assert False is send.erase(ANA)

    def test_repeated_action(self, send, planned):
        """A repeated action does not create an erased contact again."""
        action = planned(AddTag("buyer"))
        send.apply(action, Call())
        send.erase(ANA)
        send.apply(action, Call(attempt=2))
        assert () == send.contacts()


class TestLeadLimit:
    """The lead limit."""

    @pytest.fixture
    def limited(self, clock):
        """A store with a limit of two contacts."""
        with Send(":memory:", lead_limit=2, clock=clock) as store:
            yield store

    def test_automatic_contacts_count(self, limited, planned):
        """Captured contacts count toward the lead limit."""
        limited.apply(planned(AddLead(), ANA, automatic=True), Call())
        assert 1 == limited.remaining

    def test_beyond_the_limit(self, limited, planned):
        """Contacts beyond the limit are listed with their tags and are not sendable."""
        for email in (ANA, BRUNO, CARLA):
            limited.apply(planned(AddTag("buyer"), email), Call())
        assert [(ANA, True), (BRUNO, True), (CARLA, False)] == [
            (lead.email, lead.sendable) for lead in limited.contacts("buyer")
        ]
        assert 0 == limited.remaining

    def test_room_is_made(self, limited, planned):
        """When a contact is erased, the next in order of arrival becomes sendable."""
        for email in (ANA, BRUNO, CARLA):
            limited.apply(planned(AddLead(), email), Call())
        limited.erase(ANA)
        assert [True, True] == [lead.sendable for lead in limited.contacts()]

    def test_no_limit(self, send, do):
        """Without a limit, `remaining` is None and every contact is sendable."""
        do(AddLead())
        assert (None, True) == (send.remaining, send.contact(ANA).sendable)

    def test_limit_of_zero(self, planned):
        """With a limit of zero no contact is sendable."""
        with Send(":memory:", lead_limit=0) as store:
            store.apply(planned(AddLead()), Call())
            assert [False] == [lead.sendable for lead in store.contacts()]

    def test_figures_of_the_help_page(self, planned):
        """With a limit of 5,000 and 1,000 captured, 4,000 remain."""
        with Send(":memory:", lead_limit=5000) as store:
            for n in range(1000):
                action = planned(AddLead(), f"lead{n}@example.com", automatic=True)
                store.apply(action, Call())
            assert 4000 == store.remaining

    def test_negative(self):
        """A negative limit is refused."""
        with pytest.raises(ConfigurationError):
            Send(":memory:", lead_limit=-1)

    @pytest.mark.parametrize("limit", ["5000", True, 1.5])
    def test_wrong_type(self, limit):
        """A limit must be an integer."""
        with pytest.raises(ArgumentTypeError):
            Send(":memory:", lead_limit=limit)
