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
    """The automation `Buyers`, published by default."""
    return Automation("Buyers", tags or ("buyer",), steps=steps, published=published, **more)


def due(send, now):
    """The contacts and messages that are due."""
    return [(message.email, message.message) for message in send.due(now)]


class TestStarting:
    """Starting an automation."""

    def test_a_tag_starts_it(self, send, do, clock):
        """A new tag starts the automation, and each step is due after its delay."""
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
        """A message has everything that the mailer needs, and no personal data in its repr."""
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
        """An automatic tag can start an automation."""
        send.save(automation("auto:cart-abandonment:42"))
        do(AddTag("auto:cart-abandonment:42"), automatic=True)
        assert [(ANA, "welcome")] == due(send, clock.now)

    def test_capture_sends_nothing(self, send, do, clock):
        """Without an automation, capture makes nothing due."""
        do(AddLead(), automatic=True)
        do(AddTag("auto:cart-abandonment:42"), automatic=True)
        assert [] == due(send, clock.turn(days=365))

    def test_other_tags_do_not(self, send, do, clock):
        """A tag that the automation does not list starts nothing."""
        send.save(automation())
        do(AddTag("buyers"))
        assert [] == due(send, clock.now)

    def test_any(self, send, do, clock):
        """With `any`, the first of the tags starts it, and the second changes nothing."""
        send.save(automation("a", "b"))
        do(AddTag("b"))
        first = send.due(clock.now)
        do(AddTag("a"))
        assert first == send.due(clock.now)

    def test_all(self, send, do, clock):
        """With `all`, the last missing tag starts it."""
        send.save(automation("a", "b", "B", match="all"))
        do(AddTag("b"))
        assert [] == due(send, clock.now)
        do(AddTag("a"))
        assert [(ANA, "welcome")] == due(send, clock.now)

    def test_all_is_for_each_contact(self, send, do, clock):
        """With `all`, one contact must have all the tags."""
        send.save(automation("a", "b", match="all"))
        do(AddTag("a"), ANA)
        do(AddTag("b"), BRUNO)
        assert [] == due(send, clock.now)

    def test_two_automations(self, send, do, clock):
        """One tag can start several automations."""
        send.save(automation())
        send.save(Automation("Survey", ["buyer"], steps=WELCOME, published=True))
        do(AddTag("buyer"))
        assert ["Buyers", "Survey"] == [message.automation for message in send.due(clock.now)]


class TestPublishing:
    """Publishing and withdrawing."""

    def test_off_until_published(self, send, do, clock):
        """An unpublished automation does nothing."""
        send.save(automation(published=False))
        do(AddTag("buyer"))
        assert [] == due(send, clock.turn(days=9))

    def test_not_retroactive(self, send, do, clock):
        """Publishing does not start it for tags added earlier."""
        send.save(automation(published=False))
        do(AddTag("buyer"))
        send.publish("Buyers")
        do(AddTag("buyer"), BRUNO)
        assert [(BRUNO, "welcome")] == due(send, clock.now)

    def test_withdrawn(self, send, do, clock):
        """Messages of a withdrawn automation are due only after it is published again."""
        send.save(automation())
        do(AddTag("buyer"))
        send.withdraw("Buyers")
        assert [] == due(send, clock.now)
        send.publish("Buyers")
        assert [(ANA, "welcome")] == due(send, clock.now)

    @pytest.mark.parametrize("method", ["publish", "withdraw"])
    def test_unknown(self, send, method):
        """An unknown automation cannot be published or withdrawn."""
        with pytest.raises(UnknownIdError, match="`Nothing`"):
            getattr(send, method)("Nothing")


