"""Odd arguments: every one of them raises an error of listboss, or means what it says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from listboss import AddTag, Contact
from listboss.errors import ArgumentTypeError, ConfigurationError, ListBossError, UnknownIdError
from listboss.provider import Call
from listboss.rules._mapping import FrozenMap
from listboss.send import Automation, Origin, Send, Step

ANA = "ana@example.com"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)


class Text(str):
    """A string of a host's own type."""

    __slots__ = ()


class TestOpening:
    """Arguments of `Send`."""

    @pytest.mark.parametrize("path", [None, 7, b"send.db", ["send.db"]], ids=repr)
    def test_path_of_wrong_type(self, path):
        """A path must be a string or a `Path`."""
        with pytest.raises(ArgumentTypeError) as caught:
            Send(path)
        assert "$.path" == caught.value.path

    @pytest.mark.parametrize("path", ["", "  ", "nul\x00inside", "\ud800.db", ".", "/"], ids=repr)
    def test_unusable_path(self, path):
        """A path that cannot be a file is refused."""
        with pytest.raises(ConfigurationError) as caught:
            Send(path)
        assert "$.path" == caught.value.path

    def test_memory_as_path(self):
        """`:memory:` may come as a `Path`."""
        with Send(Path(":memory:")) as send:
            assert () == send.contacts()

    @pytest.mark.parametrize("limit", [-1, 2**63, 10**30])
    def test_impossible_limit(self, limit):
        """A lead limit is neither negative nor more than a file can hold."""
        with pytest.raises(ConfigurationError) as caught:
            Send(":memory:", lead_limit=limit)
        assert "$.lead_limit" == caught.value.path

    def test_largest_limit(self):
        """The largest limit works."""
        with Send(":memory:", lead_limit=2**63 - 1) as send:
            assert 2**63 - 1 == send.remaining

    @pytest.mark.parametrize("clock", [None, NOON, "now"])
    def test_clock_of_wrong_type(self, clock):
        """A clock must be a function."""
        with pytest.raises(ArgumentTypeError):
            Send(":memory:", clock=clock)

    @pytest.mark.parametrize("time", [None, 0, NAIVE, date(2026, 5, 4)], ids=repr)
    def test_clock_that_gives_no_time(self, planned, time):
        """A clock that does not return a time with a time zone is an error of listboss."""
        with Send(":memory:", clock=lambda: time) as send:
            for call in (
                lambda: send.apply(planned(AddTag("t")), Call()),
                lambda: send.done(1),
                lambda: send.suppress(ANA, "bounced"),
            ):
                with pytest.raises(ListBossError):
                    call()

    @pytest.mark.parametrize("pepper", [7, True, ["p"]], ids=repr)
    def test_pepper_of_wrong_type(self, pepper):
        """A pepper must be bytes or a string, and the error does not show it."""
        with pytest.raises(ArgumentTypeError):
            Send(":memory:", pepper=pepper)

    @pytest.mark.parametrize("pepper", ["", b"", "  ", b"\n"], ids=repr)
    def test_blank_pepper(self, pepper):
        """A blank pepper is refused: it would protect nothing."""
        with pytest.raises(ConfigurationError):
            Send(":memory:", pepper=pepper)


class TestAddresses:
    """Addresses."""

    METHODS = ("contact", "tags", "places", "erase", "unsuppress", "suppression")

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("email", [7, b"ana@example.com", Contact(ANA), [ANA]], ids=repr)
    def test_wrong_type(self, send, method, email):
        """An address must be a string."""
        with pytest.raises(ArgumentTypeError) as caught:
            getattr(send, method)(email)
        assert "$.email" == caught.value.path

    @pytest.mark.parametrize("method", [*METHODS, "suppress"])
    def test_lone_surrogate(self, send, method):
        """An address with half a character is refused, and the error does not show it."""
        more = ("bounced",) if method == "suppress" else ()
        with pytest.raises(ListBossError) as caught:
            getattr(send, method)("secret\ud800@example.com", *more)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("email", ["", " ", "ana", "nul\x00@example.com", "@"], ids=repr)
    def test_not_an_address(self, send, email):
        """Something that is not an address is not a contact."""
        assert (None, (), (), False, False, None) == (
            send.contact(email),
            send.tags(email),
            send.places(email),
            send.erase(email),
            send.unsuppress(email),
            send.suppression(email),
        )

    def test_own_type(self, send, do):
        """A string of a host's own type is a string."""
        do(AddTag("t"), ANA)
        assert ("t",) == send.tags(Text("ANA@example.com"))

    @pytest.mark.parametrize("email", [None, "", "ana", "ana@", 7], ids=repr)
    def test_suppress(self, send, email):
        """Only an address can be suppressed."""
        with pytest.raises(ListBossError):
            send.suppress(email, "bounced")

    @pytest.mark.parametrize("reason", [None, "", "  ", 7, "\ud800", "a\x00b"], ids=repr)
    def test_reason(self, send, reason):
        """A reason must be a string that is not blank."""
        with pytest.raises(ListBossError) as caught:
            send.suppress(ANA, reason)
        assert "$.reason" == caught.value.path


