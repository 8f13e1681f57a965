from datetime import UTC, datetime, timedelta

import pytest

from listboss import AddLead, AddTag, RemoveTag
from listboss.errors import ArgumentTypeError, RuleError, UnknownIdError
from listboss.provider import Call
from listboss.send import Automation, Send, Step

ANA, BRUNO = "ana@example.com", "bruno@example.com"
WELCOME = Step("welcome", subject="Welcome")
LATER = Step("later", subject="How is it going?", delay=timedelta(days=3))


def automation(*tags, steps=(WELCOME, LATER), published=True, **more):
    """The automation `Buyers`, published unless told otherwise."""
    return Automation("Buyers", tags or ("buyer",), steps=steps, published=published, **more)


def due(send, now):
    """Who is to get which message."""
    return [(message.email, message.message) for message in send.due(now)]


class TestStarting:
    """What starts an automation."""

    def test_a_tag_starts_it(self, send, do, clock):
        """A tag on a contact triggers the automation, step by step."""
        send.save(automation())
        do(AddTag("Buyer"))
        assert [(ANA, "welcome")] == due(send, clock.now)
        assert [(ANA, "welcome"), (ANA, "later")] == due(send, clock.turn(days=3))

    def test_not_before_its_time(self, send, do, clock):
        """A step is not due before its delay has passed."""
        send.save(automation(steps=LATER))
        do(AddTag("buyer"))
        assert [] == due(send, clock.turn(days=3, microseconds=-1))

    def test_message(self, send, do, clock):
        """A message says what to send to whom, and nothing personal in its repr."""
        send.save(automation())
        do(AddTag("buyer"), name="Ana")
        (message,) = send.due(clock.now)
        assert ("Buyers", "welcome", "Welcome", ANA, {"name": "Ana"}, clock.now) == (
            message.automation,
            message.message,
            message.subject,
            message.email,
            message.data,
            message.due,
        )
        assert "ana" not in repr(message).lower().replace("automation", "")

    def test_automatic_tags_start_it(self, send, do, clock):
        """An automation may be started by an automatic tag."""
        send.save(automation("auto:cart-abandonment:42"))
        do(AddTag("auto:cart-abandonment:42"), automatic=True)
        assert [(ANA, "welcome")] == due(send, clock.now)

    def test_capture_sends_nothing(self, send, do, clock):
        """Capture only records: without an automation nothing is ever due."""
        do(AddLead(), automatic=True)
        do(AddTag("auto:cart-abandonment:42"), automatic=True)
        assert [] == due(send, clock.turn(days=365))

    def test_other_tags_do_not(self, send, do, clock):
        """A tag that the automation does not name starts nothing."""
        send.save(automation())
        do(AddTag("buyers"))
        assert [] == due(send, clock.now)

    def test_any(self, send, do, clock):
        """With `any`, one of the tags is enough, and the second starts nothing anew."""
        send.save(automation("a", "b"))
        do(AddTag("b"))
        first = send.due(clock.now)
        do(AddTag("a"))
        assert first == send.due(clock.now)

    def test_all(self, send, do, clock):
        """With `all`, the last tag that was missing starts it."""
        send.save(automation("a", "b", "B", match="all"))
        do(AddTag("b"))
        assert [] == due(send, clock.now)
        do(AddTag("a"))
        assert [(ANA, "welcome")] == due(send, clock.now)

    def test_all_is_for_each_contact(self, send, do, clock):
        """The tags have to be on one contact, not spread over several."""
        send.save(automation("a", "b", match="all"))
        do(AddTag("a"), ANA)
        do(AddTag("b"), BRUNO)
        assert [] == due(send, clock.now)

    def test_two_automations(self, send, do, clock):
        """One tag may start several automations."""
        send.save(automation())
        send.save(Automation("Survey", ["buyer"], steps=WELCOME, published=True))
        do(AddTag("buyer"))
        assert ["Buyers", "Survey"] == [message.automation for message in send.due(clock.now)]


