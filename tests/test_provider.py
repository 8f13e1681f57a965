import pickle
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args

import attrs
import pytest

from listboss.errors import ActionError, ArgumentTypeError, EventError
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
    check_accounts,
)
from listboss.rules import RuleSet
from listboss.send import Send

OUTCOMES = [
    Applied(),
    NoChange(),
    Accepted("job-7"),
    Throttled(timedelta(seconds=30)),
    Refused("unknown list", RefusedKind.CONFIGURATION),
    Unknown("timeout"),
]


class TestOutcome:
    """The answers of a provider."""

    def test_union_is_closed(self):
        """A provider returns one of these six outcomes."""
        assert set(get_args(Outcome)) == {type(outcome) for outcome in OUTCOMES}

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
    def test_values(self, outcome):
        """Outcomes can be compared, hashed and pickled."""
        again = pickle.loads(pickle.dumps(outcome))
        assert (outcome, hash(outcome)) == (again, hash(again))

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
    def test_frozen(self, outcome):
        """An outcome cannot be changed."""
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            outcome.reason = "other"

    @pytest.mark.parametrize(
        "kind", ["contact", "configuration", "authorisation", "suppressed", "limit"]
    )
    def test_kinds_of_refusal(self, kind):
        """A refusal has a kind, given as a member or as its word."""
        assert RefusedKind(kind) is Refused("no", kind).kind

    def test_unknown_kind_of_refusal(self):
        """An unknown kind of refusal is refused, and the error lists the known ones."""
        with pytest.raises(ActionError) as caught:
            Refused("no", "contct")
        assert ("$.kind", "did you mean `contact`?") == (caught.value.path, caught.value.hint)

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
        """A job and a cause are strings, a waiting time is a duration; no error shows the value."""
        with pytest.raises(ArgumentTypeError) as caught:
            kind(*arguments)
        assert "ana" not in str(caught.value)


class TestCall:
    """How an action is carried out."""

    def test_defaults(self):
        """By default a call is the first attempt, without a deadline, and not a test."""
        assert Call(1, None, False) == Call()

    def test_deadline_in_utc(self):
        """A deadline is kept in UTC."""
        brasilia = timezone(timedelta(hours=-3))
        call = Call(2, datetime(2026, 5, 4, 9, tzinfo=brasilia))
        assert datetime(2026, 5, 4, 12, tzinfo=UTC) == call.deadline

    def test_naive_deadline(self):
        """A deadline without a time zone is refused."""
        with pytest.raises(EventError):
            Call(1, datetime(2026, 5, 4, 9, tzinfo=UTC).replace(tzinfo=None))

    @pytest.mark.parametrize("arguments", [("1",), (True,), (1, None, "yes")])
    def test_wrong_types(self, arguments):
        """An attempt is an integer, a time has a zone, a mark is a boolean."""
        with pytest.raises(ArgumentTypeError):
            Call(*arguments)


class Both:
    """A provider with every optional method."""

    capabilities = Capabilities.everything()

    def apply(self, action, call):
        """Carry out the action."""
        return Applied()

    def apply_many(self, actions, call):
        """Carry out the actions."""
        return [Applied() for _ in actions]

    def check(self):
        """Report that the account is integrated."""

    def tags(self, email):
        """Return the tags."""
        return ()

    def places(self, email):
        """Return the places."""
        return ()

    def erase(self, email):
        """Erase the contact."""
        return False


class Bare:
    """A provider with only the required method."""

    capabilities = Capabilities.everything()

    def apply(self, action, call):
        """Carry out the action."""
        return Applied()


@pytest.mark.parametrize("protocol", [BatchProvider, Checks, ReadBack, Eraser])
def test_optional_protocols(protocol):
    """Optional abilities are recognised by their methods at run time."""
    assert (True, False) == (isinstance(Both(), protocol), isinstance(Bare(), protocol))


@pytest.mark.parametrize("protocol", [Provider, AsyncProvider])
def test_needed_protocols(protocol):
    """Anything with `capabilities` and `apply` is a provider."""
    assert (True, False) == (isinstance(Bare(), protocol), isinstance(object(), protocol))


@pytest.mark.parametrize("protocol", [Provider, ReadBack, Eraser])
def test_send_is_one(protocol, tmp_path: Path):
    """The embedded provider can read back and erase."""
    with Send(tmp_path / "send.db") as send:
        assert isinstance(send, protocol)


class Account:
    """A provider that answers `check` as it is made to."""

    capabilities = Capabilities(add_tag="native")

    def __init__(self, answer: Refused | Unknown | Exception | None) -> None:
        self.answer = answer

    def apply(self, action, call):
        """Refuse everything."""
        return Refused("not used", "configuration")

    def check(self) -> Refused | Unknown | None:
        """Return or raise the answer."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class TestCheckAccounts:
    """`check_accounts` returns the rule set with the accounts as they are now."""

    RULES = RuleSet(providers={"mail": Capabilities.everything()})

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (None, {"mail": Account.capabilities}),
            (Refused("the token has expired", "authorisation"), {}),
            (Unknown("timeout"), {"mail": Capabilities.everything()}),
            (OSError("no network"), {"mail": Capabilities.everything()}),
        ],
    )
    def test_answers(self, answer, expected):
        """A refused account is left out; one without an answer stays as it was."""
        assert expected == check_accounts(self.RULES, {"mail": Account(answer)}).providers

    def test_an_account_without_check(self):
        """A provider that has no `check` gets the capabilities that it has now."""
        bare = Bare()
        found = check_accounts(self.RULES, {"mail": bare})

        assert {"mail": bare.capabilities} == found.providers

    def test_an_account_is_back(self):
        """An account that was left out before is integrated again, and an unknown one ignored."""
        gone = RuleSet()

        assert {"mail": Account.capabilities} == check_accounts(
            gone, {"mail": Account(None), "post": Account(Refused("gone", "configuration"))}
        ).providers