class TestFilters:
    """Filters of `contacts`."""

    @pytest.mark.parametrize("tag", [7, b"t", ["t"], True, "\ud800"], ids=repr)
    def test_tag(self, send, tag):
        """A tag must be a string."""
        with pytest.raises(ListBossError):
            send.contacts(tag)

    @pytest.mark.parametrize("origin", ["auto", "OWN", "", 7, b"own", True], ids=repr)
    def test_origin(self, send, origin):
        """An unknown origin is refused: it would list nobody."""
        with pytest.raises(ListBossError) as caught:
            send.contacts(origin=origin)
        assert "$.origin" == caught.value.path

    @pytest.mark.parametrize("origin", [Origin.AUTO, "AUTO"], ids=repr)
    def test_origin_as_string(self, send, do, origin):
        """An origin may be written as a string."""
        do(AddTag("t"), ANA, automatic=True)
        assert 1 == len(send.contacts(origin=origin))

    @pytest.mark.parametrize("is_test", [None, 1, "yes"])
    def test_is_test(self, send, is_test):
        """`is_test` must be a boolean."""
        with pytest.raises(ArgumentTypeError):
            send.contacts(is_test=is_test)


class TestActions:
    """Arguments of `apply`."""

    @pytest.mark.parametrize("action", [None, AddTag("t"), "add_tag", {}], ids=repr)
    def test_not_an_action(self, send, action):
        """Something that is not a planned action is refused."""
        with pytest.raises(ArgumentTypeError):
            send.apply(action, Call())

    @pytest.mark.parametrize("call", [None, True, {"is_test": True}], ids=repr)
    def test_not_a_call(self, send, planned, call):
        """Something that is not a call is refused."""
        with pytest.raises(ArgumentTypeError):
            send.apply(planned(AddTag("t")), call)

    @pytest.mark.parametrize(
        "change",
        [
            {"email": None},
            {"email": 7},
            {"email": "\ud800@example.com"},
            {"id": None},
            {"id": 7},
            {"action": "add_tag"},
            {"action": None},
            {"data": None},
            {"data": [("name", "Ana")]},
            {"data": FrozenMap({"price": 49.9})},
            {"data": FrozenMap({"price": Decimal("NaN")})},
            {"data": FrozenMap({"price": 10**5000})},
            {"data": FrozenMap({"at": NAIVE})},
            {"data": FrozenMap({"at": date(2026, 5, 4)})},
            {"data": FrozenMap({"tags": ["a"]})},
            {"data": FrozenMap({"name": None})},
            {"data": FrozenMap({"raw": b"x"})},
        ],
        ids=range(17),
    )
    @pytest.mark.parametrize("is_test", [False, True])
    def test_impossible(self, send, planned, change, is_test):
        """An action that no engine makes is refused, and nothing is written."""
        action = attrs.evolve(planned(AddTag("t"), ANA), **change)
        with pytest.raises(ListBossError):
            send.apply(action, Call(is_test=is_test))
        assert (None, ()) == (send.contact(ANA), send.contacts())


class TestAutomations:
    """Arguments about automations and messages."""

    @pytest.mark.parametrize("automation", [None, "Welcome", Step("m"), {}], ids=repr)
    def test_save(self, send, automation):
        """Something that is not an automation is refused."""
        with pytest.raises(ArgumentTypeError):
            send.save(automation)

    @pytest.mark.parametrize("method", ["publish", "withdraw"])
    @pytest.mark.parametrize("name", [None, 7, b"Welcome", "\ud800", "a\x00b"], ids=repr)
    def test_name(self, send, method, name):
        """A name must be a string."""
        with pytest.raises(ListBossError):
            getattr(send, method)(name)

    def test_misspelled_name(self, send):
        """For an unknown name the nearest one is suggested."""
        send.save(Automation("Cart recovery", ["t"]))
        with pytest.raises(UnknownIdError) as caught:
            send.publish("Card recovery")
        assert "did you mean `Cart recovery`?" == caught.value.hint

    @pytest.mark.parametrize("now", [None, "2026-05-04", 0, date(2026, 5, 4), NAIVE], ids=repr)
    def test_due(self, send, now):
        """A time must be a date and time with a time zone."""
        with pytest.raises(ListBossError):
            send.due(now)

    @pytest.mark.parametrize("id", [None, "1", 1.0, True, Decimal(1)], ids=repr)
    def test_done_of_wrong_type(self, send, do, clock, id):
        """The id of a message must be an integer; nothing that equals one will do."""
        send.save(Automation("A", ["t"], steps=Step("m"), published=True))
        do(AddTag("t"), ANA)
        with pytest.raises(ArgumentTypeError):
            send.done(id)
        assert 1 == len(send.due(clock.now))

    @pytest.mark.parametrize("id", [0, -1, 99, 2**63 - 1, 2**63, -(2**63), 10**30])
    def test_done_unknown(self, send, id):
        """An id that no message has finishes nothing."""
        assert False is send.done(id)

    @pytest.mark.parametrize("tags", [[7], [None], [["t"]], 7, None, b"t"], ids=repr)
    def test_tags(self, tags):
        """Tags of an automation must be strings."""
        with pytest.raises(ListBossError):
            Automation("A", tags)

    @pytest.mark.parametrize("match", [None, 1, ["any"], "ANY", b"any"], ids=repr)
    def test_match(self, match):
        """`match` must be one of two words."""
        with pytest.raises(ListBossError):
            Automation("A", ["t"], match=match)

    @pytest.mark.parametrize("subject", [None, 7, "\ud800"], ids=repr)
    def test_subject(self, subject):
        """A subject must be a string."""
        with pytest.raises(ListBossError):
            Step("m", subject=subject)