class TestPublishing:
    """On and off."""

    def test_off_until_published(self, send, do, clock):
        """An automation must be published by the user before it does anything."""
        send.save(automation(published=False))
        do(AddTag("buyer"))
        assert [] == due(send, clock.turn(days=9))

    def test_not_retroactive(self, send, do, clock):
        """Publishing starts nothing for tags that were there before."""
        send.save(automation(published=False))
        do(AddTag("buyer"))
        send.publish("Buyers")
        do(AddTag("buyer"), BRUNO)
        assert [(BRUNO, "welcome")] == due(send, clock.now)

    def test_withdrawn(self, send, do, clock):
        """Nothing of a withdrawn automation is due, until it is published again."""
        send.save(automation())
        do(AddTag("buyer"))
        send.withdraw("Buyers")
        assert [] == due(send, clock.now)
        send.publish("Buyers")
        assert [(ANA, "welcome")] == due(send, clock.now)

    @pytest.mark.parametrize("method", ["publish", "withdraw"])
    def test_unknown(self, send, method):
        """An automation that is not there cannot be published or withdrawn."""
        with pytest.raises(UnknownIdError, match="`Nothing`"):
            getattr(send, method)("Nothing")


class TestOnce:
    """Each step once."""

    def test_done(self, send, do, clock):
        """A message that was sent is due no more."""
        send.save(automation())
        do(AddTag("buyer"))
        (message,) = send.due(clock.now)
        assert (True, False) == (send.done(message.id), send.done(message.id))
        assert [] == due(send, clock.now)

    @pytest.mark.parametrize("id", [0, -1, 99])
    def test_done_with_nothing(self, send, id):
        """To finish a message that is not there finishes nothing, and is no error."""
        assert False is send.done(id)

    def test_tag_comes_back(self, send, do, clock):
        """Each contact takes each step once, however often the tag comes back."""
        send.save(automation())
        do(AddTag("buyer"))
        send.done(send.due(clock.now)[0].id)
        do(RemoveTag("buyer"))
        do(AddTag("buyer"))
        assert [(ANA, "later")] == due(send, clock.turn(days=9))

    def test_each_contact(self, send, do, clock):
        """Another contact takes the same steps."""
        send.save(automation(steps=WELCOME))
        do(AddTag("buyer"), ANA)
        do(AddTag("buyer"), BRUNO)
        assert [(ANA, "welcome"), (BRUNO, "welcome")] == due(send, clock.now)


class TestWhileTagged:
    """Automations that stop with their tag."""

    def test_called_off(self, send, do, clock):
        """What is still to come is called off when the tag is taken off."""
        send.save(automation(while_tagged=True))
        do(AddTag("buyer"))
        do(RemoveTag("BUYER"))
        assert [] == due(send, clock.turn(days=9))

    def test_resumed(self, send, do, clock):
        """When the tag comes back, the steps not yet taken are scheduled anew."""
        send.save(automation(while_tagged=True))
        do(AddTag("buyer"))
        send.done(send.due(clock.now)[0].id)
        do(RemoveTag("buyer"))
        clock.turn(days=9)
        do(AddTag("buyer"))
        assert [] == due(send, clock.now)
        assert [(ANA, "later")] == due(send, clock.turn(days=3))

    def test_still_matching(self, send, do, clock):
        """While one of several tags is left, `any` goes on."""
        send.save(automation("a", "b", while_tagged=True))
        do(AddTag("a"))
        do(AddTag("b"))
        do(RemoveTag("a"))
        assert [(ANA, "welcome")] == due(send, clock.now)

    def test_without_it(self, send, do, clock):
        """Otherwise an automation that has started goes on without the tag."""
        send.save(automation())
        do(AddTag("buyer"))
        do(RemoveTag("buyer"))
        assert [(ANA, "welcome")] == due(send, clock.now)