class TestOnce:
    """Each contact takes each step once."""

    def test_done(self, send, do, clock):
        """A message that is done is not due any more."""
        send.save(automation())
        do(AddTag("buyer"))
        (message,) = send.due(clock.now)
        assert (True, False) == (send.done(message.id), send.done(message.id))
        assert [] == due(send, clock.now)

    @pytest.mark.parametrize("id", [0, -1, 99])
    def test_done_unknown(self, send, id):
        """`done` returns False for an unknown message."""
        assert False is send.done(id)

    def test_tag_comes_back(self, send, do, clock):
        """A step is taken once, even if the tag is removed and added again."""
        send.save(automation())
        do(AddTag("buyer"))
        send.done(send.due(clock.now)[0].id)
        do(RemoveTag("buyer"))
        do(AddTag("buyer"))
        assert [(ANA, "later")] == due(send, clock.turn(days=9))

    def test_each_contact(self, send, do, clock):
        """Every contact takes the steps."""
        send.save(automation(steps=WELCOME))
        do(AddTag("buyer"), ANA)
        do(AddTag("buyer"), BRUNO)
        assert [(ANA, "welcome"), (BRUNO, "welcome")] == due(send, clock.now)


class TestWhileTagged:
    """Automations that end with their tags."""

    def test_cancelled(self, send, do, clock):
        """Removing the tag cancels the open messages."""
        send.save(automation(while_tagged=True))
        do(AddTag("buyer"))
        do(RemoveTag("BUYER"))
        assert [] == due(send, clock.turn(days=9))

    def test_resumed(self, send, do, clock):
        """Adding the tag again schedules the steps that were not taken."""
        send.save(automation(while_tagged=True))
        do(AddTag("buyer"))
        send.done(send.due(clock.now)[0].id)
        do(RemoveTag("buyer"))
        clock.turn(days=9)
        do(AddTag("buyer"))
        assert [] == due(send, clock.now)
        assert [(ANA, "later")] == due(send, clock.turn(days=3))

    def test_still_matching(self, send, do, clock):
        """With `any`, it goes on while one of the tags is left."""
        send.save(automation("a", "b", while_tagged=True))
        do(AddTag("a"))
        do(AddTag("b"))
        do(RemoveTag("a"))
        assert [(ANA, "welcome")] == due(send, clock.now)

    def test_without_it(self, send, do, clock):
        """Without `while_tagged`, a started automation goes on without the tag."""
        send.save(automation())
        do(AddTag("buyer"))
        do(RemoveTag("buyer"))
        assert [(ANA, "welcome")] == due(send, clock.now)


DAYS = [Step(f"day {n}", delay=timedelta(days=n)) for n in range(1, 10)]


