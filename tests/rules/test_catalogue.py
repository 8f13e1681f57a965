import pickle
from typing import Any

import pytest

from listboss import HOTMART, Catalogue, EventName, EventType, FactType, ProductKind
from listboss.errors import ArgumentTypeError, CatalogueError
from listboss.rules import FactKind, Source, Subject

SCORE = FactType("score", FactKind.INTEGER)
QUIZ = EventType("quiz.passed", "Quiz passed", facts=["language"])


class TestFactType:
    """One fact and how it compares."""

    def test_kind_by_name(self):
        """A kind may be given by name."""
        assert FactKind.TEXT is FactType("note", "text").kind

    @pytest.mark.parametrize("wrong", [{"values": ["a"]}, {"closed": True}])
    def test_only_a_choice_has_values(self, wrong):
        """Other kinds of fact have no list of values."""
        with pytest.raises(CatalogueError):
            FactType("score", FactKind.INTEGER, **wrong)

    def test_a_closed_choice(self):
        """A choice may be closed."""
        assert ("A",) == FactType("grade", FactKind.CHOICE, values=["A"], closed=True).values

    def test_bare_string(self):
        """A string is not a list of values."""
        with pytest.raises(ArgumentTypeError):
            FactType("grade", FactKind.CHOICE, values="AB")

    def test_blank_name(self):
        """A blank name is refused."""
        with pytest.raises(CatalogueError):
            FactType(" ", FactKind.TEXT)


class TestEventType:
    """One kind of event."""

    def test_defaults(self):
        """The host makes an own event, for products of every kind and without facts."""
        own = EventType("quiz.passed", "Quiz passed")
        assert (Source.HOST, tuple(ProductKind), (), False) == (
            own.source,
            own.product_kinds,
            own.facts,
            own.carries_plan,
        )

    def test_facts_once(self):
        """A fact listed twice counts once."""
        assert ("a", "b") == EventType("e", "E", facts=["a", "b", "a"]).facts

    def test_kinds_by_name(self):
        """Product kinds may be given by name."""
        named: Any = {"product_kinds": ["free"]}
        assert (ProductKind.FREE,) == EventType("e", "E", **named).product_kinds

    def test_about(self):
        """What an own event is about may be named, and it may end that."""
        own = EventType("license.revoked", "License revoked", about="purchase", ends=True, rank=7)
        assert (Subject.PURCHASE, True, 7) == (own.about, own.ends, own.rank)

    def test_about_nothing(self):
        """An own event is about nothing, ends nothing and has the rank 0."""
        own = EventType("quiz.passed", "Quiz passed")
        assert (None, False, 0) == (own.about, own.ends, own.rank)

    @pytest.mark.parametrize(
        ("wrong", "path"), [({"about": "offer"}, "$.about"), ({"ends": True}, "$.ends")]
    )
    def test_states_that_cannot_be(self, wrong, path):
        """An event is about a purchase or a subscription, and ends only what it is about."""
        with pytest.raises(CatalogueError) as caught:
            EventType("e", "E", **wrong)
        assert path == caught.value.path

    @pytest.mark.parametrize(
        "wrong", [{"rank": True}, {"rank": 1.0}, {"rank": "1"}, {"about": "purchase", "ends": 1}]
    )
    def test_wrong_types(self, wrong):
        """A rank is an integer, and `ends` a boolean."""
        with pytest.raises(ArgumentTypeError):
            EventType("e", "E", **wrong)

    @pytest.mark.parametrize("wrong", [{"facts": "language"}, {"product_kinds": "free"}])
    def test_bare_string(self, wrong):
        """A string is not a list."""
        with pytest.raises(ArgumentTypeError):
            EventType("e", "E", **wrong)


class TestCatalogue:
    """Event types and fact types by name."""

    def test_unknown(self):
        """An unknown name gives None."""
        assert HOTMART.event("no.such") is None
        assert HOTMART.fact("no_such") is None

    @pytest.mark.parametrize(
        ("carries", "event", "fact"),
        [
            (True, "purchase.approved", "price"),
            (True, "club.progress", "language"),
            (False, "club.progress", "price"),
            (False, "club.progress", "no_such"),
            (False, "no.such", "language"),
        ],
    )
    def test_carries(self, carries, event, fact):
        """An event carries the facts that it lists and those that may be on any event."""
        assert HOTMART.carries(event, fact) is carries

    def test_facts_of(self):
        """The facts come in catalogue order."""
        assert ["language", "country", "offer", "product_name", "rating"] == [
            fact.name for fact in HOTMART.facts_of("product.rated")
        ]
        assert () == HOTMART.facts_of("no.such")

    def test_events_for(self):
        """Only the events for that kind of product are offered."""
        assert {"webinar.registered", "webinar.attended", "webinar.missed", "webinar.ended"} == {
            event.name for event in HOTMART.events_for(ProductKind.WEBINAR)
        }

    def test_extended(self):
        """A host adds its own rows; the built-in catalogue stays the same."""
        single: Any = QUIZ
        own = HOTMART.extended(events=single, facts=[SCORE])
        assert QUIZ == own.event("quiz.passed")
        assert own.carries("quiz.passed", "score")
        assert HOTMART.event("quiz.passed") is None

    @pytest.mark.parametrize(
        "more",
        [
            {"events": [EventType("purchase.approved", "Mine")]},
            {"facts": [FactType("price", FactKind.TEXT)]},
            {"events": [QUIZ, QUIZ]},
            {"facts": [SCORE, SCORE]},
            {"events": [EventType("e", "E", facts=["no_such"])]},
        ],
    )
    def test_contradictions(self, more):
        """A name used twice and an unknown fact are refused."""
        with pytest.raises(CatalogueError):
            HOTMART.extended(**more)

    @pytest.mark.parametrize("rows", [{"events": [SCORE]}, {"facts": [QUIZ]}, {"events": "ab"}])
    def test_wrong_rows(self, rows):
        """Rows of another type are refused."""
        with pytest.raises(ArgumentTypeError):
            Catalogue(**rows)

    def test_value(self):
        """A pickled catalogue is equal, and the repr shows its size."""
        assert HOTMART == pickle.loads(pickle.dumps(HOTMART))
        assert "<Catalogue of 40 events and 57 facts>" == repr(HOTMART)

    def test_every_name_has_a_row(self):
        """The built-in catalogue has each `EventName`, and no other."""
        assert {str(name) for name in EventName} == {event.name for event in HOTMART.events}
