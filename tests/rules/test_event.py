import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import pytest

from listboss import Contact, Event, EventName
from listboss.errors import ArgumentTypeError, EventError
from listboss.rules._address import MAX_EMAIL_LENGTH
from listboss.rules._text import MAX_INTEGER_BITS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EDGE_EAST = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))


class Nowhere(tzinfo):
    """A zone without an offset, so that a time in it has no position in UTC."""

    def utcoffset(self, dt: datetime | None) -> None:
        """No offset."""

    dst = utcoffset

    def tzname(self, dt: datetime | None) -> str:
        """Return its name."""
        return "nowhere"


def make(name="purchase.approved", **changes):
    """Make an event with some fields changed."""
    given = {"id": "e-1", "product_id": "42", "contact": None, "occurred_at": NOON}
    return Event(name, **{**given, **changes})


class TestContact:
    """A person: an e-mail address, and perhaps a name and a phone."""

    def test_email_is_trimmed_and_kept(self):
        """The address is sent as given, apart from blanks around it."""
        assert "Ana@Example.com" == Contact(" Ana@Example.com\n").email

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Ana@Example.com", "ana@example.COM "),
        ],
    )
    def test_key(self, one, other):
        """Two spellings of one address have the same key."""
        assert Contact(one).key == Contact(other).key

    @pytest.mark.parametrize("email", ["a@b", "a@b@c", "é@b", "a+b@c.d", "🎉@x.y"])
    def test_odd_but_possible(self, email):
        """Anything with text on both sides of an @ is accepted; the provider decides the rest."""
        assert email == Contact(email).email

    @pytest.mark.parametrize(
        "email", ["", " ", "@", "a@", "@b", "ab", "a b@c", "a@b\tc", "a\x07@b", "a\u2028@b"]
    )
    def test_not_an_address(self, email):
        """A string that is not an address is refused, and the error does not show it."""
        with pytest.raises(EventError) as caught:
            Contact(email)
        assert "$.email" == caught.value.path
        assert not email.strip() or email not in str(caught.value).replace("@ $.email", "")

    def test_length(self):
        """An address has at most 320 characters."""
        local = "a" * (MAX_EMAIL_LENGTH - 2)
        assert MAX_EMAIL_LENGTH - 1 == len(Contact(f"{local[1:]}@b").email)
        assert MAX_EMAIL_LENGTH == len(Contact(f"{local}@b").email)
        with pytest.raises(EventError):
            Contact(f"{local}a@b")

    @pytest.mark.parametrize("email", [None, 3, b"a@b"])
    def test_wrong_type(self, email):
        """Anything but a string is refused."""
        with pytest.raises(ArgumentTypeError):
            Contact(email)

    @pytest.mark.parametrize("field", ["name", "first_name", "last_name", "phone"])
    def test_fields(self, field):
        """Other fields are trimmed, a blank one becomes None, another type is refused."""
        assert "Ana" == getattr(Contact("a@b", **{field: " Ana "}), field)
        assert getattr(Contact("a@b", **{field: "  "}), field) is None
        wrong: Any = {field: 3}
        with pytest.raises(ArgumentTypeError):
            Contact("a@b", **wrong)

    def test_repr(self):
        """The repr masks personal data and shows which fields are None."""
        shown = repr(Contact("ana@example.com", name="Ana"))
        masked = "Contact(email=***, name=***, first_name=None, last_name=None, phone=None)"
        assert masked == shown


