from datetime import timedelta

import pytest

from listboss import AddLead, AddTag, MoveLead, Place, RemoveLead, RemoveTag
from listboss.provider import Applied, Call, NoChange
from listboss.send import Automation, Origin, Send, Step

ANA, BRUNO, TESTER = "ana@example.com", "bruno@example.com", "tester@example.com"
DUMMY = {"name": "Test Contact", "phone": "0000"}


@pytest.fixture
def try_out(do):
    """Carry out one action as an integration test, with dummy data."""

    def try_out(action, email=TESTER):
        return do(action, email, is_test=True, **DUMMY)

    return try_out


@pytest.fixture
def greeting(send):
    """A published automation that greets contacts with the tag `vip`."""
    send.save(Automation("Greeting", ["vip"], steps=Step("hello"), published=True))


class TestNewContact:
    """A test for an address that is not a contact."""

    def test_marked(self, send, try_out):
        """The contact that a test creates is marked as a test and cannot be sent to."""
        try_out(AddTag("vip"))
        lead = send.contact(TESTER)
        assert (True, False, ("vip",), DUMMY) == (
            lead.is_test,
            lead.sendable,
            lead.tags,
            lead.data,
        )

    def test_in_no_list(self, send, try_out):
        """It is in no list and no count."""
        try_out(AddTag("vip"))
        try_out(AddLead("Course"))
        assert ((), (), {}, {}) == (
            send.contacts(),
            send.contacts("vip"),
            send.tags(),
            send.places(),
        )

    def test_listed_as_test(self, send, do, try_out):
        """Contacts that only tests created can be listed by themselves."""
        do(AddTag("vip"), ANA)
        try_out(AddTag("vip"))
        assert [TESTER] == [lead.email for lead in send.contacts(is_test=True)]
        assert [TESTER] == [lead.email for lead in send.contacts("vip", is_test=True)]

    def test_takes_no_room(self, clock, planned):
        """It does not count toward the lead limit."""
        with Send(":memory:", lead_limit=1, clock=clock) as send:
            send.apply(planned(AddLead(), TESTER), Call(is_test=True))
            send.apply(planned(AddLead(), ANA), Call())
            assert (0, [True]) == (send.remaining, [lead.sendable for lead in send.contacts()])

    def test_starts_nothing(self, send, try_out, clock, greeting):
        """No automation starts for it."""
        try_out(AddTag("vip"))
        assert () == send.due(clock.turn(days=1))

    def test_several_tests(self, send, try_out):
        """Several tests build on each other: a lead that was added can be moved and removed."""
        try_out(AddLead("Prospects"))
        assert Applied() == try_out(MoveLead("Customers", source="Prospects"))
        assert (Place(list="Customers"),) == send.places(TESTER)
        assert Applied() == try_out(RemoveLead("Customers"))
        assert () == send.places(TESTER)

    def test_tag_removed(self, send, try_out):
        """A test can remove a tag that a test added."""
        try_out(AddTag("vip"))
        assert (Applied(), NoChange()) == (try_out(RemoveTag("vip")), try_out(RemoveTag("vip")))
        assert () == send.tags(TESTER)