class TestEditing:
    """Changing an automation."""

    def test_read_back(self, send):
        """An automation comes back as it was saved."""
        wanted = automation("a", "b", match="all", while_tagged=True)
        send.save(wanted)
        assert (wanted,) == send.automations()

    def test_replaced(self, send, do, clock):
        """One of the same name takes its place: other tags, other subjects."""
        send.save(automation())
        do(AddTag("buyer"))
        send.save(automation("vip", steps=Step("welcome", subject="Hello")))
        do(AddTag("buyer"), BRUNO)
        assert [(ANA, "Hello")] == [(m.email, m.subject) for m in send.due(clock.turn(days=9))]

    def test_dropped_step_stays_taken(self, send, do, clock):
        """A step that was taken stays so, though it was dropped and came back."""
        send.save(automation(steps=WELCOME))
        do(AddTag("buyer"))
        send.done(send.due(clock.now)[0].id)
        send.save(automation(steps=()))
        send.save(automation(steps=WELCOME))
        do(RemoveTag("buyer"))
        do(AddTag("buyer"))
        assert [] == due(send, clock.now)


class TestLeadLimit:
    """Whom nothing is sent to."""

    def test_beyond_the_limit(self, clock, planned):
        """Contacts beyond the limit receive nothing; judged when a message is due."""
        with Send(":memory:", lead_limit=1, clock=clock) as send:
            send.save(automation(steps=WELCOME))
            for email in (ANA, BRUNO):
                send.apply(planned(AddTag("buyer"), email), Call())
            assert [(ANA, "welcome")] == due(send, clock.now)
            send.erase(ANA)
            assert [(BRUNO, "welcome")] == due(send, clock.now)


def test_erased_contact(send, do, clock):
    """Messages to an erased contact are gone, and finishing one is no error."""
    send.save(automation())
    do(AddTag("buyer"))
    (message,) = send.due(clock.now)
    send.erase(ANA)
    assert ([], False) == (due(send, clock.now), send.done(message.id))


def test_naive_time(send):
    """What is due at a time without a zone is not known."""
    with pytest.raises(ValueError, match="time zone"):
        send.due(datetime(2026, 5, 4, tzinfo=UTC).replace(tzinfo=None))


def test_oldest_first(send, do, clock):
    """Messages come in the order in which they became due."""
    late = Step("late", delay=timedelta(hours=2))
    send.save(automation(steps=(late, WELCOME)))
    do(AddTag("buyer"))
    assert ["welcome", "late"] == [m.message for m in send.due(datetime(2030, 1, 1, tzinfo=UTC))]


class TestValues:
    """What an automation can be."""

    @pytest.mark.parametrize("tags", [(), [" "]])
    def test_no_tag(self, tags):
        """An automation without a usable tag could never start."""
        with pytest.raises(RuleError):
            Automation("A", tags)

    @pytest.mark.parametrize(
        "more",
        [
            {"steps": (WELCOME, Step("welcome"))},
            {"match": "most"},
        ],
    )
    def test_impossible(self, more):
        """Two steps of one name, or an unknown way to match, cannot be."""
        with pytest.raises(RuleError):
            Automation("A", ["t"], **more)

    @pytest.mark.parametrize("more", [{"steps": "welcome"}, {"steps": [1]}, {"published": 1}])
    def test_wrong_types(self, more):
        """Steps are steps, marks are truth values."""
        with pytest.raises(ArgumentTypeError):
            Automation("A", ["t"], **more)

    def test_bare_tag(self):
        """A bare text where tags are meant would be taken for its letters."""
        with pytest.raises(ArgumentTypeError):
            Automation("A", "tag")

    @pytest.mark.parametrize("delay", [timedelta(microseconds=-1), timedelta.max])
    def test_impossible_delay(self, delay):
        """A delay is neither negative nor longer than anybody means."""
        with pytest.raises(RuleError):
            Step("m", delay=delay)

    @pytest.mark.parametrize("delay", [3600, "1h", None])
    def test_delay_of_wrong_type(self, delay):
        """A delay is a duration."""
        with pytest.raises(ArgumentTypeError):
            Step("m", delay=delay)