class TestEvent:
    """One event with its facts."""

    def test_names(self):
        """A built-in name becomes an `EventName`; another name is kept as given."""
        assert EventName.PURCHASE_APPROVED is make("purchase.approved").name
        assert "quiz.passed" == make("quiz.passed").name

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", " "),
            ("id", ""),
            ("product_id", "\t"),
            ("plan_id", ""),
            ("plan_name", " "),
            ("transaction", ""),
            ("subscriber_code", " "),
            ("id", "\ud83d"),
            ("id", "a\0"),
        ],
    )
    def test_blank_or_unusable(self, field, value):
        """Ids and names are strings that are not blank and can be stored."""
        with pytest.raises(EventError) as caught:
            make(**{field: value})
        assert f"$.{field}" == caught.value.path

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", 3),
            ("id", 7),
            ("product_id", None),
            ("contact", "ana@example.com"),
            ("occurred_at", "2026-05-04"),
            ("is_test", 1),
            ("facts", [("a", 1)]),
            ("facts", {1: "a"}),
            ("facts", {"price": 49.9}),
            ("facts", {"price": None}),
            ("facts", {"price": ["a"]}),
        ],
    )
    def test_wrong_types(self, field, value):
        """A value of the wrong type is refused, never converted."""
        with pytest.raises(ArgumentTypeError) as caught:
            make(**{field: value})
        assert caught.value.path.startswith(f"$.{field}")

    @pytest.mark.parametrize(
        "at", [NOON.replace(tzinfo=None), NOON.replace(tzinfo=Nowhere())], ids=["none", "nowhere"]
    )
    def test_naive_time(self, at):
        """A time without a zone is refused."""
        with pytest.raises(EventError):
            make(occurred_at=at)

    def test_time_in_utc(self):
        """Times are kept in UTC; one outside the years 1 to 9999 is refused."""
        local = NOON.astimezone(timezone(timedelta(hours=-3)))
        assert UTC is make(occurred_at=local).occurred_at.tzinfo
        with pytest.raises(EventError):
            make(occurred_at=EDGE_EAST)

    @pytest.mark.parametrize("value", ["", "x", True, 0, Decimal("49.90"), NOON])
    def test_facts_stay_as_given(self, value):
        """A fact keeps its value and its type."""
        fact = make(facts={"a": value}).facts["a"]
        assert (type(value), value) == (type(fact), fact)

    @pytest.mark.parametrize("plain", ["x", 7, Decimal("49.90"), NOON])
    def test_facts_of_a_subclass_are_plain(self, plain):
        """A subclass, which may define its own equality or hash, becomes its plain type."""
        liar: Any = type("Liar", (type(plain),), {"__eq__": lambda *_: True, "__hash__": None})
        lie = liar.fromisoformat(str(plain)) if plain is NOON else liar(plain)
        fact = make(facts={"a": lie}).facts["a"]
        assert (type(plain), plain) == (type(fact), fact)

    @pytest.mark.parametrize(
        "value",
        [Decimal("NaN"), Decimal("Infinity"), "\ud83d", "\0", NOON.replace(tzinfo=None), EDGE_EAST],
    )
    def test_invalid_facts(self, value):
        """A fact that is not finite, cannot be stored or has no zone is refused by name."""
        with pytest.raises(EventError) as caught:
            make(facts={"a": value})
        assert "$.facts.a" == caught.value.path

    def test_blank_fact_name(self):
        """A blank name of a fact is refused."""
        with pytest.raises(EventError):
            make(facts={" ": 1})

    @pytest.mark.parametrize("sign", [1, -1])
    def test_size_of_integers(self, sign):
        """An integer has at most 128 bits."""
        largest = 2**MAX_INTEGER_BITS - 1
        for number in (largest - 1, largest):
            assert sign * number == make(facts={"a": sign * number}).facts["a"]
        with pytest.raises(EventError):
            make(facts={"a": sign * (largest + 1)})

    def test_with_facts(self):
        """Facts are added and replaced, by mapping and by name; the event itself stays the same."""
        event = make(facts={"a": 1, "b": 2})
        more = event.with_facts({"b": 3, "c": 4}, d=5)
        assert {"a": 1, "b": 3, "c": 4, "d": 5} == dict(more.facts)
        assert {"a": 1, "b": 2} == dict(event.facts)
        assert event == event.with_facts()

    def test_equality_is_typed(self):
        """An event with `True` differs from one with `1`."""
        assert make(facts={"a": 1}) != make(facts={"a": True})

    def test_value(self):
        """Events are frozen and can be hashed, pickled and copied."""
        event = make(contact=Contact("ana@example.com"), facts={"a": Decimal("1.0")})
        assert hash(event) == hash(make(**_fields(event)))
        assert event == pickle.loads(pickle.dumps(event)) == copy.deepcopy(event)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            event.id = "e-2"

    def test_repr(self):
        """The repr shows neither the contact nor the values of facts."""
        shown = repr(make(contact=Contact("ana@example.com"), facts={"coupon": "SECRET"}))
        assert "ana" not in shown
        assert "SECRET" not in shown
        assert "coupon" in shown

    @pytest.mark.parametrize("field", ["id", "product_id", "plan_id", "plan_name", "transaction"])
    def test_repr_of_ids(self, field):
        """An id that contains an e-mail address is masked, another one is shown."""
        masked = repr(make(**{field: "quiz:ana@example.com:7"}))
        assert (True, False) == (f"{field}=***" in masked, "ana@" in masked)
        assert f"{field}='quiz:7'" in repr(make(**{field: "quiz:7"}))


