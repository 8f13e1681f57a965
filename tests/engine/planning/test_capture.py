import pytest

from listboss import (
    AUTOMATIC,
    Action,
    AddLead,
    AddTag,
    Capabilities,
    Engine,
    Idle,
    Product,
    RemoveTag,
)
from listboss.rules.builtin import HOTMART

EVENTS = tuple(event.name for event in HOTMART.events)


def _with_reasons(plan):
    return {(planned.action, planned.because) for planned in plan.actions}


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_of_an_approved_product(engine, happens, name):
    """Capture adds the lead, and each row of the table adds or removes its tag."""
    plan = engine(capture_provider="mail").plan(happens(name))
    expected: set[tuple[Action, tuple[str, ...]]] = {(AddLead(), ("auto.capture",))}
    for row in AUTOMATIC:
        if name in row.adds_on:
            expected.add((AddTag(row.tag_for("42")), (row.id,)))
        if name in row.removes_on:  # the event says nothing about the charge
            expected.add((RemoveTag(row.tag_for("42")), (row.id,)))
    assert expected == _with_reasons(plan)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [({"recurrence_number": 1}, True), ({"recurrence_number": 2}, False), ({}, False)],
)
@pytest.mark.parametrize("product", [{}, {"product_id": "77", "plan_id": "10"}])
def test_first_charge(engine, happens, facts, expected, product):
    """The approval of a first charge removes the tag of a canceled subscription."""
    eng = engine(capture_provider="mail")
    unknown: dict[str, int] = {}
    plans = [eng.plan(happens(facts=each, **product)) for each in (unknown, facts, unknown)]
    removed = RemoveTag(f"auto:subscription-canceled:{product.get('product_id', '42')}")
    assert [False, expected, False] == [
        removed in [planned.action for planned in plan.actions] for plan in plans
    ]


def test_first_charge_where_the_provider_cannot_remove_tags(engine, happens):
    """Where the account cannot remove tags, the first charge makes no difference."""
    eng = engine(providers={"mail": Capabilities(add_tag="native")}, capture_provider="mail")
    first, later = (eng.plan(happens(facts={"recurrence_number": n})).actions for n in (1, 2))
    assert first == later


def test_automatic_actions_are_marked(engine, rule, happens):
    """Actions of capture are automatic, those of custom rules are not."""
    plan = engine(rule("r", AddTag("x")), capture_provider="mail").plan(happens())
    assert {AddTag("x")} == {p.action for p in plan.actions if not p.automatic}


def test_no_conflicts(engine, happens):
    """The automatic segmentations never contradict each other."""
    eng = engine(capture_provider="mail")
    assert [()] * len(EVENTS) == [eng.plan(happens(name)).conflicts for name in EVENTS]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"capture_provider": "gone"},
        {"capture_provider": "mail", "products": [Product("42", "Course")]},
        {
            "capture_provider": "mail",
            "providers": {"mail": Capabilities(add_lead="native", events=("purchase.refunded",))},
        },
    ],
    ids=["off", "not-integrated", "not-approved", "event-not-taken"],
)
def test_nothing_is_captured(engine, happens, options):
    """Nothing is captured without a provider, an approved product or a supported event."""
    assert Idle.NO_RULE == engine(**options).plan(happens()).idle


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [
        ({"add_lead": "native"}, {AddLead}),
        ({"add_tag": "emulated"}, {AddTag}),
        ({"remove_tag": "native"}, {RemoveTag}),
        ({"add_tag": "native", "tags": ("auto:purchase-approved:42",)}, {AddTag}),
        ({"add_tag": "native", "tags": ("other",)}, set()),
    ],
)
def test_what_the_provider_cannot_do_is_left_out(engine, happens, abilities, expected):
    """Each automatic action is planned only where the account can do it."""
    eng = engine(providers={"mail": Capabilities(**abilities)}, capture_provider="mail")
    assert expected == {type(p.action) for p in eng.plan(happens()).actions}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, ["email", "name", "phone"]),
        (("email", "name", "phone"), ["email", "name", "phone"]),
        (("phone",), ["email", "phone"]),
        ((), ["email"]),
    ],
)
def test_data_that_the_provider_accepts(engine, happens, data, expected):
    """Capture sends e-mail, name and phone, as far as the account accepts them."""
    eng = engine(
        providers={"mail": Capabilities(add_lead="native", data=data)}, capture_provider="mail"
    )
    (planned,) = eng.plan(happens()).actions
    assert expected == list(planned.data)


def test_each_product_has_its_own_tags(engine, happens):
    """The tag of one product is not the tag of another."""
    eng = engine(capture_provider="mail")
    tags = [
        {
            p.action.tag
            for p in eng.plan(happens(product_id=product)).actions
            if p.action != AddLead()
        }
        for product in ("42", "77")
    ]
    assert (True, True) == (bool(tags[0]), tags[0].isdisjoint(tags[1]))


def test_only_at_the_capture_provider(engine, happens):
    """Capture plans nothing at other accounts."""
    plan = engine(capture_provider="post").plan(happens())
    assert {"post"} == {planned.provider for planned in plan.actions}


def test_more_products_than_are_cached(happens, rule_set):
    """With many products, each event asks for the tags of its own product."""
    products = [Product(str(n), "Course", approved_at=happens().occurred_at) for n in range(17_000)]
    eng = Engine(rule_set(products=products, capture_provider="mail"))
    for n in (*range(17_000), 3):
        plan = eng.plan(happens("waitlist.joined", product_id=str(n)))
        assert [AddLead(), AddTag(f"auto:waitlist:{n}")] == [p.action for p in plan.actions]
