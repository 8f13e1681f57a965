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
        """A tag put on an unknown contact brings the contact in."""
        assert Applied() == do(AddTag("buyer"))
        assert ("buyer",) == send.tags(ANA)

    def test_add_twice(self, do):
        """A tag that is there changes nothing, however it is spelled."""
        do(AddTag("buyer"))
        assert NoChange() == do(AddTag(" BUYER "))

    def test_first_spelling(self, send, do):
        """A tag shows as it was first written."""
        do(AddTag("Buyer"))
        do(AddTag("buyer"), "bruno@example.com")
        assert {"Buyer": 2} == send.tags()

    def test_remove(self, send, do):
        """A tag that is taken off is gone, and so is its count."""
        do(AddTag("buyer"))
        assert Applied() == do(RemoveTag("Buyer"))
        assert ((), {}) == (send.tags(ANA), send.tags())

    def test_remove_what_is_not_there(self, do):
        """To take off a tag that is not there is no error."""
        do(AddLead())
        assert NoChange() == do(RemoveTag("buyer"))

    def test_remove_from_nobody(self, send, do):
        """To take a tag off an unknown contact brings nobody in."""
        assert NoChange() == do(RemoveTag("buyer"))
        assert () == send.contacts()

    @pytest.mark.parametrize("tag", ["auto:free-student:42", " AUTO:x"])
    @pytest.mark.parametrize("kind", [AddTag, RemoveTag])
    def test_reserved(self, send, do, kind, tag):
        """Automatic tags cannot be put on or taken off by the user's own rules."""
        do(AddTag(tag), automatic=True)
        outcome = do(kind(tag))
        assert isinstance(outcome, Refused)
        assert RefusedKind.CONFIGURATION is outcome.kind
        assert (tag,) == send.tags(ANA)

    def test_reserved_by_automatic(self, send, do):
        """Automatic segmentations apply and remove automatic tags."""
        do(AddTag("auto:waitlist:42"), automatic=True)
        assert Applied() == do(RemoveTag("auto:waitlist:42"), automatic=True)
        assert () == send.tags(ANA)


