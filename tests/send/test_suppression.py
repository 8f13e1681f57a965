from datetime import timedelta

import pytest

from listboss import AddLead, AddTag, MoveLead, Place, RemoveLead, RemoveTag
from listboss.errors import ConfigurationError, EventError
from listboss.provider import Applied, Call, NoChange, Refused, RefusedKind
from listboss.send import Automation, Send, Step

ANA, BRUNO = "ana@example.com", "bruno@example.com"
UPSELL = Automation("Upsell", ["owner"], steps=Step("upsell"), published=True)


@pytest.fixture
def peppered(clock):
    """A store with a pepper, in memory."""
    with Send(":memory:", clock=clock, pepper=b"a secret of sixteen bytes or more") as store:
        store.save(UPSELL)
        yield store


def recipients(send, now):
    """The addresses of the due messages."""
    return [message.email for message in send.due(now)]


class TestSuppress:
    """Suppressing a contact."""

    @pytest.fixture(autouse=True)
    def _upsell(self, send):
        send.save(UPSELL)

    def test_nothing_is_due(self, send, do, clock):
        """No message is due for a suppressed contact, while others get theirs."""
        for email in (ANA, BRUNO):
            do(AddTag("owner"), email)
        assert True is send.suppress("ANA@example.com", "unsubscribed")
        assert [BRUNO] == recipients(send, clock.now)

    def test_before_it_is_a_contact(self, send, do, clock):
        """An address can be suppressed before it is a contact."""
        send.suppress(ANA, "complained elsewhere")
        assert None is send.contact(ANA)
        assert Applied() == do(AddTag("owner"), ANA)
        assert [] == recipients(send, clock.now)

    def test_tags_and_leads_are_kept(self, send, do):
        """Rules change the tags and leads of a suppressed contact as before."""
        do(AddTag("owner"), ANA)
        do(AddLead("Course"), ANA)
        send.suppress(ANA, "unsubscribed")
        do(AddTag("refunded"), ANA)
        do(MoveLead("Alumni", source="Course"), ANA)
        assert (("owner", "refunded"), (Place(list="Alumni"),)) == (
            send.tags(ANA),
            send.places(ANA),
        )

    def test_shown(self, send, do):
        """A suppressed contact shows the reason, and is not sendable."""
        do(AddTag("owner"), ANA)
        send.suppress(ANA, "bounced")
        lead = send.contact(ANA)
        assert ("bounced", False, "bounced") == (
            lead.suppressed,
            lead.sendable,
            send.suppression(" ana@EXAMPLE.com"),
        )
        assert "bounced" not in repr(lead)

    def test_again(self, send):
        """A second suppression changes the reason."""
        assert (True, False) == (send.suppress(ANA, "bounced"), send.suppress(ANA, "complained"))
        assert "complained" == send.suppression(ANA)

    def test_nobody(self, send):
        """A contact is not suppressed by itself."""
        assert (None, False) == (send.suppression(ANA), send.unsuppress(ANA))

    def test_counts_toward_the_limit(self, clock, planned):
        """A suppressed contact keeps its place in the order of arrival."""
        with Send(":memory:", lead_limit=1, clock=clock) as send:
            send.apply(planned(AddLead(), ANA), Call())
            send.suppress(ANA, "unsubscribed")
            assert 0 == send.remaining

    def test_not_an_address(self, send):
        """Something that is not an address is refused: it would have no effect."""
        with pytest.raises(EventError):
            send.suppress("ana", "unsubscribed")


class TestUnsuppress:
    """Ending a suppression."""

    @pytest.fixture(autouse=True)
    def _upsell(self, send):
        send.save(UPSELL)

    def test_due_again(self, send, do, clock):
        """What was held back is due again."""
        send.suppress(ANA, "unsubscribed")
        do(AddTag("owner"), ANA)
        assert (True, False) == (send.unsuppress("Ana@Example.com"), send.unsuppress(ANA))
        assert ([ANA], None) == (recipients(send, clock.now), send.suppression(ANA))

    def test_no_flood(self, send, do, clock):
        """Of the messages that became overdue, only the latest of an automation is due."""
        steps = [Step(name) for name in ("a", "b")]
        later = Step("c", delay=timedelta(days=2))
        for name in ("Course", "Club"):
            send.save(Automation(name, ["owner"], steps=[*steps, later], published=True))
        for email in (ANA, BRUNO):
            do(AddTag("owner"), email)
        send.suppress(ANA, "on holiday")
        clock.turn(days=3)
        send.unsuppress(ANA)
        assert [("Club", "c"), ("Course", "c"), ("Upsell", "upsell")] == sorted(
            (message.automation, message.message)
            for message in send.due(clock.now)
            if message.email == ANA
        )
        assert 7 == recipients(send, clock.now).count(BRUNO)