def _fields(event):
    return {
        field.name: getattr(event, field.name)
        for field in attrs.fields(Event)
        if field.name != "name"
    }


class TestOwnFacts:
    """What an event names in its fields, rules find among its facts."""

    OWN: ClassVar[dict[str, str]] = {
        "plan_id": "10",
        "plan_name": "Monthly",
        "subscriber_code": "S1",
        "transaction": "HP1",
    }

    @pytest.mark.parametrize("field", OWN)
    def test_a_field_becomes_a_fact(self, field):
        """A field is a fact as well, beside the facts that are given."""
        event = make(**{field: self.OWN[field]}, facts={"coupon": "x"})
        assert {"coupon": "x", field: self.OWN[field]} == dict(event.facts)
        assert sorted(event.facts) == list(event.facts)

    @pytest.mark.parametrize("field", OWN)
    def test_without_the_field(self, field):
        """A field that is None does not become a fact."""
        assert field not in make(facts={"coupon": "x"}).facts

    @pytest.mark.parametrize("field", OWN)
    def test_a_fact_of_the_same_name(self, field):
        """A fact that is given stays, and so does the field."""
        event = make(**{field: "own"}, facts={field: "fact"})
        assert ("own", "fact") == (getattr(event, field), event.facts[field])

    @pytest.mark.parametrize("blank", ["", " ", "\u3000"])
    def test_a_blank_fact(self, blank):
        """A blank fact is missing, so the field takes its place."""
        event = make(transaction="HP1", facts={"transaction": blank})
        assert "HP1" == event.facts["transaction"]

    @pytest.mark.parametrize("fact", [0, False, Decimal(0)])
    def test_a_fact_of_another_type(self, fact):
        """A fact of another type is there, and stays."""
        event = make(transaction="HP1", facts={"transaction": fact})
        assert (fact, "HP1") == (event.facts["transaction"], event.transaction)

    @pytest.mark.parametrize("field", ["subscriber_code", "transaction"])
    def test_a_fact_becomes_a_field(self, field):
        """A code that is only among the facts is that of the event."""
        assert "X1" == getattr(make(facts={field: "X1"}), field)

    @pytest.mark.parametrize("field", ["subscriber_code", "transaction"])
    @pytest.mark.parametrize("fact", ["", " ", 7, True])
    def test_a_fact_that_is_not_a_code(self, field, fact):
        """A blank fact, or one of another type, does not become a field."""
        assert getattr(make(facts={field: fact}), field) is None

    @pytest.mark.parametrize("field", ["plan_id", "plan_name"])
    def test_the_plan_stays(self, field):
        """The plan that rules are chosen by is that of the fields alone."""
        assert getattr(make(facts={field: "10"}), field) is None

    def test_two_ways_are_one(self):
        """Events that name the code in either place are equal, and hash alike."""
        events = {
            make(transaction="HP1"),
            make(facts={"transaction": "HP1"}),
            make(transaction="HP1", facts={"transaction": "HP1"}),
            make().with_facts(transaction="HP1"),
        }
        assert 1 == len(events)

    def test_it_is_done_once(self):
        """An event that is made of another one has the same facts; pickle and copy keep it."""
        event = make(**self.OWN)
        assert [event] * 3 == [
            attrs.evolve(event),
            pickle.loads(pickle.dumps(event)),
            copy.deepcopy(event),
        ]