class TestLateness:
    """Messages that were not sent in time."""

    def test_latest(self, send, do, clock):
        """A message is due for as long as `latest` says, and then lapses."""
        send.save(automation(steps=Step("reminder", latest=timedelta(hours=6))))
        do(AddTag("buyer"))
        assert [(ANA, "reminder")] == due(send, clock.now + timedelta(hours=6))
        assert [] == due(send, clock.now + timedelta(hours=6, microseconds=1))

    def test_counted_from_when_it_is_due(self, send, do, clock):
        """`latest` is counted from the end of the delay, not from the start."""
        late = Step("late", delay=timedelta(days=5), latest=timedelta(hours=1))
        send.save(automation(steps=late))
        do(AddTag("buyer"))
        assert [(ANA, "late")] == due(send, clock.turn(days=5))

    def test_latest_can_be_changed(self, send, do, clock):
        """A new `latest` holds for messages that are scheduled already."""
        send.save(automation(steps=Step("reminder")))
        do(AddTag("buyer"))
        send.save(automation(steps=Step("reminder", latest=timedelta(hours=6))))
        assert [] == due(send, clock.turn(hours=7))

    def test_single_message(self, send, do, clock):
        """Without `latest`, the last message of an automation does not lapse."""
        send.save(automation(steps=WELCOME))
        do(AddTag("buyer"))
        assert [(ANA, "welcome")] == due(send, clock.turn(days=300))

    def test_overtaken_by_a_week(self, send, do, clock):
        """Without `latest`, a message that is a week late gives way to a later one."""
        send.save(automation())
        do(AddTag("buyer"))
        assert [(ANA, "welcome"), (ANA, "later")] == due(
            send, clock.now + timedelta(days=7, microseconds=-1)
        )
        assert [(ANA, "later")] == due(send, clock.now + timedelta(days=7))

    def test_overtaken_by_what_was_sent(self, send, do, clock):
        """It also gives way to a later message that was sent already."""
        send.save(automation())
        do(AddTag("buyer"))
        send.done(send.due(clock.turn(days=3))[1].id)
        assert [] == due(send, clock.turn(days=6))

    def test_another_contact_overtakes_nothing(self, send, do, clock):
        """Messages to one contact do not make those to another one lapse."""
        send.save(automation())
        do(AddTag("buyer"), ANA)
        clock.turn(days=8)
        do(AddTag("buyer"), BRUNO)
        assert [(ANA, "later"), (BRUNO, "welcome")] == due(send, clock.now)

    @pytest.mark.parametrize("days", [5, 30])
    def test_republished(self, send, do, clock, days):
        """An automation that is published again has one overdue message for each contact."""
        send.save(automation(steps=DAYS))
        do(AddTag("buyer"))
        send.withdraw("Buyers")
        clock.turn(days=days)
        send.publish("Buyers")
        assert [(ANA, f"day {min(days, 9)}")] == due(send, clock.now)

    def test_republished_by_saving(self, send, do, clock):
        """So has one that is saved as published after it was not."""
        send.save(automation(steps=DAYS))
        do(AddTag("buyer"))
        send.save(automation(steps=DAYS, published=False))
        clock.turn(days=4)
        send.save(automation(steps=DAYS))
        assert [(ANA, "day 4")] == due(send, clock.now)

    def test_goes_on_after_republishing(self, send, do, clock):
        """The steps after the republication are due in their time."""
        send.save(automation(steps=DAYS))
        do(AddTag("buyer"))
        send.withdraw("Buyers")
        clock.turn(days=7)
        send.publish("Buyers")
        send.done(send.due(clock.now)[0].id)
        assert [(ANA, "day 8"), (ANA, "day 9")] == due(send, clock.turn(days=2))

    def test_publishing_twice(self, send, do, clock):
        """Publishing what is published cancels nothing."""
        send.save(automation())
        do(AddTag("buyer"))
        clock.turn(days=3)
        send.publish("Buyers")
        assert [(ANA, "welcome"), (ANA, "later")] == due(send, clock.now)

    def test_republished_with_latest(self, send, do, clock):
        """With `latest`, a republication changes nothing: the host has said how late."""
        steps = [Step(f"{n}", delay=timedelta(days=n), latest=timedelta(days=2)) for n in range(9)]
        send.save(automation(steps=steps))
        do(AddTag("buyer"))
        send.withdraw("Buyers")
        clock.turn(days=6)
        send.publish("Buyers")
        assert [(ANA, "4"), (ANA, "5"), (ANA, "6")] == due(send, clock.now)

    def test_lapsed_is_not_taken(self, send, do, clock):
        """A step that lapsed is scheduled again when the automation starts again."""
        send.save(automation(steps=Step("reminder", latest=timedelta(hours=6))))
        do(AddTag("buyer"))
        clock.turn(days=2)
        do(RemoveTag("buyer"))
        do(AddTag("buyer"))
        assert [(ANA, "reminder")] == due(send, clock.now)

    def test_open_keeps_its_time(self, send, do, clock):
        """A message that is not late keeps its time when the automation starts again."""
        send.save(automation(steps=LATER))
        do(AddTag("buyer"))
        clock.turn(days=2)
        do(RemoveTag("buyer"))
        do(AddTag("buyer"))
        assert [(ANA, "later")] == due(send, clock.turn(days=1))

    def test_first_years(self, send):
        """Nothing is due in the first days of the calendar."""
        send.save(automation(steps=[*DAYS, Step("x", latest=timedelta(days=1))]))
        assert () == send.due(datetime.min.replace(tzinfo=UTC))