class TestErased:
    """A suppressed contact that is erased."""

    def test_stays_suppressed(self, peppered, planned, clock):
        """It stays suppressed, without its address."""
        peppered.apply(planned(AddTag("owner"), ANA), Call())
        peppered.suppress(ANA, "asked never to be written to")
        assert True is peppered.erase(ANA)
        assert ("erased", None) == (peppered.suppression("ANA@example.com"), peppered.contact(ANA))

    @pytest.mark.parametrize("is_test", [False, True])
    @pytest.mark.parametrize(
        "action", [AddTag("owner"), AddLead(), MoveLead("Course", source="Other")]
    )
    def test_not_created_again(self, peppered, planned, clock, action, is_test):
        """Actions that would create it again are refused, and nothing is due."""
        peppered.suppress(ANA, "unsubscribed")
        peppered.erase(ANA)
        outcome = peppered.apply(planned(action, ANA), Call(is_test=is_test))
        assert isinstance(outcome, Refused)
        assert RefusedKind.SUPPRESSED is outcome.kind
        assert (None, []) == (peppered.contact(ANA), recipients(peppered, clock.now))

    @pytest.mark.parametrize(
        "action",
        [RemoveTag("owner"), RemoveLead("Course"), MoveLead("Course", if_absent="skip")],
    )
    def test_other_actions(self, peppered, planned, action):
        """Actions that create nothing have nothing to do."""
        peppered.suppress(ANA, "unsubscribed")
        peppered.erase(ANA)
        assert NoChange() == peppered.apply(planned(action, ANA), Call())

    def test_until_unsuppressed(self, peppered, planned, clock):
        """After `unsuppress` the refused action can be repeated, and its message is due."""
        peppered.suppress(ANA, "unsubscribed")
        peppered.erase(ANA)
        action = planned(AddTag("owner"), ANA)
        peppered.apply(action, Call())
        assert True is peppered.unsuppress(ANA)
        assert Applied() == peppered.apply(action, Call(attempt=2))
        assert [ANA] == recipients(peppered, clock.now)

    def test_others_are_not_affected(self, peppered, planned):
        """Other contacts are created as before."""
        peppered.suppress(ANA, "unsubscribed")
        peppered.erase(ANA)
        assert Applied() == peppered.apply(planned(AddTag("owner"), BRUNO), Call())

    def test_suppressed_again(self, peppered):
        """Suppressing it again does not bring its address back."""
        peppered.suppress(ANA, "unsubscribed")
        peppered.erase(ANA)
        assert (False, "erased") == (peppered.suppress(ANA, "bounced"), peppered.suppression(ANA))

    def test_erased_twice(self, peppered):
        """Erasing it again finds nothing, and it stays suppressed."""
        peppered.suppress(ANA, "unsubscribed")
        assert (True, False) == (peppered.erase(ANA), peppered.erase(ANA))
        assert "erased" == peppered.suppression(ANA)

    def test_not_suppressed(self, peppered, planned, clock):
        """A contact that was not suppressed can be created again after it was erased."""
        peppered.apply(planned(AddTag("owner"), ANA), Call())
        peppered.erase(ANA)
        assert Applied() == peppered.apply(planned(AddTag("owner"), ANA), Call())
        assert [ANA] == recipients(peppered, clock.now)


class TestPepper:
    """The secret that keys the hashes."""

    def test_without(self, send, do):
        """Without a pepper a suppressed contact is not erased, and the error says why."""
        do(AddTag("owner"), ANA)
        send.suppress(ANA, "unsubscribed")
        with pytest.raises(ConfigurationError, match="pepper") as caught:
            send.erase(ANA)
        assert "pepper_missing" == caught.value.code
        assert "ana@" not in str(caught.value)
        assert (("owner",), "unsubscribed") == (send.tags(ANA), send.suppression(ANA))

    def test_without_and_unsuppressed(self, send, do):
        """Without a pepper a contact can be erased once it is not suppressed."""
        do(AddTag("owner"), ANA)
        send.suppress(ANA, "unsubscribed")
        send.unsuppress(ANA)
        assert (True, None) == (send.erase(ANA), send.contact(ANA))

    def test_kept_in_the_file(self, tmp_path, planned):
        """The suppression holds after the file is opened again with the same pepper."""
        path, pepper = tmp_path / "send.db", "pepper as a string"
        with Send(path, pepper=pepper) as send:
            send.suppress(ANA, "unsubscribed")
            send.erase(ANA)
        with Send(path, pepper=pepper.encode()) as send:
            assert "erased" == send.suppression(ANA)

    @pytest.mark.parametrize(
        ("pepper", "code"), [(None, "pepper_missing"), (b"another", "pepper_differs")]
    )
    def test_wrong(self, tmp_path, pepper, code):
        """A file with erased contacts is refused without its pepper."""
        path = tmp_path / "send.db"
        with Send(path, pepper=b"the first one") as send:
            send.suppress(ANA, "unsubscribed")
            send.erase(ANA)
        with pytest.raises(ConfigurationError) as caught:
            Send(path, pepper=pepper)
        assert code == caught.value.code

    def test_in_another_process(self, tmp_path, planned):
        """A store that was opened earlier without the pepper creates no contact either."""
        path = tmp_path / "send.db"
        with Send(path) as without, Send(path, pepper=b"a pepper") as send:
            send.suppress(ANA, "unsubscribed")
            send.erase(ANA)
            with pytest.raises(ConfigurationError) as caught:
                without.apply(planned(AddTag("owner"), ANA), Call())
            assert "pepper_missing" == caught.value.code

    def test_changed_when_it_is_not_needed(self, tmp_path):
        """The pepper can change when no erased contact is suppressed any more."""
        path = tmp_path / "send.db"
        with Send(path, pepper=b"the first one") as send:
            send.suppress(ANA, "unsubscribed")
            send.erase(ANA)
            send.unsuppress(ANA)
        with Send(path, pepper=b"another") as send:
            send.suppress(ANA, "unsubscribed")
            assert True is send.erase(ANA)

    def test_another_pepper_gives_other_hashes(self, tmp_path):
        """What the file keeps of an address depends on the pepper."""
        hashes = set()
        for pepper in (b"one", b"two"):
            path = tmp_path / pepper.decode()
            with Send(path, pepper=pepper) as send:
                send.suppress(ANA, "unsubscribed")
                send.erase(ANA)
            hashes.add(path.read_bytes())
        assert 2 == len(hashes)