class TestKnownContact:
    """A test for the address of a real contact."""

    def test_data_are_kept(self, send, do, try_out):
        """Dummy data fill in what is absent, and replace nothing."""
        do(AddLead(), ANA, name="Ana")
        try_out(AddTag("vip"), ANA)
        assert {"name": "Ana", "phone": "0000"} == send.contact(ANA).data

    def test_dummy_data_give_way(self, send, do, try_out):
        """Real data that arrive later replace dummy data."""
        do(AddLead(), ANA)
        try_out(AddTag("vip"), ANA)
        do(AddLead(), ANA, name="Ana")
        assert {"name": "Ana", "phone": "0000"} == send.contact(ANA).data

    def test_dummy_data_in_no_message(self, send, do, try_out, clock, greeting):
        """Dummy data are in no message and no list."""
        do(AddLead(), ANA)
        try_out(AddTag("other"), ANA)
        do(AddTag("vip"), ANA)
        assert [{}] == [message.data for message in send.due(clock.now)]
        assert [{}] == [lead.data for lead in send.contacts()]

    def test_tag_starts_nothing(self, send, do, try_out, clock, greeting):
        """A tag that a test adds starts no automation, and nobody is listed by it."""
        do(AddLead(), ANA)
        assert Applied() == try_out(AddTag("vip"), ANA)
        assert ((), (), {}) == (send.due(clock.now), send.contacts("vip"), send.tags())
        assert ("vip",) == send.tags(ANA)

    def test_real_tag_afterwards(self, send, do, try_out, clock, greeting):
        """The real tag that comes later counts as new, and starts the automation."""
        do(AddLead(), ANA)
        try_out(AddTag("vip"), ANA)
        assert Applied() == do(AddTag("VIP"), ANA)
        assert ([ANA], {"vip": 1}) == (
            [message.email for message in send.due(clock.now)],
            send.tags(),
        )

    def test_real_tag_before(self, send, do, try_out):
        """A real tag stays real when a test adds it again."""
        do(AddTag("vip"), ANA, **DUMMY)
        assert NoChange() == try_out(AddTag("vip"), ANA)
        assert {"vip": 1} == send.tags()

    def test_not_one_of_all(self, send, do, try_out, clock):
        """A tag of a test does not count among the tags that an automation needs."""
        send.save(Automation("Both", ["a", "b"], match="all", steps=Step("m"), published=True))
        do(AddLead(), ANA)
        try_out(AddTag("a"), ANA)
        do(AddTag("b"), ANA)
        assert () == send.due(clock.now)

    @pytest.mark.parametrize(
        "action",
        [RemoveTag("vip"), RemoveLead("Course"), MoveLead("Other", source="Course"), MoveLead("X")],
    )
    def test_nothing_is_taken(self, send, do, try_out, clock, action):
        """A test that succeeds takes neither tags nor leads nor messages from the contact."""
        send.save(Automation("A", ["vip"], steps=Step("m"), while_tagged=True, published=True))
        do(AddTag("vip"), ANA)
        do(AddLead("Course"), ANA)
        assert Applied() == try_out(action, ANA)
        assert ({"vip": 1}, {Place(list="Course"): 1}) == (send.tags(), send.places())
        assert ["m"] == [message.message for message in send.due(clock.now)]


class TestBecomingReal:
    """The first real action for a contact that a test created."""

    def test_replaced(self, send, do, try_out):
        """The real contact starts anew, with nothing of the test."""
        try_out(AddTag("vip"))
        try_out(AddLead("Course"))
        assert Applied() == do(AddTag("buyer"), TESTER, automatic=True, name="Tess")
        lead = send.contact(TESTER)
        assert (("buyer",), (), {"name": "Tess"}, False, Origin.AUTO) == (
            lead.tags,
            lead.places,
            lead.data,
            lead.is_test,
            lead.origin,
        )

    def test_arrives_last(self, send, do, try_out, clock):
        """It arrives when it becomes real."""
        try_out(AddTag("vip"))
        do(AddLead(), ANA)
        arrived = clock.turn(hours=1)
        do(AddLead(), TESTER)
        assert [(ANA, arrived - timedelta(hours=1)), (TESTER, arrived)] == [
            (lead.email, lead.since) for lead in send.contacts()
        ]

    @pytest.mark.parametrize(
        "action",
        [
            RemoveTag("vip"),
            RemoveLead("Course"),
            MoveLead("Other", source="Course", if_absent="skip"),
        ],
    )
    def test_not_there_for_removals(self, send, do, try_out, action):
        """For a real action that creates nothing, the contact of a test is not there."""
        try_out(AddTag("vip"))
        try_out(AddLead("Course"))
        assert NoChange() == do(action, TESTER)
        assert True is send.contact(TESTER).is_test


class TestRemoveTests:
    """Removing what tests wrote."""

    def test_everything(self, send, do, try_out):
        """Contacts, tags, places and data of tests go, and real ones stay."""
        do(AddTag("buyer"), ANA, name="Ana")
        for email in (ANA, TESTER):
            try_out(AddTag("vip"), email)
            try_out(AddLead("Course"), email)
        assert 1 == send.remove_tests()
        assert (None, ("buyer",), (), {"name": "Ana"}) == (
            send.contact(TESTER),
            send.tags(ANA),
            send.places(ANA),
            send.contact(ANA).data,
        )

    def test_nothing(self, send, do):
        """Without tests there is nothing to remove."""
        do(AddTag("buyer"), ANA)
        assert 0 == send.remove_tests()

    def test_erased(self, send, try_out):
        """A contact that a test created can be erased like any other."""
        try_out(AddTag("vip"))
        assert True is send.erase(TESTER)
        assert None is send.contact(TESTER)
