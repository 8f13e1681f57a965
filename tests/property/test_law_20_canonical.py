import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from typing import Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Catalogue,
    Condition,
    Contact,
    Engine,
    Event,
    MoveLead,
    Not,
    Place,
    Plan,
    Product,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
)
from listboss.codec import dump_event, dump_plan, dump_rules, load_rules
from listboss.rules._text import fold, shortest
from listboss.rules.action import action_key
from listboss.testing import pairs

UPPER = {ord(letter): ord(letter.upper()) for letter in "abcdefghijklmnopqrstuvwxyz"}
ELSEWHERE = timezone(timedelta(hours=5, minutes=30))


class Text(str):
    """A string of which every method lies."""

    __slots__ = ()

    def __str__(self) -> str:
        return "lie"

    __repr__ = __str__

    def strip(self, *_args: Any) -> str:
        """Lie."""
        return "lie"

    casefold = lower = upper = strip

    def isascii(self) -> bool:
        """Lie."""
        return True

    def __contains__(self, _part: object) -> bool:
        return False

    def partition(self, _separator: str) -> tuple[str, str, str]:
        """Lie."""
        return ("lie", ".", "lie")

    rpartition = partition


class Integer(int):
    """An integer of which every method lies."""

    def __int__(self) -> int:
        return 7

    def __str__(self) -> str:
        return "lie"

    __repr__ = __str__

    def bit_length(self) -> int:
        """Lie."""
        return 1


class Number(Decimal):
    """A decimal of which every method lies."""

    __slots__ = ()

    def __str__(self, *_args: Any) -> str:
        return "lie"

    __repr__ = __str__

    def is_finite(self) -> bool:
        """Lie."""
        return True

    def normalize(self, *_args: Any) -> Decimal:
        """Lie."""
        return Decimal(7)

    def adjusted(self) -> int:
        """Lie."""
        return 0


class Moment(datetime):
    """A date and time of which every method lies."""

    def isoformat(self, *_args: Any) -> str:
        """Lie."""
        return "lie"

    def astimezone(self, *_args: Any) -> Any:
        """Lie."""
        return self

    def utcoffset(self) -> timedelta:
        """Lie."""
        return timedelta(hours=7)


@singledispatch
def disguised(value: Any) -> Any:
    """Return a value, a collection or a noun with every part as a subclass."""
    fields = [field for field in attrs.fields(type(value)) if field.init and field.alias]
    return type(value)(**{str(each.alias): disguised(getattr(value, each.name)) for each in fields})


@disguised.register(bool)
@disguised.register(type(None))
def _(value: Any) -> Any:
    return value


disguised.register(Enum, lambda word: Text(word.value))
disguised.register(str, Text)
disguised.register(int, Integer)
disguised.register(Decimal, Number)
disguised.register(tuple, lambda values: tuple(map(disguised, values)))
disguised.register(Place, lambda place: Place(**disguised(place.parts)))
disguised.register(Not, lambda negated: Not(disguised(negated.condition)))
disguised.register(AllOf, lambda both: AllOf(*disguised(both.conditions)))
disguised.register(AnyOf, lambda either: AnyOf(*disguised(either.conditions)))


@disguised.register
def _(moment: datetime) -> datetime:
    return Moment.combine(moment.date(), moment.time(), moment.tzinfo)


@disguised.register
def _(mapping: Mapping) -> dict[Any, Any]:
    return {disguised(key): disguised(value) for key, value in mapping.items()}


@disguised.register
def _(rules: RuleSet) -> RuleSet:
    return RuleSet(
        disguised(rules.products),
        disguised(rules.segmentations),
        providers=disguised(rules.providers),
        catalogue=disguised(rules.catalogue),
        capture_provider=disguised(rules.capture_provider),
    )


def parts(value: Any) -> Iterator[Any]:
    """Yield every string, number and time inside a value, keys of mappings included."""
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from parts(key)
            yield from parts(item)
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from parts(item)
    else:
        yield value


def equal_form(value: Any) -> Any:
    """Write an equal number or time in another form; other values stay."""
    match value:
        case Decimal():
            sign, digits, exponent = value.as_tuple()
            if isinstance(exponent, int) and len(digits) < 100:
                return Decimal((sign, (*digits, 0), exponent - 1))
            return value
        case datetime():
            return value.astimezone(ELSEWHERE)
        case tuple():
            return tuple(map(equal_form, value))
        case _:
            return value


def other_case(text: str) -> str:
    """Write a name in another case and normal form, between blanks."""
    return f"\t{unicodedata.normalize('NFD', text).translate(UPPER)} "