class TestPlaces:
    """Leads and where they are."""

    def test_add_to_base(self, send, do):
        """A lead without a place stands in the contact base."""
        assert Applied() == do(AddLead())
        assert () == send.places(ANA)

    def test_add(self, send, do):
        """A lead may be at several places."""
        do(AddLead("Buyers"))
        assert Applied() == do(AddLead(Place(machine="7", level="1")))
        assert {Place(list="Buyers"), Place(machine="7", level="1")} == set(send.places(ANA))

    def test_add_twice(self, do):
        """A lead at its place stays there, however the place is spelled."""
        do(AddLead("Buyers"))
        assert NoChange() == do(AddLead(" buyers"))

    def test_move(self, send, do):
        """A move takes the lead out of its source and into its target."""
        do(AddLead("Prospects"))
        assert Applied() == do(MoveLead("Customers", source="prospects"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_move_leaves_other_places(self, send, do):
        """A move out of one source leaves the lead where else it is."""
        do(AddLead("Prospects"))
        do(AddLead("Webinar"))
        do(MoveLead("Customers", source="Prospects"))
        assert {Place(list="Customers"): 1, Place(list="Webinar"): 1} == send.places()

    def test_move_out_of_wherever(self, send, do):
        """A move without a source takes the lead out of every place."""
        do(AddLead("Prospects"))
        do(AddLead("Webinar"))
        assert Applied() == do(MoveLead("Customers"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_move_to_where_it_is(self, send, do):
        """A move whose target is the source changes nothing."""
        do(AddLead("Customers"))
        assert NoChange() == do(MoveLead("customers", source="Customers"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_absent_is_added(self, send, do):
        """A lead that is not at the source is added to the target, if the rule says so."""
        assert Applied() == do(MoveLead("Customers", source="Prospects"))
        assert (Place(list="Customers"),) == send.places(ANA)

    def test_absent_is_skipped(self, send, do):
        """A lead that is not at the source is left alone, if the rule says so."""
        do(AddLead("Webinar"))
        move = MoveLead("Customers", source="Prospects", if_absent="skip")
        assert NoChange() == do(move, name="Ana")
        assert ((Place(list="Webinar"),), None) == (send.places(ANA), send.contact(ANA).name)

    def test_skip_brings_nobody_in(self, send, do):
        """A skipped move of an unknown contact brings nobody in."""
        assert NoChange() == do(MoveLead("Customers", if_absent="skip"))
        assert () == send.contacts()

    def test_remove(self, send, do):
        """A removed lead is out of that place and stays in the contact base."""
        do(AddLead("Prospects"))
        assert Applied() == do(RemoveLead("prospects"))
        assert ((), ANA) == (send.places(ANA), send.contact(ANA).email)

    def test_remove_what_is_not_there(self, send, do):
        """To remove a lead from where it is not is no error, and brings nobody in."""
        assert NoChange() == do(RemoveLead("Prospects"))
        assert () == send.contacts()


class TestIntegrationTests:
    """Calls that are tests."""

    @pytest.mark.parametrize(
        "action",
        [
            MoveLead("Customers", source="Prospects"),
            MoveLead("Customers", source="Prospects", if_absent="skip"),
            MoveLead("Customers"),
            RemoveLead("Prospects"),
        ],
    )
    def test_lead_has_to_be_there(self, send, do, action):
        """A test of move or remove fails unless the lead is already at the source."""
        outcome = do(action, is_test=True)
        assert isinstance(outcome, Refused)
        assert RefusedKind.CONTACT is outcome.kind
        assert () == send.contacts()

    @pytest.mark.parametrize(
        "action", [MoveLead("Customers", source="Prospects"), RemoveLead("Prospects")]
    )
    def test_lead_is_there(self, do, action):
        """A test of move or remove succeeds with a lead at the source."""
        do(AddLead("Prospects"))
        assert Applied() == do(action, is_test=True)

    @pytest.mark.parametrize("action", [AddTag("buyer"), AddLead("Buyers")])
    def test_dummy_data_arrive(self, send, do, action):
        """Other tests really reach the store, with their dummy data."""
        assert Applied() == do(action, is_test=True, name="Test")
        assert "Test" == send.contact(ANA).name

    def test_missing_tag_is_no_failure(self, do):
        """A test that takes off a tag finds nothing to do where there is none."""
        assert NoChange() == do(RemoveTag("buyer"), is_test=True)


class TestData:
    """What the rules send."""

    DATA = FrozenMap[str, FactValue](
        {
            "name": "Ana",
            "price": Decimal("49.90"),
            "installments": 12,
            "is_order_bump": True,
            "purchase_date": datetime(2026, 5, 4, 12, 30, 0, 123456, tzinfo=UTC),
            "decimal": "a fact of that name",
        }
    )

    def test_every_kind(self, send, do):
        """Data come back as they were, each in its type."""
        do(AddLead(), **self.DATA)
        assert self.DATA == send.contact(ANA).data

    def test_absent_data_stay(self, send, do):
        """What an action does not send is left as it is, never emptied."""
        do(AddLead(), name="Ana", phone="5511999990000")
        do(AddTag("buyer"), name="Ana Souza")
        assert {"name": "Ana Souza", "phone": "5511999990000"} == send.contact(ANA).data

    def test_email_is_no_datum(self, send, do):
        """The e-mail is the contact, not one of its data."""
        do(AddLead(), email=ANA)
        assert {} == send.contact(ANA).data

    @pytest.mark.parametrize("action", [AddLead(), AddTag("t")])
    def test_new_data_are_a_change(self, do, action):
        """An action that only brings new data has changed something."""
        do(AddTag("t"))
        assert Applied() == do(action, name="Ana")
        assert NoChange() == do(action, name="Ana")

    @pytest.mark.parametrize("action", [RemoveTag("u"), RemoveLead("v")])
    def test_no_data_with_a_removal_of_nothing(self, send, do, action):
        """Taking away what is not there changes nothing, whatever data come with it."""
        do(AddTag("t"))
        assert NoChange() == do(action, name="Ana")
        assert {} == send.contact(ANA).data

    def test_equal_data_of_another_type(self, send, do):
        """A truth value is not the number one."""
        do(AddLead(), fact=1)
        assert Applied() == do(AddLead(), fact=True)
        assert True is send.contact(ANA).data["fact"]

    def test_refused_brings_no_data(self, send, do):
        """A refused action changes nothing, data included."""
        do(AddLead())
        do(AddTag("auto:x"), name="Ana")
        assert {} == send.contact(ANA).data


class TestIdentity:
    """Who is the same contact."""

    @pytest.mark.parametrize("email", ["ANA@Example.com", " ana@example.com"])
    def test_spellings(self, send, do, email):
        """Two spellings of an address are one contact, shown as first written."""
        do(AddTag("a"))
        do(AddTag("b"), email)
        assert [(ANA, ("a", "b"))] == [(lead.email, lead.tags) for lead in send.contacts()]

    def test_unicode(self, send, do):
        """Composed and decomposed letters are the same address."""
        do(AddTag("a"), "jose\u0301@example.com")
        assert ("a",) == send.tags("JOS\u00c9@example.com")


class TestOrigin:
    """Who brought a contact in."""

    def test_automatic_first(self, send, do):
        """A contact that capture brought in has the mark AUTO, whatever comes later."""
        do(AddLead(), automatic=True)
        do(AddTag("buyer"))
        lead = send.contact(ANA)
        assert (Origin.AUTO, "AUTO") == (lead.origin, lead.label)

    def test_own_first(self, send, do):
        """A contact of one's own keeps having no mark when capture sees it later."""
        do(AddTag("buyer"))
        do(AddLead(), automatic=True)
        lead = send.contact(ANA)
        assert (Origin.OWN, "") == (lead.origin, lead.label)


class TestIdempotency:
    """An action repeated with its id."""

    def test_same_id(self, send, planned):
        """An action repeated with its id is done once, and answered as the first time."""
        action = planned(AddTag("buyer"))
        first = send.apply(action, Call())
        send.apply(planned(RemoveTag("buyer")), Call())
        assert (Applied(), Applied()) == (first, send.apply(action, Call(attempt=2)))
        assert () == send.tags(ANA)

    def test_same_id_without_change(self, send, planned):
        """An action that had nothing to do has nothing to do later, either."""
        action = planned(RemoveTag("buyer"))
        send.apply(action, Call())
        send.apply(planned(AddTag("buyer")), Call())
        assert NoChange() == send.apply(action, Call(attempt=2))
        assert ("buyer",) == send.tags(ANA)

    def test_refused_may_be_repaired(self, send, planned):
        """A refused action was not done: with the same id it may succeed later."""
        action = planned(RemoveLead("Prospects"))
        refused = send.apply(action, Call(is_test=True))
        send.apply(planned(AddLead("Prospects")), Call())
        assert isinstance(refused, Refused)
        assert Applied() == send.apply(action, Call(is_test=True))


def test_own_verbs(do):
    """Actions beyond the general ones are refused, and not declared."""
    outcome = do(ProviderAction("acme.enrol", {"course": "welcome"}))
    assert isinstance(outcome, Refused)
    assert RefusedKind.CONFIGURATION is outcome.kind


def test_capabilities(send):
    """The store does all general actions natively, once by id, with any data."""
    capabilities = send.capabilities
    assert ("add_tag", "remove_tag", "add_lead", "move_lead", "remove_lead") == (
        capabilities.kinds()
    )
    assert (True, None) == (capabilities.idempotent, capabilities.data)
