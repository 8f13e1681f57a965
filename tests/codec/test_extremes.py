"""What constructors accept can be written and read back, however odd or large it is.

The strategies try any string, and numbers and times at their limits, for every field. What a
constructor accepts must survive a round trip; what it refuses is replaced by something usual.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Comparison,
    Contact,
    Event,
    EventName,
    MoveLead,
    Not,
    Operator,
    Place,
    Plan,
    PlannedAction,
    Product,
    ProductKind,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    Verb,
)
from listboss.codec import (
    dump_action,
    dump_condition,
    dump_event,
    dump_plan,
    dump_rules,
    dump_segmentation,
    load_action,
    load_condition,
    load_event,
    load_plan,
    load_rules,
    load_segmentation,
)
from listboss.errors import ListBossError
from listboss.rules import FactKind

LARGEST = 2**128 - 1
WORDS = ("any", "version", "list", "fact", "all", "not", "eq", "decimal", "instant", "null", "\n",
         "\ufeff", "\u2028", "\x1c", "\u202e", "\U0001f389", "e\u0301", "\ud800", "\0")  # fmt: skip
AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
SEND = ("email",)


class Autumn(tzinfo):
    """A zone in the hour that comes twice: times in it equal no time in another zone."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """Return two offsets, for the first and the second time."""
        return timedelta(hours=1 if dt is None or dt.fold == 0 else 0)

    def dst(self, dt: datetime | None) -> timedelta:
        """Return the part of the offset that is summer time."""
        return self.utcoffset(dt)

    def tzname(self, dt: datetime | None) -> str:
        """Return the name of the zone."""
        return f"Autumn{self.utcoffset(dt)}"


def _usual(value: Any) -> Any:
    """Return a value of the same type that no constructor refuses."""
    match value:
        case str():
            return "acme.enrol"
        case list() | dict():
            return type(value)()
        case datetime():
            return AT
        case _:
            return value


@st.composite
def made(draw: DrawFn, make: Callable[..., Any], /, *args: Any, **fields: Any) -> Any:
    """Make a value of drawn arguments; until the constructor accepts them, make one more usual."""
    values = {key: draw(each) for key, each in [*enumerate(args), *fields.items()]}
    for key in (None, *values):
        if key is not None:
            values[key] = _usual(values[key])
        try:
            return make(*[values[n] for n in range(len(args))], **{k: values[k] for k in fields})
        except ListBossError:
            pass
    return reject()


def _decimal(negative: bool, digits: str, adjusted: int) -> Decimal:  # drawn
    return Decimal((negative, tuple(map(int, digits)), adjusted - len(digits) + 1))


def _few(items: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    return st.lists(items, max_size=2)


TEXT = st.sampled_from(WORDS) | st.text(max_size=6)
DIGITS = st.text("0123456789", min_size=1, max_size=6) | st.text("19", min_size=125, max_size=128)
DECIMALS = st.builds(
    _decimal, st.booleans(), DIGITS, st.sampled_from([-128, -127, 127, 128]) | st.integers(-9, 9)
)
INTEGERS = st.sampled_from([LARGEST, -LARGEST, 0]) | st.integers(-LARGEST, LARGEST)
ZONES = st.sampled_from([UTC, Autumn()]) | st.integers(-86_399, 86_399).map(
    lambda seconds: timezone(timedelta(seconds=seconds))
)
TIMES = st.datetimes(timezones=ZONES, allow_imaginary=True) | st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
VALUES = st.one_of(TEXT, INTEGERS, DECIMALS, TIMES, st.booleans())
FACTS = st.dictionaries(TEXT, VALUES, max_size=3)


@st.composite
def comparisons(draw: DrawFn) -> Comparison:
    """Draw a comparison with any operator."""
    operator = draw(st.sampled_from(Operator))
    values: Any = {
        **dict.fromkeys((Operator.IS_SET, Operator.IS_MISSING), st.none()),
        **dict.fromkeys((Operator.IN, Operator.NOT_IN), _few(VALUES)),
        Operator.BETWEEN: st.tuples(VALUES, VALUES),
    }.get(operator, VALUES)
    comparison: Comparison = draw(made(Comparison, TEXT, st.just(operator), values))
    return comparison


def _combined(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    several = _few(inner)
    return inner.map(Not) | several.map(lambda x: AllOf(*x)) | several.map(lambda x: AnyOf(*x))


CONDITIONS = st.recursive(comparisons(), _combined, max_leaves=5)
PLACES = made(lambda parts: Place(**parts), st.dictionaries(TEXT, TEXT, max_size=2))
ACTIONS = st.one_of(
    made(AddTag, TEXT),
    made(RemoveTag, TEXT),
    st.builds(AddLead, st.none() | PLACES),
    st.builds(MoveLead, PLACES, st.none() | PLACES, if_absent=st.sampled_from(["add", "skip"])),
    st.builds(RemoveLead, PLACES),
    made(ProviderAction, st.tuples(TEXT, TEXT).map(".".join), FACTS),
)
SEGMENTATIONS = made(
    Segmentation,
    TEXT,
    id=TEXT,
    product_id=TEXT,
    provider=TEXT,
    event=TEXT | st.sampled_from(EventName),
    actions=_few(ACTIONS),
    condition=st.none() | CONDITIONS,
    plan_ids=_few(TEXT),
    send=_few(TEXT),
    enabled=st.booleans(),
)
ABILITY = st.sampled_from(["native", "emulated", "none"])
VERBS = made(
    Verb,
    TEXT,
    st.dictionaries(TEXT, st.sampled_from(FactKind), max_size=2),
    optional=_few(TEXT),
)
CAPABILITIES = made(
    Capabilities,
    **dict.fromkeys(("add_tag", "remove_tag", "add_lead", "move_lead", "remove_lead"), ABILITY),
    places=st.none() | _few(PLACES),
    **dict.fromkeys(("tags", "data", "events"), st.none() | _few(TEXT)),
    **dict.fromkeys(("idempotent", "one_place"), st.booleans()),
    verbs=_few(VERBS),
    rate=st.none() | st.integers(1, 2 * LARGEST),
    batch=st.integers(1, 9) | st.integers(1, 2 * LARGEST),
)
PLANS = made(SubscriptionPlan, TEXT, TEXT, also=_few(TEXT))
PRODUCTS = made(
    Product,
    TEXT,
    TEXT,
    kind=st.sampled_from(ProductKind),
    plans=_few(PLANS),
    approved_at=st.none() | st.dates() | TIMES,
)
RULE_SETS = made(
    RuleSet,
    _few(PRODUCTS),
    _few(SEGMENTATIONS),
    providers=st.dictionaries(TEXT, CAPABILITIES, max_size=2),
    capture_provider=st.none() | TEXT,
)
CONTACTS = made(
    Contact,
    st.emails() | st.tuples(TEXT, TEXT).map("@".join),
    **dict.fromkeys(("name", "first_name", "last_name", "phone"), st.none() | TEXT),
)
EVENTS = made(
    Event,
    TEXT | st.sampled_from(EventName),
    id=TEXT,
    product_id=TEXT,
    contact=st.none() | CONTACTS,
    occurred_at=TIMES,
    **dict.fromkeys(("plan_id", "plan_name", "transaction", "subscriber_code"), st.none() | TEXT),
    facts=FACTS,
    is_test=st.booleans(),
)


def _plan(event: Event, action: Any) -> Plan:
    """Make the plan that an engine could return for an event."""
    email = "ana@example.com" if event.contact is None else event.contact.email
    planned = PlannedAction(
        provider="mail",
        email=email,
        action=action,
        data=event.facts,
        because=("rule",),
        automatic=False,
        id="1-2",
    )
    return Plan(
        event_id=event.id,
        event_name=event.name,
        product_id=event.product_id,
        occurred_at=event.occurred_at,
        is_test=event.is_test,
        actions=(planned,),
    )


@pytest.mark.parametrize(
    ("values", "dump", "load"),
    [
        (RULE_SETS, dump_rules, load_rules),
        (SEGMENTATIONS, dump_segmentation, load_segmentation),
        (CONDITIONS, dump_condition, load_condition),
        (ACTIONS, dump_action, load_action),
        (EVENTS, dump_event, load_event),
        (st.builds(_plan, EVENTS, ACTIONS), dump_plan, load_plan),
    ],
    ids=["rules", "segmentation", "condition", "action", "event", "plan"],
)
def test_round_trip(
    values: SearchStrategy[Any], dump: Callable[[Any], str], load: Callable[[str], Any]
) -> None:
    """What a constructor accepts is read back equal, and written as the same text again."""

    @given(values)
    def check(value: Any) -> None:
        text = dump(value)
        read = load(text)
        assert (value, text) == (read, dump(read))

    check()
