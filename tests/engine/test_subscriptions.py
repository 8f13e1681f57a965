import pytest

from listboss import AddTag, Engine, Idle, Product, RuleSet, SubscriptionPlan, where
from listboss.engine.matching import router
from listboss.engine.matching.bucket import IndexedBucket
from listboss.testing import reference


@pytest.fixture
def planner(engine, rule):
    """A rule for each plan of the club, and one for both."""
    club = {"product_id": "77"}
    return engine(
        rule("monthly", AddTag("m"), plan_ids=("10",), **club),
        rule("annual", AddTag("a"), plan_ids=("20",), **club),
        rule("both", AddTag("b"), plan_ids=("10", "20"), **club),
        rule("cart", AddTag("c"), event="purchase.cart_abandoned", **club),
    )


def _tags(plan):
    return [planned.action.tag for planned in plan.actions]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"plan_id": "10"}, ["b", "m"]),
        ({"plan_id": "20"}, ["a", "b"]),
        ({"plan_id": "21"}, ["a", "b"]),
        ({"plan_name": " MONTHLY "}, ["b", "m"]),
        ({"plan_id": "10", "plan_name": "Annual"}, ["b", "m"]),
        ({"plan_id": "99"}, []),
        ({"plan_id": "99", "plan_name": "Monthly"}, []),
        ({"plan_name": "Gold"}, []),
        ({}, []),
        ({"name": "purchase.cart_abandoned"}, ["c"]),
        ({"name": "purchase.cart_abandoned", "plan_id": "99"}, ["c"]),
    ],
)
def test_which_rules_run(planner, happens, event, expected):
    """A plan is found by its id, by one of its other ids, or else by its name."""
    assert expected == _tags(planner.plan(happens(product_id="77", **event)))


def test_a_long_name_is_no_name(rule, rule_set, happens):
    """Names of over 4,096 characters are not compared, as facts are not."""
    names = ["gold " * 819 + "x", "gold " * 820]
    plans = [SubscriptionPlan(str(n), name) for n, name in enumerate(names)]
    club = Product(
        "77", "Club", kind="subscription", plans=plans, approved_at=happens().occurred_at
    )
    rules = rule_set(rule("r", AddTag("x"), product_id="77", plan_ids=("0", "1")), products=[club])
    events = [happens(product_id="77", plan_name=name) for name in names]
    assert [None, Idle.UNKNOWN_PLAN] == [Engine(rules).plan(event).idle for event in events]
    assert [reference.plan(rules, event) for event in events] == [
        Engine(rules).plan(event) for event in events
    ]


def test_plans_with_the_same_rules(engine, rule, happens):
    """Rules that name the same plans run on each of them."""
    both = {"product_id": "77", "plan_ids": ("10", "20")}
    eng = engine(rule("one", AddTag("a"), **both), rule("two", AddTag("b"), **both))
    plans = [eng.plan(happens(product_id="77", plan_id=plan_id)) for plan_id in ("10", "20")]
    assert [["a", "b"], ["a", "b"]] == [_tags(plan) for plan in plans]


def test_a_condition_of_a_rule_for_several_plans(engine, rule, happens):
    """A condition counts for each plan that the rule names, beside the rules of that plan."""
    condition = (where.offer == "x") | (where.price > 5)
    eng = engine(
        rule("both", AddTag("b"), product_id="77", plan_ids=("10", "20"), condition=condition),
        rule("one", AddTag("m"), product_id="77", plan_ids=("10",), condition=~condition),
    )
    found = [
        _tags(
            eng.plan(happens(product_id="77", plan_id=plan_id, facts={"offer": offer, "price": 1}))
        )
        for plan_id in ("10", "20")
        for offer in ("x", "y")
    ]
    assert [["b"], ["m"], ["b"], []] == found


def test_a_rule_may_name_any_id_of_a_plan(engine, rule, happens):
    """`plan_ids` resolve like the plan of an event."""
    eng = engine(rule("r", AddTag("x"), product_id="77", plan_ids=("21", "20")))
    assert ["x"] == _tags(eng.plan(happens(product_id="77", plan_id="20")))


def test_an_ambiguous_name_resolves_to_nothing(rule, rule_set, happens):
    """If two plans have one name, only an id decides."""
    club = Product(
        "77",
        "Club",
        kind="subscription",
        plans=[SubscriptionPlan("1", "Gold"), SubscriptionPlan("2", " gold")],
        approved_at=happens().occurred_at,
    )
    eng = Engine(
        rule_set(rule("r", AddTag("x"), product_id="77", plan_ids=("1", "2")), products=[club])
    )
    plans = [
        eng.plan(happens(product_id="77", **named))
        for named in ({"plan_name": "Gold"}, {"plan_id": "2"})
    ]
    assert [(Idle.UNKNOWN_PLAN, []), (None, ["x"])] == [(plan.idle, _tags(plan)) for plan in plans]


def test_other_products_have_no_plans(engine, rule, happens):
    """On a single product, the plan of the event is ignored."""
    eng = engine(rule("r", AddTag("x")))
    assert ["x"] == _tags(eng.plan(happens(plan_id="99", plan_name="Gold")))


def test_facts_do_not_name_the_plan(planner, happens):
    """The plan decides before any condition; facts of similar names do not count."""
    plan = planner.plan(happens(product_id="77", facts={"plan_name": "Monthly"}))
    assert Idle.UNKNOWN_PLAN == plan.idle


def test_a_subscription_without_plans(rule, happens):
    """A subscription without plans has no known plan."""
    bare = RuleSet([Product("77", "Club", kind="subscription")])
    assert Idle.UNKNOWN_PLAN == Engine(bare).plan(happens(product_id="77", plan_id="1")).idle


def test_plans_that_share_an_index(rule, rule_set, happens, monkeypatch):
    """Plans of which most have most rules are found with one index, also after a change."""
    monkeypatch.setattr(router, "MAX_PAIRS", 20)
    ids = [str(n) for n in range(30)]
    plans = [SubscriptionPlan(each, f"Plan {each}") for each in ids]
    approved = happens().occurred_at
    club = Product("77", "Club", kind="subscription", plans=plans, approved_at=approved)

    def made(n):
        condition = (where.offer == f"o{n % 3}") | (where.price > n) if n % 4 else None
        named = [each for each in ids if int(each) % 7 != n % 7]
        return rule(f"r{n}", AddTag(f"t{n}"), condition=condition, product_id="77", plan_ids=named)

    first = rule_set(*map(made, range(20)), products=[club])
    second = first.remove("r3").add(made(20))
    engine = Engine(first).warm()
    buckets = engine._routers["77"].buckets.values()
    indexes = [each.index for each in buckets if isinstance(each, IndexedBucket)]
    assert (30, 1) == (len(indexes), len({id(each) for each in indexes}))
    for rules, found in ((first, engine), (second, engine.with_rules(second).warm())):
        for n in range(31):
            event = happens(product_id="77", plan_id=str(n), facts={"offer": "o1", "price": n})
            assert reference.plan(rules, event) == found.plan(event)
    shown = [each.id for each in engine._routers["77"].buckets["purchase.approved", "3"].rules()]
    assert [f"r{n}" for n in range(20) if n % 7 != 3] == shown
