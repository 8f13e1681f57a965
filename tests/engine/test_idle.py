from typing import Any

import pytest

from listboss import AddTag, Idle, Product, RemoveTag


@pytest.fixture
def planner(engine, rule):
    """An engine with a rule on the course and one on a plan of the club."""
    return engine(
        rule("course", AddTag("buyer")),
        rule("club", AddTag("member"), product_id="77", plan_ids=("10",)),
    )


class TestReasons:
    """An idle plan says why there is nothing to do."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"contact": None}, Idle.UNADDRESSED),
            ({"is_test": True}, Idle.TEST),
            ({"product_id": "1"}, Idle.UNKNOWN_PRODUCT),
            ({"name": "quiz.passed"}, Idle.UNKNOWN_EVENT),
            ({"product_id": "77"}, Idle.UNKNOWN_PLAN),
            ({"product_id": "77", "plan_id": "99"}, Idle.UNKNOWN_PLAN),
            ({"product_id": "77", "plan_name": "Gold"}, Idle.UNKNOWN_PLAN),
            ({"product_id": "77", "plan_id": "20"}, Idle.NO_RULE),
            ({"product_id": "77", "name": "purchase.cart_abandoned"}, Idle.NO_RULE),
            ({"name": "purchase.refunded"}, Idle.NO_RULE),
        ],
    )
    def test_each(self, planner, happens, changes, expected):
        """An idle plan has the reason: no e-mail, a test, something unknown, or no rule."""
        plan = planner.plan(happens(**changes))
        assert (expected, (), ()) == (plan.idle, plan.actions, plan.conflicts)

    def test_not_idle(self, planner, happens):
        """An event that a rule matches is not idle."""
        assert planner.plan(happens()).idle is None


class TestPrecedence:
    """Of several reasons, the first that applies is reported."""

    # From the least to the most important: each row adds one more reason to those above.
    LADDER = (
        (Idle.NO_RULE, {"product_id": "77", "plan_id": "20"}),
        (Idle.UNKNOWN_PLAN, {"plan_id": "99"}),
        (Idle.UNKNOWN_EVENT, {"name": "quiz.passed"}),
        (Idle.UNKNOWN_PRODUCT, {"product_id": "1"}),
        (Idle.TEST, {"is_test": True}),
        (Idle.UNADDRESSED, {"contact": None}),
    )

    @pytest.mark.parametrize("rung", range(len(LADDER)))
    def test_ladder(self, planner, happens, rung):
        """The order is: unaddressed, test, unknown product, event and plan, no rule."""
        changes: dict[str, Any] = {}
        for _, more in self.LADDER[: rung + 1]:
            changes.update(more)
        assert self.LADDER[rung][0] == planner.plan(happens(**changes)).idle

    def test_include_tests_does_not_hide_the_next_reason(self, planner, happens):
        """A test that is planned can be idle for the other reasons."""
        plan = planner.plan(happens(is_test=True, product_id="1"), include_tests=True)
        assert Idle.UNKNOWN_PRODUCT == plan.idle

    def test_an_unknown_plan_is_not_reported_where_something_is_done(self, engine, happens):
        """Automatic segmentations do not look at the plan, so the plan is not idle."""
        plan = engine(capture_provider="mail").plan(happens(product_id="77", plan_id="99"))
        assert (None, True) == (plan.idle, bool(plan.actions))


def test_every_reason_is_tested():
    """The ladder has each member of `Idle` once."""
    assert sorted(Idle) == sorted(idle for idle, _ in TestPrecedence.LADDER)


def test_product_without_rules(engine, happens):
    """A product without rules is idle, which is not an error."""
    bare = engine(products=[Product("42", "Course")])
    assert Idle.NO_RULE == bare.plan(happens()).idle


def test_a_plan_that_only_removes(engine, rule, happens):
    """A plan that only removes is not idle."""
    assert engine(rule("r", RemoveTag("x"))).plan(happens()).idle is None