class TestEditing:
    """Editing an automation."""

    def test_read_back(self, send):
        """A stored automation is read back unchanged."""
        steps = [*DAYS, Step("last", subject="Bye", latest=timedelta(hours=1, microseconds=1))]
        wanted = automation("a", "b", match="all", while_tagged=True, steps=steps)
        send.save(wanted)
        assert (wanted,) == send.automations()

    def test_replaced(self, send, do, clock):
        """Saving replaces the automation of the same name, its tags and its subjects."""
        send.save(automation())
        do(AddTag("buyer"))
        send.save(automation("vip", steps=Step("welcome", subject="Hello")))
        do(AddTag("buyer"), BRUNO)
        assert [(ANA, "Hello")] == [(m.email, m.subject) for m in send.due(clock.turn(days=9))]

    def test_dropped_step_stays_taken(self, send, do, clock):
        """A step that was taken is not repeated after it was removed and added again."""
        send.save(automation(steps=WELCOME))
        do(AddTag("buyer"))
        send.done(send.due(clock.now)[0].id)
        send.save(automation(steps=()))
        send.save(automation(steps=WELCOME))
        do(RemoveTag("buyer"))
        do(AddTag("buyer"))
        assert [] == due(send, clock.now)


class TestLeadLimit:
    """Contacts beyond the lead limit."""

    def test_beyond_the_limit(self, clock, planned):
        """Contacts beyond the limit receive nothing until there is room."""
        with Send(":memory:", lead_limit=1, clock=clock) as send:
            send.save(automation(steps=WELCOME))
            for email in (ANA, BRUNO):
                send.apply(planned(AddTag("buyer"), email), Call())
            assert [(ANA, "welcome")] == due(send, clock.now)
            send.erase(ANA)
            assert [(BRUNO, "welcome")] == due(send, clock.now)


def test_erased_contact(send, do, clock):
    """Messages to an erased contact are gone, and `done` returns False."""
    send.save(automation())
    do(AddTag("buyer"))
    (message,) = send.due(clock.now)
    send.erase(ANA)
    assert ([], False) == (due(send, clock.now), send.done(message.id))


def test_naive_time(send):
    """A time without a time zone is an error."""
    with pytest.raises(ValueError, match="time zone"):
        send.due(datetime(2026, 5, 4, tzinfo=UTC).replace(tzinfo=None))


def test_oldest_first(send, do, clock):
    """Messages are returned in the order in which they became due."""
    late = Step("late", delay=timedelta(hours=2))
    send.save(automation(steps=(late, WELCOME)))
    do(AddTag("buyer"))
    assert ["welcome", "late"] == [m.message for m in send.due(clock.turn(days=1))]


class TestValues:
    """Valid and invalid automations."""

    @pytest.mark.parametrize("tags", [(), [" "]])
    def test_no_tag(self, tags):
        """An automation needs at least one tag that is not blank."""
        with pytest.raises(RuleError):
            Automation("A", tags)

    @pytest.mark.parametrize(
        "more",
        [
            {"steps": (WELCOME, Step("welcome"))},
            {"match": "most"},
        ],
    )
    def test_invalid(self, more):
        """Two steps of one name and an unknown `match` are refused."""
        with pytest.raises(RuleError):
            Automation("A", ["t"], **more)

    @pytest.mark.parametrize("more", [{"steps": "welcome"}, {"steps": [1]}, {"published": 1}])
    def test_wrong_types(self, more):
        """Steps and booleans of the wrong type are refused."""
        with pytest.raises(ArgumentTypeError):
            Automation("A", ["t"], **more)

    def test_bare_tag(self):
        """A bare string is refused: it would be read as a list of letters."""
        with pytest.raises(ArgumentTypeError):
            Automation("A", "tag")

    @pytest.mark.parametrize("delay", [timedelta(microseconds=-1), timedelta.max])
    def test_invalid_delay(self, delay):
        """A negative or very long delay is refused."""
        with pytest.raises(RuleError):
            Step("m", delay=delay)

    @pytest.mark.parametrize("latest", [timedelta(0), timedelta(days=-1), timedelta.max])
    def test_invalid_latest(self, latest):
        """A message that could never be sent, or hardly lapses, is refused."""
        with pytest.raises(RuleError):
            Step("m", latest=latest)

    @pytest.mark.parametrize("latest", [3600, "1h", False])
    def test_latest_of_wrong_type(self, latest):
        """`latest` must be a timedelta or None."""
        with pytest.raises(ArgumentTypeError):
            Step("m", latest=latest)

    @pytest.mark.parametrize("delay", [3600, "1h", None])
    def test_delay_of_wrong_type(self, delay):
        """A delay must be a timedelta."""
        with pytest.raises(ArgumentTypeError):
            Step("m", delay=delay)
