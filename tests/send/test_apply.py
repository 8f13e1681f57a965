from datetime import UTC, datetime
from decimal import Decimal

import pytest

from listboss import AddLead, AddTag, MoveLead, Place, ProviderAction, RemoveLead, RemoveTag
from listboss.provider import Applied, Call, NoChange, Refused, RefusedKind
from listboss.rules._mapping import FrozenMap
from listboss.rules.event import FactValue
from listboss.send import Origin

ANA = "ana@example.com"


class TestTags:
    """Tags on contacts."""

    def test_add(self, send, do):
        """Adding a tag creates an unknown contact."""
        assert Applied() == do(AddTag("buyer"))
        assert ("buyer",) == send.tags(ANA)

    def test_add_twice(self, do):
        """Adding an equal tag again changes nothing."""
        do(AddTag("buyer"))
        assert NoChange() == do(AddTag(" BUYER "))

    def test_first_spelling(self, send, do):
        """A tag is shown as it was first written."""
        do(AddTag("Buyer"))
        do(AddTag("buyer"), "bruno@example.com")
        assert {"Buyer": 2} == send.tags()

    def test_remove(self, send, do):
        """A removed tag is gone from the contact and from the counts."""
        do(AddTag("buyer"))
        assert Applied() == do(RemoveTag("Buyer"))
        assert ((), {}) == (send.tags(ANA), send.tags())

    def test_remove_what_is_not_there(self, do):
        """Removing a missing tag is not an error."""
        do(AddLead())
        assert NoChange() == do(RemoveTag("buyer"))

    def test_remove_from_unknown_contact(self, send, do):
        """Removing a tag from an unknown contact creates no contact."""
        assert NoChange() == do(RemoveTag("buyer"))
        assert () == send.contacts()

    @pytest.mark.parametrize("tag", ["auto:free-student:42", "AUTO:x"])
    @pytest.mark.parametrize("kind", [AddTag, RemoveTag])
    def test_reserved(self, send, do, kind, tag):
        """The user's own rules cannot add or remove automatic tags."""
        do(AddTag(tag), automatic=True)
        outcome = do(kind(tag))
        assert isinstance(outcome, Refused)
        assert RefusedKind.CONFIGURATION is outcome.kind
        assert (tag,) == send.tags(ANA)

    def test_reserved_by_automatic(self, send, do):
        """Automatic segmentations can add and remove automatic tags."""
        do(AddTag("auto:waitlist:42"), automatic=True)
        assert Applied() == do(RemoveTag("auto:waitlist:42"), automatic=True)
        assert () == send.tags(ANA)


