import pickle
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args

import attrs
import pytest

from listboss.errors import ArgumentTypeError, EventError
from listboss.provider import (
    Accepted,
    Applied,
    AsyncProvider,
    BatchProvider,
    Call,
    Capabilities,
    Checks,
    Eraser,
    NoChange,
    Outcome,
    Provider,
    ReadBack,
    Refused,
    RefusedKind,
    Throttled,
    Unknown,
)
from listboss.send import Send

OUTCOMES = [
    Applied(),
    NoChange(),
    Accepted("job-7"),
    Throttled(timedelta(seconds=30)),
    Refused("there is no such list", RefusedKind.CONFIGURATION),
    Unknown("timeout"),
]


class TestOutcome:
    """What a provider may answer."""

    def test_union_is_closed(self):
        """The answers of a provider are these six and no others."""
        assert set(get_args(Outcome)) == {type(outcome) for outcome in OUTCOMES}

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
    def test_values(self, outcome):
        """Outcomes compare, hash and survive pickling."""
        again = pickle.loads(pickle.dumps(outcome))
        assert (outcome, hash(outcome)) == (again, hash(again))

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
    def test_frozen(self, outcome):
        """Nobody changes an answer once it is given."""
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            outcome.reason = "other"

    @pytest.mark.parametrize(
        "kind", ["contact", "configuration", "authorisation", "suppressed", "limit"]
    )
    def test_kinds_of_refusal(self, kind):
        """A refusal says who can repair it, by member or by its plain word."""
        assert RefusedKind(kind) is Refused("no", kind).kind

    def test_unknown_kind_of_refusal(self):
        """There is no other kind of refusal."""
        with pytest.raises(ValueError, match="weather"):
            Refused("no", "weather")

    @pytest.mark.parametrize(
        ("kind", "arguments"),
        [
            (Accepted, (7,)),
            (Throttled, (30,)),
            (Refused, (None, "contact")),
            (Unknown, (ValueError("ana@example.com"),)),
        ],
    )
    def test_wrong_types(self, kind, arguments):
        """A job is a text, a waiting time a duration, a cause a word and no exception."""
        with pytest.raises(ArgumentTypeError) as caught:
            kind(*arguments)
        assert "ana" not in str(caught.value)


class TestCall:
    """How an action is carried out."""

    def test_defaults(self):
        """A call is the first attempt, has all the time, and is no test."""
        assert Call(1, None, False) == Call()

    def test_deadline_in_utc(self):
        """A deadline is kept in UTC."""
        brasilia = timezone(timedelta(hours=-3))
        call = Call(2, datetime(2026, 5, 4, 9, tzinfo=brasilia))
        assert datetime(2026, 5, 4, 12, tzinfo=UTC) == call.deadline

    def test_naive_deadline(self):
        """A deadline without a time zone is none."""
        with pytest.raises(EventError):
            Call(1, datetime(2026, 5, 4, 9, tzinfo=UTC).replace(tzinfo=None))

    @pytest.mark.parametrize("arguments", [("1",), (True,), (1, None, "yes")])
    def test_wrong_types(self, arguments):
        """A number of attempts is a number, a mark is a truth value."""
        with pytest.raises(ArgumentTypeError):
            Call(*arguments)


class Both:
    """A provider that has everything optional, too."""

    capabilities = Capabilities.everything()

    def apply(self, action, call):
        """Do it."""
        return Applied()

    def apply_many(self, actions, call):
        """Do them."""
        return [Applied() for _ in actions]

    def check(self):
        """Say that all is well."""

    def tags(self, email):
        """Give the tags."""
        return ()

    def places(self, email):
        """Give the places."""
        return ()

    def erase(self, email):
        """Forget them."""
        return False


class Bare:
    """A provider that has what is needed and no more."""

    capabilities = Capabilities.everything()

    def apply(self, action, call):
        """Do it."""
        return Applied()


@pytest.mark.parametrize("protocol", [BatchProvider, Checks, ReadBack, Eraser])
def test_optional_protocols(protocol):
    """What else a provider can do is found by its methods at run time."""
    assert (True, False) == (isinstance(Both(), protocol), isinstance(Bare(), protocol))


@pytest.mark.parametrize("protocol", [Provider, AsyncProvider])
def test_needed_protocols(protocol):
    """A provider is whatever has capabilities and `apply`."""
    assert (True, False) == (isinstance(Bare(), protocol), isinstance(object(), protocol))


@pytest.mark.parametrize("protocol", [Provider, ReadBack, Eraser])
def test_send_is_one(protocol, tmp_path: Path):
    """The embedded provider reads back and erases."""
    with Send(tmp_path / "send.db") as send:
        assert isinstance(send, protocol)