def folded_alike(action: Any) -> Any:
    """Return an action with its tag or its places written in another case and form."""
    if isinstance(action, (AddTag, RemoveTag)):
        return attrs.evolve(action, tag=other_case(action.tag))
    names = ("place", "to", "source")
    places = {name: getattr(action, name, None) for name in names}
    changes = {
        name: Place(**{part: other_case(text) for part, text in place.parts.items()})
        for name, place in places.items()
        if place is not None
    }
    return attrs.evolve(action, **changes)


NOUNS = [
    AddLead, AddTag, Capabilities, Catalogue, Condition, Contact, Event, MoveLead, Product,
    ProviderAction, RemoveLead, RemoveTag, RuleSet, Segmentation,
]  # fmt: skip


def in_equal_form(action: Any) -> Any:
    """Return an equal action whose numbers and times are written in another form."""
    if not isinstance(action, ProviderAction):
        return action
    return ProviderAction(
        action.verb, {name: equal_form(value) for name, value in action.parameters.items()}
    )


def with_actions(rules: RuleSet, change: Any) -> RuleSet:
    """Change every action of a rule set."""
    for rule in rules.segmentations:
        rules = rules.replace(attrs.evolve(rule, actions=tuple(map(change, rule.actions))))
    return rules


def ids(plan: Plan) -> list[str]:
    """The ids of a plan's actions."""
    return [action.id for action in plan.actions]


class TestLaw20Canonical:
    """Law 20: equal values have equal dumps, keys and action ids, however they were spelled."""

    @pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: getattr(noun, "__name__", "Condition"))
    def test_subclasses_do_not_survive(self, noun: Any) -> None:
        """A noun made of subclasses that lie is the noun made of the plain values."""

        @given(st.from_type(noun))
        def check(value: Any) -> None:
            same = disguised(value)

            assert value == same
            assert repr(value) == repr(same)
            assert [type(part) for part in parts(value)] == [type(part) for part in parts(same)]

        check()

    @given(pairs())
    def test_plans_of_subclasses(self, pair: tuple[RuleSet, Event]) -> None:
        """Rules and events made of subclasses have the same dumps and plans."""
        rules, event = pair
        other_rules, other_event = disguised(rules), disguised(event)
        plan, other = Engine(rules).plan(event), Engine(other_rules).plan(other_event)

        assert dump_rules(rules) == dump_rules(other_rules)
        assert dump_event(event) == dump_event(other_event)
        assert dump_plan(plan) == dump_plan(other)

    @given(pairs())
    def test_equal_forms(self, pair: tuple[RuleSet, Event]) -> None:
        """49.90 is 49.9, and noon is noon in every time zone: in rules, dumps, plans and ids."""
        rules, event = pair
        other = with_actions(rules, in_equal_form)
        plan = Engine(rules).plan(event)

        assert rules == other
        assert dump_rules(rules) == dump_rules(other)
        assert plan == Engine(other).plan(event)
        stored = load_rules(dump_rules(other), catalogue=rules.catalogue)
        assert ids(plan) == ids(Engine(stored).plan(event))

    @given(pairs())
    def test_tags_and_places_in_another_case(self, pair: tuple[RuleSet, Event]) -> None:
        """Case, normal form and outer blanks of tags and places change no key and no id."""
        rules, event = pair
        other = with_actions(rules, folded_alike)

        assert [action_key(action) for rule in rules for action in rule.actions] == [
            action_key(action) for rule in other for action in rule.actions
        ]
        assert ids(Engine(rules).plan(event)) == ids(Engine(other).plan(event))

    @given(pairs())
    def test_the_name_of_a_plan_in_another_case(self, pair: tuple[RuleSet, Event]) -> None:
        """Case, normal form and outer blanks of a plan's name change no plan."""
        rules, event = pair
        assume(event.plan_name is not None)
        other = attrs.evolve(event, plan_name=other_case(str(event.plan_name)))

        assert Engine(rules).plan(event) == Engine(rules).plan(other)

    @given(st.from_type(ProviderAction), st.from_type(ProviderAction))
    def test_keys_are_equality(self, one: ProviderAction, other: ProviderAction) -> None:
        """Two actions of a provider are equal exactly if their keys are."""
        assert (one == other) == (action_key(one) == action_key(other))
        assert action_key(one) == action_key(in_equal_form(one))

    @given(
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
    )
    def test_shortest_decimal(self, number: Decimal) -> None:
        """Equal decimals have one form, which is equal to them."""
        assert number == shortest(number)
        assert repr(shortest(number)) == repr(shortest(equal_form(number)))

    @given(st.text())
    def test_fold(self, text: str) -> None:
        """Folding twice is folding once, and the case of ASCII and the normal form do not count."""
        assert fold(text) == fold(fold(text))
        assert fold(text) == fold(other_case(text))