class TestPlaces:
    """Leads and their places."""

    def test_add_to_base(self, send, do):
        """A lead without a place is only in the contact base."""
        assert Applied() == do(AddLead())
        assert () == send.places(ANA)

    def test_add(self, send, do):
        """A lead can be at several places."""
        do(AddLead("Buyers"))
        assert Applied() == do(AddLead(Place(machine="7", level="1")))
        assert {Place(list="Buyers"), Place(machine="7", level="1")} == set(send.places(ANA))

    def test_add_twice(self, do):
        """Adding a lead to an equal place again changes nothing."""
        do(AddLead("Buyers"))
        assert NoChange() == do(AddLead(" buyers"))

    def test_move(self, send, do):
        """A move removes the lead from its source and adds it to its target."""
        do(AddLead("Prospects"))
        assert Applied() == do(MoveLead("Customers", source="prospects"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_move_leaves_other_places(self, send, do):
        """A move from one source keeps the other places of the lead."""
        do(AddLead("Prospects"))
        do(AddLead("Webinar"))
        do(MoveLead("Customers", source="Prospects"))
        assert {Place(list="Customers"): 1, Place(list="Webinar"): 1} == send.places()

    def test_move_without_source(self, send, do):
        """A move without a source removes the lead from every other place."""
        do(AddLead("Prospects"))
        do(AddLead("Webinar"))
        assert Applied() == do(MoveLead("Customers"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_move_to_source(self, send, do):
        """A move whose target is its source changes nothing."""
        do(AddLead("Customers"))
        assert NoChange() == do(MoveLead("customers", source="Customers"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_absent_is_added(self, send, do):
        """With `if_absent="add"` a lead that is not at the source is added to the target."""
        assert Applied() == do(MoveLead("Customers", source="Prospects"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_absent_is_skipped(self, send, do):
        """With `if_absent="skip"` a lead that is not at the source is unchanged."""
        do(AddLead("Webinar"))
        move = MoveLead("Customers", source="Prospects", if_absent="skip")
        assert NoChange() == do(move, name="Ana")
        assert ((Place(list="Webinar"),), None) == (send.places(ANA), send.contact(ANA).name)

    def test_skip_creates_no_contact(self, send, do):
        """A skipped move of an unknown contact creates no contact."""
        assert NoChange() == do(MoveLead("Customers", if_absent="skip"))
        assert () == send.contacts()

    def test_remove(self, send, do):
        """A removed lead leaves the place and stays in the contact base."""
        do(AddLead("Prospects"))
        assert Applied() == do(RemoveLead("prospects"))
        assert ((), ANA) == (send.places(ANA), send.contact(ANA).email)

    def test_remove_what_is_not_there(self, send, do):
        """Removing a lead that is not at the place is not an error and creates no contact."""
        assert NoChange() == do(RemoveLead("Prospects"))
        assert () == send.contacts()


class TestIntegrationTests:
    """Integration tests."""

    @pytest.mark.parametrize(
        "action",
        [
            MoveLead("Customers", source="Prospects"),
            MoveLead("Customers", source="Prospects", if_absent="skip"),
            MoveLead("Customers"),
            RemoveLead("Prospects"),
        ],
    )
    def test_lead_must_be_at_source(self, send, do, action):
        """A test of a move or removal fails unless the lead is at the source."""
        outcome = do(action, is_test=True)
        assert isinstance(outcome, Refused)
        assert RefusedKind.CONTACT is outcome.kind
        assert () == send.contacts()

    @pytest.mark.parametrize(
        "action", [MoveLead("Customers", source="Prospects"), RemoveLead("Prospects")]
    )
    def test_lead_is_at_source(self, do, action):
        """A test of a move or removal succeeds if the lead is at the source."""
        do(AddLead("Prospects"))
        assert Applied() == do(action, is_test=True)

    @pytest.mark.parametrize("action", [AddTag("buyer"), AddLead("Buyers")])
    def test_dummy_data_arrive(self, send, do, action):
        """Other tests are written to the store with their dummy data."""
        assert Applied() == do(action, is_test=True, name="Test")
        assert "Test" == send.contact(ANA).name

    def test_missing_tag_is_no_failure(self, do):
        """A test that removes a missing tag does not fail."""
        assert NoChange() == do(RemoveTag("buyer"), is_test=True)


class TestData:
    """The data sent by rules."""

    DATA = FrozenMap[str, FactValue](
        {
            "name": "Ana",
            "price": Decimal("49.90"),
            "installments": 12,
            "is_order_bump": True,
            "purchase_date": datetime(2026, 5, 4, 12, 30, 0, 123456, tzinfo=UTC),
            "decimal": "a fact with this name",
        }
    )

    def test_every_kind(self, send, do):
        """Data are read back as they were, with their types."""
        do(AddLead(), **self.DATA)
        assert self.DATA == send.contact(ANA).data

    def test_absent_data_stay(self, send, do):
        """Fields that an action does not send are kept."""
        do(AddLead(), name="Ana", phone="5511999990000")
        do(AddTag("buyer"), name="Ana Souza")
        assert {"name": "Ana Souza", "phone": "5511999990000"} == send.contact(ANA).data

    def test_email_is_not_in_data(self, send, do):
        """The e-mail is not repeated in the data."""
        do(AddLead(), email=ANA)
        assert {} == send.contact(ANA).data

    @pytest.mark.parametrize("action", [AddLead(), AddTag("t")])
    def test_new_data_are_a_change(self, do, action):
        """An action that only changes the data is applied."""
        do(AddTag("t"))
        assert Applied() == do(action, name="Ana")
        assert NoChange() == do(action, name="Ana")

    @pytest.mark.parametrize("action", [RemoveTag("u"), RemoveLead("v")])
    def test_no_data_with_a_removal_of_nothing(self, send, do, action):
        """A removal that removes nothing drops its data."""
        do(AddTag("t"))
        assert NoChange() == do(action, name="Ana")
        assert {} == send.contact(ANA).data

    def test_equal_data_of_another_type(self, send, do):
        """A boolean is different from the number 1."""
        do(AddLead(), fact=1)
        assert Applied() == do(AddLead(), fact=True)
        assert True is send.contact(ANA).data["fact"]

    def test_refused_drops_data(self, send, do):
        """A refused action does not change the data."""
        do(AddLead())
        do(AddTag("auto:x"), name="Ana")
        assert {} == send.contact(ANA).data


class TestIdentity:
    """Which addresses are the same contact."""

    @pytest.mark.parametrize("email", ["ANA@Example.com", " ana@example.com"])
    def test_spellings(self, send, do, email):
        """Spellings of one address are one contact, shown as first written."""
        do(AddTag("a"))
        do(AddTag("b"), email)
        assert [(ANA, ("a", "b"))] == [(lead.email, lead.tags) for lead in send.contacts()]

    @pytest.mark.parametrize(
        ("one", "other"),
        [("ana@stra\u00dfe.example", "ana@XN--STRAE-OQA.example"),
         ("ana@cafe\u0301.example", "ana@CAF\u00c9.example")],
    )  # fmt: skip
    def test_domains(self, send, do, one, other):
        """A domain is one however it is written: encoded, composed or in upper case."""
        do(AddTag("a"), one)
        assert ("a",) == send.tags(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("mi\u212ae@example.com", "mike@example.com"),
         ("stra\u00dfe@example.com", "strasse@example.com")],
    )  # fmt: skip
    def test_people(self, send, do, one, other):
        """Local parts that differ by more than the case of ASCII letters are two people."""
        do(AddTag("a"), one)
        assert send.contact(other) is None


class TestOrigin:
    """The origin of a contact."""

    def test_automatic_first(self, send, do):
        """A contact created by capture keeps the label AUTO."""
        do(AddLead(), automatic=True)
        do(AddTag("buyer"))
        lead = send.contact(ANA)
        assert (Origin.AUTO, "AUTO") == (lead.origin, lead.label)

    def test_own_first(self, send, do):
        """A contact created by a custom rule gets no label from a later capture."""
        do(AddTag("buyer"))
        do(AddLead(), automatic=True)
        lead = send.contact(ANA)
        assert (Origin.OWN, "") == (lead.origin, lead.label)


class TestIdempotency:
    """Actions repeated with the same id."""

    def test_same_id(self, send, planned):
        """An action repeated with its id is done once and returns the first outcome."""
        action = planned(AddTag("buyer"))
        first = send.apply(action, Call())
        send.apply(planned(RemoveTag("buyer")), Call())
        assert (Applied(), Applied()) == (first, send.apply(action, Call(attempt=2)))
        assert () == send.tags(ANA)

    def test_same_id_without_change(self, send, planned):
        """An action that changed nothing changes nothing when it is repeated."""
        action = planned(RemoveTag("buyer"))
        send.apply(action, Call())
        send.apply(planned(AddTag("buyer")), Call())
        assert NoChange() == send.apply(action, Call(attempt=2))
        assert ("buyer",) == send.tags(ANA)

    def test_refused_can_be_repeated(self, send, planned):
        """A refused action was not done, so it can succeed later with the same id."""
        action = planned(RemoveLead("Prospects"))
        refused = send.apply(action, Call(is_test=True))
        send.apply(planned(AddLead("Prospects")), Call())
        assert isinstance(refused, Refused)
        assert Applied() == send.apply(action, Call(is_test=True))


def test_provider_actions(do):
    """Provider actions are refused."""
    outcome = do(ProviderAction("acme.enrol", {"course": "welcome"}))
    assert isinstance(outcome, Refused)
    assert RefusedKind.CONFIGURATION is outcome.kind


def test_capabilities(send):
    """The store does all tag and lead actions natively, idempotently and with any data."""
    capabilities = send.capabilities
    assert ("add_tag", "remove_tag", "add_lead", "move_lead", "remove_lead") == (
        capabilities.kinds()
    )
    assert (True, None) == (capabilities.idempotent, capabilities.data)
